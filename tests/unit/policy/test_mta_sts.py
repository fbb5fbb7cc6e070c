# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTA-STS records and the hosts that a policy allows: written, read back, and judged by RFC 8461, beside checkdmarc."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy import mta_sts
from ansible_collections.mailroom.erp.plugins.module_utils.policy.mta_sts import MtaStsError, MtaStsPolicy
from ansible_collections.mailroom.erp.tests.unit.policy.tls_strategies import damaged, versioned_records
from checkdmarc.mta_sts import MTASTSError, parse_mta_sts_record
from hypothesis import given
from hypothesis import strategies as st

T = TypeVar("T")

POLICY = MtaStsPolicy("enforce", ("mx1.acme.example", "*.mail.acme.example"), 604800)
ID = mta_sts.policy_id(POLICY)


def attempt(function: Callable[[str], T], text: str) -> T | MtaStsError:
    try:
        return function(text)
    except MtaStsError as error:
        return error


def faults(text: str) -> list[str]:
    return mta_sts.mta_sts_faults(mta_sts.parse_mta_sts(text))


def concerns(text: str) -> list[str]:
    return mta_sts.mta_sts_concerns(mta_sts.parse_mta_sts(text))


def announced(live: str) -> str:
    return mta_sts.mta_sts_record(POLICY, mta_sts.parse_mta_sts(live))


def test_the_record_and_the_policy_stand_at_names_of_their_own() -> None:
    assert mta_sts.mta_sts_name("acme.example") == "_mta-sts.acme.example"
    assert mta_sts.policy_url("acme.example") == "https://mta-sts.acme.example/.well-known/mta-sts.txt"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("v=STSv1; id=1;", True),
        ("v=STSv1;id=1", True),
        ("v=STSv1 \t; id=1", True),
        ("v=STSv1", True),
        ("", False),
        ("v=STSv1 id=1", False),
        ("v=STSv10; id=1", False),
        ("v=STSv2; id=1", False),
        ("v=stsv1; id=1", False),
        ("V=STSv1; id=1", False),
        ("v= STSv1; id=1", False),
        (" v=STSv1; id=1", False),
        ("id=1; v=STSv1", False),
    ],
)
def test_the_version_comes_first_and_is_exact(text: str, found: bool) -> None:
    assert mta_sts.is_mta_sts(text) is found
    assert mta_sts.mta_sts_records(["v=spf1 -all", text, "x"]) == ([text] if found else [])
    if not found:
        with pytest.raises(MtaStsError, match="begins with v=STSv1, exactly so") as caught:
            mta_sts.parse_mta_sts(text)
        assert caught.value.value == text


@pytest.mark.parametrize("part", ["", "id", "=x", "-x=1", "a b=1", "\u00e9=1", "\nid=x"], ids=repr)
def test_what_is_no_list_of_fields_is_refused(part: str) -> None:
    with pytest.raises(MtaStsError, match=r"name=value.*RFC 8461 section 3\.1"):
        mta_sts.parse_mta_sts(f"v=STSv1;{part};id=1")


ANNOUNCED = {
    "v=STSv1; id=20240101;": f"v=STSv1; id={ID};",
    "v=STSv1;x.y-z=1;  id=20240101\t; 9=!": f"v=STSv1;x.y-z=1;  id={ID}\t; 9=!",
    "v=STSv1": f"v=STSv1; id={ID}",
    "v=STSv1;x=1;": f"v=STSv1;x=1; id={ID};",
    "v=STSv1; id=1; id=2": f"v=STSv1; id={ID}; id={ID}",
    f"v=STSv1 ; id={ID}": f"v=STSv1 ; id={ID}",
}


@pytest.mark.parametrize(("live", "after"), ANNOUNCED.items())
def test_a_live_record_gets_the_id_and_everything_else_stays(live: str, after: str) -> None:
    assert announced(live) == after
    assert announced(after) == after


def test_a_new_record_is_sound() -> None:
    record = mta_sts.mta_sts_record(POLICY)
    assert record == f"v=STSv1; id={ID};"
    assert (faults(record), concerns(record)) == ([], [])


FAULTS = {
    "v=STSv1": "there is no id=",
    "v=STSv1;": "there is no id=",
    "v=STSv1; ID=1": "there is no id=",
    "v=STSv1; id=": "1 to 32 letters and digits",
    "v=STSv1; id=2024-01-01": "1 to 32 letters and digits",
    "v=STSv1; id=\u0661": "1 to 32 letters and digits",
    "v=STSv1; id=1\n;": "1 to 32 letters and digits",
    f"v=STSv1; id={'1' * 33}": "1 to 32 letters and digits",
    "v=STSv1; id=1; id=a=b": "visible ASCII",
    "v=STSv1; id = 1": "spaces stand around the =",
    "v=STSv1; id=1; x=a b": "visible ASCII",
    "v=STSv1; id=1; x=a=b": "visible ASCII",
    "v=STSv1; id=1; x=": "visible ASCII",
    f"v=STSv1; id=1; {'x' * 33}=1": "more than 32 characters",
    "v=STSv1; id=1 ": "spaces stand at the end",
}


@pytest.mark.parametrize(("text", "words"), FAULTS.items())
def test_what_makes_senders_ignore_a_record_is_a_fault(text: str, words: str) -> None:
    (fault,) = faults(text)
    assert words in fault
    assert fault.endswith(" (RFC 8461 section 3.1)")
    assert fault.isprintable()


SOUND = [
    "v=STSv1; id=20160831085700Z;",
    "v=STSv1;id=1",
    f"v=STSv1;\tid={'Z' * 32} ; {'9' * 32}=!-:",
    "v=STSv1; x=1; id=1",
    "v=STSv1; id=1; id=a-b",
]


@pytest.mark.parametrize("text", SOUND)
def test_a_sound_record_has_no_fault(text: str) -> None:
    assert faults(text) == []


@pytest.mark.parametrize(
    ("text", "words"), [("v=STSv1 ; id=1", "before the first semicolon"), ("v=STSv1; id=1; id=2", "stands 2 times")]
)
def test_a_record_that_is_not_read_alike_by_all_is_called_out(text: str, words: str) -> None:
    (concern,) = concerns(text)
    assert words in concern
    assert concern.endswith(" (RFC 8461 section 3.1)")


_idents = st.from_regex(r"id=[A-Za-z0-9]{1,32}", fullmatch=True)
records = versioned_records("STSv1", _idents)
_record_noise = st.text(st.sampled_from(" \t;;==id1!.\n\u00e9\x00\udc80-_"), max_size=20)
ABNF = re.compile(r"v=STSv1(?:[ \t]*;[ \t]*[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[!-:<>-~]+)+(?:[ \t]*;[ \t]*)?")


def is_id(value: str) -> bool:
    return 1 <= len(value) <= 32 and value.isascii() and value.isalnum()


@given(st.one_of(records, damaged(records, _record_noise), _record_noise.map("v=STSv1;{}".format), st.text()))
def test_any_record_is_refused_or_written_as_it_was_read_and_judged_by_the_syntax(text: str) -> None:
    record = attempt(mta_sts.parse_mta_sts, text)
    first = re.search(r";[ \t]*id=([^;]*)", text)
    sound = ABNF.fullmatch(text) is not None and first is not None and is_id(first[1].strip(" \t"))
    assert (attempt(faults, text) == []) is sound
    if not isinstance(record, MtaStsError):
        assert str(record) == text
        once = mta_sts.mta_sts_record(POLICY, record)
        assert announced(once) == once
        assert f"id={ID}" in re.sub(r"[ \t]*=[ \t]*", "=", once)


def their_id(text: str) -> str | None:
    try:
        return str(parse_mta_sts_record(text)["tags"]["id"])
    except MTASTSError:
        return None


def our_id(text: str) -> str | None:
    return mta_sts.parse_mta_sts(text).get("id") if attempt(faults, text) == [] else None


@given(records.filter(lambda text: not text.endswith('"')))
def test_checkdmarc_finds_the_same_id(text: str) -> None:
    assert their_id(text) == our_id(text)
    assert our_id(text)


DIFFERENT = {
    # RFC 8461 section 3.1: spaces and tabs stand beside semicolons only, and a line end nowhere.
    "v=STSv1; id=1 ": False,
    "v=STSv1; id=1\n;": False,
    # There also: a quotation mark is a part of a value. checkdmarc takes it off the end.
    'v=STSv1; id=1; x="': True,
}
"""What checkdmarc judges otherwise, with our judgement and what it rests on."""

_alike = [*FAULTS, *SOUND, "v=STSv1;; id=1", "v=STSv2; id=1", "v=stsv1; id=1"]


@pytest.mark.parametrize("text", [text for text in _alike if text not in DIFFERENT])
def test_checkdmarc_judges_records_alike(text: str) -> None:
    assert their_id(text) == our_id(text)


@pytest.mark.parametrize(("text", "sound"), DIFFERENT.items())
def test_checkdmarc_judges_records_otherwise(text: str, sound: bool) -> None:
    assert (our_id(text) is not None) is sound
    assert (their_id(text) is not None) is not sound


@pytest.mark.parametrize(
    ("given_pattern", "pattern"),
    [
        ("mx1.acme.example", "mx1.acme.example"),
        ("MX1.Acme.Example.", "mx1.acme.example"),
        ("*.m\u00fcller.example", "*.xn--mller-kva.example"),
        ("*.acme.example.", "*.acme.example"),
    ],
)
def test_a_pattern_is_made_of_what_a_user_gives(given_pattern: str, pattern: str) -> None:
    assert mta_sts.mx_pattern(given_pattern) == pattern
    assert mta_sts.check_policy(MtaStsPolicy("enforce", (pattern,), 86400)) == []


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "empty label"),
        ("*.", "empty label"),
        ("*", "whole first label"),
        ("mail.*.example", "whole first label"),
        ("*.*.example", "whole first label"),
        ("*mail.example", "whole first label"),
        ("localhost", "two labels"),
        ("*.example", "two labels"),
        ("mx_1.acme.example", "underscore"),
        ("a.example, b.example", "letters, digits"),
        ("a.example\n", "letters, digits"),
        ("https://a.example", "letters, digits"),
        (f"{'x' * 64}.example", "at most 63"),
        (f"{'x.' * 130}example", "at most 253"),
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(MtaStsError, match=words) as caught:
        mta_sts.mx_pattern(pattern)
    assert re.search(r" \(RFC [0-9]+ section [0-9.]+\)$", str(caught.value))
    assert caught.value.value == pattern


@pytest.mark.parametrize(
    ("pattern", "host", "allowed"),
    [
        ("mail.example.com", "mail.example.com", True),
        ("mail.example.com", "MAIL.example.COM.", True),
        ("Mail.Example.com", "mail.example.com", True),
        ("mail.example.com", "a.mail.example.com", False),
        ("mail.example.com", "example.com", False),
        ("*.example.com", "mail.example.com", True),
        ("*.example.com", "mail.example.com.", True),
        ("*.example.com", "mx_1.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", ".example.com", False),
        ("*.example.com", "foo.bar.example.com", False),
        ("*.example.com", "mailexample.com", False),
        ("m\u00fcller.example", "xn--mller-kva.example", True),
        ("*.xn--mller-kva.example", "mx.m\u00fcller.example", True),
        ("*", "com", False),
        ("*.", "com", False),
        ("", "", False),
        ("*.*.com", "a.*.com", False),
        ("a.*.com", "a.*.com", False),
        ("mx*.example.com", "mx1.example.com", False),
        ("mail.example.com", "", False),
        ("mail.example.com", ".", False),
        ("mail.example.com", "xn--\u00fc.example", False),
        ("a.example", "\udcff.example", False),
    ],
)
def test_a_wildcard_stands_for_one_label(pattern: str, host: str, allowed: bool) -> None:
    assert mta_sts.matches_mx(pattern, host) is allowed


def test_hosts_that_senders_would_refuse_are_told() -> None:
    hosts = ["mx2.acme.example", "MX1.acme.example.", "a.mail.acme.example", "a.b.mail.acme.example", "."]
    assert mta_sts.uncovered_mx(POLICY, hosts) == ["mx2.acme.example", "a.b.mail.acme.example"]
    assert mta_sts.uncovered_mx(MtaStsPolicy("testing", POLICY.mx, 1), hosts[:2]) == ["mx2.acme.example"]
    assert mta_sts.uncovered_mx(MtaStsPolicy("none", (), 1), hosts) == []


_labels = st.sampled_from(["a", "b", "xn--mller-kva"])
_hosts = st.lists(_labels, min_size=1, max_size=4).map(".".join)
_patterns = st.builds("{}{}".format, st.sampled_from(["", "*."]), _hosts)
_spelled = st.builds(
    lambda name, dot, upper: (name.upper() if upper else name) + dot, _hosts, st.sampled_from(["", "."]), st.booleans()
)


@given(_patterns, _spelled)
def test_a_pattern_allows_what_it_spells_label_by_label(pattern: str, host: str) -> None:
    wanted, labels = pattern.split("."), host.rstrip(".").lower().split(".")
    pairs = zip(wanted, labels, strict=False)
    same = all(want in (label, "*") for want, label in pairs)
    assert mta_sts.matches_mx(pattern, host) is (len(wanted) == len(labels) and same)


HOST = re.compile(r"(?:\*\.)?(?:(?!-)[A-Za-z0-9-]{1,63}(?<!-)\.)*(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_any_names = st.one_of(st.text(), st.text("*.aA-_\u00e9\u3002\udcff", max_size=9), _patterns)


@given(_any_names, _any_names)
def test_nothing_but_a_pattern_allows_a_host(pattern: str, host: str) -> None:
    """Whatever stands there, nothing is raised; what is no pattern in A-labels allows no host in ASCII."""
    allowed = mta_sts.matches_mx(pattern, host)
    if host.isascii() and not HOST.fullmatch(pattern.removesuffix(".")) and pattern.isascii():
        assert not allowed
