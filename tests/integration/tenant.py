# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks on the test tenant: tasks in, results out, and no secret in between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.integration.playbook import Result, keep, module_task, run_play


def task(module: str, **options: Any) -> dict[str, Any]:
    """One task; its result goes into the file ``result-<module>.json`` in the folder of the test.

    :param options: of the module; the tenant is in the variable ``tenant``
    """
    return module_task(module, module, tenant="{{ tenant }}", **options)


def run_in_tenant(folder: Path, tenant: dict[str, Any], tasks: list[dict[str, Any]], *arguments: str) -> Result:
    """Run tasks and keep each one's result in a file, which no output shows.

    :param tenant: the option ``tenant`` of all of them
    :param arguments: of ansible-playbook
    """
    kept = [step for one in tasks for step in (one, keep(one["register"], folder / f"result-{one['register']}.json"))]
    variables = folder / "tenant.json"
    variables.write_text(json.dumps({"tenant": tenant}), encoding="utf-8")
    return run_play(folder, kept, "-e", f"@{variables}", *arguments)


def result_of(folder: Path, module: str) -> dict[str, Any]:
    """What a task returned in the last run."""
    kept: dict[str, Any] = json.loads((folder / f"result-{module}.json").read_text(encoding="utf-8"))
    return kept
