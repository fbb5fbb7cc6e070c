# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the matrix finds its interpreters and what it says when it cannot."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.tools import matrix
from ansible_collections.mailroom.erp.tests.tools.pure_tests import pure_tests


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
    monkeypatch.setattr(matrix, "judge", lambda cell, *_how: "FAILED: x" if cell.core == "2.19" else "passed in 1 s")
    assert matrix.main([]) == 1
    assert capsys.readouterr().out.endswith(f"{len(matrix.CELLS) - 1} passed, 1 failed, 0 skipped\n")
    assert matrix.main(["2.18"]) == 0


def test_cells_of_a_quick_matrix_run_at_once_and_tell_what_they_said_and_how_they_ended(
    search: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(search / "python3.99", 'test "$1" = -c && echo 3.99 || { echo "no room for $3"; exit 7; }')
    cells = [matrix.Cell(core, python) for core, python in (("9.8", "3.98"), ("9.9", "3.99"))]
    monkeypatch.setattr(matrix, "CELLS", cells)
    assert matrix.main(["--quick"]) == 1
    output = capsys.readouterr().out
    assert f"\nno room for {cells[1].venv}\n" in output
    assert f"\n{cells[0]}: SKIPPED: no Python 3.98" in output
    assert f"\n{cells[1]}: FAILED: {search / 'python3.99'} -m venv {cells[1].venv} ended with status 7\n" in output
    assert output.endswith("\n0 passed, 1 failed, 1 skipped\n")


def test_pure_tests_run_once_for_each_python_that_has_not_run_them() -> None:
    old, older, new = matrix.Cell("2.19", "3.11"), matrix.Cell("2.18", "3.11"), matrix.Cell("2.21", "3.13")
    assert matrix.whole_cells([older, old, new], "") == {older, new}
    assert matrix.whole_cells([older, old, new], "3.11") == {new}


def test_a_test_that_imports_ansible_from_afar_is_not_pure(tmp_path: Path) -> None:
    collection = "ansible_collections.mailroom.erp."
    files = {
        "tests/unit/policy/test_pure.py": f"from {collection}plugins.module_utils import near",
        "tests/unit/policy/test_far.py": f"from {collection}plugins.module_utils import far",
        "tests/unit/policy/test_text.py": f"PROGRAM = 'import {collection}plugins.module_utils.far; print(1)'",
        "tests/unit/dns/conftest.py": "def fixture():\n    import ansible.errors",
        "tests/unit/dns/test_by_conftest.py": "",
        "tests/unit/modules/test_elsewhere.py": "",
        "plugins/module_utils/near.py": "",
        "plugins/module_utils/far.py": "importlib.import_module('ansible.module_utils.secrets')",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert pure_tests(tmp_path) == [tmp_path / "tests/unit/policy/test_pure.py"]


def test_the_pure_tests_here_are_many_and_those_of_the_modules_are_not_among_them() -> None:
    found = {str(file.relative_to(matrix.REPOSITORY / "tests" / "unit")) for file in pure_tests(matrix.REPOSITORY)}
    assert {"policy/test_spf.py", "policy/evaluation/test_check_host.py"} <= found
    assert not found & {"policy/evaluation/test_verdict.py", "dns/providers/test_octodns.py"}


def test_a_quick_matrix_runs_what_ansible_calls_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(matrix, "run", lambda command, **variables: ran.append(list(command)))
    cell = matrix.Cell("2.18", "3.11")
    matrix.try_tests(cell, whole=True, quick=True, cores=1)
    left_out = [f"--ignore={file}" for file in (*matrix.RECORDS, *matrix.LONG)]
    assert ran[0][-len(matrix.FACES) - len(left_out) :] == [*matrix.FACES, *left_out]
    assert all((matrix.REPOSITORY / file).is_file() for file in (*matrix.RECORDS, *matrix.LONG))
    assert len(ran) == 1
    matrix.try_tests(cell, whole=True, quick=False, cores=2)
    assert ran[1][-2:] == ["tests/unit", "tests/integration"]
    assert len(ran) == 4


def test_only_the_newest_core_judges_a_quick_matrix_and_text_is_left_out() -> None:
    oldest, newest = matrix.CELLS[0], matrix.NEWEST
    assert not newest.preview
    assert matrix.judges(oldest, quick=True) == []
    ((_python, program, *skipped),) = matrix.judges(newest, quick=True)
    assert program == "tests/tools/sanity.py" and "--skip-test=pylint" in skipped
    assert [len(command) for command in matrix.judges(newest, quick=False)] == [2, 4]


def test_a_preview_is_asked_for_and_judges_nothing_for_others() -> None:
    wanted = {
        cell.core: matrix.requirements(cell)[-1] for cell in (matrix.NEWEST, matrix.Cell("9.9", "3.99", preview=True))
    }
    assert wanted == {matrix.NEWEST.core: f"ansible-core~={matrix.NEWEST.core}.0", "9.9": "ansible-core~=9.9.0a0"}
    assert [matrix.judges(cell, quick=True) for cell in matrix.CELLS if cell.preview] == [
        [] for cell in matrix.CELLS if cell.preview
    ]
