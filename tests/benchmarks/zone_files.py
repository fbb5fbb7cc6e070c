# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a folder of master files costs per zone: a first SPF record each, a run that changes nothing, and the way back.

Run it by ``make benchmark-zonefiles``. The collection as it was at the git revision BEFORE and as it stands here do
2,000 zones in turn, and the new one alone as many as 20,000; each side is a process of its own. It prints milliseconds
per zone, wall and processor time, and two ratios: now to before at 2,000 zones, and 20,000 zones to 500. Where others
use the same cores, only the ratio of processor time says something of the program.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.restore import read_restore, restore
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot import Snapshot
from ansible_collections.mailroom.erp.tests.servers.server import zone_text

BEFORE = "ac35ea0"
"""The last build that looked through the folder for every zone."""
FEW, MANY, MOST = 500, 2_000, 20_000
WORKS = ("created", "unchanged", "restored")
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}

Costs = dict[str, float]
"""Milliseconds per zone, of each of WORKS by each of CLOCKS: ``created, wall``."""


def side(zones: int) -> None:
    """Do all three works with the collection that Python finds, and print what they cost as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(_costs(Path(folder), zones)))


def _costs(folder: Path, zones: int) -> Costs:
    names = [f"d{number}.example" for number in range(zones)]
    (folder / "zones").mkdir()
    for name in names:
        (folder / "zones" / f"{name}.zone").write_text(zone_text(name))
    dns = {"provider": "zonefile", "path": str(folder / "zones")}
    parameters = {"dns": dns, "domains": names, "spf": {"terms": ["ip4:192.0.2.1"]}}
    created = Snapshot(folder / "created", "benchmark")

    def write(snapshot: Snapshot) -> int:
        run = Run(read_order(parameters), {"zonefiles": [dns["path"]]}, snapshot=snapshot)
        return sum(outcome.changed for outcome in run.execute(write=True))

    def back() -> int:
        restoring = read_restore({"snapshot": str(created.path), "dns": dns})
        restore(restoring, Snapshot(folder / "restored", "benchmark"), True)
        return sum("v=spf1" not in (folder / "zones" / f"{name}.zone").read_text() for name in names)

    costs = [
        _timed(lambda: write(created), zones, zones),
        _timed(lambda: write(Snapshot(folder / "again", "benchmark")), 0, zones),
        _timed(back, zones, zones),
    ]
    return {f"{work}, {clock}": spent for work, cost in zip(WORKS, costs, strict=True) for clock, spent in cost.items()}


def _timed(work: Callable[[], int], expected: int, zones: int) -> Costs:
    """Milliseconds per zone of some work, by each of CLOCKS.

    :raises SystemExit: it did not do what it should, so that its time says nothing
    """
    start = {name: clock() for name, clock in CLOCKS.items()}
    done = work()
    spent = {name: clock() - start[name] for name, clock in CLOCKS.items()}
    if done != expected:
        raise SystemExit(f"{done} zones were changed, not {expected}")
    return {name: seconds / zones * 1000 for name, seconds in spent.items()}


def measured(collections: Path, zones: int) -> Costs:
    """What one build costs, in a process of its own.

    :param collections: the folder that holds ``ansible_collections``
    """
    environment = {**os.environ, "PYTHONPATH": str(collections)}
    command = [sys.executable, str(Path(__file__).resolve()), "--side", str(zones)]
    return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)  # type: ignore[no-any-return]


def median(runs: list[Costs]) -> Costs:
    """The median of each."""
    return {what: statistics.median(run[what] for run in runs) for what in runs[0]}


def compare(turns: int) -> None:
    """Measure all, both sides in turn, and print the table."""
    # The old build has no such module.
    from ansible_collections.mailroom.erp.tests.benchmarks.environments import export
    from ansible_collections.mailroom.erp.tests.integration.playbook import collections_path

    now = Path(collections_path())
    with tempfile.TemporaryDirectory() as folder:
        before = export(BEFORE, Path(folder))
        pairs = [(measured(before, MANY), measured(now, MANY)) for _turn in range(turns)]
    sizes = [(measured(now, FEW), measured(now, MOST)) for _turn in range(turns)]
    _told(f"{MANY} zones", "before", "now", *(median(list(side)) for side in zip(*pairs, strict=True)))
    _told("this build", f"{FEW} zones", f"{MOST} zones", *(median(list(side)) for side in zip(*sizes, strict=True)))


def _told(what: str, one: str, other: str, first: Costs, second: Costs) -> None:
    for work, spent in first.items():
        print(
            f"{what:12} {work:20} {one} {spent:6.2f} ms   {other} {second[work]:6.2f} ms   {second[work] / spent:.2f}x"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, help="only do this many zones here and print what they cost")
    parser.add_argument("--turns", type=int, default=1, help="how often each side runs")
    arguments = parser.parse_args()
    side(arguments.side) if arguments.side else compare(arguments.turns)
