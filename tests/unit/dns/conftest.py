# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers and services of the DNS tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns import zone_lock
from ansible_collections.mailroom.erp.tests.servers.cloudflare import Cloudflare
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.unit.dns.cloudflare_acts import SPF, ZONE, StartCloudflare


@pytest.fixture
def start_cloudflare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartCloudflare]:
    """Start servers with zones; nobody else writes, so nobody is waited for."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(zone_lock, "OTHERS_SECONDS", 0.0)
    started: list[Cloudflare] = []

    def start_server(zones: Mapping[str, str] | None = None, **options: int) -> Cloudflare:
        text = {ZONE: zone_text(ZONE, f'@ 600 TXT "{SPF}"')}
        started.append(Cloudflare(text if zones is None else zones, **options))
        return started[-1]

    yield start_server
    for server in started:
        server.stop()


@pytest.fixture
def server(start_cloudflare: StartCloudflare) -> Cloudflare:
    """A Cloudflare with the zone acme.example; tests of other services have a server of their own."""
    return start_cloudflare(tag_quota=5)
