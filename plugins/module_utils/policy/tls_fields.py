# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Records that begin with an exact version: TLSRPT (RFC 8460 section 3) and MTA-STS (RFC 8461 section 3.1).

Both have the same syntax. It is not that of DKIM tags: names may begin with a digit and hold hyphens and dots, a field
may stand twice, and no space stands around the equals sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.module_utils.policy.tags import Tag, TagError, TagList
from ansible_collections.mailroom.erp.plugins.module_utils.problem import shown

_SPACES = " \t"
_LONGEST_NAME = 32
_FIELD = re.compile(
    r"(?P<before>[ \t]*)(?P<name>[A-Za-z0-9][A-Za-z0-9_.-]*)(?P<equals>[ \t]*=[ \t]*)(?P<value>.*)", re.DOTALL
)
_EXTENSION_VALUE = re.compile(r"[!-:<>-~]+")


@dataclass(frozen=True, slots=True)
class RecordForm:
    """One of the two kinds of records.

    ``version`` is what stands behind ``v=``, ``field`` the required field, whose value has a rule of its own,
    ``repeats`` whether all such fields of a record count or the first one only, and ``source`` the section of the RFC.
    """

    version: str
    field: str
    repeats: bool
    source: str

    def fits(self, text: str) -> bool:
        """Tell whether a TXT value is meant as such a record: its first field is the version, exactly so.

        Spaces before the first semicolon are allowed, as the syntax allows them, and so is a version alone: what is
        meant as the record is mended, not left beside a second one.
        """
        return text.partition(";")[0].rstrip(_SPACES) == f"v={self.version}"

    def parse_versioned(self, text: str) -> TagList:
        """Parse a record. ``str(parse_versioned(text)) == text`` for every text that it accepts.

        Values are taken as they are, and so are spaces where none may be: :meth:`syntax_faults` tells them.

        :raises TagError: it does not begin with the version, or a part is no field
        """
        if not self.fits(text):
            raise TagError(text, f"the record begins with v={self.version}, exactly so ({self.source})")
        parts = text.split(";")
        tail = parts.pop() if len(parts) > 1 and not parts[-1].strip(_SPACES) else None
        return TagList(tuple(self._parsed(part) for part in parts), tail)

    def syntax_faults(self, record: TagList) -> list[str]:
        """Where a record breaks the syntax, so that senders may ignore it; one sentence each, with its source.

        The value of the required field is left to the caller.
        """
        own = [tag for tag in record if tag.name == self.field]
        counting = own if self.repeats else own[:1]
        found = [fault for tag in record for fault in self._field_faults(tag, tag in counting)]
        if record.tail is None and record.tags[-1].after:
            found.append(f"spaces stand at the end, where they may only follow a semicolon ({self.source})")
        if not own:
            found.append(f"there is no {self.field}= ({self.source})")
        return found

    def syntax_concerns(self, record: TagList) -> list[str]:
        """What the syntax allows but not every sender reads; one sentence each, with its source."""
        found = []
        if record.tags[0].after:
            rule = f"spaces stand before the first semicolon: senders that look for v={self.version}; find no record"
            found.append(f"{rule} ({self.source})")
        count = sum(tag.name == self.field for tag in record)
        if count > 1:
            found.append(f"{self.field}= stands {count} times, and not all senders read the same one ({self.source})")
        return found

    def _parsed(self, part: str) -> Tag:
        match = _FIELD.fullmatch(part)
        if match is None:
            rule = f"fields are written name=value, with one semicolon between them ({self.source})"
            raise TagError(part.strip(), rule)
        value = match["value"].rstrip(_SPACES)
        length = len(value)
        return Tag(match["name"], value, match["before"], match["equals"], match["value"][length:])

    def _field_faults(self, tag: Tag, has_own_rule: bool) -> Iterator[str]:
        if tag.equals != "=":
            yield f"spaces stand around the = of {shown(tag.name)}, where none may be ({self.source})"
        if len(tag.name) > _LONGEST_NAME:
            yield f"the field name {shown(tag.name)} has more than {_LONGEST_NAME} characters ({self.source})"
        if not has_own_rule and not _EXTENSION_VALUE.fullmatch(tag.value):
            rule = "is not made of visible ASCII characters without = and ;, at least one"
            yield f"the value {shown(tag.value)} of {shown(tag.name)} {rule} ({self.source})"
