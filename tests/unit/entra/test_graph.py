# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Graph client: what it waits for, what it gives up, and what its errors say."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import (
    SEEN_IN_A_ROW,
    AnswerLost,
    NotSeen,
    odata_key,
    odata_literal,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError, GraphObject
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import DROPPED, LOST, EntraServer
from ansible_collections.mailroom.erp.tests.unit.entra.conftest import BOOTSTRAP, Clock, OpenGraph, upsert


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        ("429", [1.0, 1.0]),
        ("429-silent", [1.0, 2.0]),
        ("503", [1.0, 1.0]),
        ("504", [1.0, 2.0]),
        (DROPPED, [1.0, 2.0]),
        (LOST, [1.0, 2.0]),
    ],
)
def test_what_passes_is_waited_for(
    server: EntraServer, open_graph: OpenGraph, clock: Clock, fault: str, waits: list[float]
) -> None:
    graph = open_graph(*BOOTSTRAP)
    server.plan(faults={1: fault, 2: fault})
    assert graph.get_all("servicePrincipals")
    assert clock.waits == waits and len(server.requests) == 3


def test_retries_end_with_the_timeout(server: EntraServer, open_graph: OpenGraph, clock: Clock) -> None:
    graph = open_graph(*BOOTSTRAP, timeout=60)
    server.plan(faults=dict.fromkeys(range(1, 1000), "503"))
    with pytest.raises(GraphError, match="503 ServiceUnavailable") as caught:
        graph.get("organization")
    assert clock.now <= 60 and caught.value.request_id in str(caught.value)


def test_a_wait_that_is_too_long_is_not_begun(server: EntraServer, open_graph: OpenGraph, clock: Clock) -> None:
    graph = open_graph(*BOOTSTRAP, timeout=0.5)
    server.plan(faults={1: "429"})
    with pytest.raises(GraphError, match="429"):
        graph.get("organization")
    assert clock.waits == []


def test_a_refusal_is_not_repeated(server: EntraServer, open_graph: OpenGraph, clock: Clock) -> None:
    graph = open_graph(*BOOTSTRAP)
    server.plan(faults={1: "403"})
    with pytest.raises(GraphError) as caught:
        graph.get("organization")
    assert (caught.value.status, caught.value.code) == (403, "Authorization_RequestDenied")
    assert clock.waits == []


@pytest.mark.parametrize("unseen", [404, 403])
def test_a_write_to_what_was_just_made_is_patient(server: EntraServer, open_graph: OpenGraph, unseen: int) -> None:
    graph = open_graph(*BOOTSTRAP)
    server.plan(lag=4, unseen=unseen)
    made = upsert(graph)
    graph.change(f"applications/{made['id']}", {"notes": "seen"}, fresh=True)
    assert graph.create("servicePrincipals", {"appId": made["appId"]}, fresh=True)
    assert server.truth.find("applications", notes="seen")


def test_what_exists_is_not_made_again(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    app_id = upsert(graph)["appId"]
    server.plan(faults={1: LOST})
    assert graph.create("servicePrincipals", {"appId": app_id}) is None
    assert len(server.truth.find("servicePrincipals", appId=app_id)) == 1


@pytest.mark.parametrize(("fault", "secrets"), [(LOST, 1), (DROPPED, 0), ("503", 0), ("504", 0)])
def test_what_must_not_be_done_twice_is_not_sent_twice(
    server: EntraServer, open_graph: OpenGraph, fault: str, secrets: int
) -> None:
    graph = open_graph(*BOOTSTRAP)
    made = upsert(graph)
    server.plan(faults={1: fault})
    with pytest.raises(AnswerLost):
        graph.post_once(f"applications/{made['id']}/addPassword", {"passwordCredential": {"displayName": "x"}})
    held: list[Any] = server.truth.find("applications", uniqueName="erp")[0]["passwordCredentials"]
    assert len(held) == secrets and len(server.requests) == 1


def test_what_must_not_be_done_twice_may_be_throttled(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    made = upsert(graph)
    server.plan(faults={1: "429"})
    assert graph.post_once(f"applications/{made['id']}/addPassword", {})["secretText"]


def test_what_is_gone_is_removed_already(server: EntraServer, open_graph: OpenGraph) -> None:
    graph = open_graph(*BOOTSTRAP)
    path = f"applications/{upsert(graph)['id']}"
    server.plan(faults={1: LOST})
    graph.remove(path)
    assert not server.truth.find("applications", uniqueName="erp")


def test_an_object_counts_as_seen_after_several_reads_in_a_row(
    server: EntraServer, open_graph: OpenGraph, clock: Clock
) -> None:
    graph = open_graph(*BOOTSTRAP)
    answers = iter([True, False, *[True] * SEEN_IN_A_ROW, False])
    graph.wait_for("it", lambda: next(answers))
    assert next(answers) is False
    with pytest.raises(NotSeen, match="it: written, but not seen everywhere after 60 seconds"):
        graph.wait_for("it", lambda: False)


def test_a_next_page_at_another_address_gets_no_token(
    server: EntraServer, open_graph: OpenGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = open_graph(*BOOTSTRAP)
    page = GraphObject("GET organization", {"value": [], "@odata.nextLink": "https://evil.example/v1.0/users"})
    monkeypatch.setattr(graph, "_json", lambda *arguments, **more: page)
    with pytest.raises(GraphError, match="at another address"):
        graph.get_all("organization")


def test_an_answer_that_is_no_json_is_an_error(open_graph: OpenGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = open_graph(*BOOTSTRAP)

    class Answer:
        status_code, reason, content, headers = 418, "Teapot", b"<html>", {"Retry-After": "soon"}

        def json(self) -> object:
            raise ValueError

    monkeypatch.setattr(graph, "_send", lambda *arguments: Answer())
    with pytest.raises(GraphError, match="418 Teapot: no reason given"):
        graph.get("organization")


def test_names_are_quoted() -> None:
    assert odata_key("erp's/1 é") == "'erp''s%2F1%20%C3%A9'"
    assert odata_literal("o'hara") == "'o''hara'"


@pytest.mark.parametrize("name", ["erp's", "a/b", "a&b=c", "50%", "é", "a b", "a+b", "a?b#c"])
def test_a_unique_name_may_be_any_text(server: EntraServer, open_graph: OpenGraph, name: str) -> None:
    graph = open_graph(*BOOTSTRAP)
    upsert(graph, name)
    assert graph.get(f"applications(uniqueName={odata_key(name)})")["uniqueName"] == name
