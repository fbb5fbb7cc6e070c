# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""SPF macros (RFC 7208 section 7): taken apart once, expanded often."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Union

LONGEST_NAME = 253
_LONGEST_LABEL = 63

_MACRO = re.compile(
    r"%(?:\{(?P<letter>[a-z])(?P<digits>[0-9]*)(?P<reverse>r?)(?P<delimiters>[-.+,/_=]*)\}|(?P<literal>[%_-]))",
    re.IGNORECASE,
)
_LITERALS = {"%": "%", "_": " ", "-": "%20"}
_EXPLANATION = re.compile(r"(?:%\{[slodiphcrtv](?!0)[0-9]*r?[-.+,/_=]*\}|%[%_-]|[ !-$&-~])*", re.IGNORECASE)

ValueOf = Callable[[str], str]
"""Gives the value of a macro letter (lower case), before transformers."""


@dataclass(frozen=True, slots=True)
class Macro:
    """``%{...}``: the letter in lower case, how many parts from the right stay (0: all), what splits them.

    ``escaped`` says that the letter was written in upper case: the value is URL-escaped (RFC 7208 section 7.3).
    """

    letter: str
    keep: int
    reverse: bool
    delimiters: str
    escaped: bool

    def apply(self, value: str) -> str:
        """Transform a letter's value: split, reverse, cut, join with dots, escape (RFC 7208 section 7.3)."""
        if self.keep or self.reverse or self.delimiters != ".":
            parts = re.split(f"[{re.escape(self.delimiters)}]", value)
            if self.reverse:
                parts.reverse()
            start = max(len(parts) - self.keep, 0) if self.keep else 0
            value = ".".join(parts[start:])
        return urllib.parse.quote(value, safe="~", errors="surrogateescape") if self.escaped else value


@dataclass(frozen=True)
class Template:
    """A macro-string taken apart: texts and macros in their order, ``letters`` the macro letters in lower case."""

    parts: tuple[Union[str, Macro], ...]

    @cached_property
    def letters(self) -> frozenset[str]:
        """The macro letters that decide what it expands to, in lower case."""
        return frozenset(part.letter for part in self.parts if isinstance(part, Macro))

    @cached_property
    def constant(self) -> str | None:
        """The name that it always expands to, None when there are macros in it."""
        return None if self.letters else self._name(_no_value)

    def text(self, value_of: ValueOf, longest: int) -> str:
        """Expand to a text of at most so many characters; the rest is cut off."""
        text = ""
        for part in self.parts:
            text += _piece(part, value_of)
            if len(text) >= longest:
                break
        return text[:longest]

    def name(self, value_of: ValueOf) -> str:
        """Expand to a name to look up: lower case, no trailing dot, labels over 253 characters cut from the left.

        Source: RFC 7208 section 7.3. The result need not be a possible name, see :func:`is_possible`.
        """
        return self._name(value_of) if self.constant is None else self.constant

    def _name(self, value_of: ValueOf) -> str:
        pieces: list[str] = []
        length = 0
        for part in reversed(self.parts):
            pieces.append(_piece(part, value_of))
            length += len(pieces[-1])
            if length > 2 * LONGEST_NAME:
                break  # What stands further left is cut off anyway.
        return _shortened("".join(reversed(pieces)).lower().removesuffix("."))


def template(spec: str) -> Template:
    """Take a macro-string apart.

    :param spec: a valid domain-spec or explanation
    """
    parts: list[str | Macro] = []
    position = 0
    for match in _MACRO.finditer(spec):
        start = match.start()
        parts += [spec[position:start], _LITERALS[match["literal"]] if match["literal"] else _macro(match)]
        position = match.end()
    return Template(tuple(part for part in [*parts, spec[position:]] if part))


def explanation(text: str) -> Template | None:
    """Take the text of an explanation apart; None when it breaks the grammar and is to be ignored.

    Source: RFC 7208 sections 6.2 and 7.1 (explain-string: macro-strings and spaces, ASCII only).
    """
    return template(text) if _EXPLANATION.fullmatch(text) else None


def expand(spec: str, domain: str) -> str | None:
    """Expand the macros of a domain-spec that the domain alone decides (RFC 7208 section 7).

    :param spec: a valid domain-spec
    :param domain: the domain of the record it stands in
    :returns: the name to look up, as lower-case text without trailing dot; None when only a message decides it
    """
    if "%" not in spec:
        return _shortened(spec.lower().removesuffix("."))
    parts = template(spec)
    return parts.name(lambda _letter: domain) if parts.letters <= {"d"} else None


def is_possible(name: str) -> bool:
    """Tell whether a name can be looked up at all: RFC 1035 section 2.3.4 on lengths, printable ASCII.

    Names made by macros may be impossible; RFC 8616 section 4 has non-ASCII local parts match nothing.

    :param name: a name as :meth:`Template.name` gives it
    """
    return len(name) <= LONGEST_NAME and _is_possible(name)


@lru_cache(maxsize=16384)
def _is_possible(name: str) -> bool:
    printable = name.isascii() and name.isprintable() and "\\" not in name
    return printable and all(0 < len(label) <= _LONGEST_LABEL for label in name.split("."))


def _macro(match: re.Match[str]) -> Macro:
    digits, letter = match["digits"], match["letter"]
    # No name has 1,000 labels, and Python refuses to read numbers of thousands of digits.
    keep = 0 if len(digits) > 3 else int(digits or 0)
    return Macro(letter.lower(), keep, bool(match["reverse"]), match["delimiters"] or ".", letter.isupper())


def _piece(part: str | Macro, value_of: ValueOf) -> str:
    return part if isinstance(part, str) else part.apply(value_of(part.letter))


def _shortened(name: str) -> str:
    if len(name) <= LONGEST_NAME:
        return name
    dot = name.find(".", len(name) - LONGEST_NAME - 1)
    start = (dot if dot >= 0 else name.rfind(".")) + 1
    return name[start:]


def _no_value(letter: str) -> str:
    raise KeyError(letter)
