# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Lists of ``tag=value`` as DKIM keys and DMARC policies are written (RFC 6376 section 3.2), read without loss.

DKIM compares tag names with their case (RFC 6376 section 3.2) and has no use for a list with a broken part. DMARC
compares them without (RFC 9989 section 4.8, RFC 7489 section 6.4) and ignores what is no tag.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

_TAG = re.compile(
    r"(?P<before>[ \t\r\n]*)(?P<name>[a-zA-Z][a-zA-Z0-9_]*)(?P<equals>[ \t\r\n]*=[ \t\r\n]*)(?P<value>.*)", re.DOTALL
)


class TagError(ValueError):
    """The text is no tag list; the message is the rule with its source, ``part`` what broke it."""

    def __init__(self, part: str, rule: str) -> None:
        self.part = part
        super().__init__(rule)


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag with the text around it; ``name`` as written, ``value`` without spaces around it.

    A part between semicolons that is no tag has no name, and all its text as ``value``.
    """

    name: str
    value: str
    before: str = " "
    equals: str = "="
    after: str = ""

    def __str__(self) -> str:
        return f"{self.before}{self.name}{self.equals}{self.value}{self.after}"


@dataclass(frozen=True, slots=True)
class TagList:
    """Tags in their order, and what follows the last semicolon (None when there is no semicolon at the end).

    ``caseless`` says that the names of tags are compared without case.
    """

    tags: tuple[Tag, ...]
    tail: str | None = None
    caseless: bool = False

    def __str__(self) -> str:
        text = ";".join(str(tag) for tag in self.tags)
        return text if self.tail is None else f"{text};{self.tail}"

    def __iter__(self) -> Iterator[Tag]:
        return iter(self.tags)

    def key(self, name: str) -> str:
        """A name as this list compares it."""
        return name.lower() if self.caseless else name

    def get(self, name: str) -> str | None:
        """The value of a tag, None when it is absent; the first one of a tag that stands more than once."""
        return next(iter(self.values(name)), None)

    def values(self, name: str) -> list[str]:
        """All values of a tag, in their order."""
        wanted = self.key(name)
        return [tag.value for tag in self.tags if self.key(tag.name) == wanted]

    @property
    def doubled(self) -> list[str]:
        """The names, as they are compared, that stand more than once: the list is void then (RFC 6376 section 3.2)."""
        counts = Counter(self.key(tag.name) for tag in self.tags if tag.name)
        return [name for name, count in counts.items() if count > 1]

    def without(self, name: str) -> TagList:
        """The list without one tag."""
        return replace(self, tags=tuple(tag for tag in self.tags if self.key(tag.name) != self.key(name)))

    def with_value(self, name: str, value: str) -> TagList:
        """The list with a tag set: in its place when it is there, else at the end."""
        if self.get(name) is None:
            return replace(self, tags=(*self.tags, Tag(name, value)))
        tags = (replace(tag, value=value) if self.key(tag.name) == self.key(name) else tag for tag in self.tags)
        return replace(self, tags=tuple(tags))


def parse_tags(text: str) -> TagList:
    """Parse a tag list whose names have a case. ``str(parse(text)) == text`` for every text that it accepts.

    :param text: a decoded TXT value
    :raises TagError: a part is no tag, or a tag stands twice (RFC 6376 section 3.2)
    """
    parts, tail = _parts(text)
    tags: dict[str, Tag] = {}
    for part in parts:
        tag = _tag(part)
        if tag.name in tags:
            raise TagError(part.strip(), f"the tag {tag.name}= stands at most once (RFC 6376 section 3.2)")
        tags[tag.name] = tag
    return TagList(tuple(tags.values()), tail)


def read_tags(text: str) -> TagList:
    """Read a text as a tag list whose names have no case, whatever it holds. ``str(read_tags(text)) == text``.

    :param text: a decoded TXT value
    :returns: with parts that are no tags, and with tags that stand more than once
    """
    parts, tail = _parts(text)
    return TagList(tuple(_tag_or_text(part) for part in parts), tail, caseless=True)


def _parts(text: str) -> tuple[list[str], str | None]:
    """What stands between the semicolons, and what follows the last one if nothing but blanks does."""
    parts = text.split(";")
    return parts, parts.pop() if len(parts) > 1 and not parts[-1].strip() else None


def _tag_or_text(part: str) -> Tag:
    try:
        return _tag(part)
    except TagError:
        return Tag("", part, "", "")


def _tag(part: str) -> Tag:
    match = _TAG.fullmatch(part)
    if match is None:
        raise TagError(part.strip(), "tags are written name=value, with semicolons between them (RFC 6376 section 3.2)")
    value = match["value"].rstrip(" \t\r\n")
    length = len(value)
    return Tag(match["name"], value, match["before"], match["equals"], match["value"][length:])
