# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""SMTP replies as data: bytes of a server that may say anything become codes, words and what is offered. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls

LONGEST_REPLY_LINE = 8192
"""Octets; RFC 5321 section 4.5.3.1.5 allows 512, servers with many mechanisms send more."""
MOST_REPLY_LINES = 200
_LONGEST_WORDS = 300
_LONGEST_NUMBER = 19
_STRIPPED = re.compile(r"X{4,}[A-Z]?")
"""What firewalls write over the keyword STARTTLS, so that the client does not see it."""


@dataclass(frozen=True, slots=True)
class SmtpReply:
    """One reply: its code, and the text of each line, as the server wrote it (undecodable bytes as surrogates)."""

    code: int
    lines: tuple[str, ...]

    @property
    def words(self) -> str:
        """The text on one line of printable characters, cut where it is long."""
        text = escape_controls(" ".join(line.strip() for line in self.lines))
        return text if len(text) <= _LONGEST_WORDS else f"{text[:_LONGEST_WORDS]}..."

    @property
    def is_temporary(self) -> bool:
        """Whether the server says that it may be different later (RFC 5321 section 4.2.1)."""
        return 400 <= self.code < 500


@dataclass(frozen=True, slots=True)
class SmtpOffer:
    """What a reply to EHLO offers.

    ``keywords`` are those of the extensions, in upper case; ``auth`` the mechanisms, in upper case; ``size`` the
    largest message in bytes, 0 where the server says that it has no fixed limit, None where it says nothing;
    ``stripped`` tells that something has written over a keyword.
    """

    keywords: tuple[str, ...]
    auth: tuple[str, ...]
    size: int | None
    stripped: bool = False

    @property
    def starttls(self) -> bool:
        """Whether STARTTLS is offered (RFC 3207)."""
        return "STARTTLS" in self.keywords


def reply_line(line: bytes) -> tuple[int, bool, str] | None:
    """Read one line of a reply (RFC 5321 section 4.2).

    :param line: without its end
    :returns: the code, whether it is the last line, and the text; None when it is no line of a reply
    """
    code, mark = line[:3], line[3:4]
    if not re.fullmatch(rb"[2-5][0-9]{2}", code) or mark not in (b"", b" ", b"-"):
        return None
    return int(code), mark != b"-", line[4:].decode("utf-8", "surrogateescape")


def smtp_offer(reply: SmtpReply) -> SmtpOffer:
    """Read what a reply to EHLO offers; its first line greets.

    :param reply: a reply with code 250
    """
    words = [line.strip().split() for line in reply.lines[1:] if line.strip()]
    keywords = tuple(dict.fromkeys(escape_controls(first[0].upper().partition("=")[0]) for first in words))
    return SmtpOffer(keywords, _mechanisms(words), _size(words), any(map(_STRIPPED.fullmatch, keywords)))


def _mechanisms(lines: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The mechanisms of AUTH (RFC 4954 section 3), also where an old server writes ``AUTH=LOGIN``."""
    found: dict[str, None] = {}
    for first, *rest in lines:
        keyword, _equals, joined = first.upper().partition("=")
        if keyword == "AUTH":
            found.update(dict.fromkeys(escape_controls(one.upper()) for one in [joined, *rest] if one))
    return tuple(found)


def _size(lines: Sequence[Sequence[str]]) -> int | None:
    """The number of SIZE (RFC 1870 section 4); without one the server tells no limit."""
    for first, *rest in lines:
        if first.upper() == "SIZE":
            number = rest[0] if rest else "0"
            is_number = number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER
            return int(number) if is_number else None
    return None
