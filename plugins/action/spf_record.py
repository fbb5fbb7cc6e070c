# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of ``spf_record``: nothing beyond what all modules of the collection share."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.plugin_utils.running.dns_action import DnsAction


class ActionModule(DnsAction):
    """Runs the module ``spf_record``."""
