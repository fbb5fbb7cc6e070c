# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_environments_plan``: adds up what was judged, and leaves out what is refused."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.audited_domains import (
    audited_domains,
    managed_domains,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import EstateOptions, host_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_probe import server_sights
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_refusals import sound_plan
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_removal import only_removals
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import (
    made_environments,
    tenant_failures,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.sender_transport import with_transport
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import kept_result

_ARGUMENTS: ArgumentSpec = {
    "judged": {"type": "str", "required": True},
    "looked": {"type": "str", "required": True},
    "probe": {"type": "raw", "default": False},
    "probed": {"type": "str", "default": ""},
    "tenants": {"type": "list", "elements": "dict", "default": []},
    "complete": {"type": "bool", "default": False},
    "limit": {"type": "str", "default": ""},
    "accept_stale": {"type": "list", "elements": "str", "default": []},
    "on_refused": {"type": "str", "default": "stop"},
    "only_removals": {"type": "bool", "default": False},
}
_CHOICES = ("stop", "skip")


class ActionModule(ControllerAction):
    """Plans the records of all environments that break no rule."""

    argument_spec = _ARGUMENTS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Add up.

        :param options: the variables that hold what was judged and looked at, and what the run may do
        :param variables: those of the host that the task runs for
        :returns: the options of ``mail_domains``, what is left out and why, and whether anything may be written
        """
        judged, looked = kept_result(variables, options["judged"]), kept_result(variables, options["looked"])
        made, needs = made_environments(options["tenants"]), judged["needs"]
        sights = server_sights(needs, kept_result(variables, options["probed"]))
        hosts = [
            host_needs(host, with_transport(needs.get(host), made.get(host), sights.get(host)), own.get)
            for host, own in judged["variables"].items()
        ]
        wrong = tenant_failures(options["tenants"])
        for problem in judged["problems"]:
            wrong.setdefault(problem["subject"], []).append(str(Problem(**problem)))
        refused = {one["domain"]: one["msg"] for one in looked.get("failures") or []}
        plan, refusals = sound_plan(hosts, _estate_options(options, judged), wrong, refused)
        refusals.run.extend([*_wrong_choices(options), *_of_the_run(looked)])
        if options["only_removals"]:
            plan = replace(plan, domains=[one for entry in plan.domains if (one := only_removals(entry))])
        return {
            "changed": False,
            **plan.module_options(),
            "parked": plan.parked,
            "audited": audited_domains(plan),
            "managed": managed_domains(plan),
            "complete": plan.complete,
            "cautions": [str(problem) for problem in plan.warnings],
            "refused": refusals.as_dict(),
            "goes_on": not refusals.stops(options["on_refused"]),
        }


def _estate_options(options: Mapping[str, Any], judged: Mapping[str, Any]) -> EstateOptions:
    accepted, today = frozenset(options["accept_stale"]), datetime.date.today()
    return EstateOptions(options["complete"], bool(options["limit"]), accepted, today, tuple(judged["left_out"]))


def _of_the_run(looked: Mapping[str, Any]) -> list[str]:
    """What stopped the look at all records, rather than at some of them."""
    return str(looked["msg"]).splitlines() if "msg" in looked and "failures" not in looked else []


def _wrong_choices(options: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with variables that say what the run does."""
    chosen, rule = options["on_refused"], f"it is one of: {', '.join(_CHOICES)}"
    if chosen not in _CHOICES:
        yield str(INVENTORY_RULES.problem("site", "mail_on_refused", chosen, rule, "Choose one."))
    probe = options["probe"]
    try:
        boolean(probe)
    except TypeError:
        rule, shown = "it is true or false", probe if isinstance(probe, str) else None
        yield str(INVENTORY_RULES.problem("site", "mail_probe", shown, rule, "Choose one."))
