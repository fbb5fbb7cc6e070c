# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which folder beside the inventory the files of a run are written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.filter.beside_inventory import FilterModule, beside_inventory


def test_a_file_has_its_own_folder(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yml"
    file.touch()
    assert beside_inventory(str(tmp_path), [str(file)]) == str(tmp_path)
    assert FilterModule().filters() == {"beside_inventory": beside_inventory}


def test_a_folder_of_inventories_has_the_folder_around_it(tmp_path: Path) -> None:
    inner = tmp_path / "inventory" / "customers"
    inner.mkdir(parents=True)
    root = str(tmp_path / "inventory")
    assert beside_inventory(root, [root]) == str(tmp_path)
    assert beside_inventory(str(inner), [root, "a,b"]) == str(tmp_path)
    assert beside_inventory(str(inner), [str(inner), root]) == str(tmp_path)
    assert beside_inventory(str(tmp_path / "inventory2"), [root]) == str(tmp_path / "inventory2")


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_list_of_hosts_has_the_working_directory(nothing: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PWD", raising=False)
    assert beside_inventory(nothing, ["a,b"]) == os.getcwd()
