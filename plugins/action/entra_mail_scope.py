# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of ``entra_mail_scope``: nothing beyond what all Entra modules share."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.plugin_utils.running.entra_action import EntraAction


class ActionModule(EntraAction):
    """Runs the module ``entra_mail_scope``."""
