# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The guard: no change of a run may make receivers treat a declared sender worse than they did before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.dmarc_kind import DmarcRecipe
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import Recipe, World
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, Problem, RuleSource, WayOut

if TYPE_CHECKING:
    from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.verdict import Judge, Verdict

_RULES = RuleSource("docs/verdicts.md")


@dataclass(frozen=True, slots=True)
class SenderChange:
    """What became of one sender: its verdicts, why the change is refused, and what can no longer be told."""

    before: Verdict
    after: Verdict
    problems: list[Problem]
    doubts: list[str]


class Guard:
    """Judges every declared sender on the live records and on the planned ones.

    It compares verdicts, not records, so it need not know which kinds of change tighten: a stricter policy, ``-all``,
    a term or a selector that goes, a record above a sender's subdomain. Senders that nobody declared are invisible.

    :param senders: who sends
    :param allowed: addresses or environments whose senders may fare worse
    :param inventory: the domains of the inventory that asks, None when a task does
    :param unsigned: domains that may reject mail although a sender does not sign it, see :func:`unsigned_accepted`
    :param demands: whether verdicts tell what large receivers ask for beyond
    """

    def __init__(
        self,
        senders: Sequence[Sender],
        allowed: Collection[str] = (),
        inventory: Collection[str] | None = None,
        unsigned: Collection[str] = (),
        demands: bool = True,
    ) -> None:
        self.senders = senders
        self.warnings: list[str] = []
        self._allowed = frozenset(allowed)
        self._inventory = inventory
        self._unsigned = frozenset(unsigned)
        self._demands = demands
        self._judged: list[SenderChange] = []

    def look(self, before: World, after: World) -> None:
        """Take up the answers to judge by: the live ones, and those with the planned records laid over them."""
        self._before = self._judge_of(before)
        self._after = self._before if after is before else self._judge_of(after)

    def judge(self, sender: Sender) -> SenderChange:
        """Judge one sender before and after the change. Pure: :meth:`keep` takes up what was found."""
        from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.comparison import (
            doubtful,
            worsened,
        )

        before = in_words_of(self._inventory, self._before.verdict(sender))
        after = before
        if self._after is not self._before:
            after = in_words_of(self._inventory, self._after.verdict(sender))
        reasons = worsened(before, after)
        lost = self._lost_when_forwarded(after)
        is_allowed = bool(self._allowed & {sender.address, sender.environment})
        if (reasons and not is_allowed) or lost:
            problems = [*([_refusal(sender, reasons, after)] if reasons and not is_allowed else []), *lost]
            return SenderChange(before, after, problems, [])
        doubts = [*(f"{reason}; allowed by name" for reason in reasons), *doubtful(before, after)]
        return SenderChange(before, after, [], [f"{_name(sender)}: {doubt}" for doubt in doubts])

    def keep(self, judged: Iterable[SenderChange]) -> None:
        """Take up what became of all senders, in their order, instead of what was kept before."""
        self._judged = list(judged)
        self.warnings = [doubt for one in self._judged for doubt in one.doubts]

    def _lost_when_forwarded(self, after: Verdict) -> list[Problem]:
        """The refusal of a policy that is the first to reject a sender's mail while the sender does not sign it."""
        from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.verdict import is_signed

        domain = after.sender.domain
        asked = self._after.strictest_policy(domain)
        if asked.record is None or asked.policy != "reject" or is_signed(after):
            return []
        if asked.record.domain in self._unsigned or self._before.strictest_policy(domain).policy == "reject":
            return []
        return [_unsigned(after, asked.record.domain, asked.record.text)]

    def take_up(self, world: World) -> None:
        """Take up what the world answers after the change, for :meth:`live`."""
        self._live = self._judge_of(world)

    def _judge_of(self, world: World) -> Judge:
        # Most runs of a module for one record have no senders, and to load what judges them takes longer than the run.
        from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.verdict import Judge

        return Judge(world.lookup, exists=world.exists, demands=self._demands)

    def live(self, sender: Sender) -> Verdict:
        """The verdict on one sender by what was taken up."""
        return in_words_of(self._inventory, self._live.verdict(sender))

    @property
    def before(self) -> list[Verdict]:
        """The verdicts on the live records, in the order of the senders."""
        return [one.before for one in self._judged]

    @property
    def after(self) -> list[Verdict]:
        """The verdicts on the planned records, in the order of the senders."""
        return [one.after for one in self._judged]


def in_words_of(inventory: Collection[str] | None, verdict: Verdict) -> Verdict:
    """A verdict whose next step names what the user has: variables, where an inventory asks.

    :param inventory: the domains that it declares, as A-labels; None when a task asks
    """
    if inventory is None:
        return verdict
    from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.next_steps import inventory_step

    return replace(verdict, next_step=inventory_step(verdict, inventory))


def unknown_names(senders: Sequence[Sender], allowed: Collection[str]) -> list[Problem]:
    """The names in ``allow_failing_senders`` that no sender has: each is most likely misspelled."""
    known = {name for sender in senders for name in (sender.address, sender.environment)}
    rule = "no declared sender has this address, and none is of an environment of this name"
    way_out = WayOut(("Give the address or the environment of a sender as it stands in ", Option("senders"), "."))
    return [
        _RULES.problem("task", "allow_failing_senders", name, rule, way_out) for name in sorted(set(allowed) - known)
    ]


def unsigned_accepted(recipes: Iterable[Recipe]) -> frozenset[str]:
    """The domains for which a person accepts that forwarded mail of senders that do not sign is lost.

    :param recipes: all that a run is asked for
    """
    return frozenset(one.domain for one in recipes if isinstance(one, DmarcRecipe) and one.accept_lost_forwarded)


def _name(sender: Sender) -> str:
    if sender.environment:
        return f"{sender.environment}, {sender.address}"
    return f"{sender.address} by {sender.service}" if sender.service else sender.address


def _unsigned(after: Verdict, domain: str, record: str) -> Problem:
    rule = (
        f"it would be the first to reject mail of {_name(after.sender)}, which has no aligned DKIM pass "
        f"({after.dkim.reason}); SPF does not survive forwarding, so a domain at p=reject must not rely on SPF only"
    )
    sign = f"Have its mail signed with DKIM as {after.sender.domain} and declare the selectors. Or accept the loss: "
    way_out = WayOut((sign, Option("dmarc.accept_lost_forwarded_mail: true"), "."))
    return Problem(domain, "DMARC record", record, rule, "RFC 9989 section 7.4", way_out)


def _refusal(sender: Sender, reasons: Sequence[str], after: Verdict) -> Problem:
    rule = f"after this change receivers would treat this sender worse: {'; '.join(reasons)}"
    first = f"{after.next_step} " if after.next_step else ""
    accept = Option(f"allow_failing_senders: [{sender.address}]")
    way_out = WayOut((f"{first}Or accept it by name: ", accept, "."))
    return _RULES.problem(_name(sender), "verdict", after.result, rule, way_out)
