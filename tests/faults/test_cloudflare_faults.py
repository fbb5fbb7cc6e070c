# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloudflare's API failing at any request: once, it is got over; for good, the zone is as it was or as it was to be."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.faults.nursery import SELECTORS, Nursery, added_term
from ansible_collections.mailroom.erp.tests.servers.cloudflare import TOKEN, Cloudflare
from ansible_collections.mailroom.erp.tests.servers.cloudflare_state import zone_of
from ansible_collections.mailroom.erp.tests.servers.faulty_api import (
    DROP_AFTER,
    DROP_BEFORE,
    ERROR_AFTER,
    ERROR_BEFORE,
    LIMIT,
)
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

ZONE = "acme.example"
FOREIGN = '"google-site-verification=abc"'
TEXT = zone_text(ZONE, f'@ 600 TXT "v=spf1 ip4:198.51.100.1 ~all"\n@ 600 TXT {FOREIGN}')
OLD = [[FOREIGN, '"v=spf1 ip4:198.51.100.1 ~all"'], []]
NEW = [[FOREIGN, '"v=spf1 ip4:198.51.100.1 ip4:192.0.2.1 ~all"'], ["key.service.example."]]
FAULTS = [LIMIT, ERROR_BEFORE, ERROR_AFTER, DROP_BEFORE, DROP_AFTER]
BOUND = 12.0
"""Seconds that a run may take whose service is broken for good: three attempts and a pause for each thing asked."""


@pytest.fixture
def server() -> Iterator[Cloudflare]:
    with Cloudflare({ZONE: TEXT}) as started:
        yield started


@pytest.fixture
def order(server: Cloudflare, tmp_path: Path) -> dict[str, Any]:
    world = ZoneFolder(tmp_path, {ZONE: TEXT})
    return added_term(server.dns_option, world.resolver_option, [ZONE], tmp_path / "state", dkim=SELECTORS)


def found(server: Cloudflare) -> list[list[str]]:
    return [server.values(ZONE, "TXT"), server.values(f"s1._domainkey.{ZONE}", "CNAME")]


def put_back(server: Cloudflare) -> None:
    server.zones[ZONE] = zone_of(ZONE, TEXT)


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_at_any_request_does_not_fail_the_run(
    server: Cloudflare, nursery: Nursery, order: dict[str, Any], fault: str
) -> None:
    for number in itertools.count(1):
        put_back(server)
        server.plan(fault, number, 1)
        outcome, asked = nursery.run(order)["outcome"], len(server.requests)
        where = f"{fault} at request {number} of {asked}: {server.requests}"
        assert outcome == {"changed": True, "failure": None}, where
        assert found(server) == NEW, where
        assert server.serial(ZONE) == 2, f"{where}: written once"
        if asked < number:
            break
    assert number > 5, "a run finds the zone, reads it, looks, writes and reads again"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_service_that_breaks_for_good_ends_the_run_in_bounded_time(
    server: Cloudflare, nursery: Nursery, order: dict[str, Any], fault: str
) -> None:
    for number in itertools.count(1):
        put_back(server)
        # A wait that is too long is refused at once.
        server.plan(fault, number, 1000, onwards=True)
        start = time.monotonic()
        outcome = nursery.run(order)["outcome"]
        seconds, asked, state = time.monotonic() - start, len(server.requests), found(server)
        where = f"{fault} from request {number} on: {outcome}"
        assert seconds < BOUND, where
        server.plan("", 0)
        if asked < number:
            break
        assert state in (OLD, NEW), where
        assert outcome["failure"] and ZONE in outcome["failure"] and TOKEN not in outcome["failure"], where
        following = nursery.run(order)["outcome"]
        assert following == {"changed": state == OLD, "failure": None}, where
        assert found(server) == NEW, where
