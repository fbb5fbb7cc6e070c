# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS modules in a playbook, on an API that behaves as TransIP's: what changes, what stays, what nobody sees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.playbook import SHOW, module_task, run_play
from ansible_collections.mailroom.erp.tests.servers.faulty_api import LIMIT
from ansible_collections.mailroom.erp.tests.servers.sending_service import AFAS_TERM, AFAS_ZONES
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.transip import ACCESS, LOGIN, READING, Transip, private_key_pem
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

ZONE = "acme.example"
SPF, NEW = "v=spf1 mx ip4:192.0.2.10 ~all", f"v=spf1 mx ip4:192.0.2.10 {AFAS_TERM} ~all"
ELSE = "a-secret-of-somebody-else-012345"
RECORDS = f'@ 600 TXT "{SPF}"\n@ 600 TXT "google-site-verification=abc"\n@ MX 10 ns1\n'


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Transip]:
    zones = {ZONE: zone_text(ZONE, RECORDS)}
    ZoneFolder(tmp_path / "world", {**zones, **AFAS_ZONES})
    with Transip(zones) as started:
        yield started


def account(server: Transip, **options: Any) -> dict[str, Any]:
    secret = {} if "token" in options else {"private_key": private_key_pem()}
    return {"provider": "transip", "login": LOGIN, **secret, "base_url": server.base_url, **options}


def task(module: str, dns: dict[str, Any], **options: Any) -> dict[str, Any]:
    return module_task(module, dns=dns, resolver={"zonefiles": ["{{ playbook_dir }}/world"]}, **options)


def test_a_domain_is_changed_in_part_by_entries_and_a_snapshot_brings_it_back(tmp_path: Path, server: Transip) -> None:
    records = {
        "spf": {"terms": [AFAS_TERM]},
        "dkim": [{"selector": "s1", "target": "key.service.example", "validate": "ignore"}],
        "dmarc": {"policy": "none", "rua": ["dmarc@acme.example"]},
    }
    before, serial = list(server.zones[ZONE].entries), server.serial(ZONE)
    reading = task("mail_domains", account(server, token=READING), domains=[ZONE], **records)
    check = run_play(tmp_path, [reading], "--check", "--diff")
    assert (check.rc, server.serial(ZONE)) == (0, serial), check.output
    assert f"-TTL 600: {SPF}" in check.diff and f"+TTL 600: {NEW}" in check.diff
    many = task("mail_domains", account(server), domains=[ZONE], **records)
    first = run_play(tmp_path, [many], "--diff")
    assert (first.rc, first.changed, first.diff) == (0, 1, check.diff), first.output
    assert server.values(ZONE, "TXT") == ['"google-site-verification=abc"', f'"{NEW}"']
    assert server.values(f"s1._domainkey.{ZONE}", "CNAME") == ["key.service.example."]
    assert server.values(f"_dmarc.{ZONE}", "TXT") == ['"v=DMARC1; p=none; rua=mailto:dmarc@acme.example"']
    assert server.ttl(ZONE, "TXT") == 600
    server.plan("", 0)
    again = run_play(tmp_path, [many], "--diff")
    assert (again.rc, again.changed, again.diff) == (0, 0, [])
    assert {method for method, path in server.requests if path != "/auth"} == {"GET"}
    assert server.sign_ins[-1]["read_only"], "nothing was to be written"
    (file,) = (tmp_path / ".state" / "mailroom").glob("*.yml")
    snapshot = task("mail_records_restore", account(server), snapshot=str(file))
    del snapshot["mailroom.erp.mail_records_restore"]["resolver"]
    restored = run_play(tmp_path, [snapshot])
    assert (restored.rc, restored.changed) == (0, 1), restored.output
    assert sorted(map(str, server.zones[ZONE].entries)) == sorted(map(str, before))


@pytest.mark.slow
def test_a_rate_limit_is_shown_while_it_is_waited_for(tmp_path: Path, server: Transip) -> None:
    server.plan(LIMIT, 2, 3)
    result = run_play(tmp_path, [task("mail_domains", account(server), domains=[ZONE], spf={"terms": [AFAS_TERM]})])
    assert (result.rc, result.changed) == (0, 1), result.output
    assert "mail_domains: TransIP limits the rate of requests: waiting" in result.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "changed"),
        pytest.param({"token": ACCESS}, "changed", marks=pytest.mark.slow),
        pytest.param({"token": ELSE}, "Your access token is invalid", marks=pytest.mark.slow),
        pytest.param({"private_key": ELSE}, "dns.private_key is no RSA key in PEM", marks=pytest.mark.slow),
        pytest.param({"private_key": ELSE, "token": ACCESS}, "give one of them", marks=pytest.mark.slow),
        pytest.param({"base_url": "http://api.transip.nl/v6"}, "must begin with https://", marks=pytest.mark.slow),
        pytest.param({"privat_key": ELSE}, "did you mean dns.private_key?", marks=pytest.mark.slow),
    ],
    ids=["key", "token", "wrong token", "no key", "both", "in the clear", "misspelled"],
)
def test_no_output_shows_a_secret(tmp_path: Path, server: Transip, options: dict[str, str], message: str) -> None:
    one = task("spf_record", account(server, **options), domain=ZONE, terms=[AFAS_TERM])
    one["ignore_errors"] = True
    result = run_play(tmp_path, [one, SHOW], "-vvvv", "--diff")
    assert message in result.output
    lines = [line for line in private_key_pem().splitlines() if "PRIVATE KEY" not in line]
    made = [token for token in server.tokens if token.startswith("token-")]
    written = [file.read_text() for file in (tmp_path / ".state").rglob("*") if file.is_file()]
    for secret in (ACCESS, ELSE, *lines, *made):
        assert secret not in result.output
        assert not any(secret in text for text in written)
