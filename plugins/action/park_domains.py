# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of ``park_domains``: what all modules share, and the progress of a long run while it lasts."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.plugin_utils.running.followed_action import FollowedAction


class ActionModule(FollowedAction):
    """Runs the module ``park_domains``."""
