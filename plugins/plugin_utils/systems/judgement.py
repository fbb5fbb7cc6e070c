# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""From a declaration to an environment: every rule that holds for all systems, then the system's own."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Rule, Service
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.conditions import note_holds
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.declared_records import (
    own_domains_of,
    signatures_of,
    spf_terms_of,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.declared_senders import (
    declared_senders,
    envelope_of,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.declared_settings import (
    confirmed_of,
    settings_given,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.declared_transport import (
    consent_of,
    probe_place_of,
    service_of,
    system_of,
    transport_of,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import (
    ENTRA_FACTS,
    INVENTORY,
    Declaration,
    Environment,
    Findings,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.field_values import (
    filled_values,
    host_of,
    is_shown,
    port_of,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.host_declaration import PREFIXES
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.from_rules import judge_from
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.system_rules import rules_of

STATES = ("present", "leaving", "absent")
SECRET_PLACES = ("reference", "inline")

DECLARATION_VARIABLES = (
    "erp_mail_system",
    "erp_mail_state",
    "erp_mail_transport",
    "erp_mail_service",
    "erp_mail_senders",
    "erp_mail_settings",
    "erp_mail_spf_terms",
    "erp_mail_dkim",
    "erp_mail_consent",
    "erp_mail_envelope_from",
    "erp_mail_probe_from",
    "erp_mail_confirmed",
    "erp_mail_secrets",
    "erp_mail_password",
    "erp_mail_output_dir",
    "erp_mail_file_path",
    "erp_mail_file_restart",
    "erp_mail_catalogue_systems",
    "erp_mail_catalogue_services",
    "mail_dns_account",
    "mail_dns_domains",
    "mail_dns_accept_stale",
    "mail_dns_accept_undelegated",
    "mail_dns_allow_failing_senders",
    "mail_dns_complete",
    "mail_dns_resolver",
    "mail_dns_snapshot_dir",
    "mail_entra_tenant",
    "mail_entra_access",
    "mail_entra_unique_name",
    "mail_entra_display_name",
    "mail_entra_owners",
    "mail_entra_secret",
    "mail_entra_secret_made_before",
    "mail_entra_confirmed_key_id",
    "mail_entra_confirmed_assignments",
    "mail_entra_customer",
    "mail_entra_secrets_dir",
    "mail_entra_store_tasks",
    "mail_entra_secrets",
    "mail_offboard_customers",
    "mail_offboard_dir",
    "mail_offboard_domains",
    "mail_offboard_final",
    "mail_offboard_quiet_days",
    "mail_offboard_selector_days",
    "mail_offboard_stopped",
    "mail_parked_quiet_days",
    "mail_plan",
    "mail_plan_allowed_signers",
    "mail_plan_signatures",
    "mail_plan_valid",
    "mail_policy_domains",
    "mail_policy_retreat_from",
    "mail_policy_state",
    "mail_policy_why",
    "mail_accept_changes",
    "mail_customer",
    "mail_max_changes",
    "mail_run_customer",
    "mail_shared_accounts",
    "mail_report_dir",
    "mail_report_fail_on",
    "mail_report_language",
    "mail_report_pages",
    "mail_report_prometheus",
    "mail_reports_archive",
    "mail_reports_authserv_id",
    "mail_reports_let_fail",
    "mail_reports_paths",
    "mail_reports_retention",
    "mail_reports_reverse_names",
    "mail_reports_seasonal",
    "mail_reports_shorten_addresses",
    "mail_reports_thresholds",
)
"""Every variable of a declaration. What else begins with one of the prefixes is misspelled."""

_NOT_OURS = "is not in mail_dns_domains"
_MADE_BY_ROLES = ("erp_mail_needs", "mail_entra_made", "mail_entra_store_read")


def judge_declaration(declaration: Declaration, catalogue: Catalogue) -> tuple[Environment | None, Findings]:
    """Judge one declaration.

    :param declaration: what the host's variables say
    :param catalogue: the systems and services that exist
    :returns: the environment, or None when it could not be made out; and all findings. An environment with errors
        among its findings must not be published
    """
    findings = Findings(declaration.environment)
    if declaration.state not in STATES:
        rule = f"the state is one of: {', '.join(STATES)}"
        findings.error("erp_mail_state", declaration.state, rule, INVENTORY, "Choose one.")
    if declaration.secrets not in SECRET_PLACES:
        rule = f"it is one of: {', '.join(SECRET_PLACES)}"
        findings.error("erp_mail_secrets", declaration.secrets, rule, INVENTORY, "Choose one.")
    if "/" in declaration.environment or declaration.environment in (".", ".."):
        rule = "an environment's name is the name of its folder too, so it holds no slash and is neither . nor .."
        findings.error("inventory_hostname", declaration.environment, rule, INVENTORY, "Rename the host.")
    environment = _read(declaration, catalogue, findings)
    if environment is not None:
        _no_inline_secret(environment, declaration, findings)
    if environment is not None and environment.state != "absent":
        _judge_whole(environment, catalogue, findings)
    return environment, findings


def unknown_variables(names: Iterable[str], findings: Findings) -> None:
    """Find misspelled variables: whatever begins like the declaration's, but is none of them.

    :param names: of the host's variables
    :param findings: takes an error for each, before all others: what they miss may be what was misspelled
    """
    found = Findings(findings.subject)
    for name in sorted(map(str, names)):
        if not name.startswith(PREFIXES) or name in (*DECLARATION_VARIABLES, *_MADE_BY_ROLES):
            continue
        close = difflib.get_close_matches(name, DECLARATION_VARIABLES, n=1)
        way_out = f"Did you mean {close[0]}?" if close else "docs/inventory.md lists the variables."
        found.error(name, None, "no variable of this name exists; its value is not shown", INVENTORY, way_out)
    findings.all[:0] = found.all


def _read(declaration: Declaration, catalogue: Catalogue, findings: Findings) -> Environment | None:
    terms = spf_terms_of(declaration.spf_terms, findings)
    own_domains = own_domains_of(declaration.own_domains, findings)
    signatures = signatures_of(declaration.dkim, findings)
    envelope = envelope_of(declaration.envelope_from, findings)
    probe_from = probe_place_of(declaration.probe_from, findings)
    system = system_of(declaration.system, catalogue, findings)
    transport = transport_of(system, declaration.transport, findings) if system else None
    service = service_of(system, transport, declaration.service, catalogue, findings)
    if system is None:
        return None
    senders = declared_senders(system, declaration.senders, findings)
    given = settings_given(system, transport, declaration.settings, findings)
    consent = consent_of(system, transport, service, declaration.consent, findings)
    confirmed = confirmed_of(system, declaration.confirmed, findings)
    if transport is None or service is None or own_domains is None:
        return None
    made = dict(declaration.made or {})
    values = filled_values(system, transport, service, given, declaration.password, made)
    return Environment(
        name=declaration.environment,
        state=str(declaration.state),
        system=system,
        transport=transport,
        service=service,
        senders=senders,
        values=values,
        given=frozenset(given),
        spf_terms=terms,
        own_domains=own_domains,
        password=declaration.password,
        consent=consent,
        envelope_from=envelope,
        confirmed=confirmed,
        signed_domains=own_domains & (own_domains_of(list(declaration.signed_domains), Findings("")) or frozenset()),
        dkim=signatures,
        has_tenant=declaration.has_tenant,
        probe_from=probe_from,
        made=made,
    )


def _no_inline_secret(environment: Environment, declaration: Declaration, findings: Findings) -> None:
    if environment.is_managed and declaration.secrets == "inline" and not environment.has_password:
        rule = "the secret that mail_entra makes stays encrypted; settings.yml says where it is"
        way_out = "Use reference, or declare erp_mail_password as a reference to where the secret is stored."
        findings.error("erp_mail_secrets", "inline", rule, INVENTORY, way_out)


def _judge_whole(environment: Environment, catalogue: Catalogue, findings: Findings) -> None:
    _required_fields(environment, findings)
    for rule in environment.system.rules:
        if rule.transport == environment.transport.id:
            _required_if(environment, rule, findings)
    _secret(environment, findings)
    _signatures(environment, findings)
    actual = _actual_service(environment, catalogue)
    _warn_of_service(environment, actual, findings)
    rules_of(environment.system.name).judge(environment, findings)
    judge_from(environment, actual or environment.service, findings)
    _foreign_senders(environment, findings)


def _required_fields(environment: Environment, findings: Findings) -> None:
    for field in environment.transport.fields:
        if field.fact in ENTRA_FACTS and environment.is_managed:
            continue
        if field.required and environment.values.get(field.id) in (None, "") and is_shown(field, environment.values):
            rule = f"{field.label} is required, and service {environment.service.name} does not say it"
            where = f"erp_mail_settings.{field.id}"
            if not findings.has_error(where):
                findings.error(where, None, rule, field.source, f"Declare {where}.")


def _required_if(environment: Environment, rule: Rule, findings: Findings) -> None:
    name, value, needed = rule.required_if
    values = {key: item for key, item in environment.values.items() if item not in (None, "")}
    spec = {key: {"type": "raw"} for key in {name, *needed, *values}}
    result = ArgumentSpecValidator(spec, required_if=[(name, value, needed)]).validate(values)
    if not result.error_messages:
        return
    missing = [key for key in needed if key not in values]
    where = f"erp_mail_settings.{missing[0]}"
    if findings.has_error(where):
        return
    findings.error(where, None, rule.text, rule.source, f"Declare {where}, or set {name} differently.")


def _secret(environment: Environment, findings: Findings) -> None:
    """A secret that the screen has no field for is an error, as any other field that is not accessible."""
    if environment.has_password and environment.transport.secret is None:
        transport = environment.transport
        rule = f"{transport.label} has no field for a password: it is not accessible there"
        findings.error("erp_mail_password", None, rule, transport.source, "Leave it out.")


def _signatures(environment: Environment, findings: Findings) -> None:
    sent = {sender.domain for sender in environment.senders}
    for domain in environment.dkim:
        where = f"erp_mail_dkim.{domain}"
        if not environment.is_ours(domain):
            rule = "nothing is planned for a domain that is not in mail_dns_domains"
            findings.error(where, None, rule, INVENTORY, "Add the domain there, if it is yours.")
        elif domain not in sent:
            rule = "no sender of this environment is at this domain"
            findings.warn(where, None, rule, INVENTORY, "Add the sender, or leave the selectors out.")


def _actual_service(environment: Environment, catalogue: Catalogue) -> Service | None:
    """The service that the declared server belongs to, when that is another one than is declared."""
    host = host_of(environment.transport, environment.values)
    return catalogue.by_host(host) if host and host != environment.service.host.value else None


def _warn_of_service(environment: Environment, actual: Service | None, findings: Findings) -> None:
    service = environment.service
    for told in (service, actual) if actual else (service,):
        for note in told.warnings:
            if note_holds(note, environment):
                text = note.text("en").rstrip(".")
                findings.warn("erp_mail_service", told.name, text, note.source, "Take it into account.")
    if actual is not None:
        host = host_of(environment.transport, environment.values)
        rule = f"server {host} is that of {actual.title}, so its limits, SPF terms and warnings are not judged"
        findings.warn("erp_mail_service", service.name, rule, INVENTORY, f"Declare erp_mail_service: {actual.name}.")
    _unusual_port(environment, findings)
    has_terms = environment.spf_terms is not None or service.spf_terms.value is not None
    if not has_terms and service.kind not in ("platform", "erp_vendor", "graph"):
        rule = f"the SPF terms of {service.title} are unknown, so none are planned for the senders' domains"
        way_out = "Declare erp_mail_spf_terms: the addresses of the servers that send."
        findings.warn("erp_mail_spf_terms", None, rule, INVENTORY, way_out)


def _unusual_port(environment: Environment, findings: Findings) -> None:
    service, port = environment.service, port_of(environment.transport, environment.values)
    ports = [entry["port"] for entry in service.ports.value or ()]
    if port is not None and ports and port not in ports:
        rule = f"{service.title} is known to listen on {', '.join(map(str, ports))}"
        findings.warn("erp_mail_settings.port", port, rule, service.ports.source or INVENTORY, "Check the port.")


def _foreign_senders(environment: Environment, findings: Findings) -> None:
    expected = environment.service.domains.value or []
    told = (*findings.errors, *findings.warnings)
    warned = {problem.where for problem in told if _NOT_OURS in problem.rule or problem in findings.errors}
    for sender in environment.senders:
        if environment.is_ours(sender.domain) or sender.domain in expected or sender.where in warned:
            continue
        rule = f"{sender.domain} {_NOT_OURS}, so nothing is planned for it"
        way_out = "Add the domain if it is yours; else its owner must let this environment send."
        findings.warn(sender.where, sender.address, rule, INVENTORY, way_out)
