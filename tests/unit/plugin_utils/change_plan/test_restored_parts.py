# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan of the playbook restore: what it rests on, and what is as it makes it already."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.planned_records import (
    PlannedRrset,
    read_records_plan,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_differences import plan_differences
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.restored_parts import (
    known_of_restore,
    with_restored,
)
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.change_plan.small_company import plan_of, small_facts


def restored(*records: dict[str, Any]) -> dict[str, Any]:
    return {"zones": [{"zone": "acme.example", "changed": True, "records": list(records)}]}


OLD = {"ttl": 3600, "values": ["v=spf1 mx ~all"]}
NEW = {"ttl": 3600, "values": ["v=spf1 mx a ~all", "another"]}
SPF = {"name": "acme.example", "type": "TXT", "before": NEW, "after": OLD}
KEY = {
    "name": "k._domainkey.acme.example",
    "type": "CNAME",
    "before": None,
    "after": {"ttl": 60, "values": ["x.example"]},
}


def test_the_records_of_a_restore_become_those_of_a_plan() -> None:
    known = known_of_restore(restored(KEY, SPF))
    found = read_records_plan(known["records"]["plan"]).records
    assert [(one.name, one.zone, one.changes) for one in found] == [
        ("acme.example", "acme.example", True),
        ("k._domainkey.acme.example", "acme.example", True),
    ]
    assert found[0].before == PlannedRrset(3600, ("another", "v=spf1 mx a ~all")), "in one order"
    assert found[1].before is None


def test_what_is_back_already_is_as_the_plan_makes_it_and_what_moved_is_not() -> None:
    agreed = replace(plan_of(small_facts()), playbook="restore", records=_records(SPF, KEY), files=(), settings=())
    half = with_restored(replace(agreed, records=_records(KEY)), agreed)
    assert plan_differences(agreed, half) == []
    moved = {**KEY, "before": {"ttl": 60, "values": ["elsewhere.example"]}}
    (problem,) = plan_differences(agreed, with_restored(replace(agreed, records=_records(moved)), agreed))
    assert "k._domainkey.acme.example" in str(problem) and "elsewhere.example" in str(problem)


def _records(*records: dict[str, Any]) -> Any:
    return read_records_plan(known_of_restore(restored(*records))["records"]["plan"]).records
