# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Names for the sources that nobody declared: put together by the strongest name that is known, the largest first.

A name is for the question that a person must answer. No address of a single machine stands here, only its network.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_values import shortened_address
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import (
    KnownService,
    MailTraits,
    SourceIdentity,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import is_inside
from ansible_collections.mailroom.erp.plugins.module_utils.policy.public_suffix import organisation

_MOST_NAMES = 20
"""So many networks or domains of one source are kept; a botnet has thousands, and nobody reads them."""


@dataclass(slots=True)
class UnknownSource:
    """Messages that nobody is declared to send, of one name: the domain that signed them, else that of the envelope
    which SPF passed for, else the one in reverse names, else the network. ``by_day`` is in messages; ``guess`` is the
    title of a catalogue service that it may be, which is a guess; ``let_fail``: a person said that it may fail."""

    name: str
    kind: str
    by_day: dict[str, int] = field(default_factory=dict)
    passed: int = 0
    networks: dict[str, int] = field(default_factory=dict)
    envelope_domains: dict[str, int] = field(default_factory=dict)
    dkim_domains: dict[str, int] = field(default_factory=dict)
    reverse_names: dict[str, int] = field(default_factory=dict)
    guess: str | None = None
    let_fail: bool = False

    def messages(self, days: Collection[str] | None = None) -> int:
        """How many messages there were.

        :param days: on these days; None for all
        """
        return sum(count for day, count in self.by_day.items() if days is None or day in days)

    def as_dict(self, days: Collection[str] | None = None) -> dict[str, Any]:
        """The same, as the module returns it; the largest names first."""
        return {
            "name": self.name,
            "known_by": self.kind,
            "messages": self.messages(days),
            "networks": _largest(self.networks),
            "envelope_domains": _largest(self.envelope_domains),
            "dkim_domains": _largest(self.dkim_domains),
            "reverse_names": _largest(self.reverse_names),
            "guess": self.guess,
            "let_fail": self.let_fail,
        }


class SourceNamer:
    """Puts the sources of one domain together by name.

    :param domain: whose policy it is: its own names tell nobody from anybody
    :param services: what the catalogue knows
    :param let_fail: names and networks that a person lets fail
    :param reverse_name: gives the name of an address in the DNS, None where nobody asks or there is none
    """

    def __init__(
        self,
        domain: str,
        services: Sequence[KnownService] = (),
        let_fail: Collection[str] = (),
        reverse_name: Callable[[str], str | None] = lambda _address: None,
    ) -> None:
        self._domain = domain
        self._services = services
        self._let_fail = let_fail
        self._reverse_name = reverse_name
        self._found: dict[tuple[str, str], UnknownSource] = {}

    def add(
        self, address: str, traits: MailTraits, identity: SourceIdentity, day: str, messages: int, passed: bool
    ) -> None:
        """Count messages of one source, an address or a network."""
        signed = _outside(self._domain, (one.domain for one in traits.signatures if one.result == "pass"))
        enveloped = _outside(self._domain, (one.domain for one in traits.spf_checks if one.result == "pass"))
        reverse, network = self._reverse_name(address), shortened_address(address)
        kind, name = _strongest(signed, enveloped, reverse, network)
        source = self._found.setdefault((kind, name), UnknownSource(name, kind))
        source.by_day[day] = source.by_day.get(day, 0) + messages
        source.passed += messages if passed else 0
        for names, found in (
            (source.networks, [network]),
            (source.envelope_domains, [traits.envelope_from]),
            (source.dkim_domains, signed),
            (source.reverse_names, [reverse]),
        ):
            _count(names, found, messages)
        source.guess = source.guess or self._guess(identity, [*signed, *enveloped, reverse, traits.envelope_from])

    def take(self) -> tuple[UnknownSource, ...]:
        """All that was counted, those with the most messages first."""
        for source in self._found.values():
            source.let_fail = any(_is_of(source, one) for one in self._let_fail)
        return tuple(sorted(self._found.values(), key=lambda one: (-one.messages(), one.name)))

    def _guess(self, identity: SourceIdentity, names: Iterable[str | None]) -> str | None:
        if identity.kind == "service":
            return next((one.title for one in self._services if one.name == identity.service), identity.service)
        known = [name for name in names if name]
        for service in self._services:
            if any(is_inside(name, own) for name in known for own in service.domains):
                return service.title
        return None


def _outside(domain: str, names: Iterable[str]) -> list[str]:
    """Names that are not the domain's own."""
    return list(dict.fromkeys(name for name in names if name and not is_inside(name, domain)))


def _strongest(signed: Sequence[str], enveloped: Sequence[str], reverse: str | None, network: str) -> tuple[str, str]:
    """By what a source is named. A signature and an envelope count only where they passed: anybody can write them."""
    if signed:
        return "dkim", organisation(signed[0])
    if enveloped:
        return "envelope", organisation(enveloped[0])
    if reverse:
        return "reverse_name", organisation(reverse)
    return "network", network


def _is_of(source: UnknownSource, name: str) -> bool:
    """Whether a source is what a person named: a domain at or above its name, or a network that holds all of it."""
    if source.kind != "network":
        return is_inside(source.name, name)
    try:
        own, other = ipaddress.ip_network(source.name), ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False
    return own.version == other.version and other.prefixlen <= own.prefixlen and own.network_address in other


def _count(names: dict[str, int], found: Iterable[str | None], messages: int) -> None:
    for name in found:
        if name and (name in names or len(names) < _MOST_NAMES):
            names[name] = names.get(name, 0) + messages


def _largest(names: Mapping[str, int]) -> list[str]:
    return sorted(names, key=lambda name: (-names[name], name))
