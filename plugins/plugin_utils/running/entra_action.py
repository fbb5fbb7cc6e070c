# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What every Entra module does on the controller before it starts: no misplaced secret may reach it, or its output."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import wrong_entra_arguments
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.action_base import MailroomAction


class EntraAction(MailroomAction):
    """Refuses a wrong ``tenant`` and options that do not exist without showing a value, then runs the module.

    A misspelled option is in no argument spec, so the module would print its value in ``invocation``.
    """

    _notes_why = False

    def _prepare(self, arguments: dict[str, Any]) -> list[str]:
        return wrong_entra_arguments(self._module, arguments)


class CatalogueAction(EntraAction):
    """Tells the module which application permissions the catalogue lists; nobody else may."""

    def _prepare(self, arguments: dict[str, Any]) -> list[str]:
        if "catalogue_permissions" in arguments:
            return ["catalogue_permissions is set by the controller from the catalogue: leave it out"]
        problems = super()._prepare(arguments)
        arguments["catalogue_permissions"] = _listed_permissions()
        return problems


def _listed_permissions() -> list[dict[str, str]]:
    """The application permissions that the ERP systems of this collection need. Entries of the user are not asked:
    an inventory must not widen what an automation may grant."""
    # not for a task that is skipped: Ansible compiles all that an action imports at each start
    from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue

    catalogue = Catalogue()
    transports = [one for name in catalogue.names("systems") for one in catalogue.system(name).transports]
    return [dict(permission) for one in transports if one.entra for permission in one.entra.permissions]
