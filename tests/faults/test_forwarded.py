# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A way to the server that fails at any message leaves the zone as it was or as it was to be, in bounded time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.faults.nursery import Nursery, added_term
from ansible_collections.mailroom.erp.tests.servers.forwarder import CUT, DELAY, DROP, DUPLICATE, FAULTS, Forwarder
from ansible_collections.mailroom.erp.tests.servers.server import Server, zone_text

ZONE = "acme.example"
SPF, NEW_SPF = '"v=spf1 ip4:198.51.100.1 ~all"', '"v=spf1 ip4:198.51.100.1 ip4:192.0.2.1 ~all"'
FOREIGN = '"google-site-verification=abc"'
OLD, NEW = sorted([FOREIGN, SPF]), sorted([FOREIGN, NEW_SPF])
TIMEOUT = 0.8
"""The option ``timeout``, in seconds."""
EXCHANGE = 1.5 * TIMEOUT
"""The longest that one question takes: twice over UDP (a quarter of the timeout, and again over TCP if the answer was
cut short), then over TCP (half of it)."""
PATIENCE = 10.0
"""The timeout of a run that nothing disturbs, in seconds."""
TRIES = 60
"""More than a run has messages."""
REST = 5.0
"""Seconds for all that is not waiting, on a busy machine."""


@pytest.fixture
def server(kind: type[Server]) -> Iterator[Server]:
    with kind({ZONE: zone_text(ZONE, f"@ 600 TXT {SPF}\n@ 600 TXT {FOREIGN}")}) as started:
        yield started


def order(server: Server, port: int, state: Path, timeout: float = TIMEOUT) -> dict[str, Any]:
    dns = {**server.dns_option, "port": port, "timeout": timeout}
    return added_term(dns, server.resolver_option, [ZONE], state)


def put_back(server: Server) -> None:
    update = server.update(ZONE)
    update.delete("@", "TXT")
    for text in (SPF, FOREIGN):
        update.add("@", 600, "TXT", text)
    server.send(update)


def settled(server: Server) -> list[str]:
    """What the server shows once nothing is on its way any more."""
    server.settle(ZONE)
    return server.values(ZONE, "TXT")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_message_is_survived(server: Server, nursery: Nursery, fault: str, tmp_path: Path) -> None:
    with Forwarder(server.port) as forwarder:
        faulty, direct = order(server, forwarder.port, tmp_path), order(server, server.port, tmp_path, PATIENCE)
        for number in range(1, TRIES):
            put_back(server)
            # A delay outlasts the patience, so that what was given up arrives all the same.
            forwarder.plan(fault, number, EXCHANGE)
            start = time.monotonic()
            outcome = nursery.run(faulty)["outcome"]
            seconds, messages = time.monotonic() - start, forwarder.messages
            where = f"{fault} at message {number} of {messages}: {outcome}"
            assert seconds < 2 * EXCHANGE + REST, where
            if messages < number and not outcome["failure"]:
                break
            # Without a fault of ours the server was too slow, as it may be on a busy machine: a fault like any other.
            if (fault == DELAY or messages < number) and outcome["failure"]:
                time.sleep(EXCHANGE)
            found = settled(server)
            assert found in (OLD, NEW), where
            assert found == NEW or outcome["failure"], f"{where}: no change may be reported that is not there"
            following = nursery.run(direct)["outcome"]
            assert following == {"changed": found == OLD, "failure": None}, where
            assert settled(server) == NEW, where
    assert outcome == {"changed": True, "failure": None}
    assert number > 8, "a run is at least four questions and answers"


@pytest.mark.parametrize("fault", [DROP, CUT])
def test_a_way_that_breaks_for_good_ends_the_run_in_bounded_time(
    server: Server, nursery: Nursery, fault: str, tmp_path: Path
) -> None:
    with Forwarder(server.port) as forwarder:
        for number in itertools.count(1):
            put_back(server)
            forwarder.plan(fault, number, onwards=True)
            start = time.monotonic()
            outcome = nursery.run(order(server, forwarder.port, tmp_path))["outcome"]
            seconds, messages = time.monotonic() - start, forwarder.messages
            where = f"{fault} from message {number} on: {outcome}"
            # The update that is lost, and the questions after its fate.
            assert seconds < TIMEOUT + 2 * EXCHANGE + REST, where
            if messages < number:
                break
            assert settled(server) in (OLD, NEW), where
            assert outcome["failure"] and str(forwarder.port) in outcome["failure"], where


def test_an_update_that_arrives_twice_is_done_once(server: Server, nursery: Nursery, tmp_path: Path) -> None:
    with Forwarder(server.port) as forwarder:
        forwarder.plan(DUPLICATE, 1, onwards=True)
        assert nursery.run(order(server, forwarder.port, tmp_path))["outcome"] == {"changed": True, "failure": None}
    assert settled(server) == NEW
