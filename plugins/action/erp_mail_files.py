# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_mail_files``: writes in the process of Ansible itself, so that many hosts take seconds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.inline_secret import read_secret
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.written_environment import (
    file_differences,
    write_environment,
)

_ARGUMENTS: ArgumentSpec = {
    "path": {"type": "path", "required": True},
    "files": {"type": "dict", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "secrets": {"type": "str", "choices": ["reference", "inline"], "default": "reference"},
}


class ActionModule(ControllerAction):
    """Writes or removes the files of one environment."""

    argument_spec = _ARGUMENTS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Compare, and write what differs unless in check mode.

        :param options: path, files, state and secrets
        :param variables: the secret is read from them when ``secrets`` is inline
        :returns: changed, files (the paths that changed) and, when asked for, diff
        :raises Refused: the secret cannot be read
        """
        stray = [name for name in options["files"] if name != Path(name).name]
        if stray:
            return {"failed": True, "msg": f"files: {stray[0]!r} is no plain file name. Use path for the folder."}
        present = options["state"] == "present"
        files = {name: str(text) if present else None for name, text in options["files"].items()}
        password = (lambda: read_secret(self._templar, variables)) if options["secrets"] == "inline" else None
        try:
            changes = write_environment(Path(options["path"]), files, password, not self._task.check_mode)
        except OSError as error:
            return {"failed": True, "msg": f"{options['path']}: cannot be written: {error}"}
        result: Result = {"changed": bool(changes), "files": [str(change.path) for change in changes]}
        return {**result, "diff": file_differences(changes)} if self._task.diff else result
