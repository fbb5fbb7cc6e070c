# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The progress of a long run: written by the module, shown by the controller."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains import progress
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.progress_follower import ProgressFollower


def test_the_newest_line_is_shown_once(tmp_path: Path) -> None:
    file = tmp_path / "progress"
    shown: list[str] = []
    seen = threading.Event()

    def show(line: str) -> None:
        shown.append(line)
        seen.set()

    with ProgressFollower(file, show, interval=0.01):
        file.write_text("1 of 9 zones read\n2 of 9 zones read\nhalf a li")
        assert seen.wait(5)
    assert shown == ["2 of 9 zones read"]


def test_a_short_run_shows_nothing(tmp_path: Path) -> None:
    file = tmp_path / "progress"
    file.write_text("1 of 9 zones read\n")
    shown: list[str] = []
    with ProgressFollower(file, shown.append):
        pass
    assert shown == []


def _double(item: int) -> int:
    return item * 2


def test_each_item_that_is_done_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_INTERVAL", 0.0)
    file = tmp_path / "progress"
    work = progress.Progress(str(file)).counted("zones read", 3, _double)
    assert [work(item) for item in (1, 2, 3)] == [2, 4, 6]
    assert file.read_text().splitlines() == ["1 of 3 zones read", "2 of 3 zones read", "3 of 3 zones read"]


def test_without_a_progress_file_nothing_is_counted() -> None:
    work = progress.Progress(None).counted("zones read", 3, str)
    assert work is str
