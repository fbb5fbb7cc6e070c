# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a night of ``verify`` costs a service provider: 900 domains of 300 customers, beside checkdmarc.

Run it by ``make benchmark-verify``. All zones are on one BIND, and both sides ask it through a forwarder that delays
each message by 10 ms. ``verify`` is the whole process: it judges the declarations, plans the records, judges every
sender, looks at all that the DNS says, and writes 301 reports. checkdmarc is measured twice: with SPF and DMARC only,
and with all that it looks at by itself (``check_domains`` without TLS). Each side runs once unless told otherwise: the
differences are large.
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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.resolver
from ansible_collections.mailroom.erp.tests.benchmarks.measure import Run, memory, timed
from ansible_collections.mailroom.erp.tests.integration.playbook import collections_path, own_program
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.sending_service import AFAS_ZONES
from ansible_collections.mailroom.erp.tests.servers.server import zone_text

DOMAINS_EACH = 3
CHECKS = ("spf_and_dmarc", "all")


def customers(count: int) -> list[str]:
    """The hosts, one for each customer."""
    return [f"customer{number:03}" for number in range(count)]


def domains(name: str) -> list[str]:
    """The domains of a customer."""
    return [f"{name}-{letter}.example" for letter in "abc"[:DOMAINS_EACH]]


def inventory(count: int, server: Bind, port: int) -> dict[str, Any]:
    """An AFAS Profit for each customer that sends as all of its domains."""
    hosts = {}
    for name in customers(count):
        first, *others = domains(name)
        hosts[name] = {
            "erp_mail_system": "afas_profit",
            "erp_mail_transport": "afas_online",
            "erp_mail_senders": {
                "environment": f"erp@{first}",
                "administrations": {str(number): f"finance@{domain}" for number, domain in enumerate(others)},
            },
            "mail_customer": f"Customer {name[-3:]}",
            "mail_dns_domains": {
                domain: {"services": [], "dmarc": {"policy": "quarantine", "rua": [f"dmarc@{domain}"]}}
                for domain in domains(name)
            },
        }
    shared = {
        "ansible_connection": "local",
        "mail_dns_complete": True,
        "mail_dns_account": {**server.dns_option, "port": port},
        "mail_dns_resolver": {**server.resolver_option, "port": port},
    }
    return {"all": {"vars": shared, "hosts": hosts}}


@contextmanager
def delayed(port: int, milliseconds: int) -> Iterator[int]:
    """The port of a forwarder in a process of its own."""
    program = [sys.executable, str(Path(__file__).parent / "latency.py"), str(port), str(milliseconds)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as forwarder:
        try:
            yield int(forwarder.stdout.readline() if forwarder.stdout else 0)
        finally:
            forwarder.kill()


def playbook(name: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """The command of a run, and its environment."""
    command = [own_program("ansible-playbook"), "-i", "inventory.yml", f"mailroom.erp.{name}"]
    kept = {one: value for one, value in os.environ.items() if not one.startswith(("ANSIBLE_", "PYTHONPATH"))}
    own = {"ANSIBLE_COLLECTIONS_PATH": collections_path(), "ANSIBLE_HOME": str(folder / ".ansible")}
    return command, {**kept, **own, "ANSIBLE_NOCOLOR": "1"}


def checked(folder: Path, port: int, what: str) -> tuple[list[str], dict[str, str]]:
    """The command of the other side."""
    return [sys.executable, __file__, "--side", what, "--port", str(port), str(folder / "names.json")], dict(os.environ)


def check_with_checkdmarc(names: list[str], port: int, what: str) -> None:
    """Check all domains in this process, and print how many have both records."""
    import checkdmarc

    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], port
    if what == "all":
        found: Any = checkdmarc.check_domains(names, resolver=resolver, skip_tls=True)
        results: list[Mapping[str, Any]] = found if isinstance(found, list) else [found]
        good = sum(bool(one["spf"]["valid"] and one["dmarc"]["valid"]) for one in results)
    else:
        good = 0
        for name in names:
            spf = checkdmarc.check_spf(name, resolver=resolver)
            dmarc = checkdmarc.check_dmarc(name, resolver=resolver)
            good += bool(spf["valid"] and dmarc["valid"])
    print(json.dumps({"valid": good}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="?", type=Path)
    parser.add_argument("--side", choices=CHECKS)
    parser.add_argument("--port", type=int)
    parser.add_argument("--customers", type=int, default=300)
    parser.add_argument("--latency", type=int, default=10, help="milliseconds each way")
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    if options.side:
        check_with_checkdmarc(json.loads(options.names.read_text()), options.port, options.side)
        return
    names = [domain for name in customers(options.customers) for domain in domains(name)]
    records = '@ TXT "v=spf1 mx ~all"\n@ MX 10 ns1\n'
    zones = {name: zone_text(name, records) for name in names} | {"example": zone_text("example")}
    with tempfile.TemporaryDirectory() as place, Bind({**zones, **AFAS_ZONES}) as server:
        folder = Path(place)
        (folder / "names.json").write_text(json.dumps(names))
        (folder / "inventory.yml").write_text(json.dumps(inventory(options.customers, server, server.port)))
        timed(*playbook("site", folder), folder)
        with delayed(server.port, options.latency) as port:
            (folder / "inventory.yml").write_text(json.dumps(inventory(options.customers, server, port)))
            measure(folder, port, options.runs, len(names))


def measure(folder: Path, port: int, runs: int, count: int) -> None:
    """Run the sides in turn, and print medians and ratios."""
    found: dict[str, list[Run]] = {"verify": [], **{what: [] for what in CHECKS}}
    timed(*playbook("verify", folder), folder)  # the first run has nothing to compare with
    for _turn in range(runs):
        found["verify"].append(timed(*playbook("verify", folder), folder))
        for what in CHECKS:
            found[what].append(timed(*checked(folder, port, what), folder))
    report = json.loads((folder / "mailroom" / "report" / "report.json").read_text())
    peak = memory(*playbook("verify", folder), folder)
    seconds = {name: statistics.median(run.seconds for run in done) for name, done in found.items()}
    processor = {name: statistics.median(run.processor for run in done) for name, done in found.items()}
    print(
        f"{time.strftime('%Y-%m-%d')}: {count} domains, state {report['state']}, {len(report['customers'])} customers"
    )
    for name, value in seconds.items():
        label = name if name == "verify" else f"checkdmarc, {name.replace('_', ' ')}"
        print(f"{label:<28} {value:7.1f} s  {processor[name]:7.1f} s of processor time")
    for what in CHECKS:
        valid = json.loads(found[what][-1].output.splitlines()[-1])["valid"]
        ratio = seconds["verify"] / seconds[what]
        print(f"verify / checkdmarc, {what.replace('_', ' ')}: {ratio:.3f}  ({valid} valid)")
    print(f"memory of verify: module {peak.module:.0f} MiB, all processes together {peak.together:.0f} MiB")


if __name__ == "__main__":
    main()
