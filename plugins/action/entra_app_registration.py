# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of ``entra_app_registration``: the catalogue says which permissions an ERP system may have."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.entra_action import EntraAction


class ActionModule(EntraAction):
    def _prepare(self, arguments: dict[str, Any]) -> list[str]:
        if "catalogue_permissions" in arguments:
            return ["catalogue_permissions is set by the controller from the catalogue: leave it out"]
        problems = super()._prepare(arguments)
        arguments["catalogue_permissions"] = _listed()
        return problems


def _listed() -> list[dict[str, str]]:
    """The application permissions that the ERP systems of this collection need. Entries of the user are not asked:
    an inventory must not widen what an automation may grant."""
    catalogue = Catalogue()
    transports = [one for name in catalogue.names("systems") for one in catalogue.system(name).transports]
    return [dict(permission) for one in transports if one.entra for permission in one.entra.permissions]
