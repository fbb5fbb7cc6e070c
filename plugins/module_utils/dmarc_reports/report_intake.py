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
from typing import Union

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_archive import forget_unused
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_contents import plain_parts
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_files import (
    Found,
    ReportItem,
    SkippedFile,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import (
    AggregateHead,
    AggregateRow,
    LeftOut,
    ReportPart,
    ReportSeries,
    TlsHead,
    TlsPolicyResult,
    Treatment,
    UnprovenReport,
    UnreadableReport,
    policy_json,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_series import SeriesKeeper
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_values import (
    period_day,
    shortened_address,
)

_BATCH = 500
_BATCH_BYTES = 1 << 22
_MOST_TREATMENTS = 4000
_NO_POLICY = policy_json({})

_ADD_REPORT = (
    "INSERT OR IGNORE INTO received (id, subject, origin, id_key, report_id, begin, end, day) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_ADD_FILE = "INSERT INTO files VALUES (?, ?, ?, ?)"
_ADD_RECORD = "INSERT INTO records VALUES (?, ?, ?, ?)"
_ADD_TREATMENT = "INSERT OR IGNORE INTO treatments VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)"
_FIND_TREATMENT = (
    "SELECT id FROM treatments WHERE (disposition, dkim, spf, header_from, envelope_from, signatures, checks) "
    "= (?, ?, ?, ?, ?, ?, ?)"
)
_ADD_POLICY = "INSERT INTO tls_policies VALUES (?, ?, ?, ?, ?)"
_ADD_FAILURE = "INSERT INTO tls_failures VALUES (?, ?, ?, ?, ?, ?)"

_FileNote = tuple[int, int, Union[str, None]]
"""In which run a file was read, how many reports it holds, and what is told of it, as JSON."""


@dataclass(slots=True)
class IntakeResult:
    """What came of a run: files and messages that were new (``read``) or read by an earlier run (``known``), those of
    the new ones that will be known from now on (``noted``), the reports among them, those that had been counted before,
    and those that are too old to be kept."""

    read: int = 0
    noted: int = 0
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
    :param lasting: whether the archive outlasts this run, so that files are to be known again
    :param authserv_id: the server that must have found that DMARC passed for messages with reports; None to take all
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        shorten: bool = False,
        oldest: int = 0,
        lasting: bool = True,
        authserv_id: str | None = None,
    ) -> None:
        self._connection = connection
        self._lasting = lasting
        self._execute = connection.execute
        self._shorten = shorten
        self._authserv_id = authserv_id
        self._oldest = oldest
        (self._run,) = connection.execute("SELECT coalesce(max(run), 0) + 1 FROM files").fetchone()
        (self._next_report,) = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM received").fetchone()
        self._reports: list[tuple[object, ...]] = []
        self._records: list[tuple[int, str, int, int]] = []
        self._series = SeriesKeeper(connection)
        self._treatments: dict[Treatment, int] = {}
        self._took_back = False
        self.result = IntakeResult()

    def take_all(self, found: Iterable[Found]) -> IntakeResult:
        """Take what is new among files and messages."""
        for batch in _batches(found):
            self._take_batch(batch)
        if self._took_back:
            forget_unused(self._connection)
        return self.result

    def _take_batch(self, batch: list[Found]) -> None:
        """Take some at once; each step by itself for all that is plain is faster than file by file."""
        digests = [self._digest(one) if self._lasting else None for one in batch]
        notes = self._known_files(digests)
        old = set(notes)
        documents = [
            None if digest in old else one.plain_document() for one, digest in zip(batch, digests, strict=True)
        ]
        plain = [None if document is None else plain_parts(document) for document in documents]
        for one, digest, parts in zip(batch, digests, plain, strict=True):
            if isinstance(one, SkippedFile):
                self.result.skipped.append(one)
            elif digest in notes:
                self._again(*notes[digest])
            else:
                self.result.read += 1
                is_taken = parts is not None and self._take_plain(parts)
                note = (self._run, 1, None) if is_taken else self._take(one)
                if digest is not None and note is not None:
                    notes[digest] = note
        self._write()
        new = [(digest, *note) for digest, note in notes.items() if digest not in old]
        self.result.noted += len(new)
        self._connection.executemany(_ADD_FILE, new)

    def _digest(self, one: Found) -> bytes | None:
        """By what a file is known again; None when it is not to be, or cannot be read."""
        if isinstance(one, SkippedFile):
            return None
        try:
            return one.digest()
        except UnreadableReport:
            return None  # told when it is taken

    def _known_files(self, digests: list[bytes | None]) -> dict[bytes | None, _FileNote]:
        if not self._lasting:
            return {}
        marks = ", ".join("?" * len(digests))
        found = self._execute(f"SELECT digest, run, reports, told FROM files WHERE digest IN ({marks})", digests)
        return {digest: (run, reports, told) for digest, run, reports, told in found}

    def _take(self, item: ReportItem) -> _FileNote | None:
        """Take all of a file; gives None for one that is to be looked at again, since its bytes were not the reason."""
        self._write()  # what came before counts before
        told: list[list[str]] = []
        reports = 0
        try:
            for label, stream in item.reports(self._authserv_id):
                reports += 1
                try:
                    self._take_report(label, stream, told)
                except UnreadableReport as error:
                    reports -= 1
                    told.append(["skipped", label, str(error)])
        except UnprovenReport as error:
            self._tell([["skipped", item.label, str(error)]])
            return None
        except UnreadableReport as error:
            told.append(["skipped", item.label, str(error)])
        self._tell(told)
        return self._run, reports, json.dumps(told) if told else None

    def _take_plain(self, parts: list[ReportPart]) -> bool:
        """Take a report of which nothing has to be told, unless it turns out to be a duplicate when it is written."""
        head, *rows = parts
        if not isinstance(head, AggregateHead) or head.note:
            return False
        if head.end < self._oldest:
            self.result.expired += 1
            return True
        found = []
        for row in rows:
            if not isinstance(row, AggregateRow):
                return False  # it was left out
            found.append(self._record(self._next_report, row))
        self._reports.append(self._values(self._next_report, head))
        self._records += found
        self._next_report += 1
        return True

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
            self._write()
        except UnreadableReport:
            self._records.clear()
            self._took_back = True
            self._execute("DELETE FROM received WHERE id = ?", (report,))
            raise
        self.result.reports += 1
        if left_out:
            self._execute("UPDATE received SET left_out = ? WHERE id = ?", (len(left_out), report))
            told.append(
                ["incomplete", label, f"{len(left_out)} of its records were left out, the first: {left_out[0]}"]
            )
        if isinstance(head, AggregateHead) and head.note:
            told.append(["notes", label, head.note])

    def _new_report(self, head: AggregateHead | TlsHead) -> int | None:
        """Note a report; None when it has been counted before."""
        number = self._next_report
        self._next_report += 1
        return number if self._execute(_ADD_REPORT, self._values(number, head)).rowcount else None

    def _values(self, number: int, head: AggregateHead | TlsHead) -> tuple[object, ...]:
        if isinstance(head, AggregateHead):
            about, report_id, begin, end, _note = head
            subject, origin = self._series.keys("dmarc", about)
        else:
            org, contact, report_id, begin, end = head
            subject, origin = self._series.keys("tls", ReportSeries(org, contact, "", _NO_POLICY))
        return number, subject, origin, report_key(report_id), report_id, begin, end, period_day(begin, end)

    def _add_parts(self, report: int, parts: Iterator[ReportPart]) -> list[str]:
        """Add what a report tells; gives why records were left out."""
        left_out: list[str] = []
        number = 0
        for number, part in enumerate(parts, 1):
            if isinstance(part, AggregateRow):
                self._records.append(self._record(report, part))
                if len(self._records) >= _BATCH:
                    self._write()
            elif isinstance(part, TlsPolicyResult):
                self._add_policy(report, part)
            elif isinstance(part, LeftOut):
                left_out.append(f"record {number}: {part.reason}" if len(left_out) < 1 else "")
        if number == len(left_out):
            raise UnreadableReport(left_out[0] if left_out else "it holds no record")
        return left_out

    def _write(self) -> None:
        """Write what waits; the records of reports that were counted before are not wanted."""
        if self._reports:
            added = self._connection.executemany(_ADD_REPORT, self._reports).rowcount
            if added < len(self._reports):
                self._drop_duplicates()
            self.result.reports += added
            self.result.duplicates += len(self._reports) - added
            self._reports.clear()
        self._connection.executemany(_ADD_RECORD, self._records)
        self._records.clear()

    def _drop_duplicates(self) -> None:
        first = self._reports[0][0]
        kept = {number for (number,) in self._execute("SELECT id FROM received WHERE id >= ?", (first,))}
        self._records = [one for one in self._records if one[0] in kept]

    def _record(self, report: int, row: AggregateRow) -> tuple[int, str, int, int]:
        source, messages, treatment = row
        number = self._treatments.get(treatment) or self._add_treatment(treatment)
        return report, shortened_address(source) if self._shorten else source, messages, number

    def _add_treatment(self, treatment: Treatment) -> int:
        """The number under which the archive has how messages were treated, which is the same for many records."""
        self._execute(_ADD_TREATMENT, treatment)
        (number,) = self._execute(_FIND_TREATMENT, treatment).fetchone()
        if len(self._treatments) >= _MOST_TREATMENTS:
            self._treatments.clear()
        self._treatments[treatment] = number
        return int(number)

    def _add_policy(self, report: int, part: TlsPolicyResult) -> None:
        values = (report, part.domain, part.policy_type, part.successful, part.failed)
        self._execute(_ADD_POLICY, values)
        failures = [(report, part.domain, one.result_type, one.mx, one.reason, one.sessions) for one in part.failures]
        self._connection.executemany(_ADD_FAILURE, failures)


def _batches(found: Iterable[Found]) -> Iterator[list[Found]]:
    """At most :data:`_BATCH`, and no more than some MiB: they are in memory at the same time."""
    batch: list[Found] = []
    size = 0
    for one in found:
        batch.append(one)
        size += len(one.data or b"") if isinstance(one, ReportItem) else 0
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def report_key(report_id: str) -> str:
    """What two copies of one report have in common: some programs cut its id at the ``@``, and take brackets away."""
    plain = report_id.strip("<> ")
    return plain.partition("@")[0] or plain
