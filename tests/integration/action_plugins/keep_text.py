# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An action for the tests: writes a text into a file, without the two modules that ``copy`` starts for that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):  # type: ignore[misc]
    """``content`` into ``dest``, which only this user may read; in check mode too."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Write.

        :returns: nothing of what is written
        """
        file = Path(self._task.args["dest"])
        file.touch(mode=0o600)
        file.write_text(str(self._task.args["content"]), encoding="utf-8")
        return {"changed": False}
