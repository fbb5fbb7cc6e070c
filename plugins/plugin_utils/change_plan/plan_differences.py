# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whether a plan that was agreed is still what a run would do: what has changed since, and how. Pure.

What was agreed may be half done: a run that was cut off goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ansible_collections.mailroom.erp.plugins.module_utils.domains.plan_agreement import moved_records, other_changes
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_file import PLAN_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_model import (
    ChangePlan,
    DeclaredPart,
    JudgedSender,
    PlannedSettings,
)

_ANEW = "Nothing of the plan may be done any more: look at it, and make a new plan."


def plan_differences(agreed: ChangePlan, now: ChangePlan) -> list[Problem]:
    """All for which a plan must not be done any more.

    :param agreed: the plan
    :param now: what the run that is to do it would do by itself
    :returns: what was declared otherwise, what the catalogue says otherwise, which record moved; where none of these
        did, what the run would do otherwise. Empty: it would do what was agreed, or what is left of it
    """
    if agreed.playbook != now.playbook:
        rule = f"the plan was made by the playbook {agreed.playbook}, and this run goes the way of {now.playbook}"
        return [_problem("apply", "playbook", rule)]
    causes = [*_collection(agreed, now), *_declared(agreed, now), *moved_records(agreed.of_records, now.of_records)]
    rest = [*_settings(agreed, now), *_tenants(agreed, now), *_senders(agreed, now)]
    found = [*causes, *rest]
    return found or [*other_changes(agreed.of_records, now.of_records), *_left_out(agreed, now)]


def _collection(agreed: ChangePlan, now: ChangePlan) -> Iterator[Problem]:
    if agreed.customer != now.customer:
        yield other_customer()
    if agreed.collection != now.collection:
        rule = f"the plan was made by version {agreed.collection} of the collection, and this is {now.collection}"
        yield _problem("apply", "collection", rule)
    if agreed.basis.catalogue != now.basis.catalogue:
        yield _problem("apply", "catalogue", "the catalogue of ERP systems and services has changed since")


def other_customer() -> Problem:
    """What is told of a plan that is not for the customer of the run; it names neither."""
    rule = "the plan was made for another customer than this run, or one of both is for all"
    way_out = "Apply it with the mail_run_customer that it was made with, or make a new plan."
    return PLAN_RULES.problem("apply", "mail_run_customer", None, rule, way_out)


def _declared(agreed: ChangePlan, now: ChangePlan) -> Iterator[Problem]:
    before, after = _digests(agreed.declared), _digests(now.declared)
    for subject in sorted({*before, *after}):
        if subject not in after:
            yield _problem(subject, "declaration", "it is a part of the plan, and of this run it is none")
        elif subject not in before:
            yield _problem(subject, "declaration", "it is a part of this run, and of the plan it is none")
        elif before[subject] != after[subject]:
            yield _problem(subject, "declaration", "it is declared otherwise than when the plan was made")


def _settings(agreed: ChangePlan, now: ChangePlan) -> Iterator[Problem]:
    planned = {(one.environment, one.file): one for one in agreed.settings}
    for one in now.settings:
        known = planned.get((one.environment, one.file))
        if known is None:
            yield _of_file(one, "this run would write it, and the plan does not")
        elif one.before not in (known.before, known.after):
            yield _of_file(one, "it is not as it was when the plan was made: somebody has edited it")
        elif None not in (one.after, known.after) and one.after != known.after:
            yield _of_file(one, "this run would write another text than the plan")


def _tenants(agreed: ChangePlan, now: ChangePlan) -> Iterator[Problem]:
    planned = {(one.tenant, one.what, one.before, one.after) for one in agreed.tenants}
    for one in now.tenants:
        if (one.tenant, one.what, one.before, one.after) not in planned:
            rule = f"the plan does not have this change: it is {one.before} now and would be {one.after}"
            yield _problem(", ".join(one.environments) or one.tenant, one.what, rule)


def _senders(agreed: ChangePlan, now: ChangePlan) -> Iterator[Problem]:
    """What receivers will say must be what was read in the plan, whoever has changed a record that is not ours."""
    expected: dict[tuple[str | None, str, str | None], list[JudgedSender]] = {}
    for one in agreed.senders:
        expected.setdefault((one.environment, one.address, one.service), []).append(one)
    for one in now.senders:
        known = expected.get((one.environment, one.address, one.service), [])
        if known and (one.after, one.reason) not in [(other.after, other.reason) for other in known]:
            planned = known[0]
            rule = (
                f"the plan leads to {planned.after} ({planned.reason}), and now it would be {one.after} ({one.reason})"
            )
            yield _problem(one.group, one.address, rule)


def _left_out(agreed: ChangePlan, now: ChangePlan) -> Iterator[Problem]:
    known = {one.subject for one in agreed.left_out}
    for one in now.left_out:
        if one.subject not in known:
            yield _problem(one.subject, "left out", f"this run leaves it out, and the plan does not: {one.reason}")


def _digests(parts: Iterable[DeclaredPart]) -> dict[str, str]:
    return {one.subject: one.digest for one in parts}


def _of_file(one: PlannedSettings, rule: str) -> Problem:
    return _problem(one.environment, one.file, rule)


def _problem(subject: str, where: str, rule: str) -> Problem:
    return PLAN_RULES.problem(subject, where, None, rule, _ANEW)
