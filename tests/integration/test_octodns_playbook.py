# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS modules in a user's playbook, through octoDNS on PowerDNS's HTTP API: check, diff, second run, way back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, module_task, run_play
from ansible_collections.mailroom.erp.tests.servers import octodns_backends
from ansible_collections.mailroom.erp.tests.servers.powerdns import API_KEY, PowerDns
from ansible_collections.mailroom.erp.tests.servers.server import zone_text

FOREIGN = '"google-site-verification=abc; plain"'
OLD = [FOREIGN, '"v=spf1 mx ip4:192.0.2.10 ~all"']
NEW = [FOREIGN, '"v=spf1 mx ip4:192.0.2.10 ip4:198.51.100.7 ~all"']
TEXT = f'@ 600 IN TXT "v=spf1 mx ip4:192.0.2.10 ~all"\n@ 600 IN TXT {FOREIGN}\n@ IN MX 10 ns1\n'
ZONES = [f"customer{number}.example" for number in range(5)]


@pytest.fixture
def server() -> Iterator[PowerDns]:
    with PowerDns({zone: zone_text(zone, TEXT) for zone in ZONES}) as started:
        yield started


def play(tmp_path: Path, server: PowerDns, dns: dict[str, Any], module: str, *arguments: str, **options: Any) -> Result:
    if module == "mail_domains":
        options["resolver"] = server.resolver_option
    return run_play(tmp_path, [module_task(module, dns=dns, **options)], *arguments)


def test_records_are_written_and_restored_through_octodns(tmp_path: Path, server: PowerDns) -> None:
    dns = octodns_backends.on_powerdns(server)
    dkim = [{"selector": "s1", "target": "ns1.customer0.example", "validate": "ignore"}]
    wish: dict[str, Any] = {"domains": ZONES, "spf": {"terms": ["ip4:198.51.100.7"]}, "dkim": dkim}
    serials = [server.serial(zone) for zone in ZONES]
    check = play(tmp_path, server, dns, "mail_domains", "--check", "--diff", "-vvvv", **wish)
    assert (check.rc, check.changed) == (0, 1), check.output
    assert [server.serial(zone) for zone in ZONES] == serials
    first = play(tmp_path, server, dns, "mail_domains", "--diff", "-vvvv", **wish)
    assert (first.rc, first.changed) == (0, 1), first.output
    assert [server.values(zone, "TXT") for zone in ZONES] == [NEW] * len(ZONES)
    assert server.values("s1._domainkey.customer3.example", "CNAME") == ["ns1.customer0.example."]
    again = play(tmp_path, server, dns, "mail_domains", "--diff", **wish)
    assert (again.rc, again.changed) == (0, 0), again.output
    (snapshot,) = (tmp_path / ".state").glob("**/*.yml")
    back = play(tmp_path, server, dns, "mail_records_restore", "-vvvv", snapshot=str(snapshot))
    assert (back.rc, back.changed) == (0, 1), back.output
    assert [server.values(zone, "TXT") for zone in ZONES] == [OLD] * len(ZONES)
    files = [file.read_text() for file in (tmp_path / ".state").rglob("*") if file.is_file()]
    for text in [check.output, first.output, again.output, back.output, *files]:
        assert API_KEY not in text


def test_wrong_accounts_say_what_is_wrong_and_show_nothing(tmp_path: Path, server: PowerDns) -> None:
    dns = octodns_backends.on_powerdns(server)
    wish: dict[str, Any] = {"domains": ZONES[:1], "spf": {"terms": ["mx"]}}
    wrongs = {
        "looks like a secret": {**dns, "options": {**dns["options"], **dns["secrets"]}, "secrets": {}},
        "unexpected keyword argument 'hots'": {**dns, "options": {"hots": "192.0.2.1", "host": "127.0.0.1"}},
        "401": {**dns, "secrets": {"api_key": API_KEY[::-1]}},
        "pip install 'octodns-nowhere'": {**dns, "class": "octodns_nowhere.Provider"},
    }
    for words, wrong in wrongs.items():
        result = play(tmp_path, server, wrong, "mail_domains", "-vvvv", **wish)
        assert result.rc != 0
        assert words in result.output
        assert API_KEY not in result.output and API_KEY[::-1] not in result.output
        assert "Traceback" not in result.output
