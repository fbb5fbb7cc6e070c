# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the test files that cannot see which ansible-core is installed.

A file is one of them when it lies in a folder of pure functions or of libraries, and neither it nor its ``conftest.py``
files nor anything of this collection that they import, however far away, imports ``ansible``. Any other file, a new one
too, counts as one that can see it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FOLDERS = ("dns", "entra", "policy", "public_dns", "snapshots")
"""Below ``tests/unit``: here nothing is imported by a name that is made at run time, and no program is started that
rests on Ansible."""
_COLLECTION = "ansible_collections.mailroom.erp."
_NAMED = re.compile(r"(?:^|import +|from +)(ansible(?:_collections\.[\w.]+|\b(?=$|\.\w| *import| *;)))")
"""A name of Ansible or of this collection that a string holds, for an import at run time or in another process."""


def pure_tests(repository: Path) -> list[Path]:
    """List them.

    :param repository: the folder of the collection
    :returns: the files, sorted
    """
    unit = repository / "tests" / "unit"
    files = sorted(file for folder in FOLDERS for file in (unit / folder).rglob("test_*.py"))
    return [file for file in files if not sees_ansible(repository, file)]


def sees_ansible(repository: Path, file: Path) -> bool:
    """Whether a test file imports ``ansible``, directly or through files of this collection.

    :param repository: the folder of the collection
    :param file: below it
    """
    folders = [folder for folder in file.parents if folder.is_relative_to(repository / "tests")]
    to_read = [file, *(conftest for folder in folders if (conftest := folder / "conftest.py").is_file())]
    seen = set(to_read)
    while to_read:
        for name in _imports(to_read.pop()):
            if name.partition(".")[0] == "ansible":
                return True
            new = set(_files(repository, name)) - seen
            seen |= new
            to_read += new
    return False


@cache
def _imports(file: Path) -> tuple[str, ...]:
    """The names that a file imports, in functions and programs in strings too; of ``from a import b`` also ``a.b``."""
    return tuple(_imported_names(file))


def _imported_names(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _NAMED.findall(node.value)


def _files(repository: Path, name: str) -> Iterator[Path]:
    """The files of this collection that an import of a name runs."""
    if name.startswith(_COLLECTION):
        path = repository.joinpath(*name.removeprefix(_COLLECTION).split("."))
        packages = [folder / "__init__.py" for folder in (path, *path.parents) if folder.is_relative_to(repository)]
        yield from (file for file in (path.with_name(f"{path.name}.py"), *packages) if file.is_file())


if __name__ == "__main__":
    print(*pure_tests(Path(__file__).resolve().parents[2]), sep="\n")
