# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a plan of the playbook restore rests on: the records of a snapshot, and no declaration. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.planned_records import (
    PlannedRecord,
    PlannedRrset,
    RecordsPlan,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_model import ChangePlan


def known_of_restore(restored: Mapping[str, Any]) -> dict[str, Any]:
    """What a run of ``site`` would know, where there is nothing but records to bring back.

    :param restored: the result of ``mail_records_restore`` in check mode
    """
    refused: dict[str, Any] = {"run": [], "environments": {}, "domains": {}, "dependents": {}}
    nothing: dict[str, Any] = {"domains": [], "dns": None, "senders": [], "names": [], "mx_services": []}
    records = [_record(zone["zone"], one) for zone in restored["zones"] for one in zone["records"]]
    plan = RecordsPlan(tuple(sorted(records, key=lambda one: one.identity)), ())
    return {
        "judged": {"declarations": {}, "needs": {}, "tenants": {}, "cautions": {}},
        "plan": {**nothing, "complete": False, "cautions": [], "refused": refused, "goes_on": True},
        "records": {"plan": plan.as_dict()},
        "live": {},
        "probed": {},
    }


def with_restored(now: ChangePlan, agreed: ChangePlan) -> ChangePlan:
    """A plan with the records that need not be brought back any more: a restore tells only those that change.

    :param now: what a run would do
    :param agreed: what was agreed
    """
    seen = {one.identity for one in now.records}
    back = [replace(one, before=one.after) for one in agreed.records if one.identity not in seen]
    return replace(now, records=tuple(sorted([*now.records, *back], key=lambda one: one.identity)))


def _record(zone: str, one: Mapping[str, Any]) -> PlannedRecord:
    before, after = (_rrset(one[side]) for side in ("before", "after"))
    return PlannedRecord(zone, 0, one["name"], one["type"], before, after, None, (), ())


def _rrset(given: Mapping[str, Any] | None) -> PlannedRrset | None:
    return None if given is None else PlannedRrset(int(given["ttl"]), tuple(sorted(map(str, given["values"]))))
