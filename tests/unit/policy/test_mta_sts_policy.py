# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTA-STS policies: written, read back, and judged by RFC 8461 section 3.2, beside checkdmarc."""

from __future__ import annotations

import hashlib
import re

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy import mta_sts
from ansible_collections.mailroom.erp.plugins.module_utils.policy.mta_sts import MtaStsError, MtaStsPolicy
from ansible_collections.mailroom.erp.tests.unit.policy.tls_strategies import damaged, gaps, names
from checkdmarc.mta_sts import MTASTSError, parse_mta_sts_policy
from hypothesis import example, given
from hypothesis import strategies as st

SOURCE = " (RFC 8461 section 3.2)"
POLICY = MtaStsPolicy("enforce", ("mx1.acme.example", "*.mail.acme.example"), 604800)
TEXT = "version: STSv1\r\nmode: enforce\r\nmx: mx1.acme.example\r\nmx: *.mail.acme.example\r\nmax_age: 604800\r\n"
ID = hashlib.sha256(TEXT.encode()).hexdigest()[:32]


def our_policy(text: str) -> MtaStsPolicy | None:
    """What we read, None when we refuse the policy, as it must be: with a rule and its source."""
    try:
        return mta_sts.parse_policy(text)
    except MtaStsError as error:
        return None if str(error).endswith(SOURCE) else MtaStsPolicy("a rule without its source", (), -1)


def test_a_policy_is_written_as_the_rfc_shows_it() -> None:
    assert mta_sts.policy_text(POLICY) == TEXT
    assert mta_sts.policy_text(MtaStsPolicy("none", (), 0)) == "version: STSv1\r\nmode: none\r\nmax_age: 0\r\n"
    assert mta_sts.parse_policy(TEXT) == POLICY
    assert mta_sts.policy_id(POLICY) == ID


REST = "mx: a.example\nmax_age: 1\n"
GOOD = {
    "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1": "enforce a.example 1",
    "version:STSv1\r\nmode:\ttesting \t\r\nmx:  *.A.Example\nmax_age: 0000000001\r\n": "testing *.a.example 1",
    "max_age: 31557600\nmx: a\nmx: b\nmode: testing\nversion: STSv1\n": "testing a,b 31557600",
    "version: STSv1\nmode: none\nmax_age: 0\n": "none  0",
    f"version: STSv1\nmode: none\n{REST}": "none a.example 1",
    f"version: STSv1\nversion: STSv2\nmode: enforce\nmode: none\n{REST}max_age: x": "enforce a.example 1",
    f"version: STSv1\nmode: enforce\n{REST}9.x_y-z: a b:c=d; \u00e9\U0001f600\nMX: !\nMode: x": "enforce a.example 1",
    f"version: STSv1\nmode: enforce\n{REST}{'x' * 32}: 1": "enforce a.example 1",
    f"version: STSv1\nmode: enforce\n{REST}mx: {'x' * 63}.xn--mller-kva.example": "enforce a.example,"
    + "x" * 63
    + ".xn--mller-kva.example 1",
}


@pytest.mark.parametrize(("text", "policy"), GOOD.items())
def test_a_valid_policy_is_read(text: str, policy: str) -> None:
    found = mta_sts.parse_policy(text)
    assert f"{found.mode} {','.join(found.mx)} {found.max_age}" == policy


BAD = {
    "": "no version:",
    "\n": "each line",
    f"mode: enforce\n{REST}": "no version:",
    f"Version: STSv1\nmode: enforce\n{REST}": "no version:",
    f"version: STSv1\n{REST}": "no mode:",
    "version: STSv1\nmode: none\n": "no max_age:",
    f"version: STSv2\nmode: enforce\n{REST}": "version: is STSv1",
    f"version: stsv1\nmode: enforce\n{REST}": "version: is STSv1",
    f"version: STSv2\nversion: STSv1\nmode: enforce\n{REST}": "version: is STSv1",
    f"version: STSv1\nmode: report\n{REST}": "mode: is one of",
    f"version: STSv1\nmode: Enforce\n{REST}": "mode: is one of",
    "version: STSv1\nmode: enforce\nmax_age: 1\n": "at least one mx:",
    "version: STSv1\nmode: testing\nmax_age: 1\n": "at least one mx:",
    "version: STSv1\nmode: none\nmax_age: 31557601\n": "0 to 31557600",
    "version: STSv1\nmode: none\nmax_age: -1\n": "number of seconds",
    "version: STSv1\nmode: none\nmax_age: +1\n": "number of seconds",
    "version: STSv1\nmode: none\nmax_age: 1_0\n": "number of seconds",
    "version: STSv1\nmode: none\nmax_age: 1 day\n": "number of seconds",
    "version: STSv1\nmode: none\nmax_age: \u0661\n": "number of seconds",
    "version: STSv1\nmode: none\nmax_age: 00000000001\n": "number of seconds",
    f"version: STSv1\nmode: enforce\n{REST}mx: *": "in A-labels",
    f"version: STSv1\nmode: enforce\n{REST}mx: a.*.example": "in A-labels",
    f"version: STSv1\nmode: enforce\n{REST}mx: *a.example": "in A-labels",
    f"version: STSv1\nmode: enforce\n{REST}mx: *.*.example": "in A-labels",
    f"version: STSv1\nmode: enforce\n{REST}mx: .a.example": "in A-labels",
    f"version: STSv1\nmode: enforce\n{REST}mx: a.example.": "in A-labels",
    f"version: STSv1\nmode: enforce\n{REST}mx: a_b.example": "in A-labels",
    f"version: STSv1\nmode: enforce\n{REST}mx: -a.example": "in A-labels",
    f"version: STSv1\nmode: enforce\n{REST}mx: a b.example": "in A-labels",
    f"version: STSv1\nmode: enforce\n{REST}mx: a.example, b.example": "in A-labels",
    f"version: STSv1\nmode: enforce\n{REST}mx: m\u00fcller.example": "in A-labels",
    f"version: STSv1\nmode: enforce\n{REST}mx: \u212a.example": "in A-labels",
    f"version: STSv1\nmode: enforce\n{REST}mx: [192.0.2.1]": "in A-labels",
    f"version: STSv1\nmode: enforce\n{REST}mx: {'x' * 64}.example": "in A-labels",
    f"version: STSv1\nmode: enforce\n{REST}mx:": "each line",
    f"version: STSv1\nmode: enforce\n{REST}x:": "each line",
    f"version: STSv1\nmode: enforce\n{REST}x": "each line",
    f"version: STSv1\nmode: enforce\n{REST}x : 1": "each line",
    f"version: STSv1\nmode: enforce\n{REST} x: 1": "each line",
    f"version: STSv1\nmode: enforce\n{REST}_x: 1": "each line",
    f"version: STSv1\nmode: enforce\n{REST}{'x' * 33}: 1": "each line",
    f"version: STSv1\nmode: enforce\n{REST}x: a\x7f": "each line",
    f"version: STSv1\nmode: enforce\n{REST}x: a\tb": "each line",
    f"version: STSv1\nmode: enforce\n{REST}x: \udce9": "each line",
    f"version: STSv1\nmode: enforce\n{REST}\n": "each line",
    f"version: STSv1\n\nmode: enforce\n{REST}": "each line",
    f"version: STSv1\rmode: enforce\r{REST}": "each line",
    f"version: STSv1\r\r\nmode: enforce\n{REST}": "each line",
    f"version: STSv1\nmode: enforce\n{REST}x: 1\r": "each line",
    f"\ufeffversion: STSv1\nmode: enforce\n{REST}": "each line",
    "version: STSv1; mode: enforce; mx: a.example; max_age: 1": "no mode:",
    "<html>\n": "each line",
}


@pytest.mark.parametrize(("text", "words"), BAD.items())
def test_what_is_no_policy_is_refused(text: str, words: str) -> None:
    with pytest.raises(MtaStsError, match=re.escape(words)) as caught:
        mta_sts.parse_policy(text)
    assert str(caught.value).endswith(SOURCE)
    assert caught.value.value in text


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (MtaStsPolicy("strict", ("a.example",), 1), ["mode: is one of testing, enforce, none"]),
        (MtaStsPolicy("enforce", (), 1), ["at least one mx:"]),
        (MtaStsPolicy("testing", (), 1), ["at least one mx:"]),
        (MtaStsPolicy("none", (), 1), []),
        (MtaStsPolicy("none", ("a b",), -1), ["0 to 31557600", "A-labels"]),
        (MtaStsPolicy("enforce", ("a.example", "x\nmode: none", ""), 31557601), ["0 to", "A-labels", "A-labels"]),
        (MtaStsPolicy("testing", ("a.example",), 31557600), []),
    ],
)
def test_every_rule_that_a_policy_breaks_is_told(policy: MtaStsPolicy, words: list[str]) -> None:
    problems = mta_sts.check_policy(policy)
    assert len(problems) == len(words)
    for problem, word in zip(problems, words, strict=True):
        assert word in str(problem)
        assert str(problem).endswith(SOURCE)


@pytest.mark.parametrize(
    ("mode", "max_age", "count"), [("enforce", 86399, 1), ("enforce", 86400, 0), ("testing", 0, 0), ("none", 60, 0)]
)
def test_a_policy_that_is_kept_too_short_to_protect_is_called_out(mode: str, max_age: int, count: int) -> None:
    found = mta_sts.policy_concerns(MtaStsPolicy(mode, ("a.example",), max_age))
    assert len(found) == count
    assert all(f"max_age: {max_age} " in concern and concern.endswith(SOURCE) for concern in found)


_labels = st.sampled_from(["a", "b", "mx1", "xn--mller-kva", "x" * 63, "0"])
_hosts = st.lists(_labels, min_size=1, max_size=4).map(".".join)
_patterns = st.builds("{}{}".format, st.sampled_from(["", "*."]), _hosts)
_ages = st.one_of(st.integers(0, 31557600), st.sampled_from([0, 86400, 604800, 31557600]))
_policies = st.builds(
    MtaStsPolicy, st.sampled_from(mta_sts.STS_MODES), st.lists(_patterns, min_size=1, max_size=4).map(tuple), _ages
)


@given(_policies)
def test_a_policy_is_read_as_it_was_written(policy: MtaStsPolicy) -> None:
    text = mta_sts.policy_text(policy)
    assert mta_sts.check_policy(policy) == []
    assert text.isascii()
    assert text.count("\n") == text.count("\r\n") == 3 + len(policy.mx)
    assert mta_sts.parse_policy(text) == mta_sts.parse_policy(text.replace("\r", "")) == policy


_any_policies = st.builds(
    MtaStsPolicy,
    st.one_of(st.sampled_from(mta_sts.STS_MODES), st.text(max_size=3)),
    st.lists(st.one_of(_patterns, st.text("*.aZ-_\n: \u212a", max_size=6)), max_size=3).map(tuple),
    st.integers(-2, 31557602),
)


@given(_any_policies)
def test_what_is_found_right_is_what_can_be_read(policy: MtaStsPolicy) -> None:
    sound = mta_sts.check_policy(policy) == []
    found = our_policy(mta_sts.policy_text(policy))
    lower = MtaStsPolicy(policy.mode, tuple(pattern.lower() for pattern in policy.mx), policy.max_age)
    assert (found == lower) is sound


_few_policies = st.builds(
    MtaStsPolicy,
    st.sampled_from(mta_sts.STS_MODES),
    st.lists(st.sampled_from(["a.example", "b.example", "*.a.example"]), min_size=1, max_size=3).map(tuple),
    st.sampled_from([0, 1, 11]),
)


@given(_few_policies, _few_policies)
def test_the_id_tells_policies_apart_by_their_content_alone(one: MtaStsPolicy, other: MtaStsPolicy) -> None:
    copy = mta_sts.parse_policy(mta_sts.policy_text(one))
    assert mta_sts.policy_id(copy) == mta_sts.policy_id(one)
    assert (mta_sts.policy_id(other) == mta_sts.policy_id(one)) is (other == one)
    assert re.fullmatch(r"[A-Za-z0-9]{32}", mta_sts.policy_id(one))


@st.composite
def policy_texts(draw: st.DrawFn) -> str:
    """Policies that follow the syntax to the letter: fields in any order, unknown ones and doubles among them."""
    policy = draw(_policies)
    fields = [("version", "STSv1"), ("mode", policy.mode), *(("mx", pattern) for pattern in policy.mx)]
    fields = draw(st.permutations([*fields, ("max_age", str(policy.max_age))]))
    known = st.sampled_from(["version", "mode", "max_age"])
    fields += draw(
        st.lists(st.tuples(st.one_of(known, names), st.sampled_from(["x", "none", "a b:\u00e9"])), max_size=3)
    )
    lines = [f"{name}:{draw(gaps)}{value}{draw(gaps)}" for name, value in fields]
    return "".join(line + draw(st.sampled_from(["\n", "\r\n"])) for line in lines)


_noise = st.text(st.sampled_from(" \t\r\n::vmx1*.-_\u00e9\x00\udc80"), max_size=5)
any_policy = st.one_of(policy_texts(), damaged(policy_texts(), _noise), st.text(), _noise)


@given(any_policy)
@example("version: STSv1\nmode: none\nmax_age: " + "9" * 5000)
def test_nothing_but_its_own_error_comes_of_any_text(text: str) -> None:
    found = our_policy(text)
    if found is not None:
        assert mta_sts.check_policy(found) == []
        assert mta_sts.parse_policy(mta_sts.policy_text(found)) == found


VCHAR = "[!-~\u0080-\ud7ff\ue000-\U0010ffff]"
FIELD = rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,31}}:[ \t]*{VCHAR}(?:[ ]*{VCHAR})*[ \t]*"
ABNF = re.compile(rf"{FIELD}(?:\r?\n{FIELD})*(?:\r?\n)?")
"""The syntax of RFC 8461 section 3.2, all fields read as extensions."""
HOST = re.compile(r"(?:\*\.)?(?:(?!-)[A-Za-z0-9-]{1,63}(?<!-)\.)*(?!-)[A-Za-z0-9-]{1,63}(?<!-)")


def by_the_syntax(text: str) -> MtaStsPolicy | None:
    """A policy read in two steps: its lines, then each known field; None when it is none."""
    if not ABNF.fullmatch(text):
        return None
    values: dict[str, list[str]] = {"version": [], "mode": [], "mx": [], "max_age": []}
    for line in text.replace("\r\n", "\n").strip("\n").split("\n"):
        values.setdefault(line[: line.index(":")], []).append(line[line.index(":") + 1 :].strip("\t "))
    version, mode, age = [values[name][:1] for name in ("version", "mode", "max_age")]
    seconds = int(age[0]) if age and re.fullmatch("[0-9]{1,10}", age[0]) else -1
    if version != ["STSv1"] or mode not in (["none"], ["enforce"], ["testing"]) or not 0 <= seconds <= 31557600:
        return None
    if not all(map(HOST.fullmatch, values["mx"])) or (mode != ["none"] and not values["mx"]):
        return None
    return MtaStsPolicy(mode[0], tuple(pattern.lower() for pattern in values["mx"]), seconds)


@given(any_policy)
def test_a_policy_is_what_the_syntax_says(text: str) -> None:
    assert our_policy(text) == by_the_syntax(text)


@given(policy_texts())
def test_a_policy_by_the_syntax_is_read(text: str) -> None:
    assert mta_sts.parse_policy(text) == by_the_syntax(text)


def their_policy(text: str) -> MtaStsPolicy | None:
    """What checkdmarc reads, None when it refuses the policy."""
    try:
        found = parse_mta_sts_policy(text)["policy"]
    except MTASTSError:
        return None
    return MtaStsPolicy(found["mode"], tuple(pattern.lower() for pattern in found["mx"]), found["max_age"])


@given(_policies)
def test_checkdmarc_reads_the_same_policy(policy: MtaStsPolicy) -> None:
    assert their_policy(mta_sts.policy_text(policy)) == policy


@given(policy_texts())
def test_checkdmarc_reads_any_policy_alike(text: str) -> None:
    assert their_policy(text) == our_policy(text)


DIFFERENT = [
    # RFC 8461 section 3.2: a field stands in each line, and the text ends with one line end at most.
    f"version: STSv1\nmode: enforce\n{REST}\n",
    f"version: STSv1\n\nmode: enforce\n{REST}",
    # There also: a line ends with LF or CRLF, and what is no UTF-8 is no character of a value.
    f"version: STSv1\nmode: enforce\n{REST}x: 1\r",
    f"version: STSv1\nmode: enforce\n{REST}x: \udce9",
]
"""What checkdmarc takes for a policy, and the RFC does not."""


@pytest.mark.parametrize("text", [text for text in [*GOOD, *BAD] if text not in DIFFERENT])
def test_checkdmarc_judges_policies_alike(text: str) -> None:
    assert their_policy(text) == our_policy(text)


@pytest.mark.parametrize("text", DIFFERENT)
def test_checkdmarc_takes_more_for_policies(text: str) -> None:
    assert their_policy(text) is not None
    assert our_policy(text) is None
