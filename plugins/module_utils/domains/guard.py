# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The guard: no change of a run may make receivers treat a declared sender worse than they did before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import World
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, Problem, RuleSource, WayOut

if TYPE_CHECKING:
    from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.verdict import Verdict

_RULES = RuleSource("docs/verdicts.md")


class Guard:
    """Judges every declared sender on the live records and on the planned ones.

    It compares verdicts, not records, so it need not know which kinds of change tighten: a stricter policy, ``-all``,
    a term or a selector that goes, a record above a sender's subdomain. Senders that nobody declared are invisible.

    :param senders: who sends
    :param allowed: addresses or environments whose senders may fare worse
    :param inventory: the domains of the inventory that asks, None when a task does
    """

    def __init__(
        self, senders: Sequence[Sender], allowed: Collection[str] = (), inventory: Collection[str] | None = None
    ) -> None:
        self.senders = senders
        self.warnings: list[str] = []
        self._allowed = frozenset(allowed)
        self._inventory = inventory
        self._verdicts: dict[Sender, tuple[Verdict, Verdict]] = {}

    def look(self, before: World, after: World) -> None:
        """Take up the answers to judge by: the live ones, and those with the planned records laid over them."""
        # Most runs of a module for one record have no senders, and to load what judges them takes longer than the run.
        from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.verdict import Judge

        self._before = Judge(before.lookup, exists=before.exists)
        self._after = self._before if after is before else Judge(after.lookup, exists=after.exists)

    def judge(self, sender: Sender) -> list[Problem]:
        """Judge one sender before and after the change.

        :returns: the refusal when it would fare worse and is not allowed to
        """
        from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.comparison import (
            doubtful,
            worsened,
        )

        before = in_words_of(self._inventory, self._before.verdict(sender))
        after = before
        if self._after is not self._before:
            after = in_words_of(self._inventory, self._after.verdict(sender))
        self._verdicts[sender] = (before, after)
        reasons = worsened(before, after)
        if reasons and not self._allowed & {sender.address, sender.environment}:
            return [_refusal(sender, reasons, after)]
        doubts = [*(f"{reason}; allowed by name" for reason in reasons), *doubtful(before, after)]
        self.warnings += [f"{_name(sender)}: {doubt}" for doubt in doubts]
        return []

    @property
    def before(self) -> list[Verdict]:
        """The verdicts on the live records, in the order of the senders."""
        return [self._verdicts[sender][0] for sender in self.senders]

    @property
    def after(self) -> list[Verdict]:
        """The verdicts on the planned records, in the order of the senders."""
        return [self._verdicts[sender][1] for sender in self.senders]


def in_words_of(inventory: Collection[str] | None, verdict: Verdict) -> Verdict:
    """A verdict whose next step names what the user has: variables, where an inventory asks.

    :param inventory: the domains that it declares, as A-labels; None when a task asks
    """
    if inventory is None:
        return verdict
    from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.reasons import inventory_step

    return replace(verdict, next_step=inventory_step(verdict, inventory))


def unknown_names(senders: Sequence[Sender], allowed: Collection[str]) -> list[Problem]:
    """The names in ``allow_failing_senders`` that no sender has: each is most likely misspelled."""
    known = {name for sender in senders for name in (sender.address, sender.environment)}
    rule = "no declared sender has this address, and none is of an environment of this name"
    way_out = WayOut(("Give the address or the environment of a sender as it stands in ", Option("senders"), "."))
    return [
        _RULES.problem("task", "allow_failing_senders", name, rule, way_out) for name in sorted(set(allowed) - known)
    ]


def _name(sender: Sender) -> str:
    return f"{sender.environment}, {sender.address}" if sender.environment else sender.address


def _refusal(sender: Sender, reasons: Sequence[str], after: Verdict) -> Problem:
    rule = f"after this change receivers would treat this sender worse: {'; '.join(reasons)}"
    first = f"{after.next_step} " if after.next_step else ""
    accept = Option(f"allow_failing_senders: [{sender.address}]")
    way_out = WayOut((f"{first}Or accept it by name: ", accept, "."))
    return _RULES.problem(_name(sender), "verdict", after.result, rule, way_out)
