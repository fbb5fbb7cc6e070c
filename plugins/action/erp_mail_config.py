# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_mail_config``: makes the values here, and has them written where the ERP is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.module_utils.config_file.config_file_options import (
    wrong_config_file_arguments,
)
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import SettingsFile, System
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.inline_secret import read_secret
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.local_module import LocalModuleAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.file_values import file_entries, file_values

_ARGUMENTS: ArgumentSpec = {
    "system": {"type": "str", "required": True},
    "settings": {"type": "dict", "default": {}},
    "path": {"type": "path"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "catalogue_systems": {"type": "dict", "default": {}},
}


class ActionModule(LocalModuleAction):
    """Writes the settings of one environment into the file of its ERP, by the module ``erp_config_file``."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True
    _supports_async = False
    _runs = "erp_config_file"

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> Result:
        """Do the task, as Ansible asks for it.

        :param tmp: not used
        :param task_vars: the host's variables, raw; the secret is read from them
        :returns: the module's result; skipped where the ERP has no such file, failed when the secret cannot be written
        """
        result: Result = super().run(tmp, task_vars)
        _validation, given = self.validate_argument_spec(argument_spec=_ARGUMENTS)
        options = plain_value(given)
        try:
            system = Catalogue(options["catalogue_systems"]).system(options["system"])
            if system.file is None:
                return {**result, "skipped": True, "msg": f"{system.title} is not configured by a file: see its sheet."}
            arguments = self._arguments(system, system.file, options, task_vars or {})
        except KeyError as missing:
            return {**result, "failed": True, "msg": f"system: the catalogue has no ERP system {missing}"}
        except (Refused, MissingLibrary) as error:
            return {**result, "failed": True, "msg": str(error)}
        if problems := wrong_config_file_arguments(arguments):
            return {**result, "failed": True, "msg": "\n".join(problems)}
        return {**result, **self._run_module(arguments, task_vars or {})}

    def _arguments(
        self, system: System, file: SettingsFile, options: Mapping[str, Any], variables: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The options of ``erp_config_file``."""
        state = options["state"]
        common = {
            "path": options["path"] or file.path,
            "section": file.section,
            "entries": file_entries(file, system.transports),
            "state": state,
        }
        if state == "absent":
            return common
        values, secrets = file_values(file, options["settings"], lambda: read_secret(self._templar, variables))
        return {**common, "values": values, "secret_values": secrets}
