# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mailboxes of an application on the test tenant: never without the right, never called limited when it is not."""

from __future__ import annotations

import contextlib
import datetime
import threading
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import AnswerLost, Graph, NotSeen
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.plugins.module_utils.entra.mail_scope import read_wanted_scope
from ansible_collections.mailroom.erp.plugins.module_utils.entra.mail_scope_run import ScopeOutcome, bring_scope
from ansible_collections.mailroom.erp.plugins.module_utils.entra.scope_commands import check_commands, scope_commands
from ansible_collections.mailroom.erp.plugins.module_utils.entra.token import read_token
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.servers.entra.directory import (
    EXCHANGE,
    EXCHANGE_ROLES,
    GRAPH,
    GRAPH_ROLES,
    MANAGEMENT_ROLES,
)
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer, every_fault
from ansible_collections.mailroom.erp.tests.servers.entra.rights import SCOPE, SEE_SCOPES
from ansible_collections.mailroom.erp.tests.unit.entra.conftest import BOOTSTRAP, OpenGraph

NOW = datetime.datetime(2026, 11, 29, 12, tzinfo=datetime.UTC)
SEND = "Application Mail.Send"
RIGHTS = [*BOOTSTRAP, *SCOPE, *SEE_SCOPES]
ERP: dict[str, Any] = {"unique_name": "erp", "roles": [SEND], "mailboxes": ["erp@acme.example"]}
GROUP: dict[str, Any] = {"unique_name": "erp", "roles": [SEND], "groups": ["senders"]}


class Tenant:
    """The test tenant with an application and a mailbox, and time that passes for both sides alike."""

    def __init__(self, server: EntraServer, open_graph: OpenGraph) -> None:
        self.server, self.directory = server, server.directory
        self.graph = open_graph(*RIGHTS)
        self.open_graph = open_graph
        self.directory.effect_minutes = 120.0
        self.user = self.directory.add_user("erp@acme.example")
        token = read_token(self.graph._token)
        (automation,) = server.truth.find("servicePrincipals", appId=token.app_id)
        self.application = self.directory.new_application({"displayName": "ERP"}, "erp", [automation["id"]])
        self.principal = self.directory.new_principal(self.application["appId"])
        self.directory.settle()

    def now(self) -> datetime.datetime:
        return NOW + datetime.timedelta(minutes=self.directory.minutes)

    def run(self, write: bool = True, graph: Graph | None = None, **params: Any) -> ScopeOutcome:
        graph = graph or self.graph
        token = read_token(graph._token)
        given = params if "roles" in params else {**ERP, **params}
        return bring_scope(graph, read_wanted_scope(given, token.app_id), token, write, self.now)

    def later(self, minutes: float) -> None:
        self.directory.minutes += minutes

    def grant(self, role: str = "Mail.Send") -> None:
        """Let the whole tenant grant it."""
        graph = self.server.truth.find("servicePrincipals", appId=GRAPH)[0]
        self.directory.assign(self.principal, graph, GRAPH_ROLES[role])
        self.directory.settle()

    @property
    def wide(self) -> list[dict[str, Any]]:
        return self.server.truth.find("appRoleAssignments", principalId=self.principal["id"])

    @property
    def scopes(self) -> list[str]:
        return sorted(one["directoryScopeId"] for one in self.server.truth["roleAssignments"].values())

    def may_send(self, user: dict[str, Any] | None = None) -> bool:
        return self.directory.may_act(self.application["appId"], user or self.user)

    def writes(self) -> list[tuple[str, str]]:
        return [one for one in self.server.requests if one[0] != "GET"]


@pytest.fixture
def tenant(server: EntraServer, open_graph: OpenGraph) -> Tenant:
    return Tenant(server, open_graph)


def kinds(outcome: ScopeOutcome) -> list[str]:
    return [one.kind for one in outcome.findings]


def test_a_mailbox_is_granted_and_told_from_effective(tenant: Tenant) -> None:
    first = tenant.run()
    assert first.changed and first.end.state == "granted" and tenant.scopes == [f"/Users/{tenant.user['id']}"]
    assert kinds(first) == ["not_effective", "access_policy"]
    assert "until 2026-11-29T14:00:00Z" in first.findings[0].reason
    tenant.later(119)
    assert tenant.run().end.state == "granted" and not tenant.may_send()
    tenant.later(1)
    last = tenant.run()
    assert (last.end.state, last.end.roles[0].effective_by) == ("effective", "time") and tenant.may_send()
    assert kinds(last) == ["access_policy"] and last.findings[0].result == "unknown"


def test_the_tenants_grant_goes_only_when_the_scope_must_be_in_force(tenant: Tenant) -> None:
    stranger = tenant.directory.add_user("boss@acme.example")
    tenant.grant()
    first = tenant.run()
    assert first.end.state == "tenant_wide" and len(tenant.wide) == 1 and tenant.may_send(stranger)
    assert [one.kind for one in first.failures] == ["tenant_wide"]
    tenant.later(60)
    second = tenant.run()
    assert not second.changed and second.end.state == "tenant_wide" and len(tenant.wide) == 1
    tenant.later(60)
    assert tenant.run(write=False).end.state == "effective" and len(tenant.wide) == 1
    third = tenant.run()
    assert third.changed and third.end.state == "effective" and third.failures == []
    assert tenant.wide == [] and tenant.may_send() and not tenant.may_send(stranger)


def test_a_confirmed_assignment_of_another_hand_is_not_waited_for(tenant: Tenant) -> None:
    made = tenant.directory.assign_role(
        tenant.principal["id"], MANAGEMENT_ROLES[SEND], f"/Users/{tenant.user['id']}", None
    )
    tenant.grant()
    other = ["11111111-1111-4111-8111-111111111111"]
    assert tenant.run(write=False, confirmed_assignments=other).end.state == "tenant_wide"
    confirmed = tenant.run(confirmed_assignments=[made["id"].upper()])
    assert (confirmed.end.state, confirmed.end.roles[0].effective_by) == ("effective", "confirmed")
    assert confirmed.end.roles[0].effective_at is None and tenant.wide == [] and tenant.application["tags"] == []


def test_an_assignment_that_is_known_to_be_young_is_waited_for_whoever_vouches(tenant: Tenant) -> None:
    tenant.grant()
    tenant.run()
    confirmed = list(tenant.server.truth["roleAssignments"])
    tenant.later(119)
    assert not tenant.run(confirmed_assignments=confirmed).changed and len(tenant.wide) == 1
    tenant.later(1)
    assert tenant.run(confirmed_assignments=confirmed).end.roles[0].effective_by == "time" and tenant.wide == []


def test_without_waiting_one_run_does_it_all(tenant: Tenant) -> None:
    tenant.grant()
    check = tenant.run(write=False, settle=0)
    done = tenant.run(settle=0)
    assert done.end.state == check.end.state == "effective" and tenant.wide == [] and len(tenant.scopes) == 1
    assert (check.plan.before, check.plan.after) == (done.plan.before, done.end.after)


@pytest.mark.parametrize("effective", [False, True])
def test_an_unchanged_run_writes_nothing_and_asks_little(tenant: Tenant, effective: bool) -> None:
    tenant.run()
    tenant.later(120 if effective else 0)
    for _time in range(20):
        tenant.server.plan()
        outcome = tenant.run()
        assert not outcome.changed and tenant.writes() == [] and outcome.plan.before == outcome.end.after
        assert len(tenant.server.requests) == 8


def test_an_unchanged_run_needs_no_right_to_write(tenant: Tenant) -> None:
    tenant.run()
    tenant.later(120)
    reader = tenant.open_graph("Application.Read.All", "RoleManagement.Read.Exchange", *SEE_SCOPES)
    assert tenant.run(graph=reader).end.state == "effective"


def test_check_mode_on_an_empty_tenant_says_what_would_be(server: EntraServer, open_graph: OpenGraph) -> None:
    server.directory.add_user("erp@acme.example")
    server.directory.settle()
    graph = open_graph(*RIGHTS)
    token = read_token(graph._token)
    server.plan()
    wanted = read_wanted_scope(ERP, token.app_id)
    outcome = bring_scope(graph, wanted, token, False, lambda: NOW)
    assert outcome.changed and outcome.end.state == "granted" and outcome.found.application is None
    assert outcome.plan.before == {SEND: []} and outcome.end.after == {SEND: ["mailbox erp@acme.example"]}
    assert {method for method, _path in server.requests} == {"GET"}
    with pytest.raises(Refused, match="there is no such application in the tenant"):
        bring_scope(graph, wanted, token, True, lambda: NOW)


@pytest.mark.parametrize("lag", [0, 4])
def test_check_mode_shows_what_the_run_does(tenant: Tenant, lag: int) -> None:
    tenant.server.plan(lag=lag)
    check = tenant.run(write=False)
    assert tenant.writes() == []
    done = tenant.run()
    assert check.changed and (check.plan.before, check.end.after) == (done.plan.before, done.end.after)
    assert len(tenant.scopes) == 1


def test_several_roles_and_mailboxes_are_one_assignment_each(tenant: Tenant) -> None:
    other = tenant.directory.add_user("payroll@acme.example", purpose="shared", enabled=False)
    tenant.directory.settle()
    roles = [SEND, "Application Mail.ReadWrite"]
    outcome = tenant.run(roles=roles, unique_name="erp", mailboxes=["erp@acme.example", "payroll@acme.example"])
    assert tenant.scopes == sorted([f"/Users/{one['id']}" for one in (tenant.user, other)] * 2)
    assert [one.role for one in outcome.end.roles] == roles
    assert [(one.subject, one.result) for one in outcome.findings if one.kind == "shared_mailbox"] == [
        ("payroll@acme.example", "note")
    ]
    tenant.server.plan()
    assert not tenant.run(
        roles=roles, unique_name="erp", mailboxes=["payroll@acme.example", "erp@acme.example"]
    ).changed


def test_two_addresses_of_one_mailbox_are_one_assignment(tenant: Tenant) -> None:
    tenant.directory.add_user("a@acme.example", "b@acme.example")
    tenant.directory.settle()
    tenant.run(mailboxes=["a@acme.example", "b@acme.example"])
    assert len(tenant.scopes) == 1


def test_a_group_counts_with_its_direct_members_only(tenant: Tenant) -> None:
    directory = tenant.directory
    inner = directory.add_user("inner@acme.example")
    nested = directory.add_group("nested", inner)
    bare = directory.add_user("bare@acme.example", purpose=None)
    shared = directory.add_user("shared@acme.example", purpose="shared")
    directory.add_group("senders", tenant.user, nested, bare, shared, tenant.principal)
    directory.settle()
    outcome = tenant.run(**GROUP)
    told = {one.subject: one.kind for one in outcome.findings}
    assert told["senders: nested@acme.example"] == "nested_group"
    assert told["senders: bare@acme.example"] == "not_mail_enabled"
    assert told["shared@acme.example"] == "shared_mailbox"
    assert [one.result for one in outcome.findings].count("fail") == 3, "and the service principal in it"
    assert outcome.places[0].addresses == ("erp@acme.example", "shared@acme.example")
    tenant.later(120)
    assert tenant.may_send() and tenant.may_send(shared) and not tenant.may_send(inner)
    for name in ("senders@acme.example", outcome.places[0].directory_scope.rpartition("/")[2]):  # type: ignore[union-attr]
        assert not tenant.run(**{**GROUP, "groups": [name]}).changed


def test_an_administrative_unit_and_a_management_scope(tenant: Tenant) -> None:
    unit = tenant.directory.add_unit("Sending", tenant.user)
    custom = tenant.directory.add_custom_scope("ERP boxes", "CustomAttribute1 -eq 'erp'")
    tenant.directory.settle()
    erp: dict[str, Any] = {"unique_name": "erp", "roles": [SEND]}
    assert tenant.run(**erp, administrative_unit="Sending").end.state == "granted"
    assert tenant.scopes == [f"/AdministrativeUnits/{unit['id']}"]
    tenant.later(120)
    assert not tenant.run(**erp, administrative_unit=unit["id"]).changed
    outcome = tenant.run(**erp, custom_scope="ERP boxes")
    held = tenant.server.truth.find("roleAssignments", appScopeId=custom["id"])
    assert len(held) == 1 and held[0]["directoryScopeId"] is None
    assert "CustomAttribute1 -eq 'erp'" in next(one.reason for one in outcome.findings if one.kind == "custom_scope")
    assert "undeclared_scope" in kinds(outcome)


def test_scopes_that_nobody_declared_are_told_and_go_when_exclusive(tenant: Tenant) -> None:
    other = tenant.directory.add_user("old@acme.example")
    tenant.directory.assign_role(tenant.principal["id"], MANAGEMENT_ROLES[SEND], f"/users/{other['id']}", None)
    tenant.directory.settle()
    assert [one.kind for one in tenant.run().failures] == ["undeclared_scope"]
    assert len(tenant.scopes) == 2
    assert not tenant.run(exclusive=True).changed, "the declared one may not be in force yet"
    tenant.later(120)
    assert tenant.run().changed is False
    outcome = tenant.run(exclusive=True)
    assert outcome.changed and outcome.failures == [] and tenant.scopes == [f"/Users/{tenant.user['id']}"]


@pytest.mark.parametrize(("directory_scope", "app_scope"), [("/", None), (None, "/"), ("/", "/"), (None, None)])
def test_a_grant_of_exchange_for_all_mailboxes_is_a_grant_of_the_tenant(
    tenant: Tenant, directory_scope: str | None, app_scope: str | None
) -> None:
    """Microsoft's pages show the first; the others are in no description, and would limit nothing."""
    tenant.directory.assign_role(tenant.principal["id"], MANAGEMENT_ROLES[SEND], directory_scope, app_scope)
    tenant.directory.settle()
    assert tenant.run().end.state == "tenant_wide"
    tenant.later(120)
    assert tenant.run().end.state == "effective" and tenant.scopes == [f"/Users/{tenant.user['id']}"]


def test_a_wider_right_is_never_called_limited_and_never_taken_away(tenant: Tenant) -> None:
    full = MANAGEMENT_ROLES["Application Mail Full Access"]
    tenant.directory.assign_role(tenant.principal["id"], full, "/", None)
    tenant.directory.assign_role(tenant.principal["id"], full, f"/Users/{tenant.user['id']}", None)
    exchange = tenant.server.truth.find("servicePrincipals", appId=EXCHANGE)[0]
    tenant.directory.assign(tenant.principal, exchange, EXCHANGE_ROLES["full_access_as_app"])
    tenant.directory.settle()
    tenant.run()
    tenant.later(120)
    outcome = tenant.run()
    assert outcome.end.state == "tenant_wide" and len(tenant.scopes) == 3 and len(tenant.wide) == 1
    assert sorted(one.kind for one in outcome.failures) == ["undeclared_scope", "wider_right", "wider_right"]
    assert outcome.end.roles[0].still_wide == [
        "Office 365 Exchange Online/full_access_as_app",
        "Exchange: Application Mail Full Access",
    ]


def test_a_permission_that_is_still_asked_for_is_told(tenant: Tenant) -> None:
    entry = {"resourceAppId": GRAPH, "resourceAccess": [{"id": GRAPH_ROLES["Mail.Send"], "type": "Role"}]}
    tenant.application["requiredResourceAccess"] = [entry]
    tenant.directory.settle()
    (finding,) = (one for one in tenant.run().findings if one.kind == "requested")
    assert finding.subject == "Microsoft Graph/Mail.Send" and "access: scoped" in str(finding.next_step)


def test_smtp_has_its_grant_at_the_other_api(tenant: Tenant) -> None:
    exchange = tenant.server.truth.find("servicePrincipals", appId=EXCHANGE)[0]
    tenant.directory.assign(tenant.principal, exchange, EXCHANGE_ROLES["SMTP.SendAsApp"])
    tenant.grant("Mail.Read")
    erp = {**ERP, "roles": ["Application SMTP.SendAsApp"]}
    assert tenant.run(**erp).end.state == "tenant_wide"
    tenant.later(120)
    assert tenant.run(**erp).end.state == "effective"
    assert [one["appRoleId"] for one in tenant.wide] == [GRAPH_ROLES["Mail.Read"]], "another right is left alone"


def test_absent_takes_every_scope_away_and_leaves_the_tenant_alone(tenant: Tenant) -> None:
    tenant.run()
    tenant.grant()
    tenant.application["tags"].append("somebody's own")
    tenant.directory.settle()
    away: dict[str, Any] = {"unique_name": "erp", "roles": [SEND], "state": "absent"}
    check = tenant.run(write=False, **away)
    assert check.changed and check.end.state == "tenant_wide" and len(tenant.scopes) == 1
    outcome = tenant.run(**away)
    assert tenant.scopes == [] and len(tenant.wide) == 1 and tenant.application["tags"] == ["somebody's own"]
    assert (check.plan.before, check.end.after) == (outcome.plan.before, outcome.end.after)
    tenant.server.plan()
    assert not tenant.run(**away).changed and tenant.writes() == []
    assert not tenant.run(**{**away, "unique_name": "nobody"}).changed


def test_an_age_that_cannot_be_written_down_is_told(tenant: Tenant) -> None:
    """A sign-in that is not the application's owner grants the mailboxes, and then only a confirmation helps."""
    tenant.grant()
    rights = [*SCOPE, *SEE_SCOPES, "Application.Read.All", "AppRoleAssignment.ReadWrite.All"]
    for graph in (tenant.open_graph(*rights), tenant.open_graph(*rights, "Application.ReadWrite.OwnedBy")):
        outcome = tenant.run(graph=graph)
        assert "not_remembered" in kinds(outcome) and outcome.end.state == "tenant_wide"
    assert len(tenant.scopes) == 1 and tenant.application["tags"] == []
    tenant.later(300)
    assert tenant.run(graph=graph).end.state == "tenant_wide"
    (assignment,) = tenant.server.truth["roleAssignments"]
    assert tenant.run(graph=graph, confirmed_assignments=[assignment]).end.state == "effective"


def test_an_assignment_of_another_hand_is_waited_for_from_when_it_was_seen(tenant: Tenant) -> None:
    tenant.directory.assign_role(tenant.principal["id"], MANAGEMENT_ROLES[SEND], f"/users/{tenant.user['id']}", None)
    tenant.grant()
    tenant.later(1000)
    outcome = tenant.run()
    assert outcome.changed and outcome.end.state == "tenant_wide" and len(tenant.scopes) == 1
    assert tenant.application["tags"][0].endswith("since 2026-11-30T04:40:00Z")


@pytest.mark.parametrize(
    "tag",
    [
        "mailroom.erp scope {} since yesterday",
        "mailroom.erp scope {} since 2026-11-29T11:59:00",
        "mailroom.erp scope {}",
    ],
)
def test_a_time_that_is_none_is_no_proof(tenant: Tenant, tag: str) -> None:
    tenant.grant()
    made = tenant.directory.assign_role(
        tenant.principal["id"], MANAGEMENT_ROLES[SEND], f"/Users/{tenant.user['id']}", None
    )
    tenant.application["tags"] = [tag.format(made["id"])]
    tenant.later(500)
    tenant.directory.settle()
    assert tenant.run().end.state == "tenant_wide" and len(tenant.wide) == 1


WRONG = [
    ({"app_id": "x", "unique_name": None}, "it is no GUID"),
    ({"mailboxes": []}, "a scope is of one kind, and none is given"),
    ({"groups": ["senders"]}, "a scope is of one kind, and mailboxes, groups is given"),
    ({"state": "absent"}, "with state: absent, every scope of these roles is taken away"),
    ({"settle": -1}, "it is less than nothing"),
    ({"confirmed_assignments": ["the first"]}, "confirmed_assignments .the first.: it is no GUID"),
    ({"roles": [], "mailboxes": ["a@b.example"]}, "no role is named"),
]


@pytest.mark.parametrize(("params", "told"), WRONG)
def test_what_contradicts_itself_is_refused_before_anything_is_asked(params: dict[str, Any], told: str) -> None:
    with pytest.raises(Refused, match=told):
        read_wanted_scope({**ERP, **params}, None)


def test_the_automation_never_limits_itself(tenant: Tenant) -> None:
    own = str(read_token(tenant.graph._token).app_id)
    with pytest.raises(Refused, match="never changes itself"):
        tenant.run(**{**ERP, "unique_name": None, "app_id": own})
    tenant.server.truth.find("applications", appId=own)[0]["uniqueName"] = "automation"
    tenant.directory.settle()
    with pytest.raises(Refused, match="never changes itself"):
        tenant.run(**{**ERP, "unique_name": "automation"})
    assert tenant.scopes == []


def _wrong_places(tenant: Tenant) -> dict[str, tuple[dict[str, Any], str]]:
    directory = tenant.directory
    directory.add_user("bare@acme.example", purpose=None)
    directory.add_group("empty")
    directory.add_group("security", tenant.user, mail=False)
    directory.add_group("twin", tenant.user)
    directory.add_group("twin", tenant.user)
    directory.add_group("nest", directory.add_group("inner", tenant.user))
    directory.add_unit("nobody")
    directory.add_custom_scope("exclusive", "Title -eq 'x'", exclusive=True)
    directory.settle()
    foreign = "99999999-9999-4999-8999-999999999999"
    return {
        "no mailbox of this name": ({"mailboxes": ["gone@acme.example"]}, "nobody in the tenant has this address"),
        "an account alone": ({"mailboxes": ["bare@acme.example"]}, "the account has no mailbox"),
        "no address": ({"mailboxes": ["erp"]}, "mailboxes .erp.: an address is name@domain"),
        "an empty group": ({"groups": ["empty"]}, "no direct member of it is a mailbox"),
        "only nested": ({"groups": ["nest"]}, "no direct member of it is a mailbox"),
        "no mail-enabled group": ({"groups": ["security"]}, "mail-enabled security groups, and this is none"),
        "two groups": ({"groups": ["twin"]}, "several have this name"),
        "no group": ({"groups": ["gone"]}, "groups .gone.: this tenant has none of this name or id"),
        "a user as a group": ({"groups": [tenant.user["id"]]}, "this tenant has none of this name or id"),
        "a unit of another tenant": ({"administrative_unit": foreign}, "this tenant has none of this name or id"),
        "an empty unit": ({"administrative_unit": "nobody"}, "no direct member of it is a mailbox"),
        "no management scope": ({"custom_scope": "gone"}, "this tenant has none of this name or id"),
        "an exclusive scope": ({"custom_scope": "exclusive"}, "exclusive management scopes do not restrict"),
    }


def test_a_place_that_is_wrong_is_told_in_one_message_and_nothing_changes(tenant: Tenant) -> None:
    tenant.grant()
    for name, (place, told) in _wrong_places(tenant).items():
        tenant.server.plan()
        for write in (False, True):
            with pytest.raises(Refused, match=told) as caught:
                tenant.run(write=write, unique_name="erp", roles=[SEND], **place)
            assert len(caught.value.problems) == 1 and str(caught.value).startswith("erp: "), name
        assert tenant.writes() == [] and tenant.scopes == [] and len(tenant.wide) == 1, name


LACKING = [
    ("User.Read.All", ERP, "mailboxes: this sign-in may not read it.*Grant the sign-in User.Read.All"),
    ("GroupMember.Read.All", GROUP, "groups: this sign-in may not read it.*GroupMember.Read.All"),
    (
        "AdministrativeUnit.Read.All",
        {"unique_name": "erp", "roles": [SEND], "administrative_unit": "Sending"},
        "administrative_unit: this sign-in may not read it",
    ),
    ("RoleManagement.ReadWrite.Exchange", ERP, "may not read the roles of Exchange"),
]


@pytest.mark.parametrize(("right", "declared", "told"), LACKING)
def test_a_sign_in_without_a_right_is_told_which(
    tenant: Tenant, right: str, declared: dict[str, Any], told: str
) -> None:
    graph = tenant.open_graph(*(one for one in RIGHTS if one != right))
    tenant.server.plan()
    with pytest.raises(Refused, match=told) as caught:
        tenant.run(graph=graph, **declared)
    assert len(caught.value.problems) == 1 and tenant.writes() == []


def test_a_sign_in_that_may_only_look_is_refused_before_it_writes(tenant: Tenant) -> None:
    reader = tenant.open_graph(*BOOTSTRAP, *SEE_SCOPES, "RoleManagement.Read.Exchange")
    with pytest.raises(Refused, match=r"this sign-in does not have RoleManagement.ReadWrite.Exchange"):
        tenant.run(graph=reader)
    tenant.grant()
    tenant.run()
    tenant.later(120)
    weak = tenant.open_graph(*SCOPE, *SEE_SCOPES, "Application.Read.All")
    tenant.server.plan()
    with pytest.raises(Refused, match=r"this sign-in does not have AppRoleAssignment.ReadWrite.All"):
        tenant.run(graph=weak)
    assert tenant.writes() == [] and len(tenant.wide) == 1


def test_a_role_that_the_tenant_has_not_is_refused(tenant: Tenant) -> None:
    del tenant.server.truth["roleDefinitions"][MANAGEMENT_ROLES["Application SMTP.SendAsApp"]]
    tenant.directory.settle()
    with pytest.raises(
        Refused, match=r"roles .Application SMTP.SendAsApp.: Exchange Online of this tenant has no such"
    ):
        tenant.run(roles=["Application SMTP.SendAsApp"], unique_name="erp", mailboxes=["erp@acme.example"])


def test_members_that_may_not_be_read_are_unknown(tenant: Tenant) -> None:
    tenant.directory.add_group("senders", tenant.user)
    tenant.directory.settle()
    graph = tenant.open_graph(*(one for one in RIGHTS if one != "User.Read.All"))
    outcome = tenant.run(graph=graph, **GROUP)
    assert "members_unknown" in kinds(outcome) and "not_mail_enabled" not in kinds(outcome)


def test_the_members_of_a_great_group_are_not_all_looked_at(tenant: Tenant) -> None:
    tenant.directory.add_group("senders", *(tenant.directory.add_user(f"u{n}@acme.example") for n in range(30)))
    tenant.server.plan()
    outcome = tenant.run(write=False, **GROUP)
    (finding,) = (one for one in outcome.findings if one.kind == "members_unknown")
    assert finding.reason.startswith("whether 10 of its members") and len(tenant.server.requests) < 30


def test_commands_quote_what_stands_in_them(tenant: Tenant) -> None:
    tenant.directory.add_user("o'brien@acme.example")
    group = tenant.directory.add_group("senders", tenant.user)
    unit = tenant.directory.add_unit("Sending", tenant.user)
    tenant.directory.add_custom_scope("O'Brien's", "Title -eq 'x'")
    tenant.directory.settle()
    erp: dict[str, Any] = {"unique_name": "erp", "roles": [SEND]}
    app_id, principal = tenant.application["appId"], tenant.principal["id"]
    assigned = f"New-ManagementRoleAssignment -App {principal} -Role 'Application Mail.Send'"
    filtered = "'PrimarySmtpAddress -eq ''o''''brien@acme.example'''"
    made = f"New-ManagementScope -Name 'erp o''brien@acme.example' -RecipientRestrictionFilter {filtered}"
    expected: list[tuple[dict[str, Any], list[str]]] = [
        (
            {"mailboxes": ["o'brien@acme.example"]},
            [made, f"{assigned} -CustomResourceScope 'erp o''brien@acme.example'"],
        ),
        ({"groups": ["senders"]}, [f"{assigned} -RecipientGroupScope {group['id']}"]),
        ({"administrative_unit": "Sending"}, [f"{assigned} -RecipientAdministrativeUnitScope {unit['id']}"]),
        ({"custom_scope": "O'Brien's"}, [f"{assigned} -CustomResourceScope 'O''Brien''s'"]),
    ]
    first = f"New-ServicePrincipal -AppId {app_id} -ObjectId {principal} -DisplayName 'erp'"
    for place, lines in expected:
        outcome = tenant.run(write=False, **erp, **place)
        wanted = read_wanted_scope({**erp, **place}, None)
        assert scope_commands(wanted, app_id, principal, outcome.places) == [first, *lines]
    outcome = tenant.run(write=False, **erp, mailboxes=["o'brien@acme.example"])
    assert check_commands(principal, outcome.places) == [
        f"Test-ServicePrincipalAuthorization -Identity {principal} -Resource 'o''brien@acme.example'"
    ]


def test_a_grant_is_known_by_its_id_whatever_the_api_is_called(tenant: Tenant) -> None:
    tenant.server.truth.find("servicePrincipals", appId=GRAPH)[0]["displayName"] = "Microsoft/Graph"
    tenant.grant()
    assert tenant.run().end.state == "tenant_wide"


def test_of_two_times_the_later_counts(tenant: Tenant) -> None:
    tenant.grant()
    tenant.run()
    (assignment,) = tenant.server.truth["roleAssignments"]
    tenant.application["tags"].append(f"mailroom.erp scope {assignment} since 2026-11-29T13:00:00Z")
    tenant.directory.settle()
    tenant.later(179)
    assert tenant.run().end.state == "tenant_wide"
    tenant.later(1)
    assert tenant.run().end.state == "effective"


# --- faults, lag and other runs ---

FAILURES = (GraphError, NotSeen, AnswerLost, Refused)
"""A misleading 403 is told as a right that is missing."""


def _with_faults(tenant: Tenant, number: int, fault: str) -> None:
    """A run of which one request goes wrong, and the run that follows: both are watched at every request."""
    lost: list[str] = []

    def watch(count: int, moment: str) -> None:
        if not tenant.may_send():
            lost.append(f"request {count} {moment}")

    tenant.server.plan(faults={number: fault}, lag=number % 4)
    tenant.server.hook = watch
    with contextlib.suppress(*FAILURES):
        tenant.run()
    tenant.server.plan()
    tenant.run()
    assert lost == [], (number, fault)


def _fresh(tenant: Tenant) -> None:
    truth = tenant.server.truth
    truth["roleAssignments"].clear()
    for one in tenant.wide:
        del truth["appRoleAssignments"][one["id"]]
    tenant.application["tags"] = []
    tenant.directory.settle()


def _faults(tenant: Tenant) -> list[tuple[int, str]]:
    tenant.server.plan()
    tenant.grant()
    tenant.run()
    return every_fault(len(tenant.server.requests))


def _goes_wrong(tenant: Tenant, number: int, fault: str) -> None:
    """First the assignment, two hours later the grant of the tenant: the same fault in either run."""
    _fresh(tenant)
    tenant.server.hook = lambda number, moment: None
    tenant.grant()
    _with_faults(tenant, number, fault)
    assert tenant.scopes == [f"/Users/{tenant.user['id']}"] and len(tenant.wide) == 1, (number, fault)
    tenant.later(121)
    _with_faults(tenant, number, fault)
    assert len(tenant.scopes) == 1 and tenant.wide == [], (number, fault)
    assert tenant.run().end.state == "effective"


def test_a_fault_ends_in_one_assignment_and_no_grant_of_the_tenant(tenant: Tenant) -> None:
    for number, fault in _faults(tenant)[::17]:
        _goes_wrong(tenant, number, fault)


@pytest.mark.slow
@pytest.mark.parametrize("share", range(4))
def test_any_fault_at_any_request_ends_in_one_assignment_and_no_grant_of_the_tenant(tenant: Tenant, share: int) -> None:
    faults = _faults(tenant)[share::4]
    for number, fault in faults:
        _goes_wrong(tenant, number, fault)
    assert len(faults) > 75


@pytest.mark.parametrize("flapping", [False, True])
def test_reads_that_lag_do_not_take_the_right_away(tenant: Tenant, flapping: bool) -> None:
    tenant.grant()
    tenant.server.plan(lag=9, flapping=flapping)
    tenant.run()
    tenant.later(121)
    tenant.server.plan(lag=9, flapping=flapping)
    tenant.server.hook = lambda number, moment: _must(tenant.may_send())
    assert tenant.run().end.state == "effective" and tenant.wide == [] and len(tenant.scopes) == 1


def test_an_assignment_that_only_an_old_answer_has_takes_no_grant_away(tenant: Tenant) -> None:
    """Somebody has just taken the assignment away: one replica still shows it, the others do not."""
    tenant.grant()
    tenant.run()
    tenant.later(121)
    impatient = tenant.open_graph(*RIGHTS, timeout=3.0)
    tenant.server.plan(lag=11)
    tenant.server.truth["roleAssignments"].clear()
    tenant.directory.commit(0)
    with pytest.raises(NotSeen):
        tenant.run(graph=impatient)
    assert len(tenant.wide) == 1 and tenant.scopes == []
    tenant.server.plan()
    assert tenant.run().end.state == "tenant_wide" and len(tenant.scopes) == 1


def _must(held: bool) -> None:
    assert held


def test_two_runs_at_the_same_time_leave_one_assignment(tenant: Tenant) -> None:
    tenant.grant()
    tenant.server.plan(lag=6)
    graphs = [tenant.open_graph(*RIGHTS) for _run in range(3)]
    failed: list[BaseException] = []

    def work(graph: Graph) -> Callable[[], None]:
        def run() -> None:
            try:
                tenant.run(graph=graph)
            except FAILURES as error:
                failed.append(error)

        return run

    threads = [threading.Thread(target=work(graph)) for graph in graphs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tenant.server.plan()
    tenant.run()
    assert len(tenant.scopes) == 1 and tenant.may_send() and failed == []
