# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Exalt: the rules of the vendor's page on email settings that an argument spec cannot say."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.address import domain_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import (
    DeclaredSender,
    Environment,
    Findings,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.field_values import host_of, port_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.system_base import SystemRules

_WORDS = {"none": "none", "TLS": "starttls", "SSL": "implicit"}
_EXTERNAL = ("mailbox", "platform")
_MAILBOXES = {"notification_mailbox": "System Notification Mailbox", "bounced_mailbox": "Bounced Alerts Mailbox"}
_DEFAULT_PORT = 25
_ON_NETWORK = re.compile(r"(\\\\[^\\]+\\[^\\]+|[D-Z]:)(\\.*)?", re.IGNORECASE)


class Exalt(SystemRules):
    """The rules of Exalt beside ``catalogue/systems/exalt.yml``."""

    def judge(self, environment: Environment, findings: Findings) -> None:
        """Judge the authentication, the three mailboxes, the debug path and the creditors portal."""
        _authentication(environment, findings)
        _sign_in(environment, findings)
        _mailboxes(environment, findings)
        _debug_path(environment, findings)
        _portal(environment, findings)

    def server(self, environment: Environment) -> dict[str, Any]:
        """The certificate is demanded for the creditors portal; without it an internal relay may have its own."""
        found = super().server(environment)
        internal = environment.service.kind == "relay" and not environment.values["creditors_portal"]
        port = found["port"] or _DEFAULT_PORT
        security = _WORDS.get(str(environment.values["authentication"]))
        return {**found, "port": port, "security": security, "verify": not internal}

    def test_address(self, environment: Environment) -> str | None:
        """The button Send Test writes to the System Notification Mailbox."""
        address: str | None = environment.values["notification_mailbox"]
        return address


def _authentication(environment: Environment, findings: Findings) -> None:
    service, source = environment.service, environment.transport.source
    method, where = environment.values["authentication"], "erp_mail_settings.authentication"
    port = port_of(environment.transport, environment.values)
    known = service.security(port) if port is not None else None
    if method == "none" and service.kind in _EXTERNAL:
        rule = f"authentication is required for external providers such as {service.title}"
        findings.error(where, method, rule, source, "Leave it out, or choose TLS or SSL.")
    elif known is not None and method is not None and _WORDS[method] != known:
        wanted = next(word for word, meaning in _WORDS.items() if meaning == known)
        rule = f"port {port} of {service.title} is for {wanted}"
        findings.error(where, method, rule, source, f"Set authentication: {wanted}, or another port.")


def _sign_in(environment: Environment, findings: Findings) -> None:
    service, source = environment.service, environment.transport.source
    has_username = bool(environment.values["username"])
    needed = service.kind in _EXTERNAL or service.auth.value == "required"
    if needed and not has_username:
        rule = f"{service.title} gives a user name, which is entered"
        findings.error("erp_mail_settings.username", None, rule, source, "Declare erp_mail_settings.username.")
    if (needed or has_username) and not environment.has_password:
        rule = "the password of the user name is entered"
        way_out = "Declare it encrypted, or as a reference to a vaulted variable."
        findings.error("erp_mail_password", None, rule, source, way_out)
    if environment.has_password and not has_username and not needed:
        rule = "a password is of no use without a user name"
        way_out = "Declare the user name, or leave the password out."
        findings.error("erp_mail_settings.username", None, rule, source, way_out)
    if environment.has_password and environment.values["authentication"] == "none":
        rule = "a password would travel as plain text without TLS or SSL"
        findings.warn("erp_mail_settings.authentication", "none", rule, source, "Use TLS if the server has it.")


def _mailboxes(environment: Environment, findings: Findings) -> None:
    source, alert = environment.transport.source, environment.sender("environment")
    for name, label in _MAILBOXES.items():
        address = environment.values[name]
        if address is None:
            continue
        if not environment.is_ours(domain_of(address)):
            rule = f"the {label} should usually be an internal address, and its domain is not in mail_dns_domains"
            findings.warn(f"erp_mail_settings.{name}", address, rule, source, "Use a mailbox of one of your domains.")
        if alert is not None and address.lower() == alert.address.lower():
            rule = f"the Alert From Mailbox should be a mailbox of its own, not the {label} too"
            findings.warn(f"erp_mail_settings.{name}", address, rule, source, "Use two mailboxes.")
    _alert_from(environment, alert, findings)


def _alert_from(environment: Environment, alert: DeclaredSender | None, findings: Findings) -> None:
    if alert is not None and not environment.is_ours(alert.domain):
        rule = "the Alert From Mailbox should be an internal address, and its domain is not in mail_dns_domains"
        way_out = "Use a mailbox of one of your domains."
        findings.warn(alert.where, alert.address, rule, environment.transport.source, way_out)


def _debug_path(environment: Environment, findings: Findings) -> None:
    path, source = environment.values["debug_path"], environment.transport.source
    where = "erp_mail_settings.debug_path"
    if path is None:
        return
    if not _ON_NETWORK.fullmatch(path):
        rule = "the debug path should be on a network drive that all users reach: a UNC path or a mapped drive"
        findings.warn(where, path, rule, source, r"Use e.g. \\server\share\exalt.")
    rule = "the debug file may hold the content of messages"
    findings.warn(where, path, rule, source, "Let only those read it who may read the mail; clear it after use.")


def _portal(environment: Environment, findings: Findings) -> None:
    if not environment.values["creditors_portal"]:
        return
    source, method = environment.transport.source, environment.values["authentication"]
    if method == "none":
        rule = "mail from the creditors portal's alerts requires certificated TLS"
        findings.error("erp_mail_settings.authentication", method, rule, source, "Choose TLS or SSL.")
    host = host_of(environment.transport, environment.values)
    try:
        ipaddress.ip_address(host or "")
    except ValueError:
        return
    rule = "the creditors portal requires a valid certificate, and one rarely names an address"
    findings.warn("erp_mail_settings.server_name", host, rule, source, "Use the server's name.")
