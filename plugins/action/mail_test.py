# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of ``mail_test``: wrong options are refused without a value, and a verdict travels as its results."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_options import (
    shown_verdict,
    wrong_mail_test_arguments,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.action_base import MailroomAction


class ActionModule(MailroomAction):
    """Runs the module ``mail_test``."""

    _notes_why = False

    def _prepare(self, arguments: dict[str, Any]) -> list[str]:
        problems = wrong_mail_test_arguments(arguments)
        if not problems and arguments.get("verdict") is not None:
            arguments["verdict"] = shown_verdict(arguments["verdict"])
        return problems
