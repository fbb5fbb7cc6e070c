# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Changes of RRsets as single requests of TransIP's API, in an order that leaves no gap and no second SPF record."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.transip.transip_answer import TransipEntry
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, mx_parts, values_of
from ansible_collections.mailroom.erp.plugins.module_utils.dns.values import departed
from ansible_collections.mailroom.erp.plugins.module_utils.problem import shown

Entries = tuple[TransipEntry, ...]

LONGEST_TRANSIP_TEXT = 1024
"""Characters of a TXT entry."""
_CHANGED = ("TXT", "CNAME", "MX")
_SPARE_TTLS = 59
_OWN_TTL = (
    "This was a copy, so that the record can change in place. Give the record a TTL of its own in TransIP's control "
    "panel, one that no other entry of its name and type has; then no copy is needed"
)
_HIGH_TTL = 86400 - _SPARE_TTLS


@dataclass(frozen=True, slots=True)
class TransipStep:
    """One request. ``entry`` is made (POST), taken away (DELETE), or put in the place of ``old`` (PATCH).

    ``undo`` takes back what was done for this step alone, when the step itself cannot be done. ``way_out`` is what the
    user can do when TransIP refuses it, where that is known better than from TransIP's words.
    """

    method: str
    entry: TransipEntry
    old: TransipEntry | None = None
    undo: TransipStep | None = None
    way_out: str = ""

    def done(self, entries: Iterable[TransipEntry]) -> Entries:
        """The entries as they are after this step, sorted.

        :param entries: as they are before it
        """
        left = list(entries)
        gone = self.entry if self.method == "DELETE" else self.old
        if gone in left:
            left.remove(gone)
        return tuple(sorted(left if self.method == "DELETE" else [*left, self.entry]))


def transip_steps(
    zone: str, changes: Sequence[Change], known: Mapping[str, Sequence[TransipEntry]], salt: int
) -> list[TransipStep]:
    """Write changes as single requests.

    PATCH changes the content of the one entry that has a name, TTL and type. Where several have, as the TXT entries of
    an apex mostly do, the entry that is to change is first copied to a TTL of its own, changed there, and copied back.
    A copy has the same data, so to the world it is the same record (RFC 2181 section 5): at every moment there is the
    old value or the new one, and a run that dies in between loses nothing.

    What others refer to is made before what refers to it, and goes after it; a CNAME stands alone (RFC 1034 section
    3.6.2), so what makes room at its name goes first.

    :param zone: the apex
    :param changes: of TXT, CNAME and MX records, each key at most once
    :param known: all entries of each name
    :param salt: chooses the spare TTL; another number in each run, so that two runs do not choose the same
    :raises ProviderError: a change of another type, or a value that TransIP does not carry
    """
    names = [change.key[0] for change in changes]
    work = _Work(zone, salt)
    for change in sorted(changes, key=lambda one: _rank(one, names.count(one.key[0]) > 1)):
        name, rdtype = change.key
        if rdtype not in _CHANGED:
            raise ProviderError(f"{name}: provider transip changes {', '.join(_CHANGED)}, not {rdtype}")
        work.add(change, [one for one in known[name] if one.type == rdtype])
    return work.steps


def _rank(change: Change, has_company: bool) -> int:
    if change.after is None:
        return 0 if has_company else 3
    return 1 if change.before is None else 2


class _Work:
    """The steps so far, and the entries of one name and type as these steps leave them."""

    def __init__(self, zone: str, salt: int) -> None:
        self._zone, self._salt = zone, salt
        self.steps: list[TransipStep] = []
        self._entries: list[TransipEntry] = []

    def add(self, change: Change, entries: Sequence[TransipEntry]) -> None:
        """Add the steps of one change.

        :param entries: of its name and type
        """
        self._entries = list(entries)
        owner = entries[0].owner if entries else _owner(change.key[0], self._zone)
        before, after = values_of(change.before), values_of(change.after)
        going, coming = departed(before, after), departed(after, before)
        ttl = change.after.ttl if change.after else 0
        if change.changes_ttl:
            for entry in [one for one in entries if one.value(self._zone) not in going]:
                self._retime(entry, ttl)
        for value in coming:
            content = _content(change.key[0], change.key[1], value)
            if not going:
                self._post(TransipEntry(owner, ttl, change.key[1], content))
                continue
            alike = max(going, key=lambda old: _shared_start(old, value))
            going.remove(alike)
            self._replace(self._of(alike), content, ttl if change.changes_ttl else None)
        for entry in [one for value in going for one in self._of(value)]:
            self._delete(entry)

    def _of(self, value: str) -> list[TransipEntry]:
        """The entries of a value: several when a run died while it had a copy."""
        return [one for one in self._entries if one.value(self._zone) == value]

    def _replace(self, same: list[TransipEntry], content: str, ttl: int | None) -> None:
        kept = next((one for one in same if self._is_alone(one)), same[0])
        seconds = kept.ttl if ttl is None else ttl
        if kept.type == "CNAME" and seconds != kept.ttl:
            self._swap(kept, replace(kept, ttl=seconds, content=content))
            return
        if not self._is_alone(kept):
            if kept.type == "TXT" and not _is_carried(kept.content):
                # What cannot be written cannot be copied either; it is no record that anybody reads.
                self._post(replace(kept, ttl=seconds, content=content))
                self._delete_all(same, None)
                return
            kept = replace(kept, ttl=self._spare_ttl(kept.ttl))
            self._do(TransipStep("POST", kept, way_out=_OWN_TTL))
        self._delete_all([one for one in same if one != kept], None if kept in same else kept)
        changed = replace(kept, content=content)
        self._do(TransipStep("PATCH", changed, kept))
        self._retime(changed, seconds)

    def _retime(self, entry: TransipEntry, ttl: int) -> None:
        if entry.ttl == ttl:
            return
        wanted = replace(entry, ttl=ttl)
        if entry.type == "CNAME":
            self._swap(entry, wanted)
            return
        if wanted not in self._entries:
            self._post(wanted)
        self._delete(entry)

    def _swap(self, old: TransipEntry, new: TransipEntry) -> None:
        """A CNAME stands alone, and PATCH keeps its TTL: for a moment there is none."""
        self._delete(old)
        self._do(TransipStep("POST", new, undo=TransipStep("POST", old)))

    def _is_alone(self, entry: TransipEntry) -> bool:
        """Whether PATCH finds this entry and no other one."""
        return [one.ttl for one in self._entries].count(entry.ttl) == 1

    def _spare_ttl(self, ttl: int) -> int:
        """A TTL that no entry here has; a little longer, so that the TTL of the RRset stays, where there is room."""
        taken = {one.ttl for one in self._entries}
        first = ttl if ttl < _HIGH_TTL else ttl - _SPARE_TTLS - 1
        choices = (first + 1 + (self._salt + number) % _SPARE_TTLS for number in range(_SPARE_TTLS))
        free = next((one for one in choices if one not in taken), None)
        if free is None:
            raise ProviderError(
                f"zone {self._zone}: too many entries of one name with different TTLs. Give them one TTL"
            )
        return free

    def _post(self, entry: TransipEntry) -> None:
        self._do(TransipStep("POST", entry))

    def _delete_all(self, entries: Sequence[TransipEntry], copy: TransipEntry | None) -> None:
        for entry in entries:
            self._do(TransipStep("DELETE", entry, undo=TransipStep("DELETE", copy) if copy else None))

    def _delete(self, entry: TransipEntry) -> None:
        self._do(TransipStep("DELETE", entry))

    def _do(self, step: TransipStep) -> None:
        self.steps.append(step)
        self._entries = list(step.done(self._entries))


def _owner(name: str, zone: str) -> str:
    """A name as TransIP writes it, relative to the zone."""
    return "@" if name == zone else name.removesuffix(f".{zone}")


def _content(name: str, rdtype: str, value: str) -> str:
    """A value as TransIP writes it.

    :raises ProviderError: it does not carry the value
    """
    if rdtype == "TXT":
        if not _is_carried(value):
            raise ProviderError(
                f"{name}: TransIP does not carry unchanged the text {shown(value)}: it takes 1 to "
                f"{LONGEST_TRANSIP_TEXT} printable ASCII characters without quotation marks, backslashes, backticks, "
                "and no blank at either end. Write it otherwise, or move the zone to another DNS service"
            )
        return value
    if rdtype == "CNAME":
        return f"{value}."
    preference, host = mx_parts(value)
    if host == ".":
        raise ProviderError(
            f"{name}: TransIP takes no null MX (RFC 7505). Leave null_mx out for this domain, or move the zone to "
            "another DNS service"
        )
    return f"{preference} {host}."


def _is_carried(text: str) -> bool:
    plain = text.isascii() and text.isprintable() and not set(text) & set('"\\`')
    return plain and 0 < len(text) <= LONGEST_TRANSIP_TEXT and text == text.strip()


def _shared_start(one: str, other: str) -> int:
    """How many characters two values begin with alike: an SPF record becomes an SPF record."""
    return len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))
