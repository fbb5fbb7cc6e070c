# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a plan by tenant to one task for all of them, and from its result back to tenants."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.filter.mail_tenants import mail_asked_tenants, mail_tenant_results

PLAN: dict[str, Any] = {
    "one": {"tenant": {"tenant_id": "ONE"}, "environments": [{"environment": "a"}, {"environment": "b"}]},
    "two": {"tenant": {"tenant_id": "TWO"}, "environments": [{"environment": "c"}]},
}


def made(**more: Any) -> dict[str, Any]:
    return {"changed": False, "problems": [], "senders": [], "diff": [], **more}


LOOKED = {"environments": {"a": made(changed=True, diff=[{"after": 1}]), "b": made(senders=["s"]), "c": made()}}


def test_all_tenants_are_asked_and_then_those_that_differ() -> None:
    everything = mail_asked_tenants(PLAN)
    assert [one["tenant_id"] for one in everything["tenants"]] == ["ONE", "TWO"]
    owners = {one["environment"]: one["tenant_id"] for one in everything["environments"]}
    assert owners == {"a": "ONE", "b": "ONE", "c": "TWO"}
    again = mail_asked_tenants(PLAN, LOOKED, without=["a"])
    assert [one["tenant_id"] for one in again["tenants"]] == ["ONE"]
    assert [one["environment"] for one in again["environments"]] == ["b"]


def test_results_are_told_by_tenant_with_the_senders_of_the_look() -> None:
    first, second = mail_tenant_results(LOOKED, PLAN, {"environments": {"b": made(changed=True)}})
    assert first["asked"] == ["a", "b"] and first["diff"] == [{"after": 1}]
    assert first["environments"]["b"] == made(changed=True, senders=["s"])
    assert second == {"asked": ["c"], "environments": {"c": made()}, "diff": []}


def test_a_task_that_failed_as_a_whole_failed_for_all_that_it_was_for() -> None:
    assert mail_tenant_results({"failed": True, "msg": "no"}, PLAN) == [
        {"asked": ["a", "b"], "msg": "no"},
        {"asked": ["c"], "msg": "no"},
    ]
    first, second = mail_tenant_results(LOOKED, PLAN, {"failed": True, "msg": "no"})
    assert first == {"asked": ["a", "b"], "msg": "no"} and second["environments"] == {"c": made()}
    assert mail_tenant_results({}, PLAN) == [{"asked": ["a", "b"]}, {"asked": ["c"]}], "not known is not fine"
    assert mail_tenant_results({}, {}) == []
