# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of ``entra_app_credential``: the value of a new secret is in the result, and in no output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.entra.certificate import holds_private_key
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.entra_action import EntraAction


class ActionModule(EntraAction):
    """Runs the module ``entra_app_credential``."""

    # The result of an asynchronous task loses what hides it.
    _supports_async = False

    def _prepare(self, arguments: dict[str, Any]) -> list[str]:
        problems = super()._prepare(arguments)
        if holds_private_key(arguments.get("certificate")):
            problems.append("certificate holds a private key: give the certificate alone, and keep the key where it is")
        return problems

    def _execute(self, arguments: dict[str, Any], task_vars: Mapping[str, Any] | None) -> Result:
        executed = super()._execute(arguments, task_vars)
        if executed.get("secret"):
            executed["_ansible_no_log"] = True
        return executed
