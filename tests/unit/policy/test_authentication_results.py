# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication-Results: real headers of receivers, anything else, and what is believed."""

from __future__ import annotations

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.observation import compare, read_results
from ansible_collections.mailroom.erp.plugins.module_utils.policy.authentication_results import (
    read_authentication_results,
    trusted_results,
)
from hypothesis import given, settings
from hypothesis import strategies as st

GMAIL = """mx.google.com;
       dkim=pass header.i=@acme.example header.s=s1 header.b="ab/c+d==";
       spf=pass (google.com: domain of erp@acme.example designates 192.0.2.1 as permitted sender)
 smtp.mailfrom=erp@acme.example;
       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=acme.example"""
EXCHANGE = """spf=pass (sender IP is 192.0.2.1)
 smtp.mailfrom=acme.example; dkim=none (message not signed)
 header.d=none;dmarc=bestguesspass action=none
 header.from=acme.example;compauth=pass reason=109"""
POSTFIX = "mx.acme.example; spf=Pass (mailfrom) smtp.mailfrom=acme.example (client-ip=192.0.2.1; helo=x; a=b)"
# RFC 8601 appendix B.6 and B.7
COMMENTED = """foo.example.net (foobar) 1 (baz);
    dkim (Because I like it) / 1 (One yay) = (wait for it) fail
      policy (A dot can go here) . (like that) expired
      (this surprised me) = (as I wasn't expecting it) 1362471462"""
NESTED = 'mx (a (b) \\) c) ; spf=fail smtp.mailfrom="odd; user"@a.example reason="a;b=c"'

READ: list[tuple[str, str, list[tuple[str, str, dict[str, str]]]]] = [
    (
        GMAIL,
        "mx.google.com",
        [
            ("dkim", "pass", {"header.i": "@acme.example", "header.s": "s1", "header.b": "ab/c+d=="}),
            ("spf", "pass", {"smtp.mailfrom": "erp@acme.example"}),
            ("dmarc", "pass", {"header.from": "acme.example"}),
        ],
    ),
    (
        EXCHANGE,
        "",
        [
            ("spf", "pass", {"smtp.mailfrom": "acme.example"}),
            ("dkim", "none", {"header.d": "none"}),
            ("dmarc", "bestguesspass", {"header.from": "acme.example"}),
            ("compauth", "pass", {}),
        ],
    ),
    (POSTFIX, "mx.acme.example", [("spf", "pass", {"smtp.mailfrom": "acme.example"})]),
    (COMMENTED, "foo.example.net", [("dkim", "fail", {"policy.expired": "1362471462"})]),
    (NESTED, "mx", [("spf", "fail", {"smtp.mailfrom": '"odd; user"@a.example'})]),
    ("example.org 1; none", "example.org", []),
    ("Example.ORG; spf=Pass", "example.org", [("spf", "pass", {})]),
    ('"mx.example"; spf=pass', "mx.example", [("spf", "pass", {})]),
    ("mx; spf; =pass; dkim=; arc=pass", "mx", [("arc", "pass", {})]),
]


@pytest.mark.parametrize(("value", "authserv_id", "results"), READ, ids=[str(number) for number in range(len(READ))])
def test_headers_of_receivers(value: str, authserv_id: str, results: list[tuple[str, str, dict[str, str]]]) -> None:
    read = read_authentication_results(value)
    assert read is not None and read.authserv_id == authserv_id
    assert [(one.method, one.result, dict(one.properties)) for one in read.results] == results


@pytest.mark.parametrize("value", ["", ";", "(a comment)", "two words; spf=pass", "mx 1 2; spf=pass", "mx x; spf=pass"])
def test_what_is_none_says_nothing(value: str) -> None:
    assert read_authentication_results(value) is None


def test_only_the_declared_server_is_believed() -> None:
    headers = [
        "mx.acme.example; spf=fail smtp.mailfrom=a.example",
        "mx.acme.example; spf=pass; dmarc=fail; dkim=fail; dkim=pass",
        "mx.evil.example; dmarc=pass",
        "MX.acme.example; dmarc=pass",
        "spf=pass",
    ]
    found = [(one.method, one.result) for one in trusted_results(headers, "mx.acme.example")]
    assert found == [("spf", "fail"), ("dmarc", "fail"), ("dkim", "fail"), ("dkim", "pass")]
    assert trusted_results(headers, "acme.example") == []
    assert [one.result for one in trusted_results(headers, "")] == ["pass"]


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet=st.sampled_from('spf=dkim;. ()"\\/1mx-_@\r\n\t\x00é'), max_size=200) | st.text(max_size=300))
def test_anything_is_read_or_says_nothing(value: str) -> None:
    read = read_authentication_results(value)
    if read is not None:
        assert all(one.method.isascii() and one.result.isalpha() for one in read.results)
        assert all(";" not in one.method + one.result for one in read.results)


WORDS = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
BLANKS = st.sampled_from(["", " ", "\r\n ", "\t", " (a comment; spf=pass) ", "(a (b) \\( c)"])


@settings(max_examples=300, deadline=None)
@given(
    server=WORDS,
    results=st.lists(st.tuples(WORDS, st.sampled_from(["pass", "fail", "none"]), WORDS, WORDS), min_size=1, max_size=5),
    data=st.data(),
)
def test_what_is_written_by_the_rules_is_read(
    server: str, results: list[tuple[str, str, str, str]], data: st.DataObject
) -> None:
    def blank() -> str:
        return data.draw(BLANKS)

    text = f"{blank()}{server}{blank()}"
    for method, result, name, value in results:
        signs = [";", method, "=", f"{result} ", "smtp", ".", name, "=", value]
        text += "".join(f"{sign}{blank()}" for sign in signs)
    read = read_authentication_results(text)
    assert read is not None and read.authserv_id == server
    found = [(one.method, one.result, dict(one.properties)) for one in read.results]
    assert found == [(method, result, {f"smtp.{name}": value}) for method, result, name, value in results]


HEADER = f"Received: from x\r\nAuthentication-Results: {GMAIL}\r\nSubject: x\r\n".replace("\n ", "\r\n ").encode()


def test_the_header_of_a_message() -> None:
    results = read_results(HEADER.replace(b"\r\r\n", b"\r\n"), "mx.google.com")
    assert {name: one.result for name, one in results.items()} == {"dkim": "pass", "spf": "pass", "dmarc": "pass"}
    assert read_results(HEADER, "mx.acme.example") == {}


@pytest.mark.parametrize(
    ("verdict", "agrees", "differ"),
    [
        ({"spf": "pass", "dkim": "pass", "dmarc": "pass"}, True, []),
        ({"spf": "fail", "dkim": "pass", "dmarc": "fail"}, False, ["spf", "dmarc"]),
        ({"spf": "unknown", "dkim": "temperror"}, None, []),
        ({}, None, []),
        ({"arc": "pass"}, None, []),
    ],
)
def test_a_verdict_is_compared(verdict: dict[str, str], agrees: bool | None, differ: list[str]) -> None:
    results = read_results(HEADER.replace(b"\r\r\n", b"\r\n"), "mx.google.com")
    found, differences = compare(verdict, results)
    assert (found, [one["method"] for one in differences]) == (agrees, differ)


def test_a_signature_that_did_not_pass_is_a_failed_one() -> None:
    results = read_results(b"Authentication-Results: mx; dkim=permerror; spf=hardfail\r\n", "mx")
    assert compare({"dkim": "fail", "spf": "fail"}, results) == (True, [])
    assert compare({"dkim": "none"}, results)[0] is False
