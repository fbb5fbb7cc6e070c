# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook verify on the test tenant: a permission that nobody declared, one that is gone, a secret, a mailbox."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.entra_site import PASSWORD, estate_of, profit, site
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer

NAMES = ("sound", "widened", "taken", "due", "gone")
TOLD = {
    "widened": (
        "drift",
        "widened: its application has permissions that nobody declared: Microsoft Graph/User.Read.All",
    ),
    "taken": ("drift", "taken: its part of the tenant is not as declared: granted: "),
    "due": ("due", "due: a new secret is due: it ends on "),
    "gone": ("fail", "gone: gone@acme.example: "),
}


def verify(folder: Path, declared: dict[str, Any], *arguments: str) -> Result:
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    return run_playbook(
        folder, "mailroom.erp.verify", declared, *arguments, f"--vault-password-file={folder / 'password'}"
    )


def report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "mailroom/report/report.json").read_text(encoding="utf-8"))
    return found


def loud(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """What is to be done by environment, but what is to be confirmed."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in report(folder)["todo"]:
        if one["risk"] != "confirm":
            for name in one["environments"]:
                found.setdefault(name, []).append((one["risk"], one["text"]))
    return found


def let_drift(server: EntraServer) -> None:
    """What an administrator does by hand, one thing for each environment."""
    truth = server.truth
    made = {name: truth.find("applications", uniqueName=f"mailroom-{name}")[0] for name in NAMES}
    principals = {name: truth.find("servicePrincipals", appId=one["appId"])[0] for name, one in made.items()}
    (graph,) = truth.find("servicePrincipals", displayName="Microsoft Graph")
    (role,) = [one for one in graph["appRoles"] if one["value"] == "User.Read.All"]
    server.directory.assign(principals["widened"], graph, role["id"])
    for one in truth.find("appRoleAssignments", principalId=principals["taken"]["id"]):
        del truth["appRoleAssignments"][one["id"]]
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=5)
    for one in made["due"]["passwordCredentials"]:
        one["endDateTime"] = soon.strftime("%Y-%m-%dT%H:%M:%SZ")
    (user,) = [one for one in truth["users"].values() if one["userPrincipalName"] == "gone@acme.example"]
    del truth["users"][user["id"]]
    server.directory.settle()


@pytest.mark.slow
def test_each_kind_of_drift_of_a_tenant_is_told_and_nothing_is_written(estate: Path) -> None:
    with EntraServer() as server:
        for name in NAMES:
            server.directory.add_user(f"{name}@acme.example", purpose="shared", enabled=False)
        server.directory.settle()
        declared = estate_of(server, {name: profit(name) for name in NAMES})
        made = site(estate, declared)
        assert made.rc == 0, made.output
        before = verify(estate, declared)
        assert before.rc == 0, before.output
        assert loud(estate) == {}
        let_drift(server)
        server.requests.clear()
        result = verify(estate, declared)
        assert {method for method, _path in server.requests} == {"GET"}
        found = loud(estate)
        assert set(found) == set(TOLD)
        for name, (risk, words) in TOLD.items():
            assert [one for one in found[name] if one[0] == risk and one[1].startswith(words)], found[name]
        assert result.rc != 0 and "verify found: fail" in result.flat
        assert not [value for value in server.directory.secrets.values() if value in json.dumps(report(estate))]
        days = next(one for one in report(estate)["environments"] if one["name"] == "due")["tenant"]["secrets"][0][
            "days_left"
        ]
        assert days in (4, 5)
    unreachable = verify(estate, declared)
    assert {one[0] for told in loud(estate).values() for one in told} == {"unknown"}, loud(estate)
    assert unreachable.rc != 0 and "verify found: unknown (" in unreachable.flat
