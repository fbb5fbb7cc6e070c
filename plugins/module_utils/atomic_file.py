# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whole files put in place in one step: a reader sees the old file or the new one, never a part."""

from __future__ import annotations

import contextlib
import errno
import io
import itertools
import os
import re
import tempfile
import threading
from pathlib import Path

_ACCESS_LIST = "system.posix_acl_access"
_UNFINISHED = re.compile(r"\.(.+)\..{8}\.tmp")
"""What a file is called before it is whole; the random part of ``mkstemp`` has eight characters."""


def replace_file(file: Path, data: bytes, like: os.stat_result | None = None, mode: int = 0o600) -> None:
    """Write a file beside its place, bring it to the disk, and rename it.

    :param file: its folder exists; the temporary file is ``.<name>.<random>.tmp`` there
    :param data: all of it
    :param like: the file that is there; the new one gets its mode, owner, access list (ACL) and other attributes. None
        gives it to this user, with ``mode``
    :param mode: the mode of a file that is like no other; for this user only unless given
    :raises OSError: it cannot be written; nothing has changed
    """
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.", suffix=".tmp")
    try:
        with open(handle, "wb", buffering=0) as temporary:
            _write_whole(temporary, data)
            if like is not None:
                _take_over(handle, like, file)
            elif mode != 0o600:
                os.fchmod(handle, mode)
            os.fsync(handle)
        os.replace(name, file)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise
    _folder_syncs.setdefault(file.parent, _FolderSync()).sync(file.parent)


def _write_whole(file: io.RawIOBase, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) or 0 :]


def unfinished_files(folder: Path) -> dict[str, list[Path]]:
    """What runs that were killed in :func:`replace_file` have left, by the name of the file that it was to become.

    :param folder: is looked at once; one that cannot be read has none
    """
    found: dict[str, list[Path]] = {}
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if match := _UNFINISHED.fullmatch(name):
                found.setdefault(match[1], []).append(folder / name)
    return found


def _take_over(handle: int, like: os.stat_result, before: Path) -> None:
    own = os.fstat(handle)
    if (own.st_uid, own.st_gid) != (like.st_uid, like.st_gid):
        os.fchown(handle, like.st_uid, like.st_gid)
    # before the mode, whose group bits are the mask of an access list: without the list the group would get its rights
    _take_over_attributes(handle, before)
    os.fchmod(handle, like.st_mode & 0o7777)


def _take_over_attributes(handle: int, before: Path) -> None:
    """What Linux keeps beside a file. What this user may not give is left to the system, as a label of SELinux is; but
    not the access list."""
    if not hasattr(os, "listxattr"):
        return
    names = _attributes(before)
    for name in names:
        try:
            os.setxattr(handle, name, os.getxattr(before, name))
        except OSError:
            if name == _ACCESS_LIST:
                raise
    if _ACCESS_LIST not in names and _ACCESS_LIST in _attributes(handle):
        # the folder has given it one
        os.removexattr(handle, _ACCESS_LIST)


def _attributes(file: Path | int) -> list[str]:
    """Their names; none where the file or its file system has none."""
    try:
        return os.listxattr(file)
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.ENOENT):
            raise
        return []


class _FolderSync:
    """Brings the names in one folder to the disk for all threads that have renamed a file there.

    Whoever waits for another's turn is served by the next one that begins, together with all who wait.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._began = -1

    def sync(self, folder: Path) -> None:
        """Return when a sync is over that began after this call."""
        arrived = next(_moments)
        with self._turn:
            if self._began < arrived:
                began = next(_moments)
                _sync(folder)
                self._began = began


_moments = itertools.count()
_folder_syncs: dict[Path, _FolderSync] = {}


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Not every file system can; the new file is in place by now.
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
