# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits by hand, a server that goes down and a second controller, all during one run; then a restore undoes the run."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, module_task, run_play, run_playbook
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.sending_service import AFAS_TERM, AFAS_ZONES
from ansible_collections.mailroom.erp.tests.servers.server import KEY_SECRET, zone_text
from ansible_collections.mailroom.erp.tests.servers.watcher import Watcher
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

SECOND = "ip4:198.51.100.1"
SPF = "v=spf1 ip4:192.0.2.10 ~all"
BY_HAND, IN_THE_AFTERNOON = "v=spf1 ip4:192.0.2.10 ip4:192.0.2.77 ~all", f"v=spf1 ip4:192.0.2.88 {AFAS_TERM} ~all"
FOREIGN = '"google-site-verification=abc"'
ZONES = [f"z{number}.example" for number in range(50)]
ON_ONE, ON_TWO, SHARED = ZONES[:25], ZONES[25:], ZONES[10:20]
HAND, AFTERNOON = ZONES[3], ZONES[5]
HALF_WAY = 12


@dataclass
class Day:
    """Two name servers, watched, and what happens to them while the run writes."""

    one: Bind
    two: Bind
    seen: list[str] = field(default_factory=list)
    second_waits: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.first_at_one = Watcher(self.one.port, self.first_writes_to_one)
        self.first_at_two = Watcher(self.two.port, self.first_writes_to_two)
        self.second_at_one = Watcher(self.one.port, self.second_writes)

    def first_writes_to_one(self, zone: str) -> None:
        """All is planned: the second controller goes on, and somebody edits one record by hand."""
        self.go.set()
        with self.lock:
            first, self.seen = zone not in self.seen, [*self.seen, zone]
        if first and zone == HAND:
            self.one.replace_text(HAND, SPF, BY_HAND)

    def first_writes_to_two(self, zone: str) -> None:
        with self.lock:
            self.seen.append(zone)
            if sum(one in ON_TWO for one in self.seen) == HALF_WAY:
                self.two.halt()

    def second_writes(self, zone: str) -> None:
        """It has read and planned, and waits until the first has too."""
        self.second_waits.set()
        self.go.wait(60)

    def account(self, watcher: Watcher) -> dict[str, Any]:
        return {**self.one.dns_option, "port": watcher.port, "timeout": 60.0 if watcher is self.second_at_one else 4.0}

    def texts(self) -> dict[str, list[str]]:
        return {zone: server_of(self, zone).values(zone, "TXT") for zone in ZONES}


def server_of(day: Day, zone: str) -> Bind:
    return day.one if zone in ON_ONE else day.two


@pytest.fixture
def day() -> Iterator[Day]:
    records = f'@ 600 IN TXT "{SPF}"\n@ 600 IN TXT {FOREIGN}\n'
    texts = {zone: zone_text(zone, records) for zone in ZONES}
    with Bind({zone: texts[zone] for zone in ON_ONE}) as one, Bind({zone: texts[zone] for zone in ON_TWO}) as two:
        day = Day(one, two)
        with day.first_at_one, day.first_at_two, day.second_at_one:
            yield day


def world(tmp_path: Path) -> dict[str, Any]:
    """What the resolver sees: our zones as delegated, and the services."""
    return ZoneFolder(tmp_path / "world", {**{zone: zone_text(zone) for zone in ZONES}, **AFAS_ZONES}).resolver_option


def controller(folder: Path, resolver: dict[str, Any], domains: list[Any], term: str) -> Result:
    """One controller's run, with snapshots of its own."""
    folder.mkdir()
    state = str(folder / "mailroom" / "snapshots")
    wish = {"domains": domains, "spf": {"terms": [term]}, "resolver": resolver, "snapshot_dir": state}
    return run_play(folder, [module_task("mail_domains", **wish)])


def restore(folder: Path, day: Day, *zones: str, force: bool = False) -> Result:
    """Restore the first controller's morning; the accounts are those of its inventory."""
    (morning, *_later) = sorted((folder / "mailroom" / "snapshots").glob("*.yml"))
    hosts = {
        "one": {"mail_dns_account": day.account(day.first_at_one)},
        "two": {"mail_dns_account": day.account(day.first_at_two)},
    }
    inventory = {"all": {"hosts": hosts, "vars": {"ansible_connection": "local"}}}
    wish: dict[str, Any] = {"mail_restore_snapshot": str(morning), "mail_restore_zones": list(zones)}
    if force:
        wish["mail_restore_changed_since"] = "restore"
    return run_playbook(folder, "mailroom.erp.restore", inventory, "-e", json.dumps(wish))


def work(tmp_path: Path, day: Day) -> Result:
    """Both controllers at the same time: each has planned before either writes to the zones that they share."""
    resolver = world(tmp_path)
    accounts = {zone: day.account(day.first_at_one if zone in ON_ONE else day.first_at_two) for zone in ZONES}
    with ThreadPoolExecutor(1) as pool:
        theirs = [{"domain": zone, "dns": day.account(day.second_at_one)} for zone in SHARED]
        second = pool.submit(controller, tmp_path / "second", resolver, theirs, SECOND)
        assert day.second_waits.wait(60)
        ours = [{"domain": zone, "dns": accounts[zone]} for zone in ZONES]
        first = controller(tmp_path / "first", resolver, ours, AFAS_TERM)
        assert second.result().rc == 0, second.result().output
    return first


@pytest.mark.slow
def test_every_zone_can_be_restored_after_a_dead_server_and_other_writers(tmp_path: Path, day: Day) -> None:
    morning = day.texts()
    first = work(tmp_path, day)
    assert first.rc != 0
    assert "of 50 domains failed, the others are done" in first.output
    day.two.start()
    day.one.replace_text(AFTERNOON, f"v=spf1 ip4:192.0.2.10 {AFAS_TERM} ~all", IN_THE_AFTERNOON)

    evening = day.texts()
    assert all(len(values) == 2 and FOREIGN in values for values in evening.values())
    assert all(AFAS_TERM in " ".join(evening[zone]) for zone in ON_ONE)
    assert all(SECOND in " ".join(evening[zone]) for zone in SHARED)
    assert "ip4:192.0.2.77" in " ".join(evening[HAND])
    done = [zone for zone in ON_TWO if evening[zone] != morning[zone]]
    assert 0 < len(done) < len(ON_TWO)
    assert all(f"{zone}: " in first.output for zone in set(ON_TWO) - set(done))

    # 1. what others have changed since is named, and nothing at all is written
    day.go.set()
    refused = restore(tmp_path / "first", day)
    assert refused.rc != 0
    assert day.texts() == evening
    named = [zone for zone in ZONES if f"{zone}: TXT " in refused.output]
    assert AFTERNOON in named
    assert set(named) <= {AFTERNOON, *SHARED}

    # 2. all others come back; what others did meanwhile stays as it is
    rest = restore(tmp_path / "first", day, *(zone for zone in ZONES if zone in kept(tmp_path) and zone not in named))
    assert rest.rc == 0, rest.output
    back = day.texts()
    for zone in set(ZONES) - {HAND, AFTERNOON, *SHARED}:
        assert back[zone] == morning[zone]
        assert server_of(day, zone).ttl(zone, "TXT") == 600
    assert back[HAND] == sorted([f'"{BY_HAND}"', FOREIGN])
    assert {zone: back[zone] for zone in named} == {zone: evening[zone] for zone in named}
    for zone in set(SHARED) - set(named):
        assert back[zone] == sorted([f'"{SPF.replace(" ~all", f" {SECOND} ~all")}"', FOREIGN])

    # 3. told so, the rest comes back too
    last = restore(tmp_path / "first", day, force=True)
    assert last.rc == 0, last.output
    night = day.texts()
    assert {zone: night[zone] for zone in named} == {zone: morning[zone] for zone in named}
    assert {zone: night[zone] for zone in set(ZONES) - set(named)} == {
        zone: back[zone] for zone in set(ZONES) - set(named)
    }
    assert restore(tmp_path / "first", day, force=True).changed == 0

    # the journal tells each write; one whose answer was lost was done all the same, and came back too
    state = tmp_path / "first" / "mailroom" / "snapshots"
    lines = [json.loads(line) for line in (state / "journal.jsonl").read_text().splitlines()]
    run = [line for line in lines if line["snapshot"] == morning_file(tmp_path).name]
    applied = [line["zone"] for line in run if line["outcome"] == "applied"]
    failed = [line["zone"] for line in run if line["outcome"].startswith("failed: ")]
    assert {*applied, *failed} == {*ZONES}
    assert {*ON_ONE} <= {*applied} <= {*ON_ONE, *done}
    assert [line["outcome"] for line in lines if line not in run] == ["applied"] * (len(ON_ONE) + len(done))
    assert not any(KEY_SECRET in path.read_text() for path in state.iterdir())


def morning_file(tmp_path: Path) -> Path:
    return min((tmp_path / "first" / "mailroom" / "snapshots").glob("*.yml"))


def kept(tmp_path: Path) -> list[str]:
    """The zones in the first controller's snapshot of the morning."""
    return [str(entry["zone"]) for entry in yaml.safe_load(morning_file(tmp_path).read_text())["zones"]]
