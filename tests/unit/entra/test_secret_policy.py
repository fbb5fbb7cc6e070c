# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tenant's policies and its deleted applications forbid is named, with the way out, before anything is made."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.entra.application import upsert
from ansible_collections.mailroom.erp.plugins.module_utils.entra.credential import read_wanted_credential
from ansible_collections.mailroom.erp.plugins.module_utils.entra.credential_run import CredentialOutcome, Keeper
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration import register
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration_plan import read_wanted_registration
from ansible_collections.mailroom.erp.plugins.module_utils.entra.token import Token
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import MANAGE_OWN
from ansible_collections.mailroom.erp.tests.unit.entra.conftest import RUN_TIME, OpenGraph

FORBID = {"restrictionType": "passwordAddition", "state": "enabled", "maxLifetime": None}


def shorten(duration: str) -> dict[str, Any]:
    return {"restrictionType": "passwordLifetime", "state": "enabled", "maxLifetime": duration}


def policy(*rules: dict[str, Any], part: str = "applicationRestrictions") -> dict[str, Any]:
    return {"isEnabled": True, part: {"passwordCredentials": list(rules)}}


def keep(graph: Graph, write: bool = True) -> CredentialOutcome:
    now = datetime.datetime.now(datetime.UTC)
    given = {"unique_name": "erp", "name": "mail", "kind": "secret", "lifetime": 180, "renew_before": 30, "overlap": 7}
    return Keeper(graph, read_wanted_credential(given, now), now).keep(write)


@pytest.fixture
def graph(open_graph: OpenGraph) -> Graph:
    graph = open_graph(*RUN_TIME, "Policy.Read.All")
    upsert(graph, "erp", {"displayName": "ERP"}, fresh=False)
    return graph


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (FORBID, ["forbids new secrets", "kind: certificate"]),
        (shorten("P90D"), ["90 days at most", "lifetime: 90"]),
        (shorten("P2M"), ["60 days at most"]),
        (shorten("PT72H"), ["3 days at most"]),
    ],
)
def test_what_a_policy_forbids_is_named_before_it_is_asked_for(
    server: EntraServer, graph: Graph, rule: dict[str, Any], told: list[str], write: bool
) -> None:
    server.directory.default_policy = policy(rule)
    with pytest.raises(Refused) as caught:
        keep(graph, write)
    for word in ["erp, secret mail", "app management policy", *told]:
        assert word in str(caught.value)
    assert not any(path.endswith("addPassword") for _method, path in server.requests)


@pytest.mark.parametrize(
    "default",
    [
        {},
        {**policy(FORBID), "isEnabled": False},
        policy({**FORBID, "state": "disabled"}),
        policy({**FORBID, "restrictForAppsCreatedAfterDateTime": "2099-01-01T00:00:00Z"}),
        policy(shorten("P1Y")),
        policy(shorten("for ever")),
    ],
)
def test_what_no_policy_forbids_is_made(server: EntraServer, graph: Graph, default: dict[str, Any]) -> None:
    server.directory.default_policy = default
    outcome = keep(graph)
    assert outcome.secret and outcome.warnings == []


def test_the_application_s_own_policy_counts_instead(server: EntraServer, graph: Graph) -> None:
    server.directory.default_policy = policy(FORBID)
    (made,) = server.truth.find("applications", uniqueName="erp")
    server.directory.own_policies = {made["id"]: [policy(part="restrictions")]}
    assert keep(graph).secret


def test_a_policy_that_may_not_be_read_is_said_and_not_fatal(open_graph: OpenGraph) -> None:
    graph = open_graph(*RUN_TIME)
    upsert(graph, "erp", {"displayName": "ERP"}, fresh=False)
    outcome = keep(graph)
    assert outcome.secret
    (warning,) = outcome.warnings
    assert "cannot be told" in warning and "Policy.Read.All" in warning


def test_a_name_that_a_deleted_application_holds_names_the_permission_and_the_way(
    server: EntraServer, open_graph: OpenGraph
) -> None:
    """This sign-in may not see what was deleted, so it learns of it by Graph's refusal only."""
    graph = open_graph(MANAGE_OWN)
    made = upsert(graph, "erp", {"displayName": "ERP"}, fresh=False)
    graph.remove(f"applications/{made['id']}")
    wanted = read_wanted_registration({"unique_name": "erp"}, None)
    with pytest.raises(Refused) as caught:
        register(graph, wanted, Token("", None, None, None), write=True)
    for word in ("erp", "unique_name", "Application.Read.All", "restore", "30 days", "409"):
        assert word in str(caught.value)
