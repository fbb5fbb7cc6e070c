# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a declaration to an environment: every rule that holds for all systems, then the system's own."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, to_alabels
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import Directive, SpfError, is_all, parse_term
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.addresses import BadAddress, domain_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue_facts import SenderKind, Service, System, Transport
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.environment import (
    INVENTORY,
    Declaration,
    Environment,
    Findings,
    Sender,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.field_values import checked_settings, filled, is_shown
from ansible_collections.mailroom.erp.plugins.plugin_utils.system_rules import rules_of

STATES = ("present", "absent")

VARIABLES = (
    "erp_mail_system",
    "erp_mail_state",
    "erp_mail_transport",
    "erp_mail_service",
    "erp_mail_senders",
    "erp_mail_settings",
    "erp_mail_spf_terms",
    "erp_mail_password",
    "erp_mail_output_dir",
    "erp_mail_catalogue_systems",
    "erp_mail_catalogue_services",
    "mail_dns_account",
    "mail_dns_domains",
    "mail_dns_accept_stale",
    "mail_dns_complete",
    "mail_dns_resolver",
)
"""Every variable of a declaration. What else begins with erp_mail_ or mail_dns_ is misspelled."""

_MADE_BY_ROLES = ("erp_mail_needs",)


def judge(declaration: Declaration, catalogue: Catalogue) -> tuple[Environment | None, Findings]:
    """Judge one declaration.

    :param declaration: what the host's variables say
    :param catalogue: the systems and services that exist
    :returns: the environment, or None when it could not be made out; and all findings. An environment with errors
        among its findings must not be published
    """
    findings = Findings(declaration.environment)
    if declaration.state not in STATES:
        findings.error(
            "erp_mail_state", declaration.state, f"the state is one of: {', '.join(STATES)}", INVENTORY, "Choose one."
        )
    system = _system(declaration.system, catalogue, findings)
    terms = _spf_terms(declaration.spf_terms, findings)
    own_domains = _own_domains(declaration.own_domains, findings)
    service_name = _text("erp_mail_service", declaration.service, findings)
    if system is None:
        _service_exists(service_name, catalogue, findings)
        return None, findings
    transport = _transport(system, declaration.transport, findings)
    service = _service(system, transport, service_name, catalogue, findings) if _readable(declaration.service) else None
    senders = _senders(system, declaration.senders, findings)
    given = _settings(system, transport, declaration.settings, findings)
    if transport is None or service is None or own_domains is None:
        return None, findings
    environment = Environment(
        declaration.environment,
        str(declaration.state),
        system,
        transport,
        service,
        senders,
        filled(system, transport, service, given, declaration.password),
        frozenset(given),
        terms,
        own_domains,
        declaration.password,
    )
    _judge_whole(environment, findings)
    return environment, findings


def unknown_variables(names: Mapping[str, Any], findings: Findings) -> None:
    """Find misspelled variables: whatever begins like the declaration's, but is none of them.

    :param names: the host's variables by name; values are not looked at
    :param findings: takes an error for each
    """
    for name in sorted(map(str, names)):
        if not name.startswith(("erp_mail_", "mail_dns_")) or name in (*VARIABLES, *_MADE_BY_ROLES):
            continue
        close = difflib.get_close_matches(name, VARIABLES, n=1)
        way_out = f"Did you mean {close[0]}?" if close else "docs/inventory.md lists the variables."
        findings.error(name, None, "no variable of this name exists; its value is not shown", INVENTORY, way_out)


def _judge_whole(environment: Environment, findings: Findings) -> None:
    if environment.state == "absent":
        return
    _required_fields(environment, findings)
    for rule in environment.system.rules:
        if rule.transport == environment.transport.id:
            _required_if(environment, rule, findings)
    _service_facts(environment, findings)
    rules = rules_of(environment.system.name)
    if rules is not None:
        rules.judge(environment, findings)
    _foreign_senders(environment, findings)


def _readable(name: Any) -> bool:
    return name is None or isinstance(name, str)


def _text(where: str, value: Any, findings: Findings) -> str | None:
    if _readable(value):
        return str(value) if value else None
    findings.error(where, None, f"a name is wanted, not a {type(value).__name__}", INVENTORY, "Give one name.")
    return None


def _system(name: Any, catalogue: Catalogue, findings: Findings) -> System | None:
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


def _transport(system: System, name: Any, findings: Findings) -> Transport | None:
    choices = {transport.id: transport for transport in system.transports}
    text = _text("erp_mail_transport", name, findings)
    if text in choices:
        return choices[text]
    if name is None and len(choices) == 1:
        return system.transports[0]
    rule = f"{system.title} sends by one of these transports: {', '.join(choices)}"
    findings.error("erp_mail_transport", text, rule, system.transports[0].source, "Choose one.")
    return None


def _service(
    system: System, transport: Transport | None, name: str | None, catalogue: Catalogue, findings: Findings
) -> Service | None:
    if name is None and transport is not None and len(transport.services) == 1:
        name = transport.services[0]
    if name is None:
        if transport is not None:
            rule = f"transport {transport.id} of {system.title} needs the service that sends"
            findings.error("erp_mail_service", None, rule, transport.source, _of_kinds(transport, catalogue))
        return None
    service = _service_exists(name, catalogue, findings)
    if service is None or transport is None or _takes(transport, service):
        return service
    rule = f"transport {transport.id} of {system.title} does not send through this service ({service.kind})"
    findings.error("erp_mail_service", name, rule, transport.source, _of_kinds(transport, catalogue))
    return None


def _service_exists(name: str | None, catalogue: Catalogue, findings: Findings) -> Service | None:
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


def _of_kinds(transport: Transport, catalogue: Catalogue) -> str:
    names = [name for name in catalogue.names("services") if _takes_named(transport, name, catalogue)]
    return f"Choose one of: {', '.join(names)}; or add your own in erp_mail_catalogue_services."


def _takes_named(transport: Transport, name: str, catalogue: Catalogue) -> bool:
    try:
        return _takes(transport, catalogue.service(name))
    except Refused:
        return False


def _senders(system: System, senders: Any, findings: Findings) -> tuple[Sender, ...]:
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


def _settings(system: System, transport: Transport | None, settings: Any, findings: Findings) -> dict[str, Any]:
    if not isinstance(settings, Mapping):
        rule = f"the settings are a dictionary, not a {type(settings).__name__}"
        findings.error("erp_mail_settings", None, rule, INVENTORY, "Write erp_mail_settings: {name: value}.")
        return {}
    return checked_settings(system, transport, settings, findings) if transport is not None else {}


def _spf_terms(terms: Any, findings: Findings) -> tuple[str, ...] | None:
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


def _own_domains(domains: Any, findings: Findings) -> frozenset[str] | None:
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


def _required_fields(environment: Environment, findings: Findings) -> None:
    for field in environment.transport.fields:
        if field.required and environment.values.get(field.id) in (None, "") and is_shown(field, environment.values):
            rule = f"{field.label} is required, and service {environment.service.name} does not say it"
            where = f"erp_mail_settings.{field.id}"
            if not any(problem.where == where for problem in findings.errors):
                findings.error(where, None, rule, field.source, f"Declare {where}.")


def _required_if(environment: Environment, rule: Any, findings: Findings) -> None:
    name, value, needed = rule.required_if
    values = {key: item for key, item in environment.values.items() if item not in (None, "")}
    spec = {key: {"type": "raw"} for key in {name, *needed, *values}}
    result = ArgumentSpecValidator(spec, required_if=[(name, value, needed)]).validate(values)
    if not result.error_messages:
        return
    missing = [key for key in needed if key not in values]
    where = f"erp_mail_settings.{missing[0]}"
    if any(problem.where == where for problem in findings.errors):
        return
    findings.error(where, None, rule.text, rule.source, f"Declare {where}, or set {name} differently.")


def _service_facts(environment: Environment, findings: Findings) -> None:
    service, port = environment.service, environment.values.get("port")
    for note in service.warnings:
        findings.warn(
            "erp_mail_service", service.name, note.text("en").rstrip("."), note.source, "Take it into account."
        )
    ports = [entry["port"] for entry in service.ports.value or ()]
    if port is not None and ports and port not in ports:
        rule = f"{service.title} is known to listen on {', '.join(map(str, ports))}"
        findings.warn("erp_mail_settings.port", port, rule, service.ports.source or INVENTORY, "Check the port.")
    if (
        environment.spf_terms is None
        and service.spf_terms.value is None
        and service.kind not in ("platform", "erp_vendor")
    ):
        rule = f"the SPF terms of {service.title} are unknown, so none are planned for the senders' domains"
        way_out = "Declare erp_mail_spf_terms: the addresses of the servers that send."
        findings.warn("erp_mail_spf_terms", None, rule, INVENTORY, way_out)


def _foreign_senders(environment: Environment, findings: Findings) -> None:
    expected = environment.service.domains.value or []
    warned = {problem.where for problem in (*findings.errors, *findings.warnings)}
    for sender in environment.senders:
        if environment.is_ours(sender.domain) or sender.domain in expected or sender.where in warned:
            continue
        rule = f"{sender.domain} is not in mail_dns_domains, so nothing is planned for it"
        way_out = "Add the domain if it is yours; else its owner must let this environment send."
        findings.warn(sender.where, sender.address, rule, INVENTORY, way_out)
