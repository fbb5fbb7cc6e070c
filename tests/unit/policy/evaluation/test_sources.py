# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worst result over all servers of a sender: exact, and never a false pass."""

from __future__ import annotations

import random
from collections.abc import Iterable

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check import Check, Stop
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check_host import SpfEvaluator
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.message import Client, Envelope
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.servers import Range, parse_source
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sources import check_sources
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.tally import BADNESS
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation import spf_worlds
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.spf_worlds import Style, World
from hypothesis import given, settings
from hypothesis import strategies as st

DOMAIN = spf_worlds.DOMAINS[0]
HELO = "h1.example"
EVERYBODY = (*spf_worlds.INSIDE, *spf_worlds.OUTSIDE)


def covers(evaluator: SpfEvaluator, source: str, address: str, domain: str, sender: str, helo: str) -> bool | None:
    """Whether an address is one of a source's servers, tried on this address alone; None: its records are broken."""
    parsed, client = parse_source(source), Client.of(address)
    if isinstance(parsed, Range):
        return parsed.version == client.version and parsed.addresses[0] <= client.number <= parsed.addresses[1]
    envelope = Envelope.of(sender, domain, helo)
    check = Check(evaluator.lookup, evaluator.programs, client, envelope, max_lookups=100, max_void=1000)
    try:
        return check.run(parsed.program, domain).result == "pass"
    except Stop:
        return None


def results(world: World, source: str, sender: str, helo: str) -> list[tuple[bool, str]]:
    """(surely a server, result) of every address that may be a server, one by one."""
    evaluator = SpfEvaluator(world)
    tried = []
    for address in EVERYBODY:
        covered = covers(evaluator, source, address, DOMAIN, sender, helo)
        if covered is not False:
            tried.append((covered is True, evaluator.check_host(address, DOMAIN, sender, helo).result))
    return tried


def source_of(rng: random.Random, style: Style) -> str:
    return spf_worlds.network(rng) if rng.random() < 0.4 else spf_worlds.term(rng, style)


def worst_of(found: Iterable[str]) -> str:
    return max(found, key=BADNESS.index)


@settings(max_examples=1000, deadline=None)
@given(st.randoms(use_true_random=False))
def test_it_is_what_trying_every_address_gives(rng: random.Random) -> None:
    style = Style(macros=False, ptr=False)
    world, source, sender = spf_worlds.world(rng, style), source_of(rng, style), f"user@{DOMAIN}"
    found = check_sources(SpfEvaluator(world), [source], DOMAIN, sender, HELO).result
    tried = results(world, source, sender, HELO)
    if not tried:
        everybody = {SpfEvaluator(world).check_host(address, DOMAIN, sender, HELO).result for address in EVERYBODY}
        assert {found} in ({"unknown"}, everybody)
    elif all(sure for sure, _result in tried):
        assert found == worst_of(result for _sure, result in tried)
    else:
        assert found != "pass" or {result for _sure, result in tried} == {"pass"}


@settings(max_examples=1000, deadline=None)
@given(st.randoms(use_true_random=False))
def test_what_only_a_message_decides_is_neither_a_false_pass_nor_a_false_fail(rng: random.Random) -> None:
    world, source = spf_worlds.world(rng, Style()), source_of(rng, Style())
    sender, helo = f"{rng.choice(spf_worlds.SENDERS)}{DOMAIN}", rng.choice(spf_worlds.HELOS)
    found = check_sources(SpfEvaluator(world), [source], DOMAIN, sender, helo).result
    tried = [result for _sure, result in results(world, source, sender, helo)]
    if found == "pass":
        assert set(tried) <= {"pass"}
    elif found != "unknown" and tried:
        assert BADNESS.index(worst_of(tried)) >= BADNESS.index(found)


@settings(max_examples=200, deadline=None)
@given(st.randoms(use_true_random=False))
def test_several_sources_are_as_bad_as_the_worst_of_them(rng: random.Random) -> None:
    world, sources = spf_worlds.world(rng, Style()), [source_of(rng, Style()) for count in range(3)]
    each = [check_sources(SpfEvaluator(world), [source], DOMAIN, "", None).result for source in sources]
    assert check_sources(SpfEvaluator(world), sources, DOMAIN, "", None).result == worst_of(each)
