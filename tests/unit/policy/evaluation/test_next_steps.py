# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every next step helps: followed literally, in each of its ways, no sender fails for the same reason again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.next_steps import inventory_step
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.outcome import Verdict
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.verdict import Judge
from ansible_collections.mailroom.erp.plugins.module_utils.problem import shown
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.failing_senders import OWN, failing_senders
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.step_follower import (
    StepWorld,
    Vague,
    alternatives,
    follow,
)

_MOST_STEPS = 5
Step = Callable[[Verdict], "str | None"]
VOICES: dict[str, Step] = {
    "task": lambda verdict: verdict.next_step,
    "inventory": lambda verdict: inventory_step(verdict, OWN),
}
SENDERS = dict(failing_senders())


def _judged(world: StepWorld) -> Verdict:
    return Judge(world).verdict(world.sender)


def _why(verdict: Verdict) -> tuple[object, ...]:
    """The reason that the next step is about, in data."""
    spf, dkim = verdict.spf, verdict.dkim
    if verdict.result == "unknown" and dkim.result == "unknown" and not dkim.selectors:
        return ("nothing is said of signatures",)
    if spf.aligned is not False and spf.result != "pass" and spf.cause:
        place: object = (spf.cause.at, spf.cause.terms, spf.cause.front) if spf.cause.kind in _AT_A_TERM else ""
        return ("spf", spf.domain, spf.cause.kind, place)
    if dkim.aligned is not False and dkim.result != "pass":
        keys = [(one.name, one.cause.kind) for one in dkim.selectors if one.cause]
        return ("dkim", spf.result, spf.domain, dkim.result, *keys)
    return ("alignment", verdict.result)


_AT_A_TERM = ("decided", "missing", "several", "syntax", "loop", "unresolved")
"""Kinds of which a sender may have several, each at another term or record; of the others it has one at most."""


def _ways(world: StepWorld, voice: Step, seen: tuple[object, ...] = ()) -> Iterator[tuple[int, bool]]:
    """Follow every alternative until the mail passes: the number of steps, and whether others had to help."""
    verdict = _judged(world)
    if verdict.result == "pass":
        yield len(seen), False
        return
    why, step = _why(verdict), voice(verdict)
    assert why not in seen, f"for the same reason again: {verdict.reason} -> {step}"
    assert step and len(seen) < _MOST_STEPS, f"too many steps: {seen}; {step}"
    for clauses in alternatives(step):
        after, by_others = world, False
        for clause in clauses:
            try:
                after, outside = follow(after, clause)
            except Vague as vague:
                raise AssertionError(f"{vague}: {step} ({verdict.reason})") from vague
            by_others |= outside
        yield from ((count, others or by_others) for count, others in _ways(after, voice, (*seen, why)))


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("case", SENDERS)
def test_no_sender_fails_for_the_same_reason_again(case: str, voice: str) -> None:
    ways = list(_ways(SENDERS[case], VOICES[voice]))
    assert ways


def test_there_are_enough_failing_senders_and_most_need_nobody_else() -> None:
    senders = [world for world in SENDERS.values() if _judged(world).result == "fail"]
    counts: Counter[object] = Counter()
    for world in senders:
        steps, outside = min(_ways(world, VOICES["task"]), key=lambda way: (way[1], way[0]))
        counts["with others" if outside else steps] += 1
    print(f"{len(senders)} failing senders; passes after steps: {dict(counts)}")
    assert len(senders) >= 200 and set(counts) == {1, 2, 3, "with others"}
    page = " ".join((Path(__file__).parents[4] / "docs" / "verdicts.md").read_text(encoding="utf-8").split())
    after = f"{counts[1]} pass after one step, {counts[2]} after two, {counts[3]} after three"
    assert f"Of {len(senders)}, {after}, and {counts['with others']} need somebody else." in page


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ("v=DMARC1; p=reject; sp=quarantine", "asked to quarantine it by {}: _dmarc.acme.example says sp=quarantine"),
        ("v=DMARC1; p=none; np=reject", "asked to reject it by {}: _dmarc.acme.example says np=reject"),
        ("v=DMARC1; p=reject", "asked to reject it by {}: _dmarc.acme.example says p=reject"),
        ("v=DMARC1; rua=mailto:d@acme.example", "asked to do nothing about it by {}: _dmarc.acme.example says nothing"),
    ],
)
def test_the_reason_names_the_tag_of_a_policy_from_above(record: str, says: str) -> None:
    world = SENDERS["no record, an IPv4 address"].copy()
    world.txt["_dmarc.acme.example"] = (record,)
    world.sender = replace(world.sender, address="a@gone.acme.example", domain="gone.acme.example")
    verdict = Judge(world, exists=lambda name: not name.startswith("gone.")).verdict(world.sender)
    assert f"receivers are {says.format(shown(record))}" in verdict.reason


def test_the_senders_have_the_faults_that_they_are_named_after() -> None:
    for name, words in {
        "512 bits, reject, beside None": "the RSA key has 512 bits",
        "an unknown algorithm, reject, beside None": "k=dsa is no algorithm",
        "a revoked key, reject, beside None": "has been revoked",
        "two keys, reject, by a CNAME": "s1._domainkey.acme.example, where a CNAME leads to k1.service.example:",
        "a loop, an IPv4 address": "in a loop, acme.example -> _spf.acme.example -> acme.example",
        "a great include, a network": "more than 10 terms look something up",
        "void terms, an IPv6 address": "more than 2 terms find nothing",
        "terms void for one family, an IPv4 address": "more than 2 terms find nothing",
        "too many hosts, an IPv4 address": "names 11 MX hosts",
        "an include does not answer, an IPv4 address": "SPF is temperror: TXT of x.example cannot be resolved",
        "b.acme.example, None, strict, 192.0.2.10": "because aspf=s of _dmarc.acme.example counts the very same domain",
        "service.example, b.acme.example, strict, 192.0.2.10": "because adkim=s of _dmarc.acme.example counts the very",
    }.items():
        assert words in _judged(SENDERS[name]).reason, _judged(SENDERS[name]).reason


@pytest.mark.parametrize("case", [name for name, world in SENDERS.items() if _judged(world).disposition != "none"])
def test_the_reason_names_the_policy_that_decides(case: str) -> None:
    verdict = _judged(SENDERS[case])
    if verdict.dmarc.record is not None:
        assert f'"{verdict.dmarc.record}"' in verdict.reason and f"says p={verdict.dmarc.policy}" in verdict.reason
        assert str(verdict.dmarc.record_name) in verdict.reason


@pytest.mark.parametrize("voice", VOICES)
def test_servers_whose_records_do_not_answer_are_looked_up_again_and_not_replaced(voice: str) -> None:
    world = SENDERS["no record, an IPv4 address"].copy()
    world.sender = replace(world.sender, sources=("include:spf.service.example",))
    world.txt["acme.example"] = ("v=spf1 ip4:192.0.2.10 include:spf.service.example -all",)
    world.failing = {"spf.service.example"}
    step = VOICES[voice](_judged(world))
    who = "" if voice == "task" else " (mail_dns_resolver: who is asked)"
    assert step == f"Look again when spf.service.example can be looked up{who}."
    (clauses,) = alternatives(step)
    after, _by_others = follow(world, clauses[0])
    assert not after.failing
