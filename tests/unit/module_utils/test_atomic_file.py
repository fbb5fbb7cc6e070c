# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that many threads put in one folder: each is on the disk, with its name, when its thread goes on."""

from __future__ import annotations

import os
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.atomic_file import replace_file

FILES = 48


class Disk:
    """Notes which names were there when a sync of their folder began, once it is over."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self.syncs, self.synced = 0, set[str]()
        self._lock = threading.Lock()
        self._folder = folder
        patch.setattr(os, "fsync", self.sync)

    def sync(self, handle: int) -> None:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            return
        names = set(os.listdir(self._folder))
        time.sleep(0.005)
        with self._lock:
            self.syncs, self.synced = self.syncs + 1, self.synced | names


def test_threads_share_the_sync_of_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, tmp_path)

    def put(number: int) -> bool:
        name = f"{number}.zone"
        replace_file(tmp_path / name, b"data")
        return name in disk.synced

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(put, range(FILES)))
    assert 0 < disk.syncs < FILES


def test_a_sync_that_fails_serves_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that cannot sync folders keeps nobody from writing, and each one tries."""
    tried: list[int] = []

    def refuse(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            tried.append(handle)
            raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "fsync", refuse)
    for number in range(3):
        replace_file(tmp_path / f"{number}.zone", b"data")
    assert len(tried) == 3
