# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation of secrets: who is tried, what is an alarm, and what a person reads of one and of three hundred."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.rotation_report import rotation_report
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.secret_rotation import (
    RotationRun,
    credential_results,
    other_credentials,
    rotated_tenants,
    rotation_outcomes,
    secret_trials,
)

NOW = datetime.datetime(2026, 11, 29, 12, tzinfo=datetime.UTC)
TENANT = {"tenant_id": "t", "client_id": "automation", "client_secret": "hunter2hunter2", "cloud": "public"}
MANY = [f"customer{number:03}" for number in range(300)]


def entry(host: str, *roles: str) -> dict[str, Any]:
    permissions = [{"resource": "Microsoft Graph", "role": role} for role in roles or ("Mail.Send",)]
    return {
        "environment": host,
        "credential": {"name": "mail"},
        "application": {"permissions": permissions},
        "senders": [f"erp@{host}.example"],
    }


def made(host: str, **more: Any) -> dict[str, Any]:
    held = {"key_id": f"{host}-new", "app_id": f"{host}-app", "end_date_time": "2027-05-28T00:00:00Z", "problems": []}
    place = {"file": "/srv/acme.yml", "variable": f"mail_entra_secrets.{host}.secret"}
    return {**held, "secret_due": None, "retiring": [], "removed": [], "confirmed": False, "stored": place, **more}


def retiring(host: str, gone: str = "2026-12-20") -> list[dict[str, Any]]:
    return [{"key_id": f"{host}-old", "gone_at": f"{gone}T00:00:00Z", "end_date_time": gone, "why": "until"}]


def run(environments: dict[str, Any], **more: Any) -> RotationRun:
    plan = {"t": {"tenant": TENANT, "environments": [entry(host) for host in environments]}}
    result = {"asked": list(environments), "environments": environments}
    given: dict[str, Any] = {"due": frozenset(), "refused": {}, "trials": {}, "alarm_days": 14, "check_mode": False}
    return RotationRun(tenants=plan, results=(result,), now=NOW, **{**given, **more})


def test_only_environments_with_a_secret_of_their_own_are_looked_at() -> None:
    plan = {
        "t": {"tenant": TENANT, "environments": [entry("a"), {"environment": "b", "consent": {}}]},
        "u": {"tenant": TENANT, "environments": [{"environment": "c", "senders": ["c@c.example"]}]},
    }
    found = rotated_tenants(plan)
    assert list(found) == ["t"] and [one["environment"] for one in found["t"]["environments"]] == ["a"]


def test_a_secret_is_tried_while_its_rotation_goes_on() -> None:
    hosts = {
        "new": made("new"),
        "waiting": made("waiting", retiring=retiring("waiting")),
        "confirmed": made("confirmed", retiring=retiring("confirmed"), confirmed=True),
        "quiet": made("quiet"),
        "planned": made("planned", key_id=None),
        "smtp": made("smtp", retiring=retiring("smtp")),
    }
    entries = [entry(host, "SMTP.SendAsApp" if host == "smtp" else "Mail.Send") for host in hosts]
    plan = {"t": {"tenant": TENANT, "environments": entries}}
    trials = secret_trials(plan, hosts, ["new", "planned", "gone"])
    assert [one["environment"] for one in trials] == ["new", "waiting", "smtp"]
    assert trials[0]["tenant"] == {"tenant_id": "t", "cloud": "public", "client_id": "new-app"}, "no sign-in of ours"
    assert [one["sends"] for one in trials] == [True, True, False] and trials[0]["from"] == "erp@new.example"


ALARMS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "due and not made": (made("a", key_id=None, secret_due="there is none"), {}, "a secret is due and was not made"),
    "ends unconfirmed": (made("a", retiring=retiring("a", "2026-12-10")), {}, "its old secret ends on 2026-12-10"),
    "has ended unconfirmed": (made("a", removed=["a-old"]), {}, "the last old secret has ended"),
    "does not work": (
        made("a", retiring=retiring("a")),
        {"trials": {"a": {"worked": False, "told": "", "msg": "AADSTS7000215"}}},
        "the new secret a-new does not work: AADSTS7000215",
    ),
    "a problem in the tenant": (made("a", problems=["403"]), {}, "a: 403"),
}


@pytest.mark.parametrize("case", ALARMS)
def test_what_nobody_mends_by_itself_fails_the_environment(case: str) -> None:
    held, more, said = ALARMS[case]
    known = run({"a": held, "b": made("b")}, **more)
    found = rotation_outcomes(known)
    assert list(found) == ["a"] and len(found["a"].failed) == 1 and said in found["a"].failed[0]
    assert "PROBLEMS: 1 environment" in rotation_report(known, found)


QUIET: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "time is left": (made("a", retiring=retiring("a", "2026-12-20")), {}),
    "it is confirmed": (made("a", retiring=retiring("a", "2026-12-01"), confirmed=True), {}),
    "it was removed, and confirmed": (made("a", removed=["a-old"], confirmed=True), {}),
    "this run has made it": (made("a", retiring=retiring("a", "2026-12-01")), {"due": frozenset({"a"})}),
    "check mode": (made("a", key_id=None, secret_due="there is none"), {"check_mode": True}),
}


@pytest.mark.parametrize("case", QUIET)
def test_what_is_in_time_fails_nobody(case: str) -> None:
    held, more = QUIET[case]
    assert not any(one.failed for one in rotation_outcomes(run({"a": held}, **more)).values())


def test_three_hundred_due_secrets_are_a_few_lines() -> None:
    hosts = {host: made(host, retiring=retiring(host)) for host in MANY}
    worked = {"worked": True, "told": "it signs in", "msg": ""}
    known = run(hosts, due=frozenset(MANY), trials=dict.fromkeys(MANY, worked))
    lines = rotation_report(known, rotation_outcomes(known))
    text = " ".join(lines)
    assert len(lines) < 20 and max(map(len, lines)) <= 100
    assert "300 environments (customer000, customer001" in text and "customer250" not in text
    quiet = run({host: made(host) for host in MANY})
    assert [line for line in rotation_report(quiet, {}) if line][-1] == "300 environments, 0 changed, 0 failed"


def test_other_credentials_are_named_without_their_sign_in() -> None:
    declared = [{"unique_name": "ci", "name": "main", "kind": "federated", "tenant": TENANT}]
    assert other_credentials(declared) == [{"index": 0, "kind": "federated", "called": "ci (federated main)"}]
    wrong_ones: list[Any] = ["text", ["text"], [{"kind": "secret"}], [{}], {"a": 1}]
    for wrong in wrong_ones:
        with pytest.raises(ValueError, match="mail_rotate_credentials"):
            other_credentials(wrong)


def test_a_credential_that_fails_is_told_by_its_name() -> None:
    done = [{"called": "ci (certificate main)", "kind": "certificate", "msg": "403", "failed": False}]
    result, _trials = credential_results(done, [])
    known = run({"a": made("a")})
    found = rotation_outcomes(RotationRun(known.tenants, (result,), frozenset(), {}, {}, NOW, 14, False))
    assert found["ci (certificate main)"].failed == ["ci (certificate main): 403"]
