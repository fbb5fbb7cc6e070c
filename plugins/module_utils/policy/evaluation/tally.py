# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Many evaluations become one result: the worst that is certain, and what is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.assumptions import AssumingCheck
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check import Decision, Stop
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check_host import (
    CAUTION,
    described,
    is_disputed,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.program import brief
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_cause import SpfCause
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_result import SpfResult

BADNESS = ("pass", "unknown", "temperror", "neutral", "none", "softfail", "fail", "permerror")
"""The order of "worst". What is certain to be no pass outweighs what is not known, which outweighs a pass."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What one evaluation gave, not yet in words."""

    check: AssumingCheck
    outcome: Decision | Stop

    @property
    def badness(self) -> int:
        """Its place in :data:`BADNESS`."""
        return BADNESS.index(self.outcome.result)


@dataclass(slots=True)
class Tally:
    """What the pieces of one source gave.

    ``certain`` is the worst that some of its servers surely get, ``possible`` are the results that other addresses get
    if they are its servers. ``guessed`` are the terms that only a message decides, ``broken`` why the evaluation of the
    source's own records ended, ``bound`` why not all was judged. ``disputed``: some receivers may give permerror.
    """

    certain: Evaluated | None = None
    possible: list[Evaluated] = field(default_factory=list)
    guessed: set[str] = field(default_factory=set)
    broken: Stop | None = None
    bound: str | None = None
    disputed: bool = False

    def add_certain(self, found: Sequence[Evaluated]) -> None:
        """Add what addresses get that surely are the source's: one of these results."""
        one = self._joined(found)
        if self.certain is None or one.badness > self.certain.badness:
            self.certain = one

    def add_possible(self, found: Sequence[Evaluated]) -> None:
        """Add what addresses get that may be the source's."""
        for one in found:
            if all(one.badness != other.badness for other in self.possible):
                self.possible.append(one)

    def note(self, found: Sequence[Evaluated]) -> None:
        """Note the terms that were guessed, and what receivers do not agree on."""
        self.guessed.update(raw for one in found for raw in one.check.guessed)
        self.disputed |= any(is_disputed(one.check, one.outcome) for one in found)

    def worst(self) -> Evaluated | None:
        """The worst of all; None when the source covers nobody, or a bound stands against a pass."""
        found = [self.certain] if self.certain else []
        if self.possible and not found:
            found = [self._joined(self.possible)]
        elif any(other.badness for other in self.possible):
            found.append(self._open(self.possible[0]))
        worst = max(found, key=lambda one: one.badness, default=None)
        return None if worst and self.bound and worst.badness == 0 else worst

    def _joined(self, found: Sequence[Evaluated]) -> Evaluated:
        """One result for several that are all possible: the least bad when none of them is a pass, else unknown."""
        least = min(found, key=lambda one: one.badness)
        several = any(one.badness != least.badness for one in found)
        return self._open(least) if several and least.badness <= BADNESS.index("unknown") else least

    def _open(self, one: Evaluated) -> Evaluated:
        return Evaluated(one.check, self._guess() if self.broken is None else _open_source(self.broken))

    def _guess(self) -> Stop:
        guessed = " and ".join(brief(raw) for raw in sorted(self.guessed)[:3])
        reason = f"it depends on {guessed}, which only a message decides (RFC 7208 section 7)"
        return Stop("unknown", reason, "message", " ".join(sorted(self.guessed)))


def _open_source(broken: Stop) -> Stop:
    """Which servers send is not known, because the source's own records cannot be evaluated."""
    kind, at = ("unresolved_source", broken.at) if broken.kind == "unresolved" else ("broken_source", "")
    return Stop("unknown", broken.reason, kind, at)


def worded(tally: Tally, source: str, name: str, single: bool) -> SpfResult:
    """The result of one source in words.

    :param source: as the user wrote it
    :param name: the domain whose record was evaluated
    :param single: the source is one address
    """
    shown, worst = brief(source), tally.worst()
    if worst is None:
        nobody = f"{shown} covers no address, so which servers send is not known (RFC 7208 section 5)"
        bound = f"{shown} was not judged to the end: {tally.bound} (RFC 7208 section 11.1)"
        kind = "bound" if tally.bound else "empty_source"
        return SpfResult("unknown", bound if tally.bound else nobody, cause=SpfCause(kind, source))
    result = described(worst.check, name, worst.outcome)
    if tally.disputed != (result.caution is not None):
        result = replace(result, caution=CAUTION if tally.disputed else None)
    if single:
        return result
    if result.result == "pass":
        reason = f"the record of {brief(name)} passes all of {shown}, by {result.term} first (RFC 7208 section 5)"
        return replace(result, reason=reason, address=None)
    if result.result == "unknown":
        return replace(result, reason=f"whether all of {shown} passes is open: {result.reason}", address=None)
    return replace(result, reason=f"not all of {shown} passes: {result.reason}")
