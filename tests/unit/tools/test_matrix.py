# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the matrix finds its interpreters and what it says when it cannot."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.tools import matrix


def program(path: Path, script: str) -> Path:
    """Write an executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is all of PATH, and a Python that lives nowhere."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "nowhere"))
    return folder


def test_an_interpreter_on_path_that_runs_is_taken(search: Path) -> None:
    python = program(search / "python3.99", "echo 3.99")
    assert matrix.interpreter("3.99") == str(python)


def test_a_shim_that_fails_gives_way_to_pyenv(search: Path, tmp_path: Path) -> None:
    program(search / "python3.99", "echo 'pyenv: python3.99: command not found' >&2; exit 127")
    python = program(tmp_path / "versions" / "3.99.1" / "bin" / "python3.99", "echo 3.99")
    program(search / "pyenv", f'test "$1 $2" = "prefix 3.99" && echo "{python.parent.parent}"')
    assert matrix.interpreter("3.99") == str(python)


@pytest.mark.parametrize("answer", ["echo 3.98", "exit 1", "true"])
def test_another_version_is_not_taken(search: Path, answer: str) -> None:
    program(search / "python3.99", answer)
    assert matrix.interpreter("3.99") is None


@pytest.mark.usefixtures("search")
def test_a_missing_interpreter_is_skipped_and_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(matrix, "CELLS", (matrix.Cell("9.9", "3.99"),))
    assert matrix.main([]) == 1
    assert "ansible-core 9.9 on Python 3.99: SKIPPED: no Python 3.99" in capsys.readouterr().out


def test_a_failing_cell_fails_the_matrix(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(matrix, "judge", lambda cell: "FAILED: x" if cell.core == "2.19" else "passed in 1 s")
    assert matrix.main([]) == 1
    assert capsys.readouterr().out.endswith("2 passed, 1 failed, 0 skipped\n")
    assert matrix.main(["2.18"]) == 0
