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
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.private_files import (
    FileChange,
    apply_files,
    plan_files,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.settings import mask_secrets, with_secret

_ARGUMENTS: ArgumentSpec = {
    "path": {"type": "path", "required": True},
    "files": {"type": "dict", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "secrets": {"type": "str", "choices": ["reference", "inline"], "default": "reference"},
}
_SETTINGS = "settings.yml"


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
        wanted = self._wanted(options, variables)
        try:
            changes = plan_files(Path(options["path"]), wanted)
            if not self._task.check_mode:
                apply_files(changes)
        except OSError as error:
            return {"failed": True, "msg": f"{options['path']}: cannot be written: {error}"}
        result: Result = {"changed": bool(changes), "files": [str(change.path) for change in changes]}
        return {**result, "diff": [_difference(change) for change in changes]} if self._task.diff else result

    def _wanted(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, str | None]:
        """The text of each file by name; None for one that shall not exist."""
        if options["state"] != "present":
            return dict.fromkeys(options["files"])
        wanted: dict[str, str | None] = {name: str(text) for name, text in options["files"].items()}
        settings = wanted.get(_SETTINGS)
        if options["secrets"] == "inline" and settings:
            wanted[_SETTINGS] = with_secret(settings, lambda: read_secret(self._templar, variables))
        return wanted


def _difference(change: FileChange) -> dict[str, str]:
    """The texts before and after, secrets masked; a secret that changes is seen to change, but not how."""
    name = str(change.path)
    before, after = mask_secrets(change.before or "", "(secret)"), mask_secrets(change.after or "", "(secret)")
    if before == after and change.before != change.after:
        after = mask_secrets(change.after or "", "(another secret)")
    return {
        "before_header": name,
        "after_header": name,
        "before": before,
        "after": after,
    }
