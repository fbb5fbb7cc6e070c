# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of ``entra_environments``: a secret is made only when its place is proved, and stored before anybody
sees the result, which does not hold it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.entra.environments import Done
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.environment_secrets import SecretFiles
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.entra_action import CatalogueAction


class ActionModule(CatalogueAction):
    """Runs the module ``entra_environments``."""

    # The result of an asynchronous task loses what hides it.
    _supports_async = False

    def _execute(self, arguments: dict[str, Any], task_vars: Mapping[str, Any] | None) -> Result:
        # what the action adds must not show in the task of the next run
        arguments = copy.deepcopy(arguments)
        given = arguments.get("environments") or []
        if not isinstance(given, list) or not all(isinstance(one, Mapping) and "environment" in one for one in given):
            msg = "environments: give a list of dictionaries, each with its name as environment."
            return {"failed": True, "changed": False, "msg": msg}
        tenant = arguments.get("tenant")
        if not isinstance(tenant, Mapping) or not tenant.get("tenant_id"):
            return super()._execute(arguments, task_vars)  # refuses it
        files = SecretFiles(arguments, self._loader._vault)
        if arguments.get("stored"):
            return self._stored(files, arguments["stored"])
        files.fill_in()
        if not self._task.check_mode:
            files.prove(arguments.get("make_secrets") or [])
        arguments["environments"] = [one for one in given if one["environment"] not in files.problems]
        executed: Result = {"changed": False, "environments": {}}
        if arguments["environments"] or not given:
            executed = self._handed_over(super()._execute(arguments, task_vars), files, arguments, task_vars)
        return _with_problems(executed, files.problems, str(tenant["tenant_id"]))

    def _stored(self, files: SecretFiles, entries: Mapping[str, Any]) -> Result:
        try:
            changed = self._task.check_mode or files.store(entries)
        except Refused as refused:
            return {"failed": True, "changed": False, "msg": str(refused)}
        return _with_problems({"changed": changed, "environments": {}}, files.problems, "")

    def _handed_over(
        self, executed: Result, files: SecretFiles, arguments: dict[str, Any], task_vars: Mapping[str, Any] | None
    ) -> Result:
        """Store what was made; a value that cannot be stored is taken back at once, for nobody would have it."""
        made = executed.pop("secrets", None) or {}
        environments = executed.get("environments") or {}
        for name, one in environments.items():
            one["stored"] = files.place_of(name)
        returned = {"secrets": made, "_ansible_no_log": bool(made)} if files.returns_secrets else {}
        if self._task.check_mode or arguments.get("withdraw"):
            return {**executed, **returned}
        try:
            stored = files.store_made(environments, {} if files.returns_secrets else made)
        except Refused as refused:
            keys = {name: environments[name]["key_id"] for name in made if name not in files.stored}
            return self._withdrawn(executed, str(refused), {**arguments, "withdraw": keys}, task_vars)
        return {**executed, **returned, "changed": bool(executed.get("changed")) or stored}

    def _withdrawn(
        self, executed: Result, reason: str, arguments: dict[str, Any], task_vars: Mapping[str, Any] | None
    ) -> Result:
        told = "no secret was lost"
        if arguments["withdraw"]:
            taken = super()._execute(arguments, task_vars)
            told = "the new secrets are taken back"
            if taken.get("failed"):
                told = f"the new secrets could not be taken back either: {taken.get('msg')}"
        return {**executed, "failed": True, "msg": f"{reason}\n{told}; run again once it can be written."}


def _with_problems(executed: Result, problems: Mapping[str, str], tenant_id: str) -> Result:
    """The result, with the environments that were left out because of their secrets' file."""
    if not problems:
        return executed
    told = [executed["msg"]] if executed.get("failed") else []
    left_out = {name: Done(problems=[problem]).as_dict(tenant_id) for name, problem in problems.items()}
    return {
        **executed,
        "failed": True,
        "msg": "\n".join([*told, *(f"{name}: {problem}" for name, problem in problems.items())]),
        "environments": {**(executed.get("environments") or {}), **left_out},
    }
