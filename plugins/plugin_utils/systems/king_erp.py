# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""KING ERP: the rules of its page "Bedrijfsgegevens: E-mail server" that an argument spec cannot say."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import (
    CONSENT_KEYS,
    INVENTORY,
    Environment,
    Findings,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.system_base import SystemRules

_WORDS = {"Geen": "none", "Explicit-TLS": "starttls", "Implicit-TLS": "implicit"}


class KingErp(SystemRules):
    """The rules of KING ERP beside ``catalogue/systems/king_erp.yml``."""

    def judge(self, environment: Environment, findings: Findings) -> None:
        """Judge the sign-in and security of SMTP, and what is known about the consent of the OAuth2 kinds."""
        if environment.transport.id == "smtp_basic":
            _sign_in(environment, findings)
            _security(environment, findings)
        else:
            _consent(environment, findings)

    def server(self, environment: Environment) -> dict[str, Any]:
        """AUTH LOGIN must be offered, and messages of the maximal size taken."""
        found = super().server(environment)
        if environment.transport.id == "graph_oauth2":
            return found
        found["min_size"] = environment.values["max_size"] or None
        if environment.transport.id == "m365_smtp_oauth2":
            return {**found, "sign_in": True, "mechanism": "XOAUTH2"}
        sign_in = bool(environment.values["authentication"])
        security = _WORDS.get(str(environment.values["security"]))
        return {**found, "security": security, "sign_in": sign_in, "mechanism": "LOGIN" if sign_in else None}

    def remarks(self, environment: Environment) -> list[str]:
        """The screen has no field for the sender, so a test must show that it is the declared one."""
        sender = environment.sender("environment")
        if sender is None:
            return []
        rule = "Dit scherm heeft geen veld voor de afzender: KING ERP verstuurt onder Gebruikersnaam."
        if not environment.values.get("username"):
            rule = "Dit scherm heeft geen veld voor de afzender."
        return [f"{rule} Controleer aan een document aan uzelf dat het van {sender.address} komt."]


def _sign_in(environment: Environment, findings: Findings) -> None:
    source = environment.transport.source
    if environment.values["authentication"]:
        if not environment.has_password:
            rule = "with Server vereist authenticatie the Toegangscode of the Gebruikersnaam is entered"
            way_out = "Declare it encrypted, or as a reference to a vaulted variable."
            findings.error("erp_mail_password", None, rule, source, way_out)
        return
    if environment.service.auth.value == "required":
        rule = f"{environment.service.title} takes mail only after authentication"
        way_out = "Leave authentication out, or set it to true."
        findings.error(
            "erp_mail_settings.authentication", "off", rule, environment.service.auth.source or source, way_out
        )
        return
    rule = "it is entered only with Server vereist authenticatie, and is not accessible without"
    if "username" in environment.given:
        value = environment.values["username"]
        findings.error("erp_mail_settings.username", value, rule, source, "Set authentication: true, or leave it out.")
    if environment.has_password:
        findings.error("erp_mail_password", None, rule, source, "Set authentication: true, or leave it out.")


def _security(environment: Environment, findings: Findings) -> None:
    security, port = environment.values["security"], environment.values["port"]
    source, where = environment.transport.source, "erp_mail_settings.security"
    known = environment.service.security(port) if port is not None else None
    if known is not None and _WORDS.get(security, known) != known:
        wanted = next(word for word, meaning in _WORDS.items() if meaning == known)
        rule = f"port {port} of {environment.service.title} speaks {wanted}"
        findings.error(where, security, rule, environment.service.ports.source or source, f"Set security: {wanted}.")
    elif security == "Geen":
        rule = "without TLS-encryptie mail and Toegangscode travel as plain text"
        findings.warn(where, security, rule, source, "Use Explicit-TLS or Implicit-TLS if the server has it.")
    elif security == "Implicit-TLS" and port in (25, 587):
        rule = f"Implicit-TLS needs a port of its own; {port} is usually shared with plain mode"
        findings.warn("erp_mail_settings.port", port, rule, source, "Use 465, or Explicit-TLS.")
    elif security == "Explicit-TLS" and port == 465:
        rule = "Explicit-TLS usually uses the port of plain mode; 465 is one of Implicit-TLS"
        findings.warn("erp_mail_settings.port", port, rule, source, "Use 587, or Implicit-TLS.")


def _consent(environment: Environment, findings: Findings) -> None:
    missing = [key for key in CONSENT_KEYS if key not in environment.consent]
    if missing:
        rule = f"the page does not say {', '.join(missing)} of KING Software - SendEmail, so no consent can be prepared"
        way_out = "Declare it in erp_mail_consent as Entra shows it, or let the administrator consent by hand."
        findings.warn("erp_mail_consent", None, rule, INVENTORY, way_out)
