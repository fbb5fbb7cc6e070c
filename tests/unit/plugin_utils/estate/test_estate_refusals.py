# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What breaks a rule is left out with all that depends on it, and never in a way that could harm who is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import EstateOptions, HostNeeds
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_plan import EstatePlan
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_refusals import (
    EstateRefusals,
    domains_sent_as,
    sound_plan,
)
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.estate.estate_options import (
    ACCOUNT,
    COMPLETE,
    OPTIONS,
    OTHER_ACCOUNT,
)
from hypothesis import given
from hypothesis import strategies as st

WRONG = {
    "subject": "bad",
    "where": "erp_mail_settings.port",
    "value": "2525",
    "rule": "no such port",
    "source": "a page",
    "way_out": "Correct it.",
}


def host(name: str, *domains: str, wrong: bool = False, state: str = "present", **more: Any) -> HostNeeds:
    """A host that sends as domains of its own, which it alone declares unless told otherwise."""
    term = {"term": f"include:spf.{name}.test", "service": "own_relay", "source": "", "date": None, "given": True}
    needs: dict[str, Any] = {"environment": name, "state": state, "service": "own_relay", "foreign": [], "dkim": {}}
    needs |= {"domains": {} if wrong else {domain: [term] for domain in domains}, "cnames": []}
    needs["senders"] = [] if wrong else [_sender(name, domain) for domain in domains]
    needs |= {"problems": [{**WRONG, "subject": name}]} if wrong else {}
    declared = {domain: {"services": [], "dmarc": {"policy": "none"}} for domain in domains}
    return HostNeeds(
        **{"host": name, "declares": True, "needs": needs, "account": ACCOUNT, "domains": declared, **more}
    )


def _sender(name: str, domain: str) -> dict[str, Any]:
    return {
        "environment": name,
        "from": f"erp@{domain}",
        "domain": domain,
        "envelope_domain": domain,
        "service": "own_relay",
        "sources": None,
        "sources_date": None,
        "sources_given": False,
        "used_for": [],
    }


def planned(
    *hosts: HostNeeds,
    options: EstateOptions = OPTIONS,
    domains: dict[str, str] | None = None,
    **environments: list[str],
) -> tuple[EstatePlan, EstateRefusals]:
    return sound_plan(hosts, options, environments, domains or {})


def names(plan: EstatePlan) -> list[str]:
    return [entry["domain"] for entry in plan.domains]


def test_nothing_is_left_out_of_what_is_sound() -> None:
    plan, refusals = planned(host("a", "a.example"), host("b", "b.example"))
    assert (names(plan), refusals) == (["a.example", "b.example"], EstateRefusals())
    assert not refusals.stops("stop")


def test_a_wrong_environment_takes_its_domain_with_it() -> None:
    plan, refusals = planned(host("a", "a.example"), host("bad", "bad.example", wrong=True))
    assert names(plan) == ["a.example"]
    assert list(refusals.environments) == ["bad"]
    assert "erp_mail_settings.port" in refusals.environments["bad"][0]
    assert plan.names == ["a.example", "bad.example"], "messages know all names of the inventory"
    assert (refusals.stops("stop"), refusals.stops("skip")) == (True, False)


def test_a_refused_domain_takes_its_environments_and_all_their_needs_with_it() -> None:
    shared = host("both", "a.example", "b.example")
    plan, refusals = planned(shared, host("b", "b.example"), domains={"a.example": "two records"})
    assert refusals.domains == {"a.example": ["two records"]}
    assert refusals.dependents == {"both": ["a.example"]}
    (entry,) = plan.domains
    assert (entry["domain"], entry["spf"]["terms"]) == ("b.example", ["include:spf.b.test"])
    assert {sender["environment"] for sender in plan.senders} == {"both", "b"}, "nobody may harm who is left out"


def test_what_is_left_out_may_make_more_wrong_and_it_ends() -> None:
    """Two hosts differ about a.example, so it is refused; what they need elsewhere goes, too."""
    one = host("one", "a.example", "c.example")
    other = host("other", "a.example", account=OTHER_ACCOUNT)
    plan, refusals = planned(one, other, host("c", "c.example"))
    assert set(refusals.domains) == {"a.example"}
    assert set(refusals.dependents) == {"one", "other"}
    assert plan.domains[0]["spf"]["terms"] == ["include:spf.c.test"]


def test_an_account_that_only_a_wrong_environment_could_tell_is_no_second_problem() -> None:
    hosts = [
        host("a", "a.example"),
        host("b", "b.example", account=OTHER_ACCOUNT),
        host("bad", "bad.example", wrong=True),
    ]
    _plan, refusals = planned(*hosts)
    assert (list(refusals.environments), refusals.domains) == (["bad"], {})


def test_problems_of_domains_are_told_though_their_environment_is_wrong_too() -> None:
    wrong = replace(host("bad", "bad.example", wrong=True), domains={"bad.example": {"services": ["gmial"]}})
    _plan, refusals = planned(wrong)
    assert "gmial" in refusals.domains["bad.example"][0]


def test_while_a_wrong_environment_is_unknown_nothing_tightens_or_goes() -> None:
    gone = host("gone", "a.example", state="absent")
    strict = replace(host("a", "a.example"), domains={"a.example": {"services": [], "dmarc": {"policy": "reject"}}})
    gone = replace(gone, domains=strict.domains)
    whole, refusals = planned(strict, gone, options=COMPLETE)
    assert refusals == EstateRefusals()
    assert whole.domains[0]["dmarc"]["tighten"] is True
    part, refusals = planned(strict, gone, host("bad", "bad.example", wrong=True), options=COMPLETE)
    assert "gone" in refusals.environments and "not in this play: bad" in refusals.environments["gone"][0]
    assert part.domains[0]["dmarc"]["tighten"] is False
    assert "absent_terms" not in part.domains[0]["spf"] or part.domains[0]["spf"]["absent_terms"] == []


def test_a_tenant_that_failed_leaves_its_environments_out() -> None:
    plan, refusals = planned(host("a", "a.example"), host("b", "b.example"), b=["b: no sign-in"])
    assert (names(plan), refusals.environments) == (["a.example"], {"b": ["b: no sign-in"]})


def test_what_is_about_nobody_stops_the_run_in_any_case() -> None:
    _plan, refusals = planned(host("a", "a.example"), options=replace(OPTIONS, accept_stale=frozenset({"zigo"})))
    assert "zigo" in refusals.run[0]
    assert refusals.stops("skip")


@pytest.mark.parametrize("part", ["domains", "dkim"])
def test_a_domain_of_records_counts_as_sent_as(part: str) -> None:
    assert domains_sent_as({part: {"a.example": []}}) == {"a.example"}


LETTERS = "abcdef"
ESTATES = st.lists(
    st.tuples(st.sets(st.sampled_from(LETTERS), min_size=1, max_size=3), st.booleans(), st.booleans()),
    min_size=1,
    max_size=6,
)


@given(ESTATES, st.sets(st.sampled_from(LETTERS)))
def test_the_rest_rests_on_nothing_that_is_left_out(
    estate: list[tuple[set[str], bool, bool]], refused: set[str]
) -> None:
    everywhere: dict[str, Any] = {f"{letter}.example": {"services": []} for letter in LETTERS}
    hosts = [
        replace(
            host(f"host{number}", *(f"{one}.example" for one in sorted(letters)), wrong=wrong),
            domains=everywhere,
            account=OTHER_ACCOUNT if other else ACCOUNT,
        )
        for number, (letters, wrong, other) in enumerate(estate)
    ]
    plan, refusals = planned(*hosts, domains={f"{one}.example": "no" for one in refused})
    assert plan.problems == []
    assert not set(names(plan)) & set(refusals.domains)
    terms = {term for entry in plan.domains if entry["spf"] for term in entry["spf"]["terms"]}
    assert terms == {f"include:spf.{one.host}.test" for one in hosts if one.host not in refusals.left_out}
    for one in hosts:
        if one.host not in refusals.left_out:
            assert not domains_sent_as(one.needs or {}) & set(refusals.domains)
