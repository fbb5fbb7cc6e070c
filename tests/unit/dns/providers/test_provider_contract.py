# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every provider promises, proven on master files and on real name servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import (
    Conflict,
    Provider,
    ProviderError,
    ReadsWhole,
    ZoneNotFound,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from ansible_collections.mailroom.erp.plugins.module_utils.policy import txt
from ansible_collections.mailroom.erp.tests.servers import octodns_backends
from ansible_collections.mailroom.erp.tests.servers.all import SERVERS
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.cloudflare import Cloudflare
from ansible_collections.mailroom.erp.tests.servers.powerdns import PowerDns
from ansible_collections.mailroom.erp.tests.servers.server import Server, zone_text
from ansible_collections.mailroom.erp.tests.servers.transip import Transip
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

SPF = "v=spf1 mx ip4:192.0.2.1 ~all"
NEW_SPF = "v=spf1 mx ip4:192.0.2.1 include:spf.afas.online ~all"
FOREIGN = ("google-site-verification=abc", 'tab\tNUL\0 bell\7 é \udcff ; " \\ end', "k=rsa; p=" + "M" * 500)
PLAIN_FOREIGN = (FOREIGN[0], "a plain; value; of=others", FOREIGN[2])
"""What octoDNS carries unchanged whatever the class, and TransIP at all; the rest is refused."""
CUT = 'cut TXT "in " "two " "strings"'
RECORDS = "\n".join(
    [
        "alias CNAME Mail.Service.Example.",
        "*.wild TXT v=spf1",
        "sub NS ns.elsewhere.example.",
        "mail 600 MX 10 Mx1.Service.Example.",
        "mail 600 MX 20 mx2.service.example.",
    ]
)
ZONE = "acme.example"
KEY = (ZONE, "TXT")
PUBLISHED_MX = ["20 mx2.service.example.", "5 mx3.service.example."]


Write = Callable[[str, str, str], None]
"""Adds a TXT value as somebody else: zone, owner relative to it, data in presentation format."""


@dataclass
class Service:
    """A DNS service with a way past the provider: to see what the world gets, and to write as somebody else."""

    provider: Provider
    published: Callable[[str, str], list[str]]
    ttl: Callable[[str, str], int]
    serial: Callable[[str], int]
    write: Write
    foreign: tuple[str, ...] = FOREIGN
    bare: bool = False
    """Whether it keeps texts without quotation marks: none with a blank at an end, or longer than 1024 characters."""
    null_mx: bool = True
    """Whether it takes an MX record that says that there is no mail (RFC 7505)."""

    @property
    def is_plain(self) -> bool:
        """Whether it carries plain texts only, cut where it likes."""
        return self.foreign is PLAIN_FOREIGN

    def carries(self, value: str) -> bool:
        """Whether it takes a text."""
        plain = value.isascii() and value.isprintable() and '"' not in value
        return not (self.is_plain and not plain) and not (self.bare and (value != value.strip() or len(value) > 1024))


def asked_by_dns(server: Server | Cloudflare | Transip | ZoneFolder, write: Write) -> Service:
    return Service(open_provider(server.dns_option), server.values, server.ttl, server.serial, write)


def on_zonefile(zones: Mapping[str, str], folder: Path) -> Service:
    files = ZoneFolder(folder, zones)

    def write(zone: str, owner: str, text: str) -> None:
        with files.file(zone).open("a") as file:
            file.write(f"{owner} 600 TXT {text}\n")

    return asked_by_dns(files, write)


def on_server(server: Server) -> Service:
    def write(zone: str, owner: str, text: str) -> None:
        update = server.update(zone)
        update.add(owner, 600, "TXT", text)
        server.send(update)

    return asked_by_dns(server, write)


def on_cloudflare(server: Cloudflare) -> Service:
    def write(zone: str, owner: str, text: str) -> None:
        server.write(zone, posts=[{"name": owner, "type": "TXT", "ttl": 600, "content": text}])

    return asked_by_dns(server, write)


def on_transip(server: Transip) -> Service:
    def write(zone: str, owner: str, text: str) -> None:
        server.zones[zone].post({"name": owner, "expire": 600, "type": "TXT", "content": text})

    return replace(asked_by_dns(server, write), foreign=PLAIN_FOREIGN, bare=True, null_mx=False)


def on_octodns_yaml(zones: Mapping[str, str], folder: Path) -> Service:
    def found(name: str, rdtype: str) -> tuple[list[str], int]:
        zone = next(zone for zone in sorted(zones, key=len)[::-1] if f".{name}".endswith(f".{zone}"))
        return octodns_backends.yaml_values(folder / f"{zone}.yaml", zone, name, rdtype)

    def write(zone: str, owner: str, text: str) -> None:
        file = folder / f"{zone}.yaml"
        data = yaml.safe_load(file.read_text())
        entries = data.setdefault(owner.removeprefix("@"), [])
        entries = entries if isinstance(entries, list) else [entries]
        (known,) = [one for one in entries if one["type"] == "TXT"] or [{"type": "TXT", "ttl": 600, "values": []}]
        known["values"] = [*known.get("values", []), text]
        others = [one for one in entries if one["type"] != "TXT"]
        file.write_text(yaml.safe_dump({**data, owner.removeprefix("@"): [*others, known]}))

    return Service(
        open_provider(octodns_backends.on_yaml(folder, zones)),
        lambda name, rdtype: found(name, rdtype)[0],
        lambda name, rdtype: found(name, rdtype)[1],
        lambda zone: (folder / f"{zone}.yaml").stat().st_mtime_ns,
        write,
        PLAIN_FOREIGN,
    )


def by_octodns(service: Service, dns: dict[str, Any]) -> Service:
    """The same service, reached by a class of octoDNS, which cuts texts where it likes."""

    def published(name: str, rdtype: str) -> list[str]:
        found = service.published(name, rdtype)
        return texts(*(txt.decode(text) for text in found)) if rdtype == "TXT" else found

    return replace(service, provider=open_provider(dns), published=published, foreign=PLAIN_FOREIGN)


def on_bind_by_octodns(server: Bind) -> Service:
    return by_octodns(on_server(server), octodns_backends.on_bind(server))


def on_powerdns_by_octodns(server: PowerDns) -> Service:
    return by_octodns(on_server(server), octodns_backends.on_powerdns(server))


def on_cloudflare_by_octodns(server: Cloudflare) -> Service:
    return by_octodns(on_cloudflare(server), octodns_backends.on_cloudflare(server))


STARTED: dict[str, tuple[Callable[..., Any], Callable[..., Service]]] = {
    **{name: (server, on_server) for name, server in SERVERS.items()},
    "cloudflare": (Cloudflare, on_cloudflare),
    "transip": (Transip, on_transip),
    "octodns-bind": (Bind, on_bind_by_octodns),
    "octodns-powerdns": (PowerDns, on_powerdns_by_octodns),
    "octodns-cloudflare": (Cloudflare, on_cloudflare_by_octodns),
}
PLAIN_KINDS = ("octodns", "transip")
IN_FILES = {"zonefile": on_zonefile, "octodns-yaml": on_octodns_yaml}


@pytest.fixture(params=[*IN_FILES, *STARTED])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def start(kind: str, tmp_path: Path, one_controller: None) -> Iterator[Callable[..., Service]]:
    with ExitStack() as started:

        def start_service(zones: Mapping[str, str]) -> Service:
            if kind in IN_FILES:
                return IN_FILES[kind](zones, tmp_path)
            server, service_on = STARTED[kind]
            return service_on(started.enter_context(server(zones)))

        yield start_service


@pytest.fixture
def service(kind: str, start: Callable[[Mapping[str, str]], Service]) -> Service:
    foreign, cut = (PLAIN_FOREIGN, CUT.replace('" "', "")) if kind.startswith(PLAIN_KINDS) else (FOREIGN, CUT)
    apex = [f"@ 600 TXT {txt.encode(text)}" for text in (foreign[0], SPF, *foreign[1:])]
    child = zone_text("deep.acme.example")
    zone = zone_text(ZONE, "\n".join([*apex, cut, RECORDS]))
    return start({ZONE: zone, "deep.acme.example": child, "other.example": zone_text("other.example")})


def rrset(name: str, *values: str, rdtype: str = "TXT", ttl: int = 600) -> RRset:
    return RRset(name, rdtype, ttl, values)


def texts(*values: str) -> list[str]:
    return sorted(txt.encode(value) for value in values)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        (ZONE, ZONE),
        ("_dmarc.acme.example", ZONE),
        ("no.such.name.acme.example", ZONE),
        ("alias.acme.example", ZONE),
        ("below.alias.acme.example", ZONE),
        ("deep.acme.example", "deep.acme.example"),
        ("x.deep.acme.example", "deep.acme.example"),
        ("other.example", "other.example"),
    ],
)
def test_the_zone_of_a_name_is_the_longest_match(service: Service, name: str, zone: str) -> None:
    assert service.provider.zone_of(name) == zone


@pytest.mark.parametrize("name", ["notacme.example", "example", "nowhere.test"])
def test_a_label_that_only_ends_alike_is_no_match(service: Service, name: str) -> None:
    with pytest.raises(ZoneNotFound, match=name) as refused:
        service.provider.zone_of(name)
    assert "other.example" not in str(refused.value), "another customer's zone of the same account"


def test_mx_records_are_read_replaced_and_taken_away(service: Service) -> None:
    key = ("mail.acme.example", "MX")

    def become(*values: str) -> list[str]:
        state = service.provider.read(ZONE, [key])
        after = rrset(key[0], *values, rdtype="MX") if values else None
        service.provider.apply(ZONE, [Change(state.rrsets.get(key), after)], state.token)
        # A server may give names with the letter case of others that they share an ending with.
        return sorted(text.lower() for text in service.published(*key))

    found = service.provider.read(ZONE, [key]).rrsets[key]
    assert found == rrset(key[0], "10 mx1.service.example", "20 mx2.service.example", rdtype="MX")
    assert become("20 mx2.service.example", "5 mx3.service.example") == PUBLISHED_MX
    assert become() == []
    assert become("7 mx7.service.example") == ["7 mx7.service.example."], "a record where there was none"


def test_a_null_mx_is_carried_or_refused(service: Service) -> None:
    key = ("mail.acme.example", "MX")
    for wanted in ("0 .", None, "0 ."):
        state = service.provider.read(ZONE, [key])
        changes = [Change(state.rrsets.get(key), rrset(key[0], wanted, rdtype="MX") if wanted else None)]
        if wanted and not service.null_mx:
            before = service.published(*key)
            with pytest.raises(ProviderError, match="no null MX"):
                service.provider.apply(ZONE, changes, state.token)
            assert service.published(*key) == before
            continue
        service.provider.apply(ZONE, changes, state.token)
        assert service.published(*key) == ([wanted] if wanted else [])
        found = service.provider.read(ZONE, [key]).rrsets.get(key)
        assert found == (rrset(key[0], wanted, rdtype="MX") if wanted else None)


def test_an_mx_record_that_changed_since_is_a_conflict(service: Service) -> None:
    key = ("mail.acme.example", "MX")
    state = service.provider.read(ZONE, [key])
    other = rrset(key[0], "7 mx7.service.example", rdtype="MX")
    service.provider.apply(ZONE, [Change(state.rrsets[key], other)], state.token)
    with pytest.raises(Conflict):
        service.provider.apply(ZONE, [Change(state.rrsets[key], None)], state.token)
    assert service.published(*key) == ["7 mx7.service.example."]


def test_what_is_there_is_read_decoded(service: Service) -> None:
    state = service.provider.read(ZONE, [KEY, ("none.acme.example", "TXT"), ("cut.acme.example", "TXT")])
    assert sorted(state.rrsets) == [KEY, ("cut.acme.example", "TXT")]
    assert sorted(state.rrsets[KEY].values) == sorted((SPF, *service.foreign))
    assert state.rrsets[KEY].ttl == 600
    assert state.rrsets["cut.acme.example", "TXT"].values == ("in two strings",)


def test_an_alias_at_a_name_asked_for_is_seen(service: Service) -> None:
    state = service.provider.read(ZONE, [("alias.acme.example", "TXT")])
    expected = rrset("alias.acme.example", "mail.service.example", rdtype="CNAME", ttl=3600)
    assert dict(state.rrsets) == {expected.key: expected}


def test_a_wildcard_is_no_record_of_the_name(service: Service) -> None:
    name = "any.wild.acme.example"
    state = service.provider.read(ZONE, [(name, "TXT")])
    assert not state.rrsets
    service.provider.apply(ZONE, [Change(None, rrset(name, SPF))], state.token)
    assert service.published(name, "TXT") == texts(SPF)
    assert service.published("*.wild.acme.example", "TXT") == texts("v=spf1")


def test_a_value_is_replaced_and_foreign_ones_stay(service: Service) -> None:
    state = service.provider.read(ZONE, [KEY])
    before = state.rrsets[KEY]
    after = rrset(ZONE, *(NEW_SPF if value == SPF else value for value in before.values))
    serial = service.serial(ZONE)
    service.provider.apply(ZONE, [Change(before, after)], state.token)
    assert service.published(ZONE, "TXT") == texts(NEW_SPF, *service.foreign)
    assert service.ttl(ZONE, "TXT") == 600
    assert service.serial(ZONE) > serial
    assert service.provider.read(ZONE, [KEY]).rrsets[KEY].values == tuple(
        sorted(after.values) if before.values == tuple(sorted(before.values)) else after.values
    )


def test_foreign_strings_keep_their_cuts(service: Service) -> None:
    key = ("cut.acme.example", "TXT")
    state = service.provider.read(ZONE, [key])
    after = rrset(key[0], *state.rrsets[key].values, "added", ttl=3600)
    service.provider.apply(ZONE, [Change(state.rrsets[key], after)], state.token)
    cut = '"in two strings"' if service.is_plain else '"in " "two " "strings"'
    assert service.published(*key) == ['"added"', cut]


def test_records_appear_and_disappear_in_one_change(service: Service) -> None:
    cut = ("cut.acme.example", "TXT")
    state = service.provider.read(ZONE, [cut, ("_dmarc.acme.example", "TXT")])
    changes = [Change(state.rrsets[cut], None), Change(None, rrset("_dmarc.acme.example", "v=DMARC1; p=none", ttl=900))]
    service.provider.apply(ZONE, changes, state.token)
    assert service.published(*cut) == []
    assert service.published("_dmarc.acme.example", "TXT") == texts("v=DMARC1; p=none")
    assert service.ttl("_dmarc.acme.example", "TXT") == 900


def test_a_text_becomes_an_alias_and_back(service: Service) -> None:
    text, alias = ("cut.acme.example", "TXT"), ("cut.acme.example", "CNAME")
    state = service.provider.read(ZONE, [text, alias])
    cname = rrset(alias[0], "key.service.example", rdtype="CNAME", ttl=3600)
    service.provider.apply(ZONE, [Change(state.rrsets[text], None), Change(None, cname)], state.token)
    assert service.published(*alias) == ["key.service.example."]
    state = service.provider.read(ZONE, [text, alias])
    assert dict(state.rrsets) == {alias: cname}
    service.provider.apply(ZONE, [Change(None, rrset(text[0], "back")), Change(cname, None)], state.token)
    assert service.published(*text) == texts("back")
    assert service.published(*alias) == []


def test_only_the_ttl_changes(service: Service) -> None:
    state = service.provider.read(ZONE, [KEY])
    before = state.rrsets[KEY]
    service.provider.apply(ZONE, [Change(before, rrset(ZONE, *before.values, ttl=300))], state.token)
    assert service.ttl(ZONE, "TXT") == 300
    assert service.published(ZONE, "TXT") == texts(SPF, *service.foreign)


@pytest.mark.parametrize(
    "value",
    [
        "k=rsa; p=" + "A" * 2000,
        "k=rsa; p=" + "A" * 1000,
        "é" * 300,
        "a b " * 200,
        'quote " backslash \\ \1 \udc80',
    ],
)
def test_long_and_odd_values_come_back_as_they_went(service: Service, value: str) -> None:
    key = ("s1._domainkey.acme.example", "TXT")
    state = service.provider.read(ZONE, [key])
    changes = [Change(None, rrset(key[0], value))]
    if not service.carries(value):
        with pytest.raises(ProviderError, match="does not carry unchanged"):
            service.provider.apply(ZONE, changes, state.token)
        assert service.published(*key) == []
        return
    service.provider.apply(ZONE, changes, state.token)
    assert service.provider.read(ZONE, [key]).rrsets[key].values == (value,)
    assert service.published(*key) == texts(value)


def test_somebody_elses_change_is_a_conflict(service: Service) -> None:
    state = service.provider.read(ZONE, [KEY])
    service.write(ZONE, "@", "somebody-else")
    after = rrset(ZONE, NEW_SPF, *service.foreign)
    with pytest.raises(Conflict, match=ZONE):
        service.provider.apply(ZONE, [Change(state.rrsets[KEY], after)], state.token)
    assert service.published(ZONE, "TXT") == texts(SPF, *service.foreign, "somebody-else")


def test_somebody_elses_new_record_is_a_conflict(service: Service) -> None:
    name = "_dmarc.acme.example"
    state = service.provider.read(ZONE, [(name, "TXT")])
    service.write(ZONE, "_dmarc", "first")
    with pytest.raises(Conflict):
        service.provider.apply(ZONE, [Change(None, rrset(name, "second"))], state.token)
    assert service.published(name, "TXT") == texts("first")


def test_changes_of_one_zone_are_made_all_or_none(service: Service) -> None:
    state = service.provider.read(ZONE, [KEY, ("new.acme.example", "TXT")])
    service.write(ZONE, "@", "somebody-else")
    changes = [Change(None, rrset("new.acme.example", "x")), Change(state.rrsets[KEY], None)]
    with pytest.raises(Conflict):
        service.provider.apply(ZONE, changes, state.token)
    assert service.published("new.acme.example", "TXT") == []


@pytest.mark.parametrize("name", ["sub.acme.example", "_dmarc.sub.acme.example"])
def test_a_delegated_name_is_told_and_not_read(service: Service, name: str) -> None:
    state = service.provider.read(ZONE, [(name, "TXT"), KEY])
    assert state.elsewhere == {name: "sub.acme.example"}
    assert KEY in state.rrsets
    assert (name, "TXT") not in state.rrsets


def test_a_name_of_another_zone_is_refused(service: Service) -> None:
    with pytest.raises(ProviderError, match=r"other\.example is not in zone acme\.example"):
        service.provider.read(ZONE, [("other.example", "TXT")])


@pytest.mark.parametrize("zone", ["absent.example", "www.acme.example"])
def test_an_absent_zone_is_refused(service: Service, zone: str) -> None:
    with pytest.raises(ZoneNotFound, match=zone) as refused:
        service.provider.read(zone, [(zone, "TXT")])
    assert "other.example" not in str(refused.value)


def test_a_zone_is_read_whole_as_by_its_names(service: Service) -> None:
    if not isinstance(service.provider, ReadsWhole):
        raise TypeError("every provider of ours reads whole zones")
    whole = service.provider.read_whole(ZONE)
    keys = {KEY, (f"alias.{ZONE}", "CNAME"), (f"mail.{ZONE}", "MX"), (f"cut.{ZONE}", "TXT"), (f"*.wild.{ZONE}", "TXT")}
    assert keys <= set(whole) and (f"sub.{ZONE}", "NS") in whole
    assert {key: whole[key] for key in keys} == service.provider.read(ZONE, keys).rrsets
    with pytest.raises(ProviderError):
        service.provider.read_whole("absent.example")


def test_reading_writes_nothing(service: Service) -> None:
    serial = service.serial(ZONE)
    service.provider.read(ZONE, [KEY, ("none.acme.example", "TXT"), ("alias.acme.example", "CNAME")])
    assert service.serial(ZONE) == serial


def test_twenty_threads_write_twenty_zones(start: Callable[[Mapping[str, str]], Service]) -> None:
    zones = [f"customer{number}.example" for number in range(40)]
    service = start({zone: zone_text(zone, f'@ TXT "{SPF}"') for zone in zones})

    def change(zone: str) -> list[str]:
        for left in reversed(range(20 if service.is_plain else 1)):
            state = service.provider.read(service.provider.zone_of(zone), [(zone, "TXT")])
            after = rrset(zone, NEW_SPF, ttl=3600)
            try:
                service.provider.apply(zone, [Change(state.rrsets[zone, "TXT"], after)], state.token)
                break
            except Conflict:
                # SQLite, behind the API of PowerDNS, is locked now and then.
                if not left:
                    raise
        return service.published(zone, "TXT")

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(change, zones)) == [texts(NEW_SPF)] * len(zones)
