# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of tenants: who may send, from where, and until when; never a secret, and never with a write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.adoption import live_tenants
from ansible_collections.mailroom.erp.plugins.module_utils.adoption.live_tenants import read_tenants
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.tests.servers.entra.directory import EXCHANGE, EXCHANGE_ROLES, GRAPH, GRAPH_ROLES
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import READ_APPLICATIONS, SEE_SENDERS
from ansible_collections.mailroom.erp.tests.servers.entra.shapes import Json

ALL = (READ_APPLICATIONS, *SEE_SENDERS, "RoleManagement.Read.Exchange", "DelegatedPermissionGrant.ReadWrite.All")
VENDOR = "99999999-8888-7777-6666-555555555555"


class FakeModule:
    """What is used of AnsibleModule."""

    check_mode = False

    def __init__(self, *tenants: Json, senders: tuple[str, ...] = ()) -> None:
        self.params = {"tenants": list(tenants), "tenant": None, "senders": list(senders)}
        self.no_log_values: set[str] = set()


@pytest.fixture
def server() -> Iterator[EntraServer]:
    with EntraServer() as started:
        yield started


def application(server: EntraServer, name: str, *roles: str, unique_name: str | None = None) -> Json:
    """An application of the tenant with a secret, and the permissions that are granted to it; its service principal."""
    made = server.directory.new_application({"displayName": name}, unique_name, [])
    server.directory.new_secret(made["id"], {"displayName": "first", "endDateTime": "2027-01-31T00:00:00Z"})
    principal = server.directory.new_principal(made["appId"])
    for role in roles:
        api, table = (GRAPH, GRAPH_ROLES) if role in GRAPH_ROLES else (EXCHANGE, EXCHANGE_ROLES)
        (resource,) = server.truth.find("servicePrincipals", appId=api)
        server.directory.assign(principal, resource, table[role])
    server.directory.settle()
    return principal


def vendor(server: EntraServer, name: str, user: Json | None, scope: str = "Mail.Send") -> str:
    """An application of somebody else that a user, or an administrator for everybody, consented to."""
    app_id = server.directory.add_vendor(name, VENDOR, verified="Vendor B.V.")
    principal = server.directory.new_principal(app_id)
    (graph,) = server.truth.find("servicePrincipals", appId=GRAPH)
    grant = {
        "id": f"grant-{app_id}",
        "clientId": principal["id"],
        "consentType": "Principal" if user else "AllPrincipals",
        "principalId": user["id"] if user else None,
        "resourceId": graph["id"],
        "scope": scope,
    }
    server.truth["oauth2PermissionGrants"][grant["id"]] = grant
    server.directory.settle()
    return app_id


def read(server: EntraServer, *rights: str, senders: tuple[str, ...] = ()) -> dict[str, Any]:
    option = server.tenant_option(server.directory.add_client("automation", rights or ALL))
    (found,) = read_tenants(FakeModule(option, senders=senders))  # type: ignore[arg-type]
    return found


def test_who_may_send_from_where_and_until_when(server: EntraServer) -> None:
    office = server.directory.add_user("office@acme.example", purpose="shared", enabled=False)
    wide = application(server, "Profit email", "Mail.Send", "Mail.ReadWrite", unique_name="profit")
    scoped = application(server, "Scoped")
    server.directory.assign_mailbox(scoped, "office@acme.example")
    application(server, "Reader", "Mail.Read", "User.Read.All")
    application(server, "Legacy", "full_access_as_app" if "full_access_as_app" in EXCHANGE_ROLES else "SMTP.SendAsApp")
    king, everybody = vendor(server, "KING Software - SendEmail", office), vendor(server, "Newsletter", None)
    vendor(server, "Calendar", office, scope="Calendars.Read")
    found = read(server, senders=("office@acme.example", "gone@acme.example", "x@elsewhere.example"))
    told = {one["display_name"]: one for one in found["applications"]}
    assert sorted(told) == ["KING Software - SendEmail", "Legacy", "Newsletter", "Profit email", "Scoped"]
    profit = told["Profit email"]
    assert profit == {
        "app_id": wide["appId"],
        "display_name": "Profit email",
        "unique_name": "profit",
        "own": True,
        "publisher_tenant_id": server.directory.tenant_id,
        "publisher": None,
        "permissions": ["Microsoft Graph/Mail.ReadWrite", "Microsoft Graph/Mail.Send"],
        "every_mailbox": True,
        "scopes": [],
        "consent": [],
        "credentials": [{"kind": "secret", "name": "first", "ends": "2027-01-31T00:00:00Z"}],
    }
    assert (told["Scoped"]["every_mailbox"], told["Scoped"]["permissions"]) == (False, [])
    assert told["Scoped"]["scopes"] == [{"role": "Application Mail.Send", "place": "office@acme.example"}]
    assert (told["Legacy"]["every_mailbox"], told["Newsletter"]["app_id"]) == (True, everybody)
    grant = {"resource": "Microsoft Graph", "scopes": ["Mail.Send"]}
    assert told["KING Software - SendEmail"]["consent"] == [{**grant, "user": "office@acme.example"}]
    assert told["KING Software - SendEmail"]["app_id"] == king and told["Newsletter"]["consent"] == [
        {**grant, "user": None}
    ]
    assert (told["Newsletter"]["own"], told["Newsletter"]["publisher"]) == (False, "Vendor B.V.")
    assert [(one["address"], one["result"]) for one in found["senders"]] == [
        ("office@acme.example", "pass"),
        ("gone@acme.example", "fail"),
    ]
    assert (found["domains"], found["unread"], found["problem"]) == (
        ["acme.example", "acme.onmicrosoft.example"],
        {},
        None,
    )
    assert not [one for one in server.requests if one[0] != "GET"]
    assert not [value for value in server.directory.secrets.values() if value in str(found)]


def test_what_may_not_be_read_is_told_with_the_permission(server: EntraServer) -> None:
    application(server, "Profit email", "Mail.Send")
    found = read(server, READ_APPLICATIONS, senders=("office@acme.example",))
    assert [one["display_name"] for one in found["applications"]] == ["Profit email"]
    assert sorted(found["unread"]) == ["consent", "domains", "scopes"]
    assert "RoleManagement.Read.Exchange" in found["unread"]["scopes"]
    nothing = read(server, "User.Read.All")
    assert nothing["problem"] and "403" in nothing["problem"]


def test_a_tenant_that_fails_stops_no_other(server: EntraServer) -> None:
    option = server.tenant_option(server.directory.add_client("automation", ALL))
    wrong = {**option, "client_secret": "wrong-secret-of-nobody"}
    bad, good = read_tenants(FakeModule(wrong, option))  # type: ignore[arg-type]
    assert bad["problem"] and "wrong-secret" not in str(bad) and good["problem"] is None


def test_hundreds_of_applications_are_read_in_pages_and_few_requests(server: EntraServer) -> None:
    for number in range(130):
        application(server, f"App {number:03}", "Mail.Send")
    found = read(server)
    assert len(found["applications"]) == 130 and all(one["credentials"] for one in found["applications"])
    assert found["requests"] < 40


def test_a_part_that_a_tenant_does_not_have_stops_no_other(
    server: EntraServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_exchange(*_args: Any) -> None:
        raise GraphError("GET roleManagement", 400, "BadRequest", "there is no Exchange Online")

    monkeypatch.setattr(live_tenants, "read_role_ids", no_exchange)
    application(server, "Profit email", "Mail.Send")
    found = read(server)
    assert [one["display_name"] for one in found["applications"]] == ["Profit email"]
    assert list(found["unread"]) == ["scopes"] and "no Exchange Online" in found["unread"]["scopes"]
