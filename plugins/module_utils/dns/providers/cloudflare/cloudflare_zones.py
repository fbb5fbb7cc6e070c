# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Which zones a Cloudflare token may see, found with few requests: by one list, or name by name in a large account."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare.cloudflare_answer import (
    CloudflareAnswer,
    CloudflareZone,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare.cloudflare_api import (
    CloudflareApi,
)


class CloudflareZones:
    """The zones of one token; may be used by several threads at once.

    The first page of the list tells how long the list is. As long as questions by name have cost fewer requests than
    the rest of the list would, zones are asked for by name; then the rest is listed. So one domain in an account of
    thousands costs a few requests, thousands of domains one for every fifty zones, and never more than twice the best.
    """

    def __init__(self, api: CloudflareApi) -> None:
        """Nothing is asked yet."""
        self._api = api
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, CloudflareZone]] = {}
        self._asked: set[str] = set()
        self._pages = 0
        self._complete = False
        self._failure: ProviderError | None = None

    def named(self, name: str) -> CloudflareZone | None:
        """The zone of exactly this name.

        :raises ProviderError: several accounts have it, or Cloudflare could not be asked
        """
        with self._lock:
            return self._named(name)

    def holding(self, name: str) -> CloudflareZone | None:
        """The zone that holds a name: the longest match on label boundaries.

        :raises ProviderError: as :meth:`named`
        """
        with self._lock:
            return next((zone for parent in _parents(name) if (zone := self._named(parent))), None)

    def _named(self, name: str) -> CloudflareZone | None:
        if self._failure:
            # The next name would not fare better, and there may be thousands.
            raise self._failure
        if not self._pages:
            self._list(1, name)
        if not self._complete and name not in self._asked and name not in self._known:
            self._look_for(name)
        found = list(self._known.get(name, {}).values())
        # An account to which the zone moves, or from which it has moved, shows it too.
        found = [zone for zone in found if zone.active] or found
        if len(found) > 1:
            # an account is called as whose it is, which may be another customer
            zones = ", ".join(sorted(f"zone {zone.id}" for zone in found))
            raise ProviderError(
                f"Cloudflare, zone {name}: several accounts have it: {zones}. "
                "Give dns.api_token a token that is limited to the zone of one of them"
            )
        return found[0] if found else None

    def _look_for(self, name: str) -> None:
        if len(self._asked) >= self._pages - 1:
            page = 2
            while page <= self._pages:
                self._list(page, name)
                page += 1
            self._complete = True
        else:
            self._asked.add(name)
            self._note(self._api.zones_named(name))

    def _list(self, page: int, name: str) -> None:
        try:
            zones, pages = self._api.zones_on(page, name)
            if page > 1 and zones and all(self._is_listed(zone) for zone in zones):
                raise CloudflareAnswer.wrong_about(
                    name,
                    f"GET /zones?page={page}",
                    "it shows the zones of the pages before again",
                )
        except ProviderError as error:
            self._failure = error
            raise
        self._pages = max(pages, 1)
        self._complete = self._pages == 1
        self._note(zones)

    def _note(self, zones: list[CloudflareZone]) -> None:
        for zone in zones:
            self._known.setdefault(zone.name, {})[zone.id] = zone

    def _is_listed(self, zone: CloudflareZone) -> bool:
        return zone.name not in self._asked and zone.id in self._known.get(zone.name, {})


def _parents(name: str) -> Iterator[str]:
    """A name and its parents of at least two labels, the longest first."""
    while "." in name:
        yield name
        name = name.partition(".")[2]
