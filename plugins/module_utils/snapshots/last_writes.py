# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""When this collection wrote a record last, and what it made of it: read from the journal of the snapshots."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key
from ansible_collections.mailroom.erp.plugins.module_utils.regular_file import open_regular
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot_format import unescaped

_LONGEST_LINE = 4_000_000
"""Characters of a line that is read; a zone of thousands of records makes a shorter one."""


@dataclass(frozen=True, slots=True)
class LastWrite:
    """The last write to one RRset: ``when`` (ISO 8601, UTC), the name of the snapshot's file, None without one, and
    the values that stood there before and after, None for no record; ``why`` as the journal has it."""

    when: str
    snapshot: str | None
    before: tuple[str, ...] | None
    after: tuple[str, ...] | None
    why: str = ""


def last_writes(folder: Path) -> dict[Key, LastWrite]:
    """Read the journal.

    :param folder: that of the snapshots
    :returns: the last write of each RRset; empty where there is no journal
    :raises OSError: there is a journal and it cannot be read
    """
    return dict(all_writes(folder))


def all_writes(folder: Path) -> Iterator[tuple[Key, LastWrite]]:
    """Read the journal.

    :param folder: that of the snapshots
    :returns: each write to an RRset, the oldest first; none where there is no journal. A line that is no line
        of the journal is passed over: the journal is a help for people, and nothing is decided by it
    :raises OSError: there is a journal and it cannot be read
    """
    try:
        handle = open_regular(folder / "journal.jsonl", os.O_RDONLY)
    except FileNotFoundError:
        return
    with os.fdopen(handle, encoding="utf-8", errors="replace") as lines:
        for entry in _entries(iter(lambda: lines.readline(_LONGEST_LINE), "")):
            yield from _writes(entry)


def _entries(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        with contextlib.suppress(ValueError, RecursionError):
            entry = json.loads(line)
            if isinstance(entry, dict) and entry.get("outcome") == "applied":
                yield entry


def _writes(entry: dict[str, Any]) -> Iterator[tuple[Key, LastWrite]]:
    with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
        when, snapshot = str(entry["when"]), entry.get("snapshot")
        name, why = str(snapshot) if snapshot else None, str(entry.get("why") or "")
        for change in entry["changes"]:
            key = (str(change["name"]), str(change["type"]))
            yield key, LastWrite(when, name, _values(change["before"]), _values(change["after"]), why)


def _values(side: Any) -> tuple[str, ...] | None:
    return None if side is None else tuple(unescaped(str(value)) for value in side["values"])
