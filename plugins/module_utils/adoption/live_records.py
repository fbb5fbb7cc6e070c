# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Reads what the DNS services hold of the mail of domains, as a run that would change it does. Never writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.adoption.adoption_keys import (
    agreement_names,
    domain_keys,
    listed_keys,
    selector_keys,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import (
    LooksAhead,
    Provider,
    ProviderError,
    ReadsWhole,
    ZoneNotFound,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key, RRset, values_of
from ansible_collections.mailroom.erp.plugins.module_utils.domains.progress import Progress
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import DomainRequest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.threads import each
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import is_inside
from ansible_collections.mailroom.erp.plugins.module_utils.policy.public_suffix import is_everybodys

_QUESTIONS = 4
"""Questions under way for each zone that is worked on at the same time."""
_UNSERVED = "a zone that this DNS account does not serve"


_Place = tuple[int, str]
"""An account, by its index, and a zone."""


@dataclass(slots=True)
class LiveDomain:
    """What was read of one domain.

    ``zone`` is None where the account serves no zone that holds it; ``listed``: the service told all names of the zone,
    so that no selector is overlooked; ``elsewhere`` maps names that are delegated away to who holds them; ``problem``
    says why it could not be read.
    """

    request: DomainRequest
    zone: str | None = None
    listed: bool = False
    rrsets: dict[Key, RRset] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    problem: str | None = None

    @property
    def is_read(self) -> bool:
        """Whether there is a zone of ours that can be read."""
        return self.zone is not None and self.problem is None


_Wanted = tuple[LiveDomain, Collection[Key], int]
"""What is to be read for a domain, and by which account."""


class LiveRecords:
    """Reads many domains.

    :param providers: of the accounts, by the index that a request has
    :param selectors: DKIM selectors to look for where a service does not list its names, and in any case those of a
        domain that a person or a report named
    :param concurrency: how many zones are read at the same time
    :param progress: is told how far it is
    """

    def __init__(
        self, providers: Sequence[Provider], selectors: Collection[str], concurrency: int, progress: Progress
    ) -> None:
        self._providers, self._selectors = providers, selectors
        self._concurrency, self._progress = concurrency, progress
        self._wholes: dict[_Place, Mapping[Key, RRset] | None] = {}

    def read(self, requests: Iterable[DomainRequest], named: Mapping[str, Collection[str]]) -> list[LiveDomain]:
        """Read them.

        :param requests: the domains
        :param named: selectors of single domains that are looked for in any case
        """
        live = [LiveDomain(request) for request in requests]
        self._look_ahead((one.request.account, (one.request.domain, "SOA")) for one in live)
        each(self._progress.counted("zones found", len(live), self._find), live, self._concurrency)
        found = [one for one in live if one.is_read]
        places = list(dict.fromkeys(map(_place, found)))
        wholes = each(self._progress.counted("zones read", len(places), self._whole), places, self._concurrency)
        self._wholes = dict(zip(places, wholes, strict=True))
        self._read_all([(one, self._keys(one, named), one.request.account) for one in found], "records read")
        self._read_agreements([one for one in found if one.problem is None])
        return live

    def _find(self, one: LiveDomain) -> None:
        request = one.request
        try:
            one.zone = self._zone_of(request, request.domain, request.account)
        except ZoneNotFound:
            return
        except ProviderError as error:
            one.problem = str(error)

    def _zone_of(self, request: DomainRequest, name: str, account: int) -> str:
        if request.zone and is_inside(name, request.zone):
            return request.zone
        zone = self._providers[account].zone_of(name)
        if zone != request.domain and is_everybodys(zone):
            raise ZoneNotFound(f"{zone or '.'} is a zone under which everybody registers names")
        return zone

    def _whole(self, place: _Place) -> Mapping[Key, RRset] | None:
        account, zone = place
        provider = self._providers[account]
        if not isinstance(provider, ReadsWhole):
            return None
        try:
            return provider.read_whole(zone)
        except ProviderError:
            return None  # the names that matter most are known

    def _keys(self, one: LiveDomain, named: Mapping[str, Collection[str]]) -> list[Key]:
        """What is to be read of a domain; the rest of its zone says nothing of its mail."""
        domain, whole = one.request.domain, self._wholes[_place(one)]
        one.listed = whole is not None
        own = named.get(domain, ())
        more = selector_keys(domain, [*own, *self._selectors]) if whole is None else listed_keys(domain, whole)
        return list(dict.fromkeys([*domain_keys(domain), *selector_keys(domain, own), *more]))

    def _look_ahead(self, keys: Iterable[tuple[int, Key]]) -> None:
        """Let the services that can be asked for many records at once be asked so."""
        wanted: dict[int, list[Key]] = {}
        for account, key in keys:
            wanted.setdefault(account, []).append(key)
        for account, asked in wanted.items():
            provider = self._providers[account]
            if isinstance(provider, LooksAhead):
                provider.look_ahead(asked, self._concurrency * _QUESTIONS)

    def _read_all(self, wanted: Sequence[_Wanted], step: str) -> None:
        """Take RRsets from the zones that were read whole, and read the others, those of one zone together."""
        asked = [(one, self._not_taken(one, keys, account), account) for one, keys, account in wanted]
        self._look_ahead((account, key) for _one, keys, account in asked for key in keys)
        zones: dict[_Place, list[tuple[LiveDomain, Key]]] = {}

        def locate(item: _Wanted) -> list[tuple[_Place, Key]]:
            return list(self._located(*item))

        for (one, _keys, _account), located in zip(asked, each(locate, asked, self._concurrency), strict=True):
            for place, key in located:
                zones.setdefault(place, []).append((one, key))
        each(self._progress.counted(step, len(zones), self._read_zone), list(zones.items()), self._concurrency)

    def _not_taken(self, one: LiveDomain, keys: Collection[Key], account: int) -> list[Key]:
        """Take what the domain's own zone has; gives what is not in that zone, or not in one that was read whole."""
        whole = self._wholes.get((account, str(one.zone)))
        if whole is None:
            return list(keys)
        left = []
        for key in keys:
            if not is_inside(key[0], str(one.zone)) or _is_cut(key[0], str(one.zone), whole):
                left.append(key)
                continue
            _take(one, key, whole)
        return left

    def _located(self, one: LiveDomain, keys: Collection[Key], account: int) -> Iterable[tuple[_Place, Key]]:
        """The zones of names; one of nobody's zone is ``elsewhere``."""
        for key in keys:
            try:
                yield (account, self._zone_of(one.request, key[0], account)), key
            except ZoneNotFound:
                one.elsewhere[key[0]] = _UNSERVED
            except ProviderError as error:
                one.problem = str(error)

    def _read_zone(self, item: tuple[_Place, list[tuple[LiveDomain, Key]]]) -> None:
        (account, zone), wanted = item
        try:
            state = self._providers[account].read(zone, list(dict.fromkeys(key for _one, key in wanted)))
        except ProviderError as error:
            for one, _key in wanted:
                one.problem = str(error)
            return
        for one, key in wanted:
            _take(one, key, state.rrsets)
            if key[0] in state.elsewhere:
                one.elsewhere[key[0]] = state.elsewhere[key[0]]

    def _read_agreements(self, live: Sequence[LiveDomain]) -> None:
        """Where a destination of reports is in a zone of ours, its agreement is a record of ours, too."""
        accounts = {one.request.domain: one.request.account for one in live}
        wanted: list[_Wanted] = []
        for one in live:
            domain = one.request.domain
            for name in agreement_names(domain, values_of(one.rrsets.get((f"_dmarc.{domain}", "TXT")))):
                wanted.append((one, [(name, "TXT")], _account_of(name, accounts, one.request.account)))
        self._read_all(wanted, "agreements to get reports read")


def _account_of(name: str, accounts: Mapping[str, int], own: int) -> int:
    """The account of the nearest domain of ours that a name is in, else the own one, as a run has it."""
    while "." in name:
        if name in accounts:
            return accounts[name]
        name = name.partition(".")[2]
    return own


def _take(one: LiveDomain, key: Key, rrsets: Mapping[Key, RRset]) -> None:
    """Take what stands at a name, an alias too."""
    for own in (key, (key[0], "CNAME")):
        if own in rrsets:
            one.rrsets[own] = rrsets[own]


def _is_cut(name: str, zone: str, whole: Mapping[Key, RRset]) -> bool:
    """Whether a delegation or a DNAME takes a name out of a zone."""
    above = name
    while above != zone:
        if (above, "NS") in whole or (above != name and (above, "DNAME") in whole):
            return True
        above = above.partition(".")[2]
    return name != zone and (zone, "DNAME") in whole


def _place(one: LiveDomain) -> _Place:
    return (one.request.account, str(one.zone))


def live_rrset(rrset: RRset) -> dict[str, Any]:
    """An RRset as a module returns it."""
    return {"name": rrset.name, "type": rrset.type, "ttl": rrset.ttl, "values": list(rrset.values)}
