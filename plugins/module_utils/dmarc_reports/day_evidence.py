# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Evidence for a change of policy: what receivers saw of one domain, day by day and by declared sender."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import (
    unpacked_checks,
    unpacked_signatures,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import (
    MailTraits,
    SenderGroup,
    SourceIdentifier,
)

ABOUT_NAMES = "kind = 'dmarc' AND domain IN (SELECT value FROM json_each(?))"
"""The condition in SQL for the reports about some names, as :func:`about_names` gives them; the index finds them."""


@dataclass(slots=True)
class SenderDay:
    """What receivers saw of one declared sender on one day, in messages. ``shared`` are those of this sender or of
    another one that reports cannot tell from it; the others are this sender's only. ``dkim`` and ``spf`` passed with
    alignment, ``failed`` passed neither way."""

    seen: int = 0
    dkim: int = 0
    spf: int = 0
    failed: int = 0
    shared: int = 0


@dataclass(slots=True)
class DayEvidence:
    """What receivers saw of one domain on one day (UTC, that of the middle of a report's period), in messages.

    ``reporters`` are known by the organisations that mailed their reports, whatever names are in them, and by these
    names where nobody knows who mailed them. ``policies`` are the policies p that the reports of the day saw,
    ``senders`` is by index of :attr:`DomainEvidence.groups`, ``services`` and ``unknown`` are messages that no declared
    sender is behind.
    """

    day: str
    reports: int = 0
    records_left_out: int = 0
    reporters: set[str] = field(default_factory=set)
    policies: set[str] = field(default_factory=set)
    messages: int = 0
    passed: int = 0
    failed: int = 0
    senders: dict[int, SenderDay] = field(default_factory=dict)
    services: dict[str, int] = field(default_factory=dict)
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class DomainEvidence:
    """The days on which a domain was reported on, in their order; a day that is missing has no evidence. ``groups`` are
    the declared senders; ``last_seen`` is the last day of each that was seen as itself."""

    domain: str
    groups: tuple[SenderGroup, ...]
    days: tuple[DayEvidence, ...]

    @property
    def last_seen(self) -> dict[int, str]:
        """By index of a group; a sender that was never seen is missing."""
        return {index: one.day for one in self.days for index, sender in one.senders.items() if sender.seen}

    @property
    def reporters(self) -> set[str]:
        """All that reported."""
        return set().union(*(one.reporters for one in self.days))


@dataclass(frozen=True, slots=True)
class SeenMessages:
    """Messages of one day (for example 2026-11-01) that differ in nothing that counts.

    ``dkim`` and ``spf`` tell whether they passed with alignment.
    """

    day: str
    source: str
    traits: MailTraits
    dkim: bool
    spf: bool
    messages: int


def about_names(names: Collection[str]) -> str:
    """The parameter of :data:`ABOUT_NAMES`: one text, however many names there are (SQLite bounds the parameters)."""
    return json.dumps(sorted(names))


def seen_messages(connection: sqlite3.Connection, names: Collection[str], first_day: str) -> Iterator[SeenMessages]:
    """Read what receivers saw of one domain.

    :param connection: an archive, as ``reading_archive`` opens it
    :param names: that reports give as the domain of the policy, as A-labels
    :param first_day: for example 2026-11-01; days before do not count
    """
    columns = "day, source, dkim, spf, header_from, envelope_from, signatures, checks"
    query = (
        f"SELECT {columns}, sum(count) FROM reports JOIN rows ON report = reports.id "
        f"WHERE {ABOUT_NAMES} AND day >= ? GROUP BY {columns}"
    )
    for day, source, dkim, spf, header, envelope, signatures, checks, messages in connection.execute(
        query, (about_names(names), first_day)
    ):
        traits = MailTraits(header, envelope, unpacked_signatures(signatures), unpacked_checks(checks))
        yield SeenMessages(day, source, traits, dkim == "pass", spf == "pass", messages)


def domain_evidence(
    connection: sqlite3.Connection,
    domain: str,
    identifier: SourceIdentifier,
    first_day: str = "",
    names: Collection[str] | None = None,
) -> DomainEvidence:
    """Read the evidence on one domain from an archive.

    :param connection: an archive, as ``reading_archive`` opens it
    :param domain: whose policy it is, as A-labels
    :param identifier: tells who sources are
    :param first_day: for example 2026-11-01; days before do not count
    :param names: that reports give as the domain of the policy; None for the domain's own
    """
    names = (domain,) if names is None else names
    days: dict[str, DayEvidence] = {}
    for day, reporter, policy, left_out in _report_days(connection, names, first_day):
        found = days.setdefault(day, DayEvidence(day))
        found.reports += 1
        found.records_left_out += left_out
        found.reporters.add(reporter)
        found.policies.add(policy or "")
    for seen in seen_messages(connection, names, first_day):
        _count(days[seen.day], identifier, seen)
    return DomainEvidence(domain, identifier.groups, tuple(days[day] for day in sorted(days)))


def _report_days(connection: sqlite3.Connection, names: Collection[str], first_day: str) -> sqlite3.Cursor:
    query = (
        "SELECT day, reporter, CASE WHEN json_valid(policy) THEN json_extract(policy, '$.p') END, left_out "
        f"FROM reports WHERE {ABOUT_NAMES} AND day >= ?"
    )
    return connection.execute(query, (about_names(names), first_day))


def _count(day: DayEvidence, identifier: SourceIdentifier, seen: SeenMessages) -> None:
    messages, passed = seen.messages, (seen.dkim, seen.spf)
    day.messages += messages
    day.passed += messages if any(passed) else 0
    day.failed += 0 if any(passed) else messages
    identity = identifier.identity(seen.source, seen.traits)
    for index in identity.groups:
        sender = day.senders.setdefault(index, SenderDay())
        if len(identity.groups) > 1:
            sender.shared += messages
        else:
            sender.seen += messages
            sender.dkim += messages if passed[0] else 0
            sender.spf += messages if passed[1] else 0
            sender.failed += 0 if any(passed) else messages
    if identity.kind == "service":
        name = str(identity.service)
        day.services[name] = day.services.get(name, 0) + messages
    day.unknown += messages if identity.kind == "unknown" else 0
