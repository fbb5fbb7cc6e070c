# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Includes replaced by their addresses: looked up before a record is planned, then laid out by what the zone holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Union

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset, ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import World, read_name, txt_change
from ansible_collections.mailroom.erp.plugins.module_utils.policy import spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import Network, SpfError, SpfRecord
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_flatten import included_networks
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_slots import (
    MOST_CHAINED,
    Folded,
    Laid,
    Marker,
    Slot,
    WantedInclude,
    chain_name,
    chained_for,
    chained_networks,
    included,
    lay_out,
    markers,
)
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, Problem, Refused, RuleSource, WayOut

MOST_DAYS = 365
_NUMBERS = range(1, MOST_CHAINED + 1)
_RULES = RuleSource("docs/flatten.md")


def today() -> date:
    """The day, in UTC."""
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Flattening:
    """What is to be flattened in one domain's record.

    ``includes`` are the domains that the includes name, ``days`` after how many their addresses are stale, ``today``
    the day (UTC) of the run, ``known`` what the world says about each of them. ``others`` is what becomes of flattened
    includes beside these: "keep" and "warn" leave them, "restore" puts the include back.
    """

    includes: tuple[str, ...] = ()
    days: int = 7
    today: date = field(default_factory=today)
    known: Mapping[str, Union[tuple[Network, ...], SpfError]] = field(default_factory=dict)
    others: str = "keep"

    def looked_up(self, world: World) -> Flattening:
        """The same with the addresses of all includes, or why there are none."""
        return replace(self, known={include: _networks(include, world) for include in self.includes})

    def restores(self, include: str) -> bool:
        """Whether a flattened include is put back in the place of its addresses."""
        return self.others == "restore" and include not in self.includes

    def left(self, domain: str, facts: Iterable[Mapping[str, Any]]) -> list[str]:
        """What is to be said of flattened includes that nobody declares any more; one sentence each.

        :param facts: what :func:`flattened_facts` gives of the record as it will be
        """
        key = f"mail_dns_domains.{domain}.flatten"
        return [
            f"{domain}: {fact['include']} stays flattened, with addresses of {fact['when']} that nobody renews: "
            f"{key}: [{fact['include']}] renews them, {key}: [] puts the include back (docs/flatten.md)"
            for fact in facts
            if self.others == "warn" and fact["include"] not in self.includes
        ]

    def wanted(self, domain: str, record: SpfRecord, slots: Mapping[int, Slot], chain: Chain) -> list[WantedInclude]:
        """The includes of a record that are to be flattened.

        :param record: folded, and merged with what is asked for
        :raises Refused: one of them cannot be
        """
        found = []
        for term in record.terms:
            include = included(term)
            if include in self.includes and isinstance(term, spf.Directive) and include is not None:
                networks, slot = self._known(domain, include), slots.get(id(term))
                when = self._when(networks, slot, chain)
                numbers = slot.marker.chain if slot else ()
                found.append(WantedInclude(term, include, networks, when, self.days, numbers))
        return found

    def _known(self, domain: str, include: str) -> tuple[Network, ...]:
        known = self.known[include]
        if isinstance(known, SpfError):
            way_out = WayOut(("Take it out of ", Option("spf.flatten"), "; the record stays as it is."))
            raise Refused(_RULES.told(domain, "flatten", known.term, str(known), way_out))
        return known

    def _when(self, networks: tuple[Network, ...], slot: Slot | None, chain: Chain) -> date:
        """The day that is noted: that of the last look-up as long as nothing has changed and it is not old."""
        if (
            slot is None
            or slot.marker.days != self.days
            or (self.today - slot.marker.when).days not in range(self.days)
        ):
            return self.today
        old = chained_networks(chain.texts(slot.marker)) if slot.marker.chain else set(slot.networks)
        return slot.marker.when if old == set(networks) else self.today


class Chain:
    """The records ``_spf1`` and on of a domain: which are ours, and which names are free.

    :param state: with the RRsets that :func:`chain_keys` names; None when they were not read and stay as they are
    """

    def __init__(self, domain: str, state: ZoneState | None) -> None:
        self._domain = domain
        self.ours: dict[int, list[str]] = {}
        self.free: list[int] = []
        if state is None:
            return
        self._state = state
        self.ours |= {number: found for number in _NUMBERS if (found := self._records(number)) and _are_ours(found)}
        self.free += [number for number in _NUMBERS if number in self.ours or self._is_free(number)]

    def texts(self, marker: Marker) -> list[str]:
        """The chained records of one include, as far as they are there."""
        return [text for number in marker.chain for text in self.ours.get(number, [])]

    def changes(self, wanted: Mapping[int, str], kept: Iterable[int], ttl: int | None) -> list[Change]:
        """The changes that make exactly these records ours.

        :param wanted: texts by number
        :param kept: numbers of records that stay as they are
        """
        kept = set(kept)
        numbers = sorted({*self.ours, *wanted} - kept)
        found = [
            txt_change(name, ttl, self._rrset(number), self._records(number), wanted.get(number), spf.is_spf)
            for number in numbers
            for name in [chain_name(number, self._domain)]
        ]
        return [change for change in found if change]

    def _rrset(self, number: int) -> RRset | None:
        return self._state.rrsets.get((chain_name(number, self._domain), "TXT"))

    def _records(self, number: int) -> list[str]:
        rrset = self._rrset(number)
        return spf.select_spf(rrset.values) if rrset else []

    def _is_free(self, number: int) -> bool:
        name = chain_name(number, self._domain)
        taken = self._rrset(number) or self._state.rrsets.get((name, "CNAME"))
        return not taken and name not in self._state.elsewhere


def chain_keys(domain: str) -> tuple[Key, ...]:
    """The RRsets that may hold addresses of a domain's flattened includes."""
    return tuple((chain_name(number, domain), "TXT") for number in _NUMBERS)


def flattened(
    domain: str, record: SpfRecord, folds: Iterable[Folded], flattening: Flattening, chain: Chain
) -> tuple[Laid, list[int]]:
    """Flatten a record.

    :param record: folded, and merged with what is asked for
    :param folds: how the live records were folded
    :returns: the record, and the numbers of chained records that stay as they are
    :raises Refused: an include cannot be flattened, or somebody changed addresses that are to be renewed
    """
    slots = {key: slot for folded in folds for key, slot in folded.slots.items()}
    wanted = flattening.wanted(domain, record, slots, chain)
    renewed = {id(one.include) for one in wanted}
    kept = {
        key: slot for key, slot in slots.items() if key not in renewed and not flattening.restores(slot.marker.include)
    }
    reserved = [
        number for term in record.terms if (slot := kept.get(id(term))) is not None for number in slot.marker.chain
    ]
    free = [number for number in chain.free if number not in reserved]
    try:
        return lay_out(record, wanted, kept, domain, free), reserved
    except SpfError as error:
        raise Refused(_RULES.told(domain, "flatten", error.term, str(error), "Flatten fewer includes.")) from None


def check_intact(domain: str, folds: Iterable[Folded], concerned: Iterable[str]) -> None:
    """See that nobody changed the addresses of includes that are to be renewed or taken away.

    :raises Refused: it cannot be told any more which addresses came from such an include
    """
    broken = {include for folded in folds for include in folded.broken} & set(concerned)
    if broken:
        rule = "somebody changed addresses before its modifier, so it cannot be told which came from the include"
        way_out = "Remove the modifier and the addresses that are its own from the record, and run again."
        raise Refused(
            _RULES.problem(domain, "SPF record", f"flattened={include}", rule, way_out) for include in sorted(broken)
        )


def flattened_facts(domain: str, found: Iterable[Marker], day: date) -> list[dict[str, Any]]:
    """What is returned about flattened includes.

    :param day: of the question
    """
    return [
        {
            "include": marker.include,
            "when": marker.when.isoformat(),
            "refresh": marker.days,
            "stale": marker.is_stale(day),
            "records": [chain_name(number, domain) for number in marker.chain] or [domain],
        }
        for marker in found
    ]


def facts_of(domain: str, record: SpfRecord) -> list[dict[str, Any]]:
    """The same about a record as it is published, today."""
    return flattened_facts(domain, markers(record), today())


def read_flattening(subject: str, name: str, options: Mapping[str, Any], problems: list[Problem]) -> Flattening:
    """Turn validated options into what is to be flattened; what is wrong with them is added to ``problems``.

    :param subject: the domain as the user wrote it, for messages
    :param name: the same as A-labels
    """
    read = [read_name(subject, "flatten", include, "Correct the name.", problems) for include in options["flatten"]]
    includes = tuple(dict.fromkeys(include for include in read if include is not None))
    if name in includes:
        rule = "a record does not include itself"
        problems.append(Problem(subject, "flatten", name, rule, "RFC 7208 section 5.2", "Name what it includes."))
    days = options["flatten_refresh"]
    if not 1 <= days <= MOST_DAYS:
        rule = f"it is a number of days from 1 to {MOST_DAYS}"
        problems.append(_RULES.problem(subject, "flatten_refresh", str(days), rule, "Correct the number."))
    return Flattening(includes, days)


def _networks(include: str, world: World) -> tuple[Network, ...] | SpfError:
    try:
        return included_networks(include, world.lookup)
    except SpfError as error:
        return error


def _are_ours(records: Iterable[str]) -> bool:
    return all(chained_for(text) is not None for text in records)
