# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SPF parser: lossless on all it accepts, and exact in what it refuses."""

from __future__ import annotations

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy import spf
from ansible_collections.mailroom.erp.tests.unit.policy.spf_strategies import records
from hypothesis import given
from hypothesis import strategies as st


@given(records())
def test_parsing_and_writing_is_the_identity(text: str) -> None:
    assert str(spf.parse_spf(text)) == text


@given(st.text(max_size=80))
def test_any_text_is_parsed_or_refused_with_a_reason(text: str) -> None:
    try:
        record = spf.parse_spf("v=spf1 " + text)
    except spf.SpfError as error:
        reason = str(error)
    else:
        reason = "" if str(record) == "v=spf1 " + text else "lost"
    assert not reason or "RFC" in reason


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("v=spf1", True),
        ("V=SPF1 a", True),
        ("v=spf1 ", True),
        ("v=spf10 a", False),
        ("v=spf1\ta", False),
        (" v=spf1", False),
        ("spf2.0/pra", False),
    ],
)
def test_what_is_an_spf_record(text: str, found: bool) -> None:
    assert spf.is_spf(text) is found


WRONG_TERMS = {
    "include": "a colon and a domain",
    "include:": "top label",
    "include:localhost": "top label",
    "include:a..example": "empty label",
    "include:.example": "empty label",
    "include:%{x}.example": "begins a macro",
    "include:%d.example": "begins a macro",
    "include:%{d0}.example": "begins a macro",
    "include:%{c}.example": "only in explanations",
    "include:" + "a" * 64 + ".example": "at most 63",
    "include:" + "a.bcd." * 45 + "example": "at most 253",
    "include:x.example/24": "top label",
    "inlcude:x.example": "no mechanism",
    "exists": "a colon and a domain",
    "a:": "top label",
    "a/33": "at most /32",
    "a//129": "at most /32 for IPv4 and //128",
    "a/024": "a colon and a domain",
    "a:x.example:8080": "top label",
    "mx/": "a colon and a domain",
    "ptr/24": "a colon and a domain",
    "ip4": "one IPv4 address",
    "ip4:": "one IPv4 address",
    "ip4:192.0.2.256": "one IPv4 address",
    "ip4:192.0.2": "one IPv4 address",
    "ip4:192.0.2.010": "one IPv4 address",
    "ip4:192.0.2.1/33": "from 0 to 32",
    "ip4:192.0.2.1/": "from 0 to 32",
    "ip4:192.0.2.1/08": "from 0 to 32",
    "ip4:2001:db8::1": "one IPv4 address",
    "ip4:mail.example.nl": "one IPv4 address",
    "ip6:192.0.2.1": "one IPv6 address",
    "ip6:2001:db8::g": "one IPv6 address",
    "ip6:2001:db8::/129": "from 0 to 128",
    "ip6:fe80::1%eth0": "one IPv6 address",
    "all:x": "no argument",
    "redirect=": "top label",
    "exp=%{c}": "only in explanations",
    "x=100%": "a % begins a macro",
    "++a": "a term is a mechanism",
    "a\x07": "no control characters",
    "caf\u00e9:x.example": "visible ASCII",
    "1x=2": "a term is a mechanism",
    "": "not empty",
}


@pytest.mark.parametrize(("raw", "rule"), WRONG_TERMS.items())
def test_a_wrong_term_is_refused_with_its_rule(raw: str, rule: str) -> None:
    with pytest.raises(spf.SpfError, match=rule) as caught:
        spf.parse_term(raw)
    assert caught.value.term == raw
    assert "RFC" in str(caught.value)


def test_modifiers_that_stand_twice_are_refused() -> None:
    with pytest.raises(spf.SpfError, match="at most once"):
        spf.parse_spf("v=spf1 redirect=a.example redirect=b.example")


@pytest.mark.parametrize(
    ("text", "live"),
    [
        ("v=spf1 a -all mx", ["a", "-all"]),
        ("v=spf1 redirect=b.example a ~all", ["a", "~all"]),
        ("v=spf1 a redirect=b.example", ["a", "redirect=b.example"]),
        ("v=spf1 ~all exp=x.example -all", ["~all", "exp=x.example"]),
    ],
)
def test_what_a_receiver_tests(text: str, live: list[str]) -> None:
    assert [term.raw for term in spf.effective(spf.parse_spf(text).terms)] == live


@pytest.mark.parametrize(
    ("spec", "canonical"),
    [("Example.NL.", "example.nl"), ("%{D}.X.nl", "%{D}.x.nl"), ("%{d}.%%.X.nl.", "%{d}.%%.x.nl")],
)
def test_equal_domains_have_one_form(spec: str, canonical: str) -> None:
    assert spf.canonical_domain(spec) == canonical
