# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What an archive of reports tells of domains: totals, sources with who they are, single records, and TLS."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_intake import (
    unpacked_checks,
    unpacked_signatures,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_values import iso_time
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import (
    SourceIdentifier,
    SourceIdentity,
    SourceTraits,
)

_MOST_TREATMENTS = 20_000
_PASSED = "(dkim = 'pass' OR spf = 'pass')"


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Which reports are asked for: on these domains (as A-labels, empty for all), with a period that ends at a time or
    after it (seconds since 1970)."""

    domains: tuple[str, ...] = ()
    since: int = 0

    def where(self, kind: str, domain: str = "reports.domain") -> tuple[str, list[object]]:
        """The condition in SQL with its parameters.

        :param kind: dmarc or tls
        :param domain: the column that is compared
        """
        text, values = "kind = ? AND reports.end >= ?", [kind, self.since]
        if self.domains:
            text += f" AND {domain} IN ({', '.join('?' * len(self.domains))})"
        return text, [*values, *self.domains]


def domain_totals(connection: sqlite3.Connection, wanted: ReportFilter) -> dict[str, Result]:
    """What was reported on each domain that was reported on, and on each that was asked for by name.

    :returns: by domain, as ``domains`` of the module
    """
    where, values = wanted.where("dmarc")
    found: dict[str, Result] = {domain: _no_reports() for domain in wanted.domains}
    query = (
        "SELECT reports.domain, count(*), count(DISTINCT org_key), min(begin), max(end), sum(left_out) FROM reports "
        f"WHERE {where} GROUP BY reports.domain ORDER BY reports.domain"
    )
    for domain, reports, reporters, begin, end, left_out in connection.execute(query, values):
        counts = {"reports": reports, "reporters": reporters, "begin": iso_time(begin), "end": iso_time(end)}
        found[domain] = {**_no_reports(), **counts, "records_left_out": left_out}
    query = (
        f"SELECT reports.domain, sum(count), sum(count * {_PASSED}) FROM reports JOIN rows ON report = reports.id "
        f"WHERE {where} GROUP BY reports.domain"
    )
    for domain, messages, passed in connection.execute(query, values):
        found[domain] |= {"messages": messages, "pass": passed, "fail": messages - passed}
    for domain, periods in _periods(connection, where, values):
        found[domain] |= periods
    return found


def domain_days(connection: sqlite3.Connection, wanted: ReportFilter) -> dict[str, list[Result]]:
    """What was reported on each domain day by day; a day (UTC) is that of the middle of a period."""
    where, values = wanted.where("dmarc")
    query = (
        f"SELECT reports.domain, day, sum(count), sum(count * {_PASSED}) FROM reports JOIN rows ON report = reports.id "
        f"WHERE {where} GROUP BY reports.domain, day ORDER BY reports.domain, day"
    )
    found: dict[str, list[Result]] = {}
    for domain, day, messages, passed in connection.execute(query, values):
        counts = {"day": day, "messages": messages, "pass": passed, "fail": messages - passed}
        found.setdefault(domain, []).append(counts)
    return found


def _no_reports() -> Result:
    counts = {"reports": 0, "reporters": 0, "reporter_names": [], "begin": None, "end": None, "messages": 0}
    return counts | {"pass": 0, "fail": 0, "policy_published": None, "overlaps": [], "records_left_out": 0}


def _periods(connection: sqlite3.Connection, where: str, values: list[object]) -> Iterator[tuple[str, Result]]:
    """By domain who reported, the policy of the newest report, and which reporters' periods overlap."""
    query = (
        "SELECT reports.domain, org_key, org, begin, end, policy FROM reports NOT INDEXED "
        f"WHERE {where} ORDER BY reports.domain, org_key, begin, end"
    )
    current: _Periods | None = None
    for domain, org_key, org, begin, end, policy in connection.execute(query, values):
        if current is None or current.domain != domain:
            if current is not None:
                yield current.domain, current.result()
            current = _Periods(domain)
        current.add(org_key, org, begin, end, policy)
    if current is not None:
        yield current.domain, current.result()


@dataclass(slots=True)
class _Periods:
    """The periods of one domain, reporter by reporter, each in the order of time."""

    domain: str
    names: dict[str, str] = field(default_factory=dict)
    newest: tuple[int, str] = (-1, "")
    overlaps: dict[str, Result] = field(default_factory=dict)
    _end: int = -1

    def add(self, org_key: str, org: str, begin: int, end: int, policy: str) -> None:
        """Take one report. Periods that only touch do not overlap: many reporters end a day where the next begins."""
        if org_key not in self.names:
            self.names[org_key], self._end = org, -1
        if begin < self._end:
            told = self.overlaps.setdefault(org_key, {"org": org, "reports": 0, "first": iso_time(begin)})
            told["reports"] += 1
        self._end = max(self._end, end)
        self.newest = max(self.newest, (end, policy))

    def result(self) -> Result:
        """What the module returns of it."""
        return {
            "reporter_names": sorted(self.names.values()),
            "policy_published": json.loads(self.newest[1]),
            "overlaps": list(self.overlaps.values()),
        }


# --- sources ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class SourceTotal:
    """The messages of one source that one sender is behind."""

    source: str
    identity: SourceIdentity
    messages: int = 0
    spf: int = 0
    dkim: int = 0
    dmarc: int = 0
    selectors: dict[tuple[str, str, str], int] = field(default_factory=dict)
    header_from: dict[str, None] = field(default_factory=dict)
    envelope_from: dict[str, None] = field(default_factory=dict)

    def add(self, traits: SourceTraits, dkim: bool, spf: bool, messages: int) -> None:
        """Count messages that were treated alike."""
        self.messages += messages
        self.spf += messages if spf else 0
        self.dkim += messages if dkim else 0
        self.dmarc += messages if dkim or spf else 0
        for one in traits.signatures:
            key = (one.domain, one.selector, one.result)
            self.selectors[key] = self.selectors.get(key, 0) + messages
        self.header_from[traits.header_from] = None
        self.envelope_from[traits.envelope_from] = None

    def as_dict(self, reverse_name: str | None) -> Result:
        """The same, as the module returns it."""
        return {
            "source": self.source,
            "reverse_name": reverse_name,
            "messages": self.messages,
            "spf": {"pass": self.spf, "fail": self.messages - self.spf},
            "dkim": {"pass": self.dkim, "fail": self.messages - self.dkim},
            "dmarc": {"pass": self.dmarc, "fail": self.messages - self.dmarc},
            "selectors": [
                {"domain": domain, "selector": selector or None, "result": result, "messages": messages}
                for (domain, selector, result), messages in sorted(self.selectors.items())
            ],
            "header_from": sorted(self.header_from),
            "envelope_from": sorted(filter(None, self.envelope_from)),
            "who": self.identity.as_dict(),
        }


def source_totals(
    connection: sqlite3.Connection, wanted: ReportFilter, identifier: SourceIdentifier
) -> dict[str, list[SourceTotal]]:
    """The sources of each domain, those with the most messages first; one with several senders is there for each."""
    found: dict[str, list[SourceTotal]] = {}
    where, values = wanted.where("dmarc")
    columns = "reports.domain, source, treatment"
    query = (
        f"SELECT {columns}, sum(count) FROM reports NOT INDEXED JOIN records ON report = reports.id WHERE {where} "
        f"GROUP BY {columns} ORDER BY {columns}"
    )
    treatments = _Treatments(connection)
    last = ("", "")
    same: list[SourceTotal] = []  # as the last domain and source
    for domain, source, number, messages in connection.execute(query, values).fetchall():
        if (domain, source) != last:
            last, same = (domain, source), []
        dkim, spf, traits = treatments[number]
        identity = identifier.identity(SourceTraits(source, *traits[1:]))
        total = next((one for one in same if one.identity == identity), None)
        if total is None:
            total = SourceTotal(source, identity)
            same.append(total)
            found.setdefault(domain, []).append(total)
        total.add(traits, dkim, spf, messages)
    for totals in found.values():
        totals.sort(key=lambda one: (-one.messages, one.source, one.identity.reason))
    return found


class _Treatments(dict[int, tuple[bool, bool, SourceTraits]]):
    """How messages were treated, by number: whether DKIM and SPF passed with alignment, and traits without source."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self._connection = connection

    def __missing__(self, number: int) -> tuple[bool, bool, SourceTraits]:
        query = "SELECT dkim, spf, header_from, envelope_from, signatures, checks FROM treatments WHERE id = ?"
        dkim, spf, header, envelope, signatures, checks = self._connection.execute(query, (number,)).fetchone()
        if len(self) >= _MOST_TREATMENTS:
            self.clear()
        traits = SourceTraits("", header, envelope, unpacked_signatures(signatures), unpacked_checks(checks))
        self[number] = dkim == "pass", spf == "pass", traits
        return self[number]


def report_records(connection: sqlite3.Connection, wanted: ReportFilter) -> list[Result]:
    """The single records, in the order of time."""
    where, values = wanted.where("dmarc")
    query = (
        "SELECT reports.domain, org, report_id, begin, end, source, count, disposition, dkim, spf, header_from, "
        f"envelope_from FROM reports JOIN rows ON report = reports.id WHERE {where} "
        "ORDER BY begin, end, org, report_id, rows.number"
    )
    return [
        {
            "domain": domain,
            "org": org,
            "report_id": report_id,
            "begin": iso_time(begin),
            "end": iso_time(end),
            "source_ip": source,
            "count": count,
            "disposition": disposition,
            "dkim": dkim,
            "spf": spf,
            "header_from": header_from or None,
            "envelope_from": envelope_from or None,
        }
        for (
            domain,
            org,
            report_id,
            begin,
            end,
            source,
            count,
            disposition,
            dkim,
            spf,
            header_from,
            envelope_from,
        ) in connection.execute(query, values)
    ]


# --- TLS reports -----------------------------------------------------------------------------------------------------


def tls_totals(connection: sqlite3.Connection, wanted: ReportFilter) -> dict[str, Result]:
    """What was reported on TLS to each domain (RFC 8460)."""
    where, values = wanted.where("tls", "tls_policies.domain")
    query = (
        "SELECT tls_policies.domain, count(DISTINCT reports.id), count(DISTINCT org_key), min(begin), max(end), "
        "sum(successful), sum(failed), group_concat(DISTINCT policy_type) FROM reports JOIN tls_policies ON report = "
        f"reports.id WHERE {where} GROUP BY tls_policies.domain ORDER BY tls_policies.domain"
    )
    found: dict[str, Result] = {}
    for domain, reports, reporters, begin, end, successful, failed, types in connection.execute(query, values):
        found[domain] = {
            "reports": reports,
            "reporters": reporters,
            "begin": iso_time(begin),
            "end": iso_time(end),
            "successful": successful,
            "failed": failed,
            "policy_types": sorted(filter(None, types.split(","))),
            "failures": [],
        }
    for domain, result_type, mx, reason, sessions in _tls_failures(connection, wanted):
        failure = {"result_type": result_type, "mx": mx, "reason": reason, "sessions": sessions}
        found[domain]["failures"].append(failure)
    return found


def _tls_failures(connection: sqlite3.Connection, wanted: ReportFilter) -> Iterable[tuple[Any, ...]]:
    where, values = wanted.where("tls", "tls_failures.domain")
    columns = "tls_failures.domain, result_type, nullif(mx, ''), nullif(reason, '')"
    query = (
        f"SELECT {columns}, sum(sessions) FROM reports JOIN tls_failures ON report = reports.id WHERE {where} "
        f"GROUP BY {columns} ORDER BY sum(sessions) DESC, 1, 2, 3, 4"
    )
    return connection.execute(query, values)
