# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The base of modules that may run long: their progress is shown while they run, and they end with their run."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.utils.display import Display
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.abandoned_work import EndsWithRun
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.dns_action import DnsAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.progress_follower import ProgressFollower


class FollowedAction(DnsAction):
    """A module that runs on this machine notes its progress in a file; the lines are shown while it runs."""

    def _execute(self, arguments: dict[str, Any], task_vars: Mapping[str, Any] | None) -> Result:
        if self._connection.transport != "local" or self._task.async_val:
            return super()._execute(arguments, task_vars)
        with tempfile.TemporaryDirectory(prefix="mailroom-") as folder:
            file = Path(folder) / "progress"
            shown = ProgressFollower(file, lambda line: Display().display(f"{self._module}: {line}"))
            with shown, EndsWithRun():
                return super()._execute({**arguments, "progress_file": str(file)}, task_vars)
