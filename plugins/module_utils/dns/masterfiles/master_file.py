# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Master files (RFC 1035 section 5): read whole, and edited so that a person's file stays that person's file.

Only the entries of a changed RRset and the digits of the SOA's serial are rewritten. The new text is read again before
anyone gets it: it must say exactly the old zone with the changes, or the edit is refused.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.mailroom.erp.plugins.module_utils.dns import values
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles import master_file_entries as entry
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles.master_file_entries import Entry
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles.plain_zone import (
    NotPlain,
    read_plain,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles.zone_data import Records, ZoneData, zone_data
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset, values_of
from ansible_collections.mailroom.erp.plugins.module_utils.regular_file import read_regular

with contextlib.suppress(ImportError):
    import dns.exception
    import dns.zone
    import dns.zonefile

if TYPE_CHECKING:
    from dns.name import Name

_UNREADABLE = {
    b"\0": "it holds NUL bytes, so it is no text (BIND's raw format?); use a master file in text format",
    b"\r(?!\n)": "it holds a carriage return without a line feed; save it with one kind of line end",
    b"^\xef\xbb\xbf": "it begins with a byte order mark, which name servers refuse; save it as UTF-8 without one",
}

_GENERATE = re.compile(r"^[ \t]*\$GENERATE[ \t]+([0-9]+)-([0-9]+)", re.IGNORECASE | re.MULTILINE)
_MOST_GENERATED = 65_536
"""Records that the $GENERATE lines of a file may make together, as many as a reverse zone of IPv4 can use."""

_NOBODY: frozenset[str] = frozenset()
"""One for all zones: each empty set would take as much memory as a small zone's text."""


class MasterFile:
    """One zone as its master file says it; never changes.

    ``data`` are the file's bytes, ``origin`` is the apex; ``records`` is what the file says.
    """

    __slots__ = ("_cuts", "_is_plain", "_name", "_redirected", "_source", "data", "origin", "records")

    def __init__(self, data: bytes, zone: str, source: str, before: MasterFile | None = None) -> None:
        """Read a master file whole.

        :param data: the file's bytes
        :param zone: the apex, no trailing dot
        :param source: the file's path, for messages
        :param before: the same file before it was edited; what stands in both is read once
        :raises ProviderError: it is no master file of this zone; the message names file, line, zone and way out
        """
        self.data = data
        self.origin = values.normal_name(zone)
        self._name, self._source = zone, source
        for pattern, problem in _UNREADABLE.items():
            if re.search(pattern, data):
                raise self._error(problem)
        self._check_generated()
        plain = self._read_plain(before)
        self._is_plain = plain is not None
        self.records = self._parsed(self._text) if plain is None else plain
        self._cuts = (self._owners("NS") - {self.origin}) or _NOBODY
        self._redirected = self._owners("DNAME") or _NOBODY

    @property
    def _text(self) -> str:
        """One character per byte."""
        return self.data.decode("latin-1")

    def _owners(self, rdtype: str) -> frozenset[str]:
        return frozenset(name for name, found in self.records.items() if rdtype in found)

    def _check_generated(self) -> None:
        generated = sum(int(last) - int(first) + 1 for first, last in _GENERATE.findall(self._text))
        if generated > _MOST_GENERATED:
            raise self._error(
                f"its $GENERATE lines make {generated} records, and more than {_MOST_GENERATED} are not read; split it"
            )

    def rrset(self, key: Key) -> RRset | None:
        """The RRset of this name and type (no wildcards), None when there is none."""
        found = self.found(values.normal_name(key[0]), key[1])
        return RRset(*key, found.ttl, found.values) if found else None

    def found(self, name: str, rdtype: str) -> Records | None:
        """The records of this name and type, if there are any.

        :param name: as ``values.text_of`` writes it
        """
        node = self.records.get(name)
        return node.get(rdtype) if node else None

    def rrsets(self, rdtypes: Collection[str]) -> Iterator[RRset]:
        """All RRsets of some types."""
        for name, by_type in self.records.items():
            for rdtype, found in by_type.items():
                if rdtype in rdtypes:
                    yield RRset(name, rdtype, found.ttl, found.values)

    def cut(self, name: str) -> str | None:
        """The delegation (NS, RFC 1034 section 4.2) at or above this name inside the zone, if any."""
        return next((owner for owner in self._up_to(name) if owner in self._cuts), None) if self._cuts else None

    def redirection(self, name: str) -> str | None:
        """The nearest DNAME (RFC 6672) above this name inside the zone, if any."""
        if not self._redirected:
            return None
        return next((owner for owner in self._up_to(name) if owner != name and owner in self._redirected), None)

    def delegation(self, name: str) -> str | None:
        """What takes this name out of the zone, if anything: an NS at or above it, or a DNAME above it."""
        return self.cut(name) or self.redirection(name)

    def _up_to(self, name: str) -> Iterator[str]:
        """The name and its parents, up to the apex; only those inside the zone."""
        if values.is_at_or_below(name, self.origin):
            while name != self.origin:
                yield name
                name = values.name_above(name)
            yield name

    def edited(self, changes: Iterable[Change], today: date) -> MasterFile:
        """Make changes in the text, and raise the serial.

        :param changes: ``before`` as this file has it
        :param today: for serials that are dates
        :returns: the new file, read from its own text
        :raises ProviderError: the change cannot be made in the text; nothing is lost
        """
        changes = list(changes)
        origin = values.name_of(self.origin)
        entries = entry.read_entries(self._text, origin)
        newline = "\r\n" if "\r\n" in self._text else "\n"
        for change in changes:
            self._edit(entries, change, newline)
        self._raise_serial(entries, today)
        text = entry.render_entries(entries, origin, newline)
        new = MasterFile(text.encode("latin-1"), self._name, self._source, self)
        self._verify(new.records, changes)
        return new

    def _edit(self, entries: list[Entry], change: Change, newline: str) -> None:
        before, after = values_of(change.before), values_of(change.after)
        owner, rdtype = values.name_of(change.key[0]), change.key[1]
        leaving = self._leaving(entries, change)
        coming = values.departed(after, before)
        paired = min(len(leaving), len(coming))
        for old, new in zip(leaving, coming, strict=False):
            old.replace_data(values.rdata_text(rdtype, new))
        for old in leaving[paired:]:
            entries.remove(old)
        for new in coming[paired:]:
            _insert(
                entries, owner, values.name_of(self.origin), f"IN\t{rdtype}\t{values.rdata_text(rdtype, new)}{newline}"
            )
        for record in _records(entries, owner, rdtype):
            if change.after and record.ttl != change.after.ttl:
                record.set_ttl(change.after.ttl)

    def _leaving(self, entries: list[Entry], change: Change) -> list[Entry]:
        """The entries whose data go: all with that value, or of two rdata with one value (cut otherwise) the last."""
        after = values_of(change.after)
        leaving: list[Entry] = []
        for value in dict.fromkeys(values.departed(values_of(change.before), after)):
            records = _records(entries, values.name_of(change.key[0]), change.key[1])
            found = [record for record in records if values.value_of(record.rdata()) == value]
            kept = list(dict.fromkeys(record.rdata() for record in found))[: after.count(value)]
            leaving += [record for record in found if record.rdata() not in kept]
            if not found:
                raise self._error(
                    f"the {change.key[1]} of {change.key[0]} is no record of its own there ($GENERATE); edit it by hand"
                )
        return leaving

    def _raise_serial(self, entries: list[Entry], today: date) -> None:
        soas = _records(entries, values.name_of(self.origin), "SOA")
        if len(soas) != 1:
            raise self._error(f"it has {len(soas)} SOA records for {self._name}; leave one")
        soas[0].replace_word(2, str(next_serial(int(soas[0].word(2)), today)))

    def _verify(self, new: ZoneData, changes: Sequence[Change]) -> None:
        """Refuse a text that does not say the old zone with the changes."""
        touched = {values.normal_name(change.key[0]) for change in changes}
        old_sets, new_sets = _sets(self.records, new, touched), _sets(new, self.records, touched)
        for change in changes:
            key = (values.normal_name(change.key[0]), change.key[1])
            if not _is_made(change, old_sets.pop(key, None), new_sets.pop(key, None)):
                raise self._error(
                    f"the change of {change.key[1]} at {change.key[0]} cannot be made in its text; edit it by hand"
                )
        if not _are_same(old_sets, new_sets):
            raise self._error("the change would alter other records of it; edit it by hand")

    def _read_plain(self, before: MasterFile | None) -> ZoneData | None:
        known = (before._text, before.records) if before and before._is_plain else None
        try:
            return read_plain(self._text, self.origin, known)
        except NotPlain:
            return None

    def _parsed(self, text: str) -> ZoneData:
        origin = values.name_of(self.origin)
        try:
            explicit = entry.escape_bytes(entry.explicit_text(text, origin))
            return zone_data(dns.zone.from_text(explicit, origin=origin, relativize=False, filename="line"))
        except dns.zone.NoSOA:
            raise self._error(
                f"it has no SOA record for {self._name}, so it is not that zone; check the path and the name"
            ) from None
        except (dns.zone.NoNS, KeyError):
            raise self._error(f"it has no NS record for {self._name}, so no server would load it; add one") from None
        except dns.zonefile.CNAMEAndOtherData:
            raise self._error(
                f"{_crowded(text, origin)} has a CNAME beside other data (RFC 1034 section 3.6.2); remove one"
            ) from None
        except (dns.exception.DNSException, ValueError) as error:
            raise self._error(_syntax_error(text, origin, error)) from None

    def _error(self, problem: str) -> ProviderError:
        return ProviderError(f"{self._source} (zone {self._name}): {problem}")


def next_serial(serial: int, today: date) -> int:
    """The serial after this one: YYYYMMDDnn stays in that style, any other is raised by one (RFC 1982), never to 0.

    :param serial: 0 to 2**32 - 1
    """
    if _is_dated(serial):
        return max(int(f"{today:%Y%m%d}00"), serial + 1)
    return (serial + 1) % 2**32 or 1


def _is_dated(serial: int) -> bool:
    text = str(serial)
    if not re.fullmatch("(19[89]|20[0-9])[0-9]{7}", text):
        return False
    with contextlib.suppress(ValueError):
        return bool(date(int(text[:4]), int(text[4:6]), int(text[6:8])))
    return False


def zone_files(path: Path) -> dict[str, Path]:
    """List the zones that a path holds.

    :param path: a master file, or a folder of ``<zone>.zone`` files
    :returns: apex to file
    :raises ProviderError: the path cannot be read, or a single file does not say which zone it is
    """
    try:
        if not path.is_dir():
            return {_apex(path): path}
        with os.scandir(path) as files:
            names = sorted(file.name for file in files if not file.is_dir())
    except OSError as error:
        raise ProviderError(f"{path}: cannot be read: {error.strerror}. Check the path and its permissions") from error
    return {zone: path / name for name in names if (zone := _stem(name))}


_known: dict[tuple[str, str], MasterFile] = {}
"""What was read or written last of each file, by whole path and zone: a run looks into the same file several times, as
the account's zone and with the eyes of the world, and reading the bytes is a hundredth of the work."""


def read_master_file(file: Path, zone: str) -> MasterFile:
    """Read a master file; one whose bytes are those of the last time is not taken apart again.

    :raises ProviderError: it cannot be read, or is no master file of this zone
    """
    try:
        data = read_regular(file)
    except OSError as error:
        raise ProviderError(
            f"{file} (zone {zone}): cannot be read: {error.strerror}. Check the path and its permissions"
        ) from error
    known = _known.get(_identity(file, zone))
    if known is None or known.data != data:
        known = MasterFile(data, zone, str(file))
        remember_master_file(file, zone, known)
    return known


def remember_master_file(file: Path, zone: str, content: MasterFile) -> None:
    """Have :func:`read_master_file` know what was just written there, for as long as the bytes are these."""
    _known[_identity(file, zone)] = content


def _identity(file: Path, zone: str) -> tuple[str, str]:
    return str(file if file.is_absolute() else file.absolute()), zone


def _stem(filename: str) -> str:
    """The zone of a file named ``<zone>.zone``; empty when it is named otherwise."""
    if filename.startswith(".") or not filename.endswith(".zone"):
        return ""
    with contextlib.suppress(dns.exception.DNSException, UnicodeError):
        return values.normal_name(filename.removesuffix(".zone"))
    return ""


def _apex(file: Path) -> str:
    """The zone of a single file: its name, else its first $ORIGIN or the absolute owner of its SOA."""
    if zone := _stem(file.name):
        return zone
    with contextlib.suppress(dns.exception.DNSException, ValueError, IndexError):
        for found in entry.split_entries(read_regular(file).decode("latin-1")):
            words = [entry.escape_bytes(token.text) for token in found.tokens]
            if found.directive == "$ORIGIN" and words[1].endswith("."):
                return values.text_of(values.name_of(words[1]))
            if "SOA" in (word.upper() for word in words[:4]) and words[0].endswith("."):
                return values.text_of(values.name_of(words[0]))
    raise ProviderError(f"{file}: does not say which zone it is. Name it <zone>.zone, or begin it with $ORIGIN <zone>.")


def _insert(entries: list[Entry], owner: Name, apex: Name, record: str) -> None:
    """Put a new record after the last one of its name, else at the end of the file."""
    last = max((index for index, one in enumerate(entries) if one.type and one.name == owner), default=len(entries) - 1)
    above = entry.Above(entries[last].origin or apex, entries[last].name)
    above.move_past(entries[last])
    new = next(entry.split_entries(f"{entry.relative_name(owner, above.origin)}\t{record}"))
    new.read(above)
    entries.insert(last + 1, new)


def _records(entries: Iterable[Entry], owner: Name, rdtype: str) -> list[Entry]:
    return [one for one in entries if one.type == rdtype and one.name == owner]


_Sets = dict[Key, Records]


def _sets(records: ZoneData, other: ZoneData, touched: Collection[str]) -> _Sets:
    """All records of a zone but its SOA, without the names that stand in the other text in the very same words."""
    return {
        (name, rdtype): found
        for name, node in records.items()
        if name in touched or other.get(name) is not node
        for rdtype, found in node.items()
        if rdtype != "SOA"
    }


def _are_same(old: _Sets, new: _Sets) -> bool:
    return old.keys() == new.keys() and all(_is_same(found, new[key]) for key, found in old.items())


def _is_same(old: Records, new: Records) -> bool:
    # What stands in the same words in a plain file was read once.
    return old is new or (old.ttl == new.ttl and set(old.rdatas) == set(new.rdatas))


def _is_made(change: Change, old: Records | None, new: Records | None) -> bool:
    before, after = values_of(change.before), values_of(change.after)
    was, now = set(old.rdatas if old else ()), set(new.rdatas if new else ())
    return (
        sorted(map(values.value_of, was - now)) == sorted(values.departed(before, after))
        and sorted(map(values.value_of, now - was)) == sorted(values.departed(after, before))
        and (new.ttl if new else None) == (change.after.ttl if change.after else None)
    )


def _crowded(text: str, origin: Name) -> str:
    """Name the owner of a CNAME that stands beside other data, with its line."""
    types: dict[Name, set[str]] = {}
    above = entry.Above(origin, origin)
    # What stands below that CNAME may be broken, too.
    with contextlib.suppress(dns.exception.DNSException, ValueError, IndexError):
        for one in entry.split_entries(text):
            one.read(above)
            above.move_past(one)
            if one.type and one.name is not None and one.type not in ("RRSIG", "NSEC", "KEY"):
                types.setdefault(one.name, set()).add(one.type)
                if "CNAME" in types[one.name] and len(types[one.name]) > 1:
                    return f"line {one.line}: {values.text_of(one.name)}"
    return "a name made by $GENERATE"


def _syntax_error(text: str, origin: Name, error: Exception) -> str:
    """Say what is wrong on which line: each entry is tried alone, as dnspython has often read past the one it means."""
    if "$INCLUDE" in str(error):
        return "it uses $INCLUDE, which is not followed, so records may be hidden from view. Put all in one file"
    above, line = entry.Above(origin, origin), 0
    try:
        for one in entry.split_entries(text):
            line = one.line
            alone = f"$TTL 0\n$ORIGIN {above.origin.to_text()}\n{entry.escape_bytes(one.text)}"
            dns.zone.from_text(alone, origin=origin, relativize=False, check_origin=False, filename="line")
            one.read(above)
            above.move_past(one)
    except entry.Unclosed as unclosed:
        return f"{unclosed}; correct it"
    except (dns.exception.DNSException, ValueError) as broken:
        return f"line {line}: {_without_line(broken)}; correct it (named-checkzone shows the same)"
    return f"{_without_line(error)}; correct it (named-checkzone shows the same)"


def _without_line(error: Exception) -> str:
    return re.sub("^line:[0-9]+: ", "", str(error)).rstrip(".")
