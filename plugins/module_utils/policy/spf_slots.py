# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Flattened includes in a record: which addresses stand for which ``include:``, how old they are, where they are.

The addresses of an include are followed by a modifier that receivers ignore (RFC 7208 section 6), such as
``ip4:192.0.2.1 ip4:198.51.100.0/24 flattened=spf.service.example/2026-11-21/7/2/1a2b3c4d``: of which include, the
day (UTC) of the look-up, the days until it is stale, how many terms before it, and a digest of them. Where they take
too much room they stand in records of their own, ``_spf1.<domain>`` and on, each including the next, and the record
holds ``include:_spf1.<domain> flattened=spf.service.example/2026-11-21/7/1,2``. Each of these ends with
``flattened=spf.service.example -all``, by which it is known to be ours.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Union

from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import (
    Directive,
    Modifier,
    Network,
    SpfError,
    SpfRecord,
    Term,
    canonical_domain,
    parse_spf,
    parse_term,
)

LONGEST = 450
"""Bytes of a record above which the answer may not fit in 512 bytes of UDP (RFC 7208 section 3.4)."""
MOST_CHAINED = 8
"""Records of one domain that hold addresses beside its own; each costs receivers one lookup of ten."""

_NAME = "flattened"
_MARKER = re.compile(
    r"(?P<include>[a-z0-9_.-]+)/(?P<when>[0-9]{4}-[0-9]{2}-[0-9]{2})/(?P<days>[1-9][0-9]{0,3})"
    r"/(?:(?P<count>[1-9][0-9]{0,3})/(?P<digest>[0-9a-f]{8})|(?P<chain>[1-8](?:,[1-8])*))"
)

SpfItem = tuple[str, Term]
"""A term and the spaces before it."""


@dataclass(frozen=True, slots=True)
class Marker:
    """What the modifier says: ``count`` terms before it with that ``digest``, or the numbers of the chained records."""

    include: str
    when: date
    days: int
    count: int = 0
    digest: str = ""
    chain: tuple[int, ...] = ()

    def is_stale(self, today: date) -> bool:
        """Whether the addresses are older than they were to become; a day that is to come counts as stale too."""
        return not 0 <= (today - self.when).days <= self.days

    def __str__(self) -> str:
        where = ",".join(map(str, self.chain)) if self.chain else f"{self.count}/{self.digest}"
        return f"{_NAME}={self.include}/{self.when.isoformat()}/{self.days}/{where}"


@dataclass(frozen=True, slots=True)
class Slot:
    """One flattened include as it stands: its ``items``, and the addresses when they are among them."""

    include: Directive
    marker: Marker
    items: tuple[SpfItem, ...]
    networks: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Folded:
    """A record with each flattened include in the place of its addresses.

    ``slots`` are found by the ``id`` of the include's term; ``broken`` names includes whose addresses somebody changed.
    """

    record: SpfRecord
    slots: Mapping[int, Slot]
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WantedInclude:
    """An include that is to be flattened: its term, its addresses, and the numbers of the records it had so far."""

    include: Directive
    domain: str
    networks: tuple[Network, ...]
    when: date
    days: int
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Laid:
    """A record with its includes flattened, the texts of chained records by number, and the markers."""

    record: SpfRecord
    chained: Mapping[int, str]
    markers: tuple[Marker, ...]


def included(term: Term) -> str | None:
    """The domain that an include names, None for other terms."""
    if isinstance(term, Directive) and term.mechanism == "include" and term.domain:
        return canonical_domain(term.domain)
    return None


def chain_name(number: int, domain: str) -> str:
    """The owner name of a chained record."""
    return f"_spf{number}.{domain}"


def markers(record: SpfRecord) -> list[Marker]:
    """All that a record says about flattened includes."""
    return [marker for marker in map(_marker, record.terms) if marker]


def chained_for(text: str) -> str | None:
    """The include that a chained record is for; None when it is no chained record of ours."""
    try:
        terms = parse_spf(text).terms
    except SpfError:
        return None
    owners = [term.value for term in terms if isinstance(term, Modifier) and term.name == _NAME]
    return owners[0] if len(owners) == 1 and "/" not in owners[0] else None


def chained_networks(texts: Iterable[str]) -> set[Network]:
    """The addresses in chained records; a broken one has none."""
    found: set[Network] = set()
    for text in texts:
        try:
            terms = parse_spf(text).terms
        except SpfError:
            continue
        found |= {term.network for term in terms if isinstance(term, Directive) and term.network is not None}
    return found


def fold(record: SpfRecord, domain: str) -> Folded:
    """Put each flattened include back in the place of its addresses.

    :param record: the record of the domain
    :param domain: as A-labels
    """
    items: list[SpfItem] = []
    slots: dict[int, Slot] = {}
    broken: list[str] = []
    for space, term in record.items:
        # A term that stands twice may be one object, and each place needs its own.
        items.append((space, replace(term) if included(term) else term))
        marker = _marker(term)
        if marker is None:
            continue
        slot = _slot(items, marker, domain)
        if slot is None:
            broken.append(marker.include)
            continue
        start = len(items) - len(slot.items)
        items[start:] = [(slot.items[0][0], slot.include)]
        slots[id(slot.include)] = slot
    return Folded(replace(record, items=tuple(items)), slots, tuple(broken))


def lay_out(
    record: SpfRecord, wanted: Sequence[WantedInclude], kept: Mapping[int, Slot], domain: str, free: Sequence[int]
) -> Laid:
    """Put addresses in the place of includes, in the record as far as they fit, the largest in records of their own.

    :param record: folded, merged with what is asked for
    :param wanted: includes to flatten, in their order
    :param kept: other flattened includes, which stay as they stand
    :param free: the numbers of chained records that may be used
    :raises SpfError: they need more chained records than there may be
    """
    inline = {id(one.include): _inline(one) for one in wanted}
    outside: dict[int, tuple[SpfItem, ...]] = {}
    chained: dict[int, str] = {}
    while True:
        parts = {**{key: slot.items for key, slot in kept.items()}, **inline, **outside}
        laid = _replaced(record, parts)
        left = [key for key in inline if key not in outside]
        if len(str(laid)) <= LONGEST or not left:
            return Laid(laid, chained, tuple(markers(laid)))
        outside[max(left, key=lambda key: _length(inline[key]))] = ()
        chained = {}
        for one in wanted:
            if id(one.include) in outside:
                texts, items = _chain(one, domain, [number for number in free if number not in chained])
                chained |= texts
                outside[id(one.include)] = items


def _replaced(record: SpfRecord, parts: Mapping[int, tuple[SpfItem, ...]]) -> SpfRecord:
    if not parts:
        return record
    items: list[SpfItem] = []
    for space, term in record.items:
        part = parts.get(id(term))
        items += [(space, part[0][1]), *part[1:]] if part else [(space, term)]
    return replace(record, items=tuple(items))


def _inline(wanted: WantedInclude) -> tuple[SpfItem, ...]:
    terms = _terms(wanted.include.qualifier, wanted.networks)
    marker = Marker(wanted.domain, wanted.when, wanted.days, len(terms), _digest(terms))
    return tuple((" ", term) for term in (*terms, parse_term(str(marker))))


def _chain(wanted: WantedInclude, domain: str, free: Sequence[int]) -> tuple[dict[int, str], tuple[SpfItem, ...]]:
    """The chained records of one include, and what stands for them in the domain's own record."""
    parts = _parts(wanted, domain)
    numbers = [*(one for one in wanted.numbers if one in free), *(one for one in free if one not in wanted.numbers)]
    if len(numbers) < len(parts):
        rule = (
            f"its {len(wanted.networks)} networks need {len(parts)} records beside the domain's own, "
            f"and {len(numbers)} of {chain_name(1, domain)} to {chain_name(MOST_CHAINED, domain)} are free"
        )
        raise SpfError(wanted.include.raw, rule)
    used = tuple(numbers[: len(parts)])
    following = [*used[1:], None]
    texts = {
        number: _chain_text(wanted.domain, part, domain, after)
        for number, part, after in zip(used, parts, following, strict=True)
    }
    marker = Marker(wanted.domain, wanted.when, wanted.days, chain=used)
    sign = "" if wanted.include.qualifier == "+" else wanted.include.qualifier
    include = parse_term(f"{sign}include:{chain_name(used[0], domain)}")
    return texts, ((" ", include), (" ", parse_term(str(marker))))


def _parts(wanted: WantedInclude, domain: str) -> list[list[Term]]:
    """The addresses in parts that fit into one chained record each."""
    room = LONGEST - len(_chain_text(wanted.domain, [], domain, MOST_CHAINED))
    parts: list[list[Term]] = []
    used = room + 1
    for term in _terms("+", wanted.networks):
        used += len(term.raw) + 1
        if used > room:
            parts.append([])
            used = len(term.raw) + 1
        parts[-1].append(term)
    return parts


def _chain_text(include: str, terms: Iterable[Term], domain: str, following: int | None) -> str:
    onwards = [] if following is None else [f"include:{chain_name(following, domain)}"]
    return " ".join(["v=spf1", *(term.raw for term in terms), *onwards, f"{_NAME}={include}", "-all"])


def _terms(qualifier: str, networks: Iterable[Network]) -> list[Term]:
    sign = "" if qualifier == "+" else qualifier
    return [parse_term(f"{sign}ip{one.version}:{_spelled(one)}") for one in networks]


def _spelled(network: Network) -> str:
    return str(network.network_address if network.prefixlen == network.max_prefixlen else network)


def _length(items: Iterable[SpfItem]) -> int:
    return sum(len(space) + len(term.raw) for space, term in items)


def _marker(term: Term) -> Marker | None:
    match = _MARKER.fullmatch(term.value) if isinstance(term, Modifier) and term.name == _NAME else None
    if match is None:
        return None
    try:
        when = date.fromisoformat(match["when"])
    except ValueError:
        return None
    chain = tuple(int(number) for number in match["chain"].split(",")) if match["chain"] else ()
    return Marker(match["include"], when, int(match["days"]), int(match["count"] or 0), match["digest"] or "", chain)


def _slot(items: Sequence[SpfItem], marker: Marker, domain: str) -> Slot | None:
    """The include that a marker at the end of ``items`` is about; None when what it counts is not there any more."""
    length = 1 if marker.chain else marker.count
    start = len(items) - 1 - length
    stood = tuple(items[max(start, 0) :]) if start >= 0 else ()
    terms = [term for _space, term in stood[:-1]]
    directives = [term for term in terms if isinstance(term, Directive)]
    if len(directives) != length or len({term.qualifier for term in directives}) != 1:
        return None
    if marker.chain:
        intact = included(directives[0]) == chain_name(marker.chain[0], domain)
    else:
        intact = _digest(directives) == marker.digest
    if not intact:
        return None
    qualifier = directives[0].qualifier
    include = replace(parse_term(f"{'' if qualifier == '+' else qualifier}include:{marker.include}"))
    networks = tuple(term.network for term in directives if term.network is not None)
    return Slot(include, marker, stood, networks) if isinstance(include, Directive) else None


def _digest(terms: Iterable[Union[Directive, Term]]) -> str:
    """Of qualifiers and networks, however they are spelled."""
    text = " ".join(f"{term.qualifier}{term.network}" for term in terms if isinstance(term, Directive))
    return hashlib.sha256(text.encode()).hexdigest()[:8]
