# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_environments_info``: judges the hosts of a whole play in Ansible's own process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from ansible.utils.display import Display
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.boundary import (
    CustomerBoundary,
    draw_boundary,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.crossings import RUN_VARIABLE, run_of_one_host
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.declared_customers import contradictions
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.domain_owners import DOMAINS
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import uncovered_environments
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_probe import probed_servers
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import host_tenant, tenants_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_judgement import (
    Catalogues,
    HostJudgement,
    judged_variables,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_variables import unreadable_problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import (
    HostView,
    PlayVariables,
    UnreadableVariable,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.written_inventory import (
    WrittenInventory,
    WrittenVariables,
)

_ARGUMENTS: ArgumentSpec = {"hosts": {"type": "list", "elements": "str", "required": True}}


class ActionModule(ControllerAction):
    """Reads and judges what all hosts declare."""

    argument_spec = _ARGUMENTS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Judge the hosts, one after the other.

        :param options: the names of the hosts
        :param variables: those of the host that the task runs for; all others are reached through them
        :returns: variables and declarations by host, and the warnings
        """
        play = PlayVariables(self._task, variables, self._templar)
        boundary = self._boundary(options["hosts"], variables, play)
        if boundary and boundary.problems:
            return {**_nothing(), "boundary": _told(boundary)}
        catalogues = Catalogues()
        judged: dict[str, HostJudgement] = {}
        for host in options["hosts"]:
            view = play.of(host)
            if boundary:
                view = _within(boundary, view)
            elif RUN_VARIABLE in view.raw:
                return {**_nothing(), "boundary": _told(CustomerBoundary("", problems=(run_of_one_host(host),)))}
            one = judged_variables(host, view, catalogues)
            one.warnings = [*one.warnings, *contradictions(host, view, one.needs, one.variables)]
            judged[host] = one
        found = [one for host in judged for one in _crossings(boundary, host, judged[host])] if boundary else []
        if boundary and found:
            return {**_nothing(), "boundary": _told(replace(boundary, problems=tuple(found)))}
        if boundary:
            Display().display(boundary.line())
        tenants = tenants_of(host_tenant(host, one.needs, one.variables.get) for host, one in judged.items())
        return {
            "changed": False,
            "variables": {host: one.variables for host, one in judged.items()},
            "needs": {host: one.needs for host, one in judged.items() if one.needs},
            "mail_servers": probed_servers({host: one.needs for host, one in judged.items() if one.needs}),
            "declarations": {host: one.declaration for host, one in judged.items() if one.declaration},
            "tenants": tenants.tenants,
            "problems": [asdict(problem) for problem in tenants.problems],
            "left_out": list(boundary.unseen) if boundary else uncovered_environments(variables["hostvars"], judged),
            "cautions": {
                host: [str(problem) for problem in one.warnings] for host, one in judged.items() if one.warnings
            },
            "boundary": _told(boundary) if boundary else None,
        }

    def _boundary(
        self, hosts: Sequence[str], variables: Mapping[str, Any], play: PlayVariables
    ) -> CustomerBoundary | None:
        """What is the customer's, in a run for one; None in a run for all."""
        if RUN_VARIABLE not in variables:
            return None

        def read(host: str, name: str) -> Any:
            try:
                return play.of(host).value(name)
            except UnreadableVariable:
                raise Refused(unreadable_problem(host, name)) from None

        try:
            customer = read(hosts[0], RUN_VARIABLE)
            return draw_boundary(WrittenInventory(variables["hostvars"], hosts), customer, hosts, read)
        except Refused as refused:
            # told by the next task: this one shows nothing of its result
            return CustomerBoundary("", problems=tuple(refused.problems))


def _crossings(boundary: CustomerBoundary, host: str, judged: HostJudgement) -> list[Problem]:
    options = (judged.declaration or {}).get("options", {})
    return boundary.crossings(host, judged.needs, [options.get("senders"), options.get("envelope_from")])


def _nothing() -> Result:
    empty: Result = {name: {} for name in ("variables", "needs", "declarations", "tenants", "cautions")}
    return {"changed": False, **empty, "mail_servers": [], "problems": [], "left_out": []}


def _told(boundary: CustomerBoundary) -> Result:
    return {
        "customer": boundary.customer,
        "domains": sorted(boundary.domains),
        "foreign_below": boundary.foreign_below,
        "left_to_all": list(boundary.left_to_all),
        "problems": [str(one) for one in boundary.problems],
    }


def _within(boundary: CustomerBoundary, view: HostView) -> HostView:
    """The variables of a host without the domains of others, which are not even templated."""
    given = WrittenVariables(view.raw).referred(DOMAINS)
    if given is not None and not isinstance(given, Mapping):
        given = view.value(DOMAINS)
    return view.with_raw(DOMAINS, boundary.own(given)) if isinstance(given, Mapping) else view
