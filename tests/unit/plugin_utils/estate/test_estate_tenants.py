# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adding up what several hosts need from Microsoft Entra."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import (
    HostTenant,
    TenantPlan,
    for_bootstrap,
    needs_ahead,
    tenants_of,
    way_ahead,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.sender_transport import with_transport

TENANT_ID = "11111111-2222-3333-4444-555555555555"
APP_ID = "66666666-7777-8888-9999-000000000000"
SECRET = "hunter2-hunter2-hunter2"
TENANT = {"tenant_id": TENANT_ID, "client_id": APP_ID, "client_secret": SECRET}
PERMISSIONS = [{"resource": "Microsoft Graph", "role": "Mail.Send"}]
APPLICATION = {"kind": "application", "managed": True, "title": "AFAS Profit", "permissions": PERMISSIONS}
CONSENT = {"kind": "consent", "app_id": APP_ID, "publisher_tenant_id": TENANT_ID, "scopes": ["SMTP.Send"]}


def host(name: str, entra: dict[str, Any] | None = None, state: str = "present", **more: Any) -> HostTenant:
    senders = [{"from": f"{name}@acme.example", "service": "exchange_online"}]
    senders.append({"from": "shop@acme.example", "service": "ordernow"})
    needs = {"state": state, "service": "exchange_online", "senders": senders, "entra": entra or APPLICATION}
    return HostTenant(**{"host": name, "needs": needs, "tenant": TENANT, "access": "tenant", **more})


def king(name: str, user: str = "office@acme.example", **more: Any) -> HostTenant:
    return host(name, {**CONSENT, "user": user}, **more)


def environments(plan: TenantPlan) -> dict[str, dict[str, Any]]:
    assert plan.problems == []
    (tenant,) = plan.tenants.values()
    return {one["environment"]: one for one in tenant["environments"]}


def test_the_environments_of_one_tenant_come_together() -> None:
    other = {**TENANT, "tenant_id": APP_ID}
    plan = tenants_of([host("b"), king("c"), host("a"), host("z", tenant=other)])
    assert {
        tenant: [one["environment"] for one in found["environments"]] for tenant, found in plan.tenants.items()
    } == {
        TENANT_ID: ["a", "b", "c"],
        APP_ID: ["z"],
    }
    assert plan.tenants[TENANT_ID]["tenant"] == TENANT
    assert plan == tenants_of([host("z", tenant=other), host("a"), host("b"), king("c")])


def test_what_an_application_is_asked_for() -> None:
    found = environments(tenants_of([host("a", secret={"overlap": 3}, confirmed_key_id=APP_ID, customer="acme")]))
    assert found["a"] == {
        "environment": "a",
        "customer": "acme",
        "application": {
            "unique_name": "mailroom-a",
            "display_name": "AFAS Profit (a)",
            "permissions": PERMISSIONS,
            "access": "tenant",
            "owners": [],
        },
        "credential": {"name": "mail", "overlap": 3, "confirmed_key_id": APP_ID},
        "senders": ["a@acme.example"],
    }


def test_the_mailboxes_of_a_scoped_application_are_its_senders() -> None:
    confirmed = [TENANT_ID]
    found = environments(
        tenants_of(
            [
                host("a", access="scoped", confirmed_assignments=confirmed),
                host("b"),
                host("c", access="scoped", state="absent"),
                king("d", access="scoped"),
            ]
        )
    )
    scope = {"mailboxes": ["a@acme.example"], "confirmed_assignments": confirmed}
    assert {name: one.get("scope") for name, one in found.items()} == {"a": scope, "b": None, "c": None, "d": None}
    kept = for_bootstrap([found["a"]], None)
    assert kept[0]["scope"] == scope, "a person grants them, as the automation may not"


def test_an_application_that_somebody_made_by_hand_is_left_alone() -> None:
    found = environments(tenants_of([host("a", {**APPLICATION, "managed": False}, access=None)]))
    assert found["a"] == {"environment": "a", "senders": ["a@acme.example"]}


def test_an_absent_environment_gives_its_application_up() -> None:
    found = environments(tenants_of([host("a", state="absent", access=None)]))
    assert found["a"] == {"environment": "a", "application": {"unique_name": "mailroom-a", "state": "absent"}}


def test_consent_is_revoked_only_when_nobody_else_needs_it() -> None:
    gone = king("a", state="absent")
    assert environments(tenants_of([gone]))["a"]["consent"]["state"] == "absent"
    assert "a" not in environments(tenants_of([gone, king("b")]))
    assert "a" in environments(tenants_of([gone, king("b", user="other@acme.example")]))


@pytest.mark.parametrize("unknown", ["app_id", "publisher_tenant_id", "scopes"])
def test_consent_of_which_something_is_unknown_is_a_person_s(unknown: str) -> None:
    entra = {**CONSENT, "user": "office@acme.example", unknown: None}
    assert set(environments(tenants_of([host("a", entra)]))["a"]) == {"environment", "senders"}


@pytest.mark.parametrize("needs", [None, {}, {"state": "present", "entra": None}])
def test_who_needs_nothing_is_not_asked_about(needs: Any) -> None:
    assert tenants_of([HostTenant("a", needs, tenant={"nonsense": 1})]) == TenantPlan()


def test_without_a_tenant_nothing_is_done() -> None:
    assert tenants_of([host("a", tenant=None)]) == TenantPlan()


WRONG: dict[str, tuple[list[HostTenant], str]] = {
    "no access": ([host("a", access=None)], "a: mail_entra_access: it says whether"),
    "another access": ([host("a", access="all")], 'a: mail_entra_access "all": it says whether'),
    "a tenant that is a name": ([host("a", tenant={**TENANT, "tenant_id": "acme"})], "must be a GUID"),
    "a misspelled option": ([host("a", tenant={**TENANT, "passwort": SECRET})], "tenant.passwort is no option"),
    "a tenant that is no dictionary": ([host("a", tenant=SECRET)], "must be a dictionary"),
    "an undefined variable": ([host("a", tenant={**TENANT, "client_secret": "{{ nobody_knows }}"})], "is not defined"),
    "two sign-ins": (
        [host("a"), host("b", tenant={**TENANT, "client_secret": "another-secret"})],
        "a and b sign in to this tenant differently",
    ),
    "one application for two": ([host("a"), host("b", unique_name="mailroom-a")], "a and b would share one"),
    "days that are none": (
        [host("a", secret={"lifetime": "long"})],
        "a: mail_entra_secret: it is a dictionary of days",
    ),
    "an unknown word": ([host("a", secret={"days": 3})], "a: mail_entra_secret: it is a dictionary of days"),
    "a word for yes or no": (
        [host("a", secret={"end_unconfirmed": "yes"})],
        "a: mail_entra_secret: it is a dictionary of days",
    ),
    "no dictionary": ([host("a", secret=SECRET)], "a: mail_entra_secret: it is a dictionary of days"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_without_a_secret(case: str) -> None:
    hosts, said = WRONG[case]
    (problem,) = tenants_of(hosts).problems
    assert said in str(problem) and SECRET not in str(problem) and "another-secret" not in str(problem)


def test_all_hosts_are_told_together() -> None:
    assert len(tenants_of([host("a", access=None), host("b", tenant={}), host("c")]).problems) >= 3


def test_the_senders_get_what_the_tenant_says() -> None:
    found = {
        "address": "a@acme.example",
        "result": "fail",
        "reason": "nobody",
        "next_step": "Make it.",
        "mailbox": "none",
    }
    needs = host("a").needs
    senders = with_transport(needs, {"senders": [found, {**found, "address": "shop@acme.example"}]})["senders"]
    assert senders[0]["transport"] == {"result": "fail", "reason": "nobody (docs/entra.md)", "next_step": "Make it."}
    assert "transport" not in senders[1], "another service sends it"
    assert with_transport(needs, None) == needs and with_transport(None, {"senders": [found]}) is None


def test_what_takes_over_from_a_password_counts_as_needed_only_ahead() -> None:
    needs = {**(host("a").needs or {}), "entra": None, "service": "microsoft365"}
    plain: dict[str, Any] = {"transport": "oauth", "entra": None}
    ways = [plain, {"transport": "exchange", "entra": APPLICATION}, {"transport": "graph", "entra": CONSENT}]
    ending = {**needs, "password_end": {"ways": ways}}
    way = way_ahead(ending)
    assert way is not None and way["transport"] == "exchange"
    assert (
        environments(tenants_of([HostTenant("a", needs_ahead(ending), tenant=TENANT, access="tenant")]))["a"][
            "application"
        ]["permissions"]
        == PERMISSIONS
    )
    assert tenants_of([HostTenant("a", ending, tenant=TENANT, access="tenant")]).tenants == {}


@pytest.mark.parametrize("end", [None, {"ways": []}, {"ways": [{"transport": "oauth", "entra": None}]}])
def test_needs_stay_where_nothing_takes_over_in_the_tenant(end: Any) -> None:
    needs = {**(host("a").needs or {}), "password_end": end}
    assert needs_ahead(needs) == needs and needs_ahead(None) is None
