# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One UPDATE of a zone (RFC 2136): what must still stand there, and what is to change, as bytes for the wire.

dnspython keeps its records as a message of RRsets, which takes longer than all else about a change of thousands of
zones. Here records are put one after the other; their names and data are dnspython's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ansible_collections.mailroom.erp.plugins.module_utils.dns import values
from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages.answer import HEADER, RECORD, asked_bytes
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, values_of

with contextlib.suppress(ImportError):
    import dns.opcode
    import dns.rdataclass
    import dns.rdatatype

if TYPE_CHECKING:
    from dns.rdata import Rdata
    from dns.rdataset import Rdataset

_NOT_BESIDE_CNAME = ("A", "AAAA", "MX", "NS", "TXT", "SRV", "CAA")


class Update:
    """An UPDATE that is being put together; servers work through it in the order in which it was.

    :param zone: the apex, as ``values.text_of`` writes it; so are all names
    """

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self._required: list[bytes] = []
        self._changes: list[bytes] = []

    def require(self, key: Key, rdatas: Iterable[Rdata]) -> None:
        """These data must stand there, and no others of their type (section 2.4.2)."""
        self._required += [_record(key, dns.rdataclass.IN, 0, rdata) for rdata in rdatas]

    def require_none(self, name: str, rdtype: str = "ANY") -> None:
        """No data of this type may stand there (section 2.4.3), or none at all (section 2.4.5)."""
        self._required.append(_record((name, rdtype), dns.rdataclass.NONE))

    def delete(self, key: Key, rdata: Rdata) -> None:
        """Take exactly this away (section 2.5.4)."""
        self._changes.append(_record(key, dns.rdataclass.NONE, 0, rdata))

    def delete_all(self, key: Key) -> None:
        """Take all data of this type away (section 2.5.2)."""
        self._changes.append(_record(key, dns.rdataclass.ANY))

    def add(self, key: Key, ttl: int, rdatas: Iterable[Rdata]) -> None:
        """Put these beside what is there (section 2.5.1)."""
        self._changes += [_record(key, dns.rdataclass.IN, ttl, rdata) for rdata in rdatas]

    def wire(self, number: int) -> bytes:
        """The message, without signature (section 2).

        :param number: its ID
        """
        head = HEADER.pack(number, dns.opcode.UPDATE << 11, 1, len(self._required), len(self._changes), 0)
        return b"".join((head, asked_bytes((self.zone, "SOA")), *self._required, *self._changes))


def update_of(zone: str, changes: Sequence[Change], known: Mapping[Key, Rdataset | None]) -> Update:
    """The UPDATE that makes these changes as long as all is as it was read.

    :param known: what was read, exactly
    :raises ProviderError: something is to change that was not read
    """
    update = Update(zone)
    for change in changes:
        _require_unchanged(update, change, known)
        _require_room(update, change, {other.key for other in changes})
    _take_and_put(update, changes, known)
    return update


def _record(key: Key, rdclass: int, ttl: int = 0, rdata: Rdata | None = None) -> bytes:
    name, rdtype = key
    data = b"" if rdata is None else rdata.to_wire() or b""
    return values.wire_of(name) + RECORD.pack(dns.rdatatype.from_text(rdtype), rdclass, ttl, len(data)) + data


def _require_unchanged(update: Update, change: Change, known: Mapping[Key, Rdataset | None]) -> None:
    if change.key not in known:
        raise ProviderError(f"{change.key[1]} at {change.key[0]} was not read before it was to be changed")
    rdataset = known[change.key]
    if rdataset:
        update.require(change.key, rdataset)
    else:
        update.require_none(*change.key)


def _require_room(update: Update, change: Change, changing: Collection[Key]) -> None:
    """A CNAME stands alone, and a server leaves out what would not without a word (RFC 2136 section 3.4.2.2)."""
    name, rdtype = change.key
    if change.after is None or (rdtype == "CNAME" and change.before):
        return
    if rdtype != "CNAME":
        unwanted = ["CNAME"]
    elif any(other != change.key and other[0] == name for other in changing):
        unwanted = list(_NOT_BESIDE_CNAME)
    else:
        return update.require_none(name)
    for other in unwanted:
        if (name, other) not in changing:
            update.require_none(name, other)


def _take_and_put(update: Update, changes: Sequence[Change], known: Mapping[Key, Rdataset | None]) -> None:
    """Delete exactly the rdata that go, then add those that come; for another TTL that is all of them.

    MX records go together, and those that stay come again: PowerDNS (4.7) deletes only what has the same letters, and
    an answer does not tell it, as its names are compressed.

    The server works through them in order and leaves out what may not stand beside what is still there. Knot keeps the
    TTL that an RRset has, however often its data are added again.
    """
    coming: dict[Key, list[Rdata]] = {}
    for change in changes:
        before, after = values_of(change.before), values_of(change.after)
        going, renewed = values.departed(before, after), change.changes_ttl or change.key[1] == "MX"
        coming[change.key] = []
        if change.key[1] == "MX" and change.before:
            update.delete_all(change.key)
        for rdata in known[change.key] or ():
            goes = (value := values.value_of(rdata)) in going
            if goes:
                going.remove(value)
            if (goes or renewed) and change.key[1] != "MX":
                update.delete(change.key, rdata)
            if not goes and renewed:
                coming[change.key].append(rdata)
        coming[change.key] += [values.rdata_of(change.key[1], value) for value in values.departed(after, before)]
    for change in changes:
        if change.after:
            update.add(change.key, change.after.ttl, coming[change.key])
