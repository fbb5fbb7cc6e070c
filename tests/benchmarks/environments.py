# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``site`` costs a service provider: many environments, one host and one domain each, on one BIND.

Run it by ``make benchmark-site``. It takes the collection as it was at the git revision BEFORE and as it stands here in
turn, each with a BIND of its own, and prints medians and ratios: a first run, which creates all records and files, and
runs that change nothing. ``--more 3000`` adds the new build alone at that many environments, with its memory.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.benchmarks.measure import Run, memory, timed
from ansible_collections.mailroom.erp.tests.integration.playbook import collections_path, own_program
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.sending_service import AFAS_ZONES
from ansible_collections.mailroom.erp.tests.servers.server import zone_text

REPOSITORY = Path(__file__).resolve().parents[2]
BEFORE = "ac35ea0"
"""The last build whose playbook ``site`` worked host by host."""


@dataclass(slots=True)
class Side:
    """One build: the folder that holds ``ansible_collections``, and its runs."""

    name: str
    collections: Path
    created: list[Run] = field(default_factory=list)
    unchanged: list[Run] = field(default_factory=list)


def names(count: int) -> list[str]:
    """The hosts; the domain of each is its name below ``example``."""
    return [f"customer{number:04}" for number in range(count)]


def inventory(count: int, server: Bind) -> dict[str, Any]:
    """One AFAS Profit for each customer; two senders at a domain of its own, which it alone declares."""
    hosts = {
        name: {
            "erp_mail_system": "afas_profit",
            "erp_mail_transport": "afas_online",
            "erp_mail_senders": {
                "environment": f"erp@{name}.example",
                "administrations": {"1": f"finance@{name}.example"},
            },
            "mail_dns_domains": {f"{name}.example": {"services": [], "dmarc": {"policy": "none"}}},
        }
        for name in names(count)
    }
    shared = {
        "ansible_connection": "local",
        "mail_dns_account": server.dns_option,
        "mail_dns_resolver": server.resolver_option,
    }
    return {"all": {"vars": shared, "hosts": hosts}}


@contextmanager
def estate(count: int) -> Iterator[Path]:
    """A folder with an inventory, and the name server that it speaks of."""
    zones = {f"{name}.example": zone_text(f"{name}.example") for name in names(count)}
    with tempfile.TemporaryDirectory() as folder, Bind({**zones, **AFAS_ZONES}) as server:
        (Path(folder) / "inventory.yml").write_text(json.dumps(inventory(count, server)))
        yield Path(folder)


def site(side: Side, folder: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """The command of one run, and its environment."""
    command = [own_program("ansible-playbook"), "-i", "inventory.yml", "mailroom.erp.site", *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHONPATH"))}
    own = {"ANSIBLE_COLLECTIONS_PATH": str(side.collections), "ANSIBLE_HOME": str(folder / ".ansible")}
    return command, {**kept, **own, "ANSIBLE_NOCOLOR": "1", "XDG_STATE_HOME": str(folder / ".state")}


def export(revision: str, folder: Path) -> Path:
    """Lay out the collection as it was at a revision.

    :returns: the folder that holds ``ansible_collections``
    """
    target = folder / "ansible_collections" / "mailroom" / "erp"
    target.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", revision], cwd=REPOSITORY, stdout=subprocess.PIPE, check=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(target, filter="data")
    return folder


def compare(sides: list[Side], count: int, runs: int) -> None:
    """Run both sides in turn, each with its own estate: once to create all, then so many runs that change nothing."""
    with estate(count) as one, estate(count) as other:
        folders = dict(zip((side.name for side in sides), (one, other), strict=True))
        for side in sides:
            side.created.append(timed(*site(side, folders[side.name]), folders[side.name]))
        for _turn in range(runs):
            for side in sides:
                side.unchanged.append(timed(*site(side, folders[side.name]), folders[side.name]))


def told(sides: list[Side], count: int) -> None:
    """Print the medians and how the new build compares."""
    before, now = sides
    for what in ("created", "unchanged"):
        for figure in ("seconds", "processor"):
            first, second = (
                statistics.median(getattr(run, figure) for run in getattr(side, what)) for side in (before, now)
            )
            words = f"{count} environments {what}, {figure}"
            print(f"{words:45} before {first:7.1f} s   now {second:6.1f} s   {second / first:.3f}x of before")
    lines = [len(side.unchanged[-1].output.splitlines()) for side in sides]
    print(f"{'lines of output, unchanged':45} before {lines[0]:7}     now {lines[1]:6}")


def alone(side: Side, count: int) -> float:
    """Run one side at another size.

    :returns: processor milliseconds per environment of an unchanged run
    """
    with estate(count) as folder:
        command, environment = site(side, folder)
        timed(command, environment, folder)
        run = timed(command, environment, folder)
        peak = memory(command, environment, folder)
    each = run.processor / count * 1000
    print(
        f"{count} environments unchanged: {run.seconds:.1f} s wall, {run.processor:.1f} s processor, "
        f"{each:.1f} ms each, memory {peak.together:.0f} MiB"
    )
    return each


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=300)
    parser.add_argument("--runs", type=int, default=3, help="unchanged runs of each side")
    parser.add_argument("--before", default=BEFORE, help="a git revision")
    parser.add_argument("--more", type=int, help="also the build of here alone, at so many environments")
    options = parser.parse_args()
    now = Side("now", Path(collections_path()))
    with tempfile.TemporaryDirectory() as folder:
        sides = [Side("before", export(options.before, Path(folder))), now]
        compare(sides, options.hosts, options.runs)
        told(sides, options.hosts)
    if options.more:
        few, many = alone(now, options.hosts), alone(now, options.more)
        print(f"per environment at {options.more} against {options.hosts}: {many / few:.2f}x")


if __name__ == "__main__":
    main()
