# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The journal: one JSON line for each write to a zone, only ever appended to."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.regular_file import open_regular


class Journal:
    """A file that any number of runs append to at the same time; its methods are for one thread at a time.

    :param file: made with mode 0600 by :meth:`open`
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._handle: int | None = None

    def open(self) -> None:
        """Open the file for appending; does nothing when it is open.

        :raises OSError: it cannot be opened
        """
        if self._handle is None:
            self._handle = open_regular(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, follow=False)

    def append(self, entry: Mapping[str, Any]) -> None:
        """Write one line, whole or not at all.

        :raises OSError: it cannot be written
        """
        self.open()
        handle = -1 if self._handle is None else self._handle
        line = (json.dumps(entry, ensure_ascii=False) + "\n").encode()
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            size = os.fstat(handle).st_size
            if os.write(handle, line) != len(line):
                # Half a line would spoil the next one.
                os.ftruncate(handle, size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)

    def close(self) -> None:
        """Bring the lines to the disk and close the file.

        :raises OSError: the disk did not take them
        """
        if self._handle is not None:
            handle, self._handle = self._handle, None
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
