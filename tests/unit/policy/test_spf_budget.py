# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting the lookups of a whole SPF tree, over answers given in a table."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy import spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import Budget, BudgetCounter
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_macros import expand

DOMAIN = "acme.example"


class World:
    """TXT records by name, and addresses for every name that begins with "host"; counts the questions."""

    def __init__(self, records: Mapping[str, str | list[str]], failing: tuple[str, ...] = ()) -> None:
        self.records = {name: [value] if isinstance(value, str) else value for name, value in records.items()}
        self.failing = failing
        self.asked: list[tuple[str, str]] = []

    def __call__(self, name: str, rdtype: str) -> tuple[str, ...]:
        self.asked.append((name, rdtype))
        if name in self.failing:
            raise Unresolved("no answer within 5 s")
        if rdtype == "TXT":
            return tuple(self.records.get(name, ()))
        if rdtype == "MX" and name.startswith("mx"):
            return tuple(f"host{number}.example" for number in range(int(name[2:].partition(".")[0])))
        return ("192.0.2.1",) if rdtype == "A" and name.startswith("host") else ()


def count(text: str, records: Mapping[str, str | list[str]] | None = None, failing: tuple[str, ...] = ()) -> Budget:
    return BudgetCounter(World(records or {}, failing)).count(spf.parse_spf(text), DOMAIN)


def test_addresses_cost_nothing() -> None:
    assert count("v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 exp=host.example x=1 -all") == Budget()


def test_all_branches_are_counted_with_the_cost_per_term() -> None:
    tree = {
        "a.example": "v=spf1 include:b.example include:c.example ~all",
        "b.example": "v=spf1 a:host.example mx:mx1.example -all",
        "c.example": "v=spf1 ip4:192.0.2.1 redirect=b.example",
    }
    budget = count("v=spf1 include:a.example exists:host2.example ptr ~all", tree)
    assert (budget.total, budget.void) == (10, 0)
    assert budget.terms == [("include:a.example", 8, 0), ("exists:host2.example", 1, 0), ("ptr", 1, 0)]


def test_what_stands_behind_all_is_not_counted() -> None:
    assert count("v=spf1 a:host.example -all include:nowhere.example").total == 1
    assert count("v=spf1 -all redirect=nowhere.example").total == 0


def test_void_lookups_are_counted() -> None:
    budget = count("v=spf1 a:none.example mx:none.example exists:none.example a:host.example ~all")
    assert (budget.total, budget.void) == (4, 3)


FAMILIES = {
    ("four.example", "A"): ("192.0.2.1",),
    ("six.example", "AAAA"): ("2001:db8::1",),
    ("fours.example", "MX"): ("four.example",) * 3,
    ("mixed.example", "MX"): ("four.example", "six.example"),
    ("null.example", "MX"): (".",),
    ("inner.example", "TXT"): ("v=spf1 mx:fours.example -all",),
}


@pytest.mark.parametrize(
    ("terms", "void", "void4", "void6"),
    [
        ("a:four.example a:four.example a:four.example", 0, 0, 3),
        ("a:six.example a:six.example a:four.example", 0, 2, 1),
        ("a:four.example a:none.example exists:none.example", 2, 2, 3),
        ("a:four.example mx:fours.example include:inner.example", 0, 0, 3),
        ("mx:mixed.example mx:mixed.example mx:mixed.example", 0, 3, 3),
        ("mx:mixed.example mx:mixed.example exists:four.example mx:null.example", 0, 0, 0),
    ],
)
def test_what_finds_nothing_is_counted_for_each_family(terms: str, void: int, void4: int, void6: int) -> None:
    counter = BudgetCounter(lambda name, rdtype: FAMILIES.get((name, rdtype), ()))
    budget = counter.count(spf.parse_spf(f"v=spf1 {terms} -all"), DOMAIN)
    assert (budget.void, budget.void4, budget.void6) == (void, void4, void6)


def test_addresses_that_cannot_be_looked_up_are_not_void() -> None:
    budget = count("v=spf1 mx:mx1.example mx:mx1.example mx:mx1.example -all", failing=("host0.example",))
    assert (budget.void, budget.void4, budget.void6, budget.broken) == (0, 0, 0, [])


def test_two_terms_that_may_be_void_cost_no_question_more() -> None:
    world = World({})
    BudgetCounter(world).count(spf.parse_spf("v=spf1 a:host.example mx:mx2.example ~all"), DOMAIN)
    assert world.asked == [("host.example", "A"), ("mx2.example", "MX")]


def test_the_same_include_costs_each_time_but_is_asked_once() -> None:
    world = World({"a.example": "v=spf1 include:b.example ~all", "b.example": "v=spf1 a:host.example ~all"})
    budget = BudgetCounter(world).count(spf.parse_spf("v=spf1 include:b.example include:a.example ~all"), DOMAIN)
    assert budget.total == 5
    assert world.asked.count(("b.example", "TXT")) == 1


@pytest.mark.parametrize(
    ("text", "records", "words"),
    [
        ("v=spf1 include:none.example ~all", {}, "include:none.example: none.example has no SPF record"),
        ("v=spf1 include:t.example ~all", {"t.example": "hello"}, "t.example has no SPF record"),
        ("v=spf1 redirect=t.example", {}, "redirect=t.example: t.example has no SPF record"),
        ("v=spf1 include:t.example ~all", {"t.example": ["v=spf1 a", "v=spf1 mx"]}, "2 SPF records"),
        ("v=spf1 include:t.example ~all", {"t.example": "v=spf1 foo"}, "is invalid at 'foo'"),
        ("v=spf1 include:acme.example ~all", {}, "a loop, acme.example -> acme.example"),
        ("v=spf1 include:t.example ~all", {"t.example": "v=spf1 redirect=acme.example"}, "a loop"),
        ("v=spf1 mx:mx11.example ~all", {}, "names 11 MX hosts"),
    ],
)
def test_a_tree_that_receivers_cannot_evaluate_is_told(
    text: str, records: Mapping[str, str | list[str]], words: str
) -> None:
    (fault,) = count(text, records).broken
    assert words in fault
    assert "RFC" in fault


def test_a_deep_fault_names_the_way_to_it() -> None:
    (fault,) = count("v=spf1 include:a.example", {"a.example": "v=spf1 include:b.example"}, ("b.example",)).broken
    assert fault.startswith("include:a.example > include:b.example: b.example cannot be resolved: no answer within 5 s")


def test_macros_that_only_a_message_decides_make_it_at_least() -> None:
    budget = count(
        "v=spf1 exists:%{i}.x.example include:%{d2}.example a:none.%{d} ~all",
        {"acme.example.example": "v=spf1 a:%{h} -all"},
    )
    assert (budget.total, budget.void) == (4, 1)
    assert budget.indeterminate == ["exists:%{i}.x.example", "include:%{d2}.example > a:%{h}"]


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("_spf.%{d}", "_spf.mail.acme.example"),
        ("%{d1}.x.nl", "example.x.nl"),
        ("%{d2r}.x.nl", "acme.mail.x.nl"),
        ("%{dr-}.x.nl", "mail.acme.example.x.nl"),
        ("a%%b%_c%-.x.nl", "a%b c%20.x.nl"),
        ("%{i}.x.nl", None),
        ("%{o}.x.nl", None),
        ("%{d}." * 20 + "x.nl", "mail.acme.example." * 13 + "x.nl"),
    ],
)
def test_the_domain_macro_is_expanded(spec: str, name: str | None) -> None:
    expanded = expand(spec, "mail.acme.example")
    if name is not None and len(name) > 200:
        assert expanded is not None
        assert len(expanded) <= 253
        assert expanded.endswith("mail.acme.example.x.nl")
    else:
        assert expanded == name


def test_a_tree_that_explodes_is_given_up_in_bounded_work() -> None:
    wide = {
        f"w{level}.example": "v=spf1 " + " ".join(f"include:w{level + 1}.example" for _term in range(10))
        for level in range(9)
    }
    wide["w9.example"] = "v=spf1 " + " ".join(f"a:host{number}.example" for number in range(10))
    world = World(dict(wide))
    budget = BudgetCounter(world).count(spf.parse_spf("v=spf1 include:w0.example"), DOMAIN)
    assert budget.total > 10
    assert budget.broken
    assert len(world.asked) < 1000


def test_a_chain_without_end_is_given_up() -> None:
    chain: Mapping[str, str | list[str]] = {
        f"c{number}.example": f"v=spf1 redirect=c{number + 1}.example" for number in range(200)
    }
    assert any("levels deep" in fault for fault in count("v=spf1 include:c0.example", chain).broken)


def test_ten_thousand_terms_are_counted_in_bounded_work() -> None:
    world = World({})
    text = "v=spf1 " + " ".join(f"a:host{number}.example" for number in range(10000))
    assert BudgetCounter(world).count(spf.parse_spf(text), DOMAIN).total > 10
    assert len(world.asked) < 1000
