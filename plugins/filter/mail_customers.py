# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters ``mail_customer_*``: a run for one customer, in plays and in roles."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.boundary import (
    SENDER_VARIABLES,
    CustomerBoundary,
    adopted_domains,
    customer_hosts,
    draw_boundary,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.crossings import CUSTOMER_RULES, RUN_VARIABLE
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_variables import (
    host_variable,
    readable_variable,
    unreadable_problem,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import UnreadableVariable
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.written_inventory import WrittenInventory
from ansible_collections.mailroom.erp.plugins.plugin_utils.template_marks import never_templates


def mail_customer_hosts(hostvars: Any, customer: Any, pattern: Any = "all") -> list[str]:
    """The hosts of a play that are one customer's; ``mail_customer_hosts.yml`` documents the options and the result."""
    inventory = WrittenInventory(hostvars)
    own, problems = customer_hosts(inventory, plain_value(customer))
    if problems:
        raise AnsibleFilterError("\n".join(map(str, problems)))
    found = [host for host in inventory.matching(plain_value(pattern)) if host in own]
    if not found:
        rule = "no host of this run is this customer's"
        way_out = "Look at mail_hosts and --limit."
        raise AnsibleFilterError(str(CUSTOMER_RULES.problem("this run", RUN_VARIABLE, customer, rule, way_out)))
    return found


def mail_customer_boundary(hostvars: Any, customer: Any, hosts: Iterable[str]) -> dict[str, Any]:
    """What is one customer's; ``mail_customer_boundary.yml`` documents the options and the result."""
    in_play = [str(host) for host in hosts]
    boundary = boundary_of(hostvars, customer, in_play)
    problems = boundary.problems or _senders_of_others(boundary, hostvars, in_play)
    return {
        "problems": [str(one) for one in problems],
        "domains": sorted(boundary.domains),
        "line": boundary.line(),
    }


def mail_customer_domains(domains: Any, customer: Any) -> dict[str, Any]:
    """The domains that are adopted for one customer; ``mail_customer_domains.yml`` documents the options."""
    given = plain_value(domains)
    try:
        return adopted_domains(given if isinstance(given, dict) else {}, plain_value(customer))
    except Refused as refused:
        raise AnsibleFilterError(str(refused)) from None


def boundary_of(hostvars: Any, customer: Any, hosts: Iterable[str]) -> CustomerBoundary:
    """Draw the boundary of a run; what cannot be read is a problem of it.

    :param hostvars: the variable of that name
    :param customer: for whom the run is
    :param hosts: of the play
    """

    def read(host: str, name: str) -> Any:
        try:
            return host_variable(hostvars[host], name)
        except UnreadableVariable:
            raise Refused(unreadable_problem(host, name)) from None

    in_play = [str(host) for host in hosts]
    try:
        return draw_boundary(WrittenInventory(hostvars, in_play), plain_value(customer), in_play, read)
    except Refused as refused:
        return CustomerBoundary("", problems=tuple(refused.problems))


def _senders_of_others(boundary: CustomerBoundary, hostvars: Any, hosts: Iterable[str]) -> list[Problem]:
    """What environments declare to send as, which is another's; what cannot be templated their judgement tells."""
    unreadable: list[Problem] = []
    said = {
        host: [readable_variable(host, hostvars[host], name, unreadable) for name in SENDER_VARIABLES] for host in hosts
    }
    return [problem for host, found in said.items() for problem in boundary.crossings(host, None, found)]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters, as Ansible asks for them."""
        return {
            "mail_customer_boundary": never_templates(mail_customer_boundary),
            "mail_customer_domains": never_templates(mail_customer_domains),
            "mail_customer_hosts": never_templates(mail_customer_hosts),
        }
