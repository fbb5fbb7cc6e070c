# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The folder for what the collection keeps of its runs on this machine: snapshots, the journal, locks."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def default_folder(environment: Mapping[str, str]) -> str:
    """Where it is unless told otherwise: in the user's state folder (XDG Base Directory Specification).

    :param environment: the environment variables
    """
    state = environment.get("XDG_STATE_HOME", "")
    return os.path.join(state if os.path.isabs(state) else os.path.expanduser("~/.local/state"), "mailroom")


def make_folder(folder: Path) -> None:
    """Make a folder for this user only; from one that exists others lose the right to write.

    :raises OSError: it cannot be made; or others may write to it and it is not this user's, or shared on purpose
    """
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
    found = folder.stat()
    if not found.st_mode & _OTHERS_WRITE:
        return
    if found.st_uid != os.geteuid() or found.st_mode & stat.S_ISVTX:
        raise OSError(errno.EPERM, "others may write to it, and could change what is kept there", str(folder))
    folder.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS_WRITE)
