# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What examples/awx tells the modules of awx.awx, against the options that those have; no AWX is asked."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

CONFIGURE = Path(__file__).parents[2] / "examples" / "awx" / "awx" / "configure.yml"
"""Its variables stand beside it."""
COLLECTIONS = os.environ["AWX_COLLECTIONS"]
"""The folder that holds the collection awx.awx."""
TASKS: list[dict[str, Any]] = yaml.safe_load(CONFIGURE.read_text(encoding="utf-8"))[0]["tasks"]
KINDS = {"str": str, "bool": bool, "dict": dict, "list": list, "int": int}


def module_of(task: Mapping[str, Any]) -> str:
    (found,) = [name for name in task if name.startswith("awx.awx.")]
    return found


def program(name: str, *arguments: str) -> str:
    """Run a program of Ansible with that collection; returns what it prints."""
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS, "ANSIBLE_LOCALHOST_WARNING": "false"}
    done = subprocess.run([name, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def options_of(module: str) -> dict[str, Any]:
    documented = json.loads(program("ansible-doc", "--type", "module", "--json", module))
    found: dict[str, Any] = documented[module]["doc"]["options"]
    return found


def problems(given: Mapping[str, Any], options: Mapping[str, Any], where: str) -> Iterator[str]:
    """What a module would refuse of options; what is a template is of any type."""
    missing = [name for name, one in options.items() if one.get("required") and name not in given]
    yield from (f"{where}.{name} is missing" for name in missing)
    for name, value in given.items():
        if name not in options:
            yield f"{where}.{name} is unknown"
            continue
        yield from _value_problems(value, options[name], f"{where}.{name}")


def _value_problems(value: Any, option: Mapping[str, Any], where: str) -> Iterator[str]:
    if isinstance(value, str) and "{{" in value:
        return
    if not isinstance(value, KINDS[option["type"]]):
        yield f"{where} is no {option['type']}"
    elif option.get("choices") and value not in option["choices"]:
        yield f"{where} is not one of {option['choices']}"
    elif option.get("suboptions"):
        entries: list[Any] = value if isinstance(value, list) else [value]
        for one in entries:
            yield from problems(one, option["suboptions"], where)


@pytest.mark.parametrize("task", TASKS, ids=module_of)
def test_the_module_has_the_options(task: dict[str, Any]) -> None:
    module = module_of(task)
    assert list(problems(task[module], options_of(module), module)) == []


def test_a_wrong_option_is_seen() -> None:
    wrong = {"name": 1, "kind": "dns", "input": {}}
    told = list(problems(wrong, options_of("awx.awx.credential_type"), "type"))
    assert [one.partition(" ")[0] for one in told] == ["type.name", "type.kind", "type.input"]


def test_the_playbook_is_read() -> None:
    listed = program("ansible-playbook", "--list-tasks", str(CONFIGURE))
    assert all(str(task["name"]) in listed for task in TASKS)
