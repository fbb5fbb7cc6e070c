# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""App registrations on the test tenant: one application whatever happens, and no grant beyond the declared ones."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, NotSeen
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.plugins.module_utils.entra.http import Http
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration import RegistrationOutcome, register
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration_plan import read_wanted_registration
from ansible_collections.mailroom.erp.plugins.module_utils.entra.token import read_token
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.servers.entra.directory import (
    EXCHANGE,
    GRAPH,
    GRAPH_ROLES,
    MANAGEMENT_ROLES,
)
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import DROPPED, LOST, EntraServer
from ansible_collections.mailroom.erp.tests.unit.entra.conftest import BOOTSTRAP, RUN_TIME, OpenGraph

SEND = {"resource": "Microsoft Graph", "role": "Mail.Send"}
WRITE = {"resource": "Microsoft Graph", "role": "Mail.ReadWrite"}
ERP: dict[str, Any] = {
    "unique_name": "acme-profit",
    "display_name": "AFAS Profit",
    "permissions": [SEND, WRITE],
    "access": "tenant",
}
NAMES = ["Microsoft Graph/Mail.ReadWrite", "Microsoft Graph/Mail.Send"]


def run(graph: Graph, write: bool = True, **params: Any) -> RegistrationOutcome:
    token = read_token(graph._token)
    wanted = read_wanted_registration({**ERP, **params}, token.app_id)
    return register(graph, wanted, token, write)


def application(server: EntraServer, name: str = "acme-profit") -> dict[str, Any]:
    (found,) = server.truth.find("applications", uniqueName=name)
    return found


def granted(server: EntraServer) -> list[str]:
    """What was granted to the ERP's application, each as often as it was."""
    (principal,) = server.truth.find("servicePrincipals", appId=application(server)["appId"])
    names = {
        role["id"]: f"{one['displayName']}/{role['value']}"
        for one in server.truth["servicePrincipals"].values()
        for role in one["appRoles"]
    }
    held = server.truth.find("appRoleAssignments", principalId=principal["id"])
    return sorted(names[one["appRoleId"]] for one in held)


def grant(server: EntraServer, role: str) -> None:
    (principal,) = server.truth.find("servicePrincipals", appId=application(server)["appId"])
    server.directory.assign(principal, server.truth.find("servicePrincipals", appId=GRAPH)[0], GRAPH_ROLES[role])
    server.directory.settle()


def test_a_new_application_is_whole(server: EntraServer, open_graph: OpenGraph) -> None:
    outcome = run(open_graph(*BOOTSTRAP))
    made = application(server)
    assert outcome.plan.changes and outcome.found.application is not None
    assert outcome.found.application["appId"] == made["appId"] and made["displayName"] == "AFAS Profit"
    assert granted(server) == NAMES
    asked_for = [{"id": GRAPH_ROLES[name], "type": "Role"} for name in ("Mail.Send", "Mail.ReadWrite")]
    assert made["requiredResourceAccess"] == [{"resourceAppId": GRAPH, "resourceAccess": asked_for}]


def test_an_unchanged_run_asks_little_and_writes_nothing(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    run(graph)
    for _time in range(99):
        server.plan()
        outcome = run(graph)
        assert not outcome.plan.changes and outcome.plan.before == outcome.plan.after
        assert len(server.requests) == 3 and {method for method, _path in server.requests} == {"GET"}
    assert len(server.truth.find("servicePrincipals", appId=application(server)["appId"])) == 1
    assert granted(server) == NAMES


def test_unknown_grants_cost_one_request_more(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    run(graph)
    (principal,) = server.truth.find("servicePrincipals", appId=application(server)["appId"])
    exchange = server.truth.find("servicePrincipals", appId=EXCHANGE)[0]
    server.directory.assign(principal, exchange, exchange["appRoles"][0]["id"])
    server.plan()
    outcome = run(graph)
    assert outcome.plan.unknown == ["Office 365 Exchange Online/SMTP.SendAsApp"] and not outcome.plan.changes
    assert len(server.requests) == 4
    assert "that nobody declared: Office 365 Exchange Online/SMTP.SendAsApp" in outcome.plan.warnings[0]


@pytest.mark.parametrize("deleted", [False, True])
def test_check_mode_writes_nothing_and_shows_what_the_run_does(
    server: EntraServer, open_graph: OpenGraph, deleted: bool
) -> None:
    graph = open_graph(*BOOTSTRAP)
    if deleted:
        run(graph)
        server.directory.delete_application(application(server)["id"])
    server.plan()
    check = run(graph, write=False)
    assert {method for method, _path in server.requests} == {"GET"}
    real = run(graph)
    assert check.plan.changes and (check.plan.before, check.plan.after) == (real.plan.before, real.plan.after)
    assert check.plan.before == {}
    assert {"display_name": "AFAS Profit", "granted": NAMES, "requested": NAMES}.items() <= check.plan.after.items()


def test_a_deleted_application_is_restored(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    run(graph)
    first = application(server)
    assert run(graph, state="absent").plan.delete
    assert not server.truth.find("applications", uniqueName="acme-profit")
    assert not run(graph, state="absent").plan.changes
    outcome = run(graph, display_name="AFAS Profit 2")
    assert outcome.plan.restore and application(server)["appId"] == first["appId"]
    assert application(server)["displayName"] == "AFAS Profit 2" and granted(server) == NAMES
    assert len(server.truth.find("servicePrincipals", appId=first["appId"])) == 1
    assert not run(graph, display_name="AFAS Profit 2").plan.changes


def test_without_the_right_to_see_deleted_ones_a_new_one_is_made(server: EntraServer, open_graph: OpenGraph) -> None:
    run(open_graph("Application.ReadWrite.OwnedBy"), access="scoped")
    assert application(server)["displayName"] == "AFAS Profit"


def test_scoped_access_grants_nothing_to_the_whole_tenant(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*RUN_TIME)
    run(graph, access="scoped")
    assert granted(server) == [] and application(server)["requiredResourceAccess"] == []
    assert not run(graph, access="scoped").plan.changes


def test_scoped_access_is_refused_beside_a_grant_of_the_tenant_unless_that_is_revoked(
    server: EntraServer, open_graph: OpenGraph
) -> None:
    graph = open_graph(*BOOTSTRAP)
    run(graph)
    with pytest.raises(Refused, match="the scope would limit nothing"):
        run(graph, access="scoped")
    assert granted(server) == NAMES
    run(graph, access="scoped", revoke_tenant_grants=True)
    assert granted(server) == [] and application(server)["requiredResourceAccess"] == []


def send_as(server: EntraServer, *roles: str) -> None:
    """Let Exchange grant roles for one mailbox."""
    (principal,) = server.truth.find("servicePrincipals", appId=application(server)["appId"])
    user = server.directory.add_user("erp@acme.example")
    for role in roles:
        server.directory.assign_role(principal["id"], MANAGEMENT_ROLES[role], f"/Users/{user['id']}", None)
    server.directory.settle()


@pytest.mark.parametrize("write", [False, True])
def test_a_grant_of_the_tenant_is_not_revoked_where_exchange_has_granted_no_mailbox(
    server: EntraServer, open_graph: OpenGraph, write: bool
) -> None:
    graph = open_graph(*BOOTSTRAP, "RoleManagement.Read.Exchange")
    run(graph)
    send_as(server, "Application Mail.Send")
    with pytest.raises(
        Refused, match=r"revoke_tenant_grants .Microsoft Graph/Mail.ReadWrite.*for no mailbox"
    ) as caught:
        run(graph, write=write, access="scoped", revoke_tenant_grants=True)
    assert len(caught.value.problems) == 1 and granted(server) == NAMES
    send_as(server, "Application Mail.ReadWrite")
    assert run(graph, write=write, access="scoped", revoke_tenant_grants=True).plan.warnings == []
    assert granted(server) == ([] if write else NAMES)


def test_what_exchange_has_granted_may_be_out_of_sight(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    run(graph)
    (warning,) = run(graph, access="scoped", revoke_tenant_grants=True).plan.warnings
    assert "cannot be seen without RoleManagement.Read.Exchange" in warning and granted(server) == []


def test_grants_of_the_tenant_are_left_to_the_scope(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    run(graph)
    (warning,) = run(graph, access="scoped", leave_tenant_grants=True).plan.warnings
    assert "the whole tenant still grants it, and entra_mail_scope takes it away" in warning
    assert granted(server) == NAMES and application(server)["requiredResourceAccess"] == []
    assert not run(open_graph(*RUN_TIME), access="scoped", leave_tenant_grants=True).plan.changes
    for access, revoke in (("tenant", False), ("scoped", True)):
        with pytest.raises(Refused, match="leave_tenant_grants: it is about grants that stay"):
            run(graph, access=access, leave_tenant_grants=True, revoke_tenant_grants=revoke)


def test_unknown_grants_are_kept_unless_named(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    run(graph)
    grant(server, "User.Read.All")
    assert run(graph).plan.unknown == ["Microsoft Graph/User.Read.All"] and len(granted(server)) == 3
    with pytest.raises(Refused, match=r"exclusive .Microsoft Graph/User.Read.All.*name it in accept_unknown_grants"):
        run(graph, exclusive=True)
    assert len(granted(server)) == 3
    run(graph, exclusive=True, accept_unknown_grants=["Microsoft Graph/User.Read.All"])
    assert granted(server) == NAMES


def test_requested_permissions_of_others_are_kept(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    run(graph)
    scope = {"id": str(uuid.uuid4()), "type": "Scope"}
    role = {"id": GRAPH_ROLES["Mail.Read"], "type": "Role"}
    application(server)["requiredResourceAccess"][0]["resourceAccess"] += [scope, role]
    server.directory.settle()
    outcome = run(graph, permissions=[SEND, WRITE, {"resource": EXCHANGE, "role": "SMTP.SendAsApp"}])
    assert outcome.plan.unknown == ["Microsoft Graph/Mail.Read"]
    held = {one["resourceAppId"]: one["resourceAccess"] for one in application(server)["requiredResourceAccess"]}
    assert scope in held[GRAPH] and role in held[GRAPH] and len(held[GRAPH]) == 4 and len(held[EXCHANGE]) == 1
    run(
        graph,
        permissions=[SEND, WRITE, {"resource": EXCHANGE, "role": "SMTP.SendAsApp"}],
        exclusive=True,
        accept_unknown_grants=["Microsoft Graph/Mail.Read"],
    )
    left = application(server)["requiredResourceAccess"][0]["resourceAccess"]
    assert scope in left and role not in left


def test_owners_and_notes_are_written_and_kept(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    person = server.directory.add_user("admin@acme.example")
    server.directory.settle()
    outcome = run(graph, owners=[person["id"]], notes="made by Ansible")
    owners = server.truth.owners[application(server)["id"]]
    assert person["id"] in owners and len(owners) == 2, "the automation owns what it made"
    assert outcome.found.application is not None and application(server)["notes"] == "made by Ansible"
    server.plan()
    assert not run(graph, owners=[person["id"].upper()]).plan.changes and len(server.requests) == 3
    assert application(server)["notes"] == "made by Ansible"


def test_more_owners_than_graph_expands_are_all_read(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    run(graph)
    people = [server.directory.add_user(f"user{number}@acme.example")["id"] for number in range(30)]
    server.truth.owners[application(server)["id"]] += people
    server.directory.settle()
    assert not run(graph, owners=people).plan.changes


# --- who may do what ---


def test_at_run_time_nothing_is_granted(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*RUN_TIME)
    with pytest.raises(Refused, match=r"not granted yet.*does not have AppRoleAssignment.ReadWrite.All.*azure_cli"):
        run(graph)
    assert not server.truth.find("applications", uniqueName="acme-profit")
    outcome = run(graph, consent="report")
    assert outcome.plan.missing == sorted(NAMES, reverse=True) and granted(server) == []
    assert "a person still has to consent to" in outcome.plan.warnings[0]
    grant(server, "Mail.Send")
    grant(server, "Mail.ReadWrite")
    server.plan()
    assert not run(graph).plan.changes and len(server.requests) == 3


def test_a_person_consents_and_the_automation_goes_on(server: EntraServer, open_graph: OpenGraph) -> None:
    automation = open_graph(*RUN_TIME)
    run(automation, consent="report")
    user = server.directory.add_user("admin@acme.example")
    rights = "Application.ReadWrite.All AppRoleAssignment.ReadWrite.All"
    http = Http(server.ca_file)
    person = Graph(http, server.url, server.authority.person_token(user, rights), automation.pace)
    run(person)
    http.close()
    assert granted(server) == NAMES
    assert not run(automation).plan.changes
    assert run(automation, notes="ours").plan.changes, "it still owns what it has made"


def test_without_any_right_the_error_of_graph_is_told(server: EntraServer, open_graph: OpenGraph) -> None:
    with pytest.raises(GraphError, match="403 Authorization_RequestDenied"):
        run(open_graph("User.Read.All"))


@pytest.mark.parametrize(
    "permission",
    [
        {"resource": "Microsoft Graph", "role": "AppRoleAssignment.ReadWrite.All"},
        {"resource": "Microsoft Graph", "role": "Mail.Read"},
        {"resource": GRAPH, "role": "Directory.ReadWrite.All"},
        {"resource": EXCHANGE, "role": "full_access_as_app"},
        {"resource": "Somebody's API", "role": "Mail.Send"},
    ],
)
def test_only_what_sends_mail_is_granted(
    server: EntraServer, open_graph: OpenGraph, permission: dict[str, str]
) -> None:
    graph = open_graph(*BOOTSTRAP)
    server.plan()
    with pytest.raises(Refused, match="only what an ERP needs to send mail is ever granted"):
        run(graph, permissions=[SEND, permission])
    assert server.requests == []


def test_what_a_catalogue_file_lists_is_granted(server: EntraServer, open_graph: OpenGraph) -> None:
    more = {"resource": "Microsoft Graph", "role": "Mail.Read"}
    run(open_graph(*BOOTSTRAP), permissions=[more], catalogue_permissions=[more])
    assert granted(server) == ["Microsoft Graph/Mail.Read"]


def test_the_automation_never_changes_itself(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    own = read_token(graph._token).app_id
    server.truth.find("applications", appId=own)[0]["uniqueName"] = "acme-profit"
    server.plan()
    named: list[dict[str, Any]] = [{}, {"app_id": own}, {"display_name": "automation"}]
    for params in named:
        if params:
            params["unique_name"] = None
        with pytest.raises(Refused, match="never changes itself"):
            run(graph, **params)
    assert {method for method, _path in server.requests} == {"GET"}


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"permissions": [{"resource": "Microsoft Graph", "role": "mail.send"}]}, "only what an ERP needs"),
        ({"unique_name": None, "app_id": "acme"}, 'app_id "acme": it is no GUID'),
        ({"unique_name": None, "app_id": str(uuid.uuid4())}, "there is no such application"),
        ({"unique_name": None, "display_name": "Nobody"}, "there is no such application"),
        ({"owners": ["admin@acme.example"]}, "an owner is named by its object id"),
        ({"accept_unknown_grants": ["x"]}, "only with exclusive: true"),
    ],
)
def test_what_is_wrong_is_refused(
    server: EntraServer, open_graph: OpenGraph, params: dict[str, Any], said: str
) -> None:
    graph = open_graph(*BOOTSTRAP)
    server.plan()
    with pytest.raises(Refused, match=said):
        run(graph, **params)
    assert {method for method, _path in server.requests} <= {"GET"}


def test_a_role_that_the_tenant_does_not_have_is_refused(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    odd = {"resource": "Microsoft Graph", "role": "Mail.Sende"}
    with pytest.raises(Refused, match=r"has no application permission Mail.Sende; did you mean Mail.Send\?"):
        run(graph, permissions=[odd], catalogue_permissions=[odd])


# --- names ---


def test_a_display_name_alone_must_be_unique(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP, "Application.ReadWrite.All")
    first = server.directory.new_application({"displayName": "AFAS Profit"}, None, [])
    server.plan()
    run(graph, unique_name=None)
    assert first["requiredResourceAccess"] and len(server.truth.find("applications", displayName="AFAS Profit")) == 1
    second = server.directory.new_application({"displayName": "AFAS Profit"}, None, [])
    server.plan()
    with pytest.raises(Refused, match="2 applications have this display name") as caught:
        run(graph, unique_name=None)
    assert first["appId"] in str(caught.value) and second["appId"] in str(caught.value)
    run(graph, unique_name=None, display_name=None, app_id=second["appId"].upper())
    assert second["requiredResourceAccess"] == first["requiredResourceAccess"]


def test_a_namesake_is_left_alone(server: EntraServer, open_graph: OpenGraph) -> None:
    other = server.directory.new_application({"displayName": "AFAS Profit"}, None, [])
    graph = open_graph(*BOOTSTRAP)
    before = dict(other)
    outcome = run(graph)
    assert other == before and other["appId"] in outcome.plan.warnings[0]
    assert len(server.truth.find("applications", displayName="AFAS Profit")) == 2


# --- what goes wrong with the real one ---


@pytest.mark.parametrize("unseen", [404, 403])
@pytest.mark.parametrize("flapping", [False, True])
@pytest.mark.parametrize("lag", [1, 3, 8])
def test_lag_is_waited_for(server: EntraServer, open_graph: OpenGraph, lag: int, flapping: bool, unseen: int) -> None:
    graph = open_graph(*BOOTSTRAP)
    server.plan(lag=lag, flapping=flapping, unseen=unseen)
    run(graph)
    assert granted(server) == NAMES
    assert not run(graph).plan.changes


@pytest.mark.parametrize("kind", ["429", "429-silent", "503", "504", LOST, DROPPED])
def test_each_fault_at_each_request(server: EntraServer, open_graph: OpenGraph, kind: str) -> None:
    graph = open_graph(*BOOTSTRAP)
    for number in range(1, 12):
        name = f"erp-{number}"
        server.plan(faults={number: kind}, lag=2)
        run(graph, unique_name=name)
        (made,) = server.truth.find("applications", uniqueName=name)
        (principal,) = server.truth.find("servicePrincipals", appId=made["appId"])
        assert len(server.truth.find("appRoleAssignments", principalId=principal["id"])) == 2, number
        assert not run(graph, unique_name=name).plan.changes, number


class Killed(BaseException):
    """The run ends here, as by a signal."""


@pytest.mark.parametrize(("moment", "lag"), [("before", 4), ("after", 0)])
def test_a_run_that_dies_at_any_request_is_finished_by_the_next(
    server: EntraServer, open_graph: OpenGraph, moment: str, lag: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, survivor = open_graph(*BOOTSTRAP, "Application.ReadWrite.All"), None
    send = graph._send
    for number in range(1, 100):
        name = f"erp-{number}"
        server.plan(lag=lag)

        def dying(*arguments: Any, at: int = number) -> Any:
            if moment == "before" and len(server.requests) + 1 == at:
                raise Killed
            answer = send(*arguments)
            if moment == "after" and len(server.requests) == at:
                raise Killed
            return answer

        monkeypatch.setattr(graph, "_send", dying)
        try:
            run(graph, unique_name=name)
            survivor = name
        except Killed:
            pass
        monkeypatch.setattr(graph, "_send", send)
        run(graph, unique_name=name)
        (made,) = server.truth.find("applications", uniqueName=name)
        (principal,) = server.truth.find("servicePrincipals", appId=made["appId"])
        assert len(server.truth.find("appRoleAssignments", principalId=principal["id"])) == 2
        if survivor:
            break
    assert survivor and number > 10


def test_what_never_arrives_is_told(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    run(graph)
    server.plan(lag=10**6)
    with pytest.raises(NotSeen, match="the application acme-profit: written, but not seen everywhere"):
        run(graph, notes="new")
    assert application(server)["notes"] == "new"
