# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Plain master files, read in a tenth of the time that dnspython takes; what is not plain is left to dnspython.

Nothing rests on this reader: it takes only lines that can mean one thing, whoever reads them, and gives up on the whole
file at the first that it does not know. Names and data are read by dnspython here too: at once, or, where a grammar
says that dnspython will read them, when somebody asks for them. It knows nothing of the entries by which a file is
edited, so an edit that goes wrong does not go wrong here in the same way.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from ansible_collections.mailroom.erp.plugins.module_utils.dns import values
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles.zone_data import Records, ZoneData

with contextlib.suppress(ImportError):
    import dns.exception
    import dns.rdata
    import dns.rdataclass

if TYPE_CHECKING:
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

_NAME = r"(?:@|(?:[-*_0-9a-z]{1,63}\.)*[-*_0-9a-z]{1,63}\.?)"
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_STRING = r'(?:"[^"]{0,255}"|[^"\s();]{1,255})'
_SECONDS = "(?:[0-9]{1,9}|(?:[0-9]{1,3}[wdhms]){1,3})"
_SURE = {
    "A": re.compile(rf"{_BYTE}(?:\.{_BYTE}){{3}}"),
    "CNAME": re.compile(_NAME, re.IGNORECASE),
    "MX": re.compile(rf"[0-9]{{1,4}} {_NAME}", re.IGNORECASE),
    "NS": re.compile(_NAME, re.IGNORECASE),
    "PTR": re.compile(_NAME, re.IGNORECASE),
    "SOA": re.compile(rf"{_NAME} {_NAME} (?:[0-9]{{1,9}}|[1-3][0-9]{{9}})(?: {_SECONDS}){{4}}", re.IGNORECASE),
    "TXT": re.compile(rf"{_STRING}(?: {_STRING})*"),
}
"""Data that dnspython reads, whatever stands around them: their words with a blank between two of them."""
_LONGEST_NAME = 253
_BRACKETS = re.compile(r"[()]|;[^\n]*")
_WITHOUT_NAMES = ("A", "AAAA", "CAA", "TLSA", "TXT")


class NotPlain(Exception):
    """The file is to be read by dnspython."""


@dataclass(slots=True)
class _Lines:
    """The records of one RRset: their TTL as it is written, and the $ORIGIN and the text of each one's data."""

    ttl: str
    data: list[tuple[str, str]]


_Sorted = dict[str, dict[str, _Lines]]
"""Owner names in lower case without the final dot; the lines of each by type."""


def read_plain(text: str, apex: str, before: tuple[str, ZoneData] | None = None) -> ZoneData:
    """Read a master file that is plain.

    :param text: one character per byte
    :param apex: of the zone, as ``values.text_of`` writes it
    :param before: an earlier text of the zone, a plain one, and what it says; names and RRsets that stand there in the
        same words are taken from it
    :raises NotPlain: it is not plain, or something is wrong with it
    """
    try:
        lines = _sorted_lines(text, apex)
        known = _sorted_lines(before[0], apex) if before else {}
        data = before[1] if before else {}
        return {owner: _node(types, known.get(owner, {}), data.get(owner, {})) for owner, types in lines.items()}
    except (dns.exception.DNSException, ValueError):
        raise NotPlain from None


def _sorted_lines(text: str, apex: str) -> _Sorted:
    return _LineReader(apex).sort(text.replace("\r\n", "\n"))


class _LineReader:
    """Sorts the lines of one file by the name and type of the record in them."""

    def __init__(self, apex: str) -> None:
        self._apex = self._origin = apex
        self._ttl: str | None = None
        self._found: _Sorted = {}
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
            name = self._whole(owner).lower()
            self._node = self._found.get(name) or self._new_node(name)
        if self._node is None or ttl is None:
            raise NotPlain
        lines = self._node.setdefault(rdtype, _Lines(ttl, []))
        # What several TTLs of one RRset mean is for dnspython to say.
        if lines.ttl != ttl:
            raise NotPlain
        lines.data.append((self._origin, data))

    def _whole(self, owner: str) -> str:
        if owner == "@":
            return self._origin
        return owner[:-1] if owner.endswith(".") else f"{owner}.{self._origin}"

    def _new_node(self, name: str) -> dict[str, _Lines]:
        if not values.is_plain_name(name) or not values.is_at_or_below(name, self._apex):
            raise NotPlain
        return self._found.setdefault(name, {})


def _is_crowded(node: Mapping[str, _Lines]) -> bool:
    return any(len(node[rdtype].data) > 1 for rdtype in _ALONE if rdtype in node) or ("CNAME" in node and len(node) > 1)


def _node(
    types: Mapping[str, _Lines], known: Mapping[str, _Lines], before: Mapping[str, Records]
) -> Mapping[str, Records]:
    if known == types:
        return before
    return {
        rdtype: before[rdtype] if known.get(rdtype) == lines else _records(rdtype, lines)
        for rdtype, lines in types.items()
    }


def _records(rdtype: str, lines: _Lines) -> Records:
    read = partial(_rdatas, rdtype, lines.data)
    is_sure = all(_is_sure(rdtype, origin, data) for origin, data in lines.data)
    return Records(int(lines.ttl), read if is_sure else read())


def _is_sure(rdtype: str, origin: str, data: str) -> bool:
    """Whether dnspython will read the data, so that it need not be asked before somebody wants them."""
    grammar = _SURE.get(rdtype)
    words = data if rdtype in _WITHOUT_NAMES else " ".join(_BRACKETS.sub(" ", data).split())
    is_short = rdtype in _WITHOUT_NAMES or len(words) + len(origin) < _LONGEST_NAME
    return grammar is not None and is_short and grammar.fullmatch(words) is not None


def _rdatas(rdtype: str, data: list[tuple[str, str]]) -> tuple[Rdata, ...]:
    found = tuple(_rdata(rdtype, text, "." if rdtype in _WITHOUT_NAMES else origin) for origin, text in data)
    # To compare data takes longer than to read them.
    return found if len(found) == 1 else tuple(dict.fromkeys(found))


@lru_cache(maxsize=1 << 12)
def _rdata(rdtype: str, data: str, origin: str) -> Rdata:
    """Many zones hold the same words."""
    return dns.rdata.from_text(dns.rdataclass.IN, rdtype, data, origin=values.name_of(origin), relativize=False)
