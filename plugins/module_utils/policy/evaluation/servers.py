# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The servers of a sender, as they are declared: addresses, networks, or SPF terms that cover them."""

from __future__ import annotations

import ipaddress
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Union

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.program import Program, brief, step_of
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.tree import Interval
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import Directive, SpfError, parse_term

BITS = {4: 32, 6: 128}
_MAPPED: Interval = (0xFFFF << 32, (0x10000 << 32) - 1)
"""::ffff:0:0/96: clients of these addresses count as IPv4 (RFC 7208 section 5)."""


class BadSource(ValueError):
    """A source is neither an address, nor a network, nor an SPF term; ``source`` is its text, the message the rule."""

    def __init__(self, source: str, rule: str) -> None:
        self.source = source
        super().__init__(rule)


@dataclass(frozen=True, slots=True)
class AddressRange:
    """One address or network."""

    text: str
    version: int
    addresses: Interval


@dataclass(frozen=True, slots=True)
class Covered:
    """All addresses that an SPF term passes; ``program`` is a record of this term alone."""

    text: str
    program: Program


ServerSource = Union[AddressRange, Covered]


@lru_cache(maxsize=1 << 10)  # one server sends for many
def parse_source(text: str) -> ServerSource:
    """Read one source.

    :param text: "192.0.2.1", "2001:db8::/32", "ip4:...", "include:spf.afas.online", "a:mail.example.nl", "mx"
    :raises BadSource: it is none of these, or a term that names no senders (a modifier, "-", "~" or "?")
    """
    try:
        return _range(text, ipaddress.ip_network(text, strict=False))
    except ValueError:
        term = _term(text)
    return _range(text, term.network) if term.network else Covered(text, Program((step_of(term),)))


def is_single(source: ServerSource) -> bool:
    """Whether a source is one address."""
    return isinstance(source, AddressRange) and source.addresses[0] == source.addresses[1]


def pieces(version: int, inside: Iterable[Interval], edges: Iterable[Interval]) -> Iterator[Interval]:
    """Cut ranges of addresses at the edges of others, so that each piece is inside or outside each of them.

    :param version: 4 or 6; IPv4-mapped addresses are left out of 6
    """
    inside = list(inside)
    every = [*inside, *edges, *([_MAPPED] if version == 6 else [])]
    cuts = sorted({first for first, _last in every} | {last + 1 for _first, last in every})
    for first, last in _merged(inside):
        index = bisect_left(cuts, first)
        while cuts[index] <= last:
            piece = cuts[index], cuts[index + 1] - 1
            if version == 4 or not _MAPPED[0] <= piece[0] <= _MAPPED[1]:
                yield piece
            index += 1


def _merged(ranges: Iterable[Interval]) -> Iterator[Interval]:
    end: int | None = None
    start = 0
    for first, last in sorted(ranges):
        if end is None or first > end + 1:
            if end is not None:
                yield start, end
            start, end = first, last
        end = max(end, last)
    if end is not None:
        yield start, end


def _term(text: str) -> Directive:
    try:
        term = parse_term(text)
    except SpfError as error:
        rule = f"{brief(text)!r} is neither an IP address nor a network nor an SPF term: {error}"
        raise BadSource(text, rule) from None
    if not isinstance(term, Directive) or term.qualifier != "+":
        rule = f"{brief(text)!r} does not say who sends: a source is a mechanism that passes (RFC 7208 section 5)"
        raise BadSource(text, rule)
    return term


def _range(text: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> AddressRange:
    first, last = int(network.network_address), int(network.broadcast_address)
    if network.version == 6 and _MAPPED[0] <= first and last <= _MAPPED[1]:
        return AddressRange(text, 4, (first - _MAPPED[0], last - _MAPPED[0]))
    return AddressRange(text, network.version, (first, last))
