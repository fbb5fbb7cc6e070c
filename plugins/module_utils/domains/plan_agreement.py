# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whether a run is about to do what was agreed, and nothing else: what it reads and plans, beside the agreed plan.

A record may be as it was when the plan was made, or as the plan makes it: so a run that was cut off can be run again.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mailroom.erp.plugins.module_utils.dns.values import departed
from ansible_collections.mailroom.erp.plugins.module_utils.domains.planned_records import (
    PlannedFile,
    PlannedRecord,
    PlannedRrset,
    RecordsPlan,
)
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, RuleSource, shown

_RULES = RuleSource("docs/plan.md")
_ANEW = "Nothing of the plan may be done any more: look at it, and make a new plan."


def moved_records(agreed: RecordsPlan, now: RecordsPlan) -> list[Problem]:
    """Find the records and files that are neither as they were when the plan was made nor as it makes them.

    :param agreed: the plan
    :param now: what a run reads and plans now
    """
    return [*_moved(agreed, now), *_moved_files(agreed, now)]


def other_changes(agreed: RecordsPlan, now: RecordsPlan) -> list[Problem]:
    """Find what a run would make of records otherwise than the plan says, although nothing has moved.

    :param agreed: the plan
    :param now: what a run reads and plans now
    """
    planned, files = {one.identity: one for one in agreed.records}, {one.path: one for one in agreed.files}
    found = [
        _problem(one, f"the plan says {_told(_after(planned, one))}, and this run would make {_told(one.after)}")
        for one in now.records
        if one.after != _after(planned, one)
    ]
    return found + [
        _file_problem(one, "the plan has another text of it, or none")
        for one in now.files
        if one.path not in files or one.after != files[one.path].after
    ]


def disagreements(agreed: RecordsPlan, now: RecordsPlan) -> list[Problem]:
    """All for which a run must not write: what moved; where nothing did, what it would do otherwise.

    :param agreed: the plan
    :param now: what a run reads and plans now
    """
    return moved_records(agreed, now) or other_changes(agreed, now)


def by_zone(plan: RecordsPlan) -> dict[tuple[str, int], RecordsPlan]:
    """What a plan says of each zone, by apex and view; without files, which are there before a zone is written."""
    found: dict[tuple[str, int], list[PlannedRecord]] = {}
    for one in plan.records:
        found.setdefault((one.zone, one.view), []).append(one)
    return {zone: RecordsPlan(tuple(records), ()) for zone, records in found.items()}


def _moved(agreed: RecordsPlan, now: RecordsPlan) -> Iterator[Problem]:
    seen, planned = {one.identity: one for one in now.records}, {one.identity for one in agreed.records}
    for one in agreed.records:
        found = seen.get(one.identity)
        if found is None:
            yield _problem(one, "this run has not read it: its zone cannot be read, or nothing asks for it any more")
        elif found.elsewhere != one.elsewhere:
            here, there = one.elsewhere or "this zone", found.elsewhere or "this zone"
            yield _problem(one, f"who has this name has changed since the plan was made: before {here}, now {there}")
        elif found.before not in (one.before, one.after):
            yield _problem(one, _how(one.before, found.before))
    for one in now.records:
        if one.identity not in planned and (one.before or one.after):
            now_and_then = f"it is {_told(one.before)} now, and would be {_told(one.after)}"
            yield _problem(one, f"the plan does not know it: {now_and_then}")


def _moved_files(agreed: RecordsPlan, now: RecordsPlan) -> Iterator[Problem]:
    planned = {one.path: one for one in agreed.files}
    for one in now.files:
        known = planned.get(one.path)
        if known is not None and one.before not in (known.before, known.after):
            yield _file_problem(one, "its text is another one than when the plan was made")


def _after(planned: dict[tuple[str, int, str, str], PlannedRecord], one: PlannedRecord) -> PlannedRrset | None:
    known = planned.get(one.identity)
    return known.after if known else None


def _how(before: PlannedRrset | None, now: PlannedRrset | None) -> str:
    """In what way a record moved."""
    if before is None or now is None:
        return f"it was {_told(before)} when the plan was made, and is {_told(now)} now"
    parts = [f"{word} {_listed(values)}" for word, values in _values(before, now) if values]
    parts += [f"the TTL was {before.ttl} and is {now.ttl}"] if before.ttl != now.ttl else []
    return f"it has changed since the plan was made: {'; '.join(parts)}"


def _values(before: PlannedRrset, now: PlannedRrset) -> list[tuple[str, tuple[str, ...]]]:
    gone, come = departed(before.values, now.values), departed(now.values, before.values)
    return [("before", tuple(gone)), ("now", tuple(come))]


def _told(rrset: PlannedRrset | None) -> str:
    return "not there" if rrset is None else f"{_listed(rrset.values)} with TTL {rrset.ttl}"


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(map(shown, values))


def _problem(record: PlannedRecord, rule: str) -> Problem:
    return _RULES.problem(record.name, record.type, None, rule, _ANEW)


def _file_problem(file: PlannedFile, rule: str) -> Problem:
    return _RULES.problem(file.domain, "file", file.path, rule, _ANEW)
