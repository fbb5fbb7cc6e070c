# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The base of actions that run no module: all they do is done in Ansible's own process, on the controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.plugins.module_utils.numbers import wrong_numbers
from ansible_collections.mailroom.erp.plugins.module_utils.plain_options import NeedsValidator, plain_options
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value


class ControllerAction(ActionBase):  # type: ignore[misc]
    """Checks the arguments by ``argument_spec`` and leaves the work to :meth:`work`."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False
    argument_spec: ArgumentSpec

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> Result:
        """Do the task, as Ansible asks for it.

        :param tmp: not used
        :param task_vars: the host's variables, raw
        :returns: what :meth:`work` gives; failed with the message of what was refused, or of a library that is missing
        """
        result: Result = super().run(tmp, task_vars)
        numbers = {
            name: self._task.args.get(name) for name, one in self.argument_spec.items() if one.get("type") == "int"
        }
        wrong = list(wrong_numbers(numbers))
        if wrong:
            return {**result, "failed": True, "msg": str(Refused(wrong))}
        try:
            return {**result, **self.work(plain_value(self._arguments()), task_vars or {})}
        except (Refused, MissingLibrary) as error:
            return {**result, "failed": True, "msg": str(error)}

    def _arguments(self) -> Mapping[str, Any]:
        try:
            return plain_options(self.argument_spec, self._task.args)
        except NeedsValidator:
            arguments: Mapping[str, Any] = self.validate_argument_spec(argument_spec=self.argument_spec)[1]
            return arguments

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Do what the action is for.

        :param options: the checked arguments with their defaults, as ordinary Python
        :param variables: the host's variables, raw
        :returns: the result of the task
        :raises Refused: something is wrong with the options or the variables
        :raises MissingLibrary: a library is not installed
        """
        raise NotImplementedError
