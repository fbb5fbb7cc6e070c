# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is no file does not hold a run for ever, and no link leads a write out of its folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles.master_file import read_master_file
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.file_lock import hold
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.regular_file import read_regular
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.journal import Journal
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot_file import read_snapshot


def _journal(file: Path) -> None:
    Journal(file).append({"zone": "acme.example"})


def _zone(file: Path) -> None:
    read_master_file(file, "acme.example")


READERS: dict[str, tuple[Callable[[Path], object], type[Exception]]] = {
    "a file": (read_regular, OSError),
    "a journal": (_journal, OSError),
    "a zone": (_zone, ProviderError),
    "a snapshot": (read_snapshot, Refused),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, name: str, kind: str) -> None:
    work, error = READERS[name]
    file = tmp_path / "acme.example.zone"
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        file.symlink_to("/dev/zero")
    with pytest.raises(error):
        work(file)


def test_a_journal_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("theirs")
    (tmp_path / "journal.jsonl").symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"):
        _journal(tmp_path / "journal.jsonl")
    assert other.read_text() == "theirs"


@pytest.mark.parametrize("exists", [True, False])
def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path, exists: bool) -> None:
    other = tmp_path / "other"
    if exists:
        other.write_text("theirs")
    (tmp_path / "lock").symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"), hold(tmp_path / "lock", 1.0):
        pass
    assert other.exists() == exists
