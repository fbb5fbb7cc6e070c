# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Consent for a vendor's application on the test tenant: only for the right publisher, only what was declared."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.entra.consent import read_wanted_consent
from ansible_collections.mailroom.erp.plugins.module_utils.entra.consent_run import ConsentOutcome, consent
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph
from ansible_collections.mailroom.erp.plugins.module_utils.entra.token import read_token
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.servers.entra.directory import GRAPH, PUBLISHER
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import DROPPED, LOST, EntraServer
from ansible_collections.mailroom.erp.tests.unit.entra.conftest import BOOTSTRAP, OpenGraph

USER, OTHER = "invoices@acme.example", "sales@acme.example"
NAME = f"{USER}: Microsoft Graph"


class Vendor:
    """A vendor's application, and what the tenant has granted to it."""

    def __init__(self, server: EntraServer, graph: Graph) -> None:
        self.server, self.graph = server, graph
        self.app_id = server.directory.add_vendor("KING", PUBLISHER, verified="Quadrant")
        self.users = {name: server.directory.add_user(name)["id"] for name in (USER, OTHER)}
        server.directory.settle()

    def run(self, write: bool = True, **params: Any) -> ConsentOutcome:
        declared: dict[str, Any] = {"app_id": self.app_id, "publisher_tenant_id": PUBLISHER}
        declared |= {"scopes": ["SMTP.Send"], "users": [USER], **params}
        return consent(self.graph, read_wanted_consent(declared), read_token(self.graph._token), write)

    @property
    def grants(self) -> dict[str | None, str]:
        """Object id of a user, or None for everybody, to the scopes."""
        return {one["principalId"]: one["scope"] for one in self.server.truth["oauth2PermissionGrants"].values()}

    @property
    def principals(self) -> list[dict[str, Any]]:
        return self.server.truth.find("servicePrincipals", appId=self.app_id)

    def grant(self, user: str | None, scope: str) -> None:
        graph = self.server.truth.find("servicePrincipals", appId=GRAPH)[0]
        kind = {"consentType": "Principal" if user else "AllPrincipals", "principalId": user}
        made = {"id": uuid.uuid4().hex, "clientId": self.principals[0]["id"], "resourceId": graph["id"], "scope": scope}
        self.server.truth["oauth2PermissionGrants"][made["id"]] = {**made, **kind}
        self.server.directory.settle()


@pytest.fixture
def vendor(server: EntraServer, open_graph: OpenGraph) -> Vendor:
    return Vendor(server, open_graph(*BOOTSTRAP, "User.Read.All"))


def test_consent_is_given_for_a_named_user(vendor: Vendor) -> None:
    outcome = vendor.run()
    assert vendor.grants == {vendor.users[USER]: "SMTP.Send"} and len(vendor.principals) == 1
    assert (outcome.plan.before, outcome.plan.after) == ({}, {NAME: ["SMTP.Send"]})
    vendor.server.plan()
    assert not vendor.run().plan.changes and len(vendor.server.requests) == 3


def test_check_mode_writes_nothing(vendor: Vendor) -> None:
    vendor.server.plan()
    check = vendor.run(write=False)
    assert {method for method, _path in vendor.server.requests} == {"GET"} and not vendor.principals
    assert "can be compared only once the tenant knows it" in check.warnings[0]
    real = vendor.run()
    assert (check.plan.before, check.plan.after) == (real.plan.before, real.plan.after) and not real.warnings


def test_consent_is_given_for_everybody(vendor: Vendor) -> None:
    vendor.run(users=[], all_users=True, scopes=["SMTP.Send", "offline_access"])
    assert vendor.grants == {None: "SMTP.Send offline_access"}
    assert not vendor.run(users=[], all_users=True, scopes=["offline_access", "SMTP.Send"]).plan.changes


def test_users_are_found_by_any_name(vendor: Vendor) -> None:
    vendor.run(users=[vendor.users[USER].upper(), OTHER.upper()])
    assert set(vendor.grants) == set(vendor.users.values())
    many = [vendor.server.directory.add_user(f"user{number}@acme.example")["id"] for number in range(20)]
    vendor.server.directory.settle()
    vendor.run(users=[f"user{number}@acme.example" for number in range(20)])
    assert set(many) < set(vendor.grants)


def test_what_others_consented_to_is_kept_and_told(vendor: Vendor) -> None:
    vendor.run()
    vendor.grant(vendor.users[OTHER], "User.Read")
    vendor.run(scopes=["SMTP.Send", "offline_access"])
    outcome = vendor.run()
    assert not outcome.plan.changes
    assert outcome.plan.beyond == [f"{NAME}: offline_access", f"{vendor.users[OTHER]}: Microsoft Graph: User.Read"]
    assert "permissions that nobody declared" in outcome.warnings[0]
    exclusive = vendor.run(exclusive=True)
    assert vendor.grants == {vendor.users[USER]: "SMTP.Send"} and exclusive.plan.after == {NAME: ["SMTP.Send"]}


def test_a_grant_for_everybody_is_beyond_named_users(vendor: Vendor) -> None:
    vendor.run()
    vendor.grant(None, "Mail.Send")
    assert vendor.run().plan.beyond == ["everybody: Microsoft Graph: Mail.Send"]
    vendor.run(exclusive=True)
    assert None not in vendor.grants


def test_consent_is_revoked_for_named_users_and_scopes_or_for_all(vendor: Vendor) -> None:
    vendor.run(users=[USER, OTHER], scopes=["SMTP.Send", "User.Read"])
    vendor.run(state="absent")
    assert vendor.grants == {vendor.users[USER]: "User.Read", vendor.users[OTHER]: "SMTP.Send User.Read"}
    vendor.run(state="absent", users=[OTHER], scopes=[])
    assert vendor.grants == {vendor.users[USER]: "User.Read"}
    vendor.grant(None, "Mail.Send")
    outcome = vendor.run(state="absent", users=[], scopes=[])
    assert vendor.grants == {} and outcome.plan.after == {} and len(vendor.principals) == 1
    assert not vendor.run(state="absent", users=[], scopes=[]).plan.changes


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"publisher_tenant_id": str(uuid.uuid4())}, f"the application belongs to tenant {PUBLISHER}"),
        ({"verified_publisher": "Somebody"}, "Microsoft has verified Quadrant as its publisher"),
    ],
)
def test_an_application_of_another_publisher_gets_nothing(vendor: Vendor, params: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        vendor.run(**params)
    assert vendor.grants == {} and not vendor.principals, "what was made known is taken back"
    vendor.run(verified_publisher="Quadrant")
    with pytest.raises(Refused, match=said):
        vendor.run(**params)
    assert len(vendor.principals) == 1


def test_what_a_run_left_that_died_before_it_knew_the_publisher_is_told(vendor: Vendor) -> None:
    vendor.server.directory.new_principal(vendor.app_id)
    vendor.server.directory.settle()
    with pytest.raises(Refused, match="nobody has consented to it: where a run ended too early"):
        vendor.run(publisher_tenant_id=str(uuid.uuid4()))
    vendor.run()
    assert len(vendor.principals) == 1 and vendor.grants, "with the right publisher the next run goes on"
    with pytest.raises(Refused) as refused:
        vendor.run(publisher_tenant_id=str(uuid.uuid4()))
    assert "nobody has consented" not in str(refused.value)


def test_a_publisher_that_is_not_verified_is_refused(vendor: Vendor) -> None:
    vendor.app_id = vendor.server.directory.add_vendor("KING", PUBLISHER)
    with pytest.raises(Refused, match="its publisher is not verified"):
        vendor.run(verified_publisher="Quadrant")


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"app_id": "king"}, "it is no GUID"),
        ({"publisher_tenant_id": "king"}, "it is no GUID"),
        ({"all_users": True}, "for named users, or for everybody"),
        ({"users": []}, "nobody is named"),
        ({"scopes": []}, "nothing is to be consented to"),
        ({"scopes": ["SMTP.Send Mail.Send"]}, "a scope is one word"),
        ({"scopes": ["SMTP.Sent"]}, r"no delegated permission SMTP.Sent; did you mean SMTP.Send\?"),
        ({"users": ["nobody@acme.example"]}, "the tenant has no such user"),
        ({"resource": "Somebody's API"}, "no APIs in the tenant are called Somebody's API"),
    ],
)
def test_what_is_wrong_is_refused(vendor: Vendor, params: dict[str, Any], said: str) -> None:
    vendor.server.plan()
    with pytest.raises(Refused, match=said):
        vendor.run(**params)
    assert {method for method, _path in vendor.server.requests} <= {"GET"}


def test_without_the_right_nothing_is_written(server: EntraServer, open_graph: OpenGraph) -> None:
    vendor = Vendor(server, open_graph("Application.ReadWrite.OwnedBy", "User.Read.All", "Application.ReadWrite.All"))
    with pytest.raises(Refused, match=r"does not have DelegatedPermissionGrant.ReadWrite.All.*azure_cli"):
        vendor.run()
    assert not vendor.principals


@pytest.mark.parametrize("lag", [0, 3])
@pytest.mark.parametrize("kind", ["429", "503", "504", LOST, DROPPED])
def test_each_fault_at_each_request(vendor: Vendor, kind: str, lag: int) -> None:
    for number in range(1, 10):
        vendor.app_id = vendor.server.directory.add_vendor("KING", PUBLISHER)
        vendor.server.truth["oauth2PermissionGrants"].clear()
        vendor.server.plan(faults={number: kind}, lag=lag)
        vendor.run()
        assert vendor.grants == {vendor.users[USER]: "SMTP.Send"} and len(vendor.principals) == 1, number
        assert not vendor.run().plan.changes
