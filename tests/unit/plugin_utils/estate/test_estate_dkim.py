# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adding up the DKIM selectors of several hosts, and the problems of their environments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import EstateOptions, HostNeeds
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_plan import EstatePlan, add_up
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.environment_needs import no_needs
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.estate.estate_options import (
    ACCOUNT,
    COMPLETE,
    OPTIONS,
    OTHER_ACCOUNT,
)

TERM = {"term": "include:spf.afas.online", "service": "afas_online", "source": "p", "date": "2026-11", "given": False}


def selector(name: str, target: str = "key.example.net", after_spf: bool = False) -> dict[str, Any]:
    service = "afas_online" if after_spf else "sendgrid"
    return {"selector": name, "target": target, "service": service, "after_spf": after_spf}


def host(name: str, *selectors: dict[str, Any], state: str = "present", terms: int = 1, **domain: Any) -> HostNeeds:
    needs = {
        "state": state,
        "domains": {"acme.example": [TERM] * terms},
        "dkim": {"acme.example": list(selectors)},
        "foreign": [],
    }
    return HostNeeds(name, True, needs, ACCOUNT, {"acme.example": {"services": [], **domain}})


def dkim(plan: EstatePlan) -> list[dict[str, Any]]:
    assert plan.problems == []
    found: list[dict[str, Any]] = plan.domains[0].get("dkim", [])
    return found


def present(name: str, target: str = "key.example.net") -> dict[str, str]:
    return {"selector": name, "target": target}


def test_the_selectors_of_all_hosts_come_together_once() -> None:
    plan = add_up([host("b", selector("s1"), selector("s2")), host("a", selector("s2"))], OPTIONS)
    assert dkim(plan) == [present("s2"), present("s1")]


def test_declared_selectors_stay_first_and_equal_ones_are_one() -> None:
    declared = [{"selector": "S2", "target": "KEY.example.net.", "validate": "require"}, present("own")]
    assert dkim(add_up([host("a", selector("s1"), selector("s2"), dkim=declared)], OPTIONS)) == [
        *declared,
        present("s1"),
    ]


def test_a_pattern_is_compared_filled_in() -> None:
    declared = [{"selector": "s1", "target": "{selector}.{domain}.key.example.net"}]
    needed = selector("s1", "s1.acme.example.key.example.net")
    assert dkim(add_up([host("a", needed, dkim=declared)], OPTIONS)) == declared


@pytest.mark.parametrize(
    ("hosts", "names"),
    [
        ([host("a", selector("s1")), host("b", selector("s1", "other.example.net"))], "a and b"),
        ([host("a", selector("s1"), dkim=[present("s1", "other.example.net")])], "mail_dns_domains and a"),
        ([host("a", selector("s1"), dkim=[{**present("s1"), "state": "absent"}])], "mail_dns_domains and a"),
    ],
)
def test_a_conflict_names_both_sides(hosts: list[HostNeeds], names: str) -> None:
    (problem,) = add_up(hosts, OPTIONS).problems
    assert (problem.subject, problem.value) == ("acme.example", "s1") and names in problem.rule


def test_a_domain_that_needs_a_selector_only_has_the_account_of_its_host() -> None:
    plan = add_up([host("a", selector("s1"), terms=0)], OPTIONS)
    assert dkim(plan) == [present("s1")] and plan.domains[0]["spf"] is None and plan.dns == ACCOUNT


def test_dkim_of_afas_needs_spf_planned_too() -> None:
    assert dkim(add_up([host("a", selector("s1", after_spf=True))], OPTIONS)) == [present("s1")]
    (problem,) = add_up([host("a", selector("s1", after_spf=True), terms=0)], OPTIONS).problems
    assert "SPF record must stand before" in problem.rule and "AFAS Profit help" in problem.source


def test_the_ttl_that_afas_recommends_is_the_default_of_new_records() -> None:
    from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import DEFAULT_TTL

    assert DEFAULT_TTL == 3600
    assert add_up([host("a", selector("s1", after_spf=True))], OPTIONS).warnings == []
    (warning,) = add_up([host("a", selector("s1", after_spf=True), ttl=300)], OPTIONS).warnings
    assert warning.value == "300" and "TTL of 1 hour" in warning.rule


def test_a_decommissioned_environment_takes_its_selectors_along() -> None:
    plan = add_up([host("a", terms=1), host("b", selector("s1"), state="absent")], COMPLETE)
    assert dkim(plan) == [{**present("s1"), "state": "absent", "validate": "ignore"}]


def test_selectors_that_others_still_need_stay() -> None:
    gone = host("b", selector("s1"), selector("s2"), state="absent", dkim=[present("s2")])
    plan = add_up([host("a", selector("s1"), dkim=[present("s2")]), gone], OPTIONS)
    assert dkim(plan) == [present("s2"), present("s1")]


@pytest.mark.parametrize("options", [OPTIONS, replace(COMPLETE, limit=True), replace(COMPLETE, left_out=("z",))])
def test_selectors_are_removed_only_by_a_run_that_knows_every_sender(options: EstateOptions) -> None:
    problems = add_up([host("a"), host("b", selector("s1"), state="absent", terms=0)], options).problems
    assert [problem.where for problem in problems] == ["erp_mail_state of acme.example"]


def test_the_problems_of_environments_and_needs_are_told_together() -> None:
    wrong = Problem(
        "b", "erp_mail_senders.environment", "nobody", "an address is name@domain", "RFC 5321", "Correct it."
    )
    published = HostNeeds("b", True, no_needs("b", "present", [wrong]), ACCOUNT, {"acme.example": {"services": []}})
    other = replace(host("c", selector("s1")), account=OTHER_ACCOUNT)
    problems = add_up([host("a", selector("s1")), published, other], OPTIONS).problems
    assert problems[0] == wrong
    assert any("a and c have different DNS accounts" in problem.rule for problem in problems)


def aliased(
    name: str, target: str, state: str = "present", alias: str = "em1.acme.example", **domains: Any
) -> HostNeeds:
    needs = {"state": state, "domains": {"acme.example": []}, "dkim": {}, "foreign": []}
    cname = {"name": alias, "target": target, "service": "sendgrid"}
    ours = {"acme.example": {"services": []}, **domains}
    return HostNeeds(name, True, {**needs, "cnames": [cname]}, ACCOUNT, ours)


def test_other_aliases_are_published_once_for_the_nearest_domain() -> None:
    plan = add_up([aliased("a", "u1.example.net"), aliased("b", "u1.example.net")], OPTIONS)
    assert plan.problems == []
    assert [entry["cnames"] for entry in plan.domains] == [[{"name": "em1.acme.example", "target": "u1.example.net"}]]
    more: dict[str, Any] = {"mail.acme.example": {"services": []}}
    (entry,) = add_up([aliased("a", "u1.example.net", alias="em1.mail.acme.example", **more)], OPTIONS).domains
    assert (entry["domain"], len(entry["cnames"])) == ("mail.acme.example", 1)


def test_two_targets_of_one_alias_are_a_conflict() -> None:
    (problem,) = add_up([aliased("a", "u1.example.net"), aliased("b", "u2.example.net")], OPTIONS).problems
    assert "u1.example.net" in str(problem)
    assert "u2.example.net" in str(problem)


def test_an_alias_goes_with_its_environment_unless_another_needs_it() -> None:
    gone = aliased("a", "u1.example.net", "absent")
    (entry,) = add_up([gone], COMPLETE).domains
    assert entry["cnames"] == [{"name": "em1.acme.example", "target": "u1.example.net", "state": "absent"}]
    assert add_up([gone], OPTIONS).problems
    (entry,) = add_up([gone, aliased("b", "u1.example.net")], OPTIONS).domains
    assert entry["cnames"] == [{"name": "em1.acme.example", "target": "u1.example.net"}]
