# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GitHub and GitLab run the same commands of this repository, and all of them exist. `make lint` judges their shape."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
# What a machine of GitHub or GitLab needs first.
SET_UP = ("apt-get ", "git config ")


def ours(commands: Iterator[str]) -> list[str]:
    return [command for command in commands if not command.startswith(SET_UP)]


def github() -> dict[str, list[str]]:
    """The jobs of the workflow with their commands."""
    jobs = yaml.safe_load((REPOSITORY / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    return {name: ours(step["run"] for step in job["steps"] if "run" in step) for name, job in jobs.items()}


def gitlab() -> dict[str, list[str]]:
    jobs = yaml.safe_load((REPOSITORY / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    return {name: ours(iter(job["script"])) for name, job in jobs.items() if name != "default"}


def test_both_run_the_same_commands() -> None:
    assert github() == gitlab()
    assert set(github()) == {"test", "matrix"}


def test_every_command_exists() -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for command in [command for commands in github().values() for command in commands]:
        make, _blank, target = command.partition(" ")
        assert target in targets if make == "make" else os.access(REPOSITORY / command, os.X_OK), command
