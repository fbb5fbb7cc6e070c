# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What has been read of reports, in an SQLite file: between runs in a folder, else in a temporary file of this process.

How receivers treated messages is there once for all records that say the same; the view ``rows`` joins both. So is what
reports of one reporter on one domain have in common; the view ``reports`` joins it with each that was ``received``. A
report is known again by its id and its subject: kind, domain and ``org_key``, the name of the reporter in small
letters. ``reporter`` is who it is of: the organisation that mailed it, else ``org_key``; ``mailed_by`` is the domain in
From, where it is of another organisation than the report names.

Reports go straight into it, so that memory does not grow with them. It holds source addresses, which are personal data
in places: others cannot read it, what is deleted is overwritten, and addresses can be shortened before they get there.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_values import shortened_address
from ansible_collections.mailroom.erp.plugins.module_utils.file_lock import StillLocked, hold
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused, RuleSource
from ansible_collections.mailroom.erp.plugins.module_utils.regular_file import open_regular
from ansible_collections.mailroom.erp.plugins.module_utils.state_folder import make_folder

ARCHIVE_NAME = "dmarc_reports.sqlite"
_LOCK_NAME = "dmarc_reports.lock"
_LOCK_SECONDS = 600.0
_BUSY_SECONDS = 60.0
_APPLICATION = 0x4D524450
_VERSION = 5
_RULES = RuleSource("docs/reports.md")

_SCHEMA = """
CREATE TABLE files (
    digest BLOB PRIMARY KEY, run INTEGER NOT NULL, reports INTEGER NOT NULL, told TEXT
) WITHOUT ROWID;
CREATE TABLE subjects (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, domain TEXT NOT NULL, org_key TEXT NOT NULL,
    UNIQUE (kind, domain, org_key)
);
CREATE TABLE origins (
    id INTEGER PRIMARY KEY, org TEXT NOT NULL, policy TEXT NOT NULL, mailed_by TEXT NOT NULL, reporter TEXT NOT NULL,
    UNIQUE (org, policy, mailed_by, reporter)
);
CREATE TABLE received (
    id INTEGER PRIMARY KEY, subject INTEGER NOT NULL, origin INTEGER NOT NULL, id_key TEXT NOT NULL,
    report_id TEXT NOT NULL, begin INTEGER NOT NULL, end INTEGER NOT NULL, day TEXT NOT NULL,
    left_out INTEGER NOT NULL DEFAULT 0, UNIQUE (subject, id_key)
);
CREATE VIEW reports AS
    SELECT received.id, kind, domain, org_key, id_key, org, report_id, begin, end, day, policy, mailed_by, reporter,
    left_out FROM subjects JOIN received ON subject = subjects.id JOIN origins ON origins.id = origin;
CREATE TABLE treatments (
    id INTEGER PRIMARY KEY, disposition TEXT NOT NULL, dkim TEXT NOT NULL, spf TEXT NOT NULL, header_from TEXT NOT NULL,
    envelope_from TEXT NOT NULL, signatures TEXT NOT NULL, checks TEXT NOT NULL,
    UNIQUE (disposition, dkim, spf, header_from, envelope_from, signatures, checks)
);
CREATE TABLE records (
    report INTEGER NOT NULL REFERENCES received ON DELETE CASCADE, source TEXT NOT NULL, count INTEGER NOT NULL,
    treatment INTEGER NOT NULL
);
CREATE INDEX records_by_report ON records (report);
CREATE VIEW rows AS
    SELECT records.rowid AS number, report, source, count, treatment, disposition, dkim, spf, header_from,
    envelope_from, signatures, checks FROM records JOIN treatments ON treatments.id = treatment;
CREATE TABLE tls_policies (
    report INTEGER NOT NULL REFERENCES received ON DELETE CASCADE, domain TEXT NOT NULL, policy_type TEXT NOT NULL,
    successful INTEGER NOT NULL, failed INTEGER NOT NULL
);
CREATE INDEX tls_policies_by_report ON tls_policies (report);
CREATE TABLE tls_failures (
    report INTEGER NOT NULL REFERENCES received ON DELETE CASCADE, domain TEXT NOT NULL, result_type TEXT NOT NULL,
    mx TEXT NOT NULL, reason TEXT NOT NULL, sessions INTEGER NOT NULL
);
CREATE INDEX tls_failures_by_report ON tls_failures (report);
"""


def archive_file(folder: str) -> Path:
    """The file of an archive.

    :param folder: the option ``archive``
    """
    return Path(os.path.abspath(folder), ARCHIVE_NAME)


@contextlib.contextmanager
def opened_archive(folder: str | None, write: bool) -> Iterator[sqlite3.Connection]:
    """Open an archive for one run; all that the run does is one transaction.

    :param folder: where it is, made where it is missing; None for one that lasts as long as the run
    :param write: whether it may change; else the run works on a copy, and nothing is made
    :raises Refused: it cannot be used: it is damaged, of another version, somebody else's, or in use for too long
    """
    try:
        with contextlib.ExitStack() as stack:
            if folder is not None and write:
                connection = stack.enter_context(_for_writing(archive_file(folder)))
            else:
                connection = stack.enter_context(_copy(None if folder is None else archive_file(folder)))
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        raise _damaged(folder, error) from None


@contextlib.contextmanager
def reading_archive(folder: str) -> Iterator[sqlite3.Connection]:
    """Open an archive that is there, to read it where it is.

    :param folder: where it is
    :raises Refused: there is none, or it cannot be used
    """
    file = archive_file(folder)
    if not file.exists():
        rule = f"there is no archive: it holds no file {ARCHIVE_NAME}"
        raise _refused(folder, rule, "Let mailroom.erp.dmarc_report_info read reports into it first.")
    try:
        with contextlib.closing(_read_only(file)) as connection:
            _check_version(connection, folder)
            yield connection
    except sqlite3.DatabaseError as error:
        raise _damaged(folder, error) from None


def shorten_all(connection: sqlite3.Connection) -> bool:
    """Shorten the addresses that an earlier run kept whole; tells whether there were any."""
    connection.create_function("shortened", 1, shortened_address, deterministic=True)
    found = connection.execute("UPDATE records SET source = shortened(source) WHERE source NOT LIKE '%/%'")
    return found.rowcount > 0


def forget_before(connection: sqlite3.Connection, seconds: int) -> bool:
    """Delete the reports whose period ended before a time; tells whether there were any."""
    found = connection.execute("DELETE FROM received WHERE end < ?", (seconds,)).rowcount > 0
    if found:
        forget_unused(connection)
    return found


def forget_unused(connection: sqlite3.Connection) -> None:
    """Delete what no record has any more after reports were deleted: it names domains that people write from."""
    connection.execute("DELETE FROM treatments WHERE id NOT IN (SELECT treatment FROM records)")
    connection.execute("DELETE FROM subjects WHERE id NOT IN (SELECT subject FROM received)")
    connection.execute("DELETE FROM origins WHERE id NOT IN (SELECT origin FROM received)")


@contextlib.contextmanager
def _for_writing(file: Path) -> Iterator[sqlite3.Connection]:
    folder = str(file.parent)
    try:
        make_folder(file.parent)
        with hold(file.parent / _LOCK_NAME, _LOCK_SECONDS):
            # made here, so that nobody else could ever read it
            os.close(open_regular(file, os.O_RDWR | os.O_CREAT, 0o600, follow=False))
            with contextlib.closing(_connected(quoted_uri(file, "rw"))) as connection:
                connection.execute("PRAGMA secure_delete = ON")
                if file.stat().st_size == 0:
                    _make_tables(connection)
                _check_version(connection, folder)
                yield connection
    except StillLocked:
        rule = f"another run has been using it for more than {_LOCK_SECONDS:.0f} seconds"
        raise _refused(folder, rule, "Wait until it has ended, or end it.") from None
    except OSError as error:
        rule = f"it cannot be written: {error.strerror or error}"
        raise _refused(folder, rule, "Correct the path, or its owner and mode.") from None


@contextlib.contextmanager
def _copy(file: Path | None) -> Iterator[sqlite3.Connection]:
    """A temporary archive, which SQLite keeps in memory while it is small and in an unnamed file when it is not."""
    with contextlib.closing(_connected("")) as connection:
        # nothing is ever taken back: where a run fails, the whole of it is thrown away
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        if file is None or not file.exists() or file.stat().st_size == 0:
            _make_tables(connection)
        else:
            with contextlib.closing(_read_only(file)) as source:
                _check_version(source, str(file.parent))
                source.backup(connection)
        yield connection


def _connected(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=_BUSY_SECONDS, isolation_level=None, uri=True)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -8000")
    return connection


def _read_only(file: Path) -> sqlite3.Connection:
    try:
        os.close(open_regular(file, os.O_RDONLY, follow=False))
    except OSError as error:
        rule = f"it cannot be read: {error.strerror}"
        raise _refused(str(file.parent), rule, "Correct the path, or its owner and mode.") from None
    return _connected(quoted_uri(file, "ro"))


def quoted_uri(file: Path, mode: str) -> str:
    """The name of a database for SQLite, whatever characters its path has."""
    return f"file:{quote(str(file))}?mode={mode}"


def _make_tables(connection: sqlite3.Connection) -> None:
    pragmas = f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {_VERSION};"
    connection.executescript(f"BEGIN; {_SCHEMA} {pragmas} COMMIT;")


def _check_version(connection: sqlite3.Connection, folder: str) -> None:
    application, version = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    way_out = "Move it away: the next run makes a new one of the reports that are still there."
    if application != _APPLICATION:
        raise _refused(folder, f"{ARCHIVE_NAME} is a database, but no archive of reports", way_out)
    if version != _VERSION:
        rule = f"{ARCHIVE_NAME} is of version {version}, this collection reads version {_VERSION}"
        raise _refused(folder, rule, f"Use the collection that wrote it. Or: {way_out}")
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found.partition("\n")[0])


def _damaged(folder: str | None, error: Exception) -> Refused:
    if folder is None:
        rule = f"the temporary database could not be written: {error}"
        return _refused("(temporary)", rule, "Make room in the folder for temporary files (SQLITE_TMPDIR, TMPDIR).")
    rule = f"{ARCHIVE_NAME} cannot be used, it may be damaged: {error}"
    way_out = "Take it back from a backup, or move it away: the next run makes a new one of the reports still there."
    return _refused(folder, rule, way_out)


def _refused(folder: str, rule: str, way_out: str) -> Refused:
    return Refused(_RULES.problem("reports", "archive", folder, rule, way_out))
