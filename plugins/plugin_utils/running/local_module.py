# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Runs a module of the collection on this machine from its files.

Ansible packs a module with all that it imports, for a machine that has none of it, and Python compiles what comes out
of the package at each start. Here all files are, compiled; that is a second less for each task and host. The module is
started as Ansible documents it for running modules locally: as a program of its own, arguments as JSON by standard
input. How an action completes those arguments and reads the result is no public interface of ansible-core and differs
from one release to the next, so a release that is not known here runs all modules its own way.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as core
from ansible.utils.display import Display
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value

_LAUNCHER = Path(__file__).with_name("module_launcher.py")
_PROFILES: dict[str, tuple[str, ...]] = {"2.18": (), **dict.fromkeys(("2.19", "2.20", "2.21", "2.22"), ("legacy",))}
"""The releases known here, each with what its reader of results is told of how values stand in a module's JSON."""


def _release(version: str) -> str:
    """The first two numbers of a version of ansible-core, which betas, candidates and builds of a release share."""
    found = re.match(r"\d+\.\d+", version)
    return found.group() if found else version


_CORE = _release(core)


class LocalModuleAction(ActionBase):  # type: ignore[misc]
    """An action that runs its module right here where it may, and as Ansible does everywhere else."""

    _runs: str | None = None
    """The module that runs, without the collection's name, where it is not the one that is called as the action is."""

    @property
    def _module(self) -> str:
        """The name of the module, without the collection's."""
        return self._runs or str(self._task.action).rpartition(".")[2]

    @property
    def _full_name(self) -> str:
        return f"mailroom.erp.{self._runs}" if self._runs else str(self._task.action)

    def _run_module(self, arguments: dict[str, Any], variables: Mapping[str, Any]) -> Result:
        """Run the module.

        :param arguments: its options, templated
        :param variables: the host's, raw
        :returns: its result, as ``_execute_module`` would give it
        """
        if not self._stays_here(variables):
            later = bool(self._task.async_val) and not self._connection.has_native_async
            executed: Result = self._execute_module(
                module_name=self._full_name, module_args=arguments, task_vars=variables, wrap_async=later
            )
            return executed
        Display().vvv(f"Running module {self._module} from its files, by {sys.executable}")
        return self._run_here(arguments, variables)

    def _stays_here(self, variables: Mapping[str, Any]) -> bool:
        """Whether the module would run as this user, on this machine, by the Python that Ansible runs on."""
        if self._connection.transport != "local":
            return False
        otherwise = self._connection.become or self._task.async_val or constants.DEFAULT_KEEP_REMOTE_FILES
        return not otherwise and _is_our_python(self._interpreter(variables)) and _core_is_known()

    def _interpreter(self, variables: Mapping[str, Any]) -> str:
        others = variables.get("ansible_delegated_vars") or {}
        used = others.get(self._task.delegate_to, variables) if self._task.delegate_to else variables
        return str(self._templar.template(constants.config.get_config_value("INTERPRETER_PYTHON", variables=used)))

    def _run_here(self, arguments: dict[str, Any], variables: Mapping[str, Any]) -> Result:
        self._update_module_args(self._full_name, arguments, variables)
        given = json.dumps({"ANSIBLE_MODULE_ARGS": plain_value(arguments)})
        command = shlex.join([sys.executable, "-P", str(_LAUNCHER), self._module])
        environment = self._compute_environment_string()
        ended = self._low_level_execute_command(f"{environment} {command}".strip(), in_data=given.encode())
        return _cleaned(self._parse_returned_data(ended, *_PROFILES[_CORE]))


def _core_is_known() -> bool:
    """Whether its reader of results is known. If not, a warning says so; Ansible shows the same words once in a run."""
    if _CORE not in _PROFILES:
        Display().warning(
            f"ansible-core {_CORE} is not known to this release of mailroom.erp, which knows {', '.join(_PROFILES)}. "
            "Its modules are packed by Ansible, as for another machine: the same results, a second later for each task."
        )
    return _CORE in _PROFILES


def _is_our_python(program: str) -> bool:
    """Whether it is the Python that runs Ansible, perhaps by another name in the same folder (python3.13)."""
    ours = Path(sys.executable)
    return program == sys.executable or (Path(program).parent == ours.parent and _same_file(Path(program), ours))


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _cleaned(parsed: Any) -> Result:
    """The result without what only Ansible may say, as ``_execute_module`` leaves it."""
    if isinstance(parsed, dict):
        from ansible.vars.clean import remove_internal_keys  # gone in 2.21

        remove_internal_keys(parsed)
        return parsed
    parsed.remove_internal_keys()
    result: Result = parsed.as_result_dict(for_round_trip=True)
    return result
