# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every question of a verdict and of an audit, one at a time, without an answer: never a pass that rests on it, and
never a record that is said to be missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ansible_collections.mailroom.erp.plugins.module_utils.domains.audit import audit
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import World
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Signature
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.verdict import Judge
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import BudgetCounter
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.failing_senders import AUTHOR, GOOD, failing_senders
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.step_follower import StepWorld

Question = tuple[str, str]


def _worlds() -> Iterator[tuple[str, StepWorld]]:
    """Those that fail, and the same with a server that SPF passes, and with a good key."""
    for name, world in failing_senders():
        yield name, world
        if world.sender.signature is None or not world.sender.signature.selectors:
            signed = world.copy()
            signed.sender = replace(world.sender, signature=Signature(AUTHOR, ("s1",)))
            signed.txt[f"s1._domainkey.{AUTHOR}"] = (GOOD,)
            yield f"{name}, signed", signed
        passed = world.copy()
        passed.sender = replace(world.sender, sources=("192.0.2.10",), envelope_domain=AUTHOR)
        passed.txt[AUTHOR] = ("v=spf1 include:ok.acme.example -all",)
        passed.txt["ok.acme.example"] = ("v=spf1 a:ok.acme.example -all",)
        passed.others["ok.acme.example", "A"] = ("192.0.2.10",)
        yield f"{name}, passed", passed


@dataclass
class Faulty:
    """Answers all questions but one, which is lost, or has another answer."""

    world: Lookup
    lost: Question | None = None
    instead: tuple[str, ...] | None = None
    asked: dict[Question, None] = field(default_factory=dict)

    def __call__(self, name: str, rdtype: str) -> tuple[str, ...]:
        self.asked[name, rdtype] = None
        if (name, rdtype) != self.lost:
            return self.world(name, rdtype)
        if self.instead is None:
            raise Unresolved(f"{name} {rdtype}: SERVFAIL")
        return self.instead


def test_no_pass_rests_on_an_answer_that_was_lost() -> None:
    """A pass without the answer is one too if the answer was empty, or a policy that asks for strict alignment."""
    tries = passes = 0
    for name, world in _worlds():
        whole = Faulty(world)
        Judge(whole, demands=False).verdict(world.sender)
        for question in whole.asked:
            tries += 1
            if Judge(Faulty(world, question), demands=False).verdict(world.sender).result != "pass":
                continue
            passes += 1
            for instead in ((), ("v=DMARC1; p=reject; aspf=s; adkim=s",) if question[1] == "TXT" else ()):
                verdict = Judge(Faulty(world, question, instead), demands=False).verdict(world.sender)
                assert verdict.result == "pass", (name, question, instead)
    assert tries > 500 and passes > 50, (tries, passes)


def test_an_audit_never_says_that_a_lost_record_is_missing() -> None:
    """What it says is missing without the answer is missing with it, too."""
    tries = 0
    for name, world in failing_senders():
        whole = Faulty(world)
        known = _missing(whole)
        for question in whole.asked:
            tries += 1
            assert _missing(Faulty(world, question)) <= known, (name, question)
    assert tries > 500, tries


def _missing(lookup: Faulty) -> set[tuple[str, str]]:
    found = audit(AUTHOR, ["s1"], World(lookup, BudgetCounter(lookup), lambda _name: True))
    words = ("there is none", "takes no mail", "has not agreed", "no key")
    return {(one.record, word) for one in found.findings for word in words if word in one.rule}
