# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sender addresses in the test tenant: which may be used, and what to do about the others."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.plugins.module_utils.entra.people import read_sender_addresses
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import SEE_SENDERS
from ansible_collections.mailroom.erp.tests.unit.entra.conftest import OpenGraph


@pytest.fixture
def people(server: EntraServer) -> None:
    directory = server.directory
    directory.add_domain("new.example", verified=False)
    directory.add_user("erp@acme.example", "finance@acme.example")
    directory.add_user("shared@acme.example", purpose="shared", enabled=False)
    directory.add_user("room@acme.example", purpose="room")
    directory.add_user("bare@acme.example", purpose=None)
    directory.add_user("old@new.example")
    renamed = directory.add_user("login@acme.example")
    renamed["proxyAddresses"] = ["SMTP:mail@acme.example"]
    directory.settle()


def look(graph: Graph, *addresses: str) -> list[dict[str, Any]]:
    return [one.as_dict() for one in read_sender_addresses(graph, addresses)]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("address", "result", "mailbox", "said"),
    [
        ("erp@acme.example", "pass", "user", "a user mailbox"),
        ("ERP@ACME.example", "pass", "user", "a user mailbox"),
        ("finance@acme.example", "pass", "user", "a user mailbox"),
        ("shared@acme.example", "pass", "shared", "a shared mailbox"),
        ("room@acme.example", "pass", "room", "a room mailbox"),
        ("bare@acme.example", "fail", "none", "has no mailbox"),
        ("old@new.example", "fail", "user", "not a verified domain"),
        ("nobody@acme.example", "fail", "none", "nobody in the tenant"),
        ("o'hara@acme.example", "fail", "none", "nobody in the tenant"),
        ("login@acme.example", "fail", "user", "no address of a mailbox"),
        ("mail@acme.example", "pass", "user", "a user mailbox"),
    ],
)
def test_each_sender_address_is_found_with_its_mailbox(
    open_graph: OpenGraph, address: str, result: str, mailbox: str, said: str
) -> None:
    (found,) = look(open_graph(*SEE_SENDERS), address)
    assert (found["result"], found["mailbox"]) == (result, mailbox) and said in found["reason"]
    assert (found["next_step"] is None) == (result == "pass")


@pytest.mark.usefixtures("people")
def test_what_is_told_about_a_mailbox(open_graph: OpenGraph) -> None:
    first, second, third = look(
        open_graph(*SEE_SENDERS),
        "finance@acme.example",
        "shared@acme.example",
        "finance@acme.example",
        "x@acme.example",
    )
    assert first["primary_address"] is False and first["user_principal_name"] == "erp@acme.example"
    assert second["primary_address"] is True and second["sign_in_enabled"] is False
    assert (third["exists"], third["user_id"], third["primary_address"]) == (False, None, None)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("rights", "said", "verified"),
    [
        (("User.Read.All", "Domain.Read.All"), "Grant the automation MailboxSettings.Read", True),
        (("User.Read.All", "MailboxSettings.Read"), "Grant the automation Domain.Read.All", None),
    ],
)
def test_what_cannot_be_read_is_unknown(
    open_graph: OpenGraph, rights: tuple[str, ...], said: str, verified: bool | None
) -> None:
    (found,) = look(open_graph(*rights), "erp@acme.example")
    assert (found["result"], found["domain_verified"]) == ("unknown", verified)
    assert said in found["next_step"]


def test_without_the_right_to_read_users_the_task_fails(open_graph: OpenGraph) -> None:
    with pytest.raises(GraphError, match="403"):
        look(open_graph("Domain.Read.All"), "erp@acme.example")


def test_a_hundred_senders_cost_few_requests(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*SEE_SENDERS)
    server.directory.add_user("erp@acme.example", *(f"a{number}@acme.example" for number in range(100)))
    server.plan()
    found = look(graph, *(f"a{number}@acme.example" for number in range(100)))
    assert [one["result"] for one in found] == ["pass"] * 100
    assert len(server.requests) == 100 / 5 + 2


def test_all_wrong_addresses_are_refused_together(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*SEE_SENDERS)
    server.plan()
    with pytest.raises(Refused) as caught:
        look(graph, "erp@acme.example", "Finance <finance@acme.example>", "acme.example")
    assert len(caught.value.problems) == 2 and server.requests == []
