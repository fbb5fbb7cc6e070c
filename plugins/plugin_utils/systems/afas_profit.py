# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""AFAS Profit: the rules of its help page "Set the email server and sender" that an argument spec cannot say."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import (
    DeclaredSender,
    Environment,
    Findings,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.system_base import MessageKind, SystemRules

_ONLY_587 = ("smtp.office365.com", "smtp.gmail.com")
_ONLY_587_SERVICES = ("microsoft365", "gmail")
_NO_REPLY = re.compile(r"(no|not|do-?not|geen)[-_.]?(reply|antwoord)", re.IGNORECASE)
_ENVIRONMENT = re.compile(r"[A-Z](\d{5})[A-Z]{2}")
_CNAMES = 2

# "Profit looks from the bottom to the top": the most specific first. A report sent by hand uses no template; alerts and
# activation mail look at the environment unless the template has a sender.
_LOOKS_AT = {
    "message": ("templates", "administrations", "environment"),
    "report": ("administrations", "environment"),
    "hrm": ("employers", "templates", "administrations", "environment"),
    "alert": ("templates", "environment"),
}


class AfasProfit(SystemRules):
    """The rules of AFAS Profit beside ``catalogue/systems/afas_profit.yml``."""

    def judge(self, environment: Environment, findings: Findings) -> None:
        """Judge the senders, and the rules of the transport."""
        _senders(environment, findings)
        _afas_environment(environment, findings)
        if environment.transport.id == "afas_online":
            _dkim(environment, findings)
        elif environment.transport.id == "exchange":
            _application(environment, findings)
        else:
            _port(environment, findings)
            _encryption(environment, findings)
            _sign_in(environment, findings)
        if environment.service.name == "sendgrid":
            _domain_authentication(environment, findings)

    def is_unsigned(self, environment: Environment) -> bool:
        """AFAS Online signs when DKIM was requested and applied; selectors or the tick say that it was (S0)."""
        is_online = environment.transport.id == "afas_online"
        return is_online and not environment.values.get("apply_dkim") and not environment.dkim

    def messages(self, environment: Environment) -> list[MessageKind]:
        """Every combination of message and place for which Profit may take another sender."""
        found = [MessageKind("alert", "alerts, Pocket activation")]
        for key in _keys(environment, "administrations"):
            where = {"administrations": key}
            found.append(MessageKind("message", f"messages of administration {key}", where))
            found.append(MessageKind("report", f"reports of administration {key}, sent by hand", where))
        found += [MessageKind("message", "messages of other administrations")]
        found += [MessageKind("report", "other reports, sent by hand")]
        for key in _keys(environment, "templates"):
            found.append(MessageKind("message", f"messages by template {key}", {"templates": key}))
        for key in _keys(environment, "employers"):
            found.append(MessageKind("hrm", f"payslips and HRM messages of employer {key}", {"employers": key}))
        return [*found, MessageKind("hrm", "other payslips and HRM messages")]

    def sender_of(self, environment: Environment, message: MessageKind) -> DeclaredSender | None:
        """The sender that Profit takes for a message: the first place in its order that has one."""
        for kind in _LOOKS_AT[message.kind]:
            key = message.keys.get(kind)
            found = environment.sender(kind, key) if key is not None or kind == "environment" else None
            if found is not None:
                return found
        return None

    def server(self, environment: Environment) -> dict[str, Any]:
        """Enforce secure communication decides about security and certificate; Profit knows TLS up to 1.2."""
        found = super().server(environment)
        if environment.transport.id != "smtp":
            return found
        enforced = bool(environment.values["enforce_secure_communication"])
        security = ("implicit" if found["port"] == 465 else "starttls") if enforced else "opportunistic"
        sign_in = bool(environment.values["verification"])
        return {**found, "security": security, "verify": enforced, "sign_in": sign_in, "max_tls": "1.2"}

    def remarks(self, environment: Environment) -> list[str]:
        """The subscription for the DKIM request: environment O98765AA has subscription 98765."""
        match = _ENVIRONMENT.fullmatch(str(environment.values.get("afas_environment") or ""))
        return [f"The subscription of environment {match[0]} is {match[1]}."] if match else []


def _keys(environment: Environment, kind: str) -> list[str]:
    return [one.key for one in environment.senders if one.kind == kind and one.key is not None]


def _afas_environment(environment: Environment, findings: Findings) -> None:
    name = environment.values.get("afas_environment")
    if name is not None and not _ENVIRONMENT.fullmatch(name):
        rule = "an environment's name is a letter, the five digits of its subscription and two letters, e.g. O98765AA"
        source = environment.transport.source
        findings.error("erp_mail_settings.afas_environment", name, rule, source, "Correct the name, or leave it out.")


def _dkim(environment: Environment, findings: Findings) -> None:
    source = environment.transport.source
    signed = {domain: signature for domain, signature in environment.dkim.items() if signature.selectors}
    for domain, signature in signed.items():
        if [set(one) for one in signature.selectors] != [{"selector", "target"}] * _CNAMES:
            rule = "DKIM of AFAS Online takes two CNAME records per domain"
            way_out = "Give the two names and targets of the customer portal."
            findings.error(f"erp_mail_dkim.{domain}", None, rule, source, way_out)
    if signed and environment.spf_terms == ():
        rule = "the SPF record must be configured before DKIM is requested for a domain"
        way_out = "Leave it out, so that AFAS Online's term is used."
        findings.error("erp_mail_spf_terms", None, rule, source, way_out)
    _dkim_sign_in(environment, findings)


def _dkim_sign_in(environment: Environment, findings: Findings) -> None:
    source, applied = environment.transport.source, bool(environment.values.get("apply_dkim"))
    has_username = bool(environment.values.get("dkim_username"))
    for where, name, given in (
        ("erp_mail_settings.dkim_username", "username", has_username),
        ("erp_mail_password", "password", environment.has_password),
    ):
        if applied and not given:
            rule = f"Apply DKIM in relation to outgoing emails needs the {name} that the request gave"
            findings.error(where, None, rule, source, "Declare it; a password as a reference to a vaulted variable.")
        elif given and not applied:
            rule = f"AFAS Online takes a {name} only with Apply DKIM in relation to outgoing emails"
            findings.error(where, None, rule, source, "Set apply_dkim: true, or leave it out.")


def _application(environment: Environment, findings: Findings) -> None:
    source = environment.transport.source
    if not environment.has_password and not environment.is_managed:
        rule = "Exchange Azure AD needs the Application secret"
        way_out = "Declare erp_mail_password as a reference to a vaulted variable that holds the client secret."
        findings.error("erp_mail_password", None, rule, source, way_out)


def _domain_authentication(environment: Environment, findings: Findings) -> None:
    for sender in environment.senders:
        if environment.is_ours(sender.domain) and not _is_authenticated(environment, sender.domain):
            rule = "without SendGrid's domain authentication receivers see 'via', and DMARC cannot align"
            way_out = f"Declare its CNAME records in erp_mail_dkim.{sender.domain}."
            findings.warn(f"erp_mail_dkim.{sender.domain}", None, rule, environment.transport.source, way_out)


def _is_authenticated(environment: Environment, domain: str) -> bool:
    return domain in environment.dkim and bool(environment.dkim[domain].selectors)


def _senders(environment: Environment, findings: Findings) -> None:
    source = environment.transport.source
    mailbox_domains = environment.service.domains.value or []
    for sender in environment.senders:
        if not environment.is_ours(sender.domain) and sender.domain not in mailbox_domains:
            rule = f"you must own the sender's domain, and {sender.domain} is not in mail_dns_domains"
            findings.error(sender.where, sender.address, rule, source, "Add the domain there, or send as one of yours.")
        if _NO_REPLY.match(sender.address):
            rule = "a no-reply address loses the replies, which tell which addresses are wrong"
            findings.warn(sender.where, sender.address, rule, source, "Use an address that someone reads.")
    if not any(sender.kind == "administrations" for sender in environment.senders):
        rule = "a sender for each administration is advised; it prevents error messages"
        way_out = 'Declare e.g. administrations: {"1": finance@your.domain}.'
        findings.warn("erp_mail_senders.administrations", None, rule, source, way_out)


def _port(environment: Environment, findings: Findings) -> None:
    port, server = environment.values["port"], str(environment.values["server"] or "").lower()
    if port != 587 and (server in _ONLY_587 or environment.service.name in _ONLY_587_SERVICES):
        rule = "only port 587 is allowed with Office 365 and Gmail"
        findings.error(
            "erp_mail_settings.port", port, rule, environment.transport.source, "Set port: 587, or leave it out."
        )


def _encryption(environment: Environment, findings: Findings) -> None:
    source, where = environment.transport.source, "erp_mail_settings.enforce_secure_communication"
    if not environment.values["enforce_secure_communication"]:
        rule = "without it the certificate is not checked and mail may travel as plain text: open to interception"
        findings.warn(where, "off", rule, source, "Switch it on, with port 465 when the server has it.")
    elif _is_address(environment.values["server"]):
        rule = (
            "with Enforce secure communication the server's name must stand in its certificate; an address rarely does"
        )
        findings.warn("erp_mail_settings.server", environment.values["server"], rule, source, "Use the server's name.")
    elif environment.values["port"] != 465 and environment.service.kind == "relay":
        rule = "AFAS recommends port 465 with Enforce secure communication, the most secure configuration"
        findings.warn(
            "erp_mail_settings.port", environment.values["port"], rule, source, "Use 465 if the server has it."
        )


def _is_address(server: str | None) -> bool:
    try:
        ipaddress.ip_address(server or "")
    except ValueError:
        return False
    return True


def _sign_in(environment: Environment, findings: Findings) -> None:
    if not environment.values["verification"]:
        _no_sign_in(environment, findings)
    elif not environment.has_password:
        rule = f"verification is on for {environment.service.title}, and no password is declared"
        way_out = "Declare it encrypted, or as a reference to a vaulted variable."
        findings.error("erp_mail_password", None, rule, environment.transport.source, way_out)


def _no_sign_in(environment: Environment, findings: Findings) -> None:
    source, service = environment.transport.source, environment.service
    where = "erp_mail_settings.verification"
    if service.auth.value == "required":
        rule = f"{service.title} takes mail only after verification"
        findings.error(where, "off", rule, service.auth.source or source, "Leave it out, or on.")
    elif "username" in environment.given:
        rule = "a username is entered only with verification on"
        value = environment.values["username"]
        findings.error("erp_mail_settings.username", value, rule, source, "Set verification: true, or leave it out.")
    elif environment.has_password:
        rule = "a password is entered only with verification on"
        findings.error("erp_mail_password", None, rule, source, "Set verification: true, or leave it out.")
    elif service.kind == "relay":
        rule = "a mail server of one's own needs a username and password and/or an IP filter, so that nobody else sends"
        findings.warn(where, "off", rule, source, "Restrict the server to Profit's addresses.")
