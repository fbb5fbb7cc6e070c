# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What is true of an environment that leaves: what of it is gone, what still stands, and whether it still sends. Pure.

Its senders fail once its records are gone, which is as it should be, unless it still sends. No reports is no evidence
that it does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_spf import term_key
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import LeavingReport, SenderReport

_Found = Mapping[str, Any]
_STILL_SENDS = "Stop it; or let it stay: erp_mail_state: present, then restore and site (docs/offboard.md)."
_SAY_SO = "Take its host out of the inventory once it has left, or name its last day in mail_offboard_stopped."


@dataclass(frozen=True, slots=True)
class LeavingEvidence:
    """Whether an environment still sends. ``stopped``: by what it is known that it does not, "" where it is not known;
    ``sends``: what reports show of it since its records are gone, "" for nothing; ``missing``: why it is not known."""

    stopped: str = ""
    sends: str = ""
    missing: tuple[str, ...] = ()


def leaving_report(needs: _Found, audits: Mapping[str, _Found], evidence: LeavingEvidence) -> LeavingReport:
    """Say what is gone and what stands; what could not be looked up is neither.

    :param needs: of the environment
    :param audits: what ``mail_auth_info`` found, by domain
    :param evidence: whether it still sends
    """
    looked = [*_terms(needs, audits), *_selectors(needs, audits)]
    return LeavingReport(
        gone=tuple(text for text, stands in looked if not stands),
        stands=tuple(text for text, stands in looked if stands),
        mail=_mail(evidence),
    )


def leaving_sender(sender: SenderReport, leaving: LeavingReport, evidence: LeavingEvidence) -> SenderReport:
    """One sender of it, which is not called failing where it fails on purpose.

    :param sender: as receivers judge it
    :param leaving: what is gone of the environment
    :param evidence: whether it still sends
    """
    if sender.verdict != "fail" or not leaving.gone:
        return sender
    gone = f"it is leaving, and of its records these are gone: {', '.join(leaving.gone)}; {leaving.mail}"
    if evidence.sends:
        return replace(sender, reason=gone, next=_STILL_SENDS)
    if evidence.stopped:
        return replace(sender, verdict="leaving", reason=gone, next=None)
    return replace(sender, verdict="unknown", reason=gone, next=_SAY_SO)


def _mail(evidence: LeavingEvidence) -> str:
    if evidence.sends:
        return f"it still sends: {evidence.sends}"
    if evidence.stopped:
        return evidence.stopped
    return f"whether it still sends is not known: {'; '.join(evidence.missing) or 'nobody looked'}"


def _terms(needs: _Found, audits: Mapping[str, _Found]) -> Iterator[tuple[str, bool]]:
    for domain, terms in needs["domains"].items():
        spf = audits.get(domain, {}).get("spf") or {}
        records = spf.get("records")
        if records is None:
            continue
        there = {term_key(word) for record in records for word in str(record).split()[1:]}
        folded = {f"include:{one['include']}" for one in spf.get("flattened") or ()}
        for one in terms:
            stands = term_key(one["term"]) in there or one["term"] in folded
            yield f"the SPF term {one['term']} of {domain}", stands


def _selectors(needs: _Found, audits: Mapping[str, _Found]) -> Iterator[tuple[str, bool]]:
    for domain, selectors in needs.get("dkim", {}).items():
        found = {one["selector"]: one for one in audits.get(domain, {}).get("dkim") or ()}
        for one in selectors:
            seen = found.get(one["selector"])
            if seen is None or (seen["usable"] is None and seen["target"] is None):
                continue
            # of an alias, the service's key may be gone before the record of ours
            stands = seen["target"] is not None or seen["fault"] != "missing"
            yield f"the DKIM selector {one['selector']} of {domain}", stands
