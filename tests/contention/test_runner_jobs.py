# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of ansible-runner side by side, each with a slice of an inventory whose environments share domains."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.tests.integration.runner_job import (
    Hosts,
    JobResult,
    RunnerJob,
    inventory_script,
    inventory_slice,
    run_side_by_side,
)
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.cloudflare import TOKEN, Cloudflare
from ansible_collections.mailroom.erp.tests.servers.sending_service import SERVICE_ZONES
from ansible_collections.mailroom.erp.tests.servers.server import KEY_SECRET, zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import ED25519_RECORD

SLICES = 3
DOMAINS = ("acme.example", "bakery.example", "shop.example")
FOREIGN = '"google-site-verification=abc"'
ZONES = {name: zone_text(name, f'@ TXT "v=spf1 mx ~all"\n@ TXT {FOREIGN}\n@ MX 10 ns1') for name in DOMAINS}
PASSWORD = "a-relay-password-that-nobody-may-see"
KEY = ED25519_RECORD.rpartition("p=")[2]
HOSTS = {
    f"relay{number:02}": {
        "erp_mail_system": "afas_profit",
        "erp_mail_transport": "smtp",
        "erp_mail_service": "own_relay",
        "erp_mail_senders": {
            "environment": f"erp{number}@{DOMAINS[number % 3]}",
            "administrations": {"1": f"sales{number}@{DOMAINS[(number + 1) % 3]}"},
        },
        "erp_mail_settings": {"server": f"relay{number}.acme.example", "username": "erp"},
        "erp_mail_spf_terms": [f"ip4:192.0.2.{number}"],
        "erp_mail_dkim": {DOMAINS[number % 3]: [{"selector": f"relay{number}", "public_key": KEY}]},
        "erp_mail_password": "{{ vault_relay_password }}",
    }
    for number in range(1, 13)
}
"""Each sends as two of the three domains, so that each domain is in every slice."""


@dataclass
class Place:
    """A DNS service, and the folder that all jobs share, as the README of the example for AWX has it."""

    server: Bind | Cloudflare
    kept: Path
    variables: dict[str, Any]

    def jobs(self, folder: Path, *command_line: str) -> list[RunnerJob]:
        """A job for each slice, with a folder of its own."""
        slices = [inventory_slice(HOSTS, number, SLICES) for number in range(1, SLICES + 1)]
        return [self.job(folder / f"job{number}", hosts, *command_line) for number, hosts in enumerate(slices)]

    def job(self, folder: Path, hosts: Hosts, *command_line: str) -> RunnerJob:
        """A job for these environments."""
        shared = {"XDG_STATE_HOME": str(self.kept / "locks")}
        return RunnerJob(folder, inventory_script(hosts, self.variables), "mailroom.erp.site", command_line, shared)


@contextmanager
def place_at(service: str, folder: Path) -> Iterator[Place]:
    """Start a DNS service with the three domains."""
    world = ZoneFolder(folder / "world", {**ZONES, **SERVICE_ZONES})
    kept = folder / "kept"
    with Bind(ZONES) if service == "bind" else Cloudflare(ZONES) as server:
        resolver = server.resolver_option if isinstance(server, Bind) else world.resolver_option
        yield Place(
            server,
            kept,
            {
                "ansible_connection": "local",
                "mail_dns_account": server.dns_option,
                "mail_dns_resolver": resolver,
                "mail_dns_domains": {name: {"services": [], "dmarc": {"policy": "none"}} for name in DOMAINS},
                "erp_mail_output_dir": str(kept / "settings"),
                "mail_dns_snapshot_dir": str(kept / "snapshots"),
                "vault_relay_password": PASSWORD,
            },
        )


def spf_terms(place: Place, domain: str) -> list[str]:
    (record,) = [one for one in place.server.values(domain, "TXT") if "v=spf1" in one]
    return record.replace('" "', "").strip('"').split(" ")


def senders_of(domain: str) -> list[int]:
    """The numbers of the environments that send as a domain."""
    return [n for n in range(1, 13) if domain in (DOMAINS[n % 3], DOMAINS[(n + 1) % 3])]


def assert_all_is_there(place: Place) -> None:
    """Every SPF term, selector, policy and settings file of every slice, and what others published."""
    for domain in DOMAINS:
        terms = spf_terms(place, domain)
        assert (terms[:2], terms[-1]) == (["v=spf1", "mx"], "~all")
        assert sorted(terms[2:-1]) == sorted(f"ip4:192.0.2.{number}" for number in senders_of(domain)), domain
        assert FOREIGN in place.server.values(domain, "TXT")
        assert place.server.values(f"_dmarc.{domain}", "TXT") == ['"v=DMARC1; p=none"']
    for number in range(1, 13):
        assert len(place.server.values(f"relay{number}._domainkey.{DOMAINS[number % 3]}", "TXT")) == 1
        settings = yaml.safe_load((place.kept / "settings" / f"relay{number:02}" / "settings.yml").read_text())
        values = {one["id"]: one["value"] for one in settings["fields"]}
        assert f"relay{number}.acme.example" in values.values(), values


def assert_no_secret(results: list[JobResult]) -> None:
    for result in results:
        flat = "".join(result.texts.split())
        assert not [secret for secret in (PASSWORD, TOKEN, KEY_SECRET) if secret in flat]


@pytest.mark.parametrize("service", ["bind", "cloudflare"])
def test_slices_side_by_side_lose_nothing(service: str, tmp_path: Path) -> None:
    with place_at(service, tmp_path) as place:
        slices = place.jobs(tmp_path / "first", "-vvvv")
        first = run_side_by_side(slices)
        assert {one.status for one in first} == {"successful"}, first[0].stdout
        assert sorted(host for one in first for host in one.changed) == sorted(HOSTS)
        assert_all_is_there(place)
        # a slice again, and what the slices made as one job sees it
        again = run_side_by_side([place.jobs(tmp_path / "again", "-vvvv")[0], place.job(tmp_path / "whole", HOSTS)])
        assert [(one.status, one.changed) for one in again] == [("successful", {})] * 2, again[0].stdout
        assert_all_is_there(place)
        assert_no_secret([*first, *again])


def journal(place: Place) -> list[dict[str, Any]]:
    file = place.kept / "snapshots" / "journal.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def wait_for(what: Callable[[], object], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def processes_of(folder: Path) -> list[str]:
    """The processes that were started with a variable that names the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def test_a_cancelled_job_is_gone_on_with(tmp_path: Path) -> None:
    writes, lock, is_cancelled = [0], threading.Lock(), threading.Event()

    def only_one_write(method: str, _path: str, _query: object) -> None:
        with lock:
            writes[0] += method == "POST"
            is_later = method == "POST" and writes[0] > 1
        if is_later:
            is_cancelled.wait(120)
            raise ConnectionError("whoever asked for this is gone")

    with place_at("cloudflare", tmp_path) as place:
        assert isinstance(place.server, Cloudflare)
        place.server.before = only_one_write
        job = place.job(tmp_path / "job", HOSTS)
        job.start()
        wait_for(lambda: writes[0] == len(DOMAINS) and journal(place) and "1 of 3" in job.stdout())
        cancelled = job.cancel()
        assert cancelled.status == "canceled", cancelled.stdout
        # nothing of it goes on, although ansible-runner ends only the processes that it sees
        wait_for(lambda: not processes_of(job.folder), 20)
        is_cancelled.set()
        place.server.before = lambda _method, _path, _query: None
        (done,) = journal(place)
        assert [zone for zone in DOMAINS if place.server.serial(zone) > 1] == [done["zone"]]

        following = place.job(tmp_path / "following", HOSTS)
        following.start()
        assert following.result().status == "successful"
        assert_all_is_there(place)
        rest = [one["zone"] for one in journal(place)[1:]]
        assert sorted(rest) == sorted(set(DOMAINS) - {done["zone"]})
        assert_no_secret([cancelled])
