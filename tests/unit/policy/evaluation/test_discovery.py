# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policy discovery and organisational domains: RFC 9989 by tree walk, RFC 7489 by public suffix list."""

from __future__ import annotations

from itertools import pairwise

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.discovery import (
    SuffixList,
    TreeWalk,
    walk_names,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.table import Table
from hypothesis import given
from hypothesis import strategies as st

Records = dict[str, str | tuple[str, ...]]
"""The TXT values at _dmarc by the name below it."""

RUA = "rua=mailto:d@acme.example"


def published(records: Records, failing: tuple[str, ...] = ()) -> Table:
    return Table({f"_dmarc.{name}": text for name, text in records.items()}, [f"_dmarc.{name}" for name in failing])


def test_the_walk_of_a_long_name_is_the_example_of_rfc_9989_section_4_10() -> None:
    table = published({})
    TreeWalk(table).organisation("a.b.c.d.e.f.g.h.i.j.mail.example.com")
    assert table.names == [
        "_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "_dmarc.g.h.i.j.mail.example.com",
        "_dmarc.h.i.j.mail.example.com",
        "_dmarc.i.j.mail.example.com",
        "_dmarc.j.mail.example.com",
        "_dmarc.mail.example.com",
        "_dmarc.example.com",
        "_dmarc.com",
    ]


@given(st.integers(1, 40))
def test_a_walk_asks_at_most_eight_times_and_ends_at_the_top(count: int) -> None:
    domain = ".".join(f"l{number}" for number in range(count))
    names = walk_names(domain)
    assert names[0] == domain and names[-1] == f"l{count - 1}"
    assert len(names) == min(count, 8)
    assert all(longer.endswith(f".{shorter}") for longer, shorter in pairwise(names))


def test_policy_discovery_asks_at_most_eight_names_too() -> None:
    table = published({})
    TreeWalk(table).policy(".".join("abcdefghijklmnop"))
    assert len(set(table.names)) == 8


BANK: Records = {"bank.example": "v=DMARC1; p=none; psd=y", "giant.bank.example": "v=DMARC1; p=reject"}
SIMPLE: Records = {"example.com": "v=DMARC1; p=none", "signing.example.com": "v=DMARC1; p=none"}
ORGANISATIONS = [
    # RFC 9989 appendix B.4.1
    (SIMPLE, "example.com", "example.com"),
    (SIMPLE, "signing.example.com", "example.com"),
    # appendix B.4.2
    (SIMPLE, "a.b.c.d.e.f.g.h.i.j.k.example.com", "example.com"),
    # appendix B.4.3
    (BANK, "giant.bank.example", "giant.bank.example"),
    (BANK, "mail.giant.bank.example", "giant.bank.example"),
    (BANK, "mail.mega.bank.example", "mega.bank.example"),
    (BANK, "bank.example", "bank.example"),
    # section 4.10.2, its three examples
    (
        {"mail.example.com": "v=DMARC1; p=none", "example.com": "v=DMARC1; p=none"},
        "a.mail.example.com",
        "example.com",
    ),
    (
        {"mail.example.com": "v=DMARC1; p=none; psd=n", "example.com": "v=DMARC1"},
        "a.mail.example.com",
        "mail.example.com",
    ),
    ({"com": "v=DMARC1; psd=y"}, "a.mail.example.com", "example.com"),
    # section 4.10.2, the last rule: nothing found
    ({}, "a.mail.example.com", "a.mail.example.com"),
    # a top-level domain that forgot its psd tag, and one that its registrants guard themselves against
    ({"com": "v=DMARC1", "example.com": "v=DMARC1"}, "example.com", "com"),
    ({"com": "v=DMARC1", "example.com": "v=DMARC1; psd=n"}, "a.example.com", "example.com"),
    # section 4.10 steps 2 and 6: several records count as none
    (
        {"example.com": ("v=DMARC1; p=none", "v=DMARC1; p=reject"), "a.example.com": "v=DMARC1"},
        "b.a.example.com",
        "a.example.com",
    ),
    # section 4.8: a psd= that is none of its values has its default
    ({"mail.example.com": "v=DMARC1; psd=x", "example.com": "v=DMARC1"}, "mail.example.com", "example.com"),
    # what merely looks like a record is none
    ({"mail.example.com": "v=DMARC2; psd=n", "example.com": "v=DMARC1"}, "mail.example.com", "example.com"),
]


@pytest.mark.parametrize(("records", "domain", "organisation"), ORGANISATIONS)
def test_the_tree_walk_finds_the_organisational_domain(records: Records, domain: str, organisation: str) -> None:
    assert TreeWalk(published(records)).organisation(domain) == organisation


def test_the_walk_stops_at_a_psd_tag() -> None:
    table = published(BANK)
    TreeWalk(table).organisation("mail.giant.bank.example")
    assert table.names[-1] == "_dmarc.bank.example"


ACME, SHOP, GONE = "acme.example", "shop.acme.example", "gone.acme.example"
FOUND, PERMERROR = "found", "permerror"
ORG = "v=DMARC1; p=reject; sp=quarantine; np=none"
POLICIES_9989: list[tuple[str, Records, str, str, str | None, str | None]] = [
    ("p of its own record", {ACME: ORG}, ACME, FOUND, "reject", ACME),
    ("sp of the organisation", {ACME: ORG}, SHOP, FOUND, "quarantine", ACME),
    ("np where nothing exists", {ACME: ORG}, GONE, FOUND, "none", ACME),
    ("np defaults to sp", {ACME: "v=DMARC1; p=none; sp=reject"}, GONE, FOUND, "reject", ACME),
    ("sp defaults to p", {ACME: "v=DMARC1; p=reject"}, SHOP, FOUND, "reject", ACME),
    (
        "the organisation's, not the parent's",
        {ACME: ORG, SHOP: "v=DMARC1; p=none"},
        "nl.shop.acme.example",
        FOUND,
        "quarantine",
        ACME,
    ),
    (
        "the public suffix's",
        {"bank.example": "v=DMARC1; p=reject; psd=y"},
        "x.bank.example",
        FOUND,
        "reject",
        "bank.example",
    ),
    ("not the public suffix's", BANK, "mail.giant.bank.example", FOUND, "reject", "giant.bank.example"),
    ("t=y is no mercy", {ACME: "v=DMARC1; p=reject; t=y"}, ACME, FOUND, "reject", ACME),
    ("no p is p=none (4.7)", {ACME: "v=DMARC1; adkim=s"}, ACME, FOUND, "none", ACME),
    ("letters of any case (4.8)", {ACME: "V=DMARC1; P=REJECT"}, ACME, FOUND, "reject", ACME),
    ("unknown tags are ignored (4.7)", {ACME: "v=DMARC1; x=y; p=reject; pct=0"}, ACME, FOUND, "reject", ACME),
    ("what is no tag is ignored (4.8)", {ACME: "v=DMARC1; oops; =1; p=reject"}, ACME, FOUND, "reject", ACME),
    ("invalid p with rua (4.10.1)", {ACME: f"v=DMARC1; p=strict; {RUA}"}, ACME, FOUND, "none", ACME),
    ("invalid np with rua", {ACME: f"v=DMARC1; p=reject; np=x; {RUA}"}, ACME, FOUND, "none", ACME),
    ("invalid p without rua", {ACME: "v=DMARC1; p=strict"}, ACME, PERMERROR, None, ACME),
    ("invalid p with a rua that is none", {ACME: "v=DMARC1; p=x; rua=me"}, ACME, PERMERROR, None, ACME),
    ("invalid sp of the organisation", {ACME: "v=DMARC1; p=reject; sp=x"}, SHOP, PERMERROR, None, ACME),
    ("several, then the parent's", {ACME: ORG, SHOP: (ORG, "v=DMARC1")}, SHOP, FOUND, "quarantine", ACME),
    ("several and nothing above", {ACME: (ORG, "v=DMARC1")}, ACME, "none", None, None),
    ("a tag twice, then the parent's", {ACME: ORG, SHOP: "v=DMARC1; p=none; p=none"}, SHOP, FOUND, "quarantine", ACME),
    ("a tag twice and nothing above", {ACME: "v=DMARC1; p=none; P=reject"}, ACME, PERMERROR, None, None),
    ("nothing", {}, ACME, "none", None, None),
    ("another TXT value", {ACME: ("v=spf1 -all", ORG)}, ACME, FOUND, "reject", ACME),
]


@pytest.mark.parametrize(("case", "records", "domain", "result", "policy", "where"), POLICIES_9989)
def test_the_policy_of_rfc_9989(
    case: str, records: Records, domain: str, result: str, policy: str | None, where: str | None
) -> None:
    found = TreeWalk(published(records), lambda name: not name.startswith("gone.")).policy(domain)
    assert (found.result, found.policy, found.record and found.record.domain) == (result, policy, where), case


@pytest.mark.parametrize(
    ("others", "failing", "policy"),
    [
        ({("shop.acme.example", "A"): ("192.0.2.1",)}, (), "quarantine"),
        ({("shop.acme.example", "MX"): ("mx.acme.example",)}, (), "quarantine"),
        ({}, (), "reject"),
        ({}, ("shop.acme.example",), "reject"),
    ],
)
def test_where_existence_cannot_be_told_the_stricter_of_sp_and_np_counts(
    others: dict[tuple[str, str], tuple[str, ...]], failing: tuple[str, ...], policy: str
) -> None:
    table = Table({"_dmarc.acme.example": "v=DMARC1; p=none; sp=quarantine; np=reject"}, failing, others)
    assert TreeWalk(table).policy("shop.acme.example").policy == policy


def test_existence_is_not_asked_about_when_nothing_depends_on_it() -> None:
    table = published({"acme.example": "v=DMARC1; p=reject"})
    TreeWalk(table).policy("shop.acme.example")
    assert {kind for _name, kind in table.asked} == {"TXT"}


POLICIES_7489: list[tuple[str, Records, str, str, str | None, str | None]] = [
    ("p of its own record", {ACME: ORG}, ACME, FOUND, "reject", ACME),
    ("sp, and no np", {ACME: ORG}, GONE, FOUND, "quarantine", ACME),
    ("sp defaults to p", {ACME: "v=DMARC1; p=reject"}, SHOP, FOUND, "reject", ACME),
    ("only one level up is the organisation", {SHOP: ORG}, "nl.shop.acme.example", "none", None, None),
    ("below a public suffix", {"acme.co.uk": ORG}, "shop.acme.co.uk", FOUND, "quarantine", "acme.co.uk"),
    ("the public suffix is not asked", {"co.uk": "v=DMARC1; p=reject; psd=y"}, "acme.co.uk", "none", None, None),
    ("pct is no mercy", {ACME: "v=DMARC1; p=reject; pct=0"}, ACME, FOUND, "reject", ACME),
    ("np is no tag", {ACME: "v=DMARC1; p=reject; np=x"}, ACME, FOUND, "reject", ACME),
    ("invalid sp with rua", {ACME: f"v=DMARC1; p=reject; sp=x; {RUA}"}, ACME, FOUND, "none", ACME),
    ("no p, with rua", {ACME: f"v=DMARC1; {RUA}"}, ACME, FOUND, "none", ACME),
    ("no p, without rua", {ACME: "v=DMARC1; sp=reject"}, ACME, PERMERROR, None, ACME),
    ("several end it (6.6.3 step 5)", {ACME: ORG, SHOP: (ORG, ORG + ";")}, SHOP, "none", None, None),
    ("a void record ends it", {ACME: ORG, SHOP: "v=DMARC1; p=none; p=none"}, SHOP, PERMERROR, None, None),
]


@pytest.mark.parametrize(("case", "records", "domain", "result", "policy", "where"), POLICIES_7489)
def test_the_policy_of_rfc_7489(
    case: str, records: Records, domain: str, result: str, policy: str | None, where: str | None
) -> None:
    found = SuffixList(published(records)).policy(domain)
    assert (found.result, found.policy, found.record and found.record.domain) == (result, policy, where), case


@pytest.mark.parametrize(
    ("domain", "organisation"),
    [
        ("acme.nl", "acme.nl"),
        ("a.b.acme.nl", "acme.nl"),
        ("a.acme.co.uk", "acme.co.uk"),
        ("co.uk", "co.uk"),
        ("nl", "nl"),
        ("a.b.unknown-top", "b.unknown-top"),
        ("www.city.kawasaki.jp", "city.kawasaki.jp"),
        ("a.b.c.kobe.jp", "b.c.kobe.jp"),
        ("a.xn--85x722f.com.cn", "xn--85x722f.com.cn"),
        ("www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"),
    ],
)
def test_the_suffix_list_finds_the_organisational_domain(domain: str, organisation: str) -> None:
    assert SuffixList(Table()).organisation(domain) == organisation


def test_what_cannot_be_looked_up_is_a_temperror() -> None:
    above = published({"acme.example": ORG}, failing=("example",))
    assert TreeWalk(above).policy("acme.example").result == "found"
    assert TreeWalk(above).policy("shop.acme.example").result == "temperror"
    with pytest.raises(Unresolved):
        TreeWalk(above).organisation("shop.acme.example")
    assert SuffixList(above).policy("shop.acme.example").result == "found"
    own = published({"acme.example": ORG}, failing=("shop.acme.example",))
    assert TreeWalk(own).policy("shop.acme.example").result == "temperror"
    assert SuffixList(own).policy("shop.acme.example").result == "temperror"


@pytest.mark.parametrize(
    ("rua", "asks"),
    [
        ("mailto:a@b.example", True),
        ("mailto:a@b.example!10m", True),
        ("x, MAILTO:a@b.example", True),
        ("https://b.example/reports", True),
        ("a@b.example", False),
        ("mailto:a", False),
        ("mailto:", False),
        ("", False),
    ],
)
def test_a_report_uri_must_be_written_as_one(rua: str, asks: bool) -> None:
    found = TreeWalk(published({"acme.example": f"v=DMARC1; p=x; rua={rua}"})).policy("acme.example")
    assert found.result == ("found" if asks else "permerror")


def test_every_reason_names_its_source() -> None:
    cases = [(records, domain) for _case, records, domain, *_rest in POLICIES_9989 + POLICIES_7489]
    for records, domain in cases:
        for standard in (TreeWalk(published(records)), SuffixList(published(records))):
            assert "(RFC " in standard.policy(domain).reason
