# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The header Authentication-Results (RFC 8601), as it is written in the wild: what cannot be read says nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_LONGEST = 16 * 1024
"""Characters of one header that are looked at."""
_MOST_RESULTS = 100
_METHOD = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)(?:/[0-9]+)?=([A-Za-z]+)", re.ASCII)
_PROPERTY = re.compile(r"([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)=(.*)", re.ASCII | re.DOTALL)
_EQUALS = re.compile(r"\s*([=/.])\s*")


@dataclass(frozen=True, slots=True)
class MethodResult:
    """What one method found.

    :ivar method: lower case, such as ``spf``
    :ivar result: lower case, such as ``pass``
    :ivar properties: such as ``smtp.mailfrom``; the names are lower case
    """

    method: str
    result: str
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuthenticationResults:
    """One header: ``authserv_id`` is lower case, and empty where the receiver wrote none, as Exchange Online does."""

    authserv_id: str
    results: tuple[MethodResult, ...]


def read_authentication_results(value: str) -> AuthenticationResults | None:
    """Read one header.

    :param value: what stands behind the name, folded or not
    :returns: None when it is none
    """
    words = _words(_without_comments(value[:_LONGEST]))
    parts: list[list[str]] = [[]]
    for word in words:
        if word == ";":
            parts.append([])
        else:
            parts[-1].append(word)
    first, rest = parts[0], parts[1:]
    if first and _METHOD.fullmatch(first[0]):
        # No authserv-id; RFC 8601 section 2.2 demands one.
        first, rest = [""], parts
    if not first or len(first) > 2 or (len(first) == 2 and not first[1].isdigit()):
        return None
    found = [result for part in rest[:_MOST_RESULTS] if (result := _result(part)) is not None]
    return AuthenticationResults(_plain(first[0]).lower(), tuple(found))


def trusted_results(headers: Iterable[str], authserv_id: str) -> list[MethodResult]:
    """What the trusted server found, from all headers of a message.

    Only its own headers count (RFC 8601 section 5): anybody can write another one. Of SPF and DMARC the first result
    counts, for the newest header stands on top; there is one of DKIM for each signature.

    :param headers: the values, from the top of the message down
    :param authserv_id: the server's name, as it was declared; empty for one that writes none
    """
    found: list[MethodResult] = []
    for value in headers:
        read = read_authentication_results(value)
        if read is None or read.authserv_id != authserv_id.lower():
            continue
        known = {one.method for one in found}
        found += [one for one in read.results if one.method not in known or one.method == "dkim"]
    return found


def _without_comments(text: str) -> str:
    """Comments may stand inside each other, and between any two words (RFC 5322 section 3.2.2)."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\" and (quoted or depth):
            escaped = True
        elif character == '"' and not depth:
            quoted = not quoted
        elif not quoted and character == "(":
            depth += 1
        elif not quoted and character == ")" and depth:
            depth -= 1
            kept.append(" ")
            continue
        if not depth:
            kept.append(character)
    return "".join(kept)


def _words(text: str) -> list[str]:
    """Words and semicolons; what belongs to one word may have blanks around its signs."""
    quoted = re.split(r'("(?:[^"\\]|\\.)*")', text)
    joined = "".join(part if number % 2 else _EQUALS.sub(r"\1", part) for number, part in enumerate(quoted))
    # a quoted text behind a sign is part of the word
    return [match[0] for match in re.finditer(r'(?:"(?:[^"\\]|\\.)*"|[^\s;"])+|;', joined, re.DOTALL)]


def _result(words: list[str]) -> MethodResult | None:
    if not words:
        return None
    method = _METHOD.fullmatch(words[0])
    if method is None:
        return None
    properties: dict[str, str] = {}
    for word in words[1:]:
        found = _PROPERTY.fullmatch(word)
        if found is not None:
            properties.setdefault(found[1].lower(), _plain(found[2]))
    return MethodResult(method[1].lower(), method[2].lower(), properties)


def _plain(word: str) -> str:
    """A quoted text without its quotes."""
    if len(word) > 1 and word.startswith('"') and word.endswith('"'):
        return re.sub(r"\\(.)", r"\1", word[1:-1], flags=re.DOTALL)
    return word
