# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What ``verify`` tells, as data: the report ``mailroom.erp/report/1``, whose schema is docs/schema/report-1.json."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

REPORT_SCHEMA = "mailroom.erp/report/1"

State = Literal["fine", "attention", "failing", "unknown"]
Risk = Literal["fail", "drift", "due", "unknown", "confirm"]
Helper = Literal["dns", "tenant", "erp", "sender", "us"]
Outcome = Literal["pass", "fail", "unknown"]
SenderOutcome = Literal["pass", "fail", "unknown", "leaving"]
RecordState = Literal["declared", "drifted", "unknown", "refused", "elsewhere"]
KeyState = Literal["valid", "revoked", "missing", "weak", "changed", "unknown"]
DelegationState = Literal["fine", "moved", "unknown"]

RISKS: tuple[Risk, ...] = ("fail", "drift", "due", "unknown", "confirm")
"""What is to be done, the most urgent first."""


@dataclass(frozen=True, slots=True)
class TodoItem:
    """What somebody must do next. ``id``: the digest of the sentence without names, the same on every run; ``step``:
    the next step, ``command``: the one that does it; ``who`` can do it, and ``ask`` is the sentence to send there."""

    id: str
    risk: Risk
    environments: tuple[str, ...]
    domains: tuple[str, ...]
    text: str
    step: str
    command: str | None
    who: Helper
    ask: str


@dataclass(frozen=True, slots=True)
class ReportChange:
    """What differs from the last run: ``what`` it is of, the name of the ``subject``, and how it was and is; null for
    what was not there."""

    what: str
    subject: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class SenderReport:
    """What receivers make of one sender on the live records. ``verdict`` is that of all parts, or "leaving": records of
    it are gone on purpose, and it is known to send no more. ``transport`` is null where nobody looked; ``next`` is
    null where nothing is to be done."""

    address: str
    service: str | None
    verdict: SenderOutcome
    spf: str
    dkim: str
    dmarc: str
    transport: str | None
    reason: str
    next: str | None


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """One thing that was seen of the mail server of an environment. ``name`` is that of the finding, the same on every
    run; ``certain``: whether it is so from where the ERP sends."""

    server: str
    name: str
    level: Literal["fail", "unknown", "warning", "pass"]
    certain: bool
    text: str
    next: str | None


@dataclass(frozen=True, slots=True)
class SecretReport:
    """A secret of an environment's application: its key id as ``name``, its day of ending (YYYY-MM-DD), and how many
    days are left, negative once it has ended. ``due`` tells why a new one is to be made, null when none is."""

    name: str
    kind: str
    ends: str | None
    days_left: int | None
    due: str | None


@dataclass(frozen=True, slots=True)
class MailboxReport:
    """Whether a sender is a mailbox of the tenant."""

    address: str
    result: Outcome
    reason: str
    next: str | None


@dataclass(frozen=True, slots=True)
class TenantReport:
    """What an environment has in its tenant. ``grants_missing``: permissions that a person has to consent to,
    ``grants_unknown``: those that nobody declared; ``scope``: how far its mailboxes are limited, null when no limit is
    declared; ``differs``: what else is not as declared; ``open``: what a person still has to do; ``problem``: why it
    cannot be told, then all else is empty."""

    grants_missing: tuple[str, ...]
    grants_unknown: tuple[str, ...]
    differs: tuple[str, ...]
    scope: Literal["granted", "effective", "tenant_wide", "unknown"] | None
    secrets: tuple[SecretReport, ...]
    mailboxes: tuple[MailboxReport, ...]
    open: tuple[str, ...]
    problem: str | None


@dataclass(frozen=True, slots=True)
class LeavingReport:
    """What is there of an environment that leaves: its records that are ``gone`` and those that stand, and what is
    known of its ``mail``. Records that could not be looked up are in neither list."""

    gone: tuple[str, ...]
    stands: tuple[str, ...]
    mail: str


@dataclass(frozen=True, slots=True)
class EnvironmentReport:
    """One environment. ``confirmations`` are those that are missing; ``probe`` is null where nobody looked, ``tenant``
    where it needs nothing there; ``refused``: what is wrong with its declaration; ``leaving`` is null for one that
    stays."""

    name: str
    customer: str | None
    system: str
    state: State
    senders: tuple[SenderReport, ...]
    probe: tuple[ProbeReport, ...] | None
    tenant: TenantReport | None
    confirmations: tuple[str, ...]
    refused: tuple[str, ...]
    leaving: LeavingReport | None


@dataclass(frozen=True, slots=True)
class RecordReport:
    """One record, as declared and as it is. ``kind`` is what people call it; a TTL stands in ``declared`` and ``live``
    where it differs. ``cause`` tells what kind of drift it is; ``last_written`` is when this collection wrote it last,
    ``seen_right`` when a run saw it as declared last (ISO 8601, UTC). ``restore`` is the command that mends it."""

    name: str
    type: str
    kind: str
    state: RecordState
    declared: tuple[str, ...]
    live: tuple[str, ...]
    cause: str | None
    last_written: str | None
    seen_right: str | None
    restore: str | None


@dataclass(frozen=True, slots=True)
class DelegationReport:
    """Which name servers the world finds for the zone of a domain; ``before`` are those of the last run where they
    differ. Moved: they are others than before, or the account that we write to is asked by nobody."""

    state: DelegationState
    zone: str | None
    name_servers: tuple[str, ...]
    before: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class SpfTermReport:
    """One term of an SPF record that costs lookups: how many, itself and all below it."""

    term: str
    lookups: int
    tree: SpfTreeReport | None


@dataclass(frozen=True, slots=True)
class SpfTreeReport:
    """The terms of one domain's SPF record that cost lookups, in their order."""

    domain: str
    terms: tuple[SpfTermReport, ...]


@dataclass(frozen=True, slots=True)
class GrownReport:
    """How many lookups a record cost in the last run, and costs now, though the record is the same."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class SpfReport:
    """The live SPF record, and its budget as it is today (RFC 7208 section 4.6.4); all null when it is not known or
    not the only one."""

    record: str | None
    lookups: int | None
    limit: int
    void: int | None
    tree: SpfTreeReport | None
    grown: GrownReport | None


@dataclass(frozen=True, slots=True)
class SelectorReport:
    """One DKIM selector, aliases followed. ``digest`` is that of the key, to see that it changed."""

    selector: str
    name: str
    state: KeyState
    key_type: str | None
    bits: int | None
    digest: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class DmarcDay:
    """What receivers reported for one day (YYYY-MM-DD, UTC), in messages; in JSON the keys are pass and fail."""

    day: str
    pass_: int
    fail: int


@dataclass(frozen=True, slots=True)
class DmarcReport:
    """The live DMARC record and where its policy stands. ``target`` is the declared policy that it moves to, ``mode``
    is "managed" where the collection moves it, "declared" where the inventory says it, else null. ``next_missing``:
    what the next step waits for; ``days``: the evidence."""

    record: str | None
    policy: str | None
    subdomain_policy: str | None
    target: str | None
    mode: Literal["managed", "declared"] | None
    next_missing: tuple[str, ...]
    days: tuple[DmarcDay, ...]


@dataclass(frozen=True, slots=True)
class FlattenedReport:
    """Flattened includes whose service has other addresses by now."""

    moved: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceReport:
    """A source of messages as this domain that nobody declared: an address or a network, with how many messages."""

    source: str
    messages: int
    pass_: int
    fail: int


@dataclass(frozen=True, slots=True)
class EvidenceReport:
    """What receivers reported of a domain, in messages."""

    messages: int
    pass_: int
    fail: int
    reporters: int
    unknown_sources: tuple[SourceReport, ...]


@dataclass(frozen=True, slots=True)
class FindingReport:
    """What is wrong with a live record of a domain ("fault"), or to be looked at ("concern"). ``unanswered``: a name
    cannot be looked up, so that it may be right."""

    level: Literal["fault", "concern"]
    record: str
    value: str | None
    text: str
    next: str
    unanswered: bool


@dataclass(frozen=True, slots=True)
class DomainReport:
    """One domain. ``failure`` tells why its records could not be planned: a broken rule or a service that fails.
    ``senders`` are those of services that the domain declares; those of environments stand there."""

    name: str
    customers: tuple[str, ...]
    state: State
    delegation: DelegationReport
    records: tuple[RecordReport, ...]
    spf: SpfReport
    dkim: tuple[SelectorReport, ...]
    dmarc: DmarcReport
    flattened: FlattenedReport | None
    reports: EvidenceReport | None
    findings: tuple[FindingReport, ...]
    senders: tuple[SenderReport, ...]
    failure: str | None


@dataclass(frozen=True, slots=True)
class CalendarItem:
    """What ends or comes on a date (YYYY-MM-DD or YYYY-MM)."""

    date: str
    what: str
    environments: tuple[str, ...]
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnknownItem:
    """What could not be found out: of whom, what, and why."""

    subject: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class CustomerSummary:
    """One customer in a row: how many environments and domains it has, and how many things are to be done."""

    name: str
    state: State
    environments: int
    domains: int
    todo: int


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """All that a run of ``verify`` found. ``made``: when (ISO 8601, UTC); ``previous``: when the run was made that
    ``changed`` compares with; ``customer``: whose report it is, null for the report on all."""

    schema: str
    made: str
    previous: str | None
    collection: str
    customer: str | None
    state: State
    todo: tuple[TodoItem, ...]
    changed: tuple[ReportChange, ...]
    customers: tuple[CustomerSummary, ...]
    environments: tuple[EnvironmentReport, ...]
    domains: tuple[DomainReport, ...]
    calendar: tuple[CalendarItem, ...]
    unknown: tuple[UnknownItem, ...]

    @property
    def senders(self) -> list[SenderReport]:
        """Those of all environments, and of all services that domains declare."""
        found = [sender for one in self.environments for sender in one.senders]
        return found + [sender for one in self.domains for sender in one.senders]


def report_data(part: Any) -> Any:
    """A report, or a part of one, as plain data for JSON.

    :param part: a dataclass of this file, or what stands in one
    """
    if is_dataclass(part):
        # pass is a word of Python, so the field is pass_
        return {one.name.rstrip("_"): report_data(getattr(part, one.name)) for one in fields(part)}
    return [report_data(one) for one in part] if isinstance(part, tuple) else part
