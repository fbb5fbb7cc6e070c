# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the processes that the faults happen to, and says what they are to do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.servers.stoppable import Stoppable

_VICTIM = Path(__file__).with_name("victim.py")


class JsonProcess(Stoppable):
    """A Python program that is told what to do, and tells what came of it, in lines of JSON."""

    def __init__(self, program: Path) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([sys.executable, str(program)], stdin=pipe, stdout=pipe, text=True)

    def write(self, order: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def read(self) -> Any:
        """Wait for a line, and decode it."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def stop(self) -> None:
        """Close its input, and wait for its end."""
        self._process.communicate()


class Nursery(JsonProcess):
    """A process that has everything loaded, and makes a copy of itself for each run."""

    def __init__(self) -> None:
        super().__init__(_VICTIM)

    def run(self, params: dict[str, Any], kill_at: int = 0) -> dict[str, Any]:
        """Run once.

        :param params: of ``mail_domains``
        :param kill_at: the I/O step before which the process dies; 0 for none
        :returns: ``outcome`` (``changed`` and ``failure``, or None), ``steps`` and ``signal``, see ``victim``
        """
        self.write({"params": params, "kill_at": kill_at})
        result: dict[str, Any] = self.read()
        return result


def added_term(
    dns: dict[str, Any], resolver: dict[str, Any], domains: Iterable[str], state: Path, **kinds: Any
) -> dict[str, Any]:
    """Parameters of ``mail_domains`` that add ip4:192.0.2.1 to the SPF record of each domain.

    :param state: the folder for snapshots
    :param kinds: what other records shall be, e.g. ``dkim``
    """
    given = {"dns": dns, "resolver": resolver, "domains": list(domains), "snapshot_dir": str(state)}
    return {**given, "spf": {"terms": ["ip4:192.0.2.1"]}, **kinds}


SELECTORS = [{"selector": "s1", "target": "key.service.example", "validate": "ignore"}]
"""Of ``dkim``: an alias whose target no resolver of these tests finds."""
