# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Organisations that report what OpenDMARC saw, with its own programs: opendmarc-import, MariaDB, opendmarc-reports.

A month does not pass while tests run. So the notes of real messages are imported once for each day, with the time of
that day and the name of each organisation's server, and opendmarc-reports runs once for each day with the clock of the
morning after. What it writes and mails is its own.
"""

from __future__ import annotations

import datetime
import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from ansible_collections.mailroom.erp.tests.receiver.daemon import Daemon
from ansible_collections.mailroom.erp.tests.receiver.postfix import Postfix
from ansible_collections.mailroom.erp.tests.servers.server import program

_SCHEMA = Path("/usr/share/dbconfig-common/data/opendmarc/install/mysql")
_NAME = re.compile(r"^(CREATE DATABASE IF NOT EXISTS|USE) opendmarc;$", re.MULTILINE)

# Nobody but these tests is in this network, so there are no accounts; nothing outlives them, so nothing is synced.
_OPTIONS = (
    "--no-defaults --user=root --skip-grant-tables --skip-log-bin --performance-schema=off "
    "--innodb-flush-log-at-trx-commit=0 --innodb-buffer-pool-size=16M --innodb-log-file-size=8M"
)

_SECONDS = 120.0
"""That a program may take for one day; it takes less than one."""


def _database(org: str) -> str:
    return org.replace(".", "_")


class ReportsDatabase(Daemon):
    """MariaDB with OpenDMARC's tables, once for each organisation."""

    PROGRAM = "mariadbd"
    PACKAGE = "mariadb-server-core"
    ADDRESS = ("127.0.0.1", 3306)

    def __init__(self, folder: Path, orgs: Iterable[str]) -> None:
        """Start it.

        :param orgs: the domains of the organisations that report
        """
        self._orgs = tuple(orgs)
        super().__init__(folder)

    def configure(self) -> None:
        schema = _SCHEMA.read_text(encoding="utf-8")
        texts = [_NAME.sub(rf"\1 {_database(org)};", schema) for org in self._orgs]
        (self.folder / "schema.sql").write_text("".join(texts), encoding="utf-8")
        (self.folder / "data").mkdir()

    def command(self) -> list[str]:
        host, port = self.ADDRESS
        files = {"datadir": "data", "socket": "socket", "init-file": "schema.sql"}
        places = [f"--{option}={self.folder / name}" for option, name in files.items()]
        return [*_OPTIONS.split(), f"--bind-address={host}", f"--port={port}", *places]


class AggregateReporter:
    """One organisation that receives mail and reports what it saw.

    :param org: its domain, one of those of the running :class:`ReportsDatabase`
    :param folder: the programs keep their files in it while they run
    """

    def __init__(self, org: str, folder: Path) -> None:
        self._org, self._folder = org, folder
        host, port = ReportsDatabase.ADDRESS
        access = {"OPENDMARC_DBHOST": host, "OPENDMARC_PORT": str(port), "OPENDMARC_DB": _database(org)}
        self._environment = {**os.environ, **access, "TZ": "UTC"}

    def receive(self, history: str, days: Iterable[datetime.date]) -> None:
        """Let opendmarc-import take notes of messages as if they had come at noon of each of some days.

        :param history: what OpenDMARC noted of them
        """
        self._run([program("opendmarc-import", "opendmarc")], "".join(self._dated(history, day) for day in days))

    def report(self, day: datetime.date) -> None:
        """Let opendmarc-reports mail its reports of one day to those who asked for them, on the morning after."""
        host, port = Postfix.ADDRESS
        morning = f"{day + datetime.timedelta(days=1)} 04:00:00"
        clock = [program("faketime", "faketime"), "-f", f"@{morning}"]
        named = ["--report-org", self._org, "--report-email", f"dmarc@{self._org}"]
        server = ["--smtp-server", host, "--smtp-port", str(port)]
        self._run([*clock, program("opendmarc-reports", "opendmarc"), "--day", "--utc", *named, *server])

    def _dated(self, history: str, day: datetime.date) -> str:
        noon = datetime.datetime.combine(day, datetime.time(12), datetime.UTC)
        dated = re.sub(r"^received \d+$", f"received {noon.timestamp():.0f}", history, flags=re.MULTILINE)
        return re.sub(r"^reporter .*$", f"reporter mx.{self._org}", dated, flags=re.MULTILINE)

    def _run(self, command: list[str], text: str = "") -> None:
        done = subprocess.run(
            command,
            input=text,
            env=self._environment,
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        # Both tell most of what goes wrong there, and end with 0.
        assert (done.returncode, done.stderr) == (0, ""), f"{command}: {done.stderr}"
