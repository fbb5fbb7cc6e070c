# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each side of the benchmark is: a command, and the files that it works from.

All bring the same four records into every zone: an SPF record, two DKIM selectors as CNAMEs and a DMARC policy.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.benchmarks.measure import playbook_command
from ansible_collections.mailroom.erp.tests.integration.playbook import own_program
from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS
from ansible_collections.mailroom.erp.tests.servers.sending_service import (
    SERVICE,
    SERVICE_SELECTORS,
    SERVICE_TERM,
    SERVICE_ZONES,
)
from ansible_collections.mailroom.erp.tests.servers.server import KEY_NAME, KEY_SECRET, zone_text

SPF = f"v=spf1 {SERVICE_TERM} ~all"
TTL = 3600

Record = tuple[str, str, str]
"""Owner name (absolute, with its final dot), type, and value in presentation format."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a side has to do: bring the records of ``zones`` to the server on a port; files go into ``folder``."""

    folder: Path
    port: int
    zones: Sequence[str]


@dataclass(frozen=True, slots=True)
class Side:
    """One contestant: how it is called, and how its command is made."""

    name: str
    prepare: Callable[[Job], list[str]]


def zone_names(count: int) -> list[str]:
    return [f"customer{number}.example" for number in range(count)]


def server_zones(names: Sequence[str]) -> dict[str, str]:
    """The zones of the server before anything is created, the service's among them."""
    return {**{name: zone_text(name) for name in names}, **SERVICE_ZONES}


def records(zone: str) -> list[Record]:
    aliases = [(f"{one}._domainkey.{zone}.", "CNAME", f"{one}.dkim.{SERVICE}.") for one in SERVICE_SELECTORS]
    policy = f'"v=DMARC1; p=none; rua=mailto:dmarc@{zone}"'
    return [(f"{zone}.", "TXT", f'"{SPF}"'), *aliases, (f"_dmarc.{zone}.", "TXT", policy)]


def empty_task(job: Job) -> list[str]:
    """A module that does nothing, given the names."""
    return playbook_command(job.folder, [{"ansible.builtin.ping": {}, "vars": {"names": list(job.zones)}}])


def ours(job: Job) -> list[str]:
    dns = {"provider": "rfc2136", "server": ADDRESS, "port": job.port}
    task = {
        "domains": list(job.zones),
        "spf": {"terms": [SERVICE_TERM]},
        "dkim": [{"selector": one, "target": f"{{selector}}.dkim.{SERVICE}"} for one in SERVICE_SELECTORS],
        "dmarc": {"policy": "none", "rua": ["dmarc@{domain}"]},
        "dns": {**dns, "key_name": KEY_NAME, "key_secret": KEY_SECRET},
        "resolver": {"nameservers": [ADDRESS], "port": job.port},
        "snapshot_dir": str(job.folder / "snapshots"),
    }
    return playbook_command(job.folder, [{"mailroom.erp.mail_domains": task}])


def nsupdate(job: Job) -> list[str]:
    """community.general.nsupdate, one task for each kind of record, each in a loop over the zones."""
    tasks = []
    for name, rdtype, value in records("{{ item }}"):
        key = {"key_name": KEY_NAME, "key_secret": KEY_SECRET, "key_algorithm": "hmac-sha256"}
        record = {"record": name, "type": rdtype, "value": [value], "ttl": TTL, "zone": "{{ item }}"}
        task = {"server": ADDRESS, "port": job.port, **key, **record}
        tasks.append({"community.general.nsupdate": task, "loop": list(job.zones)})
    return playbook_command(job.folder, tasks)


def octodns(workers: int) -> Callable[[Job], list[str]]:
    """octodns-sync from its YAML files to octodns-bind, with so many workers.

    What else is in a zone has to stand in its file too, or octoDNS would delete it.
    """

    def prepare(job: Job) -> list[str]:
        zones = job.folder / "octodns"
        zones.mkdir(exist_ok=True)
        for zone in job.zones:
            (zones / f"{zone}.yaml").write_text(json.dumps(_octodns_zone(zone)))
        account = {"host": ADDRESS, "port": job.port, "key_name": KEY_NAME, "key_secret": KEY_SECRET}
        bind = {"class": "octodns_bind.Rfc2136Provider", **account, "key_algorithm": "hmac-sha256"}
        source = {"class": "octodns.provider.yaml.YamlProvider", "directory": str(zones), "enforce_order": False}
        config = {
            "manager": {"max_workers": workers},
            "providers": {"files": source, "bind": bind},
            "zones": {f"{zone}.": {"sources": ["files"], "targets": ["bind"]} for zone in job.zones},
        }
        (job.folder / "octodns.yaml").write_text(json.dumps(config))
        return [own_program("octodns-sync"), "--quiet", "--config-file", str(job.folder / "octodns.yaml"), "--doit"]

    return prepare


def bare(signed: bool) -> Callable[[Job], list[str]]:
    """The bare dnspython script; its updates are signed in any case."""

    def prepare(job: Job) -> list[str]:
        zones = {zone: list(records(zone)) for zone in job.zones}
        work = {"server": ADDRESS, "port": job.port, "key": [KEY_NAME, KEY_SECRET], "signed": signed, "zones": zones}
        (job.folder / "bare.json").write_text(json.dumps(work))
        return [sys.executable, str(Path(__file__).parent / "bare_script.py"), str(job.folder / "bare.json")]

    return prepare


def _octodns_zone(zone: str) -> dict[str, Any]:
    found: dict[str, Any] = {"": [{"type": "NS", "ttl": TTL, "value": f"ns1.{zone}."}]}
    found["ns1"] = [{"type": "A", "ttl": TTL, "value": "192.0.2.53"}]
    for name, rdtype, value in records(zone):
        label = name.removesuffix(f"{zone}.").rstrip(".")
        text = value.strip('"').replace(";", "\\;")
        found.setdefault(label, []).append({"type": rdtype, "ttl": TTL, "value": text})
    return found


EMPTY = Side("an empty task", empty_task)
OURS = Side("mail_domains", ours)
NSUPDATE = Side("nsupdate in a loop", nsupdate)
OCTODNS = Side("octoDNS, as it comes", octodns(1))
OCTODNS_WIDE = Side("octoDNS, 16 workers", octodns(16))
BARE = Side("bare script, all signed", bare(signed=True))
BARE_UNSIGNED = Side("bare script, updates signed", bare(signed=False))
