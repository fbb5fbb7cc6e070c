# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that many threads put in one folder: each is on the disk, with its name, when its thread goes on."""

from __future__ import annotations

import os
import stat
import struct
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


ACCESS_LIST, OF_FOLDER = "system.posix_acl_access", "system.posix_acl_default"
NOBODY = 0xFFFFFFFF


def access_list(user: int, rights: int) -> bytes:
    """As the kernel has it (acl(5)): the owner, one more user, nothing for the group or others, and the mask."""
    entries = [(1, 6, NOBODY), (2, rights, user), (4, 0, NOBODY), (16, rights, NOBODY), (32, 0, NOBODY)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A file that one more user may read."""
    file = tmp_path / "trytond.conf"
    file.write_bytes(b"old")
    try:
        os.setxattr(file, ACCESS_LIST, access_list(4242, 4))
        os.setxattr(file, "user.note", b"kept")
    except OSError as error:
        pytest.skip(f"this file system has no access lists: {error.strerror}")
    return file


def test_a_file_keeps_its_access_list_and_gives_its_group_nothing(listed: Path) -> None:
    before = listed.stat()
    replace_file(listed, b"new", like=before)
    assert (listed.read_bytes(), listed.stat().st_mode) == (b"new", before.st_mode)
    assert os.getxattr(listed, ACCESS_LIST) == access_list(4242, 4)
    assert os.getxattr(listed, "user.note") == b"kept"


def test_a_file_whose_access_list_cannot_be_kept_stays(listed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "setxattr", refuse)
    with pytest.raises(OSError, match="not permitted"):
        replace_file(listed, b"new", like=listed.stat())
    assert listed.read_bytes() == b"old" and [one.name for one in listed.parent.iterdir()] == [listed.name]


def test_the_list_that_a_folder_gives_to_new_files_is_no_part_of_an_old_one(listed: Path) -> None:
    os.removexattr(listed, ACCESS_LIST)
    listed.chmod(0o640)
    os.setxattr(listed.parent, OF_FOLDER, access_list(4242, 6))
    replace_file(listed, b"new", like=listed.stat())
    assert ACCESS_LIST not in os.listxattr(listed) and stat.S_IMODE(listed.stat().st_mode) == 0o640
