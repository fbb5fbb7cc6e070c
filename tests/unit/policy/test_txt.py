# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TXT data survives every way in and out, and reads as dnspython reads it."""

from __future__ import annotations

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy import txt
from dns.rdtypes.ANY.TXT import TXT
from hypothesis import example, given
from hypothesis import strategies as st

VALUES = st.binary(max_size=1200).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=700)
SPF = st.lists(st.sampled_from(["include:spf.example", "ip4:192.0.2.1", "mx", "a:é.example"]), min_size=30).map(
    " ".join
)


def dnspython(presentation: str) -> str:
    rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, presentation)
    assert isinstance(rdata, TXT)
    return txt.join(rdata.strings)


@given(VALUES | TEXTS | SPF)
@example("")
@example("\udc80" * 600)
@example('"\\;() \t\r\n\0')
def test_every_value_survives(value: str) -> None:
    assert txt.decode(txt.encode(value)) == value
    assert txt.join(txt.split_strings(value)) == value
    assert dnspython(txt.encode(value)) == value


@given(VALUES | TEXTS | SPF, st.integers(4, 255))
def test_no_string_is_over_its_limit_or_empty(value: str, limit: int) -> None:
    strings = txt.split_strings(value, limit)
    assert all(len(string) <= limit for string in strings)
    assert strings == (b"",) or all(strings)


@given(TEXTS | SPF, st.integers(4, 255))
def test_every_string_of_utf8_is_utf8(value: str, limit: int) -> None:
    assert "".join(string.decode("utf-8") for string in txt.split_strings(value, limit)) == value


@given(SPF, st.integers(60, 255))
def test_terms_are_cut_after_the_space(value: str, limit: int) -> None:
    strings = txt.split_strings(value, limit)
    assert all(string.endswith(b" ") for string in strings[:-1])
    assert [term for string in strings for term in string.decode().split()] == value.split()


@given(st.text(st.sampled_from('ab"\\ \t09123456;()é\x01\x7f'), max_size=24))
@example('"a""b"')
@example('a\\\\b \\"c \\065\\195\\169')
@example("\\")
def test_it_reads_as_dnspython_does(presentation: str) -> None:
    """What is accepted means the same there; what is not is refused, never read as something else."""
    try:
        value = txt.decode(presentation)
    except ValueError:
        return
    assert dnspython(presentation) == value


@pytest.mark.parametrize(
    ("presentation", "value"),
    [
        ('"v=spf1 mx " "-all"', "v=spf1 mx -all"),
        ('"v=spf1 mx" "-all"', "v=spf1 mx-all"),
        ('"a""b"', "ab"),
        ('a"b"c', "abc"),
        ("bare words\tjoin", "barewordsjoin"),
        (r'"say \"hi\" \\ \065"', 'say "hi" \\ A'),
        (r'"\195\169" é', "éé"),
        (r'"\255"', "\udcff"),
        (r"\;\(\)", ";()"),
        ('""', ""),
        ('"v=DMARC1; p=none"', "v=DMARC1; p=none"),
    ],
)
def test_presentation_is_read(presentation: str, value: str) -> None:
    assert txt.decode(presentation) == value


@pytest.mark.parametrize(
    ("presentation", "reason"),
    [
        ('"never closed', "not closed"),
        ('"closed by an escape\\"', "not closed"),
        ('"over\nlines"', "not closed on its line"),
        (r'"\256"', "over 255"),
        (r'"\999"', "over 255"),
        (r'"\12"', "three digits"),
        (r"\7", "three digits"),
        ("ends\\", "backslash at character 5"),
        ("v=DMARC1; p=none", "must stand inside quotes"),
        ("; a comment", "inside quotes"),
        ('( "a" )', "inside quotes"),
        ("a\nb", "at character 2 must stand inside quotes"),
        ("", "no character-string"),
        ("  ", "no character-string"),
        ('"' + "x" * 256 + '"', "256 bytes is too long"),
    ],
)
def test_malformed_text_is_refused_with_the_reason(presentation: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        txt.decode(presentation)


@pytest.mark.parametrize("limit", [0, 3, 256])
def test_a_limit_that_no_string_can_have_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="4 to 255"):
        txt.split_strings("x", limit)


def test_a_surrogate_that_is_no_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        txt.encode("\ud800")


def test_text_is_cut_at_255_bytes_where_no_space_helps() -> None:
    assert [len(string) for string in txt.split_strings("k" * 600)] == [255, 255, 90]
    assert [len(string) for string in txt.split_strings("é" * 200)] == [254, 146]
    assert [len(string) for string in txt.split_strings("early " + "k" * 300)] == [255, 51]
