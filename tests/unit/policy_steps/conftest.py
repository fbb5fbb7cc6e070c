# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence that carries a step, made without an archive, for tests that take something away from it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.day_evidence import (
    DayEvidence,
    DomainEvidence,
    SenderDay,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import SenderGroup
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Signature
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_conditions import (
    StepQuestion,
    StepThresholds,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_evidence import StepEvidence
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.unknown_sources import UnknownSource

TODAY = datetime.date(2026, 11, 29)
REPORTERS = ("alpha.example", "beta.example", "gamma.example")


def group(name: str, domain: str = "acme.example") -> SenderGroup:
    """A declared sender that signs."""
    signature = Signature(domain, (name,))
    return SenderGroup(domain, domain, ("192.0.2.10",), signature, (name,), (), (f"{name}@{domain}",))


SHOP, PAYSLIPS = group("shop"), group("payslips")


def day_name(ago: int) -> str:
    """The day so many days ago."""
    return (TODAY - datetime.timedelta(days=ago)).isoformat()


@dataclass
class Seen:
    """What reports tell of one day; ``told`` are the published policies by tag."""

    ago: int
    reporters: tuple[str, ...] = REPORTERS
    told: Mapping[str, str] = field(default_factory=lambda: {"p": "none"})
    also: Mapping[str, str] = field(default_factory=dict)
    senders: dict[int, SenderDay] = field(
        default_factory=lambda: {0: SenderDay(100, 100, 100), 1: SenderDay(100, 100, 100)}
    )
    unknown: int = 0
    left_out: int = 0
    shared_failed: Mapping[int, int] = field(default_factory=dict)

    def evidence(self) -> DayEvidence:
        """As it is read from an archive."""
        messages = sum(one.seen for one in self.senders.values()) + self.unknown
        failed = sum(one.failed for one in self.senders.values()) + self.unknown
        policies = {self.told.get("p", ""), *([self.also["p"]] if "p" in self.also else [])}
        return DayEvidence(
            day_name(self.ago), len(self.reporters), self.left_out, set(self.reporters), policies, messages,
            messages - failed, failed, self.senders, {}, self.unknown,
        )  # fmt: skip

    @property
    def published(self) -> dict[tuple[str, str], frozenset[str]]:
        """The values that were told, and by whom."""
        found = {(tag, value): frozenset(self.reporters) for tag, value in self.told.items()}
        return found | {(tag, value): frozenset(["late.example"]) for tag, value in self.also.items()}


def month(**what: Any) -> list[Seen]:
    """Thirty days of the same; the last is yesterday."""
    return [replace(Seen(ago), **what) for ago in range(30, 0, -1)]


def question(
    days: list[Seen],
    target: str = "reject",
    let_fail: bool = False,
    groups: tuple[SenderGroup, ...] = (SHOP, PAYSLIPS),
    today: datetime.date = TODAY,
    **more: Any,
) -> StepQuestion:
    """The question of a domain that shop and payslips send as."""
    unknown = UnknownSource(
        "203.0.113.0/24", "network", {day_name(one.ago): one.unknown for one in days if one.unknown}
    )
    unknown.let_fail = let_fail
    shared: dict[int, dict[str, int]] = {}
    for one in days:
        for index, count in one.shared_failed.items():
            shared.setdefault(index, {})[day_name(one.ago)] = count
    evidence = StepEvidence(
        DomainEvidence("acme.example", groups, tuple(one.evidence() for one in days)),
        {day_name(one.ago): one.published for one in days},
        {day_name(one.ago): tuple(f"{org} {one.ago}" for org in one.reporters) for one in days},
        (unknown,) if unknown.by_day else (),
        shared,
    )
    thresholds = more.pop("thresholds", StepThresholds())
    return StepQuestion(evidence, frozenset(range(len(groups))), target, today, thresholds=thresholds, **more)
