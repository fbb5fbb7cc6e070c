# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_plan_proof``: sees that a plan may be carried out, before anything is looked at."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_differences import other_customer
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.proved_plan import PROOF_OPTIONS, proved_plan
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction

_ARGUMENTS: ArgumentSpec = {**PROOF_OPTIONS, "customer": {"type": "str"}}


class ActionModule(ControllerAction):
    """Proves a plan."""

    argument_spec: ArgumentSpec = _ARGUMENTS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Read the plan, and see that it is unedited, in time, and signed.

        :param options: where it is, who must have signed it, and for whom the run is
        :param variables: not used
        :returns: its digest and times, and who signed it
        :raises Refused: it may not be carried out
        """
        proved = proved_plan(options, datetime.datetime.now(datetime.UTC))
        plan = proved.plan
        if plan.customer != options["customer"]:
            raise Refused(other_customer())
        times = {"made": plan.made, "valid_until": plan.valid_until}
        return {
            "changed": False,
            "plan_file": str(proved.file),
            "digest": plan.digest,
            "playbook": plan.playbook,
            **times,
            "signed_by": list(proved.signed_by),
        }
