# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a record was written last: read from a journal, and from whatever else stands in such a file."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.last_writes import LastWrite, last_writes
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot import Snapshot
from hypothesis import given
from hypothesis import strategies as st

ACCOUNT = {"provider": "zonefile", "path": "/zones"}
NO_LINES = ['{"outcome": "applied"}', "[]", "{}", '{"outcome": "applied", "when": 1, "changes": [1]}']
KEY = ("acme.example", "TXT")


def write(folder: Path, day: int, before: str | None, after: str | None, fails: bool = False) -> str:
    """One run that writes one record; returns the name of its snapshot."""
    sides = [RRset(*KEY, 3600, (text,)) if text else None for text in (before, after)]
    snapshot = Snapshot(folder, "test", clock=lambda: datetime(2026, 11, day, tzinfo=UTC))
    changes = [Change(*sides)]
    snapshot.keep(ACCOUNT, "acme.example", changes)
    if fails:
        snapshot.failed(ACCOUNT, "acme.example", changes, "no answer")
    else:
        snapshot.applied(ACCOUNT, "acme.example", changes)
    assert snapshot.path is not None
    snapshot.close()
    return snapshot.path.name


def test_the_last_write_counts_and_one_that_failed_does_not(tmp_path: Path) -> None:
    assert last_writes(tmp_path) == {}
    write(tmp_path, 1, None, "v=spf1 a ~all")
    name = write(tmp_path, 2, "v=spf1 a ~all", 'v=spf1 "odd\\ \x00 ~all')
    write(tmp_path, 3, "v=spf1 mx ~all", "v=spf1 ~all", fails=True)
    expected = LastWrite("2026-11-02T00:00:00Z", name, ("v=spf1 a ~all",), ('v=spf1 "odd\\ \x00 ~all',), "test")
    assert last_writes(tmp_path) == {KEY: expected}


@given(st.lists(st.text(max_size=30) | st.sampled_from(NO_LINES)))
def test_lines_that_are_none_are_passed_over(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    folder = tmp_path_factory.mktemp("journal")
    name = write(folder, 1, None, "v=spf1 ~all")
    with (folder / "journal.jsonl").open("ab") as journal:
        journal.write("\n".join(lines).encode("utf-8", "surrogatepass"))
    assert last_writes(folder)[KEY].snapshot == name


def test_a_journal_that_is_no_file_is_an_error_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "journal.jsonl")
    with pytest.raises(OSError, match="no regular file"):
        last_writes(tmp_path)
