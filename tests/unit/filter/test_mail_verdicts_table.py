# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict table as a person reads it, over verdicts as the judge gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.mailroom.erp.plugins.filter.mail_verdicts_table import mail_verdicts_table
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender, Signature
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.verdict import Judge

ERP = Sender(
    "erp@acme.example",
    "acme.example",
    "acme.example",
    sources=("192.0.2.10",),
    signature=Signature("acme.example", ()),
    environment="acme_profit",
    service="own_relay",
)
CRM = Sender("crm@acme.example", "acme.example", environment="acme_crm")
POLICY = {("_dmarc.acme.example", "TXT"): ("v=DMARC1; p=quarantine",)}
LISTED = {**POLICY, ("acme.example", "TXT"): ("v=spf1 ip4:192.0.2.10 -all",)}


def verdicts(world: Mapping[tuple[str, str], tuple[str, ...]]) -> list[dict[str, Any]]:
    judge = Judge(lambda name, rdtype: world.get((name, rdtype), ()))
    return [judge.verdict(sender).as_dict() for sender in (ERP, CRM)]


def test_each_environment_has_a_block_and_each_sender_its_verdict_before_and_after() -> None:
    table = mail_verdicts_table({"before": verdicts(POLICY), "after": verdicts(LISTED)})
    profit, crm, counted = table.split("\n\n")
    assert profit.splitlines()[:3] == [
        "acme_profit",
        "  erp@acme.example by own_relay: fail -> PASS",
        "    SPF pass, DKIM none, DMARC pass",
    ]
    assert (
        crm.startswith("acme_crm\n  crm@acme.example: UNKNOWN\n    SPF unknown, ") and "why:" in crm and "next:" in crm
    )
    assert counted == "2 senders: 1 pass, 0 fail, 1 unknown"


def test_a_sender_that_passes_at_some_receivers_only_is_told_so() -> None:
    world = {
        **POLICY,
        ("acme.example", "TXT"): ("v=spf1 mx:four.example ip6:2001:db8::/32 -all",),
        ("four.example", "MX"): ("m0.example", "m1.example", "m2.example"),
        **{(f"m{number}.example", "A"): ("192.0.2.1",) for number in range(3)},
    }
    judge = Judge(lambda name, rdtype: world.get((name, rdtype), ()))
    verdict = judge.verdict(replace(ERP, sources=("2001:db8::1",)))
    assert verdict.result == "pass" and "but receivers that limit questions" in verdict.reason
    table = " ".join(mail_verdicts_table([verdict.as_dict()]).split())
    assert "PASS SPF pass, DKIM none, DMARC pass but: receivers that limit questions instead of terms" in table


def test_a_failing_sender_has_its_reason_and_what_receivers_are_asked_to_do() -> None:
    table = mail_verdicts_table(verdicts(POLICY))
    assert "erp@acme.example by own_relay: FAIL\n" in table
    assert "receivers are asked to put it into spam" in table


@pytest.mark.parametrize(
    ("policy", "told"),
    [("none", "receivers decide for themselves"), ("reject", "receivers would be asked for reject if it failed")],
)
def test_an_unknown_sender_has_what_receivers_would_be_asked_for(policy: str, told: str) -> None:
    table = mail_verdicts_table(verdicts({("_dmarc.acme.example", "TXT"): (f"v=DMARC1; p={policy}",)}), width=200)
    assert told in table.split("acme_crm")[1]


def test_what_is_written_but_not_visible_is_told() -> None:
    table = mail_verdicts_table(
        {"before": verdicts(POLICY), "after": verdicts(LISTED), "live": verdicts(POLICY)}, width=400
    )
    assert "live: written, not yet visible everywhere: the live records still give fail" in table
    same = {"before": verdicts(POLICY), "after": verdicts(LISTED), "live": verdicts(LISTED)}
    assert "not yet visible" not in mail_verdicts_table(same)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_longer_than_asked_for_except_a_sender_s_own(width: int) -> None:
    lines = mail_verdicts_table(verdicts(POLICY), width=width).splitlines()
    assert all(len(line) <= width for line in lines if line.startswith("    "))


@pytest.mark.parametrize("wrong", [3, [{}], {"before": []}, {"before": [], "after": [{}]}], ids=repr)
def test_anything_else_is_refused(wrong: object) -> None:
    with pytest.raises(AnsibleFilterError, match="verdicts"):
        mail_verdicts_table(wrong)
    with pytest.raises(AnsibleFilterError, match="width 10"):
        mail_verdicts_table([], width=10)
