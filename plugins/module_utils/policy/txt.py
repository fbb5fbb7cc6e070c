# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""TXT data: character-strings (RFC 1035 section 3.3), and their presentation format (RFC 1035 section 5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST_STRING = 255
"""Bytes that one character-string can hold (RFC 1035 section 3.3)."""

_LONGEST_CHARACTER = 4

_TOKEN = re.compile(
    r"(?P<blank>[ \t]+)"
    r'|"(?P<quoted>(?:[^"\\\n]|\\[^\n])*)"'
    r'|(?P<bare>(?:[^ \t\r\n"();\\]|\\[^\n])+)'
)
_ESCAPE = re.compile(rb"\\([0-9]{3}|.)", re.DOTALL)
_TO_ESCAPE = re.compile(rb'["\\]|[^ -~]')


def join(strings: Iterable[bytes]) -> str:
    """Join the character-strings of one TXT record; nothing is put between them (RFC 7208 section 3.3).

    :param strings: the strings as they stand on the wire, each at most 255 bytes
    :returns: the value, as UTF-8 with surrogateescape: bytes that are no UTF-8 survive
    """
    return b"".join(strings).decode("utf-8", "surrogateescape")


def split_strings(value: str, limit: int = LONGEST_STRING) -> tuple[bytes, ...]:
    """Cut a value into character-strings, right after a space where there is one, never inside a UTF-8 character.

    The space stays at the end of the left string, so that no two terms become one when a reader trims or glues.

    :param value: the value as :func:`join` gives it
    :param limit: the longest string wanted, 4 to 255 bytes
    :returns: at least one string; an empty value is one empty string
    :raises ValueError: the value holds a surrogate that stands for no byte, or the limit is out of range
    """
    if not _LONGEST_CHARACTER <= limit <= LONGEST_STRING:
        raise ValueError(f"a character-string holds {_LONGEST_CHARACTER} to {LONGEST_STRING} bytes, not {limit}")
    data = value.encode("utf-8", "surrogateescape")
    strings, start = [], 0
    while len(data) - start > limit:
        end = _cut(data, start, limit)
        strings.append(data[start:end])
        start = end
    return (*strings, data[start:])


def decode(presentation: str, longest: int = LONGEST_STRING) -> str:
    """Read TXT data in presentation format: one or more strings, quoted or bare, with ``\\"``, ``\\\\`` and ``\\DDD``.

    :param presentation: for example ``"v=spf1 mx " "-all"``, the quotes included
    :param longest: bytes that one string may have; a service that cuts strings itself may show longer ones
    :returns: the value, as :func:`join` gives it
    :raises ValueError: the text is malformed; the message says how
    """
    strings, position = [], 0
    while position < len(presentation):
        match = _TOKEN.match(presentation, position)
        if match is None:
            raise ValueError(_reason(presentation, position))
        if match["blank"] is None:
            strings.append(_unescaped(match["quoted"] if match["bare"] is None else match["bare"], longest))
        position = match.end()
    if not strings:
        raise ValueError("there is no character-string; an empty one is written as two quotes")
    return join(strings)


def encode(value: str) -> str:
    """Write TXT data in presentation format: quoted ASCII strings of at most 255 bytes each.

    :param value: the value as :func:`join` gives it
    :returns: the strings, apart by one space; :func:`decode` reads the same value back
    :raises ValueError: the value holds a surrogate that stands for no byte
    """
    return " ".join(f'"{_escaped(string)}"' for string in split_strings(value))


def _cut(data: bytes, start: int, limit: int) -> int:
    end = start + limit
    space = data.rfind(b" ", start + limit // 2, end)
    return space + 1 if space >= 0 else _character_start(data, end)


def _character_start(data: bytes, position: int) -> int:
    for start in range(position, position - _LONGEST_CHARACTER, -1):
        if data[start] & 0xC0 != 0x80:
            return start
    return position


def _unescaped(text: str, longest: int) -> bytes:
    raw = _ESCAPE.sub(_unescape, text.encode("utf-8", "surrogateescape"))
    if len(raw) > longest:
        raise ValueError(f"a character-string of {len(raw)} bytes is too long: {longest} is the most")
    return raw


def _unescape(match: re.Match[bytes]) -> bytes:
    escaped = match[1]
    if not escaped.isdigit():
        return escaped
    if len(escaped) != 3:
        raise ValueError(f"the escape \\{escaped.decode()} needs three digits")
    if int(escaped) > 255:
        raise ValueError(f"the escape \\{escaped.decode()} is over 255")
    return bytes([int(escaped)])


def _escaped(string: bytes) -> str:
    return _TO_ESCAPE.sub(_escape, string).decode("ascii")


def _escape(match: re.Match[bytes]) -> bytes:
    char = match[0]
    return b"\\" + char if char in b'"\\' else b"\\%03d" % char[0]


def _reason(presentation: str, position: int) -> str:
    char = presentation[position]
    at = f"at character {position + 1}"
    if char == '"':
        return f"the quote {at} is not closed on its line"
    if char == "\\":
        return f"the backslash {at} escapes nothing"
    return f"{char!r} {at} must stand inside quotes or be escaped"
