# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Null MX, TLSRPT and MTA-STS on every name server and on Cloudflare's API: written once, kept, and undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.restore import ZoneWork, read_restore, restore
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.plugins.module_utils.domains.zone_records import DomainOutcome
from ansible_collections.mailroom.erp.plugins.module_utils.policy.mta_sts import MtaStsPolicy, mta_sts_record
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot import Snapshot
from ansible_collections.mailroom.erp.tests.servers.all import SERVERS
from ansible_collections.mailroom.erp.tests.servers.cloudflare import Cloudflare
from ansible_collections.mailroom.erp.tests.servers.server import Server, zone_text
from ansible_collections.mailroom.erp.tests.unit.dns.cloudflare_acts import StartCloudflare

ZONE, PARKED = "acme.example", "parked.example"
ZONES = {
    ZONE: zone_text(ZONE, '@ MX 10 ns1\n@ MX 20 Mail.Service.example.\n_mta-sts 600 TXT "note"'),
    PARKED: zone_text(PARKED, '@ TXT "note"\n@ A 192.0.2.80'),
}
STS = mta_sts_record(MtaStsPolicy("testing", ("mail.service.example", "ns1.acme.example"), 604800))
REPORTS = "v=TLSRPTv1; rua=mailto:tls@acme.example"


@dataclass(frozen=True, slots=True)
class Service:
    """A service that holds our zones, and what the world sees of them."""

    server: Server | Cloudflare
    resolver: dict[str, Any]
    folder: Path

    def run(self, **shared: Any) -> list[DomainOutcome]:
        receiving = {"domain": ZONE, "tls_rpt": {"rua": ["tls@acme.example"]}, "mta_sts": shared.pop("mta_sts", {})}
        parked = {"domain": PARKED, "null_mx": shared.pop("null_mx", {})}
        order = read_order({"dns": self.server.dns_option, "domains": [receiving, parked], **shared})
        return Run(order, self.resolver, snapshot=self.snapshot()).execute(write=True)

    def restore(self, file: Path) -> list[ZoneWork]:
        works = read_restore({"snapshot": str(file), "dns": self.server.dns_option})
        restore(works, self.snapshot(), True)
        return works

    def snapshot(self) -> Snapshot:
        return Snapshot(self.folder, "a test")

    def snapshots(self) -> list[Path]:
        return sorted(self.folder.glob("*.yml"))

    def records(self) -> dict[str, list[str]]:
        names = [(ZONE, "MX"), (f"_smtp._tls.{ZONE}", "TXT"), (f"_mta-sts.{ZONE}", "TXT"), (PARKED, "MX")]
        return {f"{name} {rdtype}": self.values(name, rdtype) for name, rdtype in [*names, (PARKED, "TXT")]}

    def publish_mx(self) -> None:
        """What a person does by hand: the parked domain takes mail."""
        if isinstance(self.server, Cloudflare):
            record = {"name": PARKED, "type": "MX", "content": "mail.service.example", "priority": 10, "ttl": 600}
            self.server.write(PARKED, posts=[record])
        else:
            update = self.server.update(PARKED)
            update.add(f"{PARKED}.", 600, "MX", "10 mail.service.example.")
            self.server.send(update)

    def values(self, name: str, rdtype: str) -> list[str]:
        """Without quotes, letter case and the dot at the end, which Cloudflare does not show."""
        return sorted(_plain(value, rdtype) for value in self.server.values(name, rdtype))


def _plain(value: str, rdtype: str) -> str:
    if rdtype == "TXT":
        return value.strip('"')
    preference, host = value.lower().split()
    return f"{preference} {host.rstrip('.') or '.'}"


@pytest.fixture(params=[*SERVERS, "cloudflare"])
def service(request: pytest.FixtureRequest, tmp_path: Path, start_cloudflare: StartCloudflare) -> Iterator[Service]:
    folder = tmp_path / "snapshots"
    if request.param != "cloudflare":
        with SERVERS[request.param](ZONES) as server:
            yield Service(server, server.resolver_option, folder)
        return
    world = tmp_path / "world"
    world.mkdir()
    for zone, text in ZONES.items():
        (world / f"{zone}.zone").write_text(text)
    yield Service(start_cloudflare(ZONES, tag_quota=5), {"zonefiles": [str(world)]}, folder)


BEFORE = {
    "acme.example MX": ["10 ns1.acme.example", "20 mail.service.example"],
    "_smtp._tls.acme.example TXT": [],
    "_mta-sts.acme.example TXT": ["note"],
    "parked.example MX": [],
    "parked.example TXT": ["note"],
}
AFTER = BEFORE | {
    "_smtp._tls.acme.example TXT": [REPORTS],
    "_mta-sts.acme.example TXT": ["note", STS],
    "parked.example MX": ["0 ."],
}


def test_who_receives_mail_is_written_once_and_undone(service: Service) -> None:
    assert service.records() == BEFORE
    outcomes = service.run()
    assert [(outcome.changed, outcome.failure) for outcome in outcomes] == [(True, None)] * 2
    assert (service.records(), service.server.ttl(f"_mta-sts.{ZONE}", "TXT")) == (AFTER, 600)
    assert [outcome.changed for outcome in service.run()] == [False, False]
    (file,) = service.snapshots()

    works = service.restore(file)
    assert [work.failure for work in works] == [None, None]
    assert service.records() == BEFORE
    assert [work.result for work in service.restore(file)] == [[], []]
    service.restore(service.snapshots()[-1])
    assert service.records() == AFTER


def test_what_was_taken_away_comes_back(service: Service) -> None:
    service.run(ttl=900)
    gone = service.run(mta_sts={"state": "absent"}, null_mx={"state": "absent"})
    assert [outcome.changed for outcome in gone] == [True, True]
    assert service.records() == BEFORE | {"_smtp._tls.acme.example TXT": [REPORTS]}
    service.restore(service.snapshots()[-1])
    assert (service.records(), service.server.ttl(PARKED, "MX")) == (AFTER, 900)


def test_a_domain_that_receives_mail_by_now_is_not_restored(service: Service) -> None:
    service.run(null_mx={})
    service.run(null_mx={"state": "absent"})
    service.publish_mx()
    before = service.records()
    with pytest.raises(Refused, match=r"parked\.example: MX .*neither as the run left it nor as it was before"):
        service.restore(service.snapshots()[-1])
    assert service.records() == before
