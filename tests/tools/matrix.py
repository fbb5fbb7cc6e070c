# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the tests on every ansible-core that the collection promises, each in a virtual environment of its own.

Usage: matrix.py [--tested PYTHON] [--quick] [--prepare] [VERSION ...]     only these cores, e.g. ``matrix.py 2.21``

Test files that cannot see which core there is (``pure_tests``) run once for each Python, not on each core, and not
at all on the Python named by ``--tested``, where ``make test`` has run them. The newest core's ansible-test judges
all; the others leave out what judges text alone. With ``--quick`` only ``FACES`` run, without ``RECORDS`` and
``LONG``, and the newest core's ansible-test, without what judges text; the cores share the processor, and what they
say is shown at the end of all. With ``--prepare`` the virtual environments are made, and nothing runs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
VENVS = REPOSITORY / ".venv-matrix"
SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class Cell:
    """One promise: an ansible-core and the Python it runs on."""

    core: str
    python: str
    preview: bool = False
    """Whether there are only betas and release candidates of it yet."""

    @property
    def venv(self) -> Path:
        """The folder of its virtual environment."""
        return VENVS / f"{self.core}-py{self.python}"

    def __str__(self) -> str:
        return f"ansible-core {self.core} on Python {self.python}"


# From the oldest promised (galaxy's requires_ansible) to the next one, each on a Python that it supports.
CELLS = (
    Cell("2.18", "3.11"),
    Cell("2.19", "3.11"),
    Cell("2.20", "3.12"),
    Cell("2.21", "3.13"),
    Cell("2.22", "3.13", preview=True),
)
NEWEST = [cell for cell in CELLS if not cell.preview][-1]
"""The newest core that is released: it judges for all."""
FACES = ("tests/integration", "tests/unit/filter", "tests/unit/modules", "tests/unit/plugin_utils")
"""The tests of what Ansible itself calls: playbooks, filters, modules, and the controller's side."""
RECORDS = tuple(
    f"tests/integration/test_{name}.py"
    for name in (
        "cloudflare_playbook",
        "flatten",
        "octodns_playbook",
        "odd_records",
        "page_stories",
        "receiving_domains",
        "targets",
        "transip_playbook",
        "verdicts",
        "way_out",
    )
)
"""Playbooks about what becomes of records and of what pages declare, which no core decides; others go the same way
through Ansible, by the same playbooks, roles and modules."""
LONG = ("tests/integration/test_collection_artifact.py", "tests/unit/plugin_utils/estate/test_mutated_declarations.py")
"""What takes a sixth of the time: environments made from the artifact, and thousands of declarations by one door."""
TEXT_JUDGES = ("changelog", "line-endings", "no-smart-quotes", "pep8", "pylint", "shellcheck", "symlinks", "yamllint")
"""Tests of ``ansible-test sanity`` that judge text by tools of their own; whatever it has besides runs on each core."""


def candidates(version: str) -> Iterator[str]:
    """Name the places where an interpreter may be, best first; what is named need not work."""
    yield str(Path(sys.base_prefix) / "bin" / f"python{version}")
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield on_path
    if shutil.which("pyenv"):
        for wanted in (version, output(["pyenv", "latest", version])):
            prefix = output(["pyenv", "prefix", wanted]) if wanted else ""
            if prefix:
                yield f"{prefix}/bin/python{version}"


def output(command: Sequence[str]) -> str:
    """What a command prints, without the line end; nothing when it fails or does not exist."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def interpreter(version: str) -> str | None:
    """Find a Python of this version that really runs (a shim on PATH may not) and can make virtual environments."""
    probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    return next((python for python in candidates(version) if output([python, "-c", probe]) == version), None)


def requirements(cell: Cell) -> list[str]:
    """The arguments for pip that make the cell's environment."""
    return [
        "-r",
        "requirements.txt",
        "-r",
        "tests/matrix-requirements.txt",
        f"ansible-core~={cell.core}.0{'a0' if cell.preview else ''}",
    ]


def prepare(cell: Cell, python: str) -> None:
    """Make the cell's virtual environment, unless it stands and nothing that it is made of has changed."""
    files = [REPOSITORY / "requirements.txt", REPOSITORY / "tests" / "matrix-requirements.txt"]
    recipe = "\n".join([python, *requirements(cell), *(file.read_text(encoding="utf-8") for file in files)])
    stamp = cell.venv / "recipe"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == recipe:
        return
    shutil.rmtree(cell.venv, ignore_errors=True)
    run([python, "-m", "venv", str(cell.venv)])
    run([str(cell.venv / "bin" / "python"), "-m", "pip", "install", "-qq", *requirements(cell)])
    link = cell.venv / "collections" / "ansible_collections" / "mailroom" / "erp"
    link.parent.mkdir(parents=True)
    link.symlink_to(REPOSITORY)
    stamp.write_text(recipe, encoding="utf-8")


def run(command: Sequence[str], **variables: str) -> None:
    """Run a step of the set-up or a test; a failure raises CalledProcessError."""
    environment = {**os.environ, **variables, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, stdin=subprocess.DEVNULL)


def whole_cells(cells: Sequence[Cell], tested: str) -> set[Cell]:
    """The cells that run the pure tests too: the first of each Python that is not ``tested``."""
    firsts = {cell.python: cell for cell in reversed(cells)}
    return {cell for python, cell in firsts.items() if python != tested}


def try_tests(cell: Cell, whole: bool, quick: bool, cores: int) -> None:
    """Run the tests of a cell, the fastest first.

    :param whole: whether pure tests run, too
    :param quick: whether only the faces are tested
    :param cores: how many tests run at once
    """
    binaries, collections = cell.venv / "bin", str(cell.venv / "collections")
    python = str(binaries / "python")
    variables = {
        "PATH": os.pathsep.join([str(binaries), os.environ["PATH"]]),
        "ANSIBLE_COLLECTIONS_PATH": collections,
    }
    # What counts requests over many zones, or rests on time, runs alone: `make contention`.
    tests = [python, "-m", "pytest", "-q", "-n", str(cores), "--dist", "worksteal"]
    tests += ["-m", "not slow"]
    tests += FACES if quick else ["tests/unit", "tests/integration"]
    # This file runs without the collection on its path, so the other tool is a program of its own.
    pure = (
        []
        if whole or quick
        else output([sys.executable, str(REPOSITORY / "tests" / "tools" / "pure_tests.py")]).splitlines()
    )
    tests += [f"--ignore={file}" for file in (*pure, *((*RECORDS, *LONG) if quick else ()))]
    run(tests, PYTHONPATH=collections, **variables)
    for judge_command in judges(cell, quick):
        run(judge_command, **variables)


def judges(cell: Cell, quick: bool) -> list[list[str]]:
    """The commands that judge the collection beside its tests, in the cell's environment.

    :param quick: whether only what the core itself decides is judged, and only by the newest
    """
    newest = cell == NEWEST
    skipped = [] if newest and not quick else [f"--skip-test={name}" for name in TEXT_JUDGES]
    sanity = [str(cell.venv / "bin" / "python"), "tests/tools/sanity.py", *skipped]
    if quick:
        return [sanity] if newest else []
    return [sanity, [str(cell.venv / "bin" / "ansible-lint"), "--profile", "production", "--offline"]]


def judge(cell: Cell, given: argparse.Namespace, whole: bool, cores: int) -> str:
    """Prepare and test one cell.

    :param given: what :func:`main` was given
    :param whole: whether pure tests run, too
    :param cores: how many tests run at once
    :returns: what to say about it
    """
    print(f"\n===== {cell} =====", flush=True)
    started = time.monotonic()
    python = interpreter(cell.python)
    if python is None:
        return f"{SKIPPED}: no Python {cell.python} with venv on PATH or in pyenv"
    try:
        prepare(cell, python)
        if not given.prepare:
            try_tests(cell, whole, given.quick, cores)
    except subprocess.CalledProcessError as error:
        return f"FAILED: {' '.join(map(str, error.cmd))} ended with status {error.returncode}"
    return f"passed in {time.monotonic() - started:.0f} s"


def judge_aside(cell: Cell, given: argparse.Namespace, whole: bool, cores: int) -> tuple[str, str]:
    """The same in a process that is there for this; returns what it and its children printed, too."""
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        verdict = judge(cell, given, whole, cores)
        log.seek(0)
        return verdict, log.read().decode(errors="replace")


def judge_at_once(cells: Sequence[Cell], given: argparse.Namespace, whole: set[Cell], cores: int) -> dict[Cell, str]:
    """Judge all cells at the same time, and show what each of them printed when all have ended."""
    share = max(1, cores // len(cells))
    with ProcessPoolExecutor(len(cells)) as processes:
        begun = [processes.submit(judge_aside, cell, given, cell in whole, share) for cell in cells]
    for one in begun:
        print(one.result()[1])
    return {cell: one.result()[0] for cell, one in zip(cells, begun, strict=True)}


def main(arguments: list[str]) -> int:
    """Run the matrix, or the named cores of it, and say at the end what each cell did.

    :param arguments: as the usage at the top says
    :returns: 0 when every cell that could run has passed and at least one did
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--tested", metavar="PYTHON", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("versions", nargs="*")
    given = parser.parse_args(arguments)
    cells = [cell for cell in CELLS if not given.versions or cell.core in given.versions]
    whole, cores = whole_cells(cells, given.tested), int(os.environ.get("CORES", "2"))
    if given.quick:
        verdicts = judge_at_once(cells, given, whole, cores)
    else:
        verdicts = {cell: judge(cell, given, cell in whole, cores) for cell in cells}
    print()
    for cell, verdict in verdicts.items():
        print(f"{cell}: {verdict}")
    failed = sum(verdict.startswith("FAILED") for verdict in verdicts.values())
    passed = sum(verdict.startswith("passed") for verdict in verdicts.values())
    print(f"{passed} passed, {failed} failed, {len(verdicts) - passed - failed} skipped")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
