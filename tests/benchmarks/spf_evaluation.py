# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one SPF evaluation costs, and the counting of a whole tree, beside pyspf and checkdmarc, as ratios.

Run it by ``make benchmark``. All sides have the same answers in memory, are asked the same, and must say the same. The
times are the processor's, the median of several rounds in which the sides take turns. "Warm" is one evaluator or
counter for all, which keeps parsed records, as the modules use it; "new" is a new one for each question, which finds
parsed terms; "cold" is one that finds nothing. pyspf keeps nothing from one query to the next; checkdmarc keeps the
answers of the DNS. checkdmarc evaluates no message, pyspf counts no whole tree.
"""

from __future__ import annotations

import functools
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import checkdmarc.spf
import spf as pyspf
from ansible_collections.mailroom.erp.plugins.module_utils.policy import spf, spf_macros
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation import check, message, program
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check_host import SpfEvaluator
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sources import check_sources
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import BudgetCounter
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation import pyspf_oracle
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.memory_resolver import MemoryResolver

DOMAINS = 300
PROVIDERS = 12
ROUNDS = 7
SEED = 20261121
KEEPERS = (spf, spf_macros, check, message, program)
REMEMBERING: list[Any] = [
    found for module in KEEPERS for found in vars(module).values() if isinstance(found, functools._lru_cache_wrapper)
]
Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Message:
    """One client and whom it claims to send for."""

    ip: str
    domain: str

    @property
    def sender(self) -> str:
        return f"invoice@{self.domain}"


class Zones:
    """Customers who include some of a dozen providers, as they are published: some nested, some with many networks."""

    def __init__(self, rng: random.Random) -> None:
        self.answers: dict[tuple[str, str], tuple[str, ...]] = {}
        self.networks: list[str] = []
        for number in range(PROVIDERS):
            self._add_provider(rng, number)
        self.domains = [f"customer{number}.example" for number in range(DOMAINS)]
        for name in self.domains:
            self._add_customer(rng, name)

    def __call__(self, name: str, rdtype: str) -> tuple[str, ...]:
        return self.answers.get((name, rdtype), ())

    def messages(self, rng: random.Random) -> list[Message]:
        """Two a domain: half from a provider's network, half from nowhere."""
        return [
            Message(ip, name)
            for name in self.domains
            for ip in (f"{rng.choice(self.networks)}{rng.randrange(256)}", f"203.0.113.{rng.randrange(256)}")
        ]

    def record(self, domain: str) -> str:
        return self.answers[domain, "TXT"][-1]

    def _add_provider(self, rng: random.Random, number: int) -> None:
        parts = 1 + number % 3
        for part in range(parts):
            networks = [f"10.{number}.{rng.randrange(256)}." for count in range(rng.choice((2, 6, 20)))]
            self.networks += networks
            terms = [*(f"ip4:{network}0/24" for network in networks), f"ip6:2001:db8:{number:x}{part:x}::/48", "~all"]
            self.answers[f"_spf{part}.provider{number}.example", "TXT"] = (f"v=spf1 {' '.join(terms)}",)
        includes = " ".join(f"include:_spf{part}.provider{number}.example" for part in range(parts))
        self.answers[f"spf.provider{number}.example", "TXT"] = (f"v=spf1 {includes} ~all",)

    def _add_customer(self, rng: random.Random, name: str) -> None:
        chosen = rng.sample(range(PROVIDERS), k=rng.choice((1, 1, 2)))
        includes = " ".join(f"include:spf.provider{number}.example" for number in chosen)
        self.answers[name, "TXT"] = ("google-site-verification=x", f"v=spf1 mx a {includes} ip4:192.0.2.7 -all")
        self.answers[name, "MX"] = (f"mail.{name}",)
        self.answers[name, "A"] = ("192.0.2.80",)
        self.answers[f"mail.{name}", "A"] = ("192.0.2.25",)


def cold(kind: Callable[[Zones], Kind], zones: Zones) -> Kind:
    """A new evaluator or counter, with all that the modules remember forgotten."""
    for function in REMEMBERING:
        function.cache_clear()
    return kind(zones)


def in_turns(sides: dict[str, Callable[[], object]], each: int) -> dict[str, float]:
    """Microseconds of processor time for each of so many questions, by side."""
    spent: dict[str, list[float]] = {name: [] for name in sides}
    for _round in range(ROUNDS):
        for name, run in sides.items():
            start = time.process_time()
            run()
            spent[name].append((time.process_time() - start) / each * 1e6)
    return {name: statistics.median(times) for name, times in spent.items()}


def evaluations(zones: Zones, messages: Sequence[Message]) -> dict[str, Callable[[], list[str]]]:
    warm = SpfEvaluator(zones)

    def ours(evaluators: Iterator[SpfEvaluator]) -> list[str]:
        return [next(evaluators).check_host(one.ip, one.domain, one.sender, "mail.example").result for one in messages]

    def theirs() -> list[str]:
        return [pyspf.query(i=one.ip, s=one.sender, h="mail.example").check()[0] for one in messages]

    return {
        "pyspf": theirs,
        "check_host, warm": lambda: ours(iter(lambda: warm, None)),
        "check_host, new": lambda: ours(iter(lambda: SpfEvaluator(zones), None)),
        "check_host, cold": lambda: ours(iter(lambda: cold(SpfEvaluator, zones), None)),
    }


def counts(zones: Zones) -> dict[str, Callable[[], list[int]]]:
    warm, resolver = BudgetCounter(zones), MemoryResolver(zones.answers)

    def ours(counters: Iterator[BudgetCounter]) -> list[int]:
        return [next(counters).count(spf.parse_spf(zones.record(name)), name).total for name in zones.domains]

    def theirs() -> list[int]:
        return [
            checkdmarc.spf.parse_spf_record(zones.record(name), name, resolver=resolver)["dns_lookups"]
            for name in zones.domains
        ]

    return {
        "checkdmarc": theirs,
        "count, warm": lambda: ours(iter(lambda: warm, None)),
        "count, new": lambda: ours(iter(lambda: BudgetCounter(zones), None)),
        "count, cold": lambda: ours(iter(lambda: cold(BudgetCounter, zones), None)),
    }


def verdicts(zones: Zones) -> dict[str, Callable[[], list[str]]]:
    """A sender's whole service, for the domains that include it and those that do not."""
    warm = SpfEvaluator(zones)
    sources = [[f"include:spf.provider{number % PROVIDERS}.example"] for number in range(DOMAINS)]

    def ours() -> list[str]:
        asked = zip(zones.domains, sources, strict=True)
        return [check_sources(warm, source, name, f"invoice@{name}", "mail.example").result for name, source in asked]

    return {"check_sources, warm": ours}


def show(title: str, sides: dict[str, Callable[[], Any]], each: int) -> None:
    """Check that all sides say the same, then time them; the first is what the others are compared with."""
    answers = [run() for run in sides.values()]
    if any(answer != answers[0] for answer in answers):
        raise SystemExit(f"{title}: the sides do not agree")
    times = in_turns(sides, each)
    base = next(iter(times.values()))
    print(title)
    for name, microseconds in times.items():
        print(f"  {name:20} {microseconds:8.1f} us  {base / microseconds:6.1f} x as fast as {next(iter(times))}")


def main() -> None:
    rng = random.Random(SEED)
    zones = Zones(rng)
    messages = zones.messages(rng)
    with pyspf_oracle.over(zones):
        show(f"{len(messages)} messages evaluated, each", evaluations(zones, messages), len(messages))
    show(f"{DOMAINS} whole trees counted, each", counts(zones), DOMAINS)
    show(f"{DOMAINS} services judged over all their servers, each", verdicts(zones), DOMAINS)


if __name__ == "__main__":
    main()
