# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked for ahead is what a read finds without it, for every kind of name, on every server; used once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ZoneNotFound
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.name_server import NameServer
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.rfc2136_provider import Rfc2136Provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from ansible_collections.mailroom.erp.tests.servers.all import SERVERS
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.server import Server, zone_text

ZONE = "acme.example"
TEXT = """
@ TXT "v=spf1 mx ~all"
_dmarc CNAME policy.service.test.
s1._domainkey CNAME key.service.test.
*.wild TXT "v=DMARC1; p=none"
*.alias CNAME policy.service.test.
own.wild TXT "another"
away NS ns1.elsewhere.test.
"""
KEYS = [
    (ZONE, "TXT"),
    (ZONE, "NS"),
    (f"_dmarc.{ZONE}", "TXT"),
    (f"s1._domainkey.{ZONE}", "CNAME"),
    (f"s1._domainkey.{ZONE}", "TXT"),
    (f"s2._domainkey.{ZONE}", "CNAME"),
    (f"_dmarc.wild.{ZONE}", "TXT"),
    (f"_dmarc.alias.{ZONE}", "TXT"),
    (f"own.wild.{ZONE}", "TXT"),
    (f"_dmarc.away.{ZONE}", "TXT"),
]


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with SERVERS[request.param]({ZONE: zone_text(ZONE, TEXT)}) as running:
        yield running


def test_what_was_asked_for_ahead_is_what_is_there(server: Server) -> None:
    plain, far_sighted = Rfc2136Provider(server.dns_option), Rfc2136Provider(server.dns_option)
    far_sighted.look_ahead(KEYS, 16)
    assert far_sighted.read(ZONE, KEYS) == plain.read(ZONE, KEYS)
    for key in KEYS:
        far_sighted.look_ahead([key], 16)
        assert far_sighted.read(ZONE, [key]) == plain.read(ZONE, [key])


def test_an_answer_serves_one_read(server: Server) -> None:
    provider = Rfc2136Provider(server.dns_option)
    wanted = [(f"_dmarc.{ZONE}", "TXT"), (f"_dmarc.{ZONE}", "CNAME")]
    alias = RRset(f"_dmarc.{ZONE}", "CNAME", 3600, ("policy.service.test",))
    provider.look_ahead(wanted, 16)
    state = provider.read(ZONE, wanted[:1])
    assert state.rrsets == {alias.key: alias}
    provider.apply(ZONE, [Change(alias, None)], provider.read(ZONE, wanted).token)
    assert provider.read(ZONE, wanted).rrsets == {}


def test_where_a_name_is_not_served_is_asked_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused or delegated away: told in the same words as without a look ahead, and no question more is sent."""
    plain, far_sighted = Rfc2136Provider(server.dns_option), Rfc2136Provider(server.dns_option)
    names = [f"_dmarc.away.{ZONE}", f"{ZONE}._report._dmarc.other.test"]
    told = [_not_found(plain, name) for name in names]
    far_sighted.look_ahead([(name, "TXT") for name in names], 16)
    # others may refuse without a signature, which is no answer to rely on
    if isinstance(server, Bind):
        monkeypatch.setattr(NameServer, "ask", _never)
    assert [_not_found(far_sighted, name) for name in names] == told


def _not_found(provider: Rfc2136Provider, name: str) -> tuple[type[ZoneNotFound], str]:
    with pytest.raises(ZoneNotFound) as caught:
        provider.zone_of(name)
    return caught.type, str(caught.value)


def _never(*asked: object) -> None:
    raise AssertionError(f"asked again: {asked}")
