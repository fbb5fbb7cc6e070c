# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_environments_info``: judges the hosts of a whole play in Ansible's own process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import uncovered_environments
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_probe import probed_servers
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import host_tenant, tenants_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_judgement import Catalogues, judged_variables
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import PlayVariables

_ARGUMENTS: ArgumentSpec = {"hosts": {"type": "list", "elements": "str", "required": True}}


class ActionModule(ControllerAction):
    """Reads and judges what all hosts declare."""

    argument_spec = _ARGUMENTS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Judge the hosts, one after the other.

        :param options: the names of the hosts
        :param variables: those of the host that the task runs for; all others are reached through them
        :returns: variables and declarations by host, and the warnings
        """
        play = PlayVariables(self._task, variables, self._templar)
        catalogues = Catalogues()
        judged = {host: judged_variables(host, play.of(host), catalogues) for host in options["hosts"]}
        tenants = tenants_of(host_tenant(host, one.needs, one.variables.get) for host, one in judged.items())
        return {
            "changed": False,
            "variables": {host: one.variables for host, one in judged.items()},
            "needs": {host: one.needs for host, one in judged.items() if one.needs},
            "mail_servers": probed_servers({host: one.needs for host, one in judged.items() if one.needs}),
            "declarations": {host: one.declaration for host, one in judged.items() if one.declaration},
            "tenants": tenants.tenants,
            "problems": [asdict(problem) for problem in tenants.problems],
            "left_out": uncovered_environments(variables["hostvars"], judged),
            "cautions": {
                host: [str(problem) for problem in one.warnings] for host, one in judged.items() if one.warnings
            },
        }
