# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Locks that keep processes and threads of one machine apart; they go when their holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.mailroom.erp.plugins.module_utils.regular_file import open_regular

_INTERVAL = 0.02
"""Seconds between two tries."""


class StillLocked(Exception):
    """Somebody else held the lock for all the time that one was ready to wait."""


@contextlib.contextmanager
def hold(file: Path, seconds: float, mode: int = 0o600) -> Iterator[None]:
    """Hold a lock for as long as the context lasts. Its file stays: to remove it would be a race.

    :param file: the lock file; its folder exists
    :param seconds: how long to wait for another holder
    :param mode: of a lock file that is made
    :raises StillLocked: another one holds it
    :raises OSError: the file cannot be opened, or is a link, which might lead out of its folder
    """
    lock = open_regular(file, os.O_RDONLY | os.O_CREAT, mode, follow=False)
    try:
        _wait_for(lock, seconds)
        yield
    finally:
        os.close(lock)


def _wait_for(lock: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise StillLocked from None
            time.sleep(_INTERVAL)
