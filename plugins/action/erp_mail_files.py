# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_mail_files``: writes in the process of Ansible itself, so that many hosts take seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.inline_secret import read_secret
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.private_files import (
    FileChange,
    apply_files,
    plan_files,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.settings import masked, with_secret

_ARGUMENTS: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "required": True},
    "files": {"type": "dict", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "secrets": {"type": "str", "choices": ["reference", "inline"], "default": "reference"},
}
_SETTINGS = "settings.yml"


class ActionModule(ActionBase):  # type: ignore[misc]
    """Writes or removes the files of one environment."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Compare, and write what differs unless in check mode.

        :returns: changed, files (the paths that changed) and, when asked for, diff
        """
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=_ARGUMENTS)
        options = plain_value(arguments)
        present = options["state"] == "present"
        wanted = {name: str(text) if present else None for name, text in options["files"].items()}
        stray = [name for name in wanted if name != Path(name).name]
        if stray:
            return {
                **result,
                "failed": True,
                "msg": f"files: {stray[0]!r} is no plain file name. Use path for the folder.",
            }
        try:
            if options["secrets"] == "inline" and wanted.get(_SETTINGS):
                wanted[_SETTINGS] = with_secret(
                    str(wanted[_SETTINGS]), lambda: read_secret(self._templar, task_vars or {})
                )
            changes = plan_files(Path(options["path"]), wanted)
            if not self._task.check_mode:
                apply_files(changes)
        except Refused as error:
            return {**result, "failed": True, "msg": str(error)}
        except OSError as error:
            return {**result, "failed": True, "msg": f"{options['path']}: cannot be written: {error}"}
        result |= {"changed": bool(changes), "files": [str(change.path) for change in changes]}
        return {**result, "diff": [_difference(change) for change in changes]} if self._task.diff else result


def _difference(change: FileChange) -> dict[str, str]:
    """The texts before and after, secrets masked; a secret that changes is seen to change, but not how."""
    name = str(change.path)
    before, after = masked(change.before or "", "(secret)"), masked(change.after or "", "(secret)")
    if before == after and change.before != change.after:
        after = masked(change.after or "", "(another secret)")
    return {
        "before_header": name,
        "after_header": name,
        "before": before,
        "after": after,
    }
