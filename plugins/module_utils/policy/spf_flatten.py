# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The addresses that an ``include:`` passes, exactly: its whole tree, order and qualifiers taken into account."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import (
    Directive,
    Modifier,
    Network,
    SpfError,
    SpfRecord,
    effective,
    is_redirect,
    parse_spf,
    select_spf,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import MAX_MX_HOSTS
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_macros import expand

MOST_NETWORKS = 1000
"""More addresses and networks than any record, or chain of records, can hold."""
_MOST_QUESTIONS = 200
_DEEPEST = 20

_BITS = {4: 32, 6: 128}
AddressSpan = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Space:
    """A set of addresses: for each family sorted, separate ranges, each its first and last address as numbers."""

    four: tuple[AddressSpan, ...] = ()
    six: tuple[AddressSpan, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.four or self.six)

    def __or__(self, other: Space) -> Space:
        return Space(_joined((*self.four, *other.four)), _joined((*self.six, *other.six)))

    def __sub__(self, other: Space) -> Space:
        return Space(_without(self.four, other.four), _without(self.six, other.six))

    def __and__(self, other: Space) -> Space:
        return self - (self - other)

    @property
    def networks(self) -> tuple[Network, ...]:
        """The fewest networks that are this set, IPv4 first, in ascending order."""
        found: list[Network] = []
        for first, last in self.four:
            found += ipaddress.summarize_address_range(ipaddress.IPv4Address(first), ipaddress.IPv4Address(last))
        for first, last in self.six:
            found += ipaddress.summarize_address_range(ipaddress.IPv6Address(first), ipaddress.IPv6Address(last))
        return tuple(found)


EVERYBODY = Space(((0, 2**32 - 1),), ((0, 2**128 - 1),))


def included_networks(domain: str, lookup: Lookup) -> tuple[Network, ...]:
    """The addresses for which ``include:`` of a domain matches, i.e. its record gives pass (RFC 7208 section 5.2).

    :param domain: that the include names, as A-labels
    :param lookup: the answers
    :returns: the fewest networks that hold these addresses and no others; at least one
    :raises SpfError: it cannot be said by addresses (exists, ptr, macros, ``+all``), does not resolve, or a part of it
        gives no addresses; ``term`` names that part
    """
    found = _Flattener(lookup).included(f"include:{domain}", domain, ()).networks
    if len(found) > MOST_NETWORKS:
        rule = f"it stands for {len(found)} networks, at most {MOST_NETWORKS} can be published"
        raise SpfError(f"include:{domain}", rule)
    return found


class _Flattener:
    """Follows one tree. Each method that stands for a term gives the addresses that the term matches."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._questions = 0

    def included(self, term: str, domain: str, path: tuple[str, ...]) -> Space:
        """The addresses that a domain's record passes.

        :param term: that names the domain, with those that led to it
        """
        if domain in path or len(path) > _DEEPEST:
            raise SpfError(term, f"it leads back to itself or too deep: {' -> '.join([*path, domain][:5])}")
        records = select_spf(self._ask(term, domain, "TXT"))
        if len(records) != 1:
            count = f"{len(records)} SPF records" if records else "no SPF record"
            raise SpfError(term, f"{domain} has {count} (RFC 7208 sections 4.5 and 5.2)")
        try:
            record = parse_spf(records[0])
        except SpfError as error:
            raise SpfError(f"{term} > {error.term}", f"the record of {domain} is invalid: {error}") from None
        return _some(term, self._passed(term, record, domain, (*path, domain)))

    def _passed(self, term: str, record: SpfRecord, domain: str, path: tuple[str, ...]) -> Space:
        """Test the terms in their order: the first that matches decides (RFC 7208 section 4.6.2)."""
        left, passed = EVERYBODY, Space()
        terms = effective(record.terms)
        for one in terms:
            if isinstance(one, Directive):
                matched = left & self._matched(f"{term} > {one.raw}", one, domain, path)
                passed, left = passed | matched if one.qualifier == "+" else passed, left - matched
        for one in terms:
            if isinstance(one, Modifier) and is_redirect(one):
                where = f"{term} > {one.raw}"
                passed |= left & self.included(where, self._name(where, one.value, domain), path)
        return passed

    def _matched(self, where: str, term: Directive, domain: str, path: tuple[str, ...]) -> Space:
        if term.mechanism == "all":
            if term.qualifier == "+":
                raise SpfError(where, "it lets everybody send, which no addresses can stand for (RFC 7208 section 5.1)")
            return EVERYBODY
        if term.network is not None:
            return _space([term.network])
        if term.mechanism in ("exists", "ptr"):
            raise SpfError(where, f"{term.mechanism} depends on the message, no addresses stand for it")
        name = self._name(where, term.domain, domain)
        if term.mechanism == "include":
            return self.included(where, name, path)
        hosts = [name] if term.mechanism == "a" else self._mail_hosts(where, name)
        return _some(where, _space(network for host in hosts for network in self._addresses(where, host, term)))

    def _name(self, where: str, spec: str | None, domain: str) -> str:
        name = expand(spec, domain) if spec else domain
        if name is None:
            raise SpfError(where, "its macros depend on the message, no addresses stand for them (RFC 7208 section 7)")
        return name

    def _mail_hosts(self, where: str, name: str) -> list[str]:
        hosts = self._ask(where, name, "MX")
        if len(hosts) > MAX_MX_HOSTS:
            raise SpfError(
                where, f"{name} names {len(hosts)} MX hosts, at most {MAX_MX_HOSTS} may (RFC 7208 section 4.6.4)"
            )
        return [host.lower().removesuffix(".") for host in hosts if host not in ("", ".")]

    def _addresses(self, where: str, host: str, term: Directive) -> Iterable[Network]:
        for address in self._ask(where, host, "A"):
            yield ipaddress.IPv4Network((address, term.prefix4), strict=False)
        for address in self._ask(where, host, "AAAA"):
            yield ipaddress.IPv6Network((address, term.prefix6), strict=False)

    def _ask(self, where: str, name: str, rdtype: str) -> tuple[str, ...]:
        self._questions += 1
        if self._questions > _MOST_QUESTIONS:
            raise SpfError(where, f"it asks more than {_MOST_QUESTIONS} questions (RFC 7208 section 4.6.4)")
        try:
            return self._lookup(name, rdtype)
        except Unresolved as reason:
            raise SpfError(where, f"{name} cannot be resolved: {reason} (RFC 7208 section 2.6.6)") from None


def _some(where: str, space: Space) -> Space:
    if not space:
        raise SpfError(where, "it gives no addresses, so that its senders would be lost without a word")
    return space


def _space(networks: Iterable[Network]) -> Space:
    listed = list(networks)
    four, six = (
        _joined((int(one.network_address), int(one.broadcast_address)) for one in listed if one.version == version)
        for version in _BITS
    )
    return Space(four, six)


def _joined(ranges: Iterable[AddressSpan]) -> tuple[AddressSpan, ...]:
    """Sorted and separate; those that touch become one."""
    found: list[AddressSpan] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def _without(ranges: Iterable[AddressSpan], taken: Iterable[AddressSpan]) -> tuple[AddressSpan, ...]:
    """What is left of ranges; both sides sorted and separate."""
    left, holes, at = [], list(taken), 0
    for first, last in ranges:
        while at < len(holes) and holes[at][1] < first:
            at += 1
        start = first
        for hole_first, hole_last in holes[at:]:
            if hole_first > last:
                break
            if hole_first > start:
                left.append((start, hole_first - 1))
            start = max(start, hole_last + 1)
        if start <= last:
            left.append((start, last))
    return tuple(left)
