# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Follows a file that a module writes while it runs, and hands on the newest line from time to time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

_INTERVAL = 2.0
"""Seconds between two looks; a run that is over by then shows nothing."""


class ProgressFollower:
    """Shows the newest line of a file every two seconds, for as long as the context lasts.

    :param file: need not exist yet
    :param show: called with one line, from another thread
    :param interval: seconds between two looks
    """

    def __init__(self, file: Path, show: Callable[[str], None], interval: float = _INTERVAL) -> None:
        self._file, self._show, self._interval = file, show, interval
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="progress", daemon=True)

    def __enter__(self) -> ProgressFollower:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _follow(self) -> None:
        shown = ""
        while not self._over.wait(self._interval):
            newest = self._newest()
            if newest != shown:
                self._show(newest)
                shown = newest

    def _newest(self) -> str:
        """The last whole line, empty when there is none yet."""
        try:
            lines = self._file.read_text(encoding="utf-8").split("\n")
        except FileNotFoundError:
            return ""
        return lines[-2] if len(lines) > 1 else ""
