# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Evaluation for a range of addresses at once: what only a message decides is taken both ways, each way a world."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from itertools import groupby
from typing import TypeVar

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check import MATCHES, Check, Stop, at_term
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.message import Client, Envelope
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.program import (
    Program,
    Programs,
    ProgramStep,
    brief,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import MAX_LOOKUPS, MAX_VOID
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_macros import LONGEST_NAME, Macro

Question = Hashable
Assumptions = Mapping[Question, str]
"""What the DNS says, for each undecided question: "match", "miss" (data, but not this address), "void" or "many"."""

_T = TypeVar("_T")


class OpenQuestion(Exception):
    """A question came up that this world has no answer to."""

    def __init__(self, key: Question, answers: tuple[str, ...]) -> None:
        self.key = key
        self.answers = answers
        super().__init__()


def under_all_assumptions(start: Assumptions, run: Callable[[Assumptions], _T]) -> Iterator[tuple[Assumptions, _T]]:
    """Run something in every world that differs for it.

    :param start: the answers that are fixed already
    :param run: raises :class:`OpenQuestion` for a question that is open
    """
    waiting = [start]
    while waiting:
        world = waiting.pop()
        try:
            found = run(world)
        except OpenQuestion as fork:
            waiting += [{**world, fork.key: answer} for answer in fork.answers]
        else:
            yield world, found


class AssumingCheck(Check):
    """An evaluation that gives the same for all clients of a range, in one world.

    A term whose question the client's address or unknown parts of the envelope decide takes its answer from the world;
    the same question has the same answer wherever it stands. An ``include`` of such a name ends as "unknown": what its
    record costs is not known either. ``guessed`` are the terms that were taken both ways.
    """

    def __init__(
        self,
        lookup: Lookup,
        programs: Programs,
        client: Client,
        envelope: Envelope,
        undecided: frozenset[str],
        world: Assumptions,
        *,
        max_lookups: int = MAX_LOOKUPS,
        max_void: int = MAX_VOID,
    ) -> None:
        super().__init__(lookup, programs, client, envelope, max_lookups=max_lookups, max_void=max_void)
        self.guessed: list[str] = []
        self._undecided = undecided
        self._world = world

    def first_match(self, program: Program, domain: str) -> ProgramStep | None:
        """The first directive that matches in this world.

        :raises Stop: permerror, temperror or unknown
        :raises Fork: the world says nothing about a question
        """
        if program.redirect is not None and program.redirect.letters & self._undecided:
            return self._before_redirect(program, domain)
        for step in program.steps:
            open_to = self._is_open(step)
            if self._guess(step, domain) if open_to else MATCHES[step.mechanism](self, step, domain):
                return step
        return None

    def _before_redirect(self, program: Program, domain: str) -> ProgramStep:
        """A record whose ``redirect=`` leads nobody knows where: a term matches, or it ends."""
        step = self.first_match(Program(program.steps), domain)
        if step is None:
            raise self._nobody_knows(program.redirect_raw)
        return step

    def _is_open(self, step: ProgramStep) -> bool:
        if step.mechanism == "ptr" and "p" in self._undecided:
            return True
        return step.target is not None and bool(step.target.letters & self._undecided)

    def _guess(self, step: ProgramStep, domain: str) -> bool:
        if step.mechanism == "include":
            raise self._nobody_knows(step.raw)
        self.count(step.raw)
        self.guessed.append(step.raw)
        key = self._question(step, domain)
        answer = self._world.get(key)
        if answer is None:
            raise OpenQuestion(key, _answers(step))
        try:
            self.add_void({"void": 1, "many": LONGEST_NAME}.get(answer, 0), brief(step.raw))
        except Stop as stop:
            raise at_term(step.raw, stop) from None
        return answer == "match"

    def _nobody_knows(self, raw: str) -> Stop:
        self.guessed.append(raw)
        reason = f"where {brief(raw)} leads only a message decides (RFC 7208 section 7)"
        return at_term(raw, Stop("unknown", reason, "message", raw))

    def _question(self, step: ProgramStep, domain: str) -> Question:
        known = [domain] if step.target is None else [self._known_part(part, domain) for part in step.target.parts]
        # Texts side by side are one text: %{i}.%{d} asks what %{i}.acme.example asks.
        parts = ["".join(map(str, group)) if texts else (*group,) for texts, group in groupby(known, _is_text)]
        return (step.mechanism, step.shift4, step.shift6, *parts)

    def _known_part(self, part: str | Macro, domain: str) -> str | Macro:
        if isinstance(part, str):
            return part.lower()
        if part.letter in self._undecided:
            return part
        return part.apply(self.value(part.letter, domain)).lower()


def _is_text(part: str | Macro) -> bool:
    return isinstance(part, str)


def _answers(step: ProgramStep) -> tuple[str, ...]:
    """What a question may find: exists asks for nothing but an address, several questions may all be void."""
    found = ["match", "void"] if step.mechanism == "exists" else ["match", "miss", "void"]
    several = step.mechanism in ("mx", "ptr") or (step.target is not None and "p" in step.target.letters)
    return (*found, "many") if several else tuple(found)
