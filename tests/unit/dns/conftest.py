# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers and services of the DNS tests."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns import zone_lock
from ansible_collections.mailroom.erp.tests.servers.cloudflare import Cloudflare
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.transip import Transip
from ansible_collections.mailroom.erp.tests.unit.dns.cloudflare_acts import SPF, ZONE, StartCloudflare
from ansible_collections.mailroom.erp.tests.unit.dns.transip_acts import StartTransip


@pytest.fixture
def one_controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other controller writes, so nobody is waited for; locks are kept in the folder of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(zone_lock, "OTHERS_SECONDS", 0.0)


@pytest.fixture
def start_cloudflare(one_controller: None) -> Iterator[StartCloudflare]:
    """Start servers that end with the test; takes what :class:`Cloudflare` takes, the zone acme.example if nothing."""
    with ExitStack() as started:

        def start(zones: Mapping[str, str] | None = None, **options: int) -> Cloudflare:
            text = {ZONE: zone_text(ZONE, f'@ 600 TXT "{SPF}"')}
            return started.enter_context(Cloudflare(text if zones is None else zones, **options))

        yield start


@pytest.fixture
def server(start_cloudflare: StartCloudflare) -> Cloudflare:
    """A Cloudflare with the zone acme.example; tests of other services have a server of their own."""
    return start_cloudflare(tag_quota=5)


@pytest.fixture
def start_transip(one_controller: None) -> Iterator[StartTransip]:
    """Start servers that end with the test; takes zones, acme.example with two texts if nothing."""
    with ExitStack() as started:

        def start(zones: Mapping[str, str] | None = None) -> Transip:
            text = {ZONE: zone_text(ZONE, f'@ 600 TXT "{SPF}"\n@ 600 TXT "google-site-verification=abc"')}
            return started.enter_context(Transip(text if zones is None else zones))

        yield start


@pytest.fixture
def transip(start_transip: StartTransip) -> Transip:
    """A TransIP with the domain acme.example, whose apex has two texts with one TTL."""
    return start_transip()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time passes at once; what was slept is noted."""
    naps: list[float] = []
    now = [1000.0]

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return naps
