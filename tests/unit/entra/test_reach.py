# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mailboxes that an application may send from, on the test tenant: a sender outside them is told."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.entra.people import SenderState, read_sender_addresses
from ansible_collections.mailroom.erp.plugins.module_utils.entra.reach import (
    ApplicationReach,
    judged_by_reach,
    read_reach,
)
from ansible_collections.mailroom.erp.tests.servers.entra.directory import (
    EXCHANGE,
    EXCHANGE_ROLES,
    GRAPH,
    GRAPH_ROLES,
    MANAGEMENT_ROLES,
)
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import READ_APPLICATIONS, SEE_SCOPES, SEE_SENDERS
from ansible_collections.mailroom.erp.tests.unit.entra.conftest import OpenGraph

SEND = "Application Mail.Send"
SEE_ROLES = "RoleManagement.Read.Exchange"
ALL_RIGHTS = [READ_APPLICATIONS, *SEE_SENDERS, *SEE_SCOPES, SEE_ROLES]


class Erp:
    """An application with a mailbox of its own, and the mailbox of somebody else."""

    def __init__(self, server: EntraServer, open_graph: OpenGraph) -> None:
        self.server, self.directory, self.open_graph = server, server.directory, open_graph
        self.user, self.boss = (self.directory.add_user(f"{name}@acme.example") for name in ("erp", "boss"))
        self.application = self.directory.new_application({"displayName": "ERP"}, "erp", [])
        self.principal = self.directory.new_principal(self.application["appId"])
        self.directory.settle()

    def grant(self, api: str, role_id: str) -> None:
        (resource,) = self.server.truth.find("servicePrincipals", appId=api)
        self.directory.assign(self.principal, resource, role_id)
        self.directory.settle()

    def assign(self, scope: str | None, app_scope: str | None = None, role: str = SEND) -> None:
        self.directory.assign_role(self.principal["id"], MANAGEMENT_ROLES[role], scope, app_scope)
        self.directory.settle()

    def look(self, *rights: str) -> tuple[ApplicationReach, dict[str, SenderState]]:
        graph = self.open_graph(*(rights or ALL_RIGHTS))
        reach = read_reach(graph, "erp")
        found = read_sender_addresses(graph, ["erp@acme.example", "boss@acme.example"])
        return reach, {one.address.partition("@")[0]: judged_by_reach(reach, one) for one in found}

    def results(self, *rights: str) -> tuple[bool | None, str, str]:
        reach, senders = self.look(*rights)
        return reach.every_mailbox, senders["erp"].result, senders["boss"].result


@pytest.fixture
def erp(server: EntraServer, open_graph: OpenGraph) -> Erp:
    return Erp(server, open_graph)


def test_a_planned_application_says_nothing_of_senders(server: EntraServer, open_graph: OpenGraph) -> None:
    server.directory.add_user("erp@acme.example")
    server.directory.settle()
    graph = open_graph(*ALL_RIGHTS)
    server.plan()
    reach = read_reach(graph, "erp")
    assert len(server.requests) == 2
    planned: dict[str, Any] = {"exists": False, "app_id": None, "granted": [], "every_mailbox": None, "scopes": []}
    assert reach.as_dict() == planned
    (sender,) = read_sender_addresses(graph, ["erp@acme.example"])
    assert judged_by_reach(reach, sender) == sender and reach.has(sender.user) is None


@pytest.mark.parametrize(
    ("api", "role_id"),
    [
        (GRAPH, GRAPH_ROLES["Mail.Send"]),
        (EXCHANGE, EXCHANGE_ROLES["SMTP.SendAsApp"]),
        (EXCHANGE, EXCHANGE_ROLES["full_access_as_app"]),
    ],
)
def test_what_the_whole_tenant_grants_reaches_every_mailbox(erp: Erp, api: str, role_id: str) -> None:
    erp.grant(api, role_id)
    erp.assign(f"/Users/{erp.user['id']}")
    erp.server.plan()
    assert erp.results() == (True, "pass", "pass")
    asked = [path for _method, path in erp.server.requests]
    assert not any("roleManagement" in path for path in asked), "what Exchange assigns adds nothing then"


def test_a_sender_outside_the_scope_fails(erp: Erp) -> None:
    erp.grant(GRAPH, GRAPH_ROLES["Mail.ReadWrite"])
    erp.assign(f"/users/{erp.user['id'].upper()}")
    reach, senders = erp.look()
    assert (reach.every_mailbox, [one.lower() for one in reach.scopes]) == (False, [f"/users/{erp.user['id']}"])
    assert (reach.has(erp.user), reach.has(erp.boss), reach.has(None)) == (True, False, None)
    assert (senders["erp"].result, senders["boss"].result) == ("pass", "fail")
    assert senders["boss"].reason == "the application may not send from this mailbox"
    assert "entra_mail_scope" in str(senders["boss"].next_step)


def test_an_application_without_any_right_sends_from_none(erp: Erp) -> None:
    erp.assign(f"/Users/{erp.user['id']}", role="Application Mail.ReadWrite")
    assert erp.results() == (False, "fail", "fail"), "to read a mailbox is not to send from it"


def test_a_wider_role_lets_send_too(erp: Erp) -> None:
    erp.assign(f"/Users/{erp.user['id']}", role="Application Mail Full Access")
    assert erp.results() == (False, "pass", "fail")


def test_exchange_may_grant_every_mailbox_as_well(erp: Erp) -> None:
    erp.assign("/")
    assert erp.results() == (True, "pass", "pass")


def test_what_may_not_be_seen_is_no_pass(erp: Erp) -> None:
    erp.assign(f"/Users/{erp.user['id']}")
    reach, senders = erp.look(READ_APPLICATIONS, *SEE_SENDERS)
    assert reach.every_mailbox is None and reach.has(erp.user) is None
    assert {one.result for one in senders.values()} == {"unknown"}
    assert SEE_ROLES in str(senders["erp"].next_step)


@pytest.mark.parametrize("kind", ["group", "unit"])
def test_direct_members_of_a_group_or_unit_are_in_its_scope(erp: Erp, kind: str) -> None:
    inner = erp.directory.add_group("inner", erp.boss)
    add = erp.directory.add_group if kind == "group" else erp.directory.add_unit
    holder = add("senders", erp.user, inner)
    erp.assign(f"/{'Groups' if kind == 'group' else 'AdministrativeUnits'}/{holder['id']}")
    assert erp.results() == (False, "pass", "fail"), "a nested group's members are not reached"
    every, own, other = erp.results(READ_APPLICATIONS, *SEE_SENDERS, SEE_ROLES)
    assert (every, own, other) == (False, "unknown", "unknown")


def test_a_group_that_is_gone_holds_nobody(erp: Erp) -> None:
    erp.assign(f"/Groups/{uuid.uuid4()}")
    assert erp.results() == (False, "fail", "fail")


def test_who_a_management_scope_finds_is_not_known_but_others_are(erp: Erp) -> None:
    scope = erp.directory.add_custom_scope("erp", "Department -eq 'ERP'")
    erp.assign(None, scope["id"])
    erp.assign(f"/Users/{erp.user['id']}")
    assert erp.results() == (False, "pass", "unknown")


def test_a_sender_that_fails_anyway_keeps_its_own_reason(erp: Erp) -> None:
    graph = erp.open_graph(*ALL_RIGHTS)
    (nobody,) = read_sender_addresses(graph, ["nobody@acme.example"])
    assert judged_by_reach(read_reach(graph, "erp"), nobody) == nobody and nobody.result == "fail"
