# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whether a change in a zone will be seen: the world must find the zone at this DNS account, with what it has there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Provider, ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, mx_parts, values_of
from ansible_collections.mailroom.erp.plugins.module_utils.domains.grouped_messages import listed
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import World
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, Problem, Refused, WayOut, shown


@dataclass(frozen=True, slots=True)
class _Compared:
    """A record as this DNS account has it and as the world answers."""

    key: Key
    ours: frozenset[str]
    theirs: frozenset[str]
    certain: bool
    """Whether name servers of the zone answered, rather than a resolver that may keep what was there before."""

    @property
    def told(self) -> str:
        name, rdtype = self.key
        return (
            f"for {name} {rdtype} the world answers {_listed(self.theirs)}, this DNS account has {_listed(self.ours)}"
        )


def check_delegation(
    provider: Provider,
    zone: str,
    changes: Sequence[Change],
    world: World,
    anew: Callable[[], World],
    accepted: Collection[str],
) -> list[str]:
    """Compare the NS records of a zone, and what is to change, at the provider with what the world finds.

    A zone that the world finds at none of the name servers that the provider has for it is delegated elsewhere, so a
    change at this provider would be seen by nobody (RFC 1034 section 4.2.2). The same goes for another view of the
    zone, which its records show; and where a provider does not tell its name servers, they are all that shows it.

    :param zone: the apex, as A-labels
    :param changes: what the run is about to change in it
    :param world: what the world answers
    :param anew: the same, asked once more
    :param accepted: zones that the user accepts by name
    :returns: warnings: what could not be asked, or differs in part
    :raises Refused: nobody would see the change, or that cannot be told, and the zone is not accepted
    :raises ProviderError: the provider could not be asked
    """
    rrset = provider.read(zone, [(zone, "NS")]).rrsets.get((zone, "NS"))
    ours = _hosts(values_of(rrset))
    try:
        theirs = _hosts(world.lookup(zone, "NS"))
    except Unresolved as reason:
        return [f"zone {zone}: whether the world sees this DNS account's zone could not be asked: {reason}"]
    compared = _compared(comparable(zone, changes), world)
    rule = _unseen(ours, theirs) or _other_view(provider, zone, compared, anew) or _untold(ours, theirs, compared)
    if rule is None:
        return [*_differences(zone, ours, theirs), *_doubts(zone, compared)]
    if zone in accepted:
        return [f"zone {zone}: the world does not see it at this DNS account, or that cannot be told; accepted by name"]
    raise Refused(_refusal(zone, rule))


def zone_servers(provider: Provider, zone: str, world: World) -> dict[str, Any]:
    """Which name servers the DNS account has for a zone, and which the world finds.

    :param zone: the apex, as A-labels
    :param world: what the world answers
    :returns: ``zone``, ``account`` and ``world``, lists of names, None when it cannot be told, and then ``problem``
    """
    found: dict[str, Any] = {"zone": zone, "account": None, "world": None, "problem": None}
    try:
        rrset = provider.read(zone, [(zone, "NS")]).rrsets.get((zone, "NS"))
        found["account"] = sorted(_hosts(values_of(rrset)))
        found["world"] = sorted(_hosts(world.lookup(zone, "NS")))
    except (ProviderError, Unresolved) as reason:
        found["problem"] = str(reason)
    return found


def comparable(zone: str, changes: Iterable[Change]) -> dict[Key, tuple[str, ...]]:
    """The RRsets that are about to change and that the world can be asked for, as this DNS account has them.

    Where there is none, a wildcard may answer for it, except for the apex (RFC 4592 section 4.2).

    :param zone: the apex, as A-labels
    :param changes: what the run is about to change in it
    """
    known = {change.key: values_of(change.before) for change in changes}
    return {key: values for key, values in known.items() if values or key[0] == zone}


def _unseen(ours: set[str], theirs: set[str]) -> str | None:
    if ours & theirs or (theirs and not ours):
        return None
    where = f"delegated to {', '.join(sorted(theirs))}" if theirs else "not delegated at all"
    has = f", this DNS account has it for {', '.join(sorted(ours))}" if ours else ""
    return f"the world finds it {where}{has}: nobody would see a change"


def _other_view(provider: Provider, zone: str, compared: list[_Compared], anew: Callable[[], World]) -> str | None:
    """A record for which the zone's own name servers answer something else, seen twice: somebody may be writing."""
    keys = [one.key for one in compared if one.certain and one.ours != one.theirs]
    if not keys:
        return None
    before = provider.read(zone, keys).rrsets
    again = _compared({key: values_of(before.get(key)) for key in keys}, anew())
    after = provider.read(zone, keys).rrsets
    for one in again:
        is_same = values_of(before.get(one.key)) == values_of(after.get(one.key))
        if is_same and one.certain and one.ours != one.theirs:
            return f"{one.told}: it is another view or copy of the zone, or its name servers lag behind"
    return None


def _untold(ours: set[str], theirs: set[str], compared: list[_Compared]) -> str | None:
    """Nothing shows whether the zone at an account that tells no name servers is the one that the world sees."""
    if ours or any(one.ours and one.ours == one.theirs for one in compared):
        return None
    other = next((one.told for one in compared if one.ours != one.theirs), "and no record tells")
    where = f"the world finds it at {', '.join(sorted(theirs))}"
    return (
        f"this DNS account does not say which name servers have it ({where}), {other}: "
        "whether anybody would see a change is not known"
    )


def _compared(known: Mapping[Key, tuple[str, ...]], world: World) -> list[_Compared]:
    found = []
    for key, values in known.items():
        name, rdtype = key
        try:
            theirs = frozenset(world.lookup(name, rdtype))
        except Unresolved:
            continue
        ours = frozenset(mx_parts(value)[1] for value in values) if rdtype == "MX" else frozenset(values)
        found.append(_Compared(key, ours, theirs, world.is_authoritative(name, rdtype)))
    return found


def _refusal(zone: str, rule: str) -> Problem:
    accept = Option(f"accept_undelegated: [{zone}]")
    way_out = WayOut(("Name the DNS account that serves the zone, or accept it by name: ", accept, "."))
    return Problem(zone, "delegation", None, rule, "RFC 1034 section 4.2.2", way_out)


def _hosts(values: Collection[str]) -> set[str]:
    return {value.lower().rstrip(".") for value in values}


def _listed(values: Collection[str]) -> str:
    return listed([shown(value) for value in sorted(values)]) or "nothing"


def _differences(zone: str, ours: set[str], theirs: set[str]) -> list[str]:
    if not ours or ours == theirs:
        return []
    only = sorted(ours ^ theirs)
    return [f"zone {zone}: name servers that only one of this DNS account and the world has: {', '.join(only)}"]


def _doubts(zone: str, compared: list[_Compared]) -> list[str]:
    """What a resolver's memory explains as well as another view of the zone does."""
    return [
        f"zone {zone}: {one.told}: a resolver may still have the record of before, or the world sees another zone"
        for one in compared
        if one.ours != one.theirs
    ]
