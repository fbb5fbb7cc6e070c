# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Tells the controller how far a long run is: one line in a file that the action plugin follows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_INTERVAL = 0.25
"""Seconds between two lines of one step."""

_In = TypeVar("_In")
_Out = TypeVar("_Out")


class Progress:
    """Counts what is done of each step of a run.

    :param file: where the lines go; None when nobody follows
    """

    def __init__(self, file: str | None) -> None:
        self._file = Path(file) if file else None
        self._lock = threading.Lock()
        self._next = 0.0
        self.said: list[str] = []

    def say(self, line: str) -> None:
        """Tell the user something at once, and again at the end of the run.

        :param line: one sentence, for a person
        """
        with self._lock:
            self.said.append(line)
            self._note(line, True)

    def counted(
        self, step: str, total: int, work: Callable[[_In], _Out], size: Callable[[_In], int] = lambda _item: 1
    ) -> Callable[[_In], _Out]:
        """Wrap the work of one step, so that each item that is done counts.

        :param step: what is done, for a person: "zones read"
        :param total: the number of items
        :param size: for how many an item counts
        """
        if self._file is None:
            return work
        add = self.tally(step, total)

        def count(item: _In) -> _Out:
            result = work(item)
            add(size(item))
            return result

        return count

    def tally(self, step: str, total: int) -> Callable[[int], None]:
        """Count the items of one step that are done, where their work is not to be wrapped.

        :param step: what is done, for a person
        :param total: the number of items
        :returns: takes how many more are done
        """
        done = 0

        def add(more: int) -> None:
            nonlocal done
            with self._lock:
                done += more
                self._note(f"{done} of {total} {step}", done == total)

        return add

    def _note(self, line: str, last: bool) -> None:
        now = time.monotonic()
        if self._file is not None and (last or now >= self._next):
            self._next = now + _INTERVAL
            with self._file.open("a", encoding="utf-8") as out:
                out.write(line + "\n")
