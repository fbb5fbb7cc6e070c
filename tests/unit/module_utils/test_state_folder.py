# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody else can change what the collection keeps of its runs."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.state_folder import make_folder


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def test_a_new_folder_is_for_this_user(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    assert mode(tmp_path / "a" / "b") == 0o700


@pytest.mark.parametrize(("before", "after"), [(0o777, 0o755), (0o775, 0o755), (0o750, 0o750), (0o2770, 0o2750)])
def test_others_lose_the_right_to_write(tmp_path: Path, before: int, after: int) -> None:
    tmp_path.chmod(before)
    make_folder(tmp_path)
    assert mode(tmp_path) == after


def test_a_folder_that_all_share_is_refused_and_stays(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with pytest.raises(OSError, match="others may write to it"):
        make_folder(tmp_path)
    assert mode(tmp_path) == 0o1777


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a folder away")
def test_a_folder_of_somebody_else_is_refused_while_others_may_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o775)
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(OSError, match="others may write to it"):
        make_folder(tmp_path)
    tmp_path.chmod(0o755)
    make_folder(tmp_path)
