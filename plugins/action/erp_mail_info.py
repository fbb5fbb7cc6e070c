# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_mail_info``: reads the host's variables, writes nothing, runs on the controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import alabels_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.stale_terms import ageing_today, utc_today
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.domain_owners import DOMAINS
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.host_declaration import (
    DECLARATION_OPTIONS,
    inventory_facts,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.inline_secret import read_secret
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.environment_needs import environment_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.password_text import password_problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.written_inventory import WrittenVariables
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.environment_texts import (
    PAGE,
    SETTINGS,
    SHEET,
    environment_texts,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judged_host import judge_host

_NOTHING: dict[str, Any] = {"settings": {}, "settings_yaml": "", "sheet": "", "sheet_html": ""}


class ActionModule(ControllerAction):
    """Turns one declaration into settings, sheet and needs."""

    argument_spec = DECLARATION_OPTIONS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Judge the declaration.

        :param options: the declaration, part by part
        :param variables: a secret among them is located, never read
        :returns: settings, settings_yaml, sheet, needs and warnings; failed with all errors, one per line, else
        :raises MissingLibrary: a library is not installed
        """
        catalogue = Catalogue(options["catalogue_systems"], options["catalogue_services"])
        facts = inventory_facts(_without_others(variables, options["own_domains"]))
        judged = judge_host(options, facts, catalogue, lambda: read_secret(self._templar, variables))
        result: Result = {"changed": False, "warnings": [str(problem) for problem in judged.warnings]}
        if judged.environment is None:
            problems = [str(problem) for problem in judged.errors]
            return {**result, "failed": True, "problems": problems, "msg": "\n".join(problems)}
        needs = environment_needs(judged.environment, catalogue)
        if needs["password_end"]:
            # the playbook site tells it in its own place, for all environments by date
            told = password_problem(options["environment"], needs["password_end"], utc_today())
            result["warnings"].append(str(told))
        if judged.environment.state == "absent":
            return {**result, **_NOTHING, "needs": needs, "problems": []}
        settings, texts = environment_texts(judged.environment, needs, ageing_today(options["accept_stale"] or []))
        written = {"settings_yaml": texts[SETTINGS], "sheet": texts[SHEET], "sheet_html": texts[PAGE]}
        return {**result, "settings": settings, **written, "needs": needs, "problems": []}


def _without_others(variables: Mapping[str, Any], own: Any) -> Mapping[str, Any]:
    """The variables without the domains that are not ours: in a run for one customer nothing is told of others'."""
    given = WrittenVariables(variables).referred(DOMAINS)
    if not isinstance(own, list) or not isinstance(given, Mapping):
        return variables
    kept = {alabels_of(name) for name in own}
    return {**variables, DOMAINS: {name: one for name, one in given.items() if alabels_of(name) in kept}}
