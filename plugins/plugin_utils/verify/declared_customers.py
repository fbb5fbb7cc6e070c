# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whose each environment and each domain is, as the inventory declares it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.declared_domains import CUSTOMER_KEY
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_judgement import Variables
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_variables import unreadable_problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import UnreadableVariable

_VARIABLE = "mail_customer"
_LONGEST = 100


def host_customers(hosts: Iterable[tuple[str, Variables]]) -> dict[str, str]:
    """The customers of hosts; one that declares none is missing.

    :param hosts: each with its variables
    :raises Refused: a customer has no proper name
    """
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for host, variables in hosts:
        try:
            given = variables.value(_VARIABLE) if _VARIABLE in variables.raw else None
        except UnreadableVariable:
            problems.append(unreadable_problem(host, _VARIABLE))
            continue
        problems += _wrong(host, _VARIABLE, given)
        found |= {host: str(given)} if given is not None else {}
    if problems:
        raise Refused(problems)
    return found


def domain_customers(domains: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The customers that domains declare themselves.

    :param domains: the entries of mail_dns_domains by name
    :raises Refused: a customer has no proper name
    """
    given = {name: one[CUSTOMER_KEY] for name, one in domains.items() if one.get(CUSTOMER_KEY) is not None}
    problems = [
        one for name, value in given.items() for one in _wrong(name, f"mail_dns_domains.{name}.{CUSTOMER_KEY}", value)
    ]
    if problems:
        raise Refused(problems)
    return given


def _wrong(subject: str, where: str, value: Any) -> list[Problem]:
    is_name = isinstance(value, str) and value.isprintable() and value.strip() == value and 0 < len(value) <= _LONGEST
    if value is None or is_name:
        return []
    rule = f"a customer is a name: a text of 1 to {_LONGEST} printable characters, without blanks at its ends"
    return [INVENTORY_RULES.problem(subject, where, None, rule, "Write e.g. Bakkerij Jansen.")]
