# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLSRPT records: merged without loss, and judged by RFC 8460 section 3, beside checkdmarc."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy import tls_rpt
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tls_rpt import TlsRptError, TlsRptWish
from ansible_collections.mailroom.erp.tests.unit.policy.tls_strategies import damaged, gaps, versioned_records
from checkdmarc.smtp_tls_reporting import SMTPTLSReportingError, parse_smtp_tls_reporting_record
from hypothesis import example, given
from hypothesis import strategies as st

T = TypeVar("T")

SOURCE = re.compile(r" \(RFC [0-9]+( section [0-9.]+)?\)$")
A, B, WEB = "mailto:a@acme.example", "mailto:b@acme.example", "https://acme.example/Reports"
NEW = f"v=TLSRPTv1; rua={A}"


def merged(text: str | None, wish: TlsRptWish) -> str:
    return str(tls_rpt.merge_tls_rpt(tls_rpt.parse_tls_rpt(text) if text is not None else None, wish))


def attempt(function: Callable[[str], T], text: str) -> T | TlsRptError:
    try:
        return function(text)
    except TlsRptError as error:
        return error


def faults(text: str) -> list[str]:
    return tls_rpt.tls_rpt_faults(tls_rpt.parse_tls_rpt(text))


def concerns(text: str) -> list[str]:
    return tls_rpt.tls_rpt_concerns(tls_rpt.parse_tls_rpt(text))


def uris(text: str) -> list[str]:
    return tls_rpt.tls_report_uris(tls_rpt.parse_tls_rpt(text))


def exclusive(*rua: str) -> TlsRptWish:
    return TlsRptWish(rua, exclusive=True)


MERGES = [
    (None, TlsRptWish((A,)), NEW),
    (None, TlsRptWish((A, WEB)), f"v=TLSRPTv1; rua={A},{WEB}"),
    (None, TlsRptWish((A, A.upper(), B)), f"v=TLSRPTv1; rua={A},{B}"),
    (None, TlsRptWish(), "v=TLSRPTv1"),
    (NEW, TlsRptWish((A,)), NEW),
    (NEW, TlsRptWish((B,)), f"{NEW},{B}"),
    (NEW, TlsRptWish(), NEW),
    ("v=TLSRPTv1", TlsRptWish((A,)), NEW),
    ("v=TLSRPTv1;", TlsRptWish((A,)), f"{NEW};"),
    ("v=TLSRPTv1; rua=;", TlsRptWish((A,)), f"{NEW};"),
    ("v=TLSRPTv1;x.y-z=1 ;", TlsRptWish((A,)), f"{NEW};x.y-z=1 ;"),
    (f"v=TLSRPTv1;x=1;\trua={B} , {WEB}; 9=!", TlsRptWish((A,)), f"v=TLSRPTv1;x=1;\trua={B} , {WEB},{A}; 9=!"),
    (f"v=TLSRPTv1; rua={B}; rua={A}", TlsRptWish((A, WEB)), f"v=TLSRPTv1; rua={B},{WEB}; rua={A}"),
    ("v=TLSRPTv1; rua=MAILTO:A@Acme.Example", TlsRptWish((A,)), "v=TLSRPTv1; rua=MAILTO:A@Acme.Example"),
    ("v=TLSRPTv1; rua=mailto:%61@acme.example", TlsRptWish((A,)), "v=TLSRPTv1; rua=mailto:%61@acme.example"),
    (
        "v=TLSRPTv1; rua=HTTPS://ACME.example/Reports",
        TlsRptWish((WEB,)),
        "v=TLSRPTv1; rua=HTTPS://ACME.example/Reports",
    ),
    (f"v=TLSRPTv1; rua={WEB.lower()}", TlsRptWish((WEB,)), f"v=TLSRPTv1; rua={WEB.lower()},{WEB}"),
    ("v=TLSRPTv1; rua=a@acme.example", TlsRptWish((A,)), f"v=TLSRPTv1; rua=a@acme.example,{A}"),
    (f"v=TLSRPTv1; rua={A},{B}; x=1;", exclusive(B), f"v=TLSRPTv1; rua={B};"),
    (f"v=TLSRPTv1; rua={A} ,  {B}; x=1", exclusive(B, A), f"v=TLSRPTv1; rua={A} ,  {B}"),
    (f"v=TLSRPTv1; rua={A}; rua={B}", exclusive(B), f"v=TLSRPTv1; rua={B}"),
    (f"v=TLSRPTv1; x=1; rua=a@acme.example,http://x.example,{B}", exclusive(A), NEW),
    (NEW, exclusive(), "v=TLSRPTv1"),
]


@pytest.mark.parametrize(("before", "wish", "after"), MERGES)
def test_what_is_wanted_is_there_and_everything_else_stays(before: str | None, wish: TlsRptWish, after: str) -> None:
    assert merged(before, wish) == after
    assert merged(after, wish) == after


def test_the_record_stands_at_a_name_of_its_own() -> None:
    assert tls_rpt.tls_rpt_name("acme.example") == "_smtp._tls.acme.example"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (NEW, True),
        ("v=TLSRPTv1;rua=x", True),
        ("v=TLSRPTv1 \t; rua=x", True),
        ("v=TLSRPTv1", True),
        ("v=TLSRPTv1;", True),
        ("", False),
        ("v=TLSRPTv1 rua=x", False),
        ("v=TLSRPTv10; rua=x", False),
        ("v=TLSRPTv2; rua=x", False),
        ("v=tlsrptv1; rua=x", False),
        ("V=TLSRPTv1; rua=x", False),
        ("v =TLSRPTv1; rua=x", False),
        (" v=TLSRPTv1; rua=x", False),
        ("v=TLSRPTv1\n; rua=x", False),
        ("rua=x; v=TLSRPTv1", False),
        ('"v=TLSRPTv1; rua=x"', False),
    ],
)
def test_the_version_comes_first_and_is_exact(text: str, found: bool) -> None:
    assert tls_rpt.is_tls_rpt(text) is found
    assert tls_rpt.tls_rpt_records(["v=spf1 -all", text, "x"]) == ([text] if found else [])
    if not found:
        with pytest.raises(TlsRptError, match="begins with v=TLSRPTv1, exactly so") as caught:
            tls_rpt.parse_tls_rpt(text)
        assert caught.value.value == text


@pytest.mark.parametrize("part", ["", "rua", "=x", "-x=1", "_x=1", "a b=1", "\u00e9=1", "rua:x", "\nrua=x"], ids=repr)
def test_what_is_no_list_of_fields_is_refused(part: str) -> None:
    with pytest.raises(TlsRptError, match=r"name=value.*RFC 8460 section 3"):
        tls_rpt.parse_tls_rpt(f"v=TLSRPTv1;{part};{NEW}")


def test_no_line_end_stands_behind_the_last_semicolon() -> None:
    with pytest.raises(TlsRptError, match="name=value"):
        tls_rpt.parse_tls_rpt(f"{NEW};\n")


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        ("a@acme.example", A),
        ("mailto:a@acme.example", A),
        ("MAILTO:a@ACME.example.", A),
        ("A.b+tag@m\u00fcller.example", "mailto:A.b+tag@xn--mller-kva.example"),
        ("a!b@acme.example", "mailto:a%21b@acme.example"),
        ("mailto:a!b@acme.example", "mailto:a%21b@acme.example"),
        ("mailto:a%21b@acme.example", "mailto:a%21b@acme.example"),
        ("mailto:a%2bb@m%C3%BCller.example", "mailto:a+b@xn--mller-kva.example"),
        ("a%b/c?d#e&f=g@acme.example", "mailto:a%25b%2Fc%3Fd%23e%26f%3Dg@acme.example"),
        ("a^`{|}~_-'*$@acme.example", "mailto:a%5E%60%7B%7C%7D~_-'*$@acme.example"),
        ("https://acme.example", "https://acme.example"),
        ("HTTPS://M\u00fcller.Example.:8443/V1?a=B#c", "https://xn--mller-kva.example:8443/V1?a=B#c"),
        ("https://acme.example/a,b;c!d%2c", "https://acme.example/a%2Cb%3Bc%21d%2c"),
        ("https://acme.example?q=1", "https://acme.example?q=1"),
    ],
)
def test_a_report_address_becomes_a_uri(address: str, uri: str) -> None:
    assert tls_rpt.tls_report_uri(address) == uri
    assert tls_rpt.tls_report_uri(uri) == uri
    assert faults(f"v=TLSRPTv1; rua={uri}") == []


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "name@domain"),
        ("mailto:", "name@domain"),
        ("acme.example", "name@domain"),
        ("@acme.example", "name@domain"),
        ("a b@acme.example", "name@domain"),
        ("Reports <a@acme.example>", "name@domain"),
        ("a,b@acme.example", "name@domain"),
        ("mailto:a%2Cb@acme.example", "name@domain"),
        ("a@acme.example,b@acme.example", "name@domain"),
        ("a@acme.example!10m", "letters, digits"),
        ("mailto:a@acme.example?subject=x", "letters, digits"),
        ("a@acme.example ", "letters, digits"),
        ("a@localhost", "two labels"),
        ("a@acme..example", "empty label"),
        ("a@", "empty label"),
        ("a@b_c.example", "underscore"),
        ("a@xn--\u00fc.example", "internationalised"),
        ("a" * 65 + "@acme.example", "64 bytes"),
        ("mailto:a%zz@acme.example", "two hexadecimal digits"),
        ("http://acme.example/reports", "nowhere else"),
        ("ftp:a@acme.example", "nowhere else"),
        (":a@acme.example", "nowhere else"),
        ("https:", "https://host/path"),
        ("https://", "https://host/path"),
        ("https:///reports", "https://host/path"),
        ("https:acme.example", "https://host/path"),
        ("https://user@acme.example/", "https://host/path"),
        ("https://[2001:db8::1]/", "https://host/path"),
        ("https://acme.example:/", "https://host/path"),
        ("https://acme.example/a b", "https://host/path"),
        ("https://acme.example/\u00e9", "https://host/path"),
        ("https://acme.example/%zz", "https://host/path"),
        ("https://acme.example/#a#b", "https://host/path"),
        ("https://acme.example/[", "https://host/path"),
        ("https://acme.example\n", "letters, digits"),
        ("https://acme,example/", "letters, digits"),
        ("https://localhost/", "two labels"),
    ],
)
def test_what_is_no_report_address_is_refused(address: str, words: str) -> None:
    with pytest.raises(TlsRptError, match=words) as caught:
        tls_rpt.tls_report_uri(address)
    assert SOURCE.search(str(caught.value))
    assert caught.value.value == address


FAULTS = {
    "v=TLSRPTv1": "there is no rua=",
    "v=TLSRPTv1;": "there is no rua=",
    f"v=TLSRPTv1; RUA={A}": "there is no rua=",
    "v=TLSRPTv1; rua=": "is empty",
    f"{NEW},": "is empty",
    f"{NEW},http://acme.example": "neither a mailto: nor an https:",
    "v=TLSRPTv1; rua=a@acme.example": "neither a mailto: nor an https:",
    f"{NEW}!10m": "exclamation mark",
    f"{WEB}/!".join(["v=TLSRPTv1; rua=", ""]): "exclamation mark",
    "v=TLSRPTv1; rua=mailto:": "names no mailbox",
    "v=TLSRPTv1; rua=mailto:acme.example": "names no mailbox",
    "v=TLSRPTv1; rua=mailto:a b@acme.example": "names no mailbox",
    "v=TLSRPTv1; rua=mailto:.a@acme.example": "names no mailbox",
    "v=TLSRPTv1; rua=mailto:a@m\u00fcller.example": "names no mailbox",
    "v=TLSRPTv1; rua=https:///x": "names no mailbox or web server",
    "v=TLSRPTv1; rua=https://acme.example/%": "names no mailbox or web server",
    f"{NEW}\n": "names no mailbox or web server",
    f"v=TLSRPTv1; rua = {A}": "spaces stand around the =",
    f"v=TLSRPTv1; rua= {A}": "spaces stand around the =",
    f"{NEW} ": "spaces stand at the end",
    f"{NEW}; x=": "visible ASCII",
    f"{NEW}; x=a b": "visible ASCII",
    f"{NEW}; x=a=b": "visible ASCII",
    f"{NEW}; x=\u00e9": "visible ASCII",
    f"{NEW}; x=1\x00": "visible ASCII",
    f"{NEW}; {'x' * 33}=1": "more than 32 characters",
}


@pytest.mark.parametrize(("text", "words"), FAULTS.items())
def test_what_makes_senders_ignore_a_record_is_a_fault(text: str, words: str) -> None:
    (fault,) = faults(text)
    assert words in fault
    assert fault.endswith(" (RFC 8460 section 3)")
    assert fault.isprintable()


SOUND = [
    NEW,
    f"v=TLSRPTv1;rua={WEB}",
    f"v=TLSRPTv1;\trua={A},{WEB} ;",
    f"{NEW}; rua={WEB}",
    f"v=TLSRPTv1 ; rua={A} , {WEB} ; {'9' * 32}=! ; x.y_z-=:",
    "v=TLSRPTv1; rua=https://[2001:db8::1]:8443/x?y=z&%2C",
    "v=TLSRPTv1; rua=MailTo:a%21b@localhost",
    f"{NEW}; v=TLSRPTv2",
]


@pytest.mark.parametrize("text", SOUND)
def test_a_sound_record_has_no_fault(text: str) -> None:
    assert faults(text) == []


CONCERNS = {
    f"v=TLSRPTv1 ; rua={A}": "before the first semicolon",
    f"{NEW}; rua={B}": "rua= stands 2 times",
    f"v=TLSRPTv1; x=1; rua={A}": "not right behind the version",
    f"{NEW} ,{B}": "beside a comma",
    f"{NEW}, {B}": "beside a comma",
}


@pytest.mark.parametrize(("text", "words"), CONCERNS.items())
def test_what_is_valid_but_not_read_by_all_is_called_out(text: str, words: str) -> None:
    assert faults(text) == []
    (concern,) = concerns(text)
    assert words in concern
    assert concern.endswith(" (RFC 8460 section 3)")


def test_a_new_record_raises_no_concern() -> None:
    assert concerns(merged(None, TlsRptWish((A, WEB)))) == []


_uris = st.sampled_from([A, B, WEB, "https://x.example/", "mailto:a%21b@x.example"])


@st.composite
def rua_fields(draw: st.DrawFn) -> str:
    text = draw(_uris)
    for uri in draw(st.lists(_uris, max_size=2)):
        text += f"{draw(gaps)},{draw(gaps)}{uri}"
    return f"rua={text}"


records = versioned_records("TLSRPTv1", rua_fields())
_broken = st.text(st.sampled_from(" \t;;==,rua:x!@.%9\n\u00e9\x00\udc80-_"), max_size=30)
any_record = st.one_of(records, damaged(records, _broken), _broken.map("v=TLSRPTv1;{}".format), st.text())


@given(records)
def test_a_record_by_the_syntax_is_sound_and_written_as_it_was_read(text: str) -> None:
    assert str(tls_rpt.parse_tls_rpt(text)) == text
    assert faults(text) == []


@given(any_record)
def test_any_text_is_refused_or_written_as_it_was_read(text: str) -> None:
    record = attempt(tls_rpt.parse_tls_rpt, text)
    if isinstance(record, TlsRptError):
        assert str(record).endswith(" (RFC 8460 section 3)")
        return
    assert str(record) == text
    assert tls_rpt.is_tls_rpt(text)
    assert all(sentence.isprintable() for sentence in [*faults(text), *concerns(text)])


ABNF = re.compile(
    r"v=TLSRPTv1(?:[ \t]*;[ \t]*"
    r"(?:rua=[!-:<-~](?:[ \t!-:<-~]*[!-:<-~])?|(?!rua=)[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[!-:<>-~]+))+"
    r"(?:[ \t]*;[ \t]*)?"
)
"""The syntax of RFC 8460 section 3, but for the URIs."""

UNRESERVED = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")


def is_usable(uri: str) -> bool:
    """A mailbox or a web server, told by cutting instead of by a pattern."""
    plain = re.sub("%[0-9A-Fa-f]{2}", "x", uri)
    scheme, _colon, rest = plain.partition(":")
    path, *fragments = rest.split("#")
    if not set("".join([path, *fragments])) <= UNRESERVED | set("$&'()*+=:@/?[]") or len(fragments) > 1:
        return False
    if scheme.lower() == "mailto":
        local, _at, domain = path.partition("?")[0].partition("@")
        good = UNRESERVED | set("$&'*+=")
        return not fragments and all([*local.split("."), *domain.split(".")]) and set(local) <= good and is_host(domain)
    host = path.removeprefix("//").replace("?", "/").partition("/")[0]
    name, _colon, port = host.partition(":")
    port_is_good = port.isdigit() and len(port) < 6 if ":" in host else True
    is_web = scheme.lower() == "https" and path.startswith("//") and port_is_good and "[" not in path
    return is_web and is_host(name.replace("_", "x").removesuffix("."))


def is_host(name: str) -> bool:
    return all(label and set(label) <= UNRESERVED - set("._~") for label in name.split("."))


@given(any_record)
def test_sound_is_what_the_syntax_says(text: str) -> None:
    values = re.findall(r";[ \t]*rua=([^;]*)", text)
    there = [uri.strip(" \t") for value in values for uri in value.split(",")]
    sound = ABNF.fullmatch(text) is not None and bool(there) and all(map(is_usable, there))
    assert (attempt(faults, text) == []) is sound


@given(st.one_of(st.none(), any_record.filter(tls_rpt.is_tls_rpt)), st.booleans(), st.lists(_uris, max_size=3))
def test_merging_twice_is_merging_once_and_nothing_is_lost(text: str | None, alone: bool, rua: list[str]) -> None:
    """Not a word of the record but its rua changes, and what was in that stays in front."""
    wish = TlsRptWish(tuple(rua), exclusive=alone)
    before = attempt(tls_rpt.parse_tls_rpt, text) if text is not None else None
    if isinstance(before, TlsRptError):
        return
    once = str(tls_rpt.merge_tls_rpt(before, wish))
    after = tls_rpt.parse_tls_rpt(once)
    assert merged(once, wish) == once
    there = tls_rpt.tls_report_uris(after)
    assert {uri.lower() for uri in rua} <= {uri.lower() for uri in there}
    if alone:
        assert {uri.lower() for uri in there} == {uri.lower() for uri in rua}
        assert {tag.name for tag in after} <= {"v", "rua"}
    elif before is not None:
        others = [tag for tag in before if tag.name != "rua"]
        assert [tag for tag in after if tag.name != "rua"] == others
        assert tls_rpt.tls_report_uris(before) == [uri for uri in there if uri in tls_rpt.tls_report_uris(before)]


_addresses = st.one_of(
    st.text(),
    st.builds("{}{}@{}".format, st.sampled_from(["", "mailto:", "MAILTO:"]), st.text(max_size=8), st.text(max_size=8)),
    st.builds(
        "{}{}@acme.example".format,
        st.sampled_from(["", "mailto:"]),
        st.from_regex(r"[a-z!#-'*+/=?^_`{|}~%2.-]{1,8}", fullmatch=True),
    ),
    st.builds("https://acme.example{}".format, st.from_regex(r"[a-z!,;%2C/?#:@9 \u00e9-]{0,9}", fullmatch=True)),
    st.builds("https://{}/x".format, st.text(max_size=8)),
)


@given(_addresses)
@example("mailto:%ff@acme.example")
@example("a@\udcff.example")
@example("https://\udcff.example/")
@example("http\u017f://acme.example")
def test_any_text_is_refused_or_becomes_a_uri_that_is_sound(address: str) -> None:
    uri = attempt(tls_rpt.tls_report_uri, address)
    if isinstance(uri, TlsRptError):
        assert SOURCE.search(str(uri))
        return
    assert tls_rpt.tls_report_uri(uri) == uri
    assert faults(f"v=TLSRPTv1; rua={uri}") == []
    assert set(uri).isdisjoint(",!; ")
    assert uri.isascii()


def theirs(text: str) -> list[str] | None:
    """The report URIs that checkdmarc finds, None when it refuses the record."""
    try:
        found = parse_smtp_tls_reporting_record(text)["tags"]["rua"]["value"]
    except SMTPTLSReportingError:
        return None
    return list(found)


def ours(text: str) -> list[str] | None:
    return uris(text) if attempt(faults, text) == [] else None


@given(records.filter(lambda text: not text.endswith('"')))
def test_checkdmarc_finds_the_same_uris(text: str) -> None:
    assert theirs(text) == ours(text)
    assert ours(text)


@given(_addresses)
def test_checkdmarc_accepts_the_uris_that_we_make(address: str) -> None:
    uri = attempt(tls_rpt.tls_report_uri, address)
    assert isinstance(uri, TlsRptError) or "_" in uri or theirs(f"v=TLSRPTv1; rua={uri}") == [uri]


DIFFERENT = {
    # RFC 8460 section 3: nothing stands before the version, and behind the last field stands a semicolon or nothing.
    f" {NEW}": False,
    f"{NEW} ": False,
    f"{NEW}\n": False,
    # There also: a quotation mark is a part of a value. checkdmarc takes it off the end.
    f'{NEW}; x="': True,
    # RFC 3986 section 3.2.2 and 3.5, RFC 6068 section 2: such URIs may be.
    "v=TLSRPTv1; rua=mailto:a@acme.example?subject=x": True,
    "v=TLSRPTv1; rua=https://a_b.acme.example/": True,
    "v=TLSRPTv1; rua=https://acme.example./": True,
}
"""What checkdmarc judges otherwise, with our judgement and what it rests on."""

_alike = [*FAULTS, *SOUND, *CONCERNS, "v=TLSRPTv1;; rua=x", "v=TLSRPTv1; rua", "v=TLSRPTv2; rua=x", "v=tlsrptv1; rua=x"]


@pytest.mark.parametrize("text", [text for text in _alike if text not in DIFFERENT])
def test_checkdmarc_judges_the_same(text: str) -> None:
    assert theirs(text) == ours(text)


@pytest.mark.parametrize(("text", "sound"), DIFFERENT.items())
def test_checkdmarc_judges_otherwise(text: str, sound: bool) -> None:
    assert (ours(text) is not None) is sound
    assert (theirs(text) is not None) is not sound
