# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Reads what the DNS services hold of the mail of domains, as a run that would change it does. Never writes."""

from __future__ import annotations

import threading
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
    ListsKeys,
    LooksAhead,
    Provider,
    ProviderError,
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
    keys: list[Key] = field(default_factory=list)
    rrsets: dict[Key, RRset] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    problem: str | None = None

    @property
    def is_read(self) -> bool:
        """Whether there is a zone of ours that can be read."""
        return self.zone is not None and self.problem is None


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
        self._lists: dict[tuple[int, str], frozenset[Key] | None] = {}
        self._listing: dict[tuple[int, str], threading.Lock] = {}

    def read(self, requests: Iterable[DomainRequest], named: Mapping[str, Collection[str]]) -> list[LiveDomain]:
        """Read them.

        :param requests: the domains
        :param named: selectors of single domains that are looked for in any case
        """
        live = [LiveDomain(request, keys=list(domain_keys(request.domain))) for request in requests]
        self._look_ahead((one.request.account, key) for one in live for key in one.keys)
        each(self._progress.counted("zones found", len(live), self._find), live, self._concurrency)
        found = [one for one in live if one.is_read]
        self._listing = {_place(one): threading.Lock() for one in found}
        each(self._progress.counted("zones listed", len(found), self._list), found, self._concurrency)
        more = []
        for one in found:
            own = self._more_keys(one, named.get(one.request.domain, ()))
            more += [(one.request.account, key) for key in own]
            one.keys += own
        self._look_ahead(more)
        self._read_all([(one, one.keys, one.request.account) for one in found], "records read")
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

    def _list(self, one: LiveDomain) -> None:
        place = _place(one)
        with self._listing[place]:
            if place not in self._lists:
                self._lists[place] = self._listed(*place)
        one.listed = self._lists[place] is not None

    def _listed(self, account: int, zone: str) -> frozenset[Key] | None:
        provider = self._providers[account]
        if not isinstance(provider, ListsKeys):
            return None
        try:
            return provider.list_keys(zone)
        except ProviderError:
            return None  # the names that matter most are known

    def _more_keys(self, one: LiveDomain, named: Collection[str]) -> list[Key]:
        domain, listed = one.request.domain, self._lists[_place(one)]
        if listed is None:
            return list(selector_keys(domain, [*named, *self._selectors]))
        return list(dict.fromkeys([*listed_keys(domain, listed), *selector_keys(domain, named)]))

    def _look_ahead(self, keys: Iterable[tuple[int, Key]]) -> None:
        """Let the services that can be asked for many records at once be asked so."""
        wanted: dict[int, list[Key]] = {}
        for account, key in keys:
            wanted.setdefault(account, []).append(key)
        for account, asked in wanted.items():
            provider = self._providers[account]
            if isinstance(provider, LooksAhead):
                provider.look_ahead(asked, self._concurrency * _QUESTIONS)

    def _read_all(self, wanted: Sequence[tuple[LiveDomain, Collection[Key], int]], step: str) -> None:
        """Read RRsets, those of one zone together; one of another zone or of nobody's is ``elsewhere``."""
        zones: dict[tuple[int, str], list[tuple[LiveDomain, Key]]] = {}

        def locate(item: tuple[LiveDomain, Collection[Key], int]) -> list[tuple[int, str, Key]]:
            return list(self._located(*item))

        for (one, _keys, _account), located in zip(wanted, each(locate, wanted, self._concurrency), strict=True):
            for account, zone, key in located:
                zones.setdefault((account, zone), []).append((one, key))
        each(self._progress.counted(step, len(zones), self._read_zone), list(zones.items()), self._concurrency)

    def _located(self, one: LiveDomain, keys: Collection[Key], account: int) -> Iterable[tuple[int, str, Key]]:
        for key in keys:
            try:
                yield account, self._zone_of(one.request, key[0], account), key
            except ZoneNotFound:
                one.elsewhere[key[0]] = _UNSERVED
            except ProviderError as error:
                one.problem = str(error)

    def _read_zone(self, item: tuple[tuple[int, str], list[tuple[LiveDomain, Key]]]) -> None:
        (account, zone), wanted = item
        try:
            state = self._providers[account].read(zone, list(dict.fromkeys(key for _one, key in wanted)))
        except ProviderError as error:
            for one, _key in wanted:
                one.problem = str(error)
            return
        for one, key in wanted:
            for own in (key, (key[0], "CNAME")):
                if own in state.rrsets:
                    one.rrsets[own] = state.rrsets[own]
            if key[0] in state.elsewhere:
                one.elsewhere[key[0]] = state.elsewhere[key[0]]

    def _read_agreements(self, live: Sequence[LiveDomain]) -> None:
        """Where a destination of reports is in a zone of ours, its agreement is a record of ours, too."""
        accounts = {one.request.domain: one.request.account for one in live}
        wanted: list[tuple[LiveDomain, Collection[Key], int]] = []
        for one in live:
            domain = one.request.domain
            for name in agreement_names(domain, values_of(one.rrsets.get((f"_dmarc.{domain}", "TXT")))):
                wanted.append((one, [(name, "TXT")], _account_of(name, accounts, one.request.account)))
        self._look_ahead((account, key) for _one, keys, account in wanted for key in keys)
        self._read_all(wanted, "agreements to get reports read")


def _account_of(name: str, accounts: Mapping[str, int], own: int) -> int:
    """The account of the nearest domain of ours that a name is in, else the own one, as a run has it."""
    while "." in name:
        if name in accounts:
            return accounts[name]
        name = name.partition(".")[2]
    return own


def _place(one: LiveDomain) -> tuple[int, str]:
    return (one.request.account, str(one.zone))


def rrset_data(rrset: RRset) -> dict[str, Any]:
    """An RRset as a module returns it."""
    return {"name": rrset.name, "type": rrset.type, "ttl": rrset.ttl, "values": list(rrset.values)}
