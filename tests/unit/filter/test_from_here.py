# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a path means that somebody types."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.filter.from_here import FilterModule
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.standing_folder import from_here


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "named").symlink_to("real")
    monkeypatch.chdir(tmp_path / "real")
    monkeypatch.setenv("HOME", "/home/anna")


def test_a_shell_knows_the_folder_by_the_name_that_its_user_went_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PWD", str(tmp_path / "named"))
    assert from_here("plans/../plan") == str(tmp_path / "named/plan")
    assert FilterModule().filters() == {"from_here": from_here}


@pytest.mark.parametrize("inherited", ["/", "", "real", "/there/is/no/such/folder"])
def test_what_another_program_started_stands_where_that_put_it(
    inherited: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PWD", inherited)
    assert from_here("plan") == str(tmp_path / "real/plan")


def test_a_path_from_the_root_or_from_home_stays() -> None:
    assert from_here("/srv/plan") == "/srv/plan"
    assert from_here("~/plan") == "/home/anna/plan"
