# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A program that runs one module of the collection from its files; its arguments come as JSON by standard input.

Started by ``local_module`` with the module's name as only argument, by the Python that Ansible itself runs on.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType

_COLLECTION = ("ansible_collections", "mailroom", "erp")


def main() -> None:
    """Run the module that the last argument names; it ends the program itself."""
    name = sys.argv.pop()
    collection = Path(__file__).parents[3]
    _bind_collection(collection)
    runpy.run_module(".".join((*_COLLECTION, "plugins", "modules", name)), run_name="__main__", alter_sys=True)


def _bind_collection(folder: Path) -> None:
    """Let the collection's name stand for the files in a folder, whatever other collections Python would find."""
    for depth in range(len(_COLLECTION), 0, -1):
        package = ModuleType(".".join(_COLLECTION[:depth]))
        package.__path__ = [str(folder)]
        sys.modules[package.__name__] = package
        folder = folder.parent


if __name__ == "__main__":
    main()
