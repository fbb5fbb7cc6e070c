# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One run of ``dmarc_advance``: what the module returns of each domain, and each decision's line in the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module import domain_failures
from ansible_collections.mailroom.erp.plugins.module_utils.domains.inventory_words import (
    domains_of_inventory,
    inventory_option,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.zone_records import DomainOutcome
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.advance_report import (
    MovedDomain,
    advance_report,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_decision import StepDecision
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_recipe import PolicyStepRecipe
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot import Snapshot


def advance_result(check_mode: bool, params: Mapping[str, Any]) -> Callable[[list[DomainOutcome]], Result]:
    """What makes the return values of ``dmarc_advance`` of the outcomes of a run.

    :param check_mode: nothing was written
    :param params: the parameters of the module
    """

    def named(domain: str, option: str) -> str:
        return option if domains_of_inventory(params) is None else inventory_option(domain, option)

    def shape(outcomes: list[DomainOutcome]) -> Result:
        moved = [MovedDomain(one.request.domain, decision_of(one), one.changed, one.failure) for one in outcomes]
        return {
            "domains": [_domain(one) for one in outcomes],
            "failures": domain_failures(outcomes),
            "report": advance_report(moved, check_mode, named),
        }

    return shape


def note_steps(outcomes: list[DomainOutcome], snapshot: Snapshot) -> None:
    """Write every decision into the journal, those to wait too.

    :raises Refused: the journal cannot be written
    """
    snapshot.note_decisions(_journal_entry(one) for one in outcomes)


def decision_of(outcome: DomainOutcome) -> StepDecision | None:
    """The decision about a domain; None where its record was not read."""
    found = [step.recipe for step in outcome.steps if isinstance(step.recipe, PolicyStepRecipe)]
    return found[0].decider.decision if found else None


def _domain(outcome: DomainOutcome) -> Result:
    decision, step = decision_of(outcome), next(iter(outcome.steps), None)
    return {
        "domain": outcome.request.domain,
        "zone": step.zone if step else None,
        "changed": outcome.changed,
        "decision": decision.as_dict() if decision else None,
        "unknown": [dict(one) for one in decision.unknown] if decision else [],
        "record": {"before": step.plan.before, "after": step.plan.after} if step else None,
        "managed_elsewhere": step.plan.elsewhere if step else None,
        "warnings": outcome.warnings,
    }


def _journal_entry(outcome: DomainOutcome) -> dict[str, Any]:
    decision = decision_of(outcome)
    done = f"failed: {outcome.failure}" if outcome.failure else "moved" if outcome.changed else "not moved"
    return {
        "domain": outcome.request.domain,
        "decision": decision.as_dict() if decision else None,
        "outcome": escape_controls(done),
    }
