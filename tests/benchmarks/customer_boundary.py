# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run for one customer pays for its boundary: to choose its hosts for each play, and to draw the boundary.

Run it by ``make benchmark-boundary``. The inventory is a folder of 300 customers with three hosts and three domains
each; a group per customer names its tenant and folders, and group_vars/all what is shared. The collection as it was at
the git revision BEFORE and as it stands here do it in turn, each in a process of its own. It prints seconds, wall and
processor, and the ratio now to before. Where others use the same cores, only the ratio of processor time says something
of the program.
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
from typing import Any

import yaml
from ansible import context
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

BEFORE = "cc61c02"
"""The last build that gathered the variables of each host for each of its questions."""
CUSTOMERS, HOSTS, DOMAINS = 300, 3, 3
WORKS = ("hosts chosen", "boundary drawn", "hosts chosen again")
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
ME = "Customer 7"

Costs = dict[str, float]


def write_inventory(folder: Path, customers: int) -> None:
    """Write the inventory as a provider has it, with its variables in files."""
    groups: dict[str, Any] = {}
    for number in range(customers):
        hosts = {f"c{number}_h{one}": None for one in range(HOSTS)}
        groups[f"c{number}"] = {"hosts": hosts}
        place = folder / "group_vars" / f"c{number}"
        place.mkdir(parents=True)
        (place / "vars.yml").write_text(yaml.safe_dump(_customer(number)), encoding="utf-8")
        for one, host in enumerate(hosts):
            own = folder / "host_vars"
            own.mkdir(exist_ok=True)
            sender = {"erp_mail_system": "king_erp", "erp_mail_senders": {"environment": f"e{one}@d{number}x0.example"}}
            (own / f"{host}.yml").write_text(yaml.safe_dump(sender), encoding="utf-8")
    shared = {
        "mail_dns_account": {"provider": "cloudflare", "api_token": "{{ vault_token }}"},
        "vault_token": "x",
        "mail_reports_archive": "/srv/archive",
        "mail_reports_paths": ["/srv/in"],
    }
    (folder / "group_vars" / "all.yml").write_text(yaml.safe_dump(shared), encoding="utf-8")
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": groups}}), encoding="utf-8")


def _customer(number: int) -> dict[str, Any]:
    name = f"Customer {number}"
    tenant = {"tenant_id": f"{number:08}-0000-0000-0000-000000000000", "client_id": "{{ automation }}"}
    domains = {f"d{number}x{one}.example": {"customer": name, "services": []} for one in range(DOMAINS)}
    folders = {"erp_mail_output_dir": f"/srv/{number}/out", "mail_report_dir": f"/srv/{number}/report"}
    return {"mail_customer": name, "mail_entra_tenant": tenant, "mail_dns_domains": domains, **folders}


def side(folder: str) -> None:
    """Do all works with the collection that Python finds, and print what they cost as JSON."""
    from ansible_collections.mailroom.erp.plugins.filter.mail_customers import (
        mail_customer_boundary,
        mail_customer_hosts,
    )

    source = str(Path(folder, "hosts.yml"))
    context._init_global_context(argparse.Namespace(inventory=[source], subset=None))
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[source])
    hostvars = HostVars(inventory, VariableManager(loader=loader, inventory=inventory), loader)
    chosen, first = _timed(lambda: mail_customer_hosts(None, ME))
    drawn, second = _timed(lambda: mail_customer_boundary(hostvars, ME, chosen))
    again, third = _timed(lambda: mail_customer_hosts(hostvars, ME))
    if again != chosen or len(chosen) != HOSTS or drawn["problems"] or len(drawn["domains"]) != DOMAINS:
        raise SystemExit(f"that is not the boundary of the inventory: {chosen}, {drawn}")
    costs = dict(zip(WORKS, (first, second, third), strict=True))
    print(json.dumps({f"{work}, {clock}": spent for work, cost in costs.items() for clock, spent in cost.items()}))


def _timed(work: Callable[[], Any]) -> tuple[Any, Costs]:
    start = {name: clock() for name, clock in CLOCKS.items()}
    done = work()
    return done, {name: clock() - start[name] for name, clock in CLOCKS.items()}


def measured(collections: Path, folder: Path) -> Costs:
    """What one build costs, in a process of its own.

    :param collections: the folder that holds ``ansible_collections``
    :param folder: of the inventory
    """
    environment = {**os.environ, "PYTHONPATH": str(collections), "ANSIBLE_COLLECTIONS_PATH": str(collections)}
    command = [sys.executable, str(Path(__file__).resolve()), "--side", str(folder)]
    return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)  # type: ignore[no-any-return]


def compare(customers: int, turns: int) -> None:
    """Measure both sides in turn, and print the table."""
    # The old build has no such module.
    from ansible_collections.mailroom.erp.tests.benchmarks.environments import export
    from ansible_collections.mailroom.erp.tests.integration.playbook import collections_path

    with tempfile.TemporaryDirectory() as name:
        folder, before = Path(name, "inventory"), export(BEFORE, Path(name, "before"))
        write_inventory(folder, customers)
        pairs = [(measured(before, folder), measured(Path(collections_path()), folder)) for _turn in range(turns)]
    print(f"{customers * HOSTS} hosts, {customers * DOMAINS} domains, {customers} customers; {turns} turns, medians")
    for work in pairs[0][0]:
        old, new = (statistics.median(pair[one][work] for pair in pairs) for one in (0, 1))
        print(f"{work:26} before {old:6.2f} s   now {new:6.2f} s   {new / old:.2f}x")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", metavar="FOLDER", help="do the works once with the collection that Python finds")
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.side:
        side(arguments.side)
    else:
        compare(arguments.customers, arguments.turns)


if __name__ == "__main__":
    main()
