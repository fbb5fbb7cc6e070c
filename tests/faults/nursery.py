# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the processes that the faults happen to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

_VICTIM = str(Path(__file__).with_name("victim.py"))


class Nursery:
    """A process that has everything loaded, and makes a copy of itself for each run."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([sys.executable, _VICTIM], stdin=pipe, stdout=pipe, text=True)

    def run(self, params: dict[str, Any], kill_at: int = 0) -> dict[str, Any]:
        """Run once.

        :param params: of ``mail_domains``
        :param kill_at: the I/O step before which the process dies; 0 for none
        :returns: ``outcome`` (``changed`` and ``failure``, or None), ``steps`` and ``signal``, see ``victim``
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"params": params, "kill_at": kill_at}) + "\n")
        self._process.stdin.flush()
        result: dict[str, Any] = json.loads(self._process.stdout.readline())
        return result

    def __enter__(self) -> Nursery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
