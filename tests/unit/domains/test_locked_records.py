# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records that a service has locked: known before anything is written, and they hold up nothing but themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns import zone_lock
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset, ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.restore import ZoneWork, read_restore, restore
from ansible_collections.mailroom.erp.plugins.module_utils.domains.restore_plan import unheld
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.plugins.module_utils.domains.zone_records import DomainOutcome
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot import Snapshot
from ansible_collections.mailroom.erp.tests.servers.cloudflare import Cloudflare
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

ZONE = "acme.example"
SPF = "v=spf1 ip4:192.0.2.1 ~all"
OTHER = "google-site-verification=abc"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloudflare]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(zone_lock, "OTHERS_SECONDS", 0.0)
    with Cloudflare({ZONE: zone_text(ZONE, f'@ 600 TXT "{SPF}"\n@ 600 TXT "{OTHER}"')}) as started:
        yield started


def lock(server: Cloudflare, content: str) -> None:
    (record,) = [one for one in server.records(ZONE, "TXT") if content in one["content"]]
    record["meta"] = {"read_only": True, "email_routing": True}


def run(server: Cloudflare, folder: Path, write: bool, snapshot: Snapshot | None = None) -> DomainOutcome:
    seen = ZoneFolder(folder / "world", {ZONE: zone_text(ZONE, f'@ 600 TXT "{SPF}"\n@ 600 TXT "{OTHER}"')})
    spf = {"terms": ["ip4:192.0.2.7"]}
    domain: dict[str, Any] = {"domain": ZONE, "spf": spf, "dmarc": {"policy": "none"}}
    order = read_order({"dns": server.dns_option, "domains": [domain], "accept_undelegated": [ZONE]})
    (outcome,) = Run(order, seen.resolver_option, snapshot=snapshot).execute(write)
    return outcome


@pytest.mark.parametrize("write", [False, True])
def test_a_locked_record_is_told_and_the_others_of_its_zone_go_on(
    server: Cloudflare, tmp_path: Path, write: bool
) -> None:
    lock(server, SPF)
    outcome = run(server, tmp_path, write)
    assert outcome.failure is not None
    for word in (ZONE, SPF, "Cloudflare has locked it", "Email Routing", "Unlock"):
        assert word in outcome.failure
    assert outcome.changed, "the DMARC record is, or would be, made"
    assert bool(server.records(f"_dmarc.{ZONE}", "TXT")) is write
    assert f'"{SPF}"' in server.values(ZONE, "TXT")
    assert server.count("POST") == int(write)


def test_a_locked_record_beside_ours_is_in_nobody_s_way(server: Cloudflare, tmp_path: Path) -> None:
    lock(server, OTHER)
    outcome = run(server, tmp_path, write=True)
    assert outcome.failure is None and outcome.changed
    assert any("ip4:192.0.2.7" in value for value in server.values(ZONE, "TXT"))


def restored(server: Cloudflare, snapshot: Path, write: bool) -> ZoneWork:
    (work,) = read_restore({"snapshot": str(snapshot), "dns": server.dns_option})
    restore([work], None, write)
    return work


@pytest.mark.parametrize("write", [False, True])
def test_a_locked_record_is_told_by_a_restore_and_the_others_come_back(
    server: Cloudflare, tmp_path: Path, write: bool
) -> None:
    snapshot = Snapshot(tmp_path / "snapshots", "test")
    run(server, tmp_path, True, snapshot)
    assert snapshot.path is not None
    (now,) = [value for value in server.values(ZONE, "TXT") if "ip4:192.0.2.7" in value]
    lock(server, "ip4:192.0.2.7")
    written = server.count("POST")
    work = restored(server, snapshot.path, write)
    assert work.trouble is not None and work.failure is None
    for word in (ZONE, "ip4:192.0.2.7", "Cloudflare has locked it", "Email Routing", "Unlock"):
        assert word in work.trouble
    assert [change.key for change in work.result] == [(f"_dmarc.{ZONE}", "TXT")]
    assert bool(server.records(f"_dmarc.{ZONE}", "TXT")) is not write
    assert (now in server.values(ZONE, "TXT"), server.count("POST") - written) == (True, int(write))
    if write:
        again = restored(server, snapshot.path, True)
        assert (again.result, again.trouble) == ([], work.trouble)


def test_what_waits_for_a_locked_record_at_its_name_is_held_too() -> None:
    key, alias = f"k._domainkey.{ZONE}", "k.service.example"
    text = RRset(key, "TXT", 600, ("p=AAAA",))
    changes = [Change(text, None), Change(None, RRset(key, "CNAME", 600, (alias,)))]
    other = Change(None, RRset(ZONE, "TXT", 600, (SPF,)))
    state = ZoneState(ZONE, {text.key: text}, None, locked={text.key: text.values}, locked_by="it is locked")
    free, held = unheld([*changes, other], state)
    assert free == [other]
    assert held == [f'{key}: the TXT record "p=AAAA" would have to change, but it is locked']


@pytest.mark.parametrize(
    ("after", "touched"),
    [
        (RRset(ZONE, "TXT", 600, ("a", "c")), None),
        (RRset(ZONE, "TXT", 600, ("b",)), "a"),
        (RRset(ZONE, "TXT", 60, ("a", "b")), "a"),
        (None, "a"),
    ],
)
def test_a_change_touches_a_locked_value_by_its_text_and_its_ttl(after: RRset | None, touched: str | None) -> None:
    before = RRset(ZONE, "TXT", 600, ("a", "b"))
    state = ZoneState(ZONE, {before.key: before}, None, locked={before.key: ("a",)}, locked_by="locked")
    assert state.lock_on(Change(before, after)) == touched
