# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of ``dmarc_report_info``: wrong options are refused, and services become what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_options import wrong_report_arguments
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.known_services import known_services
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.action_base import MailroomAction


class ActionModule(MailroomAction):
    """Runs the module ``dmarc_report_info``."""

    _notes_why = False

    def _prepare(self, arguments: dict[str, Any]) -> list[str]:
        return wrong_report_arguments(arguments)

    def _execute(self, arguments: dict[str, Any], task_vars: Mapping[str, Any] | None) -> Result:
        try:
            own = self._templar.template((task_vars or {}).get("erp_mail_catalogue_services") or {})
            catalogue = Catalogue(services=plain_value(own))
            arguments["services"] = known_services(arguments.get("services"), catalogue)
        except (Refused, MissingLibrary) as error:
            return {"failed": True, "changed": False, "msg": str(error)}
        return super()._execute(arguments, task_vars)
