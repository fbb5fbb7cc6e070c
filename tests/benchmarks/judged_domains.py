# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to plan and judge 10,000 domains, each with a sender, beside planning them without senders.

Run it by ``make benchmark``. Every domain is a zone file of its own that changes twice (a term more, a stricter
policy), and fifty services stand behind their includes. Each side is a process of its own, which prints its seconds and
its peak memory; nothing is written.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.tests.servers.server import zone_text

DOMAINS = 10_000
SERVICES = 50
RELAY = "ip4:192.0.2.251"


def make_zones(folder: Path) -> None:
    """Write the zones of the domains and of the services that they include."""
    for place in ("ours", "world"):
        (folder / place).mkdir()
    for number in range(DOMAINS):
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
    names = [f"d{number}.example" for number in range(DOMAINS)]
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


def side(folder: Path, judged: bool) -> None:
    """Plan everything in this process, and print what it cost as JSON."""
    start = time.monotonic()
    run = Run(read_order(order(folder, judged)), {"zonefiles": [str(folder / "ours"), str(folder / "world")]})
    changed = sum(outcome.changed for outcome in run.execute(write=False))
    passing = sum(verdict.result == "pass" for verdict in run.guard.after) if judged else None
    mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cost = {"seconds": time.monotonic() - start, "mebibytes": mebibytes, "changed": changed, "pass": passing}
    print(json.dumps(cost))


def measured(folder: Path, judged: bool) -> dict[str, Any]:
    """What one side costs, in a process of its own."""
    command = [sys.executable, __file__, str(folder), "judged" if judged else "planned"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    cost: dict[str, Any] = json.loads(done.stdout)
    return cost


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="mailroom-benchmark-") as name:
        folder = Path(name)
        make_zones(folder)
        planned, judged = measured(folder, False), measured(folder, True)
    print(f"{DOMAINS} domains planned          {planned['seconds']:6.1f} s  {planned['mebibytes']:4.0f} MiB")
    print(f"{DOMAINS} domains planned, judged  {judged['seconds']:6.1f} s  {judged['mebibytes']:4.0f} MiB")
    print(f"judged / planned              {judged['seconds'] / planned['seconds']:6.2f}")
    print(f"all changed, all senders pass  {judged['changed'] == judged['pass'] == DOMAINS}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        side(Path(sys.argv[1]), sys.argv[2] == "judged")
    else:
        main()
