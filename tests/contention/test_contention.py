# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""32 processes add 32 terms to one SPF record at the same time, and none is lost, on every service."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.contention.crowd import Crowd, Look, TextWatcher, look_at_cloudflare
from ansible_collections.mailroom.erp.tests.servers import octodns_backends
from ansible_collections.mailroom.erp.tests.servers.all import SERVERS
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.cloudflare import Cloudflare
from ansible_collections.mailroom.erp.tests.servers.powerdns import UncachedPowerDns
from ansible_collections.mailroom.erp.tests.servers.server import Server, zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

ZONE = "acme.example"
WRITERS = 32
FOREIGN = ['"MS=ms12345678"', '"google-site-verification=abc; \\"quoted\\""']
PLAIN_FOREIGN = [FOREIGN[0], '"google-site-verification=abc; plain"']
"""octoDNS carries no quotation marks."""


def text_with(foreign: list[str]) -> str:
    return zone_text(ZONE, "\n".join(f"@ 600 TXT {one}" for one in ('"v=spf1 ip4:198.51.100.1 ~all"', *foreign)))


TEXT = text_with(FOREIGN)
TERMS = [f"ip4:192.0.2.{number}" for number in range(1, WRITERS + 1)]
TIMEOUT = 90.0
"""Seconds: the patience of a run (``run._PATIENCE``) and its start and end."""


@dataclass
class Place:
    """A service with one zone: how the modules reach it, and what the world sees."""

    dns: dict[str, Any]
    resolver: dict[str, Any]
    look: Look
    state: Path
    foreign: list[str] = field(default_factory=lambda: FOREIGN)

    def order(self, **spf: Any) -> dict[str, Any]:
        services = {"dns": self.dns, "resolver": self.resolver, "snapshot_dir": str(self.state)}
        return {**services, "domains": [ZONE], "spf": spf}


def place_at(server: Server | ZoneFolder, folder: Path) -> Place:
    return Place(server.dns_option, server.resolver_option, partial(server.values, ZONE, "TXT"), folder / "state")


@pytest.fixture
def cloudflare(tmp_path: Path) -> Iterator[Place]:
    world = ZoneFolder(tmp_path, {ZONE: TEXT}).resolver_option
    with Cloudflare({ZONE: TEXT}) as server:
        yield Place(server.dns_option, world, partial(look_at_cloudflare, server, ZONE), tmp_path / "state")


@pytest.fixture
def octodns_bind(tmp_path: Path) -> Iterator[Place]:
    with Bind({ZONE: text_with(PLAIN_FOREIGN)}) as server:
        yield replace(place_at(server, tmp_path), dns=octodns_backends.on_bind(server), foreign=PLAIN_FOREIGN)


@pytest.fixture
def octodns_powerdns(tmp_path: Path) -> Iterator[Place]:
    with UncachedPowerDns({ZONE: text_with(PLAIN_FOREIGN)}) as server:
        yield replace(place_at(server, tmp_path), dns=octodns_backends.on_powerdns(server), foreign=PLAIN_FOREIGN)


WITHOUT_CONDITIONS = ["cloudflare", "octodns_bind", "octodns_powerdns"]
"""Services that know no condition for a write. What holds of them rests on time, so other tests must not run beside."""


@pytest.fixture(params=["zonefile", *WITHOUT_CONDITIONS, *SERVERS])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param in WITHOUT_CONDITIONS:
        yield request.getfixturevalue(request.param)
        return
    if request.param == "zonefile":
        yield place_at(ZoneFolder(tmp_path, {ZONE: TEXT}), tmp_path)
    else:
        with SERVERS[request.param]({ZONE: TEXT}) as server:
            yield place_at(server, tmp_path)


def record(place: Place) -> list[str]:
    (spf,) = [text for text in place.look() if text.startswith('"v=spf1')]
    return spf.replace('" "', "").strip('"').split(" ")


def test_no_term_of_32_writers_is_lost(place: Place, request: pytest.FixtureRequest) -> None:
    with Crowd(place.order(terms=[term]) for term in TERMS) as crowd, TextWatcher(place.look, place.foreign) as watcher:
        results = crowd.go(TIMEOUT)
    assert [one for one in results if one["failure"] or not one["changed"]] == []
    assert watcher.wrong == []
    terms = record(place)
    assert (terms[:2], terms[-1]) == (["v=spf1", "ip4:198.51.100.1"], "~all")
    assert sorted(terms[2:-1]) == sorted(TERMS)
    assert len(watcher.versions) > WRITERS / 4, "the watcher saw the record grow"
    tell(request, results, watcher)


def test_writers_who_add_and_writers_who_take_away_do_not_undo_each_other(place: Place) -> None:
    with Crowd([place.order(terms=TERMS[:16])]) as first:
        assert first.go(TIMEOUT)[0]["changed"]
    taking = [place.order(terms=[term], state="absent") for term in TERMS[:8]]
    adding = [place.order(terms=[term]) for term in TERMS[16:24]]
    with Crowd([*taking, *adding]) as crowd, TextWatcher(place.look, place.foreign) as watcher:
        results = crowd.go(TIMEOUT)
    assert [one for one in results if one["failure"] or not one["changed"]] == []
    assert watcher.wrong == []
    assert sorted(record(place)[2:-1]) == sorted(TERMS[8:24])


def test_writers_of_the_same_term_write_it_once(place: Place) -> None:
    with Crowd([place.order(terms=TERMS[:1])] * 8) as crowd, TextWatcher(place.look, place.foreign) as watcher:
        results = crowd.go(TIMEOUT)
    assert [one for one in results if one["failure"]] == []
    assert sum(one["changed"] for one in results) == 1
    assert watcher.wrong == []
    assert record(place) == ["v=spf1", "ip4:198.51.100.1", TERMS[0], "~all"]
    assert len(watcher.versions) <= 2


@pytest.mark.parametrize("controllers", [2, WRITERS])
@pytest.mark.parametrize("service", WITHOUT_CONDITIONS)
def test_writers_on_several_controllers_lose_no_term(
    request: pytest.FixtureRequest, service: str, controllers: int, tmp_path: Path
) -> None:
    place: Place = request.getfixturevalue(service)
    orders = [
        {**place.order(terms=[term]), "controller": str(tmp_path / f"controller{number % controllers}")}
        for number, term in enumerate(TERMS)
    ]
    with Crowd(orders) as crowd, TextWatcher(place.look, place.foreign) as watcher:
        results = crowd.go(TIMEOUT)
    assert [one for one in results if one["failure"] or not one["changed"]] == []
    assert watcher.wrong == []
    assert sorted(record(place)[2:-1]) == sorted(TERMS)
    tell(request, results, watcher)


def tell(request: pytest.FixtureRequest, results: list[dict[str, Any]], watcher: TextWatcher) -> None:
    """Show the figures; ``make contention`` prints them."""
    rounds, seconds = [one["rounds"] for one in results], [one["seconds"] for one in results]
    figures = f"{sum(rounds)} rounds, at most {max(rounds)} of one writer; {max(seconds)} s; {watcher.looks} looks"
    print(f"\n{request.node.callspec.id}: {WRITERS} writers, {figures}", file=sys.stdout)
