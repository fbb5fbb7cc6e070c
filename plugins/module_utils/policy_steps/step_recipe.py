# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The policy record of one domain, moved by a decision: the recipe of ``dmarc_record``, asked for what was decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.dmarc_kind import DmarcRecipe
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.near_miss_choice import RecordValues
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import (
    RecordPlan,
    left_to,
    manager_of,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy import dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dmarc import DmarcWish
from ansible_collections.mailroom.erp.plugins.module_utils.policy.near_misses import near_dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tags import TagList
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.policy_levels import stated_policies
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_decision import StepDecision


@dataclass(slots=True)
class StepDecider:
    """Decides about the live record, each time that it is read: another run may have moved it in between.

    ``decide`` gives the decision on a record, None where there is none. ``decision`` is the one that holds; a step that
    is seen to be done stays the decision, so that the zone is planned once more without another one.
    """

    decide: Callable[[TagList | None], StepDecision]
    decision: StepDecision | None = None

    def on(self, record: TagList | None) -> tuple[StepDecision, bool]:
        """Decide.

        :param record: the live record
        :returns: the decision, and whether the record is to be moved by it
        """
        before = self.decision
        if before is not None and before.moves and record is not None:
            live = stated_policies(record)
            if live == {**before.policies, **before.changes}:
                return before, False
            if before.outcome == "back" and live != before.policies:
                self.decision = StepDecision("reached", live)  # somebody else has moved it: one step back is enough
                return self.decision, False
        self.decision = self.decide(record)
        return self.decision, self.decision.moves


def _undecided(_record: TagList | None) -> StepDecision:
    raise RuntimeError("nothing was asked")


@dataclass(frozen=True, slots=True)
class PolicyStepRecipe(DmarcRecipe):
    """A policy record that moves by one step, or stays. What else stands in it stays."""

    decider: StepDecider = field(default_factory=lambda: StepDecider(_undecided))

    def plan(self, state: ZoneState) -> RecordPlan:
        """See :meth:`Recipe.plan`. The evidence stands for a person's word on senders that nobody sees."""
        manager = manager_of(self.name, state)
        if manager is not None:
            self.decider.decision = StepDecision("elsewhere")
            return left_to(self.name, manager)
        found = state.rrsets.get((self.name, "TXT"))
        values = RecordValues(self.domain, self.name, found, dmarc.is_dmarc, near_dmarc, self.near_miss, "dmarc")
        if not values.records:
            self.decider.on(None)
            return RecordPlan(values.before, values.before, warnings=values.warnings())
        sound = self._plain(DmarcWish(managed=True)).plan(state)  # refuses what receivers cannot apply
        decision, is_moving = self.decider.on(dmarc.parse_dmarc(values.records[0]))
        if not is_moving:
            return RecordPlan(values.before, values.before, warnings=sound.warnings)
        return self._plain(DmarcWish(dict(decision.changes))).plan(state)

    def unserved(self) -> RecordPlan:
        """See :meth:`Recipe.unserved`."""
        self.decider.decision = StepDecision("elsewhere")
        return self._plain(DmarcWish()).unserved()

    def _plain(self, wish: DmarcWish) -> DmarcRecipe:
        return DmarcRecipe(
            self.domain,
            self.ttl,
            wish,
            tighten=self.tighten,
            accept_unseen=True,
            accept_lost_forwarded=self.accept_lost_forwarded,
            authorize=self.authorize,
            near_miss=self.near_miss,
        )
