# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The addresses of declared servers, to find a reported source among them."""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.servers import (
    AddressRange,
    BadSource,
    parse_source,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import Directive, SpfError, parse_term
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_flatten import included_networks

_Span = tuple[int, int]
_Spans = tuple[tuple[int, _Span], ...]


@dataclass(frozen=True, slots=True)
class ServerNetworks:
    """The addresses of some servers, by family (4 and 6) as sorted spans of numbers; ``unresolved`` are the terms whose
    addresses nobody can tell now, each with its reason."""

    spans: dict[int, tuple[_Span, ...]]
    unresolved: tuple[str, ...] = ()

    def holds(self, source: str) -> bool | None:
        """Tell whether a reported source is among them.

        :param source: an address, or a network where addresses have been shortened
        :returns: None when only a part of a network is, or when some addresses could not be looked up
        """
        version, first, last = _span_of(source)
        spans = self.spans.get(version, ())
        at = bisect_right(spans, (last, 2**128)) - 1
        # spans are apart, so the last one that begins in time tells it all
        start, end = spans[at] if at >= 0 else (0, -1)
        if start <= first and last <= end:
            return True
        return None if end >= first or self.unresolved else False


@lru_cache(maxsize=4096)
def _span_of(source: str) -> tuple[int, int, int]:
    network = ipaddress.ip_network(source)
    return network.version, int(network.network_address), int(network.broadcast_address)


class NetworkFinder:
    """Finds the addresses of SPF terms, each term once.

    :param lookup: asks the DNS
    """

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._known: dict[tuple[tuple[str, ...], str], ServerNetworks] = {}

    def networks(self, sources: Iterable[str], domain: str) -> ServerNetworks:
        """Find the addresses of servers; what was found before is remembered.

        :param sources: addresses, networks and SPF terms, as the option ``senders`` has them
        :param domain: what terms without a domain, such as ``mx``, are about
        """
        key = tuple(sources), domain
        if key not in self._known:
            self._known[key] = self._together(*key)
        return self._known[key]

    def _together(self, sources: Iterable[str], domain: str) -> ServerNetworks:
        spans: dict[int, list[_Span]] = {4: [], 6: []}
        unresolved: list[str] = []
        for source in sources:
            found, reason = self._found(source, domain)
            for version, span in found:
                spans[version].append(span)
            unresolved += [reason] if reason else []
        return ServerNetworks({version: _joined(found) for version, found in spans.items()}, tuple(unresolved))

    def _found(self, source: str, domain: str) -> tuple[_Spans, str]:
        try:
            parsed = parse_source(source)
            if isinstance(parsed, AddressRange):
                return ((parsed.version, parsed.addresses),), ""
            networks = self._networks(source, domain)
        except (BadSource, SpfError) as error:
            return (), f"{source}: {error}"
        return tuple((one.version, (int(one.network_address), int(one.broadcast_address))) for one in networks), ""

    def _networks(self, source: str, domain: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        term = parse_term(source)
        if isinstance(term, Directive) and term.mechanism == "include" and term.domain:
            return included_networks(term.domain, self._lookup)

        def record_of_term(name: str, rdtype: str) -> tuple[str, ...]:
            """A record of this term alone, in place of the domain's own."""
            return (f"v=spf1 {source} -all",) if (name, rdtype) == (domain, "TXT") else self._lookup(name, rdtype)

        return included_networks(domain, record_of_term)


def _joined(spans: Iterable[_Span]) -> tuple[_Span, ...]:
    """Sorted; those that touch or overlap become one."""
    found: list[_Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)
