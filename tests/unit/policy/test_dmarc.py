# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DMARC policy records: merged without loss, judged by RFC 9989 and with an eye on those who know RFC 7489."""

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy import dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dmarc import DmarcWish
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def merged(text: str | None, wish: DmarcWish) -> str:
    return str(dmarc.merge_dmarc(dmarc.parse_dmarc(text) if text is not None else None, wish))


A, B = "mailto:a@acme.example", "mailto:b@acme.example"
MERGES = [
    (None, DmarcWish(), "v=DMARC1; p=none"),
    (None, DmarcWish({"p": "reject", "np": "reject"}, (A,)), f"v=DMARC1; p=reject; np=reject; rua={A}"),
    (None, DmarcWish({"pct": "50"}), "v=DMARC1; p=none; pct=50"),
    ("v=DMARC1; p=none", DmarcWish({"p": "quarantine"}), "v=DMARC1; p=quarantine"),
    ("v=DMARC1 ;p = none ; rua=x ;", DmarcWish({"p": "reject"}), "v=DMARC1;p=reject ; rua=x ;"),
    ("v=DMARC1; P=reject; RUA=x", DmarcWish({"p": "quarantine"}), "v=DMARC1; p=quarantine; RUA=x"),
    ("v=DMARC1; P=reject; x=1", DmarcWish({"p": "reject"}), "v=DMARC1; P=reject; x=1"),
    (f"V=DMARC1; p=none; RUA={A}", DmarcWish({"sp": "none"}, (A,)), f"v=DMARC1; p=none; RUA={A}; sp=none"),
    ("v=DMARC1; P=none; X=1", DmarcWish({"p": "none"}, exclusive=True), "v=DMARC1; P=none"),
    ("v=DMARC1; p=none; p=reject", DmarcWish({"p": "quarantine"}), "v=DMARC1; p=quarantine"),
    ("v=DMARC1; p=none; P=none; sp=none", DmarcWish(), "v=DMARC1; p=none; sp=none"),
    ("v=DMARC1; p=none; x=1; new=a; X=2", DmarcWish(), "v=DMARC1; p=none; x=2; new=a"),
    (f"v=DMARC1; p=none; rua={A}; rua={B}", DmarcWish(), f"v=DMARC1; p=none; rua={A},{B}"),
    (f"v=DMARC1; p=none; rua={A}; rua={A},{B}", DmarcWish(rua=(B,), exclusive=True), f"v=DMARC1; p=none; rua={B}"),
    ("v=DMARC1; p=none; x=1; x=2", DmarcWish(exclusive=True), "v=DMARC1; p=none"),
    ("v=DMARC1; v=DMARC2; p=none", DmarcWish(), "v=DMARC1; p=none"),
    ("v=DMARC1; p=none; rua=a@acme.example", DmarcWish(rua=(A,)), f"v=DMARC1; p=none; rua={A}"),
    ("v=DMARC1; p=none; rua=a@acme.example , me", DmarcWish(rua=(B,)), f"v=DMARC1; p=none; rua={A},me,{B}"),
    ("v=DMARC1; p=none; ruf=a@acme.example", DmarcWish(), f"v=DMARC1; p=none; ruf={A}"),
    ("v=DMARC1; p=none; rua=https://acme.example/r", DmarcWish(), "v=DMARC1; p=none; rua=https://acme.example/r"),
    ("v=DMARC1;p=none;new=1;", DmarcWish({"sp": "reject"}), "v=DMARC1;p=none;new=1; sp=reject;"),
    ("v=DMARC1; rua=" + A, DmarcWish({"p": "none"}), "v=DMARC1; p=none; rua=" + A),
    (f"v=DMARC1; p=none; rua={A}", DmarcWish(rua=(B,)), f"v=DMARC1; p=none; rua={A},{B}"),
    (f"v=DMARC1; p=none; rua={A}!10m", DmarcWish(rua=(A,)), f"v=DMARC1; p=none; rua={A}!10m"),
    (f"v=DMARC1; p=none; rua={A.upper()} , x", DmarcWish(rua=(A,)), f"v=DMARC1; p=none; rua={A.upper()} , x"),
    (f"v=DMARC1; p=none; rua={A},{B}; x=1", DmarcWish(rua=(B,), exclusive=True), f"v=DMARC1; p=none; rua={B}"),
    (f"v=DMARC1; p=none; rua={A}", DmarcWish(exclusive=True), "v=DMARC1; p=none"),
    ("v=DMARC1; p=reject; x=1", DmarcWish(managed=True), "v=DMARC1; p=reject; x=1"),
    (None, DmarcWish(managed=True), "v=DMARC1; p=none"),
]


@pytest.mark.parametrize(("before", "wish", "after"), MERGES)
def test_what_is_wanted_is_there_and_everything_else_stays(before: str | None, wish: DmarcWish, after: str) -> None:
    assert merged(before, wish) == after
    assert merged(after, wish) == after


def test_equal_wishes_are_one_key_however_they_are_written() -> None:
    wishes = [DmarcWish({"p": "reject", "sp": "none"}, (A,)), DmarcWish({"sp": "none", "p": "reject"}, (A,))]
    others = [DmarcWish({"p": "reject", "sp": "none"}, ruf=(A,)), DmarcWish({"p": "none", "sp": "reject"}, (A,))]
    assert len({*wishes}) == 1
    assert len({*wishes, *others}) == 3


_values = st.from_regex(r"[a-z0-9:.,!/-]{0,12}", fullmatch=True)
_gaps = st.sampled_from(["", " ", "  "])


@st.composite
def records(draw: st.DrawFn) -> str:
    names = draw(
        st.lists(
            st.sampled_from(["p", "sp", "np", "rua", "ruf", "fo", "x", "new", "pct", "P", "SP", "NEW"]),
            unique_by=str.lower,
            max_size=6,
        )
    )
    parts = [f"{draw(_gaps)}{name}{draw(_gaps)}={draw(_gaps)}{draw(_values)}{draw(_gaps)}" for name in names]
    return ";".join(["v=DMARC1", *parts]) + draw(st.sampled_from(["", ";", " ; "]))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(records())
def test_parsing_and_writing_is_the_identity(text: str) -> None:
    assert str(dmarc.parse_dmarc(text)) == text


@given(records(), st.booleans(), st.lists(st.sampled_from([A, B, "mailto:c@x.example"]), max_size=3))
def test_merging_twice_is_merging_once_and_nothing_is_lost(text: str, exclusive: bool, rua: list[str]) -> None:
    wish = DmarcWish({"p": "quarantine", "adkim": "s"}, tuple(rua), exclusive=exclusive)
    once = merged(text, wish)
    assert merged(once, wish) == once
    new = dmarc.parse_dmarc(once)
    assert (new.get("p"), new.get("adkim")) == ("quarantine", "s")
    assert all(uri in (new.get("rua") or "") for uri in rua)
    if not exclusive:
        old = dmarc.parse_dmarc(text)
        assert all(new.get(tag.name) == tag.value for tag in old if tag.name.lower() not in ("p", "adkim", "rua"))
        assert (new.get("rua") or "").startswith(old.get("rua") or "")


@given(st.text(st.sampled_from("vVpPxX=; \t,DMARC1none\n"), max_size=60))
def test_any_text_that_begins_as_a_record_is_read_without_loss(rest: str) -> None:
    text = f"v=DMARC1;{rest}"
    assert str(dmarc.parse_dmarc(text)) == text
    doubled = dmarc.parse_dmarc(text).doubled
    # What a verdict reads as valid can be merged; of a tag that stands twice the user may have to say the value.
    with contextlib.suppress(dmarc.DmarcError) if doubled else contextlib.nullcontext():
        once = merged(text, DmarcWish({"p": "none"}))
        assert merged(once, DmarcWish({"p": "none"})) == once
        assert dmarc.parse_dmarc(once).doubled == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("v=DMARC1", True),
        ("v=DMARC1;p=none", True),
        ("v = DMARC1 ; p=none", True),
        ("V=DMARC1; p=none", True),
        (" v=DMARC1; p=none", False),
        ("v=DMARC1 p=none", False),
        ("v=DMARC10", False),
        ("p=none; v=DMARC1", False),
        ("v=dmarc1", False),
    ],
)
def test_what_is_a_policy_record(text: str, found: bool) -> None:
    assert dmarc.is_dmarc(text) is found


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        ("a@acme.example", A),
        ("MAILTO:a@ACME.example.", A),
        ("a+tag@m\u00fcller.example", "mailto:a+tag@xn--mller-kva.example"),
        ("a!b@acme.example", "mailto:a%21b@acme.example"),
        ("a%b@acme.example", "mailto:a%25b@acme.example"),
        ("mailto:a%21b@acme.example", "mailto:a%21b@acme.example"),
    ],
)
def test_a_report_address_becomes_a_uri(address: str, uri: str) -> None:
    assert dmarc.report_uri(address) == uri


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://acme.example/reports", "by mail only"),
        ("http://acme.example", "by mail only"),
        ("mailto:a@acme.example!10m", "obsolete"),
        ("a@acme.example!50", "obsolete"),
        ("acme.example", "one mail address"),
        ("a b@acme.example", "one mail address"),
        ("a;b@acme.example", "one mail address"),
        ("a@b@acme.example", "one mail address"),
        ("@acme.example", "one mail address"),
        ("a@localhost", "two labels"),
        ("a@acme..example", "empty label"),
        ("a@*.example", "letters, digits"),
    ],
)
def test_what_is_no_report_address_is_refused(address: str, words: str) -> None:
    with pytest.raises(dmarc.DmarcError, match=words) as caught:
        dmarc.report_uri(address)
    assert "RFC" in str(caught.value)


@pytest.mark.parametrize("text", ["v=DMARC10; p=none", "p=none; v=DMARC1", " v=DMARC1; p=none", "hello", ""])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(dmarc.DmarcError, match="RFC"):
        dmarc.parse_dmarc(text)


@pytest.mark.parametrize(
    ("text", "wish", "tag"),
    [
        ("v=DMARC1; p=none; P=reject", DmarcWish(), "p"),
        ("v=DMARC1; p=none; p=reject", DmarcWish({"p": "reject"}, managed=True), "p"),
        ("v=DMARC1; p=none; adkim=s; sp=none; adkim=r", DmarcWish({"p": "reject"}), "adkim"),
        ("v=DMARC1; p=none; p=reject", DmarcWish(exclusive=True), "p"),
    ],
)
def test_of_two_values_the_user_says_which_one(text: str, wish: DmarcWish, tag: str) -> None:
    with pytest.raises(dmarc.DmarcError, match=rf"{tag}= stands 2 times.*RFC 6376 section 3\.2") as caught:
        merged(text, wish)
    assert caught.value.tag == tag


DOUBLED = {
    "v=DMARC1; p=none; p=reject": "p= stands 2 times",
    "v=DMARC1; p=none; x=1; X=1; x=2": "x= stands 3 times",
    "v=DMARC1; V=DMARC1; p=none": "v= stands 2 times",
}


@pytest.mark.parametrize(("text", "words"), DOUBLED.items())
def test_a_tag_that_stands_twice_is_a_fault(text: str, words: str) -> None:
    (fault,) = dmarc.dmarc_faults(dmarc.parse_dmarc(text))
    assert words in fault and "RFC 6376 section 3.2" in fault


def test_of_a_policy_that_stands_twice_deployed_receivers_take_the_last() -> None:
    (fault,) = dmarc.dmarc_faults(dmarc.parse_dmarc("v=DMARC1; p=none; p=reject"))
    assert "the last, p=reject" in fault
    (other,) = dmarc.dmarc_faults(dmarc.parse_dmarc("v=DMARC1; p=none; x=1; x=2"))
    assert "the last" not in other


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("v=DMARC1; p=rejct", "p=rejct"),
        ("v=DMARC1; p=none; sp=bad", "sp=bad"),
        ("v=DMARC1; P=rejct", "P=rejct"),
    ],
)
def test_a_policy_that_there_is_not_is_a_fault(text: str, words: str) -> None:
    (fault,) = dmarc.dmarc_faults(dmarc.parse_dmarc(text))
    assert words in fault
    assert dmarc.ignored_values(dmarc.parse_dmarc(text)) == []


@pytest.mark.parametrize("tag", ["adkim=relaxed", "t=yes", "fo=2"])
def test_another_value_that_no_tag_may_have_is_ignored(tag: str) -> None:
    record = dmarc.parse_dmarc(f"v=DMARC1; p=none; {tag}")
    (ignored,) = dmarc.ignored_values(record)
    assert tag in ignored and "as if it were not there" in ignored
    assert dmarc.dmarc_faults(record) == []


CONCERNS = {
    "v=DMARC1; rua=mailto:a@acme.example": "there is no p=",
    "v=DMARC1; rua=mailto:a@acme.example; p=none": "not the second tag",
    "v=DMARC1; p=none; pct=50": "pct= was removed",
    "v=DMARC1; p=none; PCT=50": "PCT= was removed",
    "v=DMARC1; rua=mailto:a@acme.example; P=none": "not the second tag",
    "v=DMARC1; P=reject; T=Y": "no protection",
    "v=DMARC1; P=reject; SP=none": "sp= is weaker",
    "V=DMARC1; p=none": "not written v=DMARC1",
    "v = DMARC1; p=none": "not written v=DMARC1",
    "v=DMARC1 ; p=none": "not written v=DMARC1",
    "v=DMARC1; p =none": "a blank stands before the = of p",
    "v=DMARC1; p=reject; t=y": "no protection",
    "v=DMARC1; p=reject; sp=none": "sp= is weaker",
    "v=DMARC1; p=none; rua=mailto:a@acme.example!10m": "obsolete",
    "v=DMARC1; p=none; rua=mailto:a@x.example,mailto:b@x.example,mailto:c@x.example": "more than 2",
}


@pytest.mark.parametrize(("text", "words"), CONCERNS.items())
def test_what_is_valid_but_unwise_is_called_out(text: str, words: str) -> None:
    (concern,) = dmarc.dmarc_concerns(dmarc.parse_dmarc(text))
    assert words in concern
    assert "RFC" in concern


def test_an_address_that_is_no_uri_is_a_fault() -> None:
    record = dmarc.parse_dmarc("v=DMARC1; p=none; rua=a@acme.example,mailto:b@acme.example!1m,mailto:c; ruf=me")
    faults = dmarc.report_faults(record)
    assert ["mailto:" in fault and "RFC 9989" in fault for fault in faults] == [True] * 3
    assert [fault.partition('"')[2].partition('"')[0] for fault in faults] == ["a@acme.example", "mailto:c", "me"]
    assert dmarc.report_hosts(record) == ["acme.example"]


def test_reports_by_another_way_than_mail_need_no_agreement_and_are_a_concern() -> None:
    record = dmarc.parse_dmarc("v=DMARC1; p=none; rua=https://x.example/r?a@y.example,mailto:d@z.example?subject=x")
    (concern,) = [one for one in dmarc.dmarc_concerns(record) if "https" in one]
    assert "by mail only" in concern and "RFC 9989 section 4.7" in concern
    assert dmarc.report_faults(record) == []
    assert dmarc.destinations(record, "acme.example") == ["z.example"]


def test_a_plain_record_raises_no_concern() -> None:
    assert dmarc.dmarc_concerns(dmarc.parse_dmarc("v=DMARC1; p=reject; sp=reject; rua=mailto:a@x.example")) == []


def test_only_destinations_outside_must_agree() -> None:
    record = dmarc.parse_dmarc(
        "v=DMARC1; rua=mailto:a@acme.example,mailto:b@reports.acme.example,mailto:c@X.example!1m; "
        "ruf=mailto:d@x.example,mailto:e@notacme.example,mailto:f@example"
    )
    assert dmarc.destinations(record, "acme.example") == ["x.example", "notacme.example"]
    assert dmarc.relatives(record, "acme.example") == ["reports.acme.example"]
    assert dmarc.destinations(record, "mail.acme.example") == ["reports.acme.example", "x.example", "notacme.example"]


@pytest.mark.parametrize(
    ("before", "after", "stricter"),
    [
        (None, "v=DMARC1; p=none", False),
        (None, "v=DMARC1; p=none; sp=reject", True),
        ("v=DMARC1; p=none", "v=DMARC1; p=quarantine", True),
        ("v=DMARC1; p=reject", "v=DMARC1; p=quarantine", False),
        ("v=DMARC1; p=reject; sp=none", "v=DMARC1; p=reject", True),
        ("v=DMARC1; p=reject", "v=DMARC1; p=reject; np=none", False),
        ("v=DMARC1; p=none", "v=DMARC1; p=none; np=reject", True),
        ("v=DMARC1; p=QUARANTINE", "v=DMARC1; p=quarantine; sp=quarantine", False),
        ("v=DMARC1; P=quarantine", "v=DMARC1; p=quarantine", False),
        ("v=DMARC1; p=reject; p=reject", "v=DMARC1; p=quarantine", True),
        ("v=DMARC1; p=reject; sp=bad", "v=DMARC1; p=quarantine", True),
    ],
)
def test_a_policy_is_compared_with_the_one_before(before: str | None, after: str, stricter: bool) -> None:
    assert dmarc.is_stricter(dmarc.parse_dmarc(after), dmarc.parse_dmarc(before) if before else None) is stricter


def test_too_many_addresses_are_refused() -> None:
    wish = DmarcWish(rua=tuple(f"mailto:a{number}@acme.example" for number in range(40)))
    (problem,) = dmarc.check_wish(wish)
    assert "40 addresses" in str(problem)
