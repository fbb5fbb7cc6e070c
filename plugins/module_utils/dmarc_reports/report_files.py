# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Where reports lie: files, folders, Maildirs and mboxes."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, NamedTuple, Union

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_contents import (
    LARGEST_MESSAGE,
    LabelledReport,
    content_kind,
    plain_document,
    reports_in,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import (
    UnreadableReport,
)
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused, RuleSource, escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.regular_file import open_regular, read_small

_RULES = RuleSource("docs/reports.md")
_SMALL = 1 << 20
"""Bytes up to which a file is read once, and kept while it is looked at."""
_CHUNK = 1 << 16
_DEEPEST = 30


class ReportItem(NamedTuple):
    """One file, or one message of an mbox; the bytes of a large file stay where they are."""

    label: str
    kind: str
    data: bytes | None
    path: str

    def reports(self, authserv_id: str | None = None) -> Iterable[LabelledReport]:
        """Find its reports; see :func:`reports_in`."""
        return reports_in(self.label, self.kind, self._open, authserv_id)

    def digest(self) -> bytes:
        """What tells its bytes from all others.

        :raises UnreadableReport: they cannot be read
        """
        if self.data is not None:
            return hashlib.sha256(self.data).digest()
        found = hashlib.sha256()
        try:
            with self._open() as file:
                while part := file.read(_CHUNK):
                    found.update(part)
        except OSError as error:
            raise UnreadableReport(f"it cannot be read: {error.strerror}") from None
        return found.digest()

    def plain_document(self) -> bytes | None:
        """What it holds, where that is one small document of XML; see :func:`plain_document`."""
        return None if self.data is None else plain_document(self.kind, self.data)

    def _open(self) -> IO[bytes]:
        if self.data is not None:
            return io.BytesIO(self.data)
        try:
            return open(open_regular(self.path, os.O_RDONLY), "rb")
        except OSError as error:
            raise UnreadableReport(f"it cannot be read: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file or a report that was not read, and why."""

    file: str
    reason: str

    def plain_document(self) -> None:
        """It holds nothing."""

    def as_dict(self) -> dict[str, str]:
        """The same, as modules return it."""
        return {"file": self.file, "reason": self.reason}


Found = Union[ReportItem, SkippedFile]


def check_paths(paths: Iterable[str]) -> None:
    """Refuse paths that do not exist: a name that is mistyped must not look like a night without reports.

    :raises Refused: with all of them
    """
    problems: list[Problem] = []
    for path in paths:
        try:
            os.stat(path)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            way_out = "Correct the path, or make the folder."
            problems.append(_RULES.problem("reports", "paths", path, f"it cannot be read: {reason}", way_out))
    if problems:
        raise Refused(problems)


def report_items(paths: Iterable[str]) -> Iterator[Found]:
    """Find all files and messages, folders in the order of their names, each path once.

    :param paths: files and folders
    """
    for path in dict.fromkeys(os.path.abspath(path) for path in paths):
        yield from _in_folder(path, 0) if os.path.isdir(path) else _in_file(path)


def _in_folder(folder: str, depth: int) -> Iterator[Found]:
    """A folder or a Maildir, in which ``new`` and ``cur`` hold messages and folders begin with a dot."""
    try:
        names, folders = _listed(folder)
    except OSError as error:
        yield _skipped(folder, f"it cannot be read: {error.strerror}")
        return
    if folders.issuperset(("cur", "new")):
        wanted = [name for name in names if name in ("cur", "new") or (name.startswith(".") and name in folders)]
    else:
        wanted = [name for name in names if not name.startswith(".")]
    start = os.path.join(folder, "")
    for name in wanted:
        if name not in folders:
            yield from _in_file(start + name)
        elif depth < _DEEPEST:
            yield from _in_folder(start + name, depth + 1)
        else:
            yield _skipped(start + name, f"folders are read to a depth of {_DEEPEST}")


def _listed(folder: str) -> tuple[list[str], set[str]]:
    """The names in a folder, sorted, and those of folders among them; no more, because there may be many.

    :raises OSError: it cannot be read
    """
    names: list[str] = []
    folders: set[str] = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            names.append(entry.name)
            if entry.is_dir(follow_symlinks=False):
                folders.add(entry.name)
    names.sort()
    return names, folders


def _in_file(path: str) -> Iterable[Found]:
    small = _small_file(path)
    return _in_large_file(path) if small is None else (small,)


def _small_file(path: str) -> Found | None:
    """A file that is read once; None for a large one and for an mbox."""
    try:
        data = read_small(path, _SMALL)
    except OSError as error:
        return _skipped(path, f"it cannot be read: {error.strerror}")
    return None if data is None or data.startswith(b"From ") else _item(path, data, path)


def _in_large_file(path: str) -> Iterator[Found]:
    try:
        with open(open_regular(path, os.O_RDONLY), "rb") as file:
            head = file.peek(_CHUNK)
            if head.startswith(b"From "):
                yield from _in_mbox(path, file)
            else:
                yield ReportItem(escape_controls(path), content_kind(head), None, path)
    except OSError as error:
        yield _skipped(path, f"it cannot be read: {error.strerror}")


def _item(label: str, data: bytes, path: str) -> ReportItem:
    return ReportItem(label if label.isprintable() else escape_controls(label), content_kind(data), data, path)


def _in_mbox(path: str, file: IO[bytes]) -> Iterator[Found]:
    """The messages of an mbox (RFC 4155): each begins with a line "From ", after an empty one."""
    lines: list[bytes] = []
    number, size, after_empty = 0, 0, True
    for line in iter(lambda: file.readline(_CHUNK), b""):
        if after_empty and line.startswith(b"From "):
            if number:
                yield _message(path, number, lines, size)
            number, lines, size = number + 1, [], 0
        elif size <= LARGEST_MESSAGE:
            lines.append(line)
        size += len(line)
        after_empty = line in (b"\n", b"\r\n")
    yield _message(path, number, lines, size)


def _message(path: str, number: int, lines: list[bytes], size: int) -> Found:
    label = f"{path}: message {number}"
    if size > LARGEST_MESSAGE:
        return _skipped(label, f"it is a message of more than {LARGEST_MESSAGE} bytes")
    item = _item(label, b"".join(lines), path)
    return item if item.kind == "mail" else _skipped(label, "it is no message")


def _skipped(path: str, reason: str) -> SkippedFile:
    return SkippedFile(escape_controls(path), reason)
