# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tasks run their module from its files: those that would run here anyway, with a core that is known."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.running import local_module
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.action_base import MailroomAction

HERE = {"ansible_python_interpreter": sys.executable}
ELSEWHERE = {"ansible_python_interpreter": "/usr/bin/another-python"}


def stays(variables: dict[str, Any], transport: str = "local", become: Any = None, **task: Any) -> bool:
    action = MailroomAction.__new__(MailroomAction)
    action._connection = SimpleNamespace(transport=transport, become=become)
    action._task = SimpleNamespace(**{"async_val": 0, "delegate_to": None, **task})
    action._templar = SimpleNamespace(template=lambda text: text)
    return action._stays_here(variables)


def test_a_task_on_this_machine_by_our_own_python_stays() -> None:
    assert stays(HERE)


def test_the_same_python_by_another_name_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / "python3.99"
    named.touch()
    (tmp_path / "python").symlink_to(named)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert stays({"ansible_python_interpreter": str(named)})


def test_the_same_program_of_another_environment_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tmp_path / "python3.99"
    base.touch()
    for environment in ("one", "other"):
        (tmp_path / environment).mkdir()
        (tmp_path / environment / "python").symlink_to(base)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "one" / "python"))
    assert not stays({"ansible_python_interpreter": str(tmp_path / "other" / "python")})
    assert not stays({"ansible_python_interpreter": str(tmp_path / "one" / "python3.98")})


@pytest.mark.parametrize(
    ("variables", "more"),
    [
        (HERE, {"transport": "ssh"}),
        (HERE, {"become": object()}),
        (HERE, {"async_val": 60}),
        (ELSEWHERE, {}),
        ({"ansible_python_interpreter": "auto"}, {}),
        ({}, {}),
    ],
    ids=["ssh", "become", "async", "another Python", "discovery", "nothing said"],
)
def test_every_other_task_is_left_to_ansible(variables: dict[str, Any], more: dict[str, Any]) -> None:
    assert not stays(variables, **more)


def test_the_python_of_the_delegate_counts() -> None:
    delegated = {**ELSEWHERE, "ansible_delegated_vars": {"other": HERE}}
    assert stays(delegated, delegate_to="other")
    assert not stays({**HERE, "ansible_delegated_vars": {"other": ELSEWHERE}}, delegate_to="other")


def test_a_core_that_is_not_known_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_module, "_CORE", "2.99")
    assert not stays(HERE)


@pytest.mark.parametrize(
    ("version", "release"),
    [("2.22.0rc1", "2.22"), ("2.22.0b2", "2.22"), ("2.23.0.dev0", "2.23"), ("2.21.5", "2.21"), ("3.0", "3.0")],
)
def test_a_preview_is_of_the_release_that_it_precedes(version: str, release: str) -> None:
    assert local_module._release(version) == release


def test_what_is_no_version_is_not_known() -> None:
    assert local_module._release("devel") not in local_module._PROFILES


def test_files_that_are_to_be_kept_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible.constants.DEFAULT_KEEP_REMOTE_FILES", True)
    assert not stays(HERE)
