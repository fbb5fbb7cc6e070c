# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AFAS Profit: the rules of its help page "Set the email server and sender" that an argument spec cannot say."""

from __future__ import annotations

import ipaddress
import re

from ansible_collections.mailroom.erp.plugins.plugin_utils.environment import Environment, Findings

_ONLY_587 = ("smtp.office365.com", "smtp.gmail.com")
_ONLY_587_SERVICES = ("microsoft365", "gmail")
_NO_REPLY = re.compile(r"(no|not|do-?not|geen)[-_.]?(reply|antwoord)", re.IGNORECASE)


def judge(environment: Environment, findings: Findings) -> None:
    """Judge the senders, and for SMTP the port, encryption and sign-in."""
    _senders(environment, findings)
    if environment.transport.id == "smtp":
        _port(environment, findings)
        _encryption(environment, findings)
        _sign_in(environment, findings)


def also_sends(environment: Environment) -> list[tuple[str, str]]:
    """Nothing sends beside Profit."""
    return []


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


def _is_address(server: str | None) -> bool:
    try:
        ipaddress.ip_address(server or "")
    except ValueError:
        return False
    return True


def _sign_in(environment: Environment, findings: Findings) -> None:
    if not environment.values["verification"]:
        _no_sign_in(environment, findings)
    elif environment.password is None or not environment.password.is_given:
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
    elif service.kind == "relay":
        rule = "a mail server of one's own needs a username and password and/or an IP filter, so that nobody else sends"
        findings.warn(where, "off", rule, source, "Restrict the server to Profit's addresses.")
