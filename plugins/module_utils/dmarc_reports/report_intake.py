# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Reports on their way into an archive: each file once, each report once, and nothing of a report that is broken."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_files import (
    Found,
    ReportItem,
    SkippedFile,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import (
    AggregateHead,
    AggregateRow,
    DkimResult,
    LeftOut,
    ReportPart,
    SpfCheck,
    TlsHead,
    TlsPolicyResult,
    UnreadableReport,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_values import (
    period_day,
    shortened_address,
)

_BATCH = 500
_FIELD, _ITEM = "\x1f", "\x1e"
"""ASCII's own separators, which no text of a report holds."""

_ADD_REPORT = (
    "INSERT OR IGNORE INTO reports (kind, org_key, id_key, domain, org, report_id, begin, end, day, policy) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_FIND_FILE = "SELECT run, reports, told FROM files WHERE digest = ?"
_ADD_FILE = "INSERT INTO files VALUES (?, ?, ?, ?)"
_ADD_ROW = "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ADD_POLICY = "INSERT INTO tls_policies VALUES (?, ?, ?, ?, ?)"
_ADD_FAILURE = "INSERT INTO tls_failures VALUES (?, ?, ?, ?, ?, ?)"


@dataclass(slots=True)
class IntakeResult:
    """What came of a run: files and messages that were new (``read``) or read by an earlier run (``known``), the
    reports among them, those that had been counted before, and those that are too old to be kept."""

    read: int = 0
    known: int = 0
    reports: int = 0
    duplicates: int = 0
    expired: int = 0
    skipped: list[SkippedFile] = field(default_factory=list)
    incomplete: list[SkippedFile] = field(default_factory=list)
    notes: list[SkippedFile] = field(default_factory=list)


class Intake:
    """Takes reports into one archive.

    :param connection: the archive, in a transaction
    :param shorten: whether source addresses are shortened
    :param oldest: reports whose period ended before are not kept; seconds since 1970, 0 to keep all
    """

    def __init__(self, connection: sqlite3.Connection, shorten: bool = False, oldest: int = 0) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._shorten = shorten
        self._oldest = oldest
        (self._run,) = connection.execute("SELECT coalesce(max(run), 0) + 1 FROM files").fetchone()
        self._rows: list[tuple[object, ...]] = []
        self._files: dict[bytes, tuple[int, int, str | None]] = {}
        self.result = IntakeResult()

    def take_all(self, found: Iterable[Found]) -> IntakeResult:
        """Take what is new among files and messages."""
        for one in found:
            if isinstance(one, SkippedFile):
                self.result.skipped.append(one)
            else:
                self._take(one)
        self._write_rows()
        self._write_files()
        return self.result

    def _take(self, item: ReportItem) -> None:
        before = self._files.get(item.digest) or self._execute(_FIND_FILE, (item.digest,)).fetchone()
        if before is not None:
            return self._again(*before)
        result = self.result
        result.read += 1
        told: list[list[str]] = []
        reports = 0
        try:
            for label, parts in item.reports():
                reports += 1
                try:
                    self._take_report(label, parts, told)
                except UnreadableReport as error:
                    reports -= 1
                    told.append(["skipped", label, str(error)])
        except UnreadableReport as error:
            told.append(["skipped", item.label, str(error)])
        self._tell(told)
        self._files[item.digest] = (self._run, reports, json.dumps(told) if told else None)
        if len(self._files) >= _BATCH:
            self._write_files()

    def _again(self, run: int, reports: int, told: str | None) -> None:
        """A file that was read before: in this run it was sent twice, in an earlier one it is just still there."""
        if run == self._run:
            self.result.read += 1
            self.result.duplicates += reports
        else:
            self.result.known += 1
        self._tell(json.loads(told) if told else [])

    def _tell(self, told: Iterable[list[str]]) -> None:
        for where, label, reason in told:
            getattr(self.result, where).append(SkippedFile(label, reason))

    def _take_report(self, label: str, parts: Iterator[ReportPart], told: list[list[str]]) -> None:
        head = next(parts)
        if not isinstance(head, (AggregateHead, TlsHead)):
            raise UnreadableReport("it has no head")
        if head.end < self._oldest:
            self.result.expired += 1
            return
        report = self._new_report(head)
        if report is None:
            self.result.duplicates += 1
            return
        try:
            left_out = self._add_parts(report, parts)
        except UnreadableReport:
            self._write_rows()
            self._execute("DELETE FROM reports WHERE id = ?", (report,))
            raise
        self.result.reports += 1
        if left_out:
            self._execute("UPDATE reports SET left_out = ? WHERE id = ?", (len(left_out), report))
            told.append(
                ["incomplete", label, f"{len(left_out)} of its records were left out, the first: {left_out[0]}"]
            )
        if isinstance(head, AggregateHead) and head.note:
            told.append(["notes", label, head.note])

    def _new_report(self, head: AggregateHead | TlsHead) -> int | None:
        """Note a report; None when it has been counted before."""
        values = (
            "dmarc" if isinstance(head, AggregateHead) else "tls",
            head.org.lower(),
            report_key(head.report_id),
            head.domain if isinstance(head, AggregateHead) else "",
            head.org,
            head.report_id,
            head.begin,
            head.end,
            period_day(head.begin, head.end),
            _policy_text(head.policy) if isinstance(head, AggregateHead) else "{}",
        )
        added = self._execute(_ADD_REPORT, values)
        return added.lastrowid if added.rowcount else None

    def _add_parts(self, report: int, parts: Iterator[ReportPart]) -> list[str]:
        """Add what a report tells; gives why records were left out."""
        left_out: list[str] = []
        number = 0
        for number, part in enumerate(parts, 1):
            if isinstance(part, AggregateRow):
                self._rows.append(self._values(report, part))
                if len(self._rows) >= _BATCH:
                    self._write_rows()
            elif isinstance(part, TlsPolicyResult):
                self._add_policy(report, part)
            elif isinstance(part, LeftOut):
                left_out.append(f"record {number}: {part.reason}" if len(left_out) < 1 else "")
        if number == len(left_out):
            raise UnreadableReport(left_out[0] if left_out else "it holds no record")
        return left_out

    def _write_rows(self) -> None:
        self._connection.executemany(_ADD_ROW, self._rows)
        self._rows.clear()

    def _write_files(self) -> None:
        self._connection.executemany(_ADD_FILE, [(digest, *told) for digest, told in self._files.items()])
        self._files.clear()

    def _values(self, report: int, row: AggregateRow) -> tuple[object, ...]:
        source, messages, disposition, dkim, spf, header_from, envelope_from, signatures, checks = row
        return (
            report,
            shortened_address(source) if self._shorten else source,
            messages,
            disposition,
            dkim,
            spf,
            header_from,
            envelope_from,
            packed(signatures) if signatures else "",
            packed(checks) if checks else "",
        )

    def _add_policy(self, report: int, part: TlsPolicyResult) -> None:
        values = (report, part.domain, part.policy_type, part.successful, part.failed)
        self._execute(_ADD_POLICY, values)
        failures = [(report, part.domain, one.result_type, one.mx, one.reason, one.sessions) for one in part.failures]
        self._connection.executemany(_ADD_FAILURE, failures)


def report_key(report_id: str) -> str:
    """What two copies of one report have in common: some programs cut its id at the ``@``, and take brackets away."""
    plain = report_id.strip("<> ")
    return plain.partition("@")[0] or plain


@lru_cache(maxsize=1024)
def _policy_text(policy: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(dict(policy))


@lru_cache(maxsize=4096)
def packed(results: tuple[tuple[str, ...], ...]) -> str:
    """Make one text of results, for an archive."""
    return _ITEM.join([_FIELD.join(one) for one in results])


@lru_cache(maxsize=4096)
def unpacked_signatures(text: str) -> tuple[DkimResult, ...]:
    """The signatures in what :func:`packed` made."""
    return tuple(DkimResult(*one.split(_FIELD)) for one in text.split(_ITEM)) if text else ()


@lru_cache(maxsize=4096)
def unpacked_checks(text: str) -> tuple[SpfCheck, ...]:
    """The SPF checks in what :func:`packed` made."""
    return tuple(SpfCheck(*one.split(_FIELD)) for one in text.split(_ITEM)) if text else ()
