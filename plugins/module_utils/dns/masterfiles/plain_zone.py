# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Plain master files, read in a fifth of the time that dnspython takes; what is not plain is left to dnspython.

Nothing rests on this reader: it takes only lines that can mean one thing, whoever reads them, and gives up on the whole
file at the first that it does not know. Names and data are read by dnspython here too. It knows nothing of the entries
by which a file is edited, so an edit that goes wrong does not go wrong here in the same way.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.mailroom.erp.plugins.module_utils.dns import values
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles.zone_data import Records, ZoneData

with contextlib.suppress(ImportError):
    import dns.exception
    import dns.name
    import dns.rdata
    import dns.rdataclass

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata

_WORD = r'(?:"[ !#-\[\]-~]*"|[!#-\x27*-:<-\[\]-~]+)'
_LINE = re.compile(
    rf"""(?:
      \$TTL [ \t]+ (?P<default>[0-9]{{1,9}}) [ \t]*
    | \$ORIGIN [ \t]+ (?P<origin>(?:[-_0-9a-z]+\.)+) [ \t]*
    | (?P<owner>@|[-*_.0-9a-z]+)? [ \t]+ (?:(?P<ttl>[0-9]{{1,9}})[ \t]+)?
      (?:IN[ \t]+ (?(ttl)|(?:(?P<ttl_behind>[0-9]{{1,9}})[ \t]+)?))?
      (?P<type>A|AAAA|CAA|CNAME|MX|NS|PTR|SOA|SRV|TLSA|TXT) [ \t]+
      (?P<data>{_WORD} (?:[ \t]+{_WORD})* (?:[ \t]* \( (?:[ \t\n0-9a-z]|;[^\n]*\n)* \))?) [ \t]*
    | [ \t]*
    ) (?:;[^\n]*)? (?:\n|\Z)""",
    re.IGNORECASE | re.VERBOSE,
)
"""One line, or a record whose data end with brackets around words: no escapes, no bytes over 126, nothing inherited but
owner, $TTL and an absolute $ORIGIN."""

_ALONE = ("CNAME", "SOA")
"""Types of which a name has one record."""


class NotPlain(Exception):
    """The file is to be read by dnspython."""


@dataclass(slots=True)
class _Lines:
    """The records of one RRset: their TTL as it is written, and the $ORIGIN and the text of each one's data."""

    ttl: str
    data: list[tuple[str, str]]


_Sorted = dict["Name", dict[str, _Lines]]


@dataclass(frozen=True, slots=True)
class PlainZone:
    """What a plain master file says, and the lines that say it."""

    data: ZoneData
    lines: _Sorted


def read_plain(text: str, apex: Name, before: PlainZone | None = None) -> PlainZone:
    """Read a master file that is plain.

    :param text: one character per byte
    :param apex: of the zone
    :param before: an earlier text of the zone; RRsets that stand there in the same words are not read again
    :raises NotPlain: it is not plain, or something is wrong with it
    """
    try:
        lines = _LineReader(apex).sort(text.replace("\r\n", "\n"))
        return PlainZone({name: _node(name, types, before) for name, types in lines.items()}, lines)
    except (dns.exception.DNSException, ValueError):
        raise NotPlain from None


class _LineReader:
    """Sorts the lines of one file by the name and type of the record in them."""

    def __init__(self, apex: Name) -> None:
        self._apex = apex
        self._origin = apex.to_text(omit_final_dot=True)
        self._ttl: str | None = None
        self._found: _Sorted = {}
        self._nodes: dict[tuple[str, str], dict[str, _Lines]] = {}
        """What was found for each owner, by $ORIGIN and its text."""
        self._node: dict[str, _Lines] | None = None

    def sort(self, text: str) -> _Sorted:
        """:raises NotPlain: it is not plain, or no zone"""
        position = 0
        while position < len(text):
            line = _LINE.match(text, position)
            if line is None:
                raise NotPlain
            self._take(*line.groups())
            position = line.end()
        apex = self._found.get(self._apex, {})
        if "SOA" not in apex or "NS" not in apex or any(map(_is_crowded, self._found.values())):
            raise NotPlain
        return self._found

    def _take(
        self,
        default: str | None,
        origin: str | None,
        owner: str | None,
        ttl: str | None,
        ttl_behind: str | None,
        rdtype: str | None,
        data: str | None,
    ) -> None:
        if rdtype and data:
            self._take_record(owner, ttl or ttl_behind or self._ttl, rdtype.upper(), data)
        self._ttl = default or self._ttl
        self._origin = origin[:-1] if origin else self._origin

    def _take_record(self, owner: str | None, ttl: str | None, rdtype: str, data: str) -> None:
        if owner:
            self._node = self._nodes.get((self._origin, owner)) or self._new_node(owner)
        if self._node is None or ttl is None:
            raise NotPlain
        lines = self._node.setdefault(rdtype, _Lines(ttl, []))
        # What several TTLs of one RRset mean is for dnspython to say.
        if lines.ttl != ttl:
            raise NotPlain
        lines.data.append((self._origin, data))

    def _new_node(self, owner: str) -> dict[str, _Lines]:
        origin = values.name_of(self._origin)
        name = origin if owner == "@" else dns.name.from_text(owner, origin)
        if not name.is_subdomain(self._apex):
            raise NotPlain
        return self._nodes.setdefault((self._origin, owner), self._found.setdefault(name, {}))


def _is_crowded(node: Mapping[str, _Lines]) -> bool:
    return any(len(node[rdtype].data) > 1 for rdtype in _ALONE if rdtype in node) or ("CNAME" in node and len(node) > 1)


def _node(name: Name, types: Mapping[str, _Lines], before: PlainZone | None) -> dict[str, Records]:
    known = before.lines.get(name, {}) if before else {}
    return {
        rdtype: before.data[name][rdtype] if before and known.get(rdtype) == lines else _records(rdtype, lines)
        for rdtype, lines in types.items()
    }


def _records(rdtype: str, lines: _Lines) -> Records:
    rdatas = tuple(_rdata(rdtype, data, values.name_of(origin)) for origin, data in lines.data)
    # To compare data takes longer than to read them.
    return Records(int(lines.ttl), rdatas if len(rdatas) == 1 else tuple(dict.fromkeys(rdatas)))


def _rdata(rdtype: str, data: str, origin: Name) -> Rdata:
    return dns.rdata.from_text(dns.rdataclass.IN, rdtype, data, origin=origin, relativize=False)
