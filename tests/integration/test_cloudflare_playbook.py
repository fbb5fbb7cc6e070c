# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS modules in a playbook, on an API that behaves as Cloudflare's: what changes, what stays, what is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.playbook import SHOW, module_task, run_play
from ansible_collections.mailroom.erp.tests.servers.cloudflare import TOKEN, Access, Cloudflare
from ansible_collections.mailroom.erp.tests.servers.faulty_api import LIMIT
from ansible_collections.mailroom.erp.tests.servers.sending_service import AFAS_TERM, AFAS_ZONES
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

ZONE = "acme.example"
SPF, NEW = "v=spf1 mx ip4:192.0.2.10 ~all", f"v=spf1 mx ip4:192.0.2.10 {AFAS_TERM} ~all"
FOREIGN = '"google-site-verification=abc; \\"quoted\\" \\\\ back"'
RECORDS = f'@ 600 TXT "{SPF}"\n@ 600 TXT {FOREIGN}\n@ MX 10 ns1\n'
Start = Callable[[list[str]], Cloudflare]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the service with zones, and write down what the world sees of them."""
    with ExitStack() as started:

        def start_server(names: list[str]) -> Cloudflare:
            zones = {name: zone_text(name, RECORDS) for name in names}
            ZoneFolder(tmp_path / "world", {**zones, **AFAS_ZONES})
            return started.enter_context(Cloudflare(zones, tag_quota=5))

        yield start_server


@pytest.fixture
def server(start: Start) -> Cloudflare:
    return start([ZONE])


def account(server: Cloudflare, **options: Any) -> dict[str, Any]:
    return {"provider": "cloudflare", "api_token": TOKEN, "base_url": server.base_url, **options}


def task(module: str, dns: dict[str, Any], **options: Any) -> dict[str, Any]:
    return module_task(module, dns=dns, resolver={"zonefiles": ["{{ playbook_dir }}/world"]}, **options)


def test_a_term_is_merged_and_nothing_else_is_touched(tmp_path: Path, server: Cloudflare) -> None:
    (record,) = [one for one in server.records(ZONE, "TXT") if "spf1" in one["content"]]
    server.write(ZONE, patches=[{"id": record["id"], "comment": "do not touch", "tags": ["team:mail"], "ttl": 1}])
    others = [one for one in server.zones[ZONE].records.values() if one["id"] != record["id"]]
    serial, one = server.serial(ZONE), task("spf_record", account(server), domain=ZONE, terms=[AFAS_TERM])
    check = run_play(tmp_path, [one], "--check", "--diff")
    assert check.rc == 0, check.output
    assert (server.serial(ZONE), server.count("POST")) == (serial, 0)
    assert check.diff[-2:] == [f"-TTL 1: {SPF}", f"+TTL 1: {NEW}"]
    server.plan("", 0)
    first = run_play(tmp_path, [one], "--diff")
    assert (first.rc, first.changed) == (0, 1), first.output
    assert first.diff == check.diff
    assert server.count("POST", "/batch") == 1
    (after,) = [one for one in server.records(ZONE, "TXT") if one["id"] == record["id"]]
    assert (after["content"], after["comment"], after["tags"], after["ttl"]) == (
        f'"{NEW}"',
        "do not touch",
        ["team:mail"],
        1,
    )
    assert [one for one in server.zones[ZONE].records.values() if one["id"] != record["id"]] == others
    server.plan("", 0)
    again = run_play(tmp_path, [one], "--diff")
    assert (again.rc, again.changed, again.diff) == (0, 0, [])
    assert {method for method, _path in server.requests} == {"GET"}


def test_all_kinds_of_records_are_one_write_and_a_snapshot_brings_them_back(tmp_path: Path, server: Cloudflare) -> None:
    selector = f"s1._domainkey.{ZONE}"
    proxied = {"name": selector, "type": "CNAME", "content": "key.service.example", "proxied": True, "comment": "mine"}
    server.write(ZONE, posts=[proxied])
    before = {one["id"]: one for one in server.zones[ZONE].records.values()}
    records = {
        "spf": {"terms": [AFAS_TERM]},
        "dkim": [{"selector": "s1", "target": "key.service.example", "validate": "ignore"}],
        "dmarc": {"policy": "none", "rua": ["dmarc@acme.example"]},
    }
    server.plan("", 0)
    many = task("mail_domains", account(server), domains=[ZONE], **records)
    snapshot = task("mail_records_restore", account(server), snapshot="{{ done.snapshot }}")
    del snapshot["mailroom.erp.mail_records_restore"]["resolver"]
    first = run_play(tmp_path, [many])
    assert (first.rc, first.changed) == (0, 1), first.output
    assert server.count("POST", "/batch") == 1
    (alias,) = server.records(selector, "CNAME")
    assert (alias["proxied"], alias["comment"]) == (False, "mine")
    assert server.values(f"_dmarc.{ZONE}", "TXT") == ['"v=DMARC1; p=none; rua=mailto:dmarc@acme.example"']
    assert run_play(tmp_path, [many]).changed == 0
    (file,) = (tmp_path / ".state" / "mailroom").glob("*.yml")
    snapshot["mailroom.erp.mail_records_restore"]["snapshot"] = str(file)
    restored = run_play(tmp_path, [snapshot])
    assert (restored.rc, restored.changed) == (0, 1), restored.output
    assert TOKEN not in file.read_text()
    after = {one["id"]: one for one in server.zones[ZONE].records.values()}
    assert {key: one | {"modified_on": ""} for key, one in after.items()} == {
        key: one | {"modified_on": ""} for key, one in before.items()
    }


@pytest.mark.parametrize("count", [100, pytest.param(2000, marks=pytest.mark.slow)])
def test_many_domains_in_one_task(tmp_path: Path, start: Start, count: int) -> None:
    names = [f"customer{number}.example" for number in range(count)]
    server, lists = start(names), count // 50
    # A question whose answer does not come in time is asked again, which a busy machine must not bring about here.
    patient = account(server, timeout=60)
    many = task("mail_domains", patient, domains=names, spf={"terms": [AFAS_TERM]}, concurrency=64)
    seen = {}
    for step, args in (("check", ("--check",)), ("write", ()), ("unchanged", ())):
        server.plan("", 0)
        result = run_play(tmp_path, [many], *args)
        seen[step] = server.requests
        assert (result.rc, result.changed) == (0, int(step != "unchanged")), result.output[-3000:]
    for name in names:
        assert server.values(name, "TXT") == sorted([f'"{NEW}"', FOREIGN])
        assert server.serial(name) == 2
    for step in ("check", "unchanged"):
        assert {method for method, _path in seen[step]} == {"GET"}
        asked_again = count // 100  # what a busy machine has lost; two reads for each zone would be many more
        assert len(seen[step]) <= count + 2 * lists + asked_again, "one read per zone, and the list of zones"
    assert seen["write"].count(("POST", "/zones/*/dns_records/batch")) == count
    # Read, look again, read back. Without an answer the provider asks again: once in 6,000 times on a busy machine.
    assert 0 <= seen["write"].count(("GET", "/zones/*/dns_records")) - 3 * count <= count // 500


def test_a_rate_limit_is_shown_while_it_is_waited_for_and_at_the_end(tmp_path: Path, server: Cloudflare) -> None:
    server.plan(LIMIT, 2, 5)
    result = run_play(tmp_path, [task("mail_domains", account(server), domains=[ZONE], spf={"terms": [AFAS_TERM]})])
    assert (result.rc, result.changed) == (0, 1), result.output
    line = "Cloudflare limits the rate of requests: waiting 5 seconds, as it asks"
    assert f"mail_domains: {line}" in result.output
    assert result.flat.count(line) == 2, "once in the progress, once as a warning"


def test_one_zone_that_the_token_may_not_edit_fails_alone(tmp_path: Path, start: Start) -> None:
    server = start([ZONE, "other.example"])
    server.before = lambda method, path, _query: (
        server.tokens.update({TOKEN: Access({ZONE})}) if method == "POST" else None
    )
    both = task("mail_domains", account(server), domains=["other.example", ZONE], spf={"terms": [AFAS_TERM]})
    result = run_play(tmp_path, [both])
    assert result.rc != 0
    assert "1 of 2 domains failed, the others are done" in result.output
    assert "other.example: Cloudflare, zone other.example: it answered HTTP 403: 10000" in result.output
    assert f'"{NEW}"' in server.values(ZONE, "TXT")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "changed"),
        ({"api_token": "a-secret-of-somebody-else-012345"}, "9109 Invalid access token"),
        ({"base_url": "http://127.0.0.1:9/client/v4"}, "could not be asked"),
        ({"base_url": "http://api.cloudflare.com/client/v4"}, "dns.base_url must begin with https://"),
        ({"api_tokn": "a-secret-of-somebody-else-012345"}, "did you mean dns.api_token?"),
        ({"key_secret": "a-secret-of-somebody-else-012345"}, "belongs to provider rfc2136, not to cloudflare"),
    ],
    ids=["right", "wrong token", "unreachable", "in the clear", "misspelled", "another provider's"],
)
def test_no_output_shows_a_token(tmp_path: Path, server: Cloudflare, options: dict[str, str], message: str) -> None:
    one = task("spf_record", account(server, **options), domain=ZONE, terms=[AFAS_TERM])
    one["ignore_errors"] = True
    result = run_play(tmp_path, [one, SHOW], "-vvvv", "--diff", environment={"CLOUDFLARE_LOG": "debug"})
    assert message in result.output
    for secret in (TOKEN, "a-secret-of-somebody-else-012345"):
        assert secret not in result.output
    written = [file for file in (tmp_path / ".state").rglob("*") if file.is_file()]
    assert all(TOKEN not in file.read_text() for file in written)
