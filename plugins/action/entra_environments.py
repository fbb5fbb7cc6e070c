# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of ``entra_environments``: a secret is made only when its place is proved, and stored as soon as it
is made. The result does not hold it."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.environment_secrets import (
    SecretFiles,
    stored_entry,
    tenant_of,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.secret_intake import SecretIntake
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
        if not _names_tenants(arguments):
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
            executed = self._handed_over(self._asked(files, arguments, task_vars), files, arguments, task_vars)
        tenants = {one["environment"]: tenant_of(arguments, one) for one in given}
        return _with_problems(executed, files.problems, tenants)

    def _stored(self, files: SecretFiles, entries: Mapping[str, Any]) -> Result:
        changed = self._task.check_mode or files.store(entries)
        if files.unstored:
            return {"failed": True, "changed": changed, "msg": "\n".join(dict.fromkeys(files.unstored.values()))}
        return _with_problems({"changed": changed, "environments": {}}, files.problems, {})

    def _asked(self, files: SecretFiles, arguments: dict[str, Any], task_vars: Mapping[str, Any] | None) -> Result:
        """Run the module. Where it runs here, each secret is stored while it goes on; all are in its result, too."""
        makes = arguments.get("make_secrets") and not self._task.check_mode and not files.returns_secrets
        if not makes or not self._stays_here(task_vars or {}):
            return super()._execute(arguments, task_vars)

        def store(made: Mapping[str, Mapping[str, Any]]) -> None:
            files.store({name: {**stored_entry(one["found"]), "secret": one["secret"]} for name, one in made.items()})

        with tempfile.TemporaryDirectory(prefix="mailroom-") as folder:
            pipe = Path(folder) / "secrets"
            with SecretIntake(pipe, store):
                return super()._execute({**arguments, "secrets_pipe": str(pipe)}, task_vars)

    def _handed_over(
        self, executed: Result, files: SecretFiles, arguments: dict[str, Any], task_vars: Mapping[str, Any] | None
    ) -> Result:
        """Store what is not stored yet; a value that cannot be is taken back at once, for nobody would have it."""
        made = executed.pop("secrets", None) or {}
        environments = executed.get("environments") or {}
        for name, one in environments.items():
            one["stored"] = files.place_of(name)
        for name in files.left_over(environments):
            # a run that was cut off has deleted the application and not the secret
            environments[name] |= {"changed": True, "diff": [*environments[name]["diff"], _stored_difference(name)]}
            executed |= {"changed": True, "differs": True}
        returned = {"secrets": made, "_ansible_no_log": bool(made)} if files.returns_secrets else {}
        if self._task.check_mode or arguments.get("withdraw"):
            return {**executed, **returned}
        stored = files.store_made(environments, {} if files.returns_secrets else made)
        if files.unstored and environments:
            keys = {name: environments[name]["key_id"] for name in made if name in files.unstored}
            return self._withdrawn(executed, files.unstored, {**arguments, "withdraw": keys}, task_vars)
        return {**executed, **returned, "changed": bool(executed.get("changed")) or stored}

    def _withdrawn(
        self,
        executed: Result,
        unstored: Mapping[str, str],
        arguments: dict[str, Any],
        task_vars: Mapping[str, Any] | None,
    ) -> Result:
        told = "no secret was lost"
        if arguments["withdraw"]:
            taken = super()._execute(arguments, task_vars)
            told = "the new secrets are taken back"
            if taken.get("failed"):
                told = f"the new secrets could not be taken back either: {taken.get('msg')}"
        for name, reason in unstored.items():
            executed["environments"][name]["problems"].append(f"{reason}\n{told}; run again once it can be written.")
        lines = [*([executed["msg"]] if executed.get("failed") else []), *dict.fromkeys(unstored.values())]
        msg = "\n".join([*lines, f"{told}; run again once it can be written."])
        return {**executed, "failed": True, "msg": msg}


def _stored_difference(environment: str) -> dict[str, Any]:
    header = f"stored secret of {environment}"
    return {"before_header": header, "after_header": header, "before": {"stored": True}, "after": {"stored": False}}


def _names_tenants(arguments: Mapping[str, Any]) -> bool:
    """Whether each environment has a tenant, so that the names of files can be told."""
    if arguments.get("tenants"):
        return all(one.get("tenant_id") for one in arguments.get("environments") or [])
    tenant = arguments.get("tenant")
    return isinstance(tenant, Mapping) and bool(tenant.get("tenant_id"))


def _with_problems(executed: Result, problems: Mapping[str, str], tenants: Mapping[str, str]) -> Result:
    """The result, with the environments that were left out because of their secrets' file.

    :param tenants: the id of the tenant of each environment
    """
    if not problems:
        return executed
    # not needed otherwise, and Ansible compiles all that an action imports at each start
    from ansible_collections.mailroom.erp.plugins.module_utils.entra.environments import Done

    told = [executed["msg"]] if executed.get("failed") else []
    left_out = {name: Done(problems=[one]).as_dict(tenants.get(name, "")) for name, one in problems.items()}
    return {
        **executed,
        "failed": True,
        "msg": "\n".join([*told, *(f"{name}: {problem}" for name, problem in problems.items())]),
        "environments": {**(executed.get("environments") or {}), **left_out},
    }
