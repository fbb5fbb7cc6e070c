# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the name servers differ: each behaviour is shown on the server itself, then survived by the provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Conflict, ProviderError, ZoneNotFound
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.rfc2136_provider import Rfc2136Provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.tests.servers.all import SERVERS
from ansible_collections.mailroom.erp.tests.servers.nsd import Nsd
from ansible_collections.mailroom.erp.tests.servers.powerdns import PowerDns
from ansible_collections.mailroom.erp.tests.servers.server import OTHER_SECRET, Server, zone_text

ZONE = "acme.example"
KEY = (ZONE, "TXT")
SPF = "v=spf1 MX ~all"
TEXT = zone_text(ZONE, f'@ TXT "{SPF}"\n@ TXT "Foreign"\nalias CNAME x.other.example.')


@pytest.fixture(params=SERVERS)
def kind(request: pytest.FixtureRequest) -> type[Server]:
    return SERVERS[request.param]


@pytest.fixture
def server(kind: type[Server]) -> Iterator[Server]:
    with kind({ZONE: TEXT}) as started:
        yield started


def rrset(*values: str, ttl: int = 3600) -> RRset:
    return RRset(ZONE, "TXT", ttl, values)


def replace(provider: Rfc2136Provider, new: str = "v=spf1 a ~all") -> None:
    state = provider.read(ZONE, [KEY])
    change = Change(state.rrsets[KEY], rrset("Foreign", new))
    provider.apply(ZONE, [change], state.token)


def write(server: Server, *actions: tuple[str, ...]) -> int:
    """Update as somebody else: ("delete" or "add", owner, type, data).

    :returns: the rcode
    """
    update = server.update(ZONE)
    for action, owner, rdtype, data in actions:
        if action == "delete":
            update.delete(owner, rdtype, data)
        else:
            update.add(owner, 3600, rdtype, data)
    try:
        return int(server.send(update).rcode())
    except AssertionError:
        return -1


def test_a_text_at_an_alias_is_a_conflict_however_the_server_takes_it(server: Server) -> None:
    rcode = write(server, ("add", "alias", "TXT", '"lost"'))
    assert (rcode == 0) is not isinstance(server, PowerDns), "BIND and Knot say NOERROR"
    assert server.values("alias.acme.example", "TXT") == []
    provider, key = Rfc2136Provider(server.dns_option), ("new.acme.example", "TXT")
    state = provider.read(ZONE, [key])
    assert write(server, ("add", "new", "CNAME", "x.other.example.")) == 0
    with pytest.raises(Conflict, match="a CNAME would stand beside other data"):
        provider.apply(ZONE, [Change(None, RRset(*key, 60, ("v",)))], state.token)
    assert server.values("new.acme.example", "CNAME") == ["x.other.example."]


def test_an_alias_at_other_data_is_a_conflict_however_the_server_takes_it(server: Server) -> None:
    provider, key = Rfc2136Provider(server.dns_option), ("ns1.acme.example", "CNAME")
    state = provider.read(ZONE, [key])
    with pytest.raises(Conflict, match="a CNAME would stand beside other data"):
        provider.apply(ZONE, [Change(None, RRset(*key, 60, ("x.example",)))], state.token)
    assert server.values("ns1.acme.example", "A") == ["192.0.2.53"]


@pytest.mark.parametrize("new", [SPF, "v=spf1 a ~all"], ids=["alone", "with a value"])
def test_a_ttl_changes_where_an_add_alone_would_be_ignored(server: Server, new: str) -> None:
    provider = Rfc2136Provider(server.dns_option)
    state = provider.read(ZONE, [KEY])
    provider.apply(ZONE, [Change(state.rrsets[KEY], rrset("Foreign", new, ttl=60))], state.token)
    assert server.ttl(ZONE, "TXT") == 60
    assert server.values(ZONE, "TXT") == ['"Foreign"', f'"{new}"']


@pytest.mark.parametrize(("old", "new"), [(SPF, SPF.lower()), ("Foreign", "foreign")], ids=["ours", "foreign"])
def test_a_change_of_letter_case_in_between_is_noticed(server: Server, old: str, new: str) -> None:
    """PowerDNS 4.7 compares prerequisites without case, deletes exactly, and would leave two SPF records."""
    provider = Rfc2136Provider(server.dns_option)
    state = provider.read(ZONE, [KEY])
    assert write(server, ("delete", "@", "TXT", f'"{old}"'), ("add", "@", "TXT", f'"{new}"')) == 0
    change = Change(state.rrsets[KEY], rrset("Foreign", "v=spf1 a ~all"))
    if isinstance(server, PowerDns):
        provider.apply(ZONE, [change], state.token)
    else:
        with pytest.raises(Conflict):
            provider.apply(ZONE, [change], state.token)
    (spf,) = [value for value in server.values(ZONE, "TXT") if value.lower().startswith('"v=spf1')]
    assert spf in (f'"{new}"', '"v=spf1 a ~all"', f'"{SPF}"')
    assert server.values(ZONE, "TXT") == sorted([spf, '"foreign"' if old == "Foreign" else '"Foreign"'])
    if old == SPF:
        assert spf == f'"{new}"', "the other's value stands, ours waits for the next round"


def test_a_run_is_merged_with_a_change_of_letter_case_in_between(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = Rfc2136Provider.apply
    rounds: list[Sequence[Change]] = []

    def after_somebody(self: Rfc2136Provider, zone: str, changes: Sequence[Change], token: object) -> None:
        if not rounds:
            lower = ("delete", "@", "TXT", f'"{SPF}"'), ("add", "@", "TXT", f'"{SPF.lower()}"')
            assert write(server, *lower) == 0
        rounds.append(changes)
        apply(self, zone, changes, token)

    monkeypatch.setattr(Rfc2136Provider, "apply", after_somebody)
    wish = {"dns": server.dns_option, "domains": [ZONE], "spf": {"terms": ["ip4:192.0.2.1"], "lookup_limit": "ignore"}}
    (outcome,) = Run(read_order(wish), server.resolver_option).execute(write=True)
    assert (outcome.changed, outcome.failure, len(rounds)) == (True, None, 2)
    assert outcome.steps[0].plan.before == SPF.lower()
    assert server.values(ZONE, "TXT") == ['"Foreign"', '"v=spf1 mx ip4:192.0.2.1 ~all"']


WRONG_KEYS = [
    ({"key_name": "unknown-key"}, "unknown to the server"),
    ({"key_secret": OTHER_SECRET}, "another secret"),
    ({"key_algorithm": "hmac-sha512"}, "another algorithm"),
]


@pytest.mark.parametrize(("options", "name"), WRONG_KEYS, ids=[row[1] for row in WRONG_KEYS])
def test_a_wrong_key_is_named_without_its_secret(server: Server, options: dict[str, str], name: str) -> None:
    """BIND and Knot say BADKEY or BADSIG; PowerDNS answers without a signature."""
    with pytest.raises(ProviderError, match=r"Check dns\.key_name, dns\.key_secret and dns\.key_algorithm") as caught:
        replace(Rfc2136Provider(server.dns_option | options))
    assert not isinstance(caught.value, ZoneNotFound)
    assert server.dns_option["key_secret"] not in str(caught.value) and OTHER_SECRET not in str(caught.value)
    assert server.values(ZONE, "TXT") == ['"Foreign"', f'"{SPF}"']


def test_no_key_is_refused(server: Server) -> None:
    with pytest.raises(ProviderError, match=r"update with (REFUSED|NOTAUTH)"):
        replace(Rfc2136Provider(server.dns_option | {"key_name": None, "key_secret": None}))
    assert server.values(ZONE, "TXT") == ['"Foreign"', f'"{SPF}"']


def test_a_zone_that_takes_no_updates_is_read_and_refused(kind: type[Server]) -> None:
    with kind({ZONE: TEXT}, updates=kind.CLOSED) as server:
        with pytest.raises(ProviderError, match=r"update with REFUSED|or not for this zone \(BADKEY\)") as caught:
            replace(Rfc2136Provider(server.dns_option))
        assert not isinstance(caught.value, Conflict)
        assert server.values(ZONE, "TXT") == ['"Foreign"', f'"{SPF}"']


def test_a_zone_that_is_not_there_is_no_question_of_the_key(server: Server) -> None:
    """Knot does not sign its refusal."""
    with pytest.raises(ZoneNotFound, match=r"nowhere\.test"):
        Rfc2136Provider(server.dns_option).zone_of("nowhere.test")


@pytest.mark.parametrize("signed", [True, False])
def test_nsd_takes_no_updates_and_that_is_said(signed: bool) -> None:
    with Nsd({ZONE: TEXT}) as server:
        key = {} if signed else {"key_name": None, "key_secret": None}
        provider = Rfc2136Provider(server.dns_option | key)
        assert sorted(provider.read(ZONE, [KEY]).rrsets[KEY].values) == ["Foreign", SPF]
        expected = "takes no RFC 2136 updates.*dns.server" if signed else "takes RFC 2136 updates|allow-update"
        with pytest.raises(ProviderError, match=expected) as caught:
            replace(provider)
        assert not isinstance(caught.value, Conflict)
        assert server.values(ZONE, "TXT") == ['"Foreign"', f'"{SPF}"']
