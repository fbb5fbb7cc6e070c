# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""When receivers saw the mail of an environment: by day and by who reported it, with what nobody can tell."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.day_evidence import (
    ABOUT_NAMES,
    about_names,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_archive import reading_archive
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import (
    unpacked_checks,
    unpacked_signatures,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.server_networks import NetworkFinder
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import (
    MailTraits,
    SenderGroup,
    SourceIdentifier,
    sender_groups,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.sender_option import read_senders
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import parents_of
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused

Sightings = dict[tuple[str, str], int]
"""Messages by day (2026-11-20, UTC) and reporter."""


@dataclass(slots=True)
class SeenSender:
    """What reports tell of a sender group of one environment: ``own`` are messages that are its for sure, ``shared``
    those that may be of ``others`` as well; ``reported`` are the days on which each reporter reported on its domain,
    whoever sent; ``unresolved`` are its servers whose addresses could not be looked up, so that its mail may be taken
    for a stranger's."""

    label: str
    own: Sightings = field(default_factory=dict)
    shared: Sightings = field(default_factory=dict)
    others: tuple[str, ...] = ()
    reported: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unresolved: tuple[str, ...] = ()


def seen_senders(
    connection: sqlite3.Connection, senders: Iterable[Sender], environments: Iterable[str], lookup: Lookup
) -> dict[str, list[SeenSender]]:
    """Read what an archive tells of the mail of environments.

    :param connection: an archive, as ``reading_archive`` opens it
    :param senders: all that are declared, so that mail of others is not taken for theirs
    :param environments: those that are asked for
    :param lookup: asks the DNS for the addresses of their servers
    :returns: for each of them its sender groups; none for one that sends as no domain of ours
    """
    groups = sender_groups(senders)
    identifier, finder = SourceIdentifier(groups, (), lookup), NetworkFinder(lookup)
    wanted = set(environments)
    found: dict[str, list[SeenSender]] = {name: [] for name in sorted(wanted)}
    for domain in dict.fromkeys(group.domain for group in groups if wanted & set(group.environments)):
        seen = _of_domain(connection, domain, identifier)
        reported = _reported(connection, domain)
        for index, group in enumerate(groups):
            for name in wanted.intersection(group.environments) if group.domain == domain else ():
                one = _seen(name, index, groups, seen)
                one.reported = reported
                one.unresolved = finder.networks(group.sources or (), group.envelope_domain or domain).unresolved
                found[name].append(one)
    return found


def seen_in_archive(
    archive: str, senders: Sequence[Mapping[str, Any]], environments: Iterable[str], lookup: Lookup
) -> dict[str, list[SeenSender]]:
    """The same from an archive on the disk.

    :param archive: its folder
    :param senders: all that are declared, as the option ``senders`` has them
    :param environments: as :func:`seen_senders` takes them
    :param lookup: likewise
    :raises Refused: a sender is no sender, or there is no archive that can be read
    """
    problems: list[Problem] = []
    declared = read_senders(senders, problems)
    if problems:
        raise Refused(problems)
    with reading_archive(archive) as connection:
        return seen_senders(connection, declared, environments, lookup)


_Seen = list[tuple[tuple[int, ...], str, str, int]]


def _seen(environment: str, index: int, groups: Sequence[SenderGroup], messages: _Seen) -> SeenSender:
    own = SeenSender(f"{environment} ({groups[index].domain})")
    others: set[str] = set()
    for indices, day, reporter, count in messages:
        if index not in indices:
            continue
        beside = set(_others(environment, [groups[one] for one in indices]))
        others |= beside
        place = own.shared if beside else own.own
        place[day, reporter] = place.get((day, reporter), 0) + count
    own.others = tuple(sorted(others))
    return own


def _others(environment: str, groups: Iterable[SenderGroup]) -> Iterator[str]:
    """Who else may have sent what these groups may have sent."""
    for group in groups:
        named = set(group.environments) - {environment}
        yield from named
        if not group.environments:
            yield group.label


def _of_domain(connection: sqlite3.Connection, domain: str, identifier: SourceIdentifier) -> _Seen:
    """The messages with a domain in From that declared senders are behind: which groups, the day, who reported."""
    columns = "day, reporter, source, author, envelope_from, signatures, checks"
    query = (
        f"SELECT {columns}, sum(count) FROM (SELECT day, reporter, source, "
        "coalesce(nullif(header_from, ''), domain) AS author, envelope_from, signatures, checks, count FROM reports "
        f"JOIN rows ON report = reports.id WHERE {ABOUT_NAMES}) WHERE author = ? GROUP BY {columns}"
    )
    found: _Seen = []
    for day, reporter, source, author, envelope, signatures, checks, count in connection.execute(
        query, (about_names(parents_of(domain)), domain)
    ):
        traits = MailTraits(author, envelope, unpacked_signatures(signatures), unpacked_checks(checks))
        identity = identifier.identity(source, traits)
        if identity.groups:
            found.append((identity.groups, day, reporter, count))
    return found


def _reported(connection: sqlite3.Connection, domain: str) -> dict[str, frozenset[str]]:
    query = f"SELECT DISTINCT reporter, day FROM reports WHERE {ABOUT_NAMES}"
    days: dict[str, set[str]] = {}
    for reporter, day in connection.execute(query, (about_names(parents_of(domain)),)):
        days.setdefault(reporter, set()).add(day)
    return {reporter: frozenset(found) for reporter, found in days.items()}
