# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one environment needs from the DNS: the SPF terms of each of its senders' domains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue_facts import Service
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.environment import INVENTORY, Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.system_rules import rules_of


def environment_needs(environment: Environment, catalogue: Catalogue) -> dict[str, Any]:
    """Work out what the DNS must hold for an environment to send.

    :param environment: an environment without errors
    :param catalogue: where the services that send beside its own are found
    :returns: environment, system, state and service (str); ``domains``: for each domain that is ours the list of
        {term, service, source, date} (date YYYY-MM-DD, YYYY-MM or None; ``given`` true when the user stated the term);
        ``foreign``: the senders' domains that are not ours, so that nothing is planned for them
    """
    domains: dict[str, list[dict[str, Any]]] = {}
    foreign: list[str] = []
    for domain, terms in _wanted(environment, catalogue):
        if not environment.is_ours(domain):
            foreign += [domain] if domain not in foreign else []
            continue
        listed = domains.setdefault(domain, [])
        listed += [term for term in terms if term not in listed]
    return {
        "environment": environment.name,
        "system": environment.system.name,
        "state": environment.state,
        "service": environment.service.name,
        "domains": domains,
        "foreign": foreign,
    }


def service_terms(service: Service) -> list[dict[str, Any]]:
    """The catalogued SPF terms of a service, each with its source and date; empty when they are unknown."""
    fact = service.spf_terms
    source, date = (str(fact.source), fact.source.date) if fact.source else ("", None)
    return [
        {"term": term, "service": service.name, "source": source, "date": date, "given": False}
        for term in fact.value or ()
    ]


def _wanted(environment: Environment, catalogue: Catalogue) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    rules = rules_of(environment.system.name)
    beside = rules.also_sends(environment) if rules else []
    terms = _own_terms(environment)
    for sender in environment.senders:
        # a sender kind named after a service belongs to that service, not to the ERP's own transport
        if sender.kind not in {service for service, _domain in beside}:
            yield sender.domain, terms
    for service, domain in beside:
        yield domain, service_terms(catalogue.service(service))


def _own_terms(environment: Environment) -> list[dict[str, Any]]:
    if environment.spf_terms is None:
        return service_terms(environment.service)
    name = environment.service.name
    return [
        {"term": term, "service": name, "source": INVENTORY, "date": None, "given": True}
        for term in environment.spf_terms
    ]
