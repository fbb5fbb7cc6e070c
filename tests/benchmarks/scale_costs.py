# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What 1,000 environments cost at each service: requests by kind, processor time, memory; at two sizes, to see whether
cost grows with them.

``make benchmark-costs`` runs all services. An environment is one host with one domain of its own, but with ``entra``,
where seven or eight environments share a tenant and its domain (as in ``tenants.py``). The servers run on the same
machine and are not counted. Prints a table in Markdown, whose figures stand in docs/scale.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_collections.mailroom.erp.tests.benchmarks import environments, tenants
from ansible_collections.mailroom.erp.tests.benchmarks.measure import Run, memory, timed
from ansible_collections.mailroom.erp.tests.integration.playbook import collections_path, own_program
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.cloudflare import Cloudflare
from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS, free_port
from ansible_collections.mailroom.erp.tests.servers.sending_service import AFAS_ZONES
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.transip import Transip
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

RECORDS = '@ TXT "v=spf1 mx ~all"\n@ TXT "google-site-verification=abc"\n@ MX 10 ns1\n'
"""Of each domain before the first run."""
SIZES = {"bind": (100, 400), "cloudflare": (100, 400), "transip": (50, 200), "entra": (38, 150)}
PER_TENANT = 7.5
"""Environments."""
ALL_DUE = "rotate, all due"
GOOD, TO_DO = 0, 2
"""Exit codes of a run: all is well, or somebody must do something."""


@dataclass(frozen=True, slots=True)
class Estate:
    """An inventory, and the service that it speaks of.

    :param counted: requests by kind since it was last called
    :param settle: what the world needs to see what a run has written
    """

    folder: Path
    counted: Callable[[], Counter[str]]
    arguments: tuple[str, ...] = ()
    settle: Callable[[], None] = lambda: None


class CountingBind(Bind):
    """A BIND that tells what it was asked, by its statistics channel."""

    def configure(self) -> None:
        super().configure()
        self.statistics = free_port()
        with (self.folder / "named.conf").open("a") as file:
            file.write(f"statistics-channels {{ inet {ADDRESS} port {self.statistics} allow {{ any; }}; }};\n")

    def asked(self) -> Counter[str]:
        """Messages since the start: what the account was asked (signed), what the world was asked, and updates."""
        with urllib.request.urlopen(f"http://{ADDRESS}:{self.statistics}/json/v1/server") as answer:
            told: dict[str, Any] = json.load(answer)
        updates, signed = told["opcodes"]["UPDATE"], told["nsstats"].get("ReqTSIG", 0)
        queries = told["opcodes"]["QUERY"]
        return Counter(
            {"DNS questions, account": signed - updates, "world": queries - (signed - updates), "DNS updates": updates}
        )


def zones_of(count: int) -> dict[str, str]:
    """The zones of so many environments."""
    return {f"{name}.example": zone_text(f"{name}.example", RECORDS) for name in environments.names(count)}


def declared(folder: Path, count: int, dns: dict[str, Any], resolver: dict[str, Any]) -> None:
    """Write the inventory of so many environments."""
    server: Any = SimpleNamespace(dns_option=dns, resolver_option=resolver)
    (folder / "inventory.yml").write_text(json.dumps(environments.inventory(count, server)))


@contextlib.contextmanager
def on_bind(folder: Path, count: int) -> Iterator[Estate]:
    """All domains on one name server, which is also what the world asks."""
    with CountingBind({**zones_of(count), **AFAS_ZONES}) as server:
        declared(folder, count, server.dns_option, server.resolver_option)
        before: list[Counter[str]] = [server.asked()]

        def counted() -> Counter[str]:
            before.append(server.asked())
            return before[-1] - before[-2]

        yield Estate(folder, counted)


@contextlib.contextmanager
def on_api(kind: type[Cloudflare] | type[Transip], folder: Path, count: int) -> Iterator[Estate]:
    """All domains at one account of a service; the world reads files."""
    zones = zones_of(count)
    world = ZoneFolder(folder / "world", {**zones, **AFAS_ZONES})
    with kind(zones) as server:
        declared(folder, count, {**server.dns_option, "timeout": 120.0}, world.resolver_option)

        def counted() -> Counter[str]:
            found = Counter(method for method, _path in server.requests)
            server.plan("", 0)
            return found

        def settle() -> None:
            for name in zones:
                texts = [f"{owner} TXT {text}" for owner in ("@", "_dmarc") for text in _texts(server, owner, name)]
                world.write(name, zone_text(name, "\n".join(["@ MX 10 ns1", *texts])))

        yield Estate(folder, counted, settle=settle)


def _texts(server: Cloudflare | Transip, owner: str, name: str) -> list[str]:
    return server.values(name if owner == "@" else f"{owner}.{name}", "TXT")


@contextlib.contextmanager
def in_tenants(_folder: Path, count: int) -> Iterator[Estate]:
    """Environments with applications, consents and passwords in tenants; the DNS is zone files."""
    side = environments.Side("now", Path(collections_path()))
    with tenants.estate(count, round(count / PER_TENANT), "tenant", side) as estate:

        def counted() -> Counter[str]:
            found = Counter(method for server in estate.servers for method, _path in server.requests)
            found["sign-in"] = sum(server.sign_ins for server in estate.servers)
            for server in estate.servers:
                server.plan()
                server.sign_ins = 0
            return found

        counted()
        yield Estate(estate.folder, counted, ("--vault-password-file=password",))


STARTED: dict[str, Callable[[Path, int], contextlib.AbstractContextManager[Estate]]] = {
    "bind": on_bind,
    "cloudflare": lambda folder, count: on_api(Cloudflare, folder, count),
    "transip": lambda folder, count: on_api(Transip, folder, count),
    "entra": in_tenants,
}


def command(estate: Estate, playbook: str, *more: str) -> tuple[list[str], dict[str, str], Path]:
    """What :func:`timed` runs."""
    program = [own_program("ansible-playbook"), "-i", "inventory.yml", f"mailroom.erp.{playbook}"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHONPATH"))}
    own = {"ANSIBLE_COLLECTIONS_PATH": collections_path(), "ANSIBLE_HOME": str(estate.folder / ".ansible")}
    own |= {"XDG_STATE_HOME": str(estate.folder / ".state"), "ANSIBLE_NOCOLOR": "1", tenants.SECRET: "not read"}
    return [*program, *estate.arguments, *more], {**kept, **own}, estate.folder


def runs_of(service: str) -> dict[str, str]:
    """What is run, in this order: its name, and the playbook."""
    runs = {"site, created": "site", "site, unchanged": "site"}
    if service == "entra":
        return {**runs, "rotate, nothing due": "rotate_secrets", ALL_DUE: "rotate_secrets"}
    return {**runs, "verify": "verify"}


def leaked() -> tuple[str, ...]:
    """The arguments after which each secret that there is counts as leaked, and must be made anew."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return ("-e", json.dumps({"mail_entra_secret_made_before": now}))


def row(service: str, count: int, name: str, run: Run, asked: Counter[str], peak: float) -> str:
    """A line of the table: all but wall, load and memory for 1,000 environments."""
    scale = 1000 / count
    told = ", ".join(f"{number * scale:,.0f} {kind}" for kind, number in sorted(asked.items()) if number)
    load = os.getloadavg()[0]
    mebibytes = f"{peak:.0f}" if peak else ""
    parts = [
        service,
        f"{count}",
        name,
        told,
        f"{run.processor * scale:.1f}",
        f"{run.seconds:.0f} ({load:.0f})",
        mebibytes,
    ]
    return f"| {' | '.join(parts)} |"


def measured(service: str, count: int) -> None:
    """Run all of one service at one size, and print its lines."""
    with tempfile.TemporaryDirectory() as place, STARTED[service](Path(place), count) as estate:
        for name, playbook in runs_of(service).items():
            run = timed(*command(estate, playbook, *(leaked() if name == ALL_DUE else ())), (GOOD, TO_DO))
            asked = estate.counted()
            if not asked:
                raise SystemExit(
                    f"{service}, {name}: nothing was asked, so nothing was measured:\n{run.output[-4000:]}"
                )
            estate.settle()
            peak = memory(*command(estate, playbook)).together if name == "site, unchanged" else 0.0
            estate.counted()
            print(row(service, count, name, run, asked, peak), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--service", choices=sorted(STARTED), action="append")
    parser.add_argument("--sizes", type=int, nargs="+", help="environments; each service has its own unless given")
    options = parser.parse_args()
    print(f"{time.strftime('%Y-%m-%d')}, Python {sys.version.split()[0]}, {os.cpu_count()} cores\n")
    print("| service | environments | run | requests for 1,000 | processor s for 1,000 | wall s (load) | MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for service in options.service or STARTED:
        for count in options.sizes or SIZES[service]:
            measured(service, count)


if __name__ == "__main__":
    main()
