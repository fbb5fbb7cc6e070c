# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to plan and judge 10,000 domains, each with a sender, beside planning them without senders.

Run it by ``make benchmark``. Every domain is a zone file of its own that changes twice (a term more, a stricter
policy), and fifty services stand behind their includes. The collection as it was at the git revision BEFORE and as it
stands here do it in turn; each side is a process of its own, which tells its seconds, wall and processor time, that of
processes that it has forked included. Then each does it once more while its memory is looked at: the peak of all its
processes together, pages that they share counted once. Nothing is written. Where others use the same cores, only
processor time says something of the program.
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
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.tests.servers.server import zone_text

BEFORE = "ac35ea0"
"""The last build whose ``site`` worked host by host."""
DOMAINS = 10_000
SERVICES = 50
RELAY = "ip4:192.0.2.251"


def make_zones(folder: Path, domains: int = DOMAINS) -> None:
    """Write the zones of the domains and of the services that they include."""
    for place in ("ours", "world"):
        (folder / place).mkdir()
    for number in range(domains):
        zone = f"d{number}.example"
        include = f"include:spf.s{number % SERVICES}.test"
        records = f'@ TXT "v=spf1 ip4:198.51.100.{number % 250} {include} ~all"\n_dmarc TXT "v=DMARC1; p=none"\n'
        (folder / "ours" / f"{zone}.zone").write_text(zone_text(zone, records))
    for number in range(SERVICES):
        zone = f"s{number}.test"
        records = f'spf TXT "v=spf1 ip4:203.0.113.0/24 include:more.{zone} -all"\n'
        more = f'more TXT "v=spf1 ip6:2001:db8:{number:x}::/48 -all"\n'
        (folder / "world" / f"{zone}.zone").write_text(zone_text(zone, records + more))


def order(folder: Path, judged: bool) -> dict[str, Any]:
    """The parameters of ``mail_domains``."""
    names = [f"d{number}.example" for number in range(len(os.listdir(folder / "ours")))]
    senders = [
        {
            "from": f"erp@{name}",
            "envelope_domain": name,
            "sources": [RELAY],
            "dkim": {"domain": name, "selectors": []},
        }
        for name in names
    ]
    return {
        "dns": {"provider": "zonefile", "path": str(folder / "ours")},
        "domains": names,
        "spf": {"terms": [RELAY]},
        "dmarc": {"policy": "quarantine"},
        "senders": senders if judged else [],
    }


Cost = dict[str, float]
"""Seconds (``wall``, ``processor``), how many ``domains`` there are, and how many ``changed`` and senders ``pass``."""


def side(folder: Path, judged: bool) -> None:
    """Plan everything in this process, and print what it cost as JSON."""
    start = time.monotonic()
    asked = order(folder, judged)
    run = Run(read_order(asked), {"zonefiles": [str(folder / "ours"), str(folder / "world")]})
    changed = sum(outcome.changed for outcome in run.execute(write=False))
    passing = sum(verdict.result == "pass" for verdict in run.guard.after) if judged else 0
    spent = {"wall": time.monotonic() - start, "processor": sum(os.times()[:4])}
    print(json.dumps({**spent, "domains": len(asked["domains"]), "changed": changed, "pass": passing}))


def measured(collections: Path, folder: Path, work: str) -> Cost:
    """What one side costs, in a process of its own.

    :param collections: the folder that holds ``ansible_collections``
    :raises SystemExit: it did not do what it should, so that its time says nothing
    """
    command, environment = _command(collections, folder, work)
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    cost: Cost = json.loads(done.stdout)
    if cost["changed"] != cost["domains"] or (work == "judged" and cost["pass"] != cost["domains"]):
        raise SystemExit(f"not all domains were planned and judged: {done.stdout}")
    return cost


def _command(collections: Path, folder: Path, work: str) -> tuple[list[str], dict[str, str]]:
    """What runs one side, and its environment."""
    command = [sys.executable, str(Path(__file__).resolve()), "--side", str(folder), work]
    return command, {**os.environ, "PYTHONPATH": str(collections)}


def compare(turns: int, domains: int) -> None:
    """Measure all, both builds in turn, and print the table."""
    # The old build has no such modules, or others.
    from ansible_collections.mailroom.erp.tests.benchmarks.environments import export
    from ansible_collections.mailroom.erp.tests.benchmarks.measure import memory
    from ansible_collections.mailroom.erp.tests.integration.playbook import collections_path

    with tempfile.TemporaryDirectory(prefix="mailroom-benchmark-") as name:
        folder = Path(name)
        make_zones(folder, domains)
        builds = {"before": export(BEFORE, folder / "before"), "now": Path(collections_path())}
        for work in ("planned", "judged"):
            turned = [
                {build: measured(where, folder, work) for build, where in builds.items()} for _turn in range(turns)
            ]
            for what in ("wall", "processor"):
                before, now = (statistics.median(turn[build][what] for turn in turned) for build in builds)
                _tell(domains, work, what, before, now, "s")
            before, now = (memory(*_command(where, folder, work), folder).together for where in builds.values())
            _tell(domains, work, "memory", before, now, "MiB")


def _tell(domains: int, work: str, what: str, before: float, now: float, unit: str) -> None:
    told = f"before {before:6.1f}   now {now:6.1f} {unit}"
    print(f"{domains} domains {work:8} {what:10} {told:32} {now / before:.2f}x", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", nargs=2, help="only do the work in this folder, and print what it cost")
    parser.add_argument("--domains", type=int, default=DOMAINS, help="how many domains there are")
    parser.add_argument("--turns", type=int, default=1, help="how often each side runs")
    arguments = parser.parse_args()
    side(Path(arguments.side[0]), arguments.side[1] == "judged") if arguments.side else compare(
        arguments.turns, arguments.domains
    )
