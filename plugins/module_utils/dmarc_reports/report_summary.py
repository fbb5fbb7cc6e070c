# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What an archive of reports tells of domains: totals, sources with who they are, single records, and TLS."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.day_evidence import (
    ABOUT_NAMES,
    about_names,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.policy_domains import ReportedBelow
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import (
    DkimResult,
    unpacked_checks,
    unpacked_signatures,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_values import iso_time
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import (
    MailTraits,
    SourceIdentifier,
    SourceIdentity,
)

_MOST_TREATMENTS = 20_000
_ONE_A_DAY = (
    "max(end - begin) <= 86400 AND min(begin % 86400) = max(begin % 86400) AND count(DISTINCT begin) = count(*)"
)
"""Whether all periods of a reporter are a day or less, and begin at one time of different days: most do so, and then
none overlaps another."""

_SUBJECTS = "(SELECT received.id, kind, domain, end FROM received JOIN subjects ON subjects.id = subject)"
"""Of ``reports`` what needs no look at who mailed them."""

_PASSED = "(dkim = 'pass' OR spf = 'pass')"


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Which reports are asked for: on these domains (as A-labels, empty for all), with a period that ends at a time or
    after it (seconds since 1970). ``below`` are names below them that reports give; those that a domain governs are
    told with it."""

    domains: tuple[str, ...] = ()
    since: int = 0
    below: Mapping[str, ReportedBelow] = field(default_factory=dict)

    @property
    def told_as(self) -> dict[str, str]:
        """By name that reports give, the domain that it is told with."""
        found = {name: name for name in self.domains}
        for domain, its in self.below.items():
            found |= {name: name for name in its.doubtful} | dict.fromkeys(its.governed, domain)
        return found

    def of_dmarc(self) -> tuple[str, list[object]]:
        """The condition in SQL for aggregate reports, with its parameters."""
        return self._where("dmarc", "reports.domain", self.told_as)

    def of_tls(self, column: str) -> tuple[str, list[object]]:
        """The same for reports of TLS, by the column that has the domain."""
        return self._where("tls", column, self.domains)

    def _where(self, kind: str, column: str, names: Collection[str]) -> tuple[str, list[object]]:
        text, values = "kind = ? AND reports.end >= ?", [kind, self.since]
        if not names:
            return text, values
        return f"{text} AND {column} IN (SELECT value FROM json_each(?))", [*values, about_names(names)]


def domain_totals(
    connection: sqlite3.Connection, wanted: ReportFilter, sources: Mapping[str, Iterable[SourceTotal]]
) -> dict[str, Result]:
    """What was reported on each domain that was reported on, and on each that was asked for by name.

    :param sources: as :func:`source_totals` gives them; their messages are the domain's
    :returns: by domain, as ``domains`` of the module
    """
    found: dict[str, Result] = {domain: _no_reports() for domain in wanted.domains}
    for domain, reported in _reporters(connection, wanted).items():
        names, keys, orgs, one_a_day, reports, begins, ends, left_out = zip(*reported, strict=True)
        irregular = [one[:3] for one in zip(names, keys, orgs, one_a_day, strict=True) if not one[3]]
        overlaps = [(org, _overlap(connection, name, key, wanted.since)) for name, key, org in irregular]
        messages, passed = _messages(sources.get(domain, ()))
        found[domain] = {
            "reports": sum(reports),
            "reporters": len(set(keys)),
            "reporter_names": sorted(dict(zip(keys, orgs, strict=True)).values()),
            "begin": iso_time(min(begins)),
            "end": iso_time(max(ends)),
            "messages": messages,
            "pass": passed,
            "fail": messages - passed,
            "policy_published": _newest_policy(connection, names, max(ends)),
            "overlaps": [{"org": org, **overlap} for org, overlap in overlaps if overlap],
            "records_left_out": sum(left_out),
        }
    for told in found.values():
        told |= {"subdomains": [], "doubtful_subdomains": [], "mailed_by_others": []}
    for domain, org, mailed_by, count in _mailed_by_others(connection, wanted):
        found[domain]["mailed_by_others"].append({"org": org, "mailed_by": mailed_by, "reports": count})
    for domain, its in wanted.below.items():
        doubtful = [{"domain": name, "reason": reason} for name, reason in its.doubtful.items()]
        found[domain] |= {"subdomains": sorted(its.governed), "doubtful_subdomains": doubtful}
    return found


def _mailed_by_others(connection: sqlite3.Connection, wanted: ReportFilter) -> Iterable[tuple[str, str, str, int]]:
    """Reports that came in a message of another organisation than they name, with the domain in its From."""
    where, values = wanted.of_dmarc()
    query = (
        f"SELECT domain, min(org), mailed_by, count(*) FROM reports WHERE {where} AND mailed_by != '' "
        "GROUP BY domain, org_key, mailed_by ORDER BY domain, org_key, mailed_by"
    )
    told_as = wanted.told_as
    for domain, org, mailed_by, reports in connection.execute(query, values):
        yield told_as.get(domain, domain), org, mailed_by, reports


def _reporters(connection: sqlite3.Connection, wanted: ReportFilter) -> dict[str, list[tuple[Any, ...]]]:
    """What each reporter reported on each name, by the domain that the name is told with."""
    where, values = wanted.of_dmarc()
    query = (
        f"SELECT domain, org_key, min(org), {_ONE_A_DAY}, count(*), min(begin), max(end), sum(left_out) FROM reports "
        f"WHERE {where} GROUP BY domain, org_key ORDER BY domain, org_key"
    )
    told_as, found = wanted.told_as, dict[str, list[tuple[Any, ...]]]()
    for one in connection.execute(query, values):
        found.setdefault(told_as.get(one[0], one[0]), []).append(one)
    return found


def domain_days(connection: sqlite3.Connection, wanted: ReportFilter) -> dict[str, list[Result]]:
    """What was reported on each domain day by day; a day (UTC) is that of the middle of a period."""
    where, values = wanted.of_dmarc()
    query = (
        f"SELECT reports.domain, day, sum(count), sum(count * {_PASSED}) FROM reports JOIN rows ON report = reports.id "
        f"WHERE {where} GROUP BY reports.domain, day ORDER BY day, reports.domain"
    )
    told_as, found = wanted.told_as, dict[str, dict[str, Result]]()
    for name, day, messages, passed in connection.execute(query, values):
        days = found.setdefault(told_as.get(name, name), {})
        counts = days.setdefault(day, {"day": day, "messages": 0, "pass": 0, "fail": 0})
        for key, number in (("messages", messages), ("pass", passed), ("fail", messages - passed)):
            counts[key] += number
    return {domain: list(found[domain].values()) for domain in sorted(found)}


def _no_reports() -> Result:
    counts = {"reports": 0, "reporters": 0, "reporter_names": [], "begin": None, "end": None, "messages": 0}
    return counts | {"pass": 0, "fail": 0, "policy_published": None, "overlaps": [], "records_left_out": 0}


def _messages(sources: Iterable[SourceTotal]) -> tuple[int, int]:
    """All messages, and those that passed."""
    messages = passed = 0
    for one in sources:
        messages += one.messages
        passed += one.dmarc
    return messages, passed


def _newest_policy(connection: sqlite3.Connection, names: Collection[str], end: int) -> Result:
    """The policy that the report with the latest end saw."""
    query = f"SELECT max(policy) FROM reports WHERE {ABOUT_NAMES} AND end = ?"
    (text,) = connection.execute(query, (about_names(names), end)).fetchone()
    policy: Result = json.loads(text)
    return policy


def _overlap(connection: sqlite3.Connection, domain: str, org_key: str, since: int) -> Result | None:
    """How many periods of one reporter begin before an earlier one has ended, and when the first does. Those that only
    touch do not overlap: many reporters end a day where the next begins."""
    query = (
        "SELECT begin, end FROM reports WHERE kind = 'dmarc' AND domain = ? AND org_key = ? AND end >= ? "
        "ORDER BY begin, end"
    )
    count = first = last = 0
    for begin, end in connection.execute(query, (domain, org_key, since)):
        if begin < last:
            first = first if count else begin
            count += 1
        last = max(last, end)
    return {"reports": count, "first": iso_time(first)} if count else None


# --- sources ---------------------------------------------------------------------------------------------------------


class TreatedMail(NamedTuple):
    """What a receiver saw of messages; ``dkim`` and ``spf`` tell whether they passed with alignment."""

    dkim: bool
    spf: bool
    traits: MailTraits


@dataclass(slots=True)
class SourceTotal:
    """The messages of one source that one sender is behind."""

    source: str
    identity: SourceIdentity
    messages: int = 0
    dmarc: int = 0
    treated: list[tuple[TreatedMail, int]] = field(default_factory=list)

    def add(self, treated: TreatedMail, messages: int) -> None:
        """Count messages that were treated alike."""
        self.messages += messages
        if treated.dkim or treated.spf:
            self.dmarc += messages
        self.treated.append((treated, messages))

    def as_dict(self, reverse_name: str | None) -> Result:
        """The same, as the module returns it."""
        spf = dkim = 0
        selectors: dict[DkimResult, int] = {}
        names: set[str] = set()
        envelopes: set[str] = set()
        for (passed_dkim, passed_spf, (name, envelope, signatures, _checks)), count in self.treated:
            if passed_spf:
                spf += count
            if passed_dkim:
                dkim += count
            for signature in signatures:
                selectors[signature] = selectors.get(signature, 0) + count
            names.add(name)
            if envelope:
                envelopes.add(envelope)
        told = []
        for (domain, selector, result), messages in sorted(selectors.items()):
            told.append({"domain": domain, "selector": selector or None, "result": result, "messages": messages})
        return {
            "source": self.source,
            "reverse_name": reverse_name,
            "messages": self.messages,
            "spf": {"pass": spf, "fail": self.messages - spf},
            "dkim": {"pass": dkim, "fail": self.messages - dkim},
            "dmarc": {"pass": self.dmarc, "fail": self.messages - self.dmarc},
            "selectors": told,
            "header_from": sorted(names),
            "envelope_from": sorted(envelopes),
            "who": self.identity.as_dict(),
        }


def source_totals(
    connection: sqlite3.Connection, wanted: ReportFilter, identifier: SourceIdentifier
) -> dict[str, list[SourceTotal]]:
    """The sources of each domain, those with the most messages first; one with several senders is there for each."""
    found: dict[str, list[SourceTotal]] = {}
    where, values = wanted.of_dmarc()
    columns = "source, reports.domain, treatment"
    # all records are looked at in the order in which they are there, those of some domains by their reports
    join = "JOIN" if wanted.domains else "CROSS JOIN"
    query = (
        f"SELECT {columns}, sum(count) FROM records {join} {_SUBJECTS} AS reports ON report = reports.id WHERE {where} "
        f"GROUP BY {columns} ORDER BY {columns}"
    )
    treatments, told_as = _Treatments(connection), wanted.told_as
    last = ""
    same: dict[str, list[SourceTotal]] = {}  # of the last source, by domain
    for source, name, number, messages in connection.execute(query, values):
        if source != last:
            last, same = source, {}
        domain = told_as.get(name, name)
        treated = treatments[number]
        identity = identifier.identity(source, treated.traits)
        known = same.get(domain)
        total = next((one for one in known if one.identity == identity), None) if known else None
        if total is None:
            total = SourceTotal(source, identity)
            same.setdefault(domain, []).append(total)
            found.setdefault(domain, []).append(total)
        total.add(treated, messages)
    for totals in found.values():
        totals.sort(key=lambda one: (-one.messages, one.source, one.identity.reason))
    return dict(sorted(found.items()))


class _Treatments(dict[int, TreatedMail]):
    """How messages were treated, by number."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self._connection = connection

    def __missing__(self, number: int) -> TreatedMail:
        query = "SELECT dkim, spf, header_from, envelope_from, signatures, checks FROM treatments WHERE id = ?"
        dkim, spf, header, envelope, signatures, checks = self._connection.execute(query, (number,)).fetchone()
        if len(self) >= _MOST_TREATMENTS:
            self.clear()
        traits = MailTraits(header, envelope, unpacked_signatures(signatures), unpacked_checks(checks))
        self[number] = TreatedMail(dkim == "pass", spf == "pass", traits)
        return self[number]


def report_records(connection: sqlite3.Connection, wanted: ReportFilter) -> list[Result]:
    """The single records, in the order of time."""
    where, values = wanted.of_dmarc()
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
    where, values = wanted.of_tls("tls_policies.domain")
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
    where, values = wanted.of_tls("tls_failures.domain")
    columns = "tls_failures.domain, result_type, nullif(mx, ''), nullif(reason, '')"
    query = (
        f"SELECT {columns}, sum(sessions) FROM reports JOIN tls_failures ON report = reports.id WHERE {where} "
        f"GROUP BY {columns} ORDER BY sum(sessions) DESC, 1, 2, 3, 4"
    )
    return connection.execute(query, values)
