# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks on the test tenant: tasks in, results out, and no secret in between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook

INVENTORY: dict[str, Any] = {"all": {"hosts": {"localhost": {"ansible_connection": "local"}}}}


def task(module: str, **options: Any) -> dict[str, Any]:
    """One task; its result goes into the file ``result-<module>.json`` in the folder of the test.

    :param options: of the module; the tenant is in the variable ``tenant``
    """
    return {
        "name": f"Do {module}",
        f"mailroom.erp.{module}": {"tenant": "{{ tenant }}", **options},
        "register": module,
    }


def run_tasks(folder: Path, tenant: dict[str, Any], tasks: list[dict[str, Any]], *arguments: str) -> Result:
    """Run tasks and keep each one's result in a file, which no output shows.

    :param tenant: the option ``tenant`` of all of them
    :param arguments: of ansible-playbook
    """
    kept = []
    for one in tasks:
        kept.append(one)
        kept.append(
            {
                "name": "Keep the result",
                "ansible.builtin.copy": {
                    "content": "{{ " + one["register"] + " | to_json }}",
                    "dest": str(folder / f"result-{one['register']}.json"),
                    "mode": "0600",
                },
                "check_mode": False,
                "changed_when": False,
                "diff": False,
                "no_log": True,
            }
        )
    play = {
        "name": "Test",
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "tasks": kept,
    }
    variables = folder / "tenant.json"
    variables.write_text(json.dumps({"tenant": tenant}), encoding="utf-8")
    text = yaml.safe_dump([play], sort_keys=False)
    return run_playbook(folder, text, INVENTORY, "-e", f"@{variables}", *arguments)


def result_of(folder: Path, module: str) -> dict[str, Any]:
    """What a task returned in the last run."""
    kept: dict[str, Any] = json.loads((folder / f"result-{module}.json").read_text(encoding="utf-8"))
    return kept
