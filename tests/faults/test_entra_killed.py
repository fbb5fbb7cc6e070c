# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed at any request to Graph, before it is done or before it is answered, is mended by the next."""

from __future__ import annotations

import datetime
import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.faults.nursery import JsonProcess
from ansible_collections.mailroom.erp.tests.servers.entra.directory import GRAPH, GRAPH_ROLES, PUBLISHER
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import GRANT, MANAGE_OWN, SCOPE, SEE_SCOPES

VICTIM = Path(__file__).with_name("entra_victim.py")
RIGHTS = [MANAGE_OWN, *GRANT, *SCOPE, *SEE_SCOPES]
MOMENTS = ["before", "after"]
LAGS = [0, 3]
pytestmark = pytest.mark.slow


class Tenant(JsonProcess):
    """The test tenant, and runs on it that may be killed."""

    def __init__(self, server: EntraServer) -> None:
        self.server = server
        self.option = server.tenant_option(server.directory.add_client("automation", RIGHTS))
        super().__init__(VICTIM)

    def run(self, job: str, params: dict[str, Any], kill_at: int = 0, moment: str = "") -> dict[str, Any] | None:
        """Run once; None when the run was killed at that request, at that moment."""
        started = threading.Event()
        pids: list[int] = []

        def kill(number: int, now: str) -> None:
            if (number, now) == (kill_at, moment):
                assert started.wait(10)
                os.kill(pids[0], signal.SIGKILL)

        self.server.hook = kill
        self.write({"job": job, "tenant": self.option, "params": params})
        pids.append(self.read())
        started.set()
        result: dict[str, Any] | None = self.read()
        self.server.hook = lambda number, now: None
        assert result is None or "error" not in result, result["error"]
        return result

    def kill_at_each_request(
        self,
        job: str,
        params: Callable[[int], dict[str, Any]],
        lag: int,
        moment: str,
        check: Callable[[int, dict[str, Any]], None],
    ) -> None:
        """Kill a run at its first request, another at its second, until one lives; another run follows each.

        :param params: of the run that is killed at this request
        :param check: judges the tenant after the run that followed, whose result it gets
        """
        for number in itertools.count(1):
            self.server.plan(lag=lag)
            lived = self.run(job, params(number), number, moment)
            self.server.plan(lag=lag)
            following = self.run(job, params(number))
            assert following is not None
            check(number, following)
            if lived is not None:
                break
        assert number > 8, "a run that makes something asks more than that"


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    with EntraServer() as started, Tenant(started) as runs:
        yield runs


@pytest.mark.parametrize("lag", LAGS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_registration_is_completed_by_the_next_run(tenant: Tenant, moment: str, lag: int) -> None:
    truth = tenant.server.truth
    permissions = [{"resource": "Microsoft Graph", "role": role} for role in ("Mail.Send", "Mail.ReadWrite")]

    def check(number: int, following: dict[str, Any]) -> None:
        (application,) = truth.find("applications", uniqueName=f"erp-{number}")
        (principal,) = truth.find("servicePrincipals", appId=application["appId"])
        assert len(truth.find("appRoleAssignments", principalId=principal["id"])) == 2, number

    declared = {"permissions": permissions, "access": "tenant"}
    tenant.kill_at_each_request(
        "register", lambda number: {**declared, "unique_name": f"erp-{number}"}, lag, moment, check
    )


@pytest.mark.parametrize("lag", LAGS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_renewal_never_leaves_the_erp_without_a_secret(tenant: Tenant, moment: str, lag: int) -> None:
    server = tenant.server
    (owner,) = server.truth.find("servicePrincipals", displayName="automation")
    old: dict[int, tuple[str, str]] = {}

    def params(number: int) -> dict[str, Any]:
        """An application whose ERP uses a secret that is about to end, and whose value is stored."""
        name = f"erp-{number}"
        if number not in old:
            made = server.directory.new_application({"displayName": "ERP"}, name, [owner["id"]])
            ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=10)
            given = {"displayName": "mail (mailroom.erp)", "startDateTime": "2026-01-01T00:00:00Z"}
            given["endDateTime"] = ends.strftime("%Y-%m-%dT%H:%M:%SZ")
            credential, value = server.directory.new_secret(made["id"], given)
            old[number] = credential["keyId"], value
            server.directory.settle()
        declared = {"unique_name": name, "name": "mail", "kind": "secret"}
        days = {"lifetime": 180, "renew_before": 30, "overlap": 0}
        return {**declared, **days, "stored_key_id": old[number][0], "replace_lost": True}

    def check(number: int, following: dict[str, Any]) -> None:
        (application,) = server.truth.find("applications", uniqueName=f"erp-{number}")
        held = [one["keyId"] for one in application["passwordCredentials"]]
        assert server.signs_in(application["appId"], old[number][1]), "the ERP still uses the old one"
        # The run that lived, if any, handed its secret over; the one that followed was not told, and made another.
        assert following["secret"] and server.signs_in(application["appId"], following["secret"])
        assert held == [old[number][0], following["key_id"]], number
        new = {"stored_key_id": following["key_id"], "confirmed_key_id": following["key_id"]}
        tenant.run("secret", {**params(number), **new})
        assert [one["keyId"] for one in application["passwordCredentials"]] == [following["key_id"]]

    tenant.kill_at_each_request("secret", params, lag, moment, check)


@pytest.mark.parametrize("lag", LAGS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_consent_ends_as_declared(tenant: Tenant, moment: str, lag: int) -> None:
    directory = tenant.server.directory
    user = directory.add_user("invoices@acme.example")
    vendors: dict[int, str] = {}

    def params(number: int) -> dict[str, Any]:
        vendors.setdefault(number, directory.add_vendor("KING", PUBLISHER))
        declared = {"app_id": vendors[number], "publisher_tenant_id": PUBLISHER}
        return {**declared, "scopes": ["SMTP.Send"], "users": ["invoices@acme.example"]}

    def check(number: int, following: dict[str, Any]) -> None:
        (principal,) = directory.truth.find("servicePrincipals", appId=vendors[number])
        (grant,) = directory.truth.find("oauth2PermissionGrants", clientId=principal["id"])
        assert (grant["scope"], grant["principalId"]) == ("SMTP.Send", user["id"]), number

    tenant.kill_at_each_request("consent", params, lag, moment, check)


@pytest.mark.parametrize("hours", [0, 3])
@pytest.mark.parametrize("lag", LAGS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_scope_never_leaves_the_erp_without_the_right(
    tenant: Tenant, moment: str, lag: int, hours: int
) -> None:
    """Killed while the mailbox is granted (at once), or while the grant of the tenant is taken away (hours later)."""
    server, directory = tenant.server, tenant.server.directory
    (owner,) = server.truth.find("servicePrincipals", displayName="automation")
    (graph,) = server.truth.find("servicePrincipals", appId=GRAPH)
    user = directory.add_user("erp@acme.example")
    principals: dict[int, dict[str, Any]] = {}
    told: list[dict[str, Any]] = []

    def params(number: int) -> dict[str, Any]:
        """An application that the whole tenant lets send; hours later, with its mailbox granted since."""
        declared = {"unique_name": f"erp-{number}", "roles": ["Application Mail.Send"], "minutes": 0}
        declared["mailboxes"] = ["erp@acme.example"]
        if number not in principals:
            made = directory.new_application({"displayName": "ERP"}, f"erp-{number}", [owner["id"]])
            principals[number] = directory.new_principal(made["appId"])
            directory.assign(principals[number], graph, GRAPH_ROLES["Mail.Send"])
            directory.settle()
            if hours:
                tenant.run("scope", dict(declared))
                server.plan(lag=lag)
        return {**declared, "minutes": hours * 60}

    def check(number: int, following: dict[str, Any]) -> None:
        named = f"/ServicePrincipals/{principals[number]['id']}"
        (assignment,) = server.truth.find("roleAssignments", principalId=named)
        assert assignment["directoryScopeId"] == f"/Users/{user['id']}", number
        wide = server.truth.find("appRoleAssignments", principalId=principals[number]["id"])
        assert (len(wide), following["state"]) == ((0, "effective") if hours else (1, "tenant_wide")), number
        assert directory.may_act(principals[number]["appId"], user)
        told.append(following)

    tenant.kill_at_each_request("scope", params, lag, moment, check)
    assert any(one["changed"] for one in told) and not told[-1]["changed"]
