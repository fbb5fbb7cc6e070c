# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command that a page shows: a shell reads it, and its playbooks, options, variables, targets and files exist."""

from __future__ import annotations

import functools
import itertools
import json
import re
import shlex
import subprocess
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible.cli.playbook import PlaybookCLI
from ansible_collections.mailroom.erp.tests.tools.inventory_schema import FILE
from ansible_collections.mailroom.erp.tests.tools.page_blocks import REPOSITORY, Block, blocks, executed_elsewhere

SHOWN = [one for one in blocks() if one.kind == "commands" and not executed_elsewhere(one)]
OTHERS = {
    ".",
    "PYTHONPATH=.venv/collections",
    "ansible-galaxy",
    "ansible-vault",
    "cp",
    "export",
    "mkdir",
    "molecule",
    "mv",
    "python3",
}
"""Programs of others, whose arguments are theirs to judge; what a page does with a cloud stands in the table."""
_NO_COMMAND = {";", "&&", "|", "||"}
_BY_HAND = {"report.yml": "docs/report.md", "tenant.yml": "docs/entra.md"}
"""Playbooks that the reader writes, and the page that shows what stands in them."""


def commands(text: str) -> Iterator[list[str]]:
    """The commands of a block, each as its words; an argument may go over several lines."""
    line = ""
    for more in text.replace("\\\n", " ").splitlines():
        line += f"{more}\n"
        try:
            words = _words(line)
        except ValueError:
            continue  # a quotation goes on in the next line
        line = ""
        parts = itertools.groupby(words, lambda word: word in _NO_COMMAND)
        yield from (list(part) for between, part in parts if not between)


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|")
    lexer.wordchars += "@{}:,<>$[]!"
    return list(lexer)


@functools.cache
def known_variables() -> set[str]:
    """Those of the JSON Schema of inventories, which has all that the playbooks read; and a tenant's on our pages."""
    found = json.loads(FILE.read_text(encoding="utf-8"))
    return {*found["definitions"]["variables"]["properties"], "acme_tenant"}


@functools.cache
def parsed(words: tuple[str, ...]) -> Namespace:
    """The arguments of ansible-playbook, read by its own parser."""
    program = PlaybookCLI(list(words))
    program.init_parser()
    found: Namespace = program.parser.parse_args(words[1:])
    return found


def extra_variables(given: list[str]) -> Iterator[str]:
    """The names of the variables of ``-e``, but for those in a file."""
    for one in given:
        if not one.startswith("@"):
            yield from json.loads(one) if one.startswith("{") else (part.partition("=")[0] for part in shlex.split(one))


def unknown_of_playbook(words: list[str], folder: Path) -> list[str]:
    arguments = parsed(tuple(words))
    names = arguments.args
    playbooks = [name for name in names if not (REPOSITORY / "playbooks" / f"{name.rpartition('.')[2]}.yml").is_file()]
    variables = [name for name in extra_variables(arguments.extra_vars or []) if name not in known_variables()]
    missing = [name for name in playbooks if not (folder / name).is_file()]
    return [*(name for name in missing if name not in _BY_HAND), *variables]


def unknown_of_make(words: list[str]) -> list[str]:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))
    given = [word.partition("=")[0] for word in words if "=" in word]
    unused = [name for name in given if not re.search(rf"\$[({{]{name}[)}}]", makefile)]
    return [*(word for word in words if "=" not in word and word not in targets), *unused]


def unknown_of_pip(words: list[str], folder: Path) -> list[str]:
    if words[0] != "install":
        return words
    files = [word for before, word in itertools.pairwise(words) if before == "-r"]
    wanted = "".join(file.read_text(encoding="utf-8").lower() for file in REPOSITORY.glob("**/*requirements*.txt"))
    packages = [word for word in words[1:] if word != "-r" and word not in files]
    # whoever has installed the collection stands in a folder of their own: only an example has its file beside its page
    missing = [file for file in files if not (folder / file).is_file()]
    return [*missing, *(name for name in packages if name.lower() not in wanted)]


def unknown(words: list[str], folder: Path) -> list[str]:
    """What a command names that does not exist."""
    program, *arguments = words
    if program == "ansible-playbook":
        return unknown_of_playbook(words, folder)
    if program == "make":
        return unknown_of_make(arguments)
    return unknown_of_pip(arguments, folder) if program == "pip" else [] if program in OTHERS else [program]


@pytest.mark.parametrize("block", SHOWN, ids=[one.name.rpartition(":")[0] for one in SHOWN])
def test_what_a_command_names_exists(block: Block) -> None:
    subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)
    found = list(commands(block.text))
    assert found
    assert [name for words in found for name in unknown(words, REPOSITORY / Path(block.page).parent)] == []


def test_playbooks_that_the_reader_writes_are_shown() -> None:
    for page in _BY_HAND.values():
        assert [one for one in blocks() if one.page == page and one.kind == "tasks"]


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("ansible-playbook -i x mailroom.erp.sit", ["mailroom.erp.sit"]),
        ("ansible-playbook mailroom.erp.site -e mail_pln=x", ["mail_pln"]),
        ("ansible-playbook mailroom.erp.site -e '{\"mail_plans\": 1}'", ["mail_plans"]),
        ("make demo ARGZ=x tests", ["tests", "ARGZ"]),
        ("pip install -r requirements-azure.txt", ["requirements-azure.txt"]),
        ("pip install dnspithon", ["dnspithon"]),
        ("pip install 'dnspython[idna]>=1.0' ansible-core", ["dnspython[idna]>=1.0"]),
        ("true && ansible-play x", ["true", "ansible-play"]),
    ],
)
def test_what_does_not_exist_is_seen(command: str, names: list[str]) -> None:
    assert [name for words in commands(command) for name in unknown(words, REPOSITORY)] == names


def test_an_option_that_ansible_has_not_is_seen() -> None:
    with pytest.raises(SystemExit):
        unknown(["ansible-playbook", "mailroom.erp.site", "--chek"], REPOSITORY)


NAMED = re.compile(r"`mailroom\.erp\.([a-z_]+)(?!\.)`")


def test_every_name_of_the_collection_in_a_text_exists() -> None:
    runtime = yaml.safe_load((REPOSITORY / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    known = {
        file.stem for kind in ("plugins/*", "playbooks") for file in REPOSITORY.glob(f"{kind}/*") if file.is_file()
    }
    known |= {folder.name for folder in (REPOSITORY / "roles").iterdir()} | set(runtime["action_groups"])
    pages = [file for pattern in ("*.md", "docs/**/*.md", "roles/*/README.md") for file in REPOSITORY.glob(pattern)]
    wrong = {name for page in pages for name in NAMED.findall(page.read_text(encoding="utf-8")) if name not in known}
    assert wrong == set()
