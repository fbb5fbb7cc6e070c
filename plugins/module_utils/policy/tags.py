# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Lists of ``tag=value`` as DKIM keys and DMARC policies are written (RFC 6376 section 3.2), read without loss."""

from __future__ import annotations

import re
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
    """One tag with the text around it; ``name`` as written, ``value`` without spaces around it."""

    name: str
    value: str
    before: str = " "
    equals: str = "="
    after: str = ""

    def __str__(self) -> str:
        return f"{self.before}{self.name}{self.equals}{self.value}{self.after}"


@dataclass(frozen=True, slots=True)
class TagList:
    """Tags in their order, and what follows the last semicolon (None when there is no semicolon at the end)."""

    tags: tuple[Tag, ...]
    tail: str | None = None

    def __str__(self) -> str:
        text = ";".join(str(tag) for tag in self.tags)
        return text if self.tail is None else f"{text};{self.tail}"

    def __iter__(self) -> Iterator[Tag]:
        return iter(self.tags)

    def get(self, name: str) -> str | None:
        """The value of a tag, None when it is absent. Names are compared as they are written in the RFCs: exactly."""
        return next((tag.value for tag in self.tags if tag.name == name), None)

    def without(self, name: str) -> TagList:
        """The list without one tag."""
        return replace(self, tags=tuple(tag for tag in self.tags if tag.name != name))

    def with_value(self, name: str, value: str) -> TagList:
        """The list with a tag set: in its place when it is there, else at the end."""
        if self.get(name) is None:
            return replace(self, tags=(*self.tags, Tag(name, value)))
        return replace(self, tags=tuple(replace(tag, value=value) if tag.name == name else tag for tag in self.tags))


def parse_tags(text: str) -> TagList:
    """Parse a tag list. ``str(parse(text)) == text`` for every text that it accepts.

    :param text: a decoded TXT value
    :raises TagError: a part is no tag, or a tag stands twice (RFC 6376 section 3.2)
    """
    parts = text.split(";")
    tail = parts.pop() if len(parts) > 1 and not parts[-1].strip() else None
    tags: dict[str, Tag] = {}
    for part in parts:
        tag = _tag(part)
        if tag.name in tags:
            raise TagError(part.strip(), f"the tag {tag.name}= stands at most once (RFC 6376 section 3.2)")
        tags[tag.name] = tag
    return TagList(tuple(tags.values()), tail)


def _tag(part: str) -> Tag:
    match = _TAG.fullmatch(part)
    if match is None:
        raise TagError(part.strip(), "tags are written name=value, with semicolons between them (RFC 6376 section 3.2)")
    value = match["value"].rstrip(" \t\r\n")
    length = len(value)
    return Tag(match["name"], value, match["before"], match["equals"], match["value"][length:])
