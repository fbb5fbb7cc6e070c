# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_report_pages``: makes pages of reports in the process of Ansible itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.private_files import (
    FileChange,
    apply_files,
    plan_files,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.report_folder import report_pages
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction

_ARGUMENTS: ArgumentSpec = {
    "path": {"type": "path", "required": True},
    "language": {"type": "str", "choices": ["en", "nl"], "default": "en"},
    "customer": {"type": "str"},
}


class ActionModule(ControllerAction):
    """Writes the pages of one folder of reports."""

    argument_spec = _ARGUMENTS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Make the pages, compare, and write what differs unless in check mode.

        :param options: path, language, and for whom the run was
        :param variables: not used
        :returns: changed, files (the paths that changed), pages (how many there are) and, when asked for, diff
        :raises Refused: a report is missing, or is none
        """
        folder = Path(options["path"]).absolute()
        pages = report_pages(folder, options["language"], options["customer"])
        try:
            changes = plan_files(folder, pages)
            if not self._task.check_mode:
                apply_files(changes)
        except OSError as error:
            return {"failed": True, "msg": f"{folder}: the pages cannot be written: {error.strerror or error}"}
        result: Result = {"changed": bool(changes), "files": [str(one.path) for one in changes], "pages": len(pages)}
        return {**result, "diff": [_difference(one) for one in changes]} if self._task.diff else result


def _difference(change: FileChange) -> dict[str, str]:
    """Which page is made anew; its HTML would tell nothing that the report does not."""
    return {"prepared": f"{change.path}: {'a new page' if change.before is None else 'made anew'}\n"}
