# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of ``entra_app_registration``: the catalogue says which permissions an ERP system may have."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.plugin_utils.running.entra_action import CatalogueAction


class ActionModule(CatalogueAction):
    """Runs the module ``entra_app_registration``."""
