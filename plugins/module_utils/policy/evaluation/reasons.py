# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A verdict in words: why it is what it is, and what to do next; one sentence each."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.outcome import Verdict

_UNKNOWN = "unknown"
_TEMPORARY = "temperror"


def reason(verdict: Verdict) -> str:
    """Why the verdict is what it is, with its source."""
    if verdict.result == "pass":
        return _passing(verdict)
    parts = [_spf(verdict), _dkim(verdict)]
    if verdict.dmarc.result == _TEMPORARY:
        parts.append(verdict.dmarc.reason)
    source = f"{verdict.dmarc.standard} section {'5.3.5' if verdict.dmarc.standard == 'RFC 9989' else '6.6.2'}"
    begin = "no aligned pass" if verdict.result == "fail" else "no certain aligned pass"
    return f"{begin} ({source}): {'; '.join(parts)}"


def next_step(verdict: Verdict) -> str | None:
    """What the user can do about it; None when the verdict is pass."""
    if verdict.result == "pass":
        return None
    return _certain_step(verdict) if verdict.result == "fail" else _finding_out(verdict)


def _passing(verdict: Verdict) -> str:
    ways = [
        f"{name} passes for {part.domain}"
        for name, part in (("SPF", verdict.spf), ("DKIM", verdict.dkim))
        if part.result == "pass" and part.aligned
    ]
    reason = f"{' and '.join(ways)}, aligned with {verdict.sender.domain} (RFC 9989 section 5.3.5)"
    return f"{reason}; but for SPF {verdict.spf.caution}" if verdict.spf.caution else reason


def _spf(verdict: Verdict) -> str:
    spf = verdict.spf
    if spf.result == "pass":
        return f"SPF passes for {spf.domain}, {_unaligned(spf.aligned, verdict.sender.domain)}"
    return f"SPF is {spf.result}: {spf.reason}"


def _dkim(verdict: Verdict) -> str:
    dkim = verdict.dkim
    if dkim.result == "pass":
        return f"DKIM passes for {dkim.domain}, {_unaligned(dkim.aligned, verdict.sender.domain)}"
    return f"DKIM is {dkim.result}: {dkim.reason}"


def _unaligned(aligned: bool | None, author: str) -> str:
    if aligned is None:
        return f"but whether it is aligned with {author} cannot be told"
    return f"which is {'' if aligned else 'not '}aligned with {author}"


def _certain_step(verdict: Verdict) -> str:
    """The nearest way to an aligned pass."""
    spf, dkim, author = verdict.spf, verdict.dkim, verdict.sender.domain
    if spf.aligned and spf.result == "none":
        return f"Publish an SPF record at {spf.domain} that covers the servers that send."
    if spf.aligned and spf.result == "permerror":
        return f"Correct the SPF record of {spf.domain}."
    if spf.aligned:
        whom = spf.address or "the servers that send"
        return f"Add {whom} to the SPF record of {spf.domain}, in front of all."
    if dkim.aligned and dkim.result == "fail":
        names = ", ".join(one.name for one in dkim.selectors if one.result != "pass")
        return f"Publish the keys that the service gives at {names}."
    if spf.result == "pass":
        return f"Let bounces go to a domain of {author}, or have the mail signed with DKIM as {author}."
    return f"Have the mail signed with DKIM as {author}, and publish the key."


def _finding_out(verdict: Verdict) -> str:
    """What to look up or to declare, so that the verdict becomes certain."""
    if _TEMPORARY in (verdict.spf.result, verdict.dkim.result, verdict.dmarc.result):
        return "Look again when the DNS answers."
    if verdict.dkim.result == _UNKNOWN and verdict.dkim.selectors:
        names = ", ".join(one.name for one in verdict.dkim.selectors if one.result != "pass")
        return f"Publish the keys at {names}, or declare only the selectors that the service signs with."
    lacking = []
    if verdict.spf.domain is None:
        lacking.append("the address that bounces go to")
    elif verdict.spf.result == _UNKNOWN:
        lacking.append("the servers that send")
    if verdict.dkim.result == _UNKNOWN:
        lacking.append("the DKIM domain and selectors (none when mail is not signed)")
    return f"Declare {' and '.join(lacking)}." if lacking else "Look again when the DNS answers."
