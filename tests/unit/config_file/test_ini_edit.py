# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys in ini files: what is not ours comes back byte for byte, and configparser reads what was wanted."""

from __future__ import annotations

import configparser
import contextlib
import io
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.config_file.ini_edit import WRITTEN_MARK, edited_ini
from ansible_collections.mailroom.erp.plugins.module_utils.config_file.ini_lines import IniFault, lines_of
from hypothesis import assume, given, settings
from hypothesis import strategies as st

WANTED = {"uri": "smtp+tls://erp:p%25%40ss@mail.acme.example:587", "from": "erp@acme.example"}
GONE: dict[str, str | None] = {"uri": None, "from": None}

# --- files as people write them ---------------------------------------------------------------------------------------

_WORDS = st.text(st.sampled_from("abcXYZ059 =:#;%[]é\u00a0\u2028\x0c\x85"), max_size=12)
_COMMENTS = st.builds(
    lambda indent, mark, text: f"{indent}{mark}{text}", st.sampled_from(["", "  "]), st.sampled_from("#;"), _WORDS
)
_BETWEEN = st.lists(st.one_of(st.just(""), st.just("   "), _COMMENTS), max_size=2)


def _key_lines(name: str, indent: str, delimiter: str, values: list[str]) -> list[str]:
    return [f"{indent}{name}{delimiter}{values[0]}", *(f"{indent}   v{value}" for value in values[1:])]


def _keys(names: list[str]) -> Any:
    """The lines of some keys with what stands between; one indent for all, so that none goes on with another."""
    values = st.lists(_WORDS, min_size=1, max_size=3)
    one = st.tuples(st.sampled_from([" = ", "=", ": ", " :", "= "]), values, _BETWEEN)
    kinds = st.tuples(st.sampled_from(["", " ", "\t"]), st.lists(one, min_size=len(names), max_size=len(names)))
    return kinds.map(
        lambda made: [
            line
            for name, (delimiter, values, between) in zip(names, made[1], strict=True)
            for line in (*_key_lines(name, made[0], delimiter, values), *between)
        ]
    )


_NAMES = st.lists(st.sampled_from(["path", "Retry", "list", "db user", "ÉTÉ"]), max_size=3, unique=True)
_OURS = st.lists(st.sampled_from(["uri", "from", "URI", "From"]), max_size=2, unique_by=str.lower)


def _section(name: str, ours: Any) -> Any:
    names = st.tuples(_NAMES, ours).flatmap(lambda both: st.permutations([*both[0], *both[1]]))
    return st.tuples(_BETWEEN, names.flatmap(_keys)).map(lambda parts: [f"[{name}]", *parts[0], *parts[1]])


@st.composite
def ini_files(draw: Any, ours: Any = _OURS, has_section: bool | None = None) -> str:
    """A file that configparser reads, with or without [email], with or without keys of ours in it."""
    parts = [draw(_section(name, st.just([]))) for name in draw(st.permutations(["database", "web", "Email"]))]
    if draw(st.booleans()) if has_section is None else has_section:
        parts.insert(draw(st.integers(0, 3)), draw(_section("email", ours)))
    lines = [*draw(_BETWEEN), *(line for part in parts for line in part)]
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text: str = end.join(lines) + draw(st.sampled_from([end, "", end * 2]))
    assume(WRITTEN_MARK not in text)
    try:
        read(text)
    except configparser.Error:
        assume(False)
    return text


def read(text: str) -> dict[str, dict[str, str]]:
    """As trytond reads it: opened as text, ``ConfigParser(interpolation=None)``."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_file(io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))
    return {name: dict(parser.items(name)) for name in parser.sections()}


def without(text: str, are_ours: set[int]) -> list[str]:
    """The lines that are not ours, the last one with an end whether it had one or not."""
    lines = [line for number, line in enumerate(lines_of(text)) if number not in are_ours]
    return [line.rstrip("\r\n") for line in lines]


def marked(text: str) -> set[int]:
    """The lines that bear the mark, and the marks."""
    lines = lines_of(text)
    marks = [number for number, line in enumerate(lines) if line.strip() == WRITTEN_MARK]
    return {number + more for number in marks for more in (0, 1)}


@settings(max_examples=50, deadline=None)
@given(ini_files(), st.sampled_from([WANTED, {"uri": "x"}, {**WANTED, "uri": None}]))
def test_the_program_reads_what_is_wanted_and_all_else_as_before(text: str, wanted: dict[str, str | None]) -> None:
    done = edited_ini(text, "email", wanted)
    before, after = read(text), read(done.text)
    for key, value in wanted.items():
        assert after.get("email", {}).get(key) == (before.get("email", {}).get(key) if value is None else value)
    others = [
        {key: value for key, value in found.get("email", {}).items() if key not in wanted} for found in (before, after)
    ]
    assert others[0] == others[1]
    assert {**before, "email": None} == {**after, "email": None}
    assert edited_ini(done.text, "email", wanted).text == done.text, "a second run changes nothing"


@settings(max_examples=50, deadline=None)
@given(ini_files(ours=st.just([])))
def test_what_we_wrote_goes_and_every_byte_comes_back(text: str) -> None:
    done = edited_ini(text, "email", WANTED)
    assert edited_ini(done.text, "email", GONE).text.rstrip("\r\n") == text.rstrip("\r\n")
    if text[-1:] in "\r\n":
        assert edited_ini(done.text, "email", GONE).text == text


@settings(max_examples=50, deadline=None)
@given(ini_files(has_section=True))
def test_no_line_of_others_changes_or_moves(text: str) -> None:
    """Of a key that was there, the lines of its old value go; nothing else does."""
    done = edited_ini(text, "email", WANTED)
    kept, had = iter(without(text, set())), without(done.text, marked(done.text))
    assert all(any(line == other for other in kept) for line in had), "in the same order, with nothing new between"
    gone = len(lines_of(text)) - len(had)
    written = sum(WANTED[key] != value for key, value in read(text)["email"].items() if key in WANTED)
    assert gone >= written and ends(text) >= ends(done.text)


def ends(text: str) -> set[str]:
    """The kinds of line ends."""
    return {line[len(line.rstrip("\r\n")) :] for line in lines_of(text)} - {""} or {"\n"}


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("[]email=:uri\n\r \t#;x%é\x0c\x1c"), max_size=40))
def test_any_text_is_refused_or_read(text: str) -> None:
    with contextlib.suppress(IniFault):
        assert read(edited_ini(text, "email", WANTED).text)["email"].items() >= WANTED.items()


# --- single rules -----------------------------------------------------------------------------------------------------

PLAIN = "[database]\n# where\npath = /var/lib/trytond\n\n[email]\nretry = 3\n\n[web]\nlisten = *:8000\n"


def test_keys_come_behind_the_last_of_their_section() -> None:
    done = edited_ini(PLAIN, "email", WANTED)
    ours = f"{WRITTEN_MARK}\nuri = {WANTED['uri']}\n{WRITTEN_MARK}\nfrom = {WANTED['from']}\n"
    assert done.text == PLAIN.replace("retry = 3\n", f"retry = 3\n{ours}")
    assert (done.before, done.after, done.kept) == ({"uri": None, "from": None}, WANTED, [])


def test_a_section_that_is_missing_comes_at_the_end() -> None:
    done = edited_ini("[web]\r\nlisten=*:1", "email", {"from": "a@b.example"})
    assert (
        done.text == f"[web]\r\nlisten=*:1\r\n\r\n{WRITTEN_MARK}\r\n[email]\r\n{WRITTEN_MARK}\r\nfrom = a@b.example\r\n"
    )
    assert edited_ini(done.text, "email", GONE).text == "[web]\r\nlisten=*:1\r\n"
    assert edited_ini("", "email", {"from": "a"}).text == f"{WRITTEN_MARK}\n[email]\n{WRITTEN_MARK}\nfrom = a\n"


def test_a_value_changes_where_it_stands() -> None:
    text = "[email]\n  From:old@acme.example\n  uri = smtp://\n    # why\n    old:25\n  retry = 1\n"
    done = edited_ini(text, "email", WANTED)
    ours = [f"{WRITTEN_MARK}\n  From:{WANTED['from']}\n", f"{WRITTEN_MARK}\n  uri = {WANTED['uri']}\n"]
    assert done.text == f"[email]\n{''.join(ours)}    # why\n  retry = 1\n"
    assert done.before == {"uri": "smtp://\nold:25", "from": "old@acme.example"}


def test_what_bears_no_mark_stays_and_is_told() -> None:
    done = edited_ini("[email]\nuri = smtp://mine\n", "email", GONE)
    assert (done.text, done.kept) == ("[email]\nuri = smtp://mine\n", ["uri"])


def test_what_is_right_already_is_not_made_ours() -> None:
    text = f"[email]\nuri = {WANTED['uri']}\nfrom = {WANTED['from']}\n"
    assert edited_ini(text, "email", WANTED).text == text


def test_a_section_of_ours_with_something_of_others_stays() -> None:
    made = edited_ini("[web]\n", "email", WANTED).text
    for more in ("retry = 9\n", "# a note\n"):
        assert edited_ini(made + more, "email", GONE).text == f"[web]\n\n{WRITTEN_MARK}\n[email]\n{more}"
    assert edited_ini(f"{made}\n[x]\n", "email", GONE).text == "[web]\n\n[x]\n"


def test_two_sections_of_ours_stand_behind_each_other() -> None:
    one = edited_ini("[web]\n", "email", {"from": "a"}).text
    two = edited_ini(one, "options", {"smtp_server": "b"}).text
    assert edited_ini(two, "email", {"from": None}).text == edited_ini("[web]\n", "options", {"smtp_server": "b"}).text
    assert edited_ini(two, "options", {"smtp_server": None}).text == one


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("uri = canary\n[email]\n", "line 1 stands before any [section]"),
        ("\ufeff[email]\n", "line 1 stands before any [section]"),
        ("[email]\n[web]\n[email]\nuri = canary\n", "line 3 begins a section that was there before"),
        ("[email]\nuri = canary\nURI = canary\n", "line 3 sets a key that this section has already"),
        ("[web]\nx = 1\nx: canary\n[email]\n", "line 3 sets a key that this section has already"),
        ("[email]\ncanary\n", "line 2 is neither a [section] nor key = value"),
        ("[email]\n= canary\n", "line 2 is neither a [section] nor key = value"),
    ],
)
def test_a_malformed_file_is_refused_without_its_text(text: str, told: str) -> None:
    with pytest.raises(IniFault) as raised:
        edited_ini(text, "email", WANTED)
    assert str(raised.value) == told
