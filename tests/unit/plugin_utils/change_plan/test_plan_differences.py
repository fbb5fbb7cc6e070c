# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan that is no more what a run would do is refused, and what has changed is named; what is half done goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_differences import plan_differences
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_model import ChangePlan
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.change_plan.small_company import (
    TERM,
    Facts,
    plan_of,
    record,
    rrset,
    small_facts,
    verdict,
)

AGREED = plan_of(small_facts())
SETTINGS = "format: x\npassword: none\n"


def records(facts: Facts) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = facts["records"]["plan"]["records"]
    return found


def now(change: Callable[[Facts], Any]) -> ChangePlan:
    facts = small_facts()
    change(facts)
    return plan_of(facts)


def told(now_made: ChangePlan) -> list[str]:
    return [str(problem) for problem in plan_differences(AGREED, now_made)]


def declare(path: str, value: Any) -> Callable[[Facts], Any]:
    """Declare something else; the path goes through what a run knows."""

    def act(facts: Facts) -> None:
        *way, last = path.split("/")
        place: Any = facts
        for step in way:
            place = place[int(step)] if step.isdigit() else place[step]
        place[last] = value

    return act


def change_record(index: int, **changes: Any) -> Callable[[Facts], Any]:
    return lambda facts: records(facts)[index].update(changes)


DECLARED: dict[str, tuple[Callable[[Facts], Any], str]] = {
    "a domain": (declare("plan/domains/0/spf", {"terms": ["a"]}), "domain acme.example: declaration"),
    "an account": (declare("plan/dns/server", "192.0.2.54"), "domain acme.example: declaration"),
    "a sender": (declare("plan/senders/0/service", "google"), "sender erp@acme.example: declaration"),
    "an environment": (
        declare("judged/declarations/profit/options/transport", "smtp"),
        "environment profit: declaration: it is declared otherwise",
    ),
    "an environment more": (
        lambda facts: facts["judged"]["declarations"].update(new={"options": {"environment": "new"}}),
        "environment new: declaration: it is a part of this run, and of the plan it is none",
    ),
    "an environment less": (
        lambda facts: facts["judged"]["declarations"].pop("king"),
        "environment king: declaration: it is a part of the plan, and of this run it is none",
    ),
    "a tenant": (
        lambda facts: facts["judged"]["tenants"]["0000-1111"]["environments"].append({"environment": "x"}),
        "tenant 0000-1111: declaration",
    ),
    "whether all senders are known": (declare("plan/complete", True), "the run: declaration"),
    "another customer": (
        declare("judged/boundary", {"customer": "Bakkerij Jansen"}),
        "apply: mail_run_customer: the plan was made for another customer than this run, or one of both is for all",
    ),
    "an option of the run": (declare("told/mail_on_refused", "skip"), "the run: declaration"),
}
MOVED: dict[str, tuple[Callable[[Facts], Any], str]] = {
    "a record that changes": (change_record(1, before=rrset("v=spf1 a ~all", "other")), "acme.example: TXT"),
    "a TTL": (change_record(1, before=rrset("v=spf1 mx ~all", "other", ttl=60)), "the TTL was 3600 and is 60"),
    "a record that stays": (
        change_record(2, before=rrset("other.example"), after=rrset("other.example")),
        's1._domainkey.acme.example: CNAME: it has changed since the plan was made: before "s1.keys.example"; now',
    ),
    "a name that was free": (change_record(0, before=rrset("v=DMARC1; p=none")), "not there when the plan was made"),
    "a delegated name": (change_record(0, elsewhere="other.example"), "before this zone, now other.example"),
    "a zone that cannot be read": (lambda facts: records(facts).pop(1), "this run has not read it"),
    "a new record": (
        lambda facts: records(facts).append(record("s2.acme.example", rrset("x"), rrset("x"))),
        "s2.acme.example: TXT: the plan does not know it",
    ),
    "a policy file": (declare("records/plan/files/0/before", "1" * 64), "another one than when the plan was made"),
    "a sheet that somebody edited": (
        declare("files/king", [("sheet.md", "# edited", "# new")]),
        "king: sheet.md: it is not as it was when the plan was made",
    ),
    "a file that was right": (
        declare("files/king", [("sheet.html", "a", "b")]),
        "king: sheet.html: this run would write",
    ),
    "another text": (
        declare("files/king", [("sheet.md", "# old", "# other")]),
        "would write another text than the plan",
    ),
    "a tenant": (declare("tenants/0/diff/0/before", {"name": "old"}), "mailroom-profit (application)"),
    "a verdict by others' records": (
        declare("after", [verdict("profit", "erp@acme.example", "unknown", "cannot be resolved")]),
        "the plan leads to pass (SPF passes for acme.example), and now it would be unknown",
    ),
    "a reason": (
        declare("after", [verdict("profit", "erp@acme.example", "pass", "by DKIM")]),
        "profit: erp@acme.example: the plan leads to pass",
    ),
}
OTHERWISE: dict[str, tuple[Callable[[Facts], Any], str]] = {
    "another change": (change_record(1, after=rrset("v=spf1 -all")), "acme.example: TXT: the plan says"),
    "no change": (change_record(1, after=rrset("v=spf1 mx ~all", "other")), "acme.example: TXT: the plan says"),
    "a change more": (change_record(2, after=None), "this run would make not there"),
    "a file more": (
        lambda facts: facts["records"]["plan"]["files"].append(
            {"path": "/x", "domain": "acme.example", "before": None, "after": "2" * 64}
        ),
        "the plan has another text of it, or none",
    ),
    "a domain left out": (
        declare("refused", {"environments": {}, "domains": {"b.example": ["two"]}, "run": [], "dependents": {}}),
        "b.example: left out: this run leaves it out",
    ),
}


@pytest.mark.parametrize("name", DECLARED | MOVED | OTHERWISE)
def test_what_has_changed_is_named(name: str) -> None:
    change, words = (DECLARED | MOVED | OTHERWISE)[name]
    found = told(now(change))
    assert len(found) == 1 and words in found[0], found
    assert "make a new plan" in found[0] and "docs/plan.md" in found[0]


def test_the_same_plan_is_what_was_agreed_and_two_causes_are_both_told() -> None:
    assert told(plan_of(small_facts())) == []
    both = [*MOVED.values()][:1] + [*DECLARED.values()][:1]
    facts = small_facts()
    for change, _words in both:
        change(facts)
    assert all(any(words in line for line in told(plan_of(facts))) for _change, words in both)


def test_another_version_or_catalogue_is_told() -> None:
    assert "made by version 0.0.9" in str(plan_differences(replace(AGREED, collection="0.0.9"), AGREED)[0])
    other = replace(AGREED, basis=replace(AGREED.basis, catalogue="0" * 64))
    assert "the catalogue of ERP systems and services has changed" in str(plan_differences(other, AGREED)[0])


def done_records(facts: Facts) -> None:
    done = rrset(f"v=spf1 mx {TERM} ~all", "other")
    records(facts)[1].update(before=done, after=done)


def done_file(facts: Facts) -> None:
    facts["records"]["plan"]["files"].clear()


def done_tenant(facts: Facts) -> None:
    facts["tenants"][0]["diff"].pop(0)


def done_settings(facts: Facts) -> None:
    facts["files"]["king"].pop(0)


@pytest.mark.parametrize(
    "parts", [(done_records,), (done_file,), (done_tenant,), (done_settings,), (done_records, done_file)]
)
def test_what_is_half_done_goes_on(parts: tuple[Callable[[Facts], None], ...]) -> None:
    facts = small_facts()
    for part in parts:
        part(facts)
    facts["before"] = facts["after"]
    assert told(plan_of(facts)) == []


def test_an_environment_whose_tenant_changes_first_may_get_another_text() -> None:
    facts = small_facts()
    facts["files"]["profit"] = [("settings.yml", "a", "b")]
    planned = plan_of(facts)
    assert [one.after for one in planned.settings if one.environment == "profit"] == [None]
    facts["files"]["profit"] = [("settings.yml", "a", "b with the application's id")]
    facts["tenants"][0]["environments"]["profit"].update(changed=False, secret_due=None)
    facts["tenants"][0]["diff"].clear()
    assert plan_differences(planned, plan_of(facts)) == []


def test_a_plan_of_one_playbook_is_not_done_by_the_way_of_another() -> None:
    (problem,) = plan_differences(replace(AGREED, playbook="offboard"), AGREED)
    assert "the plan was made by the playbook offboard, and this run goes the way of site" in str(problem)
