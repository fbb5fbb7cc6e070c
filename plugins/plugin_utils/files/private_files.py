# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Small private files in one folder: compared first, written whole and at once, for their owner only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailroom.erp.plugins.module_utils.atomic_file import replace_file

_FOLDER_MODE = 0o700
_FILE_MODE = 0o600


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file from ``before`` to ``after``, as text; None: it does not exist. Equal texts: only its mode changes."""

    path: Path
    before: str | None
    after: str | None


def plan_files(folder: Path, files: Mapping[str, str | None]) -> list[FileChange]:
    """Compare what a folder holds with what it shall hold. Writes nothing.

    :param folder: it need not exist
    :param files: the text of each file by name; None for one that shall not exist
    :returns: what must change, in the order of ``files``
    :raises OSError: a file cannot be read
    """
    changes = []
    for name, after in files.items():
        path = folder / name
        before = path.read_text(encoding="utf-8", errors="replace") if path.exists() else None
        if before != after or (before is not None and path.stat().st_mode & 0o777 != _FILE_MODE):
            changes.append(FileChange(path, before, after))
    return changes


def apply_files(changes: Sequence[FileChange]) -> None:
    """Make the changes: the folder is made with mode 0700 when it is missing, files get mode 0600.

    :param changes: what :func:`plan_files` gave
    :raises OSError: a file cannot be written; those before it are
    """
    for change in changes:
        if change.after is None:
            change.path.unlink()
        else:
            _write(change.path, change.after)


def _write(path: Path, text: str) -> None:
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(mode=_FOLDER_MODE, exist_ok=True)
    replace_file(path, text.encode())
