# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An execution environment gets every library that the collection can ask for."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from ansible_collections.mailroom.erp.plugins.module_utils import libraries

REPOSITORY = Path(__file__).resolve().parents[3]


def named(file: Path) -> set[str]:
    """The packages of a requirements file and of those that it takes in, without versions."""
    lines = [
        line.partition("  #")[0] for line in file.read_text(encoding="utf-8").splitlines() if line[:1] not in ("#", "")
    ]
    taken = [named(file.parent / line[3:].strip()) for line in lines if line.startswith("-r ")]
    own = {re.split(r"[\[<>=]", line)[0].lower() for line in lines if not line.startswith("-r ")}
    return own.union(*taken)


def test_the_metadata_of_the_execution_environment_have_all_that_is_imported_on_first_use() -> None:
    metadata = yaml.safe_load((REPOSITORY / "meta" / "execution-environment.yml").read_text(encoding="utf-8"))
    told = metadata["dependencies"]
    assert (REPOSITORY / told["system"]).is_file()
    asked_for = {re.split(r"[\[<>=]", package)[0].lower() for package in libraries._PACKAGES.values()}
    assert asked_for <= named(REPOSITORY / told["python"])


def test_no_requirements_file_is_forgotten() -> None:
    every = set().union(*(named(file) for file in REPOSITORY.glob("requirements*.txt")))
    assert every == named(REPOSITORY / "meta" / "ee-requirements.txt")
