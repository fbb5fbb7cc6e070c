# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Any provider class of octoDNS as a back end for a few records: its own plan, looked at before it is applied."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
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
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.octodns import octodns_records
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.octodns.octodns_class import OctodnsClass, apex
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.octodns.octodns_records import (
    OctodnsFacts,
    key_of,
    octodns_rrset,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset, ZoneState, is_same
from ansible_collections.mailroom.erp.plugins.module_utils.dns.unclear_write import judge_unclear_write
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import longest_match

_LOCK_SECONDS = 900.0
"""How long to wait for another run on this machine that is writing the same zone; classes may wait for minutes."""


@dataclass(frozen=True, slots=True)
class _Token:
    """All that stood at the names that were read."""

    facts: OctodnsFacts


class OctodnsProvider:
    """The zones that one octoDNS provider class reaches with its options."""

    def __init__(self, dns: Mapping[str, Any]) -> None:
        """Take the option ``dns``; the class is looked up, nothing is asked yet.

        :param dns: checked, with defaults; see ``account.with_defaults``
        :raises MissingLibrary: octoDNS, the package of the class, or dnspython is not installed
        :raises ProviderError: there is no such class, or it needs the user's word
        """
        libraries.require("dns.name")
        self._class = OctodnsClass(dns)
        self._named = frozenset(apex(zone) for zone in dns["zones"])
        self._listed: frozenset[str] | None = self._named or None
        self._listing = threading.Lock()

    def zone_of(self, name: str) -> str:
        """See :meth:`Provider.zone_of`: among ``dns.zones``, or else those that the class lists."""
        zone = longest_match(name, self._zones(name))
        if zone is None:
            raise ZoneNotFound(
                f"{self._class.name}: none of its zones holds {name}. "
                "Name the zone in dns.zones, or the DNS account that serves it"
            )
        return zone

    def read(self, zone: str, keys: Collection[Key]) -> ZoneState:
        """See :meth:`Provider.read`. octoDNS reads whole zones; the token is all that stands at the names asked for."""
        zone, names = values.text_of(values.name_of(zone)), {name for name, _rdtype in keys}
        check_inside(zone, names)
        records = self._populated(self._class.made(zone), zone).records
        elsewhere = octodns_records.cuts(records, zone, names)
        wanted = {(name, rdtype) for key in keys for name, rdtype in (key, (key[0], "CNAME")) if name not in elsewhere}
        found = sorted((record for record in records if key_of(record) in wanted), key=key_of)
        token = _Token(octodns_records.facts(records, names - set(elsewhere)))
        return ZoneState(zone, {key_of(record): octodns_rrset(record) for record in found}, token, elsewhere)

    def read_whole(self, zone: str) -> dict[Key, RRset]:
        """See :meth:`ReadsWhole.read_whole`."""
        zone = values.text_of(values.name_of(zone))
        records = self._populated(self._class.made(zone), zone).records
        return {key_of(one): octodns_rrset(one) for one in records if key_of(one)[1] in WHOLE_TYPES}

    def apply(self, zone: str, changes: Sequence[Change], token: object) -> None:
        """See :meth:`Provider.apply`.

        octoDNS knows no condition for a write. Other runs on this machine are kept away by a lock while the zone is
        read again, compared and written; what another controller writes in that moment shows in the next read.
        """
        if not isinstance(token, _Token):
            raise TypeError(f"the token of a read is wanted, not a {type(token).__name__}")
        identity = f"{self._class.name} {zone}"
        zone_lock.write_alone("octodns", identity, zone, _LOCK_SECONDS, lambda: self._write(zone, changes, token))

    def _zones(self, name: str) -> frozenset[str]:
        with self._listing:
            if self._listed is None:
                if not self._class.lists_zones:
                    raise ProviderError(
                        f"{self._class.name} cannot list its zones, so the one that holds {name} is not known. "
                        "Name its zones in dns.zones, or give the option zone"
                    )
                self._listed = self._class.listed_zones(name)
            return self._listed

    def _populated(self, source: Any, zone: str) -> Any:
        """The whole zone as octoDNS reads it.

        :raises ZoneNotFound: it is not there; a plan for it would make it
        """
        if self._named and zone not in self._named:
            exists, found = False, octodns_records.empty_zone(zone)
        else:
            exists, found = self._class.ask_again(zone, "cannot read the zone", octodns_records.populated, source, zone)
        if not exists and not found.records:
            raise ZoneNotFound(
                f"{self._class.name}: there is no zone {zone} there, and none is made. "
                "Correct the option zone, or dns.zones, or name the DNS account that serves it"
            )
        self._class.check_accepted(zone)
        return found

    def _write(self, zone: str, changes: Sequence[Change], token: _Token) -> None:
        names = names_of(zone, changes, token.facts)
        source = self._class.made(zone)
        existing = self._populated(source, zone)
        if octodns_records.facts(existing.records, names) != {name: token.facts[name] for name in names}:
            raise Conflict(
                f"{self._class.name}, zone {zone}: someone else has changed {_list(names)} since it was read"
            )
        desired = self._class.ask(zone, "cannot hold the change", octodns_records.changed, existing, changes)
        plan = self._class.ask(zone, "cannot plan the change", source.plan, desired)
        self._check(zone, changes, plan)
        try:
            self._class.act(zone, "failed to apply the change", source.apply, plan)
        except ProviderError as failed:
            self._look(zone, changes, failed)

    def _check(self, zone: str, changes: Sequence[Change], plan: Any) -> None:
        """See that octoDNS plans exactly what is wanted.

        :raises Conflict: it would touch what nobody asked for: somebody else's change, or an idea of the class
        """
        planned = {key_of(change.record): change for change in (plan.changes if plan else ())}
        wanted = {change.key: change for change in changes}
        stray = sorted(" ".join(key) for key in set(planned) - set(wanted))
        if stray or getattr(plan, "meta", None):
            what = ", ".join(stray) or "settings of the zone"
            raise Conflict(
                f"{self._class.name}, zone {zone}: it would also change {what}, which nobody asked for. "
                "Nothing was written; if it says so again, this class cannot be used for the zone"
            )
        if plan and plan.exists is False:
            raise ZoneNotFound(f"{self._class.name}: the zone {zone} is gone, and none is made")
        for key, change in wanted.items():
            self._check_one(zone, change, planned.get(key))

    def _check_one(self, zone: str, change: Change, planned: Any) -> None:
        where = f"{self._class.name}, zone {zone}: {' '.join(change.key)}"
        if planned is None:
            raise ProviderError(
                f"{where}: it plans no change there. It may not offer that TTL (its least one is an option of some "
                "classes), or leave records of this type alone"
            )
        if not is_same(_rrset(planned.existing), change.before):
            raise Conflict(f"{where}: someone else has changed it since it was read")
        if not is_same(_rrset(planned.new), change.after):
            raise ProviderError(f"{where}: it would write something else than wanted. Use another provider")

    def _look(self, zone: str, changes: Sequence[Change], failed: ProviderError) -> None:
        """Something went wrong while the plan was applied: find out how far it came.

        :raises Conflict: nothing was done, or somebody else's change stands there, so that it may be tried again
        """
        try:
            records = {key_of(record): record for record in self._populated(self._class.made(zone), zone).records}
            found = {change.key: _rrset(records.get(change.key)) for change in changes}
        except ProviderError as error:
            raise ProviderError(f"{failed}; it is not known whether zone {zone} has changed: {error}") from None
        judge_unclear_write(zone, changes, found, failed)


def _rrset(record: Any) -> RRset | None:
    return octodns_rrset(record) if record is not None else None


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
