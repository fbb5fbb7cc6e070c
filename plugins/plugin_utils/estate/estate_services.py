# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The sending services that a whole play knows: the catalogue's, and those that its hosts declare on top of them.

Source of the rules: docs/inventory.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Service
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import HostNeeds


def estate_catalogue(hosts: Iterable[HostNeeds]) -> tuple[Catalogue, list[Problem]]:
    """The catalogue with erp_mail_catalogue_services of all hosts, which must agree on a service of one name.

    :param hosts: all hosts, sorted
    :returns: the catalogue, and what is wrong; entries are checked only when they are used
    """
    found: dict[str, tuple[str, Any]] = {}
    problems = []
    for host in hosts:
        for name, entry in host.services.items():
            first, known = found.setdefault(name, (host.host, entry))
            if known != entry:
                where = f"erp_mail_catalogue_services.{name}"
                rule = f"{first} and {host.host} declare two different services of this name"
                way_out = "Declare it once, for all hosts."
                problems.append(INVENTORY_RULES.problem(host.host, where, None, rule, way_out))
    return Catalogue(services={name: entry for name, (_host, entry) in found.items()}), problems


def unknown_accepted(accepted: Iterable[str], catalogue: Catalogue) -> list[Problem]:
    """What is wrong with mail_dns_accept_stale: names that no service has.

    :param accepted: the names that it lists
    :param catalogue: the services that exist
    """
    rule = "no service of this name is in the catalogue"
    return [
        INVENTORY_RULES.problem("mail_dns", "mail_dns_accept_stale", name, rule, catalogue.closest("services", name))
        for name in sorted(set(accepted) - set(catalogue.names("services")))
    ]


def services_by_mx(catalogue: Catalogue) -> tuple[list[dict[str, Any]], list[Problem]]:
    """What tells by a domain's MX hosts that a service sends as the domain.

    :param catalogue: the services that exist
    :returns: the option ``mx_services`` of ``spf_record``: {suffix, service, terms}, sorted by service; and what is
        wrong with the catalogue
    """
    services, problems = _readable_services(catalogue)
    found = [
        {"suffix": suffix, "service": service.name, "terms": list(service.spf_terms.value or ())}
        for service in services
        for suffix in service.mx.value or ()
    ]
    return found, problems


def _readable_services(catalogue: Catalogue) -> tuple[list[Service], list[Problem]]:
    services, problems = [], []
    for name in catalogue.names("services"):
        try:
            services.append(catalogue.service(name))
        except Refused as refused:
            problems += refused.problems
    return services, problems
