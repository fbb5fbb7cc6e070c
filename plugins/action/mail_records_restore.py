# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of ``mail_records_restore``: the accounts are checked here, as in all modules of the collection."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import check_dns
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.action_base import MailroomAction


class ActionModule(MailroomAction):
    """Runs the module ``mail_records_restore``."""

    def _prepare(self, arguments: dict[str, Any]) -> list[str]:
        """Check the list of accounts too, whose wrong options would be shown by the module."""
        problems = super()._prepare(arguments)
        accounts = arguments.get("accounts")
        if accounts is None:
            return problems
        if not isinstance(accounts, list):
            return [*problems, f"accounts must be a list of DNS accounts, not a {type(accounts).__name__}"]
        return problems + [
            f"accounts[{number}]: {rule}" for number, account in enumerate(accounts) for rule in check_dns(account)
        ]
