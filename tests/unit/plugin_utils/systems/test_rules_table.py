# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every reference of docs/rules.md exists: the file, the function in it, the test, the case of a table."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.needs.test_resolved_senders import SENTENCES
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.systems.test_system_rules import SERVERS

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
PLUGINS = ROOT / "plugins" / "plugin_utils"
LINES = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8").splitlines()
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in LINES if re.match(r"\| \d", line)]
TESTS = (ROOT / "tests" / "unit" / "plugin_utils", ROOT / "tests" / "integration")
PREFIXED = re.compile(r"(wrong|warned|sender|server|sheet): (.+)")


def table(name: str) -> set[str]:
    return {row["case"] for row in yaml.safe_load((HERE / name).read_text(encoding="utf-8"))}


CASES = {
    "wrong": table("wrong_declarations.yml"),
    "warned": table("warned_declarations.yml"),
    "sender": {row[0] for row in SENTENCES},
    "server": {row[0] for row in SERVERS},
    "sheet": {file.stem for file in (HERE.parent / "sheet" / "sheets").glob("*.md")},
}


def names_in(file: Path) -> set[str]:
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def exists(reference: str) -> bool:
    prefixed = PREFIXED.fullmatch(reference)
    if prefixed:
        return prefixed[2] in CASES[prefixed[1]]
    file, _sign, name = reference.partition("::")
    folders = TESTS if file.startswith("test_") else (PLUGINS,)
    found = [path for folder in folders for path in folder.glob(f"**/{file}")]
    return bool(found) and (not name or name in names_in(found[0]))


def references(cell: str) -> list[str]:
    return re.findall("`([^`]+)`", cell)


@pytest.mark.parametrize("row", ROWS, ids=[f"{index}: {row[0]}" for index, row in enumerate(ROWS)])
def test_every_row_names_what_exists(row: list[str]) -> None:
    _line, sentence, where, proof = row
    assert sentence
    if where.startswith("not ours: "):
        assert len(where) > len("not ours: ") and proof == "-"
        return
    assert references(where) and references(proof)
    assert [reference for reference in references(where) + references(proof) if not exists(reference)] == []


def test_every_document_has_its_rows() -> None:
    sections = [line for line in LINES if line.startswith("## ")]
    assert [section[3:5] for section in sections] == ["S0", "S1", "S2", "S3", "S4", "S5"]
    assert len(ROWS) == len([line for line in LINES if line.startswith("| ") and re.match(r"\| [\d]", line)]) >= 130


@pytest.mark.parametrize(
    "name", ["wrong: nothing", "estate/estate_plan.py::nothing", "nothing.py", "test_estate_plan.py::test_nothing"]
)
def test_a_reference_to_nothing_is_found(name: str) -> None:
    assert not exists(name)
