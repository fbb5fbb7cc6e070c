# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Compad Bakkerij: the rules of "Elektronisch facturering" 1.5 that an argument spec cannot say."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import (
    DeclaredSender,
    Environment,
    Findings,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.system_base import MessageKind, SystemRules

_SECURITIES = ("standaard", "TLS")
_EXTERNAL = ("mailbox", "platform")


class CompadBakkerij(SystemRules):
    """The rules of Compad Bakkerij beside ``catalogue/systems/compad_bakkerij.yml``."""

    def judge(self, environment: Environment, findings: Findings) -> None:
        """Judge the sender against the kind of service, the sign-in, the security and OrderNow."""
        if environment.service.kind == "isp":
            _provider_sender(environment, findings)
        _sign_in(environment, findings)
        _security(environment, findings)
        _ordernow(environment, findings)

    def also_sends(self, environment: Environment) -> list[tuple[str, DeclaredSender]]:
        """OrderNow sends as the address declared for it, else as the environment's sender."""
        if not environment.values.get("ordernow"):
            return []
        sender = environment.sender("ordernow") or environment.sender("environment")
        return [("ordernow", sender)] if sender else []

    def messages(self, environment: Environment) -> list[MessageKind]:
        """The kinds of message of the button Geavanceerd, and what OrderNow sends when its sender is declared."""
        texts = {
            "environment": "facturen, productielijsten en lever-/contantbonnen",
            "ordernow": "berichten van OrderNow",
        }
        return [MessageKind(sender.kind, texts[sender.kind]) for sender in environment.senders]

    def remarks(self, environment: Environment) -> list[str]:
        """What is not known of OrderNow's sender, and whom to ask."""
        if not environment.values.get("ordernow") or environment.sender("ordernow"):
            return []
        return [
            "Als welk adres OrderNow verstuurt is niet opgegeven. Vraag het aan Compad en zet het in de inventory: "
            "erp_mail_senders.ordernow."
        ]

    def server(self, environment: Environment) -> dict[str, Any]:
        """The screen's choice of security; what "standaard" does is not told."""
        found = super().server(environment)
        known = {"TLS": found["security"] or "starttls"}
        return {**found, "security": known.get(str(environment.values["security"])), "verify": None}

    def sends_from(self, environment: Environment) -> str:
        """The client sends, not a server: "De software verstuurt de mail van de cliënt / werkstation" (S2)."""
        return f"each workstation of {environment.system.title}"


def _provider_sender(environment: Environment, findings: Findings) -> None:
    sender = environment.sender("environment")
    known = environment.service.domains.value
    if sender is None or sender.domain in (known or []):
        return
    if known is None and not environment.is_ours(sender.domain):
        return
    rule = (
        f"{environment.service.title} relays only for the address that it gave you, not for the company's own: "
        "the mail is likely not relayed"
    )
    way_out = "Send as the provider's address, or through a service that sends for your domain."
    findings.warn(sender.where, sender.address, rule, environment.transport.source, way_out)


def _sign_in(environment: Environment, findings: Findings) -> None:
    service, source = environment.service, environment.transport.source
    has_password = environment.has_password
    has_username = bool(environment.values["username"])
    needed = service.kind in _EXTERNAL or service.auth.value == "required"
    if needed and not has_username:
        rule = f"an external service such as {service.title} requires a username, usually the e-mail address"
        findings.error("erp_mail_settings.username", None, rule, source, "Declare erp_mail_settings.username.")
    if service.kind == "isp" and has_username:
        rule = f"{service.title} is an internet provider; its server usually takes no username"
        findings.warn("erp_mail_settings.username", None, rule, source, "Leave it out unless the provider gave one.")
    if (has_username or needed) and not has_password:
        rule = f"{service.title} with a username requires a password"
        findings.error(
            "erp_mail_password", None, rule, source, "Declare it encrypted, or as a reference to a vaulted variable."
        )
    if has_password and not has_username and not needed:
        rule = "a password is of no use without a username"
        findings.error(
            "erp_mail_settings.username", None, rule, source, "Declare the username, or leave the password out."
        )


def _security(environment: Environment, findings: Findings) -> None:
    security, source = environment.values["security"], environment.transport.source
    where = "erp_mail_settings.security"
    if security not in _SECURITIES:
        rule = f"the document names only {' and '.join(_SECURITIES)}"
        findings.warn(where, security, rule, source, "Check that the list on the screen has this choice.")
    elif security == "standaard" and environment.service.kind in _EXTERNAL:
        rule = f"{environment.service.title} wants another security than standaard: a password would travel unprotected"
        findings.warn(where, security, rule, source, "Set security: TLS, or leave it out.")


def _ordernow(environment: Environment, findings: Findings) -> None:
    own = environment.sender("ordernow")
    source = environment.transport.source
    if not environment.values.get("ordernow"):
        if own:
            rule = "OrderNow is not switched on for this environment"
            way_out = "Set erp_mail_settings.ordernow: true, or leave the sender out."
            findings.error(own.where, own.address, rule, source, way_out)
        return
    sender = own or environment.sender("environment")
    if sender and not environment.is_ours(sender.domain):
        rule = f"the domain that OrderNow sends as is unknown: {sender.domain} is not yours, so no SPF term is planned"
        way_out = "Declare erp_mail_senders.ordernow: the address that OrderNow sends as."
        findings.warn("erp_mail_senders.ordernow", own.address if own else None, rule, source, way_out)
