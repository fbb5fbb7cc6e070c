# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples that people read: the blocks of all pages, and those of the modules, filters and the lookup.

What a block is shows in the block itself; each kind has a test that executes it. The few that are of no kind stand in
``tests/unit/pages/blocks_apart.yml``.
"""

from __future__ import annotations

import ast
import copy
import functools
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = ("*.md", "docs/**/*.md", "roles/*/README.md", "examples/**/*.md")
TABLE = REPOSITORY / "tests" / "unit" / "pages" / "blocks_apart.yml"
PLUGINS = ("modules", "filter", "lookup", "callback")
GENERATED = {"CHANGELOG.md", "docs/services.md", "docs/troubleshooting.md"}
"""Pages that a tool makes; it is tested."""

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\S*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^# (?P<file>(?:host|group)_vars/\S+?):?(?: .*)?$", re.MULTILINE)
_DECLARED = re.compile(r"(erp_)?mail_(?!adopt_)")
_COMMAND = re.compile(r"(ansible-playbook|make) ")


class _Reader(yaml.SafeLoader):
    """Reads what Ansible reads: a tagged value is a text."""


_Reader.add_multi_constructor("!", lambda loader, _suffix, node: loader.construct_scalar(node))


@dataclass(frozen=True, slots=True)
class Block:
    """One example: the page (a path in the repository), the line where it begins, its language and its text."""

    page: str
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def value(self) -> Any:
        """What the YAML says; None for what is none, or no one document."""
        return copy.deepcopy(_parsed(self.text)) if self.language == "yaml" else None

    @property
    def kind(self) -> str:
        """``variables`` of an inventory, ``tasks`` (or plays) for ansible-playbook, ``commands`` of a shell, or
        ``other``."""
        value = _parsed(self.text) if self.language == "yaml" else None
        if isinstance(value, dict) and any(_DECLARED.match(str(name)) for name in value):
            return "variables"
        if isinstance(value, list) and all(isinstance(one, dict) and _acts(one) for one in value):
            return "tasks"
        if self.language == "sh" or (not self.language and _COMMAND.match(self.text)):
            return "commands"
        return "other"

    @property
    def files(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The files of variables of a block, each after its name; "" is the name of what has none."""
        names = ["", *(found["file"] for found in _FILE.finditer(self.text))]
        parts = [
            _FILE.sub("", part) for part in re.split(r"^(?=# (?:host|group)_vars/)", self.text, flags=re.MULTILINE)
        ]
        if self.text.startswith("# ") and _FILE.match(self.text):
            names = names[1:]
            parts = [part for part in parts if part]
        for name, part in zip(names, parts, strict=True):
            found = yaml.load(part, _Reader)
            if found:
                yield name, found


@functools.cache
def _parsed(text: str) -> Any:
    try:
        return yaml.load(text, _Reader)
    except yaml.YAMLError:
        return None


def _acts(one: dict[str, Any]) -> bool:
    return "hosts" in one or any("." in str(name) for name in one)


@functools.cache
def blocks() -> list[Block]:
    """All blocks, page by page."""
    files = sorted({file for pattern in PAGES for file in REPOSITORY.glob(pattern)})
    pages = [(str(file.relative_to(REPOSITORY)), file) for file in files]
    found = [block for page, file in pages if page not in GENERATED for block in _of_page(page, file)]
    return [*found, *_of_plugins()]


def _of_page(page: str, file: Path) -> Iterator[Block]:
    text = file.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        # a drawing keeps its blanks; YAML that is a part of something does not need them
        moved = found["indent"] or found["language"] == "yaml"
        yield Block(page, line, found["language"], textwrap.dedent(found["text"]) if moved else found["text"])


def _of_plugins() -> Iterator[Block]:
    """The EXAMPLES of each plugin, read as Ansible does: without running code."""
    for file in sorted(file for folder in PLUGINS for file in (REPOSITORY / "plugins" / folder).glob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["EXAMPLES"]:
                text = str(ast.literal_eval(node.value))
                yield Block(str(file.relative_to(REPOSITORY)), node.lineno, "yaml", text)


@functools.cache
def apart() -> list[dict[str, str]]:
    """The table of the blocks that another test executes (``by``), or none does (``why``)."""
    found: list[dict[str, str]] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return found


def executed_elsewhere(block: Block) -> dict[str, str] | None:
    """The row of a block in that table; a row without ``begins`` is for all blocks of its page."""
    rows = [row for row in apart() if row["page"] == block.page and block.text.startswith(row.get("begins", ""))]
    return rows[0] if rows else None
