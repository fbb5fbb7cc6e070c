# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Evidence for one step of one domain's policy, read from an archive: days, published policies, unknown sources."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.day_evidence import (
    ABOUT_NAMES,
    DayEvidence,
    DomainEvidence,
    about_names,
    domain_evidence,
    seen_messages,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.policy_domains import ReportedBelow
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import SourceIdentifier
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.policy_levels import STEP_TAGS
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.unknown_sources import (
    SourceNamer,
    UnknownSource,
)

Published = Mapping[str, Mapping[tuple[str, str], frozenset[str]]]
"""By day, the values of p, sp and np that reports told, and by whom."""


@dataclass(frozen=True, slots=True)
class DoubtfulEvidence:
    """What reports tell that name subdomains of which nobody can tell whether they have a policy of their own. It
    counts against a step, never for it. ``subdomains`` has, by name, why it cannot be told."""

    subdomains: Mapping[str, str] = field(default_factory=dict)
    days: tuple[DayEvidence, ...] = ()
    published: Published = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepEvidence:
    """What receivers saw of one domain, as far as a step of its policy rests on it.

    ``reports`` has by day what tells the reports from all others. ``unknown`` are the sources that no declared sender
    is behind. ``shared_failed`` has, by index of a sender group and by day, the messages that failed and may be this
    sender's or another one's. These three hold what is doubtful, too. ``subdomains`` are names whose reports count as
    the domain's own.
    """

    days: DomainEvidence
    published: Published = field(default_factory=dict)
    reports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unknown: tuple[UnknownSource, ...] = ()
    shared_failed: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    subdomains: tuple[str, ...] = ()
    doubtful: DoubtfulEvidence = field(default_factory=DoubtfulEvidence)


def read_step_evidence(
    connection: sqlite3.Connection,
    domain: str,
    identifier: SourceIdentifier,
    namer: SourceNamer,
    first_day: str = "",
    below: ReportedBelow | None = None,
) -> StepEvidence:
    """Read the evidence on one domain.

    :param connection: an archive, as ``reading_archive`` opens it
    :param domain: whose policy it is, as A-labels
    :param identifier: tells who sources are
    :param namer: names those that nobody declared
    :param first_day: for example 2026-11-01; days before do not count
    :param below: names below it that reports give as the domain of the policy
    """
    below = below or ReportedBelow()
    own, doubtful = (domain, *below.governed), tuple(below.doubtful)
    unknown, shared = _undeclared(connection, (*own, *doubtful), identifier, namer, first_day)
    return StepEvidence(
        domain_evidence(connection, domain, identifier, first_day, own),
        _published(connection, own, first_day),
        _reports(connection, (*own, *doubtful), first_day),
        unknown,
        shared,
        below.governed,
        DoubtfulEvidence(
            below.doubtful,
            domain_evidence(connection, domain, identifier, first_day, doubtful).days,
            _published(connection, doubtful, first_day),
        ),
    )


def _published(connection: sqlite3.Connection, names: Collection[str], first_day: str) -> Published:
    found: dict[str, dict[tuple[str, str], frozenset[str]]] = {}
    for day, org, policy in _report_lines(connection, "day, org, policy", names, first_day):
        told = found.setdefault(day, {})
        for tag, value in _policies(policy):
            told[tag, value] = told.get((tag, value), frozenset()) | {org}
    return found


def _reports(connection: sqlite3.Connection, names: Collection[str], first_day: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for day, org_key, id_key in _report_lines(connection, "day, org_key, id_key", names, first_day):
        found.setdefault(day, []).append(f"{org_key} {id_key}")
    return {day: tuple(sorted(keys)) for day, keys in found.items()}


def _report_lines(
    connection: sqlite3.Connection, columns: str, names: Collection[str], first_day: str
) -> Iterable[tuple[str, ...]]:
    query = f"SELECT {columns} FROM reports WHERE {ABOUT_NAMES} AND day >= ?"
    return connection.execute(query, (about_names(names), first_day))


def _policies(text: str) -> Iterator[tuple[str, str]]:
    """The values of p, sp and np that a report tells."""
    try:
        found = json.loads(text)
    except ValueError:
        return
    for tag in STEP_TAGS:
        value = found.get(tag) if isinstance(found, dict) else None
        if isinstance(value, str) and value:
            yield tag, value.lower()


def _undeclared(
    connection: sqlite3.Connection,
    names: Collection[str],
    identifier: SourceIdentifier,
    namer: SourceNamer,
    first_day: str,
) -> tuple[tuple[UnknownSource, ...], dict[int, dict[str, int]]]:
    """The sources that no declared sender is behind, and what failed of those of which it cannot be told who is."""
    shared: dict[int, dict[str, int]] = {}
    for seen in seen_messages(connection, names, first_day):
        identity = identifier.identity(seen.source, seen.traits)
        passed = seen.dkim or seen.spf
        if identity.kind != "declared":
            namer.add(seen.source, seen.traits, identity, seen.day, seen.messages, passed)
        elif len(identity.groups) > 1 and not passed:
            for index in identity.groups:
                of_group = shared.setdefault(index, {})
                of_group[seen.day] = of_group.get(seen.day, 0) + seen.messages
    return namer.take(), shared
