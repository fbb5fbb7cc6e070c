# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Domains at TransIP: one list to read a zone, single requests to change it, each looked at when its end is unclear."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils import libraries
from ansible_collections.mailroom.erp.plugins.module_utils.dns import values, zone_lock
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import (
    WHOLE_TYPES,
    Conflict,
    ProviderError,
    ZoneNotFound,
    check_inside,
    names_of,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.transip.transip_answer import TransipEntry
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.transip.transip_api import (
    TRANSIP_PAUSE,
    TransipApi,
    UnclearStep,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.transip.transip_steps import (
    Entries,
    TransipStep,
    shows_copies,
    transip_steps,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.rate_gate import LONGEST_WAIT
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset, ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.dns.unclear_write import judge_unclear_write
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import longest_match

_LOCK_SECONDS = 60.0 + LONGEST_WAIT
"""How long to wait for another run on this machine that is writing the same zone."""
_ATTEMPTS = 3
"""How often a step is sent that is known not to have been done."""
_LOOKS_FOR_OTHERS, _LOOKS_FOR_CALM = 10, 4
"""How often to look whether a run on another controller has ended: before a write, and before a read is believed."""
_NS_TTL = 86400

_ByName = Mapping[str, Entries]


@dataclass(frozen=True, slots=True)
class _Token:
    """All entries of the names that were read, in a fixed order."""

    entries: _ByName


class TransipProvider:
    """The domains of one TransIP account."""

    def __init__(self, dns: Mapping[str, Any], tell: Callable[[str], None]) -> None:
        """Take the option ``dns``; no connection is made yet.

        :param dns: checked, with defaults; see ``account.with_defaults``
        :param tell: called with a line for the user when TransIP limits the rate
        :raises MissingLibrary: requests, cryptography or dnspython is not installed
        :raises ProviderError: the token or the key cannot be one
        """
        libraries.require("dns.name")
        self._api = TransipApi(dns, tell)
        self._listed: frozenset[str] | ProviderError | None = None
        self._listing = threading.Lock()

    def zone_of(self, name: str) -> str:
        """See :meth:`Provider.zone_of`."""
        zone = longest_match(name, self._domains(name))
        if zone is None:
            raise ZoneNotFound(
                f"TransIP: none of the domains of this account holds {name}. "
                "Add the domain there, or name the DNS account that serves it"
            )
        return zone

    def read(self, zone: str, keys: Collection[Key]) -> ZoneState:
        """See :meth:`Provider.read`. The token holds all entries of the names as they are."""
        zone, names = values.text_of(values.name_of(zone)), {name for name, _rdtype in keys}
        check_inside(zone, names)
        apex = (zone, "NS")
        servers = self._name_servers(zone) if apex in keys else {}
        if set(keys) == {apex}:
            return ZoneState(zone, servers, _Token({}))
        entries = self._calm_entries(zone, names)
        elsewhere = _elsewhere(zone, entries, names)
        here = _by_name(zone, entries, names - set(elsewhere))
        wanted = {*keys, *((name, "CNAME") for name in names)} - {apex}
        rrsets = {key: rrset for key in sorted(wanted) if (rrset := _rrset(zone, key, here.get(key[0], ())))}
        return ZoneState(zone, {**rrsets, **servers}, _Token(here), elsewhere)

    def read_whole(self, zone: str) -> dict[Key, RRset]:
        """See :meth:`ReadsWhole.read_whole`."""
        zone = values.text_of(values.name_of(zone))
        entries = self._api.entries(zone)
        keys = {(name, one.type) for one in entries if one.type in WHOLE_TYPES and (name := one.name(zone))}
        here = _by_name(zone, entries, {name for name, _type in keys})
        return {key: rrset for key in keys if (rrset := _rrset(zone, key, here[key[0]]))}

    def apply(self, zone: str, changes: Sequence[Change], token: object) -> None:
        """See :meth:`Provider.apply`.

        TransIP knows no condition for a write, and takes one entry at a time. Other runs on this machine are kept away
        by a lock while the entries are read again, compared and written; what another controller writes in that moment
        shows in the next read. The steps are such that each of them leaves every RRset as it was or as it shall be.
        """
        if not isinstance(token, _Token):
            raise TypeError(f"the token of a read is wanted, not a {type(token).__name__}")
        zone_lock.write_alone("transip", zone, zone, _LOCK_SECONDS, lambda: self._write(zone, changes, token))

    def _calm_entries(self, zone: str, names: Collection[str]) -> list[TransipEntry]:
        """All entries, once no run on another controller is seen at work at these names, or after some looks."""
        for _look in range(_LOOKS_FOR_CALM):
            entries = self._api.entries(zone)
            if not shows_copies(_all(_by_name(zone, entries, names))):
                break
            time.sleep(TRANSIP_PAUSE)
        return entries

    def _domains(self, name: str) -> frozenset[str]:
        with self._listing:
            if self._listed is None:
                try:
                    self._listed = frozenset(self._api.domains(name))
                except ProviderError as error:
                    # The next name would not fare better, and there may be thousands.
                    self._listed = error
            if isinstance(self._listed, ProviderError):
                raise self._listed
            return self._listed

    def _name_servers(self, zone: str) -> dict[Key, RRset]:
        key, hosts = (zone, "NS"), self._api.name_servers(zone)
        return {key: RRset(*key, _NS_TTL, tuple(f"{host}." for host in hosts))} if hosts else {}

    def _write(self, zone: str, changes: Sequence[Change], token: _Token) -> None:
        names = names_of(zone, changes, token.entries)
        known = {name: token.entries[name] for name in names}
        self._compare(zone, known)
        state = _all(known)
        for step in transip_steps(zone, changes, known, secrets.randbelow(1000)):
            if not self._take(zone, changes, step, state, names):
                return
            state = step.done(state)

    def _compare(self, zone: str, known: _ByName) -> None:
        """See that all is as it was read, and that no run on another controller is at work.

        :raises Conflict: somebody else has changed it, or changes it now
        """
        for attempt in range(_LOOKS_FOR_OTHERS):
            time.sleep(TRANSIP_PAUSE if attempt else 0.0)
            if self._look(zone, known) != known:
                where = ", ".join(sorted(known))
                raise Conflict(f"TransIP, zone {zone}: someone else has changed {where} since it was read. Run again")
            if not shows_copies(_all(known)):
                return

    def _look(self, zone: str, names: Collection[str]) -> _ByName:
        """The entries of some names as they are now."""
        return _by_name(zone, self._api.entries(zone, write=True), names)

    def _take(
        self, zone: str, changes: Sequence[Change], step: TransipStep, state: Entries, names: Collection[str]
    ) -> bool:
        """Do a step; when it is unclear what became of it, look before it is sent again.

        :returns: False when the world shows already what is wanted, so that no step needs to follow
        :raises Conflict: nothing is done, or somebody else is at work
        :raises ProviderError: TransIP refused it, or the zone is changed in part
        """
        if step.after_others:
            self._wait_for_others(zone, step, names)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._api.take(zone, step)
                return True
            except ProviderError as error:
                failed = error
            found = self._looked(zone, names, failed)
            if _all(found) == step.done(state):
                return True
            if not isinstance(failed, UnclearStep) or _all(found) != state:
                break
            time.sleep(TRANSIP_PAUSE * attempt)
        refused = not isinstance(failed, UnclearStep) and _all(found) == state
        found = self._undone(zone, step, found, names, failed)
        rrsets = {change.key: _rrset(zone, change.key, found[change.key[0]]) for change in changes}
        if refused and all(rrsets[one.key] == one.before for one in changes):
            raise ProviderError(f"{failed}. {step.way_out}".removesuffix(". ")) from failed
        judge_unclear_write(zone, changes, rrsets, failed)
        return False

    def _wait_for_others(self, zone: str, step: TransipStep, names: Collection[str]) -> None:
        """Runs on other controllers may have a copy of the same entry; they see that they are late, and take it away.

        :raises Conflict: a copy stays, as one of a run that died does; the next attempt knows it and clears it away
        """
        for attempt in range(1, _LOOKS_FOR_OTHERS + 1):
            try:
                if _copies(_all(self._look(zone, names)), step.old) <= 1:
                    return
            except ProviderError:
                # The record is as it was to the world; what was begun is worth another question.
                if attempt == _LOOKS_FOR_OTHERS:
                    raise
            time.sleep(TRANSIP_PAUSE)
        raise Conflict(f"TransIP, zone {zone}: another run is changing {step.entry.owner} {step.entry.type}. Run again")

    def _looked(self, zone: str, names: Collection[str], failed: ProviderError) -> _ByName:
        time.sleep(TRANSIP_PAUSE if isinstance(failed, UnclearStep) else 0.0)
        try:
            return self._look(zone, names)
        except ProviderError as error:
            raise ProviderError(f"{failed}, so it is not known whether zone {zone} has changed: {error}") from error

    def _undone(
        self, zone: str, step: TransipStep, found: _ByName, names: Collection[str], failed: ProviderError
    ) -> _ByName:
        """Take back what was done for a step that cannot be done, such as a copy; what is there then."""
        if step.undo is None or step.undo.done(_all(found)) == _all(found):
            return found
        try:
            self._api.take(zone, step.undo)
        except ProviderError as error:
            raise ProviderError(
                f"{failed}; and to take back what was begun, {_shown(step.undo)}, failed: {error}. "
                f"Look at the entries of zone {zone}, then run again"
            ) from error
        return self._looked(zone, names, failed)


def _copies(entries: Entries, entry: TransipEntry | None) -> int:
    """How many entries have the data of one, whatever their TTL."""
    return len([one for one in entries if entry and replace(one, ttl=entry.ttl) == entry])


def _shown(step: TransipStep) -> str:
    return f"{step.method} {step.entry.owner} {step.entry.ttl} {step.entry.type}"


def _all(entries: _ByName) -> Entries:
    return tuple(sorted(one for listed in entries.values() for one in listed))


def _by_name(zone: str, entries: Iterable[TransipEntry], names: Collection[str]) -> dict[str, Entries]:
    found: dict[str, list[TransipEntry]] = {name: [] for name in names}
    for entry in entries:
        if (name := entry.name(zone)) in found:
            found[name].append(entry)
    return {name: tuple(sorted(listed)) for name, listed in found.items()}


def _rrset(zone: str, key: Key, entries: Iterable[TransipEntry]) -> RRset | None:
    """An RRset as the world sees it: each value once, sorted; its TTL is the shortest one (RFC 2181 section 5)."""
    entries = [one for one in entries if one.type == key[1]]
    if not entries:
        return None
    return RRset(*key, min(one.ttl for one in entries), tuple(sorted({one.value(zone) for one in entries})))


def _elsewhere(zone: str, entries: Iterable[TransipEntry], names: Iterable[str]) -> dict[str, str]:
    """The names that are delegated away from the zone, each with where."""
    cuts = {name for one in entries if one.type == "NS" and (name := one.name(zone)) and name != zone}
    holders = ((name, longest_match(name, cuts)) for name in names)
    return {name: cut for name, cut in holders if cut is not None}
