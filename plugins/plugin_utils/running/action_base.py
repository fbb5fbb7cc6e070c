# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What every module does on the controller before it starts: names and shapes of all options are checked there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.numbers import wrong_numbers
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.local_module import LocalModuleAction


class MailroomAction(LocalModuleAction):
    """Refuses options that do not exist or have a wrong shape without showing a value, then runs the module.

    A misspelled option is in no argument spec, so the module would print its value in ``invocation``. What an option
    may be is known to :class:`DnsAction` and :class:`EntraAction`, by the argument specs of their modules.
    """

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True
    _supports_async = True
    _notes_why = True
    """Whether the module takes ``why``, for its journal."""

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> Result:
        """Check the arguments and run the module of the same name, as Ansible asks for it.

        :param tmp: not used
        :param task_vars: the host's variables, raw
        :returns: the module's result; failed with one line per broken rule when the arguments are wrong
        """
        result: Result = super().run(tmp, task_vars)
        why = {"why": self._task.get_name()} if self._notes_why else {}
        arguments = {**why, **self._task.args}
        problems = self._prepare(arguments) or _numbers(arguments)
        if problems:
            return {**result, "failed": True, "changed": False, "msg": "\n".join(problems)}
        executed: Result = self._execute(arguments, task_vars)
        return {**result, **executed}

    def _execute(self, arguments: dict[str, Any], task_vars: Mapping[str, Any] | None) -> Result:
        """Run the module of the same name."""
        return self._run_module(arguments, task_vars or {})

    def _prepare(self, arguments: dict[str, Any]) -> list[str]:
        """Check the arguments, and change them to what the module is to get.

        :param arguments: of the task
        :returns: one sentence per broken rule; none quotes a value
        """
        raise NotImplementedError


def _numbers(arguments: Mapping[str, Any]) -> list[str]:
    """What should be a number and is none; Ansible would take it for one, and the module could not tell."""
    found = list(wrong_numbers(arguments))
    if not found:
        return []
    from ansible_collections.mailroom.erp.plugins.module_utils.domains.inventory_words import refusal_text

    return [refusal_text(Refused(found), arguments)]
