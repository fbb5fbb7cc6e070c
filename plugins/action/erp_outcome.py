# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_outcome``: what one task did for all hosts becomes each host's own result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction

_ARGUMENTS: ArgumentSpec = {"run": {"type": "str", "required": True}}
_MOST_LINES = 5
_LONGEST = 600
"""Characters of a line: a problem ends with the way out, and those of declarations have up to 500."""


class ActionModule(ControllerAction):
    """Gives a host its own part of a result."""

    argument_spec = _ARGUMENTS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Look up the part of the task's host.

        :param options: the variable that holds the parts of all hosts
        :param variables: those of the task's host
        :returns: changed, diff and what changed; failed with the reasons, a screenful at most
        """
        # raw: to template the parts of all hosts for each of them would take most of the run
        own = plain_value(variables[options["run"]]["environments"][variables["inventory_hostname"]])
        result: Result = {"changed": bool(own["changed"]), "what": own["changed"]}
        result |= {"diff": own["diff"]} if own["diff"] else {}
        if not own["failed"]:
            return result
        return {**result, "failed": True, "msg": _told(own["failed"], own["result_file"])}


def _told(reasons: list[str], file: str | None) -> str:
    """The reasons, one per line and in short: the report has had all of them."""
    lines = "\n".join(reasons).splitlines()
    shown = [line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..." for line in lines[:_MOST_LINES]]
    more = [f"and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
    return "\n".join([*shown, *more, *([f"All of it is in {file}"] if file else [])])
