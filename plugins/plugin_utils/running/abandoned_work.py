# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Ends the work of a task whose run was killed: whoever cancelled a job wants no more writes.

ansible-runner cancels a job by killing the process group of ansible-playbook. Since ansible-core 2.19 each task runs in
a session of its own, which that does not reach, so its module would write on to the end.
"""

from __future__ import annotations

import os
import signal
import threading
from types import TracebackType

_INTERVAL = 0.5
"""Seconds between two looks."""


class EndsWithRun:
    """While the context lasts, this process and what it has started end once the process that started it is gone."""

    def __init__(self) -> None:
        self._run = os.getppid()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="run", daemon=True)

    def __enter__(self) -> EndsWithRun:
        # before 2.19 the task is in the group of its run, and would end others with itself
        if os.getpgrp() == os.getpid():
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(_INTERVAL):
            if os.getppid() != self._run:
                os.killpg(os.getpid(), signal.SIGTERM)
