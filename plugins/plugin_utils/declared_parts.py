# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a declaration, each read on its own: what is wrong with one does not hide what is wrong with another.

Every function takes the value as declared, and puts what is wrong with it into ``findings``: it then gives None, or
only what is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.address import BadAddress, domain_of
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, to_alabels
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import Directive, SpfError, is_all, parse_term
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue_facts import SenderKind, Service, System, Transport
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.environment import INVENTORY, Findings, Sender
from ansible_collections.mailroom.erp.plugins.plugin_utils.field_values import checked_settings


def _text(where: str, value: Any, findings: Findings) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    findings.error(where, None, f"a name is wanted, not a {type(value).__name__}", INVENTORY, "Give one name.")
    return None


def system_of(name: Any, catalogue: Catalogue, findings: Findings) -> System | None:
    """The ERP system that ``erp_mail_system`` names."""
    text = _text("erp_mail_system", name, findings)
    if text is None:
        return None
    try:
        return catalogue.system(text)
    except KeyError:
        rule = "no ERP system of this name is in the catalogue"
        findings.error("erp_mail_system", text, rule, INVENTORY, catalogue.closest("systems", text))
    except Refused as refused:
        _pass_on(refused, "erp_mail_catalogue_systems", findings)
    return None


def _pass_on(refused: Refused, variable: str, findings: Findings) -> None:
    for problem in refused.problems:
        where = f"{variable}: {problem.subject}: {problem.where}"
        findings.error(where, problem.value, problem.rule, problem.source, problem.way_out)


def transport_of(system: System, name: Any, findings: Findings) -> Transport | None:
    """The transport that ``erp_mail_transport`` names, or the only one."""
    choices = {transport.id: transport for transport in system.transports}
    text = _text("erp_mail_transport", name, findings)
    if text in choices:
        return choices[text]
    if name is None and len(choices) == 1:
        return system.transports[0]
    rule = f"{system.title} sends by one of these transports: {', '.join(choices)}"
    findings.error("erp_mail_transport", text, rule, system.transports[0].source, "Choose one.")
    return None


def service_of(
    system: System | None, transport: Transport | None, name: Any, catalogue: Catalogue, findings: Findings
) -> Service | None:
    """The service that ``erp_mail_service`` names, or the only one of the transport, which must take it."""
    text = _text("erp_mail_service", name, findings)
    if transport is None or system is None or (name and text is None):
        return _service_named(text, catalogue, findings)
    if text is None and len(transport.services) == 1:
        text = transport.services[0]
    if text is None:
        rule = f"transport {transport.id} of {system.title} needs the service that sends"
        findings.error("erp_mail_service", None, rule, transport.source, _choices(transport, catalogue))
        return None
    service = _service_named(text, catalogue, findings)
    if service is None or _takes(transport, service):
        return service
    rule = f"transport {transport.id} of {system.title} does not send through this service ({service.kind})"
    findings.error("erp_mail_service", text, rule, transport.source, _choices(transport, catalogue))
    return None


def _service_named(name: str | None, catalogue: Catalogue, findings: Findings) -> Service | None:
    if name is None:
        return None
    try:
        return catalogue.service(name)
    except KeyError:
        rule = "no service of this name is in the catalogue"
        findings.error("erp_mail_service", name, rule, INVENTORY, catalogue.closest("services", name))
    except Refused as refused:
        _pass_on(refused, "erp_mail_catalogue_services", findings)
    return None


def _takes(transport: Transport, service: Service) -> bool:
    return service.name in transport.services or service.kind in transport.kinds


def _choices(transport: Transport, catalogue: Catalogue) -> str:
    names = [name for name in catalogue.names("services") if _takes_named(transport, name, catalogue)]
    return f"Choose one of: {', '.join(names)}; or add your own in erp_mail_catalogue_services."


def _takes_named(transport: Transport, name: str, catalogue: Catalogue) -> bool:
    try:
        return _takes(transport, catalogue.service(name))
    except Refused:
        return False


def senders_of(system: System, senders: Any, findings: Findings) -> tuple[Sender, ...]:
    """The senders of ``erp_mail_senders`` that are right, in the order of the system's kinds."""
    if not isinstance(senders, Mapping):
        rule = f"the senders are a dictionary of {', '.join(kind.id for kind in system.senders)}"
        findings.error("erp_mail_senders", None, rule, INVENTORY, "Write erp_mail_senders: {environment: name@domain}.")
        return ()
    kinds = {kind.id: kind for kind in system.senders}
    for name in senders:
        if name not in kinds:
            rule = f"{system.title} has no such sender; it has: {', '.join(kinds)}"
            findings.error(f"erp_mail_senders.{name}", None, rule, system.senders[0].source, "Correct the name.")
    found: list[Sender] = []
    for kind in system.senders:
        found += _senders_of(kind, senders.get(kind.id), findings)
    return tuple(found)


def _senders_of(kind: SenderKind, value: Any, findings: Findings) -> list[Sender]:
    where = f"erp_mail_senders.{kind.id}"
    if value is None:
        if kind.required:
            findings.error(where, None, f"{kind.label} is required", kind.source, "Name the address to send as.")
        return []
    if kind.many != isinstance(value, Mapping):
        shape = "a dictionary: key to address" if kind.many else "one address"
        findings.error(
            where, None, f"{kind.label} takes {shape}, not a {type(value).__name__}", kind.source, "Correct it."
        )
        return []
    items = value.items() if kind.many else [(None, value)]
    return [sender for key, address in items for sender in _sender(kind, key, address, findings)]


def _sender(kind: SenderKind, key: str | None, address: Any, findings: Findings) -> list[Sender]:
    where = f"erp_mail_senders.{kind.id}" + (f".{key}" if key is not None else "")
    try:
        return [Sender(kind.id, key, str(address), domain_of(address))]
    except BadAddress as error:
        shown = address if isinstance(address, str) else None
        findings.error(where, shown, str(error), kind.source, "Give one plain address.")
    return []


def settings_given(system: System, transport: Transport | None, settings: Any, findings: Findings) -> dict[str, Any]:
    """The settings of ``erp_mail_settings`` that are right, with the types of their specs."""
    if not isinstance(settings, Mapping):
        rule = f"the settings are a dictionary, not a {type(settings).__name__}"
        findings.error("erp_mail_settings", None, rule, INVENTORY, "Write erp_mail_settings: {name: value}.")
        return {}
    return checked_settings(system, transport, settings, findings) if transport is not None else {}


def spf_terms_of(terms: Any, findings: Findings) -> tuple[str, ...] | None:
    """The user's own SPF terms; None when there are none, so that the catalogue's count."""
    if terms is None:
        return None
    if not isinstance(terms, list):
        rule = f"the terms are a list, not a {type(terms).__name__}"
        findings.error("erp_mail_spf_terms", None, rule, INVENTORY, 'Write a list, e.g. ["ip4:192.0.2.1"].')
        return ()
    for term in terms:
        wrong = _wrong_term(term)
        if wrong:
            findings.error(
                "erp_mail_spf_terms", term, wrong, INVENTORY, "Name only the servers that send, e.g. ip4:192.0.2.1."
            )
    return tuple(str(term) for term in terms)


def _wrong_term(term: Any) -> str | None:
    if not isinstance(term, str):
        return f"a term is text, not a {type(term).__name__}"
    try:
        parsed = parse_term(term)
    except SpfError as error:
        return str(error)
    if not isinstance(parsed, Directive) or is_all(parsed) or parsed.qualifier != "+":
        return "a term names servers that may send: no all, no modifier, no qualifier but + (RFC 7208 section 4.6.2)"
    return None


def own_domains_of(domains: Any, findings: Findings) -> frozenset[str] | None:
    """The names of ``mail_dns_domains`` as A-labels; None when they are no names at all."""
    if not isinstance(domains, list):
        rule = "mail_dns_domains is a dictionary: domain to what is declared for it"
        findings.error(
            "mail_dns_domains", None, rule, INVENTORY, "Write mail_dns_domains: {acme.example: {services: []}}."
        )
        return None
    names = set()
    for domain in domains:
        try:
            names.add(to_alabels(str(domain)))
        except BadName as error:
            findings.error("mail_dns_domains", domain, str(error), INVENTORY, "Correct the name.")
    return frozenset(names)
