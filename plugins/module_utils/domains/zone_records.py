# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What becomes of the records of one domain, and of one zone, while a run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset, ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import Recipe, RecordPlan
from ansible_collections.mailroom.erp.plugins.module_utils.domains.record_files import RecordFileChange, write_files
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import DomainRequest
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused


@dataclass(slots=True)
class RecordStep:
    """One record of one domain: where it is, its plan (empty until it is made), or why its zone failed."""

    recipe: Recipe
    domain: str
    """The domain that it was asked for."""
    zone: str | None = None
    plan: RecordPlan = field(default_factory=lambda: RecordPlan(None, None))
    failure: str | None = None
    held: str | None = None
    """Why this record alone is not changed, while the others of its zone are."""
    written: bool = False
    file_change: RecordFileChange | None = None
    """What is to become of the file that belongs to the record."""
    file_written: bool = False

    @property
    def identity(self) -> tuple[str, str]:
        """What tells the record from all others of its zone."""
        return (self.recipe.kind, self.recipe.name)

    @property
    def change(self) -> Change | None:
        return self.plan.change

    @property
    def changes(self) -> list[Change]:
        return self.plan.changes

    @property
    def record_changed(self) -> bool:
        """Whether the record was changed, or would be in check mode; also when the zone failed after the write."""
        return bool(self.changes) and (self.written or self.failure is None)

    @property
    def file_changed(self) -> bool:
        """The same of its file, which is written although the zone fails afterwards."""
        return self.file_change is not None and (self.file_written or self.failure is None)

    @property
    def changed(self) -> bool:
        return self.record_changed or self.file_changed


@dataclass(slots=True)
class DomainOutcome:
    """What became of one domain, record by record."""

    request: DomainRequest
    steps: list[RecordStep]
    refusal: str | None = None
    """The rules that it breaks, in words; the others may have been done."""

    def refuse(self, told: str) -> None:
        """Leave the domain out: none of its records will change.

        :param told: the rules that it breaks, one per line
        """
        self.refusal = "\n".join([self.refusal, told]) if self.refusal else told
        for step in self.steps:
            step.failure = self.refusal

    @property
    def changed(self) -> bool:
        return any(step.changed for step in self.steps)

    @property
    def failure(self) -> str | None:
        """Why the domain failed; the records of one zone fail together, but for those that are held by themselves."""
        failed = next((step.failure for step in self.steps if step.failure), None)
        held = "\n".join(step.held for step in self.steps if step.held)
        return self.refusal or failed or held or None

    @property
    def warnings(self) -> list[str]:
        return [warning for step in self.steps for warning in step.plan.warnings]


@dataclass(slots=True)
class ZoneRecords:
    """The records of one zone of one account; they are written together or not at all."""

    provider: Provider
    account: Mapping[str, Any]
    zone: str
    steps: list[RecordStep] = field(default_factory=list)
    token: object = None
    view: int = 0
    """Which of the accounts that hold a zone of this name it is, counted from 0."""
    found: Mapping[Key, RRset] = field(default_factory=dict)
    """What the last read found."""
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """The names that it found delegated, each with who has it."""
    applied: dict[tuple[str, str], RecordPlan] = field(default_factory=dict)
    """The plans that the service has accepted, by the identity of the record."""

    @property
    def aliases(self) -> dict[Key, RRset]:
        """The CNAMEs that the last read found."""
        return {key: found for key, found in self.found.items() if key[1] == "CNAME"}

    @property
    def keys(self) -> list[Key]:
        return list(dict.fromkeys(key for step in self.steps for key in step.recipe.keys))

    @property
    def changes(self) -> list[Change]:
        return [change for step in self.steps for change in step.changes]

    @property
    def failed(self) -> bool:
        return any(step.failure for step in self.steps)

    def fail(self, reason: str) -> None:
        """See :meth:`ZoneToWrite.fail`: the records of a zone fail together."""
        for step in self.steps:
            step.failure = reason

    def write_files(self) -> None:
        """Write the files that belong to the records; one that cannot be written fails the zone, before it changes."""
        self._do_files([step for step in self.steps if step.file_change and step.file_change.after is not None])

    def remove_files(self) -> None:
        """Take away the files of records that are gone."""
        if not self.failed:
            self._do_files([step for step in self.steps if step.file_change and step.file_change.after is None])

    def _do_files(self, steps: list[RecordStep]) -> None:
        try:
            for step in steps:
                write_files([step.file_change] if step.file_change else [])
                step.file_written = True
        except OSError as error:
            self.fail(f"zone {self.zone}: a file of its records cannot be written: {error}")

    def note_written(self) -> None:
        """Mark what the service has just accepted."""
        for step in self.steps:
            if step.changes:
                step.written = True
                self.applied[step.identity] = step.plan

    def conclude(self) -> None:
        """The read-back shows nothing left to change, so the result of the run is what was applied."""
        for step in self.steps:
            step.plan = self.applied.get(step.identity, step.plan)

    def read_and_plan(self) -> None:
        """Read the zone and plan every record in it.

        :raises Refused: with the broken rules of all records
        :raises ProviderError: the zone cannot be read
        """
        problems = self.read_and_try()
        if problems:
            raise Refused(problem for _domain, problem in problems)

    def read_and_try(self) -> list[tuple[str, Problem]]:
        """Read the zone and plan every record in it for which that can be done.

        :returns: the broken rules of the others, each with the domain that the record was asked for
        :raises ProviderError: the zone cannot be read
        """
        state = self.provider.read(self.zone, self.keys)
        self.token = state.token
        self.found, self.elsewhere = state.rrsets, state.elsewhere
        problems: list[tuple[str, Problem]] = []
        for step in self.steps:
            try:
                step.plan, step.held = _unlocked(step, step.recipe.plan(state), state)
            except Refused as refused:
                problems += [(step.domain, problem) for problem in refused.problems]
        return problems


def _unlocked(step: RecordStep, plan: RecordPlan, state: ZoneState) -> tuple[RecordPlan, str | None]:
    """The plan, without its changes where one of them would touch what the service lets nobody change, and why."""
    for change in plan.changes:
        if held := state.held(change):
            return RecordPlan(plan.before, plan.before, warnings=plan.warnings, details=plan.details), held
    return plan, None
