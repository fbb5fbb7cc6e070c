# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test tenant itself: its shapes are the vendor's, and it goes wrong in the ways that it promises."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import odata_key
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.tests.servers.entra import shapes
from ansible_collections.mailroom.erp.tests.servers.entra.directory import EXCHANGE_ROLES, GRAPH_ROLES
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import LOST, EntraServer
from ansible_collections.mailroom.erp.tests.unit.entra.conftest import BOOTSTRAP, Clock, OpenGraph, upsert

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@pytest.fixture(scope="module")
def vendor() -> ET.Element:
    """Microsoft's own description of Graph v1.0, which is not part of this repository."""
    named = os.environ.get("MAILROOM_GRAPH_CSDL", "")
    if not Path(named).is_file():
        pytest.skip("MAILROOM_GRAPH_CSDL does not name Microsoft Graph's v1.0 metadata (CSDL)")
    return ET.parse(named).getroot()


def declared(vendor: ET.Element, kind: str) -> dict[str, str]:
    """The properties of a type with those that it inherits; containment is written as a property of another type."""
    found = next(
        one for tag in ("EntityType", "ComplexType") for one in vendor.iter(f"{EDM}{tag}") if one.get("Name") == kind
    )
    own = {str(one.get("Name")): str(one.get("Type")) for one in found.iter(f"{EDM}Property")}
    base = found.get("BaseType", "").removeprefix("graph.")
    return {**(declared(vendor, base) if base else {}), **own}


@pytest.mark.parametrize("kind", sorted({*shapes.ENTITIES, *shapes.COMPLEX} - shapes.NOT_IN_SLICE))
def test_every_shape_is_the_vendors(vendor: ET.Element, kind: str) -> None:
    ours = shapes.ENTITIES.get(kind) or shapes.COMPLEX[kind]
    theirs = declared(vendor, kind)
    assert {name: theirs.get(name) for name in ours} == ours


def test_every_enumeration_is_the_vendors(vendor: ET.Element) -> None:
    for kind, members in shapes.ENUMS.items():
        found = next(one for one in vendor.iter(f"{EDM}EnumType") if one.get("Name") == kind)
        assert [one.get("Name") for one in found.iter(f"{EDM}Member")] == list(members)


def test_roles_have_their_real_ids(open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    names = {role["value"]: role["id"] for one in graph.get_all("servicePrincipals") for role in one["appRoles"]}
    assert names == {**GRAPH_ROLES, **EXCHANGE_ROLES}
    assert names["Mail.Send"] == "b633e1c5-b582-4048-a93e-9f11b44c7e96"


def test_upsert_makes_one_application_and_then_changes_it(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    made = upsert(graph)
    assert made["uniqueName"] == "erp"
    assert upsert(graph) == {}
    assert len(server.truth.find("applications", uniqueName="erp")) == 1
    with pytest.raises(GraphError, match="404 Request_ResourceNotFound"):
        graph.change(f"applications(uniqueName={odata_key('other')})", {"displayName": "ERP"})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"displayNam": "ERP"}, "displayNam does not exist"),
        ({"displayName": 5}, "Edm.String is expected"),
        ({"passwordCredentials": []}, "cannot be set"),
        ({"uniqueName": "x"}, "cannot be set"),
        ({"requiredResourceAccess": [{"resourceAppId": "x", "resourceAccess": [{"id": "no"}]}]}, "Edm.Guid"),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused(open_graph: OpenGraph, body: dict[str, object], said: str) -> None:
    graph = open_graph(*BOOTSTRAP)
    made = upsert(graph)
    with pytest.raises(GraphError, match=said) as caught:
        graph.change(f"applications/{made['id']}", body)
    assert caught.value.status == 400 and caught.value.request_id


def test_reads_lag_behind_writes_as_planned(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    server.plan(lag=3)
    made = upsert(graph)
    path = f"applications/{made['id']}"
    assert [graph.find(path) is not None for _time in range(4)] == [False, False, True, True]


def test_a_flapping_replica_shows_old_and_new_by_turns(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    server.plan(lag=9, flapping=True)
    path = f"applications/{upsert(graph)['id']}"
    assert [graph.find(path) is not None for _time in range(4)] == [True, False, True, False]


@pytest.mark.parametrize(("unseen", "status"), [(404, 404), (403, 403)])
def test_a_write_to_what_is_not_seen_yet_is_refused(
    server: EntraServer, open_graph: OpenGraph, unseen: int, status: int
) -> None:
    graph = open_graph(*BOOTSTRAP)
    server.plan(lag=3, unseen=unseen)
    made = upsert(graph)
    with pytest.raises(GraphError) as caught:
        graph.change(f"applications/{made['id']}", {"notes": "x"})
    assert caught.value.status == status and caught.value.lag
    with pytest.raises(GraphError, match="does not reference a valid application object") as other:
        graph.create("servicePrincipals", {"appId": made["appId"]})
    assert other.value.status == 400 and other.value.lag


def test_a_request_whose_answer_is_lost_was_done(server: EntraServer, open_graph: OpenGraph, clock: Clock) -> None:
    graph = open_graph(*BOOTSTRAP)
    server.plan(faults={1: LOST})
    assert upsert(graph) == {}, "the second try finds what the first has made"
    assert len(server.truth.find("applications", uniqueName="erp")) == 1
    assert len(server.requests) == 2 and clock.waits == [1.0]


def test_a_request_without_the_right_is_refused(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph("User.Read.All")
    with pytest.raises(GraphError, match="403 Authorization_RequestDenied"):
        upsert(graph)
    owner, stranger = open_graph("Application.ReadWrite.OwnedBy"), open_graph("Application.ReadWrite.OwnedBy")
    path = f"applications/{upsert(owner)['id']}"
    with pytest.raises(GraphError, match="403"):
        stranger.change(path, {"notes": "mine"})
    assert owner.change(path, {"notes": "ours"}) == {}
    assert not server.truth.find("applications", notes="mine")


def test_collections_come_in_pages(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph("User.Read.All")
    for number in range(7):
        server.directory.add_user(f"user{number}@acme.example")
    server.plan()
    server.page_size = 3
    assert len(graph.get_all("users")) == 7
    assert len(server.requests) == 3
