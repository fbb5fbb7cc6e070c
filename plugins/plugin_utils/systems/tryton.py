# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Tryton: what trytond does with the section email of its file, as far as an argument spec cannot say it."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Source
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Environment, Findings
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.system_base import SystemRules

_PROTOCOLS = {"smtp": "none", "smtp+tls": "starttls", "smtps": "implicit"}


class Tryton(SystemRules):
    """The rules of Tryton beside ``catalogue/systems/tryton.yml``."""

    def judge(self, environment: Environment, findings: Findings) -> None:
        """Judge the sign-in, and the protocol by the port."""
        _user_and_password(environment, findings)
        _protocol(environment, findings)

    def server(self, environment: Environment) -> dict[str, Any]:
        """The protocol of the uri says how the connection is protected; the certificate is always checked."""
        security = _PROTOCOLS.get(str(environment.values.get("security")))
        return {**super().server(environment), "security": security}


def _user_and_password(environment: Environment, findings: Findings) -> None:
    source, service, user = _code(environment, "password"), environment.service, environment.values.get("username")
    has_password, where = environment.has_password, "erp_mail_settings.username"
    if user and not has_password:
        rule = "trytond signs in only with a user and a password; with a user alone it does not sign in"
        findings.error("erp_mail_password", None, rule, source, "Declare it encrypted, or leave the username out.")
    elif has_password and not user:
        rule = "trytond signs in only with a user and a password; with a password alone it does not sign in"
        findings.error(where, None, rule, source, f"Declare {where}, or leave the password out.")
    elif service.auth.value == "required" and not user:
        rule = f"{service.title} takes mail only after sign-in"
        findings.error(where, None, rule, service.auth.source or source, f"Declare {where} and erp_mail_password.")
    if user and not str(user).isascii():
        rule = "trytond signs in through Python's smtplib, which takes ASCII only"
        findings.error(where, user, rule, source, "Use an account with another name.")


def _protocol(environment: Environment, findings: Findings) -> None:
    protocol, port = environment.values.get("security"), environment.values.get("port")
    source, where = _code(environment, "security"), "erp_mail_settings.security"
    meant = _PROTOCOLS.get(str(protocol))
    known = environment.service.security(port) if port is not None else None
    if known is not None and meant is not None and meant != known:
        wanted = next(word for word, meaning in _PROTOCOLS.items() if meaning == known)
        rule = f"port {port} of {environment.service.title} speaks {known}, which is {wanted} here"
        findings.error(where, protocol, rule, environment.service.ports.source or source, f"Set security: {wanted}.")
    elif meant == "none" and environment.values.get("username"):
        rule = "with smtp the mail and the password travel as plain text"
        findings.warn(where, protocol, rule, source, "Use smtp+tls or smtps if the server has it.")
    elif meant == "implicit" and port in (25, 587):
        rule = f"smtps needs a port of its own; {port} begins as plain text (RFC 8314 section 3)"
        findings.warn("erp_mail_settings.port", port, rule, source, "Use 465, or smtp+tls.")
    elif meant in ("none", "starttls") and port == 465:
        rule = "465 is a port of TLS from the first byte (RFC 8314 section 7.3)"
        findings.warn("erp_mail_settings.port", port, rule, source, "Use 587, or smtps.")


def _code(environment: Environment, field: str) -> Source:
    """The source of what is said of a field."""
    return next(one.source for one in environment.transport.fields if one.id == field)
