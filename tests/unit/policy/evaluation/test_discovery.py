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

RUA = "rua=mailto:d@acme.example"


def published(records: dict[str, str | tuple[str, ...]], failing: tuple[str, ...] = ()) -> Table:
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


BANK: dict[str, str | tuple[str, ...]] = {
    "bank.example": "v=DMARC1; p=none; psd=y",
    "giant.bank.example": "v=DMARC1; p=reject",
}
SIMPLE: dict[str, str | tuple[str, ...]] = {
    "example.com": "v=DMARC1; p=none",
    "signing.example.com": "v=DMARC1; p=none",
}
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
def test_the_tree_walk_finds_the_organisational_domain(
    records: dict[str, str | tuple[str, ...]], domain: str, organisation: str
) -> None:
    assert TreeWalk(published(records)).organisation(domain) == organisation


def test_the_walk_stops_at_a_psd_tag() -> None:
    table = published(BANK)
    TreeWalk(table).organisation("mail.giant.bank.example")
    assert table.names[-1] == "_dmarc.bank.example"


ORG = "v=DMARC1; p=reject; sp=quarantine; np=none"
POLICIES_9989: list[tuple[str, dict[str, str | tuple[str, ...]], str, str, str | None, str | None]] = [
    ("p of its own record", {"acme.example": ORG}, "acme.example", "found", "reject", "acme.example"),
    ("sp of the organisation", {"acme.example": ORG}, "shop.acme.example", "found", "quarantine", "acme.example"),
    ("np where nothing exists", {"acme.example": ORG}, "gone.acme.example", "found", "none", "acme.example"),
    (
        "np defaults to sp",
        {"acme.example": "v=DMARC1; p=none; sp=reject"},
        "gone.acme.example",
        "found",
        "reject",
        "acme.example",
    ),
    (
        "sp defaults to p",
        {"acme.example": "v=DMARC1; p=reject"},
        "shop.acme.example",
        "found",
        "reject",
        "acme.example",
    ),
    (
        "the organisation's, not the parent's",
        {"acme.example": ORG, "shop.acme.example": "v=DMARC1; p=none"},
        "nl.shop.acme.example",
        "found",
        "quarantine",
        "acme.example",
    ),
    (
        "the public suffix's",
        {"bank.example": "v=DMARC1; p=reject; psd=y"},
        "x.bank.example",
        "found",
        "reject",
        "bank.example",
    ),
    ("not the public suffix's", BANK, "mail.giant.bank.example", "found", "reject", "giant.bank.example"),
    ("t=y is no mercy", {"acme.example": "v=DMARC1; p=reject; t=y"}, "acme.example", "found", "reject", "acme.example"),
    ("no p is p=none (4.7)", {"acme.example": "v=DMARC1; adkim=s"}, "acme.example", "found", "none", "acme.example"),
    (
        "letters of any case (4.8)",
        {"acme.example": "V=DMARC1; P=REJECT"},
        "acme.example",
        "found",
        "reject",
        "acme.example",
    ),
    (
        "unknown tags are ignored (4.7)",
        {"acme.example": "v=DMARC1; x=y; p=reject; pct=0"},
        "acme.example",
        "found",
        "reject",
        "acme.example",
    ),
    (
        "what is no tag is ignored (4.8)",
        {"acme.example": "v=DMARC1; oops; =1; p=reject"},
        "acme.example",
        "found",
        "reject",
        "acme.example",
    ),
    (
        "invalid p with rua (4.10.1)",
        {"acme.example": f"v=DMARC1; p=strict; {RUA}"},
        "acme.example",
        "found",
        "none",
        "acme.example",
    ),
    (
        "invalid np with rua",
        {"acme.example": f"v=DMARC1; p=reject; np=x; {RUA}"},
        "acme.example",
        "found",
        "none",
        "acme.example",
    ),
    (
        "invalid p without rua",
        {"acme.example": "v=DMARC1; p=strict"},
        "acme.example",
        "permerror",
        None,
        "acme.example",
    ),
    (
        "invalid p with a rua that is none",
        {"acme.example": "v=DMARC1; p=x; rua=me"},
        "acme.example",
        "permerror",
        None,
        "acme.example",
    ),
    (
        "invalid sp of the organisation",
        {"acme.example": "v=DMARC1; p=reject; sp=x"},
        "shop.acme.example",
        "permerror",
        None,
        "acme.example",
    ),
    (
        "several, then the parent's",
        {"acme.example": ORG, "shop.acme.example": (ORG, "v=DMARC1")},
        "shop.acme.example",
        "found",
        "quarantine",
        "acme.example",
    ),
    ("several and nothing above", {"acme.example": (ORG, "v=DMARC1")}, "acme.example", "none", None, None),
    (
        "a tag twice, then the parent's",
        {"acme.example": ORG, "shop.acme.example": "v=DMARC1; p=none; p=none"},
        "shop.acme.example",
        "found",
        "quarantine",
        "acme.example",
    ),
    (
        "a tag twice and nothing above",
        {"acme.example": "v=DMARC1; p=none; P=reject"},
        "acme.example",
        "permerror",
        None,
        None,
    ),
    ("nothing", {}, "acme.example", "none", None, None),
    ("another TXT value", {"acme.example": ("v=spf1 -all", ORG)}, "acme.example", "found", "reject", "acme.example"),
]


@pytest.mark.parametrize(("case", "records", "domain", "result", "policy", "where"), POLICIES_9989)
def test_the_policy_of_rfc_9989(
    case: str,
    records: dict[str, str | tuple[str, ...]],
    domain: str,
    result: str,
    policy: str | None,
    where: str | None,
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


POLICIES_7489: list[tuple[str, dict[str, str | tuple[str, ...]], str, str, str | None, str | None]] = [
    ("p of its own record", {"acme.example": ORG}, "acme.example", "found", "reject", "acme.example"),
    ("sp, and no np", {"acme.example": ORG}, "gone.acme.example", "found", "quarantine", "acme.example"),
    (
        "sp defaults to p",
        {"acme.example": "v=DMARC1; p=reject"},
        "shop.acme.example",
        "found",
        "reject",
        "acme.example",
    ),
    ("only one level up is the organisation", {"shop.acme.example": ORG}, "nl.shop.acme.example", "none", None, None),
    ("below a public suffix", {"acme.co.uk": ORG}, "shop.acme.co.uk", "found", "quarantine", "acme.co.uk"),
    ("the public suffix is not asked", {"co.uk": "v=DMARC1; p=reject; psd=y"}, "acme.co.uk", "none", None, None),
    (
        "pct is no mercy",
        {"acme.example": "v=DMARC1; p=reject; pct=0"},
        "acme.example",
        "found",
        "reject",
        "acme.example",
    ),
    ("np is no tag", {"acme.example": "v=DMARC1; p=reject; np=x"}, "acme.example", "found", "reject", "acme.example"),
    (
        "invalid sp with rua",
        {"acme.example": f"v=DMARC1; p=reject; sp=x; {RUA}"},
        "acme.example",
        "found",
        "none",
        "acme.example",
    ),
    ("no p, with rua", {"acme.example": f"v=DMARC1; {RUA}"}, "acme.example", "found", "none", "acme.example"),
    ("no p, without rua", {"acme.example": "v=DMARC1; sp=reject"}, "acme.example", "permerror", None, "acme.example"),
    (
        "several end it (6.6.3 step 5)",
        {"acme.example": ORG, "shop.acme.example": (ORG, ORG + ";")},
        "shop.acme.example",
        "none",
        None,
        None,
    ),
    (
        "a void record ends it",
        {"acme.example": ORG, "shop.acme.example": "v=DMARC1; p=none; p=none"},
        "shop.acme.example",
        "permerror",
        None,
        None,
    ),
]


@pytest.mark.parametrize(("case", "records", "domain", "result", "policy", "where"), POLICIES_7489)
def test_the_policy_of_rfc_7489(
    case: str,
    records: dict[str, str | tuple[str, ...]],
    domain: str,
    result: str,
    policy: str | None,
    where: str | None,
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
