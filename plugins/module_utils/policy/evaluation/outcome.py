# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What the verdict of a sender holds; docs/verdicts.md tells what each field means."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.dkim_readiness import SelectorReadiness
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.receivers import Demand
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_cause import SpfCause

_FOR_SENTENCES = ("cause", "strict")


@dataclass(frozen=True, slots=True)
class SpfOutcome:
    """SPF: ``result`` is one of the seven of RFC 7208 or "unknown"; ``domain`` is the envelope sender's.

    ``caution`` says why some receivers may give permerror instead. ``cause`` is what must be changed for a pass;
    ``strict``: it is not aligned only because the policy record asks for the very same domain.
    """

    result: str
    domain: str | None
    aligned: bool | None
    reason: str
    term: str | None = None
    address: str | None = None
    caution: str | None = None
    cause: SpfCause | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class DkimOutcome:
    """DKIM: ``result`` is pass, fail, none, temperror or unknown; ``domain`` is d= of the signature.

    ``caution`` says why some receivers may take the mail for unsigned; ``strict`` is that of :class:`SpfOutcome`.
    """

    result: str
    domain: str | None
    aligned: bool | None
    reason: str
    selectors: tuple[SelectorReadiness, ...] = ()
    caution: str | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class DmarcOutcome:
    """DMARC under the standard whose outcome is worse: ``result`` is pass, fail, none, temperror, permerror, unknown.

    ``policy`` is what the record asks for (None: DMARC is not applied), t= and pct= not counted. ``strict`` are
    those of the tags aspf and adkim that ask for strict alignment.
    """

    result: str
    policy: str | None
    record_name: str | None
    record: str | None
    standard: str
    reason: str
    strict: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The authentication verdict of one sender.

    ``result`` is pass, fail or unknown, ``disposition`` what receivers are asked to do (none, quarantine, reject or
    unknown), ``reason`` one sentence with its source, ``next_step`` one sentence that a user can act on, None when
    nothing is to be done. ``cautions`` say why strict receivers may refuse mail that passes, one sentence each.
    """

    sender: Sender
    spf: SpfOutcome
    dkim: DkimOutcome
    dmarc: DmarcOutcome
    result: str
    disposition: str
    reason: str
    next_step: str | None = None
    receivers: tuple[Demand, ...] = ()
    cautions: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The verdict in plain values: str, bool, None, list and dict.

        What hinders mail before a receiver sees it counts too here, and comes first; what compares verdicts looks at
        receivers only.
        """
        result, reason, next_step = self._told()
        return {
            "sender": _plain_sender(self.sender),
            "spf": _plain(self.spf),
            "dkim": _plain(self.dkim) | {"selectors": [_plain(one) for one in self.dkim.selectors]},
            "dmarc": _plain(self.dmarc),
            "transport": _plain(self.sender.transport) if self.sender.transport else None,
            "result": result,
            "disposition": self.disposition,
            "reason": reason,
            "next_step": next_step,
            "cautions": list(self.cautions),
            "receivers": [_plain(one) for one in self.receivers],
        }

    def _told(self) -> tuple[str, str, str | None]:
        transport = self.sender.transport
        if transport is None or transport.result == "pass":
            return self.result, self.reason, self.next_step
        worse = "fail" if "fail" in (transport.result, self.result) else "unknown"
        steps = " ".join(step for step in (transport.next_step, self.next_step) if step)
        return worse, f"{transport.reason}; {self.reason}", steps or None


def _plain_sender(sender: Sender) -> dict[str, Any]:
    return {
        "environment": sender.environment,
        "from": sender.address,
        "envelope_from": sender.envelope_from,
        "envelope_domain": sender.envelope_domain,
        "service": sender.service,
        "used_for": list(sender.used_for),
    }


def _plain(part: Any) -> dict[str, Any]:
    """One dataclass of plain fields as a dict, without what sentences are made of; ``asdict`` would copy all deeply."""
    return {field.name: getattr(part, field.name) for field in fields(part) if field.name not in _FOR_SENTENCES}
