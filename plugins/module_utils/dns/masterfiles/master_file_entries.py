# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The entries of a master file (RFC 1035 section 5.1) as they stand in its text, so that one can be edited alone.

A text is held as one character per byte (latin-1). dnspython checks and reads what the entries mean; this module only
knows where each begins and ends, and what it takes from those before it: origin, owner name and TTL.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

with contextlib.suppress(ImportError):
    import dns.exception
    import dns.name
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
    import dns.ttl

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata

_PIECE = re.compile(
    r"[ \t]*(?:(?P<end>\r?\n)|(?P<comment>;[^\r\n]*)|(?P<bracket>[()])"
    r'|(?P<token>"(?:\\.|[^"\\\n])*"|(?:\\.|[^ \t\r\n"();\\])+))|[ \t]+'
)
"""A part of an entry, with the blanks before it."""
_BEGINS_WITH_TTL = re.compile(r"(?:[ \t]*(?:;[^\n]*)?\r?\n|\$ORIGIN[^\n]*\n)*\$TTL[ \t]", re.IGNORECASE)
_RELATIVE_ORIGIN = re.compile(r"^\$ORIGIN[ \t]+[^ \t\r\n;]*[^. \t\r\n;][ \t]*[;\r\n]", re.IGNORECASE | re.MULTILINE)
_BYTE = re.compile(r"(\\[\0-\x7f])|\\?([\x80-\xff])")


def escape_bytes(text: str) -> str:
    """Write bytes over 127 as ``\\DDD`` and line ends as LF: dnspython then reads the very bytes, in names too."""
    return _BYTE.sub(lambda match: match[1] or f"\\{ord(match[2]):03d}", text.replace("\r\n", "\n"))


class Unclosed(ValueError):
    """A quote or a bracket is not closed; the message begins with the line."""


@dataclass(frozen=True, slots=True)
class EntryToken:
    """One word or quoted string of an entry, and where it stands in the entry's text."""

    start: int
    end: int
    text: str


@dataclass(eq=False, slots=True)
class Entry:
    """One record, directive, comment or empty line, up to and including its line end.

    ``name``, ``type``, ``ttl`` and ``origin`` are what a reader of the file takes it for; ``name`` and ``type`` are
    None for what is no record, and ``name`` also where a $GENERATE before it decides.
    """

    text: str
    line: int
    tokens: list[EntryToken]
    origin: Name | None = None
    name: Name | None = None
    type: str | None = None
    ttl: int | None = None
    names_ttl: bool = False
    _ttl_token: EntryToken | None = None
    _type_token: EntryToken | None = None
    _data: list[EntryToken] = field(default_factory=list)
    _edits: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def directive(self) -> str | None:
        """The directive in capitals ($ORIGIN, $TTL ...), None for any other entry."""
        first = self.tokens[0] if self.tokens else None
        return first.text.upper() if first and first.start == 0 and first.text.startswith("$") else None

    @property
    def _continues(self) -> bool:
        """Whether the owner name is left out."""
        return bool(self.tokens) and self.tokens[0].start > 0

    def rdata(self) -> Rdata:
        """Read the data of a record, names absolute.

        :raises dns.exception.DNSException: dnspython cannot read them
        """
        text = " ".join(escape_bytes(token.text) for token in self._data)
        return dns.rdata.from_text(dns.rdataclass.IN, self.type or "", text, origin=self.origin, relativize=False)

    def replace_data(self, text: str) -> None:
        """Put new data in the place of a record's data; comments and brackets between its strings stay."""
        first, last = self._data[0], self._data[-1]
        bounds = ((left.end, right.start) for left, right in itertools.pairwise(self._data))
        if not any(re.search("[();]", self.text[end:start]) for end, start in bounds):
            self._edits.append((first.start, last.end, text))
            return
        self._edits.append((first.start, first.end, text))
        self._edits += [(token.start, token.end, "") for token in self._data[1:]]

    def replace_word(self, position: int, text: str) -> None:
        """Replace one word of a record's data, counted from 0."""
        token = self._data[position]
        self._edits.append((token.start, token.end, text))

    def word(self, position: int) -> str:
        """One word of a record's data, counted from 0."""
        return self._data[position].text

    def set_ttl(self, ttl: int) -> None:
        """Give a record another TTL (seconds); where it names none, :func:`render_entries` writes it if needed."""
        self.ttl = ttl
        if self._ttl_token:
            self._edits.append((self._ttl_token.start, self._ttl_token.end, str(ttl)))

    def read(self, above: Above) -> None:
        """Find out what the entry is, given what stands above it."""
        self.origin, directive = above.origin, self.directive
        if directive == "$GENERATE":
            words = iter(self.tokens[3:])
        elif self.tokens and not directive:
            words = iter(self.tokens if self._continues else self.tokens[1:])
            self.name = above.name if self._continues else _name(self.tokens[0].text, above.origin)
        else:
            return
        for word in words:
            if self._ttl_token is None and (ttl := _ttl(word.text)) is not None:
                self._ttl_token, self.ttl, self.names_ttl = word, ttl, True
            elif not _is_class(word.text):
                self._type_token = word
                break
        if self._type_token and directive is None:
            self.type = _type(self._type_token.text)
        self._data = list(words)

    def complete(self, above: Above) -> None:
        """Write out the owner name and the TTL where the entries now above it no longer imply them."""
        if self._continues and self.name is not None and self.name is not above.name and self.name != above.name:
            blank = len(self.text) - len(self.text.lstrip(" \t"))
            owner = relative_name(self.name, above.origin)
            width = len(owner)
            self._edits.append((0, blank, owner + (self.text[width:blank] or " ")))
        if self._type_token and not self.names_ttl and self.ttl is not None and self.ttl != above.ttl(self):
            self._write_ttl(self._type_token)

    def make_explicit(self) -> None:
        """Write out the TTL if the entry leaves it out, and an $ORIGIN with its final dot."""
        if self._type_token and not self.names_ttl and self.ttl is not None:
            self._write_ttl(self._type_token)
        if self.directive == "$ORIGIN":
            token = self.tokens[1]
            self._edits.append(
                (token.start, token.end, dns.name.from_text(escape_bytes(token.text), self.origin).to_text())
            )

    def _write_ttl(self, before: EntryToken) -> None:
        self._edits.append((before.start, before.start, f"{self.ttl} "))
        self.names_ttl = True

    def edited(self) -> str:
        """The text of the entry with all that was replaced."""
        text = self.text
        for start, end, new in sorted(self._edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text


@dataclass(slots=True)
class Above:
    """What an entry takes from those above it (RFC 1035 section 5.1, RFC 2308 section 4)."""

    origin: Name
    name: Name | None
    default_ttl: int | None = None
    last_ttl: int | None = None
    soa_minimum: int | None = None

    def ttl(self, entry: Entry) -> int | None:
        """The TTL (seconds) that the entry gets when it names none."""
        if self.default_ttl is not None:
            return self.default_ttl
        if self.last_ttl is not None:
            return self.last_ttl
        return _ttl(entry.word(-1)) if entry.type == "SOA" else self.soa_minimum

    def move_past(self, entry: Entry) -> None:
        """Take up what the entry changes for those below it."""
        directive = entry.directive
        if directive == "$ORIGIN":
            self.origin = _name(entry.tokens[1].text, self.origin)
        elif directive == "$TTL":
            self.default_ttl = _ttl(entry.tokens[1].text)
        elif directive == "$GENERATE":
            self.name = None
        elif entry.type:
            self.name = entry.name
            self.soa_minimum = _ttl(entry.word(-1)) if entry.type == "SOA" else self.soa_minimum
        if entry.names_ttl:
            self.last_ttl = entry.ttl


def relative_name(name: Name, origin: Name | None) -> str:
    """Write an owner name as a person would below this origin: ``@``, a relative name, or one with a final dot."""
    return str(name.relativize(origin).to_text() if origin is not None else name.to_text())


def split_entries(text: str) -> Iterator[Entry]:
    """Cut the text of a master file into its entries; together they are the whole text.

    :param text: one character per byte
    :raises Unclosed: a quote or a bracket is not closed
    """
    start = position = line = depth = 0
    tokens: list[EntryToken] = []
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None:
            raise Unclosed(
                f"line {line + text.count(chr(10), start, position) + 1}: a quote or an escape is not closed"
            )
        if piece.lastgroup == "token":
            tokens.append(EntryToken(piece.start("token") - start, piece.end() - start, piece["token"]))
        elif piece.lastgroup == "bracket":
            depth += 1 if piece["bracket"] == "(" else -1
        position = piece.end()
        if piece.lastgroup == "end" and depth <= 0:
            yield Entry(text[start:position], line + 1, tokens)
            line += text.count("\n", start, position)
            start, tokens = position, []
    if depth > 0:
        raise Unclosed(f"line {line + 1}: a bracket is not closed")
    if start < len(text):
        yield Entry(text[start:], line + 1, tokens)


def read_entries(text: str, origin: Name) -> list[Entry]:
    """Cut a master file into entries and find out what each is.

    :param text: one character per byte; dnspython has read it without complaint
    :param origin: the apex of the zone
    :raises Unclosed: see :func:`split_entries`
    :raises dns.exception.DNSException: a name that is none
    """
    above, entries = Above(origin, origin), list(split_entries(text))
    for entry in entries:
        entry.read(above)
        if not entry.names_ttl:
            entry.ttl = above.ttl(entry)
        above.move_past(entry)
    return entries


def explicit_text(text: str, origin: Name) -> str:
    """Write out inherited TTLs and relative $ORIGINs: releases of dnspython differ in how they read them.

    :param text: one character per byte; a text that cannot be read is returned as it is
    :param origin: the apex of the zone
    """
    if _BEGINS_WITH_TTL.match(text) and not _RELATIVE_ORIGIN.search(text):
        return text
    try:
        entries = read_entries(text, origin)
    except (dns.exception.DNSException, ValueError, IndexError):
        return text
    for entry in entries:
        entry.make_explicit()
    return "".join(entry.edited() for entry in entries)


def render_entries(entries: Iterable[Entry], origin: Name, newline: str) -> str:
    """Put entries together again; names and TTLs that an entry took from one that is gone are written out.

    :param entries: in their new order
    :param origin: the apex of the zone
    :param newline: the line end of the file
    """
    above, texts = Above(origin, origin), [""]
    for entry in entries:
        entry.complete(above)
        above.move_past(entry)
        if texts[-1] and not texts[-1].endswith("\n"):
            texts.append(newline)
        texts.append(entry.edited())
    return "".join(texts)


@functools.lru_cache(maxsize=1 << 10)
def _name(text: str, origin: Name) -> Name:
    return origin if text == "@" else dns.name.from_text(escape_bytes(text), origin)


@functools.lru_cache(maxsize=1 << 10)
def _ttl(text: str) -> int | None:
    try:
        return int(dns.ttl.from_text(text))
    except dns.exception.DNSException:
        return None


@functools.lru_cache(maxsize=1 << 8)
def _type(text: str) -> str:
    return str(dns.rdatatype.to_text(dns.rdatatype.from_text(text)))


@functools.lru_cache(maxsize=1 << 8)
def _is_class(text: str) -> bool:
    try:
        return bool(dns.rdataclass.from_text(text))
    except dns.exception.DNSException:
        return False
