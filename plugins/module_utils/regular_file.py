# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Files that are opened without waiting: what is a pipe or a device would hold a run for ever."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_MORE = 1 << 20
"""Bytes that are read at a time of a file that is longer than it was said to be."""


def open_regular(file: Path | str, flags: int, mode: int = 0o600, follow: bool = True) -> int:
    """Open a regular file.

    :param flags: of ``os.open``
    :param mode: of a file that is made
    :param follow: whether the last part of the path may be a symbolic link
    :returns: the handle, which is closed on exec
    :raises OSError: it cannot be opened, is a link that may not be followed, or no regular file
    """
    handle = os.open(file, flags | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW), mode)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    raise OSError(errno.EINVAL, "it is no regular file", str(file))


def read_regular(file: Path) -> bytes:
    """Read a regular file whole.

    :raises OSError: it cannot be read, or is no regular file
    """
    handle = open_regular(file, os.O_RDONLY)
    try:
        parts = [os.read(handle, os.fstat(handle).st_size + 1)]
        while parts[-1]:
            parts.append(os.read(handle, _MORE))
        return b"".join(parts)
    finally:
        os.close(handle)
