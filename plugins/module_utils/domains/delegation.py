# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whether a change in a zone will be seen: the world must find the zone at the name servers that the zone names."""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import values_of
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import World
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, Problem, Refused, WayOut


def check_delegation(provider: Provider, zone: str, world: World, accepted: Collection[str]) -> list[str]:
    """Compare the NS records of a zone at the provider with those that the world finds.

    A zone that the world finds at none of the name servers that the provider has for it is delegated elsewhere, so a
    change at this provider would be seen by nobody (RFC 1034 section 4.2.2).

    :param zone: the apex, as A-labels
    :param accepted: zones that the user accepts by name
    :returns: warnings: what could not be asked, or differs in part
    :raises Refused: the zone is delegated elsewhere, or not at all, and is not accepted
    :raises ProviderError: the provider could not be asked
    """
    rrset = provider.read(zone, [(zone, "NS")]).rrsets.get((zone, "NS"))
    ours = _hosts(values_of(rrset))
    try:
        theirs = _hosts(world.lookup(zone, "NS"))
    except Unresolved as reason:
        return [f"zone {zone}: whether the world sees this DNS account's zone could not be asked: {reason}"]
    if ours & theirs or not ours:
        return _differences(zone, ours, theirs)
    if zone in accepted:
        return [f"zone {zone}: the world does not see it at this DNS account; accepted by name"]
    where = f"delegated to {', '.join(sorted(theirs))}" if theirs else "not delegated at all"
    rule = (
        f"the world finds it {where}, this DNS account has it for {', '.join(sorted(ours))}: nobody would see a change"
    )
    way_out = WayOut(
        (
            "Name the DNS account that serves the zone, or accept it by name: ",
            Option(f"accept_undelegated: [{zone}]"),
            ".",
        )
    )
    raise Refused(Problem(zone, "delegation", None, rule, "RFC 1034 section 4.2.2", way_out))


def _hosts(values: Collection[str]) -> set[str]:
    return {value.lower().rstrip(".") for value in values}


def _differences(zone: str, ours: set[str], theirs: set[str]) -> list[str]:
    if not ours or ours == theirs:
        return []
    only = sorted(ours ^ theirs)
    return [f"zone {zone}: name servers that only one of this DNS account and the world has: {', '.join(only)}"]
