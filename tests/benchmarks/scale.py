# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thousands of zones: this collection beside what else brings records into them, both sides in one go, as ratios.

Run it by ``make benchmark-scale``. It starts a BIND 9 on loopback, with 200 and with 2,000 zones, asked directly and
with 10 ms each way, and prints how long whole processes take to create four records in every zone, and to find that
nothing is to do. It judges nothing; docs/performance.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailroom.erp.tests.benchmarks.measure import Run, memory, timed
from ansible_collections.mailroom.erp.tests.benchmarks.scale_sides import (
    BARE,
    BARE_UNSIGNED,
    EMPTY,
    NSUPDATE,
    OCTODNS,
    OCTODNS_WIDE,
    OURS,
    Job,
    Side,
    server_zones,
    zone_names,
)
from ansible_collections.mailroom.erp.tests.integration.playbook import collections_path
from ansible_collections.mailroom.erp.tests.servers.bind import UPDATES_WITH_KEY, Bind
from ansible_collections.mailroom.erp.tests.servers.sending_service import SERVICE_TERM
from ansible_collections.mailroom.erp.tests.servers.server import KEY_NAME

LOOPED_ZONES = 20
_TRANSFERS = f'{UPDATES_WITH_KEY} allow-transfer {{ key "{KEY_NAME}"; }};'
"""octoDNS reads whole zones by transfer."""
_REPEATS = 3


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of one side: the run that creates, and the median of runs with nothing to do."""

    create: float
    unchanged: float

    def each(self, zones: int) -> Times:
        return Times(self.create / zones, self.unchanged / zones)

    def above(self, other: Times) -> Times:
        return Times(self.create - other.create, self.unchanged - other.unchanged)

    def ratio(self, other: Times) -> str:
        """How many times as long as the other side."""
        return f"create {self.create / other.create:6.2f}   unchanged {self.unchanged / other.unchanged:6.2f}"


@dataclass(frozen=True, slots=True)
class Found:
    """What a side needed: wall time, and the processor's (which other work on the machine disturbs less)."""

    wall: Times
    processor: Times

    def __str__(self) -> str:
        wall, cpu = self.wall, self.processor
        return (
            f"create {wall.create:7.2f} s (processor {cpu.create:6.2f} s)   "
            f"unchanged {wall.unchanged:7.2f} s (processor {cpu.unchanged:6.2f} s)"
        )


def main() -> None:
    options = _options()
    for zones in options.zones:
        for milliseconds in options.latency:
            print(f"\n{zones} zones, {milliseconds} ms each way; load average {os.getloadavg()[0]:.1f}", flush=True)
            _compare(zones, milliseconds, _sides(options.sides, zones, milliseconds))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zones", type=int, nargs="+", default=[200, 2000])
    parser.add_argument("--latency", type=int, nargs="+", default=[0, 10], help="milliseconds each way")
    parser.add_argument("--sides", nargs="+", default=[""], help="the beginnings of the names of the sides to run")
    return parser.parse_args()


def _sides(beginnings: Sequence[str], zones: int, milliseconds: int) -> list[Side]:
    sides = [EMPTY, OURS, BARE, BARE_UNSIGNED, OCTODNS_WIDE, OCTODNS]
    if zones <= 200 and not milliseconds:
        sides.append(NSUPDATE)
    return [side for side in sides if side is EMPTY or side.name.startswith(tuple(beginnings))]


def _compare(zones: int, milliseconds: int, sides: Sequence[Side]) -> None:
    found: dict[Side, Found] = {}
    for side in sides:
        found[side] = _race(side, zones, milliseconds)
        print(f"  {side.name:28} {found[side]}", flush=True)
    if OURS in found:
        _print_ratios({side: one.wall for side, one in found.items()}, zones)


def _print_ratios(found: dict[Side, Times], zones: int) -> None:
    mine, above = found[OURS], found[OURS].above(found[EMPTY])
    for side in (BARE, BARE_UNSIGNED):
        if side in found:
            _print_ratio(f"mail_domains above an empty task, by {side.name}", above.ratio(found[side]))
    for side in (OCTODNS, OCTODNS_WIDE):
        if side in found:
            _print_ratio(f"{side.name}, by mail_domains", found[side].ratio(mine))
    if NSUPDATE in found:
        loop = found[NSUPDATE].above(found[EMPTY]).each(LOOPED_ZONES)
        _print_ratio("nsupdate above an empty task, by mail_domains, per zone", loop.ratio(mine.each(zones)))


def _print_ratio(name: str, ratio: str) -> None:
    print(f"  {name:64} {ratio}", flush=True)


def _race(side: Side, zones: int, milliseconds: int) -> Found:
    """Let one side create the records of fresh zones, and then find them."""
    names = zone_names(min(zones, LOOPED_ZONES) if side is NSUPDATE else zones)
    with (
        tempfile.TemporaryDirectory() as folder,
        Bind(server_zones(names), updates=_TRANSFERS) as server,
        _delayed(server.port, milliseconds) as port,
    ):
        job = Job(Path(folder), port, names)
        command = side.prepare(job)
        created = _run(command, job.folder)
        if side is not EMPTY:
            _check(server, names)
        serials = [server.serial(name) for name in names[:3]]
        again = [_run(command, job.folder) for _time in range(1 if side is NSUPDATE else _REPEATS)]
        if serials != [server.serial(name) for name in names[:3]]:
            raise SystemExit(f"{side.name} changes what is right already")
        if side is OURS:
            _print_memory(command, job.folder)
        return Found(
            Times(created.seconds, statistics.median(run.seconds for run in again)),
            Times(created.processor, statistics.median(run.processor for run in again)),
        )


def _run(command: list[str], folder: Path) -> Run:
    return timed(command, _environment(folder), folder)


def _print_memory(command: list[str], folder: Path) -> None:
    peak = memory(command, _environment(folder), folder)
    print(f"  mail_domains' memory: module {peak.module:.0f} MiB, all processes {peak.together:.0f} MiB", flush=True)


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of a user's Ansible settings; community.general is looked for beside the collections of the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    path = os.pathsep.join([collections_path(), os.environ.get("BENCHMARK_COLLECTIONS", "")])
    return {**kept, "ANSIBLE_COLLECTIONS_PATH": path, "ANSIBLE_HOME": str(folder / ".ansible")}


def _check(server: Bind, names: Sequence[str]) -> None:
    for name in (names[0], names[-1]):
        found = [
            server.values(name, "TXT"),
            server.values(f"s2._domainkey.{name}", "CNAME"),
            server.values(f"_dmarc.{name}", "TXT"),
        ]
        if not all(found) or SERVICE_TERM not in found[0][0]:
            raise SystemExit(f"{name} has not got its records: {found}")


@contextlib.contextmanager
def _delayed(port: int, milliseconds: int) -> Iterator[int]:
    """The port to ask: the server's own, or that of a forwarder in a process of its own."""
    if not milliseconds:
        yield port
        return
    program = [sys.executable, str(Path(__file__).parent / "latency.py"), str(port), str(milliseconds)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as forwarder:
        try:
            yield int(forwarder.stdout.readline() if forwarder.stdout else 0)
        finally:
            forwarder.kill()


if __name__ == "__main__":
    main()
