# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merging into a live record: what was not asked for stays, what was asked for is there and effective."""

from __future__ import annotations

from collections import Counter

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy import spf, spf_merge
from ansible_collections.mailroom.erp.tests.unit.policy.spf_strategies import addable, records
from hypothesis import assume, given
from hypothesis import strategies as st

DOMAIN = "acme.example"


def merged(text: str, *add: str, remove: tuple[str, ...] = (), all_: str = "keep", exclusive: bool = False) -> str:
    wish = spf_merge.SpfWish(
        tuple(spf_merge.wished_term(raw) for raw in add),
        tuple(spf_merge.wished_term(raw) for raw in remove),
        all_,
        exclusive,
    )
    return str(spf_merge.merge_spf(spf.parse_spf(text), wish, DOMAIN))


ADDING = [
    ("v=spf1 mx ~all", "include:spf.afas.online", "v=spf1 mx include:spf.afas.online ~all"),
    (
        "v=spf1 mx ip4:192.0.2.10 ~all",
        "include:spf.afas.online",
        "v=spf1 mx ip4:192.0.2.10 include:spf.afas.online ~all",
    ),
    ("v=spf1  MX   -ALL ", "a", "v=spf1  MX a   -ALL "),
    ("v=spf1", "a", "v=spf1 a"),
    ("v=spf1 mx  ", "a", "v=spf1 mx a  "),
    ("v=spf1 redirect=_spf.acme.example", "a", "v=spf1 a redirect=_spf.acme.example"),
    (
        "v=spf1 exp=why.acme.example redirect=_spf.acme.example",
        "a",
        "v=spf1 exp=why.acme.example a redirect=_spf.acme.example",
    ),
    ("v=spf1 mx ~all include:x.example", "include:x.example", "v=spf1 mx include:x.example ~all include:x.example"),
    ("v=spf1 ~all", "x=1", "v=spf1 ~all x=1"),
]


@pytest.mark.parametrize(("before", "term", "after"), ADDING)
def test_a_new_term_goes_where_it_works(before: str, term: str, after: str) -> None:
    assert merged(before, term) == after


EQUAL = [
    ("include:spf.afas.online", "+include:SPF.afas.online."),
    ("+INCLUDE:spf.afas.online.", "include:spf.afas.online"),
    ("ip4:192.0.2.10", "ip4:192.0.2.10/32"),
    ("ip4:192.0.2.0/24", "ip4:192.0.2.10"),
    ("ip4:192.0.2.77/24", "ip4:192.0.2.0/25"),
    ("ip6:2001:db8::/32", "ip6:2001:DB8:1::1"),
    ("ip6:2001:db8:0:0::1", "ip6:2001:db8::1/128"),
    ("a", "a:acme.example"),
    ("a:ACME.example./32", "a//128"),
    ("mx", "MX:acme.example."),
    ("?include:x.example", "?include:X.example"),
    ("exists:%{i}.X.example", "exists:%{i}.x.example"),
    ("redirect=_SPF.x.example", "redirect=_spf.x.example."),
]


@pytest.mark.parametrize(("there", "wanted"), EQUAL)
def test_an_equal_term_is_recognised_in_every_spelling(there: str, wanted: str) -> None:
    text = f"v=spf1 {there} mx:other.example"
    assert merged(text, wanted) == text


DIFFERENT = [
    ("ip4:192.0.2.10", "ip4:192.0.2.0/24"),
    ("a/24", "a"),
    ("a", "a:www.acme.example"),
    ("exists:%{i}.x.example", "exists:%{I}.x.example"),
    ("include:xexample.nl", "include:example.nl"),
    ("ip4:192.0.2.10", "ip6:2001:db8::1"),
    ("include:x.example", "exists:x.example"),
]


@pytest.mark.parametrize(("there", "wanted"), DIFFERENT)
def test_a_term_that_only_looks_alike_is_added(there: str, wanted: str) -> None:
    assert merged(f"v=spf1 {there} ~all", wanted) == f"v=spf1 {there} {wanted} ~all"


CONTRADICTIONS = [
    ("v=spf1 -include:x.example ~all", "include:x.example", "-include:x.example"),
    ("v=spf1 ?ip4:192.0.2.0/24 ~all", "ip4:192.0.2.10", "?ip4:192.0.2.0/24"),
    ("v=spf1 mx ~all", "redirect=_spf.x.example", "ignored in a record that holds all"),
    ("v=spf1 redirect=a.example", "redirect=b.example", "at most once"),
    ("v=spf1 exp=a.example ~all", "exp=b.example", "at most once"),
]


@pytest.mark.parametrize(("text", "wanted", "words"), CONTRADICTIONS)
def test_a_term_that_would_have_no_effect_is_refused(text: str, wanted: str, words: str) -> None:
    with pytest.raises(spf_merge.MergeError) as caught:
        merged(text, wanted)
    assert words in str(caught.value)
    assert caught.value.way_out


@pytest.mark.parametrize("raw", ["v=spf1 a ~all", "a mx", "all", "~all", "-ALL"])
def test_what_is_no_term_to_merge_is_refused(raw: str) -> None:
    with pytest.raises(spf_merge.MergeError):
        spf_merge.wished_term(raw)


def test_an_internationalised_domain_becomes_a_labels() -> None:
    assert spf_merge.wished_term("+include:_spf.M\u00fcller.example").raw == "+include:_spf.xn--mller-kva.example"
    assert spf_merge.wished_term("mx:%{d}.m\u00fcller.example/24").raw == "mx:%{d}.xn--mller-kva.example/24"
    with pytest.raises(spf.SpfError, match="RFC 5891"):
        spf_merge.wished_term("include:m\u00fcller\u200d.example")


def test_removal_takes_exactly_the_equal_term() -> None:
    text = "v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.10/32 ~include:x.example INCLUDE:X.example.  mx ~all"
    assert (
        merged(text, remove=("ip4:192.0.2.10",))
        == "v=spf1 ip4:192.0.2.0/24 ~include:x.example INCLUDE:X.example.  mx ~all"
    )
    assert (
        merged(text, remove=("include:x.example",))
        == "v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.10/32 ~include:x.example  mx ~all"
    )
    assert merged(text, remove=("include:absent.example",)) == text


def test_exclusive_keeps_what_is_wanted_and_all() -> None:
    text = "v=spf1 mx INCLUDE:x.example x=1 exp=y.example ~all"
    assert merged(text, "include:x.example", "a", exclusive=True) == "v=spf1 INCLUDE:x.example a ~all"


@pytest.mark.parametrize(
    ("text", "all_", "after"),
    [
        ("v=spf1 mx ?ALL", "keep", "v=spf1 mx ?ALL"),
        ("v=spf1 mx ?ALL x=1", "-all", "v=spf1 mx -all x=1"),
        ("v=spf1 mx", "~all", "v=spf1 mx ~all"),
        ("v=spf1 mx -ALL", "-all", "v=spf1 mx -ALL"),
    ],
)
def test_all_is_kept_unless_told_otherwise(text: str, all_: str, after: str) -> None:
    assert merged(text, all_=all_) == after


def test_all_beside_a_redirect_is_refused() -> None:
    with pytest.raises(spf_merge.MergeError, match="switch off"):
        merged("v=spf1 redirect=_spf.x.example", all_="-all")


def test_a_first_record_ends_softly() -> None:
    wish = spf_merge.SpfWish((spf.parse_term("mx"), spf.parse_term("include:x.example")))
    assert str(spf_merge.create_spf(wish, DOMAIN)) == "v=spf1 mx include:x.example ~all"
    assert str(spf_merge.create_spf(spf_merge.SpfWish(all="-all"), DOMAIN)) == "v=spf1 -all"
    assert (
        str(spf_merge.create_spf(spf_merge.SpfWish((spf.parse_term("redirect=x.example"),)), DOMAIN))
        == "v=spf1 redirect=x.example"
    )


def test_two_records_are_united_with_the_softest_all() -> None:
    texts = ["v=spf1 mx include:x.example -all", "v=spf1 +MX ip4:192.0.2.1 ~all"]
    united = spf_merge.unite_spf([spf.parse_spf(text) for text in texts], DOMAIN)
    assert str(united) == "v=spf1 mx include:x.example ip4:192.0.2.1 ~all"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("v=spf1 +all", "anyone"),
        ("v=spf1 a ?all", "anyone"),
        ("v=spf1 ptr -all", "5.5"),
        ("v=spf1 -all mx", "mx: without effect"),
    ],
)
def test_what_is_valid_but_unwise_is_called_out(text: str, words: str) -> None:
    assert any(words in concern for concern in spf_merge.spf_concerns(spf.parse_spf(text)))


def _counted(record: spf.SpfRecord) -> Counter[str]:
    return Counter(term.raw for term in record.terms)


@given(records(), st.lists(addable, max_size=4))
def test_merging_twice_is_merging_once_and_no_term_is_lost(text: str, raws: list[str]) -> None:
    record = spf.parse_spf(text)
    wish = spf_merge.SpfWish(tuple(spf.parse_term(raw) for raw in raws))
    try:
        once = spf_merge.merge_spf(record, wish, DOMAIN)
    except spf_merge.MergeError:
        assume(False)
    assert spf_merge.merge_spf(once, wish, DOMAIN) == once
    assert spf.parse_spf(str(once)) == once
    assert not _counted(record) - _counted(once)
    remaining = iter(once.items)
    assert all(item in remaining for item in record.items)  # the old terms in their order, with their spaces


@given(records(), st.lists(addable, min_size=1, max_size=3))
def test_what_was_merged_is_effective_and_can_be_taken_away_again(text: str, raws: list[str]) -> None:
    record = spf.parse_spf(text)
    terms = tuple(spf.parse_term(raw) for raw in raws)
    try:
        once = spf_merge.merge_spf(record, spf_merge.SpfWish(terms), DOMAIN)
    except spf_merge.MergeError:
        assume(False)
    added = _counted(once) - _counted(record)
    live = {term.raw for term in spf.effective(once.terms)}
    assert set(added) <= live
    gone = spf_merge.merge_spf(once, spf_merge.SpfWish(remove=terms), DOMAIN)
    wanted = {spf_merge.identity(term, DOMAIN) for term in terms}
    assert [term for term in record.terms if spf_merge.identity(term, DOMAIN) not in wanted] == gone.terms


IGNORED = {
    "ip4=192.0.2.1": "meant as ip4:192.0.2.1",
    "ip6=2001:db8::1": "meant as ip6:2001:db8::1",
    "ipv4=192.0.2.1": "meant as ip4:192.0.2.1",
    "include=spf.example": "meant as include:spf.example",
    "a=host.example": "meant as a:host.example",
    "mx=": "meant as mx,",
    "all=": "meant as all,",
    "v=spf1": "the beginning of a second record",
    "include:a.exampleinclude:b.example": "with a space before include:b.example",
    "a:mx.exampleip4:192.0.2.a": "with a space before ip4:192.0.2.a",
}


@pytest.mark.parametrize(("term", "words"), IGNORED.items())
def test_a_term_that_receivers_do_not_take_as_it_is_meant_is_named(term: str, words: str) -> None:
    (sentence,) = spf_merge.ignored_terms(spf.parse_spf(f"v=spf1 mx {term} -all"))
    assert sentence.startswith(f"{term} looks meant as") and words in sentence and "RFC 7208" in sentence


@pytest.mark.parametrize("term", [term for term in IGNORED if not term.startswith("v=")])
def test_such_a_term_is_refused_as_a_wish(term: str) -> None:
    with pytest.raises(spf_merge.MergeError, match="looks meant as") as caught:
        spf_merge.wished_term(term)
    assert str(caught.value.way_out).startswith(("Write ", "Give each term"))
    assert spf_merge.wished_term(term, removed=True).raw == term, "what is there can be taken away"


@pytest.mark.parametrize("record", ["v=spf1 mx redirect=a.example exp=b.example op=x", "v=spf1 a:mx.example"])
def test_other_terms_are_taken_as_they_are(record: str) -> None:
    assert spf_merge.ignored_terms(spf.parse_spf(record)) == []
