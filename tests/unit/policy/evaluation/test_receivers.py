# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What large receivers ask for beyond: the table, and its judgement."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.receivers import (
    TABLE,
    DemandFacts,
    judge_demands,
    judge_reverse_dns,
)
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.table import Table

YES = (True, "it is so")
FACTS = DemandFacts("acme.example", True, True, True, True, None, YES)


def met(facts: DemandFacts) -> dict[str, dict[str, str]]:
    rows: dict[str, dict[str, str]] = {}
    for row, demand in zip(TABLE, judge_demands(facts), strict=True):
        rows.setdefault(demand.receiver, {})[row.check] = demand.met
    return rows


def test_who_does_all_meets_all_but_what_cannot_be_seen() -> None:
    seen = met(FACTS)
    assert seen["gmail"].pop("tls") == "unknown"
    assert {answer for rows in seen.values() for answer in rows.values()} == {"yes"}
    assert set(seen) == {"gmail", "microsoft", "yahoo"}
    assert all(demand.next_step is None for demand in judge_demands(FACTS) if demand.met == "yes")


@pytest.mark.parametrize(
    ("facts", "either", "both", "dmarc"),
    [
        (DemandFacts("acme.example", True, False, True, True, None, YES), "yes", "no", "yes"),
        (DemandFacts("acme.example", False, True, True, True, None, YES), "yes", "no", "yes"),
        (DemandFacts("acme.example", False, False, False, True, None, YES), "no", "no", "no"),
        (DemandFacts("acme.example", True, None, True, True, None, YES), "yes", "unknown", "yes"),
        (DemandFacts("acme.example", None, False, None, True, None, YES), "unknown", "no", "unknown"),
        (DemandFacts("acme.example", True, True, True, False, None, YES), "yes", "yes", "no"),
        (DemandFacts("acme.example", True, True, True, None, None, YES), "yes", "yes", "unknown"),
    ],
)
def test_each_receiver_judges_its_demands_by_the_facts(facts: DemandFacts, either: str, both: str, dmarc: str) -> None:
    seen = met(facts)
    assert (seen["gmail"]["either"], seen["gmail"]["both"], seen["gmail"]["dmarc"]) == (either, both, dmarc)
    assert (seen["microsoft"]["both"], seen["microsoft"]["dmarc"]) == (both, dmarc)
    assert (seen["yahoo"]["either"], seen["yahoo"]["both"], seen["yahoo"]["dmarc"]) == (either, both, dmarc)
    unmet = [demand for demand in judge_demands(facts) if demand.met != "yes"]
    assert all(demand.next_step and demand.reason.endswith(("2024)", "2025)")) for demand in unmet)


def test_a_missing_policy_is_told_with_the_record_to_publish() -> None:
    demands = judge_demands(DemandFacts("acme.example", True, True, True, False, None, YES))
    (step,) = {demand.next_step for demand in demands if "DMARC" in demand.demand}
    assert step is not None and '_dmarc.acme.example TXT "v=DMARC1; p=none"' in step


def test_a_record_that_is_there_is_corrected_rather_than_published_again() -> None:
    demands = judge_demands(DemandFacts("acme.example", True, True, True, False, "it has p=x", YES))
    (found,) = {(demand.met, demand.next_step) for demand in demands if "DMARC" in demand.demand}
    assert found == ("no", "Correct the policy record of acme.example.")
    assert any("it has p=x" in demand.reason for demand in demands)


V4, V6 = "1.2.0.192.in-addr.arpa", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
POINTING = {
    (V4, "PTR"): ("old.acme.example", "mail.acme.example"),
    (V6, "PTR"): ("mail.acme.example",),
    ("mail.acme.example", "A"): ("192.0.2.1", "192.0.2.7"),
    ("mail.acme.example", "AAAA"): ("2001:DB8::1",),
}


@pytest.mark.parametrize(
    ("sources", "truth", "said"),
    [
        (("192.0.2.1",), True, "each sending address"),
        (("ip4:192.0.2.1", "ip6:2001:db8::1/128", "+ip4:192.0.2.1/32"), True, "each sending address"),
        (("192.0.2.1", "192.0.2.7"), False, "192.0.2.7 has no PTR"),
        (("192.0.2.0/24",), None, "not known one by one"),
        (("192.0.2.1", "include:spf.service.example"), None, "not known one by one"),
        (tuple(f"192.0.2.{last}" for last in range(20)), None, "not known one by one"),
        ((), None, "not known one by one"),
        (None, None, "not known one by one"),
        (("oops",), None, "not known one by one"),
    ],
)
def test_reverse_dns_is_confirmed_forward(sources: tuple[str, ...] | None, truth: bool | None, said: str) -> None:
    found, reason = judge_reverse_dns(sources, Table(others=POINTING))
    assert (found, said in reason) == (truth, True)


@pytest.mark.parametrize("broken", [V4, "mail.acme.example"])
def test_reverse_dns_that_times_out_is_not_known(broken: str) -> None:
    found, reason = judge_reverse_dns(("192.0.2.1",), Table(others=POINTING, failing=[broken]))
    assert found is None and "timed out" in reason


def test_a_name_that_points_to_somebody_else_confirms_nothing() -> None:
    others = {(V4, "PTR"): ("mail.acme.example",), ("mail.acme.example", "A"): ("192.0.2.9", "oops")}
    assert judge_reverse_dns(("192.0.2.1",), Table(others=others))[0] is False


def test_the_documentation_names_every_demand_and_every_source() -> None:
    page = (Path(__file__).parents[4] / "docs" / "verdicts.md").read_text(encoding="utf-8")
    for row in TABLE:
        assert row.demand in page and row.source.url in page and row.source.since in page
