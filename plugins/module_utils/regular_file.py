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

_AT_ONCE = os.O_CLOEXEC | os.O_NONBLOCK
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
    return _opened(file, flags if follow else flags | os.O_NOFOLLOW, mode)[0]


def read_small(file: Path | str, most: int) -> bytes | None:
    """Read a regular file whole, if it is small.

    :param most: bytes that it may have
    :returns: None when it has more, or changes while it is read
    :raises OSError: it cannot be read, or is no regular file
    """
    handle, size = _opened(file, os.O_RDONLY, 0)
    try:
        data = os.read(handle, size + 1) if size <= most else b""
    finally:
        os.close(handle)
    return data if len(data) == size else None


def read_regular(file: Path) -> bytes:
    """Read a regular file whole.

    :raises OSError: it cannot be read, or is no regular file
    """
    handle, size = _opened(file, os.O_RDONLY, 0)
    try:
        parts = [os.read(handle, size + 1)]
        while parts[-1]:
            parts.append(os.read(handle, _MORE))
        return b"".join(parts)
    finally:
        os.close(handle)


def _opened(file: Path | str, flags: int, mode: int) -> tuple[int, int]:
    """The handle and the size of a regular file."""
    handle = os.open(file, flags | _AT_ONCE, mode)
    state = os.fstat(handle)
    if stat.S_ISREG(state.st_mode):
        return handle, state.st_size
    os.close(handle)
    raise OSError(errno.EINVAL, "it is no regular file", str(file))
