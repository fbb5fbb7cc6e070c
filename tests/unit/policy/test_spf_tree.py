# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree of an SPF record: what costs lookups, however deep, and an end where the records have none."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import parse_spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import BudgetCounter
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_tree import spf_tree


def tree(record: str, world: dict[str, str]) -> dict[str, Any]:
    def lookup(name: str, _rdtype: str) -> tuple[str, ...]:
        if world.get(name) == "?":
            raise Unresolved("SERVFAIL")
        return (world[name],) if name in world else ()

    found = spf_tree(parse_spf(record), "acme.example", lookup)
    if not any(text == "?" for text in world.values()):
        total = BudgetCounter(lookup).count(parse_spf(record), "acme.example").total
        assert sum(one["lookups"] for one in found["terms"]) == total
    return found


def test_a_term_costs_itself_and_all_below_it() -> None:
    world = {"a.example": "v=spf1 include:b.example ip4:192.0.2.1 ~all", "b.example": "v=spf1 exists:c.example mx"}
    found = tree("v=spf1 a ip4:192.0.2.7 include:a.example ~all", world)
    assert [(one["term"], one["lookups"]) for one in found["terms"]] == [("a", 1), ("include:a.example", 4)]
    (inner,) = found["terms"][1]["tree"]["terms"]
    assert (inner["term"], [one["term"] for one in inner["tree"]["terms"]]) == (
        "include:b.example",
        ["exists:c.example", "mx"],
    )


def test_what_leads_to_no_record_has_no_tree() -> None:
    for world in ({}, {"a.example": "?"}, {"a.example": "v=spf1 bogus"}):
        assert tree("v=spf1 include:a.example -all", world)["terms"] == [
            {"term": "include:a.example", "lookups": 1, "tree": None}
        ]


def test_loops_and_records_without_end_end() -> None:
    assert tree("v=spf1 redirect=acme.example", {})["terms"][0]["tree"] is None
    wide = {"a.example": "v=spf1 " + "include:b.example " * 30, "b.example": "v=spf1 " + "include:c.example " * 30}
    wide["c.example"] = "v=spf1 " + "include:d.example " * 30

    def lookup(name: str, _rdtype: str) -> tuple[str, ...]:
        return (wide[name],) if name in wide else ()

    found = spf_tree(parse_spf("v=spf1 include:a.example"), "acme.example", lookup)
    assert found["terms"][0]["lookups"] < 300
