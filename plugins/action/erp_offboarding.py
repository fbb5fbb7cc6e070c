# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_offboarding``: what may go now of the environments that leave."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.last_mail import SeenSender, seen_in_archive
from ansible_collections.mailroom.erp.plugins.module_utils.domains.world import world_of
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver import Resolver
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver_options import RESOLVER_OPTIONS
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.declared_customers import (
    domain_customers,
    host_customers,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.holdings import TENANT_HOLDING, shared_holdings
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.declared_domains import (
    DomainDeclaration,
    read_declared_domains,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_accounts import (
    account_of,
    different_accounts,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import LEAVING, HostNeeds, host_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_refusals import domains_sent_as
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_services import estate_catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import host_tenant, tenants_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.leaving_estate import (
    leaving_estate,
    leaving_tenants,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.offboard_wishes import (
    KnownEstate,
    check_own_tenants,
    check_whole,
    read_wishes,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import PlayVariables, kept_result
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.written_inventory import WrittenInventory

_WISHES = ("stopped", "final", "domains", "customers", "quiet", "selectors")
_ARGUMENTS: ArgumentSpec = {
    "judged": {"type": "str", "required": True},
    "plan": {"type": "str", "required": True},
    "complete": {"type": "bool", "default": False},
    "limit": {"type": "str", "default": ""},
    "archive": {"type": "path"},
    "resolver": {"type": "dict", "options": RESOLVER_OPTIONS},
    **{name: {"type": "raw"} for name in _WISHES},
}


class ActionModule(ControllerAction):
    """Decides which stages of leaving are permitted."""

    argument_spec = _ARGUMENTS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Decide. What is refused is told in the result, which is not shown because it holds sign-ins.

        :param options: the variables that hold what was judged and planned, the archive, and what a person told
        :param variables: those of the host that the task runs for; all others are reached through them
        :returns: what was judged, as it holds while environments leave, and ``offboarding``
        """
        judged = kept_result(variables, options["judged"])
        try:
            return self._decided(judged, options, variables)
        except (Refused, MissingLibrary) as error:
            told = {"refused": str(error).splitlines(), "environments": {}, "domains": {}, "read": []}
            return {**judged, "changed": False, "offboarding": told}

    def _decided(self, judged: Mapping[str, Any], options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        domains = _domains(judged)
        today = datetime.datetime.now(datetime.UTC).date()
        known = self._known(judged, domains, variables)
        check_whole(known.leaving, options["complete"], options["limit"], judged["left_out"])
        if judged.get("boundary"):
            check_own_tenants(known.leaving, judged["variables"], _shared_tenants(variables))
        wishes = read_wishes({name: options[name] for name in _WISHES}, known, today)
        seen = _seen(options, kept_result(variables, options["plan"])["senders"], known.leaving)
        hosts = [
            host_needs(host, judged["needs"].get(host), own.get) for host, own in sorted(judged["variables"].items())
        ]
        estate = leaving_estate(judged, domains, seen, wishes, today, estate_catalogue(hosts)[0])
        tenants = tenants_of(
            host_tenant(host, estate.needs.get(host), own.get) for host, own in estate.variables.items()
        )
        told = {"environments": estate.told, "domains": estate.domains, "read": _to_read(hosts, domains), "refused": []}
        return {
            **judged,
            "changed": False,
            "needs": estate.needs,
            "declarations": estate.declarations,
            "variables": estate.variables,
            "tenants": leaving_tenants(tenants.tenants),
            "problems": [asdict(problem) for problem in tenants.problems],
            "offboarding": told,
        }

    def _known(
        self, judged: Mapping[str, Any], domains: Mapping[str, DomainDeclaration], variables: Mapping[str, Any]
    ) -> KnownEstate:
        play = PlayVariables(self._task, variables, self._templar)
        hosts = [str(host) for host in variables["ansible_play_hosts_all"]]
        customers = domain_customers(domains)
        return KnownEstate(
            states={host: str(one["state"]) for host, one in judged["needs"].items()},
            customers=host_customers((host, play.of(host)) for host in hosts),
            domains={name: customers.get(name, ()) for name in domains},
        )


def _shared_tenants(variables: Mapping[str, Any]) -> set[str]:
    """The ids of the tenants that are declared for all hosts."""
    inventory = WrittenInventory(variables["hostvars"])
    for_all = inventory.for_all(str(variables["inventory_hostname"]))
    return {one.identity for one in shared_holdings(for_all) if one.kind == TENANT_HOLDING}


def _to_read(hosts: Sequence[HostNeeds], domains: Mapping[str, DomainDeclaration]) -> list[dict[str, Any]]:
    """The domains of those that leave, as ``mail_adopt_info`` takes them; one without an account is left out."""
    leaving = [host for host in hosts if host.needs and host.needs["state"] == LEAVING]
    names = {name for host in leaving for name in domains_sent_as(host.needs or {})} & set(domains)
    others = different_accounts(hosts)
    found = []
    for name in sorted(names):
        needing = [host for host in hosts if host.needs_domain(name)]
        account, _problems = account_of(name, domains[name].get("dns"), needing, others)
        keys = {one["selector"] for host in leaving for one in (host.needs or {})["dkim"].get(name, [])}
        zone = {"zone": domains[name]["zone"]} if domains[name].get("zone") else {}
        found += [{"domain": name, "dns": account, "selectors": sorted(keys), **zone}] if account else []
    return found


def _domains(judged: Mapping[str, Any]) -> dict[str, DomainDeclaration]:
    declared = sorted((host, own.get("mail_dns_domains")) for host, own in judged["variables"].items())
    return read_declared_domains(declared).by_name


def _seen(
    options: Mapping[str, Any], senders: Sequence[Mapping[str, Any]], leaving: Sequence[str]
) -> dict[str, list[SeenSender]] | None:
    """What reports tell of those that leave; None where nobody keeps reports."""
    if not options["archive"] or not leaving:
        return None
    lookup = world_of(Resolver(options["resolver"])).lookup
    return seen_in_archive(options["archive"], senders, leaving, lookup)
