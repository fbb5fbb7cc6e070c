# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worst result over all servers of a sender: exact, and never a false pass."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check import Check, Stop
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check_host import SpfEvaluator
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.message import Client, Envelope
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.servers import AddressRange, parse_source
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sources import MOST_PIECES, check_sources
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.tally import BADNESS
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation import spf_worlds
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.spf_worlds import Style, World
from hypothesis import given, settings

DOMAIN = spf_worlds.DOMAINS[0]
HELO = "h1.example"
EVERYBODY = (*spf_worlds.INSIDE, *spf_worlds.OUTSIDE)


def covers(evaluator: SpfEvaluator, source: str, address: str, domain: str, sender: str, helo: str) -> bool | None:
    """Whether an address is one of a source's servers, tried on this address alone; None: its records are broken."""
    parsed, client = parse_source(source), Client.of(address)
    if isinstance(parsed, AddressRange):
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


@settings(max_examples=1000)
@given(spf_worlds.SEEDS)
def test_it_is_what_trying_every_address_gives(rng: random.Random) -> None:
    style = Style(macros=False, ptr=False)
    world, source, sender = spf_worlds.world(rng, style), source_of(rng, style), f"user@{DOMAIN}"
    found = check_sources(SpfEvaluator(world), [source], DOMAIN, sender, HELO).result
    tried = results(world, source, sender, HELO)
    if not tried:
        everybody = {SpfEvaluator(world).check_host(address, DOMAIN, sender, HELO).result for address in EVERYBODY}
        assert {found} in ({"unknown"}, everybody) or (found in everybody and not everybody & {"pass", "temperror"})
    elif all(sure for sure, _result in tried):
        assert found == worst_of(result for _sure, result in tried)
    else:
        assert found != "pass" or {result for _sure, result in tried} == {"pass"}


@settings(max_examples=1000)
@given(spf_worlds.SEEDS)
def test_what_only_a_message_decides_is_neither_a_false_pass_nor_a_false_fail(rng: random.Random) -> None:
    world, source = spf_worlds.world(rng, Style()), source_of(rng, Style())
    sender, helo = f"{rng.choice(spf_worlds.SENDERS)}{DOMAIN}", rng.choice(spf_worlds.HELOS)
    found = check_sources(SpfEvaluator(world), [source], DOMAIN, sender, helo).result
    tried = [result for _sure, result in results(world, source, sender, helo)]
    if found == "pass":
        assert set(tried) <= {"pass"}
    elif found != "unknown" and tried:
        assert BADNESS.index(worst_of(tried)) >= BADNESS.index(found)


@settings(max_examples=500)
@given(spf_worlds.SEEDS)
def test_a_pass_without_caution_holds_for_every_address_however_void_lookups_are_counted(rng: random.Random) -> None:
    world, source, sender = spf_worlds.world(rng, Style()), source_of(rng, Style()), f"user@{DOMAIN}"
    evaluator = SpfEvaluator(world)
    found = check_sources(evaluator, [source], DOMAIN, sender, HELO)
    if found.result == "pass" and found.caution is None:
        served = [one for one in EVERYBODY if covers(evaluator, source, one, DOMAIN, sender, HELO) is not False]
        assert not any(evaluator.check_host(one, DOMAIN, sender, HELO).caution for one in served)


@settings(max_examples=200)
@given(spf_worlds.SEEDS)
def test_several_sources_are_as_bad_as_the_worst_of_them(rng: random.Random) -> None:
    world, sources = spf_worlds.world(rng, Style()), [source_of(rng, Style()) for count in range(3)]
    each = [check_sources(SpfEvaluator(world), [source], DOMAIN, "", None).result for source in sources]
    assert check_sources(SpfEvaluator(world), sources, DOMAIN, "", None).result == worst_of(each)


SERVICES = {
    ("known.example", "TXT"): ("v=spf1 ip4:192.0.2.0/25 ip6:2001:db8::/32 -all",),
    ("asks.example", "TXT"): ("v=spf1 exists:%{i}.e.example -all",),
    ("both.example", "TXT"): ("v=spf1 ip4:192.0.2.0/25 exists:%{i}.e.example ~all",),
    ("per.example", "TXT"): ("v=spf1 exists:%{l}.users.example -all",),
    ("none.example", "TXT"): ("v=spf1 -all",),
    ("broken.example", "TXT"): ("v=spf1 nonsense -all",),
    ("nested.example", "TXT"): ("v=spf1 include:asks.example include:known.example ?all",),
    ("invoice.users.example", "A"): ("127.0.0.2",),
    (DOMAIN, "MX"): ("mail.d0.example",),
    ("mail.d0.example", "A"): ("192.0.2.200",),
}


@pytest.mark.parametrize(
    ("record", "source", "result", "why"),
    [
        ("include:known.example -all", "include:known.example", "pass", "its whole tree is within the limits"),
        ("+include:KNOWN.example. -all", "include:known.example", "pass", "its whole tree is within the limits"),
        ("-ip4:192.0.2.7 include:known.example -all", "include:known.example", "fail", "matches 192.0.2.7"),
        ("-ip4:198.51.100.7 include:known.example -all", "include:known.example", "pass", "by include:known.example"),
        ("ip4:192.0.2.0/25 ~all", "include:known.example", "softfail", "matches 2001:db8::"),
        ("ip4:192.0.2.0/24 ip6:2001:db8::/31 ~all", "include:known.example", "pass", "by ip4:192.0.2.0/24 first"),
        ("ip4:192.0.2.0/26 ip4:192.0.2.64/26 -all", "192.0.2.0/25", "pass", "by ip4:192.0.2.0/26 first"),
        ("ip4:192.0.2.0/26 ip4:192.0.2.65 ip4:192.0.2.66/31 -all", "192.0.2.0/25", "fail", "matches 192.0.2.64 "),
        ("mx -all", "mx", "pass", "its whole tree"),
        ("a:mail.d0.example -all", "mx", "pass", "by a:mail.d0.example first"),
        ("include:asks.example -all", "include:asks.example", "pass", "by include:asks.example > exists"),
        ("include:asks.example -all", "exists:%{i}.e.example", "pass", "by include:asks.example > exists"),
        ("include:nested.example -all", "include:asks.example", "pass", "by include:nested.example > include:asks"),
        ("?exists:%{i}.bad.example include:asks.example -all", "include:asks.example", "unknown", "exists:%{i}.bad"),
        ("ip4:192.0.2.0/24 -all", "include:asks.example", "unknown", "exists:%{i}.e.example, which only a message"),
        ("~all", "include:asks.example", "softfail", "~all"),
        ("ip4:192.0.2.0/25 -all", "include:both.example", "unknown", "exists:%{i}.e.example"),
        ("ip4:192.0.2.0/26 -all", "include:both.example", "fail", "192.0.2.64"),
        ("ptr -all", "ptr", "pass", "by ptr"),
        ("ip4:192.0.2.0/24 -all", "ptr", "unknown", "ptr, which only a message decides"),
        ("ptr ip4:192.0.2.0/24 -all", "192.0.2.0/24", "pass", "by ip4:192.0.2.0/24 first"),
        ("exists:%{i}.x.nl ip4:192.0.2.0/24 -all", "192.0.2.0/24", "pass", "192.0.2.0/24"),
        ("exists:%{i}.x.nl -all", "192.0.2.0/24", "fail", "matches 192.0.2.0"),
        ("include:per.example -all", "192.0.2.0/24", "pass", "by include:per.example > exists:%{l}"),
        ("-all", "include:none.example", "fail", "no address passes the record of d0.example: -all says so"),
        ("ip4:192.0.2.1 -all", "include:none.example", "unknown", "covers no address"),
        ("?ip4:192.0.2.1", "include:none.example", "neutral", "no address passes the record of d0.example"),
        ("-all", "include:broken.example", "fail", "-all"),
        ("ip4:192.0.2.0/24 -all", "include:broken.example", "unknown", "the record of broken.example is invalid"),
        ("include:down.example -all", "192.0.2.1", "temperror", "no answer within 5 s"),
        ("ip4:192.0.2.0/24 -all", "include:down.example", "unknown", "no answer within 5 s"),
        ("ip4:192.0.2.1 include:down.example -all", "192.0.2.0/24", "temperror", "no answer within 5 s"),
        ("nonsense", "192.0.2.1", "permerror", "invalid at"),
        ("include:known.example nonsense", "include:known.example", "permerror", "invalid at"),
        ("all", "all", "pass", "its whole tree"),
        ("ip4:192.0.2.1 -all", "::ffff:192.0.2.1", "pass", "matches 192.0.2.1"),
        ("ip6:::/0 -all", "all", "fail", "matches 0.0.0.0"),
    ],
)
def test_the_worst_result_of_a_source_is_found(record: str, source: str, result: str, why: str) -> None:
    world = World({**SERVICES, (DOMAIN, "TXT"): (f"v=spf1 {record}",)})
    found = check_sources(SpfEvaluator(world), [source], DOMAIN, f"invoice@{DOMAIN}", HELO)
    assert (found.result, why in found.reason) == (result, True), found.reason


@pytest.mark.parametrize(
    ("record", "sources", "result", "cautioned"),
    [
        ("mx ip6:2001:db8::/32 -all", ["192.0.2.3"], "pass", False),
        ("mx ip6:2001:db8::/32 -all", ["2001:db8::/48"], "pass", True),
        ("mx ip6:2001:db8::/32 -all", ["192.0.2.3", "2001:db8::/48", "192.0.2.2"], "pass", True),
        ("ip6:2001:db8::/32 mx -all", ["2001:db8::/48"], "pass", False),
        ("mx mx ip6:2001:db8::/32 -all", ["2001:db8::/48"], "pass", True),
        ("mx mx mx ip6:2001:db8::/32 -all", ["2001:db8::/48"], "permerror", False),
        ("ptr ip4:192.0.2.0/24 -all", ["192.0.2.0/24"], "pass", True),
        ("exists:%{i}.x.nl ip4:192.0.2.0/24 -all", ["192.0.2.0/24"], "pass", False),
    ],
)
def test_what_receivers_count_differently_is_told(
    record: str, sources: list[str], result: str, cautioned: bool
) -> None:
    world = World({**spf_worlds.mail_hosts(DOMAIN, 4), (DOMAIN, "TXT"): (f"v=spf1 {record}",)})
    found = check_sources(SpfEvaluator(world), sources, DOMAIN, f"invoice@{DOMAIN}", HELO)
    assert (found.result, found.caution is not None) == (result, cautioned)


@pytest.mark.parametrize(
    ("sender", "helo", "spec", "result"),
    [
        (f"invoice@{DOMAIN}", None, "%{l}.users.example", "pass"),
        (f"other@{DOMAIN}", None, "%{l}.users.example", "fail"),
        (DOMAIN, None, "%{l}.users.example", "unknown"),
        ("", None, "%{l}.users.example", "fail"),
        (DOMAIN, "invoice", "%{h}.users.example", "pass"),
        (DOMAIN, "other", "%{h}.users.example", "fail"),
        (DOMAIN, None, "%{h}.users.example", "unknown"),
    ],
)
def test_what_is_known_of_the_envelope_decides(sender: str, helo: str | None, spec: str, result: str) -> None:
    world = World({**SERVICES, (DOMAIN, "TXT"): (f"v=spf1 exists:{spec} -all",)})
    assert check_sources(SpfEvaluator(world), ["192.0.2.0/24"], DOMAIN, sender, helo).result == result


def test_without_sources_nothing_is_known() -> None:
    world = World({(DOMAIN, "TXT"): ("v=spf1 +all",)})
    assert check_sources(SpfEvaluator(world), (), DOMAIN, DOMAIN).result == "unknown"


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("-all", "fail"),
        ("~all", "softfail"),
        ("-ip4:192.0.2.1 ?all", "fail"),
        ("nonsense", "permerror"),
        (f"include:{DOMAIN} ip4:192.0.2.1 -all", "permerror"),
        (f"redirect={DOMAIN}", "permerror"),
        ("redirect=nothing.example", "permerror"),
        ("include:none.example -all", "fail"),
        ("mx:nothing.example -all", "fail"),
        ("ip4:192.0.2.1 nothing=x -all", "unknown"),
        (f"ip6:2001:db8::1 include:{DOMAIN}", "unknown"),
        ("exists:%{i}.x.nl -all", "unknown"),
        ("ptr -all", "unknown"),
        ("include:down.example -all", "unknown"),
        ("+all", "unknown"),
    ],
)
def test_a_record_that_nobody_passes_fails_whoever_sends(record: str, result: str) -> None:
    world = World({**SERVICES, (DOMAIN, "TXT"): (f"v=spf1 {record}",)})
    found = check_sources(SpfEvaluator(world), (), DOMAIN, DOMAIN)
    assert (found.result, found.address) == (result, None), found.reason


@settings(max_examples=500)
@given(spf_worlds.SEEDS)
def test_no_address_passes_where_it_is_said_so(rng: random.Random) -> None:
    world = spf_worlds.world(rng, Style())
    found = check_sources(SpfEvaluator(world), (), DOMAIN, f"user@{DOMAIN}", HELO).result
    tried = {SpfEvaluator(world).check_host(one, DOMAIN, f"user@{DOMAIN}", HELO).result for one in EVERYBODY}
    assert found in ("unknown", "temperror") or not tried & {"pass", "temperror"}


def test_beyond_the_bound_of_ranges_there_is_no_pass_but_a_fail_is_found() -> None:
    networks = " ".join(f"ip4:10.{n // 256}.{n % 256}.0" for n in range(MOST_PIECES))
    world = World({(DOMAIN, "TXT"): (f"v=spf1 {networks} ip4:10.0.0.0/8 -all",)})
    found = check_sources(SpfEvaluator(world), ["10.0.0.0/8"], DOMAIN, DOMAIN)
    assert found.result == "unknown" and ("more than 4096 ranges" in found.reason or "tests" in found.reason)
    world.zone[DOMAIN, "TXT"] = (f"v=spf1 {networks} -all",)
    assert check_sources(SpfEvaluator(world), ["10.0.0.0/8"], DOMAIN, DOMAIN).result == "fail"


def test_answers_that_change_while_it_judges_do_not_mix() -> None:
    """A name server that gives another address each time: all parts of a judgement see the same one."""
    turns = itertools.count(1)

    def lookup(name: str, rdtype: str) -> tuple[str, ...]:
        if rdtype == "TXT":
            return ("v=spf1 a -all",) if name == DOMAIN else ()
        return (f"192.0.2.{next(turns)}",) if rdtype == "A" else ()

    assert check_sources(SpfEvaluator(lookup), ["a"], DOMAIN, DOMAIN).result == "pass"
