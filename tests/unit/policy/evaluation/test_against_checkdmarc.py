# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading records and counting whole trees against checkdmarc, on random trees.

Left out is what checkdmarc reads differently: a version in capitals (RFC 7208 section 4.5 takes it), prefix lengths of
both families behind one a or mx (dual-cidr-length, section 12), macros in names (section 7), and names without
addresses, because it counts those of mx hosts otherwise (section 4.6.4). Where a tree is broken or costs more than 10
lookups, both must say so.
"""

from __future__ import annotations

import random
import re

import checkdmarc.spf
import checkdmarc.utils
import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy import spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import BudgetCounter
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation import spf_worlds
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.memory_resolver import MemoryResolver
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.spf_worlds import Style, World

ZONES = 60
PARTS = 4
_PREFIXES = re.compile(r"(?<= )([-+?~]?(?:a|mx)(?::[^ /]+)?)/[/0-9]+")
_MACROS = re.compile(r" \S*%\S*")


def plain_world(rng: random.Random) -> World:
    world = spf_worlds.world(rng, Style(macros=False, broken=False, ptr=False))
    for name in spf_worlds.DOMAINS:
        texts = world.zone[name, "TXT"]
        world.zone[name, "TXT"] = tuple(_MACROS.sub("", _PREFIXES.sub(r"\1", text)).lower() for text in texts)
    for name in (*spf_worlds.DOMAINS, *spf_worlds.HOSTS):
        world.zone.setdefault((name, "A"), ("192.0.2.1",))
        world.zone[name, "MX"] = world.zone.get((name, "MX")) or spf_worlds.HOSTS[:1]
    return world


def ours(world: World, domain: str) -> int | None:
    """The lookups of a tree, None when it is broken or costs too much."""
    budget = BudgetCounter(world).count(spf.parse_spf(world.zone[domain, "TXT"][0]), domain)
    return None if budget.broken or budget.total > 10 else budget.total


def theirs(world: World, domain: str) -> int | None:
    text, resolver = world.zone[domain, "TXT"][0], MemoryResolver(world.zone)
    checkdmarc.utils.DNS_CACHE.clear()
    try:
        found = checkdmarc.spf.parse_spf_record(text, domain, resolver=resolver)
    except checkdmarc.spf.SPFError:
        return None
    return int(found["dns_lookups"])


@pytest.mark.parametrize("part", range(PARTS))
def test_checkdmarc_counts_the_same(part: int) -> None:
    rng, sound = random.Random(part), 0
    for _zone in range(ZONES):
        world = plain_world(rng)
        for domain in spf_worlds.DOMAINS:
            assert ours(world, domain) == theirs(world, domain), world.zone
            sound += ours(world, domain) is not None
    assert sound > ZONES
