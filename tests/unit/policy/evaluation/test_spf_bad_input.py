# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the DNS says, an evaluation gives a result and a reason after bounded work: questions and calls counted."""

from __future__ import annotations

import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, TypeVar

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy import spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check_host import SpfEvaluator
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.program import (
    ProgramStep,
    compiled,
    step_of,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.servers import BadSource
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sources import check_sources
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_result import RESULTS
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation import spf_worlds
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.spf_worlds import MOST_QUESTIONS, Style, World
from ansible_collections.mailroom.erp.tests.unit.policy.spf_strategies import records
from hypothesis import given, settings
from hypothesis import strategies as st

DOMAIN = "acme.example"
SENDER = f"invoice@{DOMAIN}"
IP = "192.0.2.1"
LONG = 65_535
Found = TypeVar("Found")

HOSTILE: dict[str, dict[tuple[str, str], tuple[str, ...]]] = {
    "a redirect loop": {(DOMAIN, "TXT"): (f"v=spf1 redirect={DOMAIN}",)},
    "an include loop over two": {
        (DOMAIN, "TXT"): ("v=spf1 include:b.example -all",),
        ("b.example", "TXT"): (f"v=spf1 include:{DOMAIN} -all",),
    },
    "a record that includes itself 1,000 times": {(DOMAIN, "TXT"): ("v=spf1" + f" include:{DOMAIN}" * 1000,)},
    "10,000 lookups": {(DOMAIN, "TXT"): ("v=spf1" + "".join(f" a:h{n}.example" for n in range(10_000)),)},
    "10,000 includes": {(DOMAIN, "TXT"): ("v=spf1" + "".join(f" include:h{n}.example" for n in range(10_000)),)},
    "10,000 networks": {
        (DOMAIN, "TXT"): ("v=spf1" + "".join(f" ip4:10.{n // 250}.{n % 250}.0/24" for n in range(10_000)),)
    },
    "10,000 ways that only a message decides": {(DOMAIN, "TXT"): ("v=spf1" + " exists:%{i}.e.example" * 10_000,)},
    "64 KB of nothing": {(DOMAIN, "TXT"): ("v=spf1" + " " * LONG,)},
    "64 KB of one label": {(DOMAIN, "TXT"): ("v=spf1 a:x." + "a" * LONG + "_",)},
    "64 KB of macros": {(DOMAIN, "TXT"): ("v=spf1 exists:" + "%{s}" * (LONG // 4) + " -all",)},
    "64 KB of one macro": {(DOMAIN, "TXT"): ("v=spf1 exists:%{d" + "9" * LONG + "} -all",)},
    "64 KB of digits and dots": {(DOMAIN, "TXT"): ("v=spf1 ip4:" + "1." * (LONG // 2) + "/24",)},
    "64 KB of slashes": {(DOMAIN, "TXT"): ("v=spf1 a:x.nl" + "/1" * (LONG // 2),)},
    "64 KB of a modifier": {(DOMAIN, "TXT"): ("v=spf1 x=" + "%%" * (LONG // 2),)},
    "64 KB of an explanation": {
        (DOMAIN, "TXT"): ("v=spf1 -all exp=why.example",),
        ("why.example", "TXT"): ("%{S}" * (LONG // 4),),
    },
    "bytes that are no UTF-8": {(DOMAIN, "TXT"): ("v=spf1 a:\udcff\udc80.example -all",)},
    "10,000 other texts": {(DOMAIN, "TXT"): (*(f"v=spf1{n}" for n in range(10_000)), "\udcff", "v=spf1 -all")},
    "10,000 SPF records": {(DOMAIN, "TXT"): ("v=spf1 -all",) * 10_000},
    "10,000 MX hosts": {
        (DOMAIN, "TXT"): ("v=spf1 mx -all",),
        (DOMAIN, "MX"): tuple(f"h{n}.example" for n in range(10_000)),
    },
    "10,000 reverse names": {
        (DOMAIN, "TXT"): ("v=spf1 ptr exists:%{p}.example -all",),
        ("1.2.0.192.in-addr.arpa", "PTR"): tuple(f"h{n}.example" for n in range(10_000)),
        **{(f"h{n}.example", "A"): ("198.51.100.1",) for n in range(10_000)},
    },
    "10,000 addresses": {
        (DOMAIN, "TXT"): ("v=spf1 a -all",),
        (DOMAIN, "A"): tuple(f"10.1.{n // 250}.{n % 250}" for n in range(10_000)),
    },
    "a null MX": {(DOMAIN, "TXT"): ("v=spf1 mx -all",), (DOMAIN, "MX"): (".",)},
    "macros that expand to nothing": {(DOMAIN, "TXT"): ("v=spf1 exists:%{l-} a:%{l1-}.%{l-} include:%{l-} -all",)},
    "macros that expand to too much": {
        (DOMAIN, "TXT"): ("v=spf1 a:" + "%{l}" * 100 + " exists:" + "%{l}." * 50 + "nl -all",)
    },
}


class Work:
    """Counts the calls of functions, those of the interpreter's own library too."""

    def __init__(self) -> None:
        self.calls = 0

    def of(self, run: Callable[[], Found]) -> Found:
        def count(_frame: FrameType, event: str, _argument: Any) -> None:
            self.calls += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            return run()
        finally:
            sys.setprofile(before)


@pytest.mark.parametrize("sender", [SENDER, f"-@{DOMAIN}", f"{'x' * LONG}@{DOMAIN}", f".@{DOMAIN}"], ids=range(4))
@pytest.mark.parametrize("name", HOSTILE)
def test_check_host_does_bounded_work(name: str, sender: str) -> None:
    world, work = World(HOSTILE[name]), Work()
    found = work.of(lambda: SpfEvaluator(world).check_host(IP, DOMAIN, sender, "x" * LONG))
    assert found.result in RESULTS
    assert found.reason.endswith(")") and "RFC " in found.reason
    assert len(found.reason) < 1000 and len(found.term or "") < 1500 and len(found.explanation or "") <= 500
    assert world.asked <= MOST_QUESTIONS
    # Parsing is linear in the terms; 16,000 macros with their values are the most that a record can hold.
    assert work.calls < 800_000


@pytest.mark.parametrize("source", ["192.0.2.0/24", f"include:{DOMAIN}", "all", "mx", "ptr", "exists:%{i}.e.example"])
@pytest.mark.parametrize("name", HOSTILE)
def test_check_sources_does_bounded_work(name: str, source: str) -> None:
    world, work = World(HOSTILE[name]), Work()
    found = work.of(lambda: check_sources(SpfEvaluator(world), [source], DOMAIN, SENDER))
    assert found.result in (*RESULTS, "unknown")
    assert "RFC " in found.reason and len(found.reason) < 1000
    assert world.asked <= 3000
    assert work.calls < 6_000_000


@pytest.mark.parametrize("name", HOSTILE)
def test_memory_is_bounded(name: str) -> None:
    world = World(HOSTILE[name])
    tracemalloc.start()
    try:
        SpfEvaluator(world).check_host(IP, DOMAIN, SENDER)
        check_sources(SpfEvaluator(world), ["192.0.2.0/24"], DOMAIN, SENDER)
        assert tracemalloc.get_traced_memory()[1] < 40 * 2**20
    finally:
        tracemalloc.stop()


def test_a_long_label_takes_no_quadratic_time() -> None:
    """The steps of a regular expression cannot be counted. A quadratic one would take minutes here."""
    start = time.process_time()
    with pytest.raises(spf.SpfError):
        spf.parse_spf("v=spf1 a:x." + "a" * 200_000 + "_")
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    "domain", ["", ".", "..", "nl", "a..nl", "[192.0.2.1]", "x" * 64 + ".nl", "x." * 200, "\udcff.nl", "é.nl"]
)
def test_what_is_no_domain_name_has_no_record(domain: str) -> None:
    world = World({})
    found = SpfEvaluator(world).check_host(IP, domain, "")
    assert (found.result, world.asked) == ("none", 0)


@pytest.mark.parametrize("ip", ["", "192.0.2", "192.0.2.256", "::g", "mail.example"])
def test_what_is_no_address_is_refused(ip: str) -> None:
    with pytest.raises(ValueError, match="address"):
        SpfEvaluator(World({})).check_host(ip, DOMAIN, SENDER)


@pytest.mark.parametrize(
    "source", ["", " ", "192.0.2.0/33", "nonsense", "-ip4:192.0.2.1", "redirect=x.nl", "v=spf1 mx", "a:\udcff.nl"]
)
def test_what_is_no_source_is_refused_with_its_rule(source: str) -> None:
    with pytest.raises(BadSource, match="RFC 7208") as refused:
        check_sources(SpfEvaluator(World({})), ["192.0.2.1", source], DOMAIN, SENDER)
    assert refused.value.source == source


@settings(max_examples=300)
@given(spf_worlds.SEEDS, st.integers(0, 60))
def test_a_name_that_does_not_answer_never_makes_a_pass(rng: random.Random, failing: int) -> None:
    world = spf_worlds.world(rng, Style(ptr=False))
    name = sorted({name for name, _rdtype in world.zone})[failing % len(world.zone) // 2]
    domain, ip = rng.choice(spf_worlds.DOMAINS), rng.choice(spf_worlds.INSIDE)

    def lookup(asked: str, rdtype: str) -> tuple[str, ...]:
        if asked == name:
            raise Unresolved("SERVFAIL")
        return world(asked, rdtype)

    before = SpfEvaluator(world).check_host(ip, domain, f"user@{domain}")
    after = SpfEvaluator(lookup).check_host(ip, domain, f"user@{domain}")
    assert after.result in (before.result, "temperror")


def steps_or_error(run: Callable[[], Sequence[ProgramStep]]) -> object:
    try:
        return list(run())
    except spf.SpfError as error:
        return str(error), error.term


@given(st.one_of(records(), st.text(alphabet="ad4:./%{}-=p1 ", max_size=20).map(lambda text: f"v=spf1 {text}")))
def test_compiling_a_record_is_what_its_parser_says(text: str) -> None:
    def parsed() -> list[ProgramStep]:
        return [step_of(term) for term in spf.effective(spf.parse_spf(text).terms) if isinstance(term, spf.Directive)]

    assert steps_or_error(lambda: compiled(text).steps) == steps_or_error(parsed)


@given(st.from_regex(r"[-+]?ip4:[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?", fullmatch=True))
def test_the_short_way_reads_ip4_as_the_parser_does(raw: str) -> None:
    def parsed() -> list[ProgramStep]:
        term = spf.parse_term(raw)
        assert isinstance(term, spf.Directive)
        return [step_of(term)]

    assert steps_or_error(lambda: compiled(f"v=spf1 {raw}").steps) == steps_or_error(parsed)
