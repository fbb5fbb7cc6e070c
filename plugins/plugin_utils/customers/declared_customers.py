# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whose each environment and each domain is, as the inventory declares it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import alabels_of
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.declared_domains import CUSTOMER_KEY
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_judgement import Variables
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_variables import unreadable_problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import UnreadableVariable

HOST_VARIABLE = "mail_customer"
"""Whose environment a host is."""

_LONGEST = 100
_UNSAFE = re.compile(r"[^a-z0-9]+")


def host_customers(hosts: Iterable[tuple[str, Variables]]) -> dict[str, str]:
    """The customers of hosts; one that declares none is missing.

    :param hosts: each with its variables
    :raises Refused: a customer has no proper name
    """
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for host, variables in hosts:
        try:
            given = variables.value(HOST_VARIABLE) if HOST_VARIABLE in variables.raw else None
        except UnreadableVariable:
            problems.append(unreadable_problem(host, HOST_VARIABLE))
            continue
        problems += _wrong(host, HOST_VARIABLE, given)
        found |= {host: str(given)} if given is not None else {}
    if problems:
        raise Refused(problems)
    return found


def domain_customers(domains: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """The customers that domains declare themselves: one, or several who share it.

    :param domains: the entries of mail_dns_domains by name
    :raises Refused: a customer has no proper name
    """
    given = {name: customers_in(one) for name, one in domains.items() if one.get(CUSTOMER_KEY) is not None}
    problems = [
        problem
        for name, values in given.items()
        for value in values
        for problem in _wrong(name, f"mail_dns_domains.{name}.{CUSTOMER_KEY}", value)
    ]
    if problems:
        raise Refused(problems)
    return given


def customers_in(domain: Mapping[str, Any]) -> tuple[Any, ...]:
    """The customers that one domain declares, checked or not; none when it declares none.

    :param domain: its entry in mail_dns_domains
    """
    given = domain.get(CUSTOMER_KEY)
    if given is None:
        return ()
    return tuple(given) or ("",) if isinstance(given, (list, tuple)) else (given,)


def is_customer(value: object) -> bool:
    """Whether a value can be the name of a customer.

    :param value: plain
    """
    return isinstance(value, str) and value.isprintable() and value.strip() == value and 0 < len(value) <= _LONGEST


def customer_problem(subject: str, where: str) -> Problem:
    """What is told of a value that can be no name of a customer.

    :param subject: the host, the domain or the run
    :param where: the variable
    """
    rule = f"a customer is a name: a text of 1 to {_LONGEST} printable characters, without blanks at its ends"
    return INVENTORY_RULES.problem(subject, where, None, rule, "Write e.g. Bakkerij Jansen.")


def customer_file_stem(name: str) -> str:
    """What the files of a customer are called, without the ending.

    :param name: of the customer, as the inventory has it
    :returns: letters, digits and hyphens; with a digest where the name has other signs, so that two names never meet
    """
    plain = _UNSAFE.sub("-", name.lower()).strip("-")[:60]
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return plain if plain and plain == name else f"{plain}-{digest}".strip("-")


def contradictions(
    host: str, variables: Variables, needs: Mapping[str, Any] | None, declared: Mapping[str, Any]
) -> Iterator[Problem]:
    """Where an environment of one customer sends as a domain that names others, so that one of both is wrong.

    :param host: its name
    :param variables: of the host
    :param needs: what ``environment_needs`` gave for it
    :param declared: its ``mail_dns_domains``, templated, by that name
    """
    domains, needed = (
        declared.get("mail_dns_domains"),
        {*(needs or {}).get("domains", {}), *(needs or {}).get("dkim", {})},
    )
    if not needed or not isinstance(domains, Mapping) or HOST_VARIABLE not in variables.raw:
        return
    try:
        customer = variables.value(HOST_VARIABLE)
    except UnreadableVariable:
        return
    for name, one in domains.items():
        named = customers_in(one) if isinstance(one, Mapping) else ()
        if customer and named and customer not in named and alabels_of(name) in needed:
            others = " and ".join(map(str, named))
            rule = f"{host} of {customer} sends as this domain, which is declared as that of {others}"
            way_out = "Correct one of both, or name all whose it is: customer: [...]."
            yield INVENTORY_RULES.problem(host, f"mail_dns_domains.{name}.{CUSTOMER_KEY}", None, rule, way_out)


def _wrong(subject: str, where: str, value: Any) -> list[Problem]:
    return [] if value is None or is_customer(value) else [customer_problem(subject, where)]
