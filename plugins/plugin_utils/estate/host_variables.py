# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Reads variables of hosts in filters, where one that cannot be templated must not end the play with a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import UnreadableVariable
from jinja2 import TemplateError


def host_variable(variables: Mapping[str, Any], name: str) -> Any:
    """Read a variable of a host.

    :param variables: what ``hostvars`` has of the host
    :param name: the variable's name
    :returns: its value as ordinary Python; None when there is no such variable
    :raises UnreadableVariable: it cannot be templated
    """
    try:
        return plain_value(variables[name]) if name in variables else None
    except (AnsibleError, TemplateError):
        # the error's own text may quote the value
        raise UnreadableVariable from None


def readable_variable(host: str, variables: Mapping[str, Any], name: str, unreadable: list[Problem]) -> Any:
    """Read a variable of a host, and note a problem when it cannot be templated.

    :param host: its name, for the problem
    :param variables: what ``hostvars`` has of the host
    :param name: the variable's name
    :param unreadable: takes the problem
    :returns: its value as ordinary Python; None when there is none, or it cannot be templated
    """
    try:
        return host_variable(variables, name)
    except UnreadableVariable:
        unreadable.append(unreadable_problem(host, name))
    return None


def unreadable_problem(host: str, name: str) -> Problem:
    """What is told of a variable that cannot be templated.

    :param host: its name
    :param name: the variable's name
    """
    way_out = "Define the variable for this run, e.g. with --vault-id."
    return INVENTORY_RULES.problem(host, name, None, str(UnreadableVariable()), way_out)
