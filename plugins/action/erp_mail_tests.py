# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_mail_tests``: what came of one message of each sender, told and given to each host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.utils.display import Display
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.sender_test_report import sender_test_report
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.sender_tests import (
    SenderTestRun,
    sender_test_outcomes,
    sender_tests,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import kept_result

_ARGUMENTS: ArgumentSpec = {
    "judged": {"type": "str", "required": True},
    "plan": {"type": "str", "required": True},
    "tenants": {"type": "list", "elements": "dict", "default": []},
    "trials": {"type": "list", "elements": "dict", "default": []},
}


class ActionModule(ControllerAction):
    """Ends a run that tests the senders of all environments."""

    argument_spec = _ARGUMENTS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Print the report.

        :param options: what the run knows
        :param variables: those of the host that the task runs for
        :returns: what came of each environment of which there is something to tell
        """
        judged, plan = (kept_result(variables, options[name]) for name in ("judged", "plan"))
        first = str(variables["ansible_play_hosts_all"][0])
        refused = dict(plan["refused"]["environments"])
        if plan["refused"]["run"]:
            refused[first] = [*refused.get(first, []), *plan["refused"]["run"]]
        untested = sender_tests(judged, options["tenants"], ()).untested
        run = SenderTestRun(
            environments=tuple(judged["needs"]),
            results=tuple(one for one in options["trials"] if not one.get("skipped")),
            # what is wrong with one says why it is not tested
            untested={host: reason for host, reason in untested.items() if host not in refused},
            refused=refused,
        )
        found = sender_test_outcomes(run)
        for line in sender_test_report(run, found):
            Display().display(line)
        told = {host: one.as_dict(self._task.diff) for host, one in found.items()}
        return {"changed": any(one.changed for one in found.values()), "environments": told}
