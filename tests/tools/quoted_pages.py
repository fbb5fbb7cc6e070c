# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follows a page as a reader does: writes its files, runs its commands, and puts what they print into its quotations.

A block that begins with ``# name`` or ``; name`` is the file of that name; a block ``sh`` is run; the block ``text``
behind it quotes what was printed. A quotation is one part of the output or several, with a line ``...`` between them;
its first and its last line say which part, and what stands between them is written anew.

    python -m ansible_collections.mailroom.erp.tests.tools.quoted_pages docs/tutorials/exalt.md ...
"""

from __future__ import annotations

import datetime
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.mailroom.erp.tests.integration.playbook import collections_path, own_program
from ansible_collections.mailroom.erp.tests.tools.page_blocks import REPOSITORY

START = "docs/tutorials/start.md"
DAY = "2026-11-30"
"""Stands for the day of the run."""
_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"[#;] (?P<name>[\w./-]+)\n")
_INSTALLED = "~/.ansible/collections"


class NoSuchLine(Exception):
    """A quotation begins or ends with a line that was not printed."""


def followed(page: str, folder: Path) -> str:
    """Do what a page says.

    :param page: the text
    :param folder: where the reader stands
    :returns: the page with the quotations of this run
    :raises NoSuchLine: a quotation is of something else
    :raises subprocess.CalledProcessError: a command failed
    """
    made, printed, end = [], "", 0
    for block in _BLOCK.finditer(page):
        text, file = block["text"], _FILE.match(block["text"])
        if block["language"] == "sh":
            printed = run(text, folder)
        elif file:
            (folder / file["name"]).write_text(text, encoding="utf-8")
        elif block["language"] == "text" and printed:
            text = quoted(text, printed)
        made += [page[end : block.start("text")], text]
        end = block.end("text")
    return "".join([*made, page[end:]])


def run(commands: str, folder: Path) -> str:
    """Run the commands of a block in a shell; returns what they printed, as of ``DAY``.

    :raises subprocess.CalledProcessError: one of them failed
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHONPATH"))}
    path = f"{Path(own_program('ansible-playbook')).parent}:{kept['PATH']}"
    ansible = {"ANSIBLE_COLLECTIONS_PATH": collections_path(), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"}
    done = subprocess.run(
        ["bash", "-ec", commands.replace(_INSTALLED, collections_path())],
        cwd=folder,
        env={**kept, **ansible, "PATH": path, "PWD": str(folder), "ANSIBLE_HOME": str(folder / ".ansible")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, commands, done.stdout)
    return done.stdout.replace(datetime.date.today().isoformat(), DAY).replace(str(folder), "/home/me/mail")


def quoted(quotation: str, printed: str) -> str:
    """The same parts of another output.

    :param quotation: as it stands in the page
    :param printed: the whole output
    :raises NoSuchLine: a part begins or ends with a line that is not in it
    """
    lines = [line.rstrip() for line in printed.splitlines()]
    parts = [part.strip("\n").split("\n") for part in re.split(r"^\.\.\.$", quotation, flags=re.MULTILINE)]
    return "...\n".join("".join(f"{line}\n" for line in _part(part, lines)) for part in parts)


def _part(part: list[str], lines: list[str]) -> Iterator[str]:
    try:
        first = lines.index(part[0])
        yield from lines[first : _end(part, lines, first) + 1]
    except ValueError:
        raise NoSuchLine(f"{part[0]!r} to {part[-1]!r} is not in:\n" + "\n".join(lines)) from None


def _end(part: list[str], lines: list[str], first: int) -> int:
    """Where the last line stands: behind the line before it, or else for the first time."""
    for last in (part[-2:], part[-1:]):
        found = [at for at in range(first, len(lines)) if lines[max(at - len(last) + 1, first) : at + 1] == last]
        if found:
            return found[0]
    raise ValueError(part[-1])


def main(pages: list[str]) -> None:
    """Write the quotations of pages anew; those of the tutorials begin with the practice folder."""
    for page in pages:
        with tempfile.TemporaryDirectory() as folder:
            if page.startswith("docs/tutorials/"):
                followed((REPOSITORY / START).read_text(encoding="utf-8"), Path(folder))
            text = followed((REPOSITORY / page).read_text(encoding="utf-8"), Path(folder))
            (REPOSITORY / page).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
