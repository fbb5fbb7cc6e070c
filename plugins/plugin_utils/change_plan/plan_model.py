# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A plan, as data: ``mailroom.erp/plan/1``, whose schema is docs/schema/plan-1.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ansible_collections.mailroom.erp.plugins.module_utils.domains.planned_records import (
    PlannedFile,
    PlannedRecord,
    RecordsPlan,
)

PLAN_SCHEMA = "mailroom.erp/plan/1"

Judged = Literal["pass", "fail", "unknown"]
PlanningPlaybook = Literal["site", "offboard", "restore"]
"""The playbooks that make plans; ``apply`` comes by the way of the one that made a plan."""


@dataclass(frozen=True, slots=True)
class PlanBasis:
    """What a plan rests on, each as a SHA-256: all that was declared, the catalogue of ERP systems and services, and
    the RRsets that were read."""

    declaration: str
    catalogue: str
    live: str


@dataclass(frozen=True, slots=True)
class DeclaredPart:
    """One thing that was declared, by name, and the SHA-256 of what was declared of it, without secrets."""

    subject: str
    digest: str


@dataclass(frozen=True, slots=True)
class ChangeReason:
    """Why an RRset changes, one sentence each: which environment or service needs it, or which variable says so."""

    name: str
    type: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedSettings:
    """A file of an environment that is written: the SHA-256 of its text as it is and as it will be, secrets masked;
    null where there is none. ``after`` is null, too, where the tenant changes first."""

    environment: str
    file: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class TenantChange:
    """What is done in a tenant (``tenant``: its directory id), for which environments, and how it is and will be, as
    JSON."""

    tenant: str
    environments: tuple[str, ...]
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class JudgedSender:
    """What receivers make of a sender before and after. ``reason`` and ``next`` are those of afterwards; ``next`` is
    null where nothing is to be done."""

    environment: str | None
    address: str
    service: str | None
    before: Judged
    after: Judged
    reason: str
    next: str | None

    @property
    def group(self) -> str:
        """Who sends, for a person: the environment, or the service that people and programs send by."""
        return self.environment or (f"other senders ({self.service})" if self.service else "other senders")


@dataclass(frozen=True, slots=True)
class UndonePart:
    """A domain or an environment for which nothing is done, and why."""

    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """All that a run of a playbook would do, and what that rests on. ``digest``: the SHA-256 of all the rest; ``made``
    and ``valid_until``: ISO 8601, UTC; ``collection``: its version; ``playbook``: which of them made it; ``customer``:
    for whom the run is, null for all. Paths of files begin at the folder of the inventory, unless they lie
    elsewhere."""

    schema: str
    digest: str
    made: str
    valid_until: str
    collection: str
    playbook: PlanningPlaybook
    customer: str | None
    basis: PlanBasis
    declared: tuple[DeclaredPart, ...]
    records: tuple[PlannedRecord, ...]
    reasons: tuple[ChangeReason, ...]
    files: tuple[PlannedFile, ...]
    settings: tuple[PlannedSettings, ...]
    tenants: tuple[TenantChange, ...]
    senders: tuple[JudgedSender, ...]
    left_out: tuple[UndonePart, ...]
    risks: tuple[str, ...]

    @property
    def of_records(self) -> RecordsPlan:
        """The part that ``mail_domains`` is held to."""
        return RecordsPlan(self.records, self.files)

    @property
    def changed_records(self) -> list[PlannedRecord]:
        """The RRsets that change."""
        return [one for one in self.records if one.changes]

    @property
    def changes_nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.changed_records or self.files or self.settings or self.tenants)
