# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The decision about one domain's policy: the next step, or what is missing for it and since when. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.tags import TagList
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.policy_levels import (
    advanced,
    policies_text,
    retreated,
    stated_policies,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_conditions import (
    Missing,
    StepQuestion,
    StepWindow,
    missing_of,
    step_window,
)

_MOST_UNKNOWN = 50
"""So many unknown sources are told; of the others the number."""

_MOST_SUBDOMAINS = 20
"""So many subdomains are told of those that count as the domain, and of those of which nobody can tell."""


@dataclass(frozen=True, slots=True)
class StepDecision:
    """What becomes of one domain's policy.

    ``outcome`` is "step" (the evidence carries it), "wait" (something is ``missing``), "reached" (nothing is left to
    do), "back" (a step back, which needs no evidence) or "elsewhere" (somebody else manages the record).
    ``policies`` are those of the live record and ``changes`` those that the step moves, by tag. ``evidence`` is what it
    rests on: counts, days, reporters, and a digest; never an address.
    """

    outcome: str
    policies: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[Missing, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    unknown: tuple[Mapping[str, Any], ...] = ()

    @property
    def moves(self) -> bool:
        """Whether the record is to change."""
        return self.outcome in ("step", "back")

    def as_dict(self) -> dict[str, Any]:
        """The same, as the module returns it and the journal holds it, without the unknown sources."""
        return {
            "outcome": self.outcome,
            "policies": dict(self.policies),
            "changes": dict(self.changes),
            "missing": [asdict(one) for one in self.missing],
            "evidence": dict(self.evidence),
        }


def decide_step(record: TagList | None, question: StepQuestion) -> StepDecision:
    """Decide whether a policy becomes one step stricter.

    :param record: the live record, None when there is none; receivers can apply it
    :param question: all else that the decision rests on
    """
    if record is None:
        text = "there is no policy record; the playbook site makes it, with p=none"
        return StepDecision("wait", missing=(Missing("record", text),))
    policies = stated_policies(record)
    changes = advanced(policies, question.target)
    if not changes:
        return StepDecision("reached", policies)
    window = step_window(question, policies, changes)
    missing = (*_weakened(record), *missing_of(question, window, changes))
    days = window.against
    unknown = [one.as_dict(days) for one in question.evidence.unknown if one.messages(days)]
    unknown.sort(key=lambda one: (-one["messages"], one["name"]))
    outcome = "wait" if missing else "step"
    evidence = _facts(question, policies, window)
    return StepDecision(outcome, policies, changes, missing, evidence, tuple(unknown[:_MOST_UNKNOWN]))


def decide_retreat(record: TagList | None, only_from: str | None = None) -> StepDecision:
    """Decide a step back, which needs no evidence.

    :param record: the live record, None when there is none
    :param only_from: the p from which a step back is wanted; None from any
    """
    policies = stated_policies(record) if record is not None else {}
    if not policies or only_from not in (None, policies["p"]):
        return StepDecision("reached", policies)
    changes = retreated(policies)
    return StepDecision("back" if changes else "reached", policies, changes)


def _weakened(record: TagList) -> list[Missing]:
    """Tags by which receivers do less than the policy says, so that what they saw is no evidence for it."""
    found = []
    if (record.get("t") or "").lower() == "y":
        text = "t=y asks receivers to do one step less, so reports say nothing of the policy itself: take it out first"
        found.append(Missing("testing", f"{text} (RFC 9989 section 4.7)"))
    percent = (record.get("pct") or "100").strip()
    if percent != "100":
        text = f"pct={percent} asks some receivers to apply the policy to a part of the mail only: take it out first"
        found.append(Missing("testing", f"{text} (RFC 7489 section 6.3)"))
    return found


def _facts(question: StepQuestion, policies: Mapping[str, str], window: StepWindow) -> dict[str, Any]:
    """What the decision rests on, in counts; no source address."""
    days, against = window.days, window.against
    facts = {
        "policy": policies_text(policies),
        "target": question.target,
        "days": len(window.present),
        "first_day": window.present[0].day if window.present else None,
        "counted_from": days[0].day if days else None,
        "last_day": days[-1].day if days else None,
        "reports": sum(one.reports for one in days),
        "reporters": sorted(window.reporters),
        "messages": sum(one.messages for one in days),
        "passed": sum(one.passed for one in days),
        "failed": sum(one.failed for one in days),
        "records_left_out": sum(one.records_left_out for one in days),
        "unknown": sum(one.messages(against) for one in question.evidence.unknown),
        "let_fail": sum(one.messages(against) for one in question.evidence.unknown if one.let_fail),
        "senders": [_sender_facts(window, index, group.label) for index, group in question.groups],
        "subdomains": list(question.evidence.subdomains[:_MOST_SUBDOMAINS]),
        "doubtful": _doubtful_facts(question, window),
        "thresholds": asdict(question.thresholds),
        "seasonal": [group.label for index, group in question.groups if index in question.seasonal],
    }
    reports = {day: question.evidence.reports.get(day, ()) for day in sorted(against)}
    text = json.dumps([facts, reports], sort_keys=True, ensure_ascii=False)
    return {**facts, "digest": hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()}


def _doubtful_facts(question: StepQuestion, window: StepWindow) -> dict[str, Any]:
    days = window.doubtful_since(window.days)
    names = question.evidence.doubtful.subdomains
    return {
        "subdomains": dict(list(names.items())[:_MOST_SUBDOMAINS]),
        "messages": sum(one.messages for one in days),
        "failed": sum(one.failed for one in days),
    }


def _sender_facts(window: StepWindow, index: int, label: str) -> dict[str, Any]:
    days = [one.senders[index] for one in window.days if index in one.senders]
    counts = {name: sum(getattr(one, name) for one in days) for name in ("seen", "dkim", "spf", "failed", "shared")}
    return {"sender": label, **counts}
