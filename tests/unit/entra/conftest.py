# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A test tenant, and clients of it that do not really wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Pace, odata_key
from ansible_collections.mailroom.erp.plugins.module_utils.entra.http import Http
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import GRANT, MANAGE_OWN, READ_APPLICATIONS

RUN_TIME = [MANAGE_OWN, READ_APPLICATIONS]
BOOTSTRAP = [*RUN_TIME, *GRANT]

OpenGraph = Callable[..., Graph]


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def pace(self, timeout: float = 60.0, poll_interval: float = 1.0) -> Pace:
        return Pace(timeout, poll_interval, self.sleep, lambda: self.now)


def upsert(graph: Graph, name: str = "erp") -> dict[str, object]:
    """Make an application of this unique name, or change it."""
    headers = {"Prefer": "create-if-missing"}
    return graph.change(f"applications(uniqueName={odata_key(name)})", {"displayName": "ERP"}, headers=headers)


@pytest.fixture
def server() -> Iterator[EntraServer]:
    with EntraServer() as started:
        yield started


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_graph(server: EntraServer, clock: Clock) -> Iterator[OpenGraph]:
    """Open Graph as a new automation with these rights."""
    opened: list[Http] = []

    def start(*rights: str, timeout: float = 60.0) -> Graph:
        app_id, _secret = server.directory.add_client("automation", rights)
        opened.append(Http(server.ca_file))
        return Graph(opened[-1], server.url, server.authority.application_token(app_id), clock.pace(timeout))

    yield start
    for http in opened:
        http.close()
