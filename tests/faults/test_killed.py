# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed at any I/O step leaves each zone as it was or as it was to be, and the next run mends it."""

from __future__ import annotations

import itertools
import os
import stat
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.faults.nursery import SELECTORS, Nursery, added_term
from ansible_collections.mailroom.erp.tests.servers import octodns_backends
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.cloudflare import Cloudflare
from ansible_collections.mailroom.erp.tests.servers.cloudflare_state import zone_of
from ansible_collections.mailroom.erp.tests.servers.powerdns import PowerDns
from ansible_collections.mailroom.erp.tests.servers.server import Server, zone_text
from ansible_collections.mailroom.erp.tests.servers.transip import ACCESS, LOGIN, Transip
from ansible_collections.mailroom.erp.tests.servers.transip_state import transip_zone
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

SPF = '"v=spf1 ip4:198.51.100.1 ~all"'
FOREIGN = '"google-site-verification=abc"'
DMARC = '"v=DMARC1; p=none"'
TEXT = f"@ 600 TXT {SPF}\n@ 600 TXT {FOREIGN}\n_dmarc TXT {DMARC}"
ZONES = {zone: zone_text(zone, TEXT) for zone in ("acme.example", "shop.example")}
OWNERS = (("", "TXT"), ("_dmarc.", "TXT"), ("s1._domainkey.", "CNAME"))
"""What a run changes in a zone, as prefixes of its apex."""

OLD: tuple[list[str], ...] = (sorted([SPF, FOREIGN]), [DMARC], [])
NEW: tuple[list[str], ...] = (
    sorted(['"v=spf1 ip4:198.51.100.1 ip4:192.0.2.1 ~all"', FOREIGN]),
    ['"v=DMARC1; p=quarantine"'],
    ["key.service.example."],
)
Values = Callable[[str, str], list[str]]


def order(dns: dict[str, Any], resolver: dict[str, Any], zones: Iterable[str], state: Path) -> dict[str, Any]:
    return added_term(dns, resolver, zones, state, dkim=SELECTORS, dmarc={"policy": "quarantine"})


def states(values: Values, zones: Iterable[str]) -> list[tuple[list[str], ...]]:
    return [tuple(values(f"{prefix}{zone}", rdtype) for prefix, rdtype in OWNERS) for zone in zones]


def is_between(state: tuple[list[str], ...]) -> bool:
    """Whether each RRset is as it was or as it was to be."""
    return all(one in pair for one, pair in zip(state, zip(OLD, NEW, strict=True), strict=True))


def kill_at_each_step(
    nursery: Nursery,
    params: dict[str, Any],
    reset: Callable[[], None],
    check: Values,
    settle: Callable[[], None] = lambda: None,
    whole: bool = True,
) -> list[str]:
    """Let a run die at its first step, the next at its second, until one lives; another run follows each of them.

    :param reset: puts the zones back
    :param check: reads the zones, and finds nothing broken about them
    :param settle: waits until nothing is on its way any more
    :param whole: whether a zone changes as a whole; else each of its RRsets does
    :returns: the steps of the one that lived
    """
    zones = params["domains"]
    seen = set()
    for number in itertools.count(1):
        reset()
        assert states(check, zones) == [OLD] * len(zones)
        victim = nursery.run(params, number)
        settle()
        after, where = states(check, zones), f"killed before step {number}, {victim['steps'][-1]}"
        if not victim["signal"]:
            break
        assert victim["outcome"] is None, where
        assert all(state in (OLD, NEW) or (not whole and is_between(state)) for state in after), f"{where}: {after}"
        seen.add(tuple(state == NEW for state in after))
        following = nursery.run(params)
        assert following["outcome"] == {"changed": not all(state == NEW for state in after), "failure": None}, where
        assert states(check, zones) == [NEW] * len(zones), where
    assert victim["outcome"] == {"changed": True, "failure": None}
    assert after == [NEW] * len(zones)
    assert len(seen) == len(zones) + 1, "some died before the first write, some after the last, some between"
    steps: list[str] = victim["steps"]
    return steps


def test_master_files_survive_a_death_at_any_step(nursery: Nursery, tmp_path: Path) -> None:
    files = ZoneFolder(tmp_path / "zones")

    def reset() -> None:
        for zone, text in ZONES.items():
            files.write(zone, text).chmod(0o640)

    def values(name: str, rdtype: str) -> list[str]:
        assert {stat.S_IMODE(files.file(zone).stat().st_mode) for zone in ZONES} == {0o640}
        return files.values(name, rdtype)

    params = order(files.dns_option, files.resolver_option, ZONES, tmp_path / "state")
    steps = kill_at_each_step(nursery, params, reset, values)
    assert steps.count("os.rename") > len(ZONES), "the snapshot and each zone"
    assert {"write", "os.fsync", "fcntl.flock", "open"} <= set(steps)
    locks = [f".{zone}.zone.lock" for zone in ZONES]
    assert sorted(os.listdir(files.folder)) == sorted([*locks, *(f"{zone}.zone" for zone in ZONES)])


def test_a_server_s_zone_survives_a_death_at_any_step(nursery: Nursery, kind: type[Server], tmp_path: Path) -> None:
    with kind(ZONES) as server:
        params = order(server.dns_option, server.resolver_option, ["acme.example"], tmp_path)
        zone = "acme.example"
        reset, settle = partial(put_back, server, zone), partial(server.settle, zone)
        steps = kill_at_each_step(nursery, params, reset, server.values, settle)
    assert {"socket.connect", "send", "recv", "close"} <= set(steps)


def test_a_zone_at_cloudflare_survives_a_death_at_any_step(nursery: Nursery, tmp_path: Path) -> None:
    zone = "acme.example"
    world = ZoneFolder(tmp_path, {zone: ZONES[zone]})
    with Cloudflare({zone: ZONES[zone]}) as server:

        def reset() -> None:
            server.zones[zone] = zone_of(zone, ZONES[zone])

        params = order(server.dns_option, world.resolver_option, [zone], tmp_path / "state")
        # What was sent before a death is done all the same.
        steps = kill_at_each_step(nursery, params, reset, server.values, partial(time.sleep, 0.1))
    assert {"socket.connect", "http.write", "http.read", "fcntl.flock"} <= set(steps)


def test_a_zone_at_transip_survives_a_death_at_any_step(nursery: Nursery, tmp_path: Path) -> None:
    """One entry at a time is written there, so a zone may be changed in part; no record is ever missing or doubled."""
    zone = "acme.example"
    world = ZoneFolder(tmp_path, {zone: ZONES[zone]})
    with Transip({zone: ZONES[zone]}) as server:

        def reset() -> None:
            server.zones[zone] = transip_zone(zone, ZONES[zone])

        account = {"provider": "transip", "login": LOGIN, "token": ACCESS, "base_url": server.base_url}
        params = order(account, world.resolver_option, [zone], tmp_path / "state")
        settle = partial(time.sleep, 0.02)
        steps = kill_at_each_step(nursery, params, reset, server.values, settle, whole=False)
    assert {"socket.connect", "requests.send", "requests.getresponse", "fcntl.flock"} <= set(steps)


@pytest.mark.parametrize(
    ("kind", "dns_of"),
    [(Bind, octodns_backends.on_bind), (PowerDns, octodns_backends.on_powerdns)],
    ids=["bind", "pdns"],
)
def test_a_zone_behind_octodns_survives_a_death_at_any_step(
    nursery: Nursery, kind: type[Server], dns_of: Callable[[Any], dict[str, Any]], tmp_path: Path
) -> None:
    with kind(ZONES) as server:
        zone = "acme.example"
        params = order(dns_of(server), server.resolver_option, [zone], tmp_path)
        reset, settle = partial(put_back, server, zone), partial(server.settle, zone)
        steps = kill_at_each_step(nursery, params, reset, server.values, settle)
    assert {"socket.connect", "fcntl.flock", "os.rename"} <= set(steps)


def put_back(server: Server, zone: str) -> None:
    update = server.update(zone)
    for prefix, rdtype in OWNERS:
        update.delete(f"{prefix}{zone}.", rdtype)
    for prefix, text in (("", SPF), ("", FOREIGN), ("_dmarc.", DMARC)):
        update.add(f"{prefix}{zone}.", 600, "TXT", text)
    server.send(update)
