# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of ``erp_config_file``: wrong options are refused before anything starts, without a value."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.config_file.config_file_options import (
    wrong_config_file_arguments,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.action_base import MailroomAction


class ActionModule(MailroomAction):
    """Runs the module ``erp_config_file``."""

    _notes_why = False

    def _prepare(self, arguments: dict[str, Any]) -> list[str]:
        return wrong_config_file_arguments(arguments)
