# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter ``mail_needs``: from Ansible's variables to ``estate.estate_plan``, where the rules are."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.mailroom.erp.plugins.filter.mail_customers import boundary_of
from ansible_collections.mailroom.erp.plugins.filter.mail_tenants import tenant_of_host
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import (
    EstateOptions,
    HostNeeds,
    host_needs,
    uncovered_environments,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_plan import EstatePlan, add_up
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import (
    HostTenant,
    tenants_of,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_variables import readable_variable
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.sender_transport import with_transport
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value
from ansible_collections.mailroom.erp.plugins.plugin_utils.template_marks import never_templates


def mail_needs(
    hostvars: Mapping[str, Any],
    hosts: Iterable[str],
    complete: bool | str = False,
    limit: str = "",
    accept_stale: Iterable[str] | str = (),
    today: str | None = None,
    customer: str | None = None,
) -> dict[str, Any]:
    """Add up the needs of all hosts; ``mail_needs.yml`` documents the options and the result."""
    day = datetime.date.fromisoformat(today) if today else datetime.date.today()
    names = [str(host) for host in hosts]
    accepted = accept_stale.split(",") if isinstance(accept_stale, str) else accept_stale or ()
    is_complete = boolean(complete)
    boundary = None if customer is None else boundary_of(hostvars, customer, names)
    if boundary and boundary.problems:
        return {**EstatePlan().module_options(), "problems": list(map(str, boundary.problems)), "warnings": []}
    left_out = tuple(uncovered_environments(hostvars, names)) if is_complete and not boundary else ()
    left_out = boundary.unseen if boundary else left_out
    options = EstateOptions(is_complete, bool(limit), frozenset(plain_value(name) for name in accepted), day, left_out)
    unreadable: list[Problem] = []
    # each host once: to gather its variables is what costs with hundreds of hosts
    parts = [_parts(name, hostvars[name], unreadable) for name in names]
    crossing: list[Problem] = []
    if boundary:
        said = {name: readable_variable(name, hostvars[name], "erp_mail_senders", unreadable) for name in names}
        crossing = [
            one for needs, _tenant in parts for one in boundary.crossings(needs.host, needs.needs, said[needs.host])
        ]
        parts = [(replace(needs, domains=boundary.own_domains(needs.domains)), tenant) for needs, tenant in parts]
    plan, tenants = (
        add_up([needs for needs, _tenant in parts], options),
        tenants_of([tenant for _needs, tenant in parts]),
    )
    return {
        **plan.module_options(),
        "problems": [str(problem) for problem in (*unreadable, *crossing, *plan.problems, *tenants.problems)],
        "warnings": [str(problem) for problem in plan.warnings],
    }


def _parts(name: str, variables: Mapping[str, Any], unreadable: list[Problem]) -> tuple[HostNeeds, HostTenant]:
    return _host(name, variables, unreadable), tenant_of_host(name, variables, unreadable)


def _host(name: str, variables: Mapping[str, Any], unreadable: list[Problem]) -> HostNeeds:
    def value(variable: str) -> Any:
        return readable_variable(name, variables, variable, unreadable)

    needs = with_transport(value("erp_mail_needs"), value("mail_entra_made"))
    return host_needs(name, needs, value)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters, as Ansible asks for them."""
        return {"mail_needs": never_templates(mail_needs)}
