# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a name server answers to one question, and how the question stands on the wire (RFC 1035 section 4).

dnspython makes objects of all records of a message, also of those that nobody looks at; over thousands of zones that
took most of the time. Here only the frame is walked over: the names and data that matter are read by dnspython.
"""

from __future__ import annotations

import contextlib
import functools
import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ansible_collections.mailroom.erp.plugins.module_utils.dns import values
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key

with contextlib.suppress(ImportError):
    import dns.exception
    import dns.flags
    import dns.name
    import dns.opcode
    import dns.rcode
    import dns.rdata
    import dns.rdataclass
    import dns.rdataset
    import dns.rdatatype

if TYPE_CHECKING:
    from dns.message import Message
    from dns.rdataset import Rdataset

UDP_BYTES = 1232
"""The EDNS buffer size that passes everywhere unfragmented (DNS Flag Day 2020)."""

MESSAGE_BYTES = 65535
"""The most that a message may have: its length over TCP is told in two bytes (RFC 1035 section 4.2.2)."""

HEADER = struct.Struct("!HHHHHH")
"""Number, flags, and how many records each of the four sections has."""
RECORD = struct.Struct("!HHIH")
"""What follows the name of a record: type, class, TTL, and the length of its data."""
_ASKED = struct.Struct("!HH")
_TO_QUESTION = b"\xc0\x0c"
"""A pointer to the name in the question, which is that of most records."""
_POINTER, _LONGEST_LABEL = 0xC0, 63


@dataclass(frozen=True, slots=True)
class Answer:
    """The part of an answer that is looked at.

    ``rrsets``: the answer section by owner and type; ``authority``: owners and types of the authority section, and of
    an SOA that is the answer: who asks for one wants to know whose zone it is, and its data are the dearest to read.
    Names are texts, which are compared faster: ``values.text_of`` writes equal names alike.
    """

    rcode: str
    authoritative: bool
    rrsets: Mapping[Key, Rdataset]
    authority: tuple[Key, ...]

    @property
    def tells(self) -> bool:
        """Whether it answers with data or with the absence of data."""
        return self.rcode in ("NOERROR", "NXDOMAIN")

    def rdataset(self, name: str, rdtype: str) -> Rdataset | None:
        """The data of this name and type, if any."""
        return self.rrsets.get((name, rdtype))

    def has(self, *rdtypes: str) -> bool:
        """Whether there are data of one of these types, of any name."""
        return any(rdtype in rdtypes for _name, rdtype in self.rrsets)

    def owners(self, *rdtypes: str) -> list[str]:
        """The owners of such data, those of the first type first, in the answer and authority sections."""
        found = [*self.rrsets, *self.authority]
        return [name for one in rdtypes for name, rdtype in found if rdtype == one]


def answer_of(message: Message) -> Answer:
    """Of a message that dnspython has read."""
    rrsets = {(values.text_of(rrset.name), _type_text(rrset.rdtype)): rrset.to_rdataset() for rrset in message.answer}
    owners = [key for key in rrsets if key[1] == "SOA"]
    told = [(values.text_of(rrset.name), _type_text(rrset.rdtype)) for rrset in message.authority]
    rrsets = {key: rdataset for key, rdataset in rrsets.items() if key not in owners}
    rcode = dns.rcode.to_text(message.rcode())
    return Answer(rcode, bool(message.flags & dns.flags.AA), rrsets, tuple(dict.fromkeys([*owners, *told])))


def question_bytes(question: Key, number: int, recursion: bool) -> bytes:
    """A question with EDNS.

    :param question: its name as ``values.text_of`` writes it
    :param recursion: whether the server is to ask others
    """
    flags = dns.flags.RD if recursion else 0
    edns = b"\0" + RECORD.pack(dns.rdatatype.OPT, UDP_BYTES, 0, 0)
    return HEADER.pack(number, flags, 1, 0, 0, 1) + asked_bytes(question) + edns


def asked_bytes(question: Key) -> bytes:
    """The question section: a name, a type and the class IN. In an UPDATE it names the zone (RFC 2136 section 2.3)."""
    return values.wire_of(question[0]) + _type_bytes(question[1])


def read_answer(question: Key, wire: bytes) -> Answer | None:
    """Read the answer to a question.

    :param wire: a message with the question's number, without signature
    :returns: None when it is no answer to it, cut off (TC), or of more than the common kind
    :raises dns.exception.DNSException: it is malformed
    """
    try:
        return _read(question, wire)
    except (struct.error, IndexError) as error:
        raise dns.exception.FormError from error


def read_transfer(zone: str, wire: bytes, rdtypes: Collection[str]) -> dict[Key, Rdataset] | None:
    """Read a zone transfer (RFC 5936 section 2.2) that is one message.

    :param zone: its apex as ``values.text_of`` writes it
    :param wire: a message with the question's number, without signature
    :param rdtypes: the types that are wanted
    :returns: None when it is not the whole zone, or of more than the common kind
    :raises dns.exception.DNSException: it is malformed
    """
    try:
        _number, flags, questions, count, _authority, _more = HEADER.unpack_from(wire)
        walk = _Walk(wire, zone)
        if flags & (dns.flags.TC | 0xF) or questions != 1 or not walk.asks((zone, "AXFR")):
            return None
        records = list(walk.records(count))
        ends = [one.rdtype == dns.rdatatype.SOA for one in (*records[:1], *records[1:][-1:])]
        if ends != [True, True]:
            return None
        found: dict[Key, Rdataset] = {}
        for one in records:
            if _type_text(one.rdtype) in rdtypes:
                _add(found, walk.name(one.begin), one, wire)
    except (struct.error, IndexError) as error:
        raise dns.exception.FormError from error
    return found


def _read(question: Key, wire: bytes) -> Answer | None:
    _number, flags, questions, *counts = HEADER.unpack_from(wire)
    walk = _Walk(wire, question[0])
    if not flags & dns.flags.QR or flags & dns.flags.TC or dns.opcode.from_flags(flags) or questions != 1:
        return None
    if not walk.asks(question):
        return None
    rrsets: dict[Key, Rdataset] = {}
    authority: dict[Key, None] = {}
    for one in walk.records(counts[0]):
        if one.rdtype == dns.rdatatype.SOA and one.rdclass == dns.rdataclass.IN:
            authority[walk.name(one.begin), "SOA"] = None
        else:
            _add(rrsets, walk.name(one.begin), one, wire)
    authority |= dict.fromkeys((walk.name(one.begin), _type_text(one.rdtype)) for one in walk.records(counts[1]))
    extended = [one.ttl for one in walk.records(counts[2]) if one.rdtype == dns.rdatatype.OPT]
    if walk.position != len(wire):
        raise dns.exception.FormError
    if any(ttl >> 24 for ttl in extended):
        return None  # the rest of its code stands there (RFC 6891 section 6.1.3)
    return Answer(dns.rcode.to_text(flags & 0xF), bool(flags & dns.flags.AA), rrsets, tuple(authority))


def _add(rrsets: dict[Key, Rdataset], name: str, one: _Record, wire: bytes) -> None:
    if one.rdclass != dns.rdataclass.IN:
        return
    rdata = dns.rdata.from_wire(one.rdclass, one.rdtype, wire, one.start, one.length)
    key = (name, _type_text(one.rdtype))
    if key not in rrsets:
        rrsets[key] = dns.rdataset.Rdataset(rdata.rdclass, rdata.rdtype, rdata.covers())
    # A TTL with its highest bit set is zero (RFC 2181 section 8).
    rrsets[key].add(rdata, one.ttl if one.ttl < 1 << 31 else 0)


@functools.lru_cache(maxsize=1 << 8)
def _type_text(rdtype: int) -> str:
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rdtype))


@functools.lru_cache(maxsize=1 << 8)
def _type_bytes(rdtype: str) -> bytes:
    """A type and the class IN, as they follow the name in a question."""
    return _ASKED.pack(dns.rdatatype.from_text(rdtype), dns.rdataclass.IN)


class _Record(NamedTuple):
    """One record: its name begins at ``begin``, its data are ``length`` bytes from ``start``."""

    begin: int
    rdtype: Any
    rdclass: Any
    ttl: int
    start: int
    length: int


class _Walk:
    """Goes through a message from front to back."""

    def __init__(self, wire: bytes, asked: str) -> None:
        self._wire, self._asked = wire, asked
        self.position = HEADER.size

    def asks(self, question: Key) -> bool:
        """Whether what follows is this question (RFC 5452 section 9.1)."""
        name, rdtype = values.wire_of(question[0]), _type_bytes(question[1])
        begin, end = self.position, self.position + len(name)
        self.position = end + len(rdtype)
        if self.position > len(self._wire):
            raise IndexError
        # No length of a label is a letter, so this changes letters only.
        return self._wire[begin:end].lower() == name and self._wire[end : self.position] == rdtype

    def records(self, count: int) -> Iterator[_Record]:
        """The next records, one after the other."""
        for _record in range(count):
            begin = self.position
            self._skip_name()
            rdtype, rdclass, ttl, length = RECORD.unpack_from(self._wire, self.position)
            start = self.position + RECORD.size
            self.position = start + length
            if self.position > len(self._wire):
                raise IndexError
            yield _Record(begin, rdtype, rdclass, ttl, start, length)

    def name(self, begin: int) -> str:
        """The name that begins there."""
        end = begin + len(_TO_QUESTION)
        if self._wire[begin:end] == _TO_QUESTION:
            return self._asked
        return values.text_of(dns.name.from_wire(self._wire, begin)[0])

    def _skip_name(self) -> None:
        while (length := self._wire[self.position]) and length < _POINTER:
            if length > _LONGEST_LABEL:
                raise dns.exception.FormError
            self.position += length + 1
        self.position += 2 if length else 1
