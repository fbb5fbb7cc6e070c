# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fast reader of plain master files says what dnspython says of the whole file, or nothing at all."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date

import dns.rdata
import dns.zone
import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns import values
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles import (
    master_file,
    master_file_entries,
    plain_zone,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles.master_file import MasterFile
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles.plain_zone import NotPlain, read_plain
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles.zone_data import ZoneData, zone_data
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from ansible_collections.mailroom.erp.tests.fuzz.odd_json import fuzz_count
from ansible_collections.mailroom.erp.tests.servers.server import zone_text

ZONE = "acme.example"
APEX = values.name_of(ZONE)
SPF = "v=spf1 ip4:192.0.2.1 -all"
USUAL = f"""; acme.example, kept by Jan (really)
$TTL 3600
@\tIN\tSOA\tns1.acme.example. host.acme.example. ( 2026101501 ; serial (of the day)
\t\t\t2h 1h
\t\t\t2w 5m )
\tIN NS ns1 ; first
\tNS ns2.other.example.
  300 IN MX 10 mail
@ TXT "{SPF}" "more"
@ TXT bare
ns1 A 192.0.2.53
mail 60 AAAA 2001:db8::25

*.wild CNAME @
$ORIGIN sub.acme.example.
@ IN TXT "of sub"
WWW in a 192.0.2.80
api IN 60 A 192.0.2.81
_sip._tcp SRV 0 5 5060 sip.acme.example.
acme.example. CAA 0 issue "ca.example"
"""
PLAIN = [zone_text(ZONE), zone_text(ZONE, f'@ TXT "{SPF}"\nwww A 192.0.2.1\nwww A 192.0.2.1'), USUAL]


def by_dnspython(text: str) -> ZoneData:
    """What the whole file says by dnspython's own reader."""
    return zone_data(
        dns.zone.from_text(master_file_entries.escape_bytes(text), origin=APEX, relativize=False, filename="f")
    )


def comparable(data: ZoneData) -> dict[object, object]:
    return {
        (str(name).lower(), rdtype): (found.ttl, tuple(map(str, found.rdatas)), frozenset(found.rdatas))
        for name, node in data.items()
        for rdtype, found in node.items()
    }


@pytest.mark.parametrize("text", PLAIN)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_usual_files_are_plain(text: str, newline: str) -> None:
    assert comparable(read_plain(text.replace("\n", newline), ZONE)) == comparable(by_dnspython(text))
    assert comparable(read_plain(text.rstrip("\n"), ZONE)) == comparable(by_dnspython(text))


@pytest.mark.parametrize(
    "line",
    [
        r'@ TXT "a\;b"',
        '@ TXT "caf\u00e9"',
        '@ TXT ( "a"\n "b" )',
        '@ TXT "a""b"',
        '@ TXT "never closed',
        "$INCLUDE more",
        "$GENERATE 1-2 h$ A 192.0.2.$",
        "$ORIGIN sub",
        "$ORIGIN sub.acme.example..",
        "$ORIGIN .",
        "$TTL 1h",
        "@ 1h A 192.0.2.1",
        "@ CH TXT a",
        "@ TYPE16 a",
        "@ A 192.0.2",
        "@ A 192.0.2.300",
        "@ MX mail",
        "@ IN IN A 192.0.2.1",
        "@ 60 IN 60 A 192.0.2.1",
        "other.example. A 192.0.2.1",
        "ns1 60 A 192.0.2.54",
        "x CNAME y\nx A 192.0.2.1",
        "x CNAME y\nx CNAME z",
        "@ SOA ns1 host 1 2 3 4 5",
        "x..y A 192.0.2.1",
        "a" * 64 + " A 192.0.2.1",
        "x A 192.0.2.1 )",
        "x\x0bA 192.0.2.1",
        "\x0b",
    ],
)
def test_anything_else_is_left_to_dnspython(line: str) -> None:
    with pytest.raises(NotPlain):
        read_plain(zone_text(ZONE, line), ZONE)


@pytest.mark.parametrize("text", ["", "; nothing\n", zone_text("other.example"), zone_text(ZONE).replace("NS ", "A ")])
def test_what_is_no_zone_is_left_to_dnspython(text: str) -> None:
    with pytest.raises(NotPlain):
        read_plain(text, ZONE)


def test_a_record_before_any_ttl_and_owner_is_left_to_dnspython() -> None:
    for text in (USUAL.replace("$TTL 3600\n", ""), USUAL.replace("@\tIN\tSOA", "\tIN\tSOA", 1)):
        with pytest.raises(NotPlain):
            read_plain(text, ZONE)


# --- mutated files --------------------------------------------------------------------------------------------------

PIECES = [
    *'ab1@.*-_ \t\n\r;()"\\$#\xe9\x0b\x7f\0',
    *("@", "IN", "CH", "A", "TXT", "SOA", "NS", "CNAME", "60", "1h", "0", "acme.example.", "$TTL 7", "$ORIGIN sub.\n"),
    *('"a b"', " ( ", " ) ", "\n\t", "; c", "\\# 1 00", "x" * 64, "IN IN", "\n@ A 192.0.2.9\n", "\nx TXT a\n"),
]


def mutated(text: str, chance: random.Random) -> str:
    """The text with one to three parts changed: characters, words or lines, left out, put in, moved or doubled."""
    for _edit in range(chance.randint(1, 3)):
        unit = chance.choice(["", " ", "\n"])
        parts = text.split(unit) if unit else list(text)
        place, other = chance.randrange(len(parts)), chance.randrange(len(parts))
        match chance.randrange(4):
            case 0:
                del parts[place]
            case 1:
                parts.insert(place, chance.choice(PIECES))
            case 2:
                parts[place], parts[other] = parts[other], parts[place]
            case 3:
                parts.insert(place, parts[other])
        text = unit.join(parts) or "\n"
    return text


def test_a_mutated_file_says_what_dnspython_says() -> None:
    chance, plain = random.Random(20261129), 0
    for number in range(fuzz_count(1500)):
        text = mutated(PLAIN[number % len(PLAIN)], chance)
        try:
            found = comparable(read_plain(text, ZONE))
        except NotPlain:
            continue
        plain += 1
        assert found == comparable(by_dnspython(text)), text
    assert plain > 150


def outcome(work: Callable[[], MasterFile]) -> tuple[object, ...]:
    """What came of an edit: what the new file says, or the error."""
    try:
        new = work()
    except ProviderError as error:
        return ("refused", str(error).partition(":")[0])
    return (new.data, comparable(new.records))


def test_a_mutated_edit_is_seen_as_dnspython_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text that an edit makes is mutated: with the fast reader it is refused exactly where it is without it."""
    chance, refused, plain = random.Random(20261130), 0, 0
    render = master_file_entries.render_entries
    for number in range(fuzz_count(250)):
        text = PLAIN[number % len(PLAIN)]
        made: list[str] = []

        def wrong(*args: object) -> str:
            made[:] = made or [mutated(render(*args), chance)]  # type: ignore[arg-type]  # noqa: B023
            return made[0]  # noqa: B023

        def edited() -> MasterFile:
            master = MasterFile(text.encode(), ZONE, "f")  # noqa: B023
            change = Change(master.rrset(("new.acme.example", "TXT")), RRset("new.acme.example", "TXT", 60, (SPF,)))
            return master.edited([change], date(2026, 11, 29))

        with monkeypatch.context() as patch:
            patch.setattr(master_file_entries, "render_entries", wrong)
            fast = outcome(edited)
            patch.setattr(master_file, "read_plain", never_plain)
            assert outcome(edited) == fast, made
        refused += fast[0] == "refused"
        plain += is_plain(made[0])
    assert refused > 25
    assert plain > 25


def never_plain(*_args: object) -> ZoneData:
    raise NotPlain


def is_plain(text: str) -> bool:
    try:
        return bool(read_plain(text, ZONE))
    except NotPlain:
        return False


# --- data that are read when they are asked for ---------------------------------------------------------------------

LONG_NAME = ".".join(["a" * 63] * 3)
NUMBERS = ("4294967295 2 3 4 5", "4294967296 2 3 4 5", "3999999999 2h 3H 4w2d 999w999w999w", "1 2 3 4")
EDGES = {
    "A": ["192.0.2.255", "0.0.0.0", "192.0.2.256", "192.0.2.01", "192.0.2", "1.2.3.4.5", "192.0.2.1 x"],
    "NS": ["@", "*", ".", "a.", "a..", ".a", "x" * 63, "x" * 64, f"{LONG_NAME}.{'b' * 50}", f"{LONG_NAME}.{'b' * 61}."],
    "MX": ["0 @", "010 a", "65535 a", "65536 a", "9999 a", "a", "10", "10 a b"],
    "TXT": [f'"{"x" * 255}"', f'"{"x" * 256}"', "x" * 255, "x" * 256, '""', '"a" b "c"', "@", "a ( 1 )", "a (1) b"],
    "SOA": [f"a b {numbers}" for numbers in NUMBERS],
}


@pytest.mark.parametrize(("rdtype", "data"), [(rdtype, data) for rdtype, found in EDGES.items() for data in found])
def test_what_is_read_later_can_be_read(rdtype: str, data: str) -> None:
    """At the edges of the grammar the reader says what dnspython says, or leaves the file to it."""
    text = zone_text(ZONE, f"x {rdtype} {data}" if rdtype != "SOA" else "")
    text = text.replace("ns1 hostmaster 1 7200 3600 1209600 300", data) if rdtype == "SOA" else text
    try:
        found = read_plain(text, ZONE)
    except NotPlain:
        return
    assert comparable(found) == comparable(by_dnspython(text))


def test_mutated_words_that_the_grammar_vouches_for_are_read_by_dnspython() -> None:
    chance, sure = random.Random(20261201), 0
    for _number in range(fuzz_count(3000)):
        rdtype = chance.choice(list(EDGES))
        data = list(chance.choice(EDGES[rdtype]))
        for _edit in range(chance.randrange(4)):
            piece = chance.choice('ab01.@*-_ "()\t;\n,=') * chance.choice([1, 1, 60])
            data.insert(chance.randrange(len(data) + 1), piece)
        line = plain_zone._LINE.fullmatch(f"x {rdtype} {''.join(data)}\n")
        if line and plain_zone._is_sure(rdtype, ZONE, line["data"]):
            sure += 1
            assert plain_zone._rdatas(rdtype, [(ZONE, line["data"])])
    assert sure > 300


# --- an edit reads what it changed ------------------------------------------------------------------------------------


def test_after_an_edit_only_what_changed_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    master = MasterFile(USUAL.encode(), ZONE, "f")
    read: list[str] = []
    from_text = dns.rdata.from_text
    plain_zone._rdata.cache_clear()

    def counted(rdclass: object, rdtype: str, *args: object, **named: object) -> object:
        read.append(rdtype)
        return from_text(rdclass, rdtype, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(dns.rdata, "from_text", counted)
    key = ("sub.acme.example", "TXT")
    master.edited([Change(master.rrset(key), RRset(*key, 3600, ("other",)))], date(2026, 11, 29))
    assert set(read) == {"TXT"}
