# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the receiver made of one message: from its SMTP reply, the message as it arrived, or OpenDMARC's notes."""

from __future__ import annotations

import email
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.mailroom.erp.tests.receiver.case import Case, Outcome
from ansible_collections.mailroom.erp.tests.receiver.milters import AUTHSERV_ID, OpenDmarc
from ansible_collections.mailroom.erp.tests.receiver.postfix import Postfix
from ansible_collections.mailroom.erp.tests.receiver.send import Reply, send

_DELIVERY_SECONDS = 20.0
_DMARC_ENFORCED = "5.7.1 rejected by DMARC policy for "

# The numbers of OpenDMARC's history file (opendmarc-ar.h, ARES_RESULT_*).
_RESULTS = {"0": "pass", "2": "softfail", "3": "neutral", "4": "temperror", "5": "permerror", "6": "none", "7": "fail"}
_NOT_PASSED = {"fail", "permerror", "policy", "neutral"}
"""The results of a signature that does not count (RFC 8601 section 2.7.1): for DMARC all the same."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``outcome`` in the terms of a case; ``reply`` and ``header`` (Authentication-Results) for people."""

    outcome: Outcome
    reply: Reply
    header: str


def deliver(case: Case, postfix: Postfix, opendmarc: OpenDmarc, hand_in: Callable[[Case], Reply] = send) -> Answer:
    """Send the message of a case and find out what became of it.

    :param hand_in: sends it, and gives the receiver's last reply
    :raises AssertionError: something happened that no receiver does by DMARC: another refusal, a lost message
    """
    noted = len(opendmarc.history())
    reply = hand_in(case)
    if reply.code == 250:
        return _accepted(reply, postfix)
    # It names the domain that has the policy, which may be the sender's organisation.
    policy_domain = reply.text.removeprefix(_DMARC_ENFORCED)
    assert reply.code == 550 and f".{case.domain}".endswith(f".{policy_domain}"), f"{reply}\n{postfix.log()}"
    return _refused(reply, opendmarc.history()[noted:])


def _accepted(reply: Reply, postfix: Postfix) -> Answer:
    """Read Authentication-Results (RFC 8601) of the message that was delivered, or is held."""
    text, held = _arrived(reply, postfix)
    found = email.message_from_string(text).get_all("Authentication-Results") or []
    header = " | ".join(" ".join(one.split()) for one in found if one.split(";")[0].strip() == AUTHSERV_ID)
    spf, signature, dmarc = (_result(header, method) for method in ("spf", "dkim", "dmarc"))
    disposition = "quarantine" if held else "none"
    if dmarc == "permerror":
        # What is nearly a policy record is found by OpenDMARC, not read, and not applied: as if there were none.
        dmarc = "none"
    else:
        assert f" dis={disposition})" in header, header
    return Answer(Outcome(spf, _signature(signature), dmarc, disposition), reply, header)


def _arrived(reply: Reply, postfix: Postfix) -> tuple[str, bool]:
    """The header of the message, and whether it is held."""
    queued = re.search(r"queued as (\w+)", reply.text)
    assert queued, reply
    deadline = time.monotonic() + _DELIVERY_SECONDS
    while time.monotonic() < deadline:
        held = postfix.held(queued[1])
        if held is not None:
            return held, True
        delivered = [text for text in map(_header, postfix.delivered()) if f" id {queued[1]}\n" in text]
        if delivered:
            return delivered[0], False
        time.sleep(0.02)
    raise AssertionError(f"{queued[1]} neither arrived nor is it held:\n{postfix.log()}")


def _refused(reply: Reply, notes: str) -> Answer:
    """Read what OpenDMARC noted of a message that nobody will see (for aggregate reports, RFC 7489 section 7.2)."""
    signature = re.search(r"^dkim \S+ \S+ (\d+)$", notes, re.MULTILINE)
    spf = re.search(r"^spf (\d+)$", notes, re.MULTILINE)
    assert spf and re.search(r"^align_dkim 5$", notes, re.MULTILINE), notes
    dkim = _RESULTS[signature[1]] if signature else "none"
    return Answer(Outcome(_RESULTS[spf[1]], _signature(dkim), "fail", "reject"), reply, "")


def _result(header: str, method: str) -> str:
    found = re.findall(rf"; {method}=(\w+)", header)
    assert len(found) == 1, f"{method}: {header}"
    return str(found[0])


def _signature(result: str) -> str:
    return "fail" if result in _NOT_PASSED else result


def _header(path: object) -> str:
    with open(str(path), encoding="utf-8", errors="replace") as file:
        return file.read().partition("\n\n")[0] + "\n\n"
