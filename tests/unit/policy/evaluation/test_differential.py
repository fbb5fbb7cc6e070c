# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""check_host against pyspf on 10,000 random cases a run; what may differ is listed here, with its section of the RFC.

A difference is accepted only when pyspf says what we say once the habits are taken away that the list names.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check_host import SpfEvaluator
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_result import SpfResult
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation import pyspf_oracle, spf_worlds
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.pyspf_oracle import Habits, Verdict
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.spf_worlds import World

PARTS = 4
ZONES = 250
MESSAGES = 10
SEED = "MAILROOM_SPF_SEED"


@dataclass(frozen=True, slots=True)
class Message:
    """What one connection says; the sender has a local part, because pyspf's macro s takes none for none."""

    ip: str
    domain: str
    sender: str
    helo: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A habit of pyspf's: why we do not share it, when it shows, and how it is taken away."""

    why: str
    shows: Callable[[Verdict, str, SpfResult], bool]
    without: Habits


ACCEPTED = (
    Difference(
        "RFC 7208 section 4.6.4: a loop ends at the limit of lookups; an include of the record itself that is not"
        " reached is no error",
        lambda theirs, _zone, _ours: theirs.message.startswith("include has trivial recursion"),
        Habits(self_include=False),
    ),
    Difference(
        "RFC 7208 sections 4.6.4 and 6.1: redirect= looks something up when no mechanism has matched, not before",
        lambda theirs, zone, _ours: theirs.message.startswith("Too many DNS lookups") and "redirect=" in zone,
        Habits(lookups=40),
    ),
    Difference(
        "RFC 7208 section 5.5: a reverse name that cannot be resolved is skipped, and is no temperror",
        lambda theirs, zone, _ours: theirs.result == "temperror" and ("ptr" in zone or "%{p}" in zone),
        Habits(ptr_errors=False),
    ),
    Difference(
        "RFC 7208 section 4.6.2: the macro p of a term that is not reached looks nothing up",
        lambda theirs, zone, _ours: theirs.message.startswith("Void lookup limit") and "%{p}" in zone,
        Habits(void=1000),
    ),
    Difference(
        "RFC 7208 section 4.6.4: void lookups are counted by terms, not by questions; then our result has a caution",
        lambda theirs, _zone, ours: theirs.message.startswith("Void lookup limit") and ours.caution is not None,
        Habits(void=1000),
    ),
)


def one_message(rng: random.Random) -> Message:
    domain = rng.choice(spf_worlds.DOMAINS)
    local = rng.choice(spf_worlds.SENDERS).removesuffix("@") or "postmaster"
    ip = rng.choice((*spf_worlds.INSIDE, *spf_worlds.OUTSIDE))
    return Message(ip, domain, f"{local}@{domain}", rng.choice(spf_worlds.HELOS))


def agree(ours: SpfResult, theirs: Verdict) -> bool:
    explained = ours.explanation or pyspf_oracle.NO_EXPLANATION
    return ours.result == theirs.result and (ours.result != "fail" or explained == theirs.explanation)


def judge(world: World, evaluator: SpfEvaluator, message: Message) -> list[str]:
    """Why the differences are accepted, nothing when there is none."""
    ours = evaluator.check_host(message.ip, message.domain, message.sender, message.helo)
    zone = " ".join(text for (_name, rdtype), texts in world.zone.items() if rdtype == "TXT" for text in texts)
    habits, why = Habits(), []
    theirs = first = pyspf_oracle.ask(message.ip, message.sender, message.helo, habits)
    while not agree(ours, theirs):
        shown = next((one for one in ACCEPTED if one.why not in why and one.shows(theirs, zone, ours)), None)
        if shown is None:
            raise AssertionError(f"{message}\nwe say {ours}\npyspf says {first}\n{zone_text(world)}")
        why.append(shown.why)
        habits = habits.without(shown.without)
        theirs = pyspf_oracle.ask(message.ip, message.sender, message.helo, habits)
    return why


def zone_text(world: World) -> str:
    return "\n".join(f"{name} {rdtype} {values}" for (name, rdtype), values in world.zone.items())


@pytest.mark.parametrize("part", range(PARTS))
def test_pyspf_says_the_same(part: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Set the environment variable to the number that a run has printed, and it does the same again."""
    seed = os.environ.get(SEED) or str(random.SystemRandom().randrange(10**9))
    with capfd.disabled():
        print(f"{SEED}={seed}, part {part}", file=sys.stderr, flush=True)
    rng = random.Random(f"{seed} {part}")
    differences = 0
    for _zone in range(ZONES):
        world = spf_worlds.world(rng, spf_worlds.Style())
        evaluator = SpfEvaluator(world)
        with pyspf_oracle.over(world):
            differences += sum(bool(judge(world, evaluator, one_message(rng))) for number in range(MESSAGES))
    # Else the comparison would say little.
    assert differences < ZONES * MESSAGES / 10


def test_a_run_has_10000_cases() -> None:
    assert PARTS * ZONES * MESSAGES == 10_000
