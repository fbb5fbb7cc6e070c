# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Zones at Cloudflare: one list to read a zone, one batch to change it, records changed in place."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare.cloudflare_answer import (
    CloudflareRecord,
    CloudflareZone,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare.cloudflare_api import (
    CLOUDFLARE_PAUSE,
    CloudflareApi,
    Unclear,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare.cloudflare_batch import (
    cloudflare_batch,
    cloudflare_value,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare.cloudflare_zones import (
    CloudflareZones,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.rate_gate import LONGEST_WAIT
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset, ZoneState, is_same
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import is_inside

_LOCK_SECONDS = 60.0 + LONGEST_WAIT
"""How long to wait for another run on this machine that is writing the same zone."""
_NS_TTL = 86400
_LOCKED_BY = (
    "Cloudflare has locked it, because a service such as Email Routing needs it. Unlock it there (Email Routing, "
    "Settings, Unlock records), or make the service part with it"
)
_AUTOMATIC = 300
"""Seconds that Cloudflare serves for the TTL 1 ("automatic")."""


@dataclass(frozen=True, slots=True)
class _Token:
    """All records of the names that were read, in a fixed order."""

    records: Mapping[str, Sequence[CloudflareRecord]]


class CloudflareProvider:
    """The zones that one API token may edit."""

    def __init__(self, dns: Mapping[str, Any], tell: Callable[[str], None]) -> None:
        """Take the option ``dns``; no connection is made yet.

        :param dns: checked, with defaults; see ``account.with_defaults``
        :param tell: called with a line for the user when Cloudflare limits the rate
        :raises MissingLibrary: the SDK or dnspython is not installed
        :raises ProviderError: the token cannot be one
        """
        libraries.require("dns.name")
        self._api = CloudflareApi(dns, tell)
        self._zones = CloudflareZones(self._api)

    def zone_of(self, name: str) -> str:
        """See :meth:`Provider.zone_of`."""
        zone = self._zones.holding(name)
        if zone is None:
            raise ZoneNotFound(
                f"Cloudflare: none of the zones that this token may see holds {name}. "
                "Add the zone there, or name the DNS account that serves it"
            )
        return zone.name

    def read(self, zone: str, keys: Collection[Key]) -> ZoneState:
        """See :meth:`Provider.read`. The token holds all records of the names as they are."""
        found, names = self._zone(zone), {name for name, _rdtype in keys}
        check_inside(found.name, names)
        if set(keys) == {(found.name, "NS")}:
            return ZoneState(found.name, _name_servers(found), _Token({}))
        records = self._api.records(found, found.name if names == {found.name} else None)
        elsewhere = _elsewhere(found, records, names)
        here = _by_name(records, names - set(elsewhere))
        wanted = {*keys, *((name, "CNAME") for name in names)}
        rrsets = {key: rrset for key in sorted(wanted) if (rrset := _rrset(found, key, here.get(key[0], ())))}
        if (found.name, "NS") in wanted:
            rrsets |= _name_servers(found)
        return ZoneState(found.name, rrsets, _Token(here), elsewhere, _locked(here), _LOCKED_BY)

    def read_whole(self, zone: str) -> dict[Key, RRset]:
        """See :meth:`ReadsWhole.read_whole`."""
        found = self._zone(zone)
        records = self._api.records(found)
        here = _by_name(records, {one.name for one in records})
        keys = {(one.name, one.type) for one in records if one.type in WHOLE_TYPES}
        return {key: rrset for key in keys if (rrset := _rrset(found, key, here[key[0]]))}

    def apply(self, zone: str, changes: Sequence[Change], token: object) -> None:
        """See :meth:`Provider.apply`.

        Cloudflare knows no condition for a write. Other runs on this machine are kept away by a lock while the records
        are read again, compared and written; what another controller writes in that moment shows in the next read.
        """
        if not isinstance(token, _Token):
            raise TypeError(f"the token of a read is wanted, not a {type(token).__name__}")
        found = self._zone(zone)
        zone_lock.write_alone(
            "cloudflare", found.id, found.name, _LOCK_SECONDS, lambda: self._write(found, changes, token)
        )

    def _zone(self, zone: str) -> CloudflareZone:
        name = values.text_of(values.name_of(zone))
        found = self._zones.named(name)
        if found is None:
            raise ZoneNotFound(
                f"Cloudflare: this token may see no zone {name}. Correct the option zone, or give a token for it"
            )
        return found

    def _write(self, zone: CloudflareZone, changes: Sequence[Change], token: _Token) -> None:
        names = names_of(zone.name, changes, token.records)
        known = {name: token.records[name] for name in names}
        if self._look(zone, names) != known:
            raise _conflict(zone, names)
        try:
            self._api.write(zone, **cloudflare_batch(changes, known))
        except Unclear as lost:
            self._settle(zone, changes, known, lost)

    def _look(self, zone: CloudflareZone, names: Collection[str]) -> dict[str, tuple[CloudflareRecord, ...]]:
        """The records of some names as they are now."""
        only = next(iter(names)) if len(names) == 1 else None
        return _by_name(self._api.records(zone, only), names)

    def _settle(
        self,
        zone: CloudflareZone,
        changes: Sequence[Change],
        known: Mapping[str, Sequence[CloudflareRecord]],
        lost: Unclear,
    ) -> None:
        """What became of a write is not known: look, before anything is sent again."""
        time.sleep(CLOUDFLARE_PAUSE)
        try:
            now = self._look(zone, known)
        except ProviderError as error:
            raise ProviderError(f"{lost}, so it is not known whether zone {zone.name} has changed: {error}") from error
        if all(is_same(_rrset(zone, change.key, now[change.key[0]]), change.after) for change in changes):
            return
        state = "as it was" if now == known else "neither as it was nor as planned: someone else changes it"
        raise Conflict(f"{lost}; zone {zone.name} is {state}. Run again later") from lost


def _conflict(zone: CloudflareZone, names: Iterable[str]) -> Conflict:
    where = ", ".join(sorted(names))
    return Conflict(f"Cloudflare, zone {zone.name}: someone else has changed {where} since it was read. Run again")


def _by_name(records: Iterable[CloudflareRecord], names: Collection[str]) -> dict[str, tuple[CloudflareRecord, ...]]:
    found: dict[str, list[CloudflareRecord]] = {name: [] for name in names}
    for record in records:
        if record.name in found:
            found[record.name].append(record)
    return {name: tuple(sorted(listed)) for name, listed in found.items()}


def _locked(here: Mapping[str, Iterable[CloudflareRecord]]) -> dict[Key, tuple[str, ...]]:
    """The values that Cloudflare lets nobody change."""
    locked: dict[Key, tuple[str, ...]] = {}
    for record in itertools.chain.from_iterable(here.values()):
        if record.locked:
            key = (record.name, record.type)
            locked[key] = (*locked.get(key, ()), cloudflare_value(record))
    return locked


def _rrset(zone: CloudflareZone, key: Key, records: Iterable[CloudflareRecord]) -> RRset | None:
    """An RRset as the world sees it, its values sorted; its TTL is the shortest one (RFC 2181 section 5.2).

    A CNAME at the apex is none: Cloudflare answers with the addresses of its target, and other data may stand beside.
    """
    records = [one for one in records if one.type == key[1]]
    if not records or key == (zone.name, "CNAME"):
        return None
    ttl = min((one.ttl for one in records), key=lambda seconds: _AUTOMATIC if seconds == 1 else seconds)
    return RRset(*key, ttl, tuple(sorted(cloudflare_value(one) for one in records)))


def _name_servers(zone: CloudflareZone) -> dict[Key, RRset]:
    """The NS records of the apex, which Cloudflare makes itself and does not list."""
    key = (zone.name, "NS")
    return {key: RRset(*key, _NS_TTL, tuple(f"{host}." for host in zone.name_servers))} if zone.name_servers else {}


def _elsewhere(zone: CloudflareZone, records: Iterable[CloudflareRecord], names: Iterable[str]) -> dict[str, str]:
    """The names that are delegated away from the zone, each with where."""
    cuts = sorted({one.name for one in records if one.type == "NS" and one.name != zone.name}, key=len)
    holders = ((name, next((cut for cut in cuts if is_inside(name, cut)), None)) for name in names)
    return {name: cut for name, cut in holders if cut is not None}
