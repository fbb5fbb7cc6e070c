# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What many reports have in common, once in an archive: who reports on which domain, and the policy that was seen."""

from __future__ import annotations

import sqlite3

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import ReportSeries
from ansible_collections.mailroom.erp.plugins.module_utils.policy.public_suffix import organisation

_MOST_KNOWN = 20_000
_ADD_SUBJECT = "INSERT OR IGNORE INTO subjects VALUES (NULL, ?, ?, ?)"
_FIND_SUBJECT = "SELECT id FROM subjects WHERE (kind, domain, org_key) = (?, ?, ?)"
_ADD_ORIGIN = "INSERT OR IGNORE INTO origins VALUES (NULL, ?, ?, ?, ?)"
_FIND_ORIGIN = "SELECT id FROM origins WHERE (org, policy, mailed_by, reporter) = (?, ?, ?, ?)"


class SeriesKeeper:
    """Keeps series in an archive, each once.

    :param connection: the archive, in a transaction
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._known: dict[ReportSeries, tuple[int, int]] = {}

    def keys(self, kind: str, series: ReportSeries) -> tuple[int, int]:
        """The numbers that a series has in the archive, made where it is new.

        :param kind: dmarc or tls
        :returns: its subject and its origin
        """
        found = self._known.get(series)  # which has a domain, or is of TLS
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._known[series] = self._kept(kind, series)
        return found

    def _kept(self, kind: str, series: ReportSeries) -> tuple[int, int]:
        org, contact, domain, policy, mailed_by = series
        stranger = mailed_by if mailed_by and _is_stranger(mailed_by, org, contact) else ""
        reporter = organisation(mailed_by) if mailed_by else org.lower()
        subject = self._number(_ADD_SUBJECT, _FIND_SUBJECT, (kind, domain, org.lower()))
        return subject, self._number(_ADD_ORIGIN, _FIND_ORIGIN, (org, policy, stranger, reporter))

    def _number(self, add: str, find: str, values: tuple[str, ...]) -> int:
        self._execute(add, values)
        (number,) = self._execute(find, values).fetchone()
        return int(number)


def _is_stranger(mailed_by: str, org: str, contact: str) -> bool:
    """Whether a report was mailed by another organisation than it names, by its name or its address."""
    named = {organisation(name.rpartition("@")[2].strip("<> .").lower()) for name in (org, contact)}
    return organisation(mailed_by) not in named
