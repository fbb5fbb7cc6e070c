# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small private files: compared, written whole, for their owner only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.private_files import (
    FileChange,
    apply_files,
    plan_files,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_missing_files_are_planned_and_then_made(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "env"
    changes = plan_files(folder, {"a": "1\n", "b": "2\n"})
    assert changes == [FileChange(folder / "a", None, "1\n"), FileChange(folder / "b", None, "2\n")]
    assert not (tmp_path / "out").exists()
    apply_files(changes)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a": "1\n", "b": "2\n"}
    assert (mode(folder), mode(folder / "a")) == (0o700, 0o600)
    assert plan_files(folder, {"a": "1\n", "b": "2\n"}) == []


def test_only_what_differs_is_planned(tmp_path: Path) -> None:
    apply_files(plan_files(tmp_path, {"a": "1", "b": "2"}))
    assert plan_files(tmp_path, {"a": "1", "b": "3"}) == [FileChange(tmp_path / "b", "2", "3")]


def test_a_file_that_others_can_read_is_put_right(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "a").chmod(0o644)
    apply_files(plan_files(tmp_path, {"a": "1"}))
    assert mode(tmp_path / "a") == 0o600


def test_files_that_shall_not_exist_are_removed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    apply_files(plan_files(tmp_path, {"a": None, "b": None}))
    assert list(tmp_path.iterdir()) == []
    assert plan_files(tmp_path / "nowhere", {"a": None}) == []


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_files(plan_files(tmp_path, {"a": "old"}))

    def full(*_paths: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        apply_files(plan_files(tmp_path, {"a": "new"}))
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]
