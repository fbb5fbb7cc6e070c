# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All environments of one tenant together, on the test tenant: applications, secrets, consent and senders."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.entra.environments import (
    Done,
    TenantWork,
    find_senders,
    read_declared,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph
from ansible_collections.mailroom.erp.plugins.module_utils.entra.token import read_token
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.servers.entra.directory import PUBLISHER
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import SCOPE, SEE_SENDERS
from ansible_collections.mailroom.erp.tests.unit.entra.conftest import BOOTSTRAP, RUN_TIME, OpenGraph

NOW = datetime.datetime.now(datetime.UTC)
LISTED = [{"resource": "Microsoft Graph", "role": role} for role in ("Mail.ReadWrite", "Mail.Send")]


def entry(name: str, **more: Any) -> dict[str, Any]:
    """An environment with an application and a secret."""
    application = {"unique_name": f"mailroom-{name}", "permissions": LISTED, "access": "tenant", "state": "present"}
    days = {"lifetime": 180, "renew_before": 30, "overlap": 7}
    return {"environment": name, "application": application, "credential": {"name": "mail", **days}, **more}


def king(app_id: str) -> dict[str, Any]:
    declared = {"app_id": app_id, "publisher_tenant_id": PUBLISHER, "scopes": ["SMTP.Send"]}
    return {"environment": "king", "consent": {**declared, "users": ["office@acme.example"]}}


def bring(
    graph: Graph, *entries: dict[str, Any], write: bool = True, make: bool = True, hours: int = 0
) -> dict[str, Done]:
    declared = read_declared(entries, LISTED, None, NOW)
    names = frozenset(one.name for one in declared) if make else frozenset()
    later = NOW + datetime.timedelta(hours=hours)
    return TenantWork(graph, read_token(graph._token), NOW, write, names, lambda: later).bring(declared)


def stored(one: dict[str, Any], done: Done) -> dict[str, Any]:
    return {**one, "credential": {**one["credential"], "stored_key_id": done.key["keyId"]}}


def test_an_unchanged_environment_costs_four_requests(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    entries = [entry("one"), entry("two")]
    made = bring(graph, *entries)
    assert [one.problems for one in made.values()] == [[], []]
    assert all(server.signs_in(one.as_dict("x")["app_id"], str(one.secret)) for one in made.values())
    server.plan()
    again = bring(graph, *(stored(one, made[one["environment"]]) for one in entries))
    assert not any(one.changed or one.secret for one in again.values())
    assert len(server.requests) == 4 * len(entries)


def test_no_secret_is_made_without_a_place(server: EntraServer, open_graph: OpenGraph) -> None:
    done = bring(open_graph(*BOOTSTRAP), entry("one"), make=False)["one"]
    (application,) = server.truth.find("applications", uniqueName="mailroom-one")
    assert (done.due, done.secret, application["passwordCredentials"]) == ("there is none", None, [])


def test_nothing_is_written_while_looking(server: EntraServer, open_graph: OpenGraph) -> None:
    server.plan()
    done = bring(open_graph(*BOOTSTRAP), entry("one"), write=False)["one"]
    assert done.changed and done.due == "there is none" and done.problems == []
    assert {method for method, _path in server.requests} == {"GET"}


def test_consent_for_several_users_of_one_application_is_nothing_strange(
    server: EntraServer, open_graph: OpenGraph
) -> None:
    app_id = server.directory.add_vendor("KING", PUBLISHER)
    for name in ("office", "sales", "stranger"):
        server.directory.add_user(f"{name}@acme.example")
    server.directory.settle()
    graph, first = open_graph(*BOOTSTRAP, *SEE_SENDERS), king(app_id)
    second = {"environment": "sales", "consent": {**first["consent"], "users": ["sales@acme.example"]}}
    assert [one.problems for one in bring(graph, first, second).values()] == [[], []]
    assert [one.warnings for one in bring(graph, first, second).values()] == [[], []]
    third = {"environment": "x", "consent": {**first["consent"], "users": ["stranger@acme.example"]}}
    bring(graph, third)
    for one in bring(graph, first, second).values():
        (warning,) = one.warnings
        assert "permissions that nobody declared" in warning


def test_the_others_go_on_when_one_fails(server: EntraServer, open_graph: OpenGraph) -> None:
    server.directory.new_application({"displayName": "taken"}, "mailroom-one", [])
    server.directory.settle()
    done = bring(open_graph(*BOOTSTRAP), entry("one"), entry("two"))
    assert "Authorization_RequestDenied" in done["one"].problems[0] and done["one"].secret is None
    assert done["two"].problems == [] and done["two"].secret


def test_everything_wrong_is_told_before_anything_is_asked(server: EntraServer) -> None:
    wrong = entry("one")
    wrong["application"]["permissions"] = [{"resource": "Microsoft Graph", "role": "Directory.ReadWrite.All"}]
    with pytest.raises(Refused) as caught:
        read_declared([wrong, king("nobody")], LISTED, None, NOW)
    assert len(caught.value.problems) == 2
    assert server.requests == []


def test_a_secret_that_cannot_be_stored_is_taken_back(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    done = bring(graph, entry("one"))["one"]
    declared = read_declared([entry("one")], LISTED, None, NOW)
    TenantWork(graph, read_token(graph._token), NOW, True).withdraw(declared, {"one": done.key["keyId"]})
    (application,) = server.truth.find("applications", uniqueName="mailroom-one")
    assert application["passwordCredentials"] == []


@pytest.mark.parametrize("rights", [RUN_TIME, BOOTSTRAP], ids=["run time", "bootstrap"])
def test_consent_is_given_where_the_sign_in_may_and_told_otherwise(
    server: EntraServer, open_graph: OpenGraph, rights: list[str]
) -> None:
    app_id = server.directory.add_vendor("KING Software - SendEmail", PUBLISHER)
    server.directory.add_user("office@acme.example")
    server.directory.settle()
    done = bring(open_graph(*rights, *SEE_SENDERS), king(app_id))["king"]
    assert done.problems == []
    assert done.consent_missing == (rights == RUN_TIME)
    assert bool(server.truth["oauth2PermissionGrants"]) == (rights == BOOTSTRAP)
    assert any("A person consents once" in warning for warning in done.warnings) == (rights == RUN_TIME)


def test_the_senders_of_all_environments_are_looked_up_together(server: EntraServer, open_graph: OpenGraph) -> None:
    for name in ("erp", "office"):
        server.directory.add_user(f"{name}@acme.example", purpose="shared")
    server.directory.settle()
    entries = [{"environment": "one", "senders": ["erp@acme.example", "nobody@acme.example"]}]
    entries.append({"environment": "two", "senders": ["office@acme.example", "erp@acme.example"]})
    declared = read_declared(entries, LISTED, None, NOW)
    done = {one.name: Done() for one in declared}
    server.plan()
    told = list(find_senders(open_graph(*SEE_SENDERS), declared, done))
    assert [state["result"] for state in done["one"].senders] == ["pass", "fail"]
    assert [state["result"] for state in done["two"].senders] == ["pass", "pass"]
    assert len(told) == 1 and told[0].startswith('one: sender "nobody@acme.example"') and "shared mailbox" in told[0]
    assert len(server.requests) == 4, "one for people, one for domains, one for each mailbox"


def test_senders_that_may_not_be_read_are_unknown(open_graph: OpenGraph) -> None:
    declared = read_declared([{"environment": "one", "senders": ["erp@acme.example"]}], LISTED, None, NOW)
    done = {"one": Done()}
    assert len(list(find_senders(open_graph(*RUN_TIME), declared, done))) == 1
    assert done["one"].senders[0]["result"] == "unknown"


def scoped(name: str, *mailboxes: str, **more: Any) -> dict[str, Any]:
    """An environment whose application may use the mailboxes of its senders only."""
    one = entry(name, scope={"mailboxes": list(mailboxes), **more})
    one["application"]["access"] = "scoped"
    return one


SCOPING = [*BOOTSTRAP, *SEE_SENDERS, *SCOPE]


def test_the_mailboxes_of_all_environments_are_granted_in_one_sign_in(
    server: EntraServer, open_graph: OpenGraph
) -> None:
    for name in ("erp", "office"):
        server.directory.add_user(f"{name}@acme.example", purpose="shared")
    server.directory.settle()
    graph = open_graph(*SCOPING)
    entries = [scoped("one", "erp@acme.example"), scoped("two", "erp@acme.example", "office@acme.example")]
    looked = bring(graph, *entries, write=False)
    assert [(one.changed, one.problems, one.scope) for one in looked.values()] == [
        (True, [], {"state": "granted", "effective_at": looked["one"].scope["effective_at"], "open": []})  # type: ignore[index]
    ] * 2
    made = bring(graph, *entries)
    assert [one.problems for one in made.values()] == [[], []]
    # two roles (Mail.Send and Mail.ReadWrite) for one mailbox, and for two
    assert len(server.truth["roleAssignments"]) == 6
    server.plan()
    kept = [stored(one, made[one["environment"]]) for one in entries]
    again = bring(graph, *kept, hours=2)
    assert not any(one.changed for one in again.values())
    assert [one.scope["state"] for one in again.values() if one.scope] == ["effective"] * 2
    assert len(server.requests) == (4 + 4) * 2 + 2 + (1 + 1 + 2), "roles and mailboxes are looked up once"


def test_access_that_becomes_scoped_keeps_the_right_until_the_mailbox_is_granted(
    server: EntraServer, open_graph: OpenGraph
) -> None:
    server.directory.add_user("erp@acme.example")
    server.directory.settle()
    graph = open_graph(*SCOPING)
    bring(graph, entry("one"))
    (application,) = server.truth.find("applications", uniqueName="mailroom-one")
    (principal,) = server.truth.find("servicePrincipals", appId=application["appId"])

    def wide() -> int:
        return len(server.truth.find("appRoleAssignments", principalId=principal["id"]))

    first = bring(graph, scoped("one", "erp@acme.example"))["one"]
    assert first.problems == [] and wide() == 2 and first.scope is not None
    assert first.scope["state"] == "tenant_wide" and len(first.scope["open"]) == 2
    assert application["requiredResourceAccess"] == []
    last = bring(graph, scoped("one", "erp@acme.example"), hours=3)["one"]
    assert last.problems == [] and wide() == 0 and last.scope is not None
    assert (last.scope["state"], last.scope["open"]) == ("effective", [])


@pytest.mark.parametrize("mailbox", ["erp@acme.example", "gone@acme.example"])
def test_what_stands_in_the_way_of_a_scope_stops_nothing_else(
    server: EntraServer, open_graph: OpenGraph, mailbox: str
) -> None:
    server.directory.add_user("erp@acme.example")
    server.directory.settle()
    rights = [*RUN_TIME, *SEE_SENDERS]
    done = bring(open_graph(*rights), scoped("one", mailbox))["one"]
    assert done.problems == [] and done.secret and server.truth["roleAssignments"] == {}
    told = (
        "may not read the roles of Exchange" if mailbox.startswith("erp") else "nobody in the tenant has this address"
    )
    assert done.scope is not None and done.scope["state"] is None and told in done.scope["open"][0]
    assert any(told in warning for warning in done.warnings)


def test_a_scope_belongs_to_scoped_access(server: EntraServer) -> None:
    wrong = scoped("one", "erp@acme.example")
    wrong["application"]["access"] = "tenant"
    with pytest.raises(Refused, match="leave_tenant_grants"):
        read_declared([wrong], LISTED, None, NOW)
    assert server.requests == []
