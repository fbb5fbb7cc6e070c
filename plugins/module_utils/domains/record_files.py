# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Files that belong to records: compared before anything is written, and put in place in one step."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailroom.erp.plugins.module_utils.atomic_file import replace_file
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import WantedFile
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused

_LARGEST = 1 << 16
"""Bytes that are read of a file: RFC 8461 section 3.3 lets senders stop at 64 kilobytes."""
_SOURCE = "documentation of mailroom.erp.mail_domains"
_WAY_OUT = "Let this user write there, or name another folder."


@dataclass(frozen=True, slots=True)
class RecordFileChange:
    """A file from ``before`` to ``after``; None means that there is none."""

    path: Path
    before: str | None
    after: str | None


def file_change(domain: str, wanted: WantedFile) -> RecordFileChange | None:
    """Compare a file with what is wanted of it; None when it is so already.

    :param domain: for messages
    :raises Refused: it is no plain file, cannot be read, or could not be written
    """
    try:
        before = _text_of(wanted.path)
        if before != wanted.text:
            _check_writable(wanted.path)
    except OSError as error:
        raise Refused(_problem(domain, wanted.path, error.strerror or str(error))) from None
    return None if before == wanted.text else RecordFileChange(wanted.path, before, wanted.text)


def write_files(changes: Iterable[RecordFileChange]) -> None:
    """Put files in place, readable for everybody, as a web server needs them; or take them away.

    :raises OSError: one cannot be written; it is as it was
    """
    for change in changes:
        if change.after is None:
            change.path.unlink(missing_ok=True)
            continue
        _make_folders(change.path.parent)
        replace_file(change.path, change.after.encode("utf-8"), mode=0o644)


def _make_folders(folder: Path) -> None:
    """Make the folders that are missing, open for everybody to read, whatever this user's umask says."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        one.chmod(0o755)


def _text_of(path: Path) -> str | None:
    """The text of a file; what is no UTF-8 is not ours, and differs from whatever is wanted."""
    if not path.exists() and not path.is_symlink():
        return None
    if not path.is_file() or path.is_symlink():
        raise OSError(0, "it is no plain file")
    with path.open("rb") as file:
        return file.read(_LARGEST + 1).decode("utf-8", "replace")


def _check_writable(path: Path) -> None:
    """See that the file could be written, before anything is: check mode tells it too."""
    there = next(parent for parent in path.parents if parent.exists())
    if not there.is_dir():
        raise OSError(0, f"{there} is no folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OSError(0, f"this user may not write to {there}")


def _problem(domain: str, path: Path, rule: str) -> Problem:
    return Problem(domain, "file", str(path), rule, _SOURCE, _WAY_OUT)
