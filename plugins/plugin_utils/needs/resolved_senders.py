# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Who an environment's mail comes from: every sender that its ERP may take, resolved to what receivers will look at.

Pure: nothing is asked of the DNS. What nobody gave is None, and a verdict that rests on it is unknown.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Service
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import DeclaredSender, Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.system_rules import rules_of


def resolved_senders(environment: Environment, catalogue: Catalogue) -> list[dict[str, Any]]:
    """Resolve the senders of an environment, each address and service once.

    :param environment: an environment without errors
    :param catalogue: where the services that send beside its own are found
    :returns: for each sender {environment, from, domain, envelope_from, envelope_domain, service, sources,
        sources_date, sources_given, dkim, origin, used_for}: ``envelope_from`` an address and ``envelope_domain`` its
        domain (None: not known), ``sources`` the SPF terms of the servers that send (None: not known) with the date of
        that fact and whether the user states it, ``dkim`` {domain, selectors} or None, ``origin`` the variable that
        holds it, ``used_for`` the messages it is taken for
    """
    rules = rules_of(environment.system.name)
    beside = rules.also_sends(environment)
    services = {sender.where: catalogue.service(name) for name, sender in beside if name == sender.kind}
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for message in rules.messages(environment):
        sender = rules.sender_of(environment, message)
        if sender is not None:
            entry = _resolved(environment, sender, services.get(sender.where, environment.service))
            found.setdefault((entry["origin"], entry["service"]), entry)["used_for"].append(message.text)
    for name, sender in beside:
        entry = _resolved(environment, sender, catalogue.service(name))
        known = found.setdefault((entry["origin"], entry["service"]), entry)
        known["used_for"] = known["used_for"] or [catalogue.service(name).title]
    return list(found.values())


def _resolved(environment: Environment, sender: DeclaredSender, service: Service) -> dict[str, Any]:
    is_own = service.name == environment.service.name
    is_given = is_own and environment.spf_terms is not None
    terms = environment.spf_terms if is_given else service.spf_terms.value
    source = service.spf_terms.source
    envelope, envelope_domain = _envelope(environment, sender, service)
    return {
        "environment": environment.name,
        "from": sender.address,
        "domain": sender.domain,
        "envelope_from": envelope,
        "envelope_domain": envelope_domain,
        "service": service.name,
        "sources": list(terms) if terms is not None else None,
        "sources_date": None if is_given or source is None else source.date,
        "sources_given": is_given,
        "dkim": _signature(environment, sender) if is_own else None,
        "origin": sender.where,
        "used_for": [],
    }


def _envelope(environment: Environment, sender: DeclaredSender, service: Service) -> tuple[str | None, str | None]:
    """The address that bounces go to, whose domain SPF is looked up for (RFC 7208 section 2.4)."""
    if environment.envelope_from is not None:
        return environment.envelope_from.address, environment.envelope_from.domain
    kind = service.envelope.value or environment.system.envelope.value
    if kind == "sender":
        return sender.address, sender.domain
    if kind == "return_path" and sender.domain in environment.dkim:
        path = environment.dkim[sender.domain].return_path
        return None, path[0] if path else None
    return None, None


def _signature(environment: Environment, sender: DeclaredSender) -> dict[str, Any] | None:
    """How mail is signed: an empty list in ``erp_mail_dkim`` says that it is not, nothing at all that nobody knows."""
    signature = environment.dkim.get(sender.domain)
    if signature is None and rules_of(environment.system.name).is_unsigned(environment):
        return {"domain": sender.domain, "selectors": []}
    if signature is None or (signature.return_path and not signature.selectors):
        return None
    return {"domain": sender.domain, "selectors": [one["selector"] for one in signature.selectors]}
