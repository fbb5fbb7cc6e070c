# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Right declarations of every system and transport, which tests change, and what they are judged to be."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import (
    Declaration,
    Environment,
    Findings,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.secret_variables import Secret
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judgement import judge_declaration

GIVEN = Secret("vault_pw", "vault")
MISSING = Secret("erp_mail_password", "missing")

ONLINE: dict[str, Any] = {
    "system": "afas_profit",
    "transport": "afas_online",
    "senders": {"environment": "erp@acme.example", "administrations": {"1": "finance@acme.example"}},
    "own_domains": ["acme.example"],
}
SMTP: dict[str, Any] = {
    **ONLINE,
    "transport": "smtp",
    "service": "own_relay",
    "settings": {"server": "relay.acme.example", "username": "erp"},
    "spf_terms": ["ip4:192.0.2.1"],
    "password": GIVEN,
}
M365: dict[str, Any] = {
    **ONLINE,
    "transport": "smtp",
    "service": "microsoft365",
    "settings": {"username": "erp@acme.example"},
    "password": GIVEN,
}
BAKERY: dict[str, Any] = {
    "system": "compad_bakkerij",
    "service": "ziggo",
    "senders": {"environment": "mijnbakkerij@ziggo.nl"},
    "own_domains": ["mijnbakkerij.example"],
}
GMAIL: dict[str, Any] = {
    **BAKERY,
    "service": "gmail",
    "senders": {"environment": "mijnbakkerij@gmail.com"},
    "settings": {"username": "mijnbakkerij@gmail.com"},
    "password": GIVEN,
}
GUID = "0a1b2c3d-0000-4000-8000-000000000001"
DKIM: dict[str, Any] = {
    **ONLINE,
    "dkim": {
        "acme.example": [
            {"selector": "afas1", "target": "acme-example.afas1.afas.example"},
            {"selector": "afas2", "target": "acme-example.afas2.afas.example"},
        ]
    },
    "settings": {"apply_dkim": True, "dkim_username": "dkim-98765", "afas_environment": "O98765AA"},
    "password": GIVEN,
}
EXCHANGE: dict[str, Any] = {
    **ONLINE,
    "transport": "exchange",
    "settings": {"directory_id": GUID, "application_id": GUID},
    "password": GIVEN,
}
SENDGRID: dict[str, Any] = {
    **ONLINE,
    "transport": "smtp",
    "service": "sendgrid",
    "password": GIVEN,
    "dkim": {
        "acme.example": [
            {"selector": "s1", "target": "s1.domainkey.u1.wl.sendgrid.net"},
            {"selector": "s2", "target": "s2.domainkey.u1.wl.sendgrid.net"},
            {"name": "em1234", "target": "u1.wl.sendgrid.net"},
        ]
    },
}
KING: dict[str, Any] = {
    "system": "king_erp",
    "transport": "smtp_basic",
    "service": "own_relay",
    "senders": {"environment": "king@acme.example"},
    "settings": {
        "server": "relay.acme.example",
        "port": 465,
        "security": "Implicit-TLS",
        "authentication": True,
        "username": "king",
    },
    "spf_terms": ["ip4:192.0.2.1"],
    "own_domains": ["acme.example"],
    "password": GIVEN,
}
KING_SMTP: dict[str, Any] = {
    **KING,
    "transport": "m365_smtp_oauth2",
    "service": "microsoft365",
    "settings": {"username": "king@acme.example"},
    "spf_terms": None,
    "password": MISSING,
    "consent": {"app_id": GUID, "publisher_tenant_id": GUID, "scopes": ["SMTP.Send"]},
}
KING_GRAPH: dict[str, Any] = {**KING_SMTP, "transport": "graph_oauth2", "service": None}
A2000: dict[str, Any] = {
    "system": "a2000erp",
    "service": "own_relay",
    "senders": {"environment": "accounts@acme.example"},
    "settings": {"server": "relay.acme.example", "port": 587, "max_mails_per_batch": 10, "batch_interval": 60},
    "spf_terms": ["ip4:192.0.2.1"],
    "dkim": {"acme.example": [{"selector": "relay", "target": "relay._domainkey.acme-mail.example"}]},
    "own_domains": ["acme.example"],
    "password": GIVEN,
}
EXALT: dict[str, Any] = {
    "system": "exalt",
    "service": "own_relay",
    "senders": {"environment": "alerts@acme.example"},
    "settings": {
        "server_name": "relay.acme.example,25",
        "authentication": "none",
        "notification_mailbox": "system@acme.example",
        "bounced_mailbox": "bounces@acme.example",
    },
    "spf_terms": ["ip4:192.0.2.1"],
    "own_domains": ["acme.example"],
}
EXALT_GMAIL: dict[str, Any] = {
    **EXALT,
    "service": "gmail",
    "settings": {
        "username": "alerts@acme.example",
        "notification_mailbox": "system@acme.example",
        "bounced_mailbox": "bounces@acme.example",
    },
    "spf_terms": None,
    "password": GIVEN,
}
TRYTON: dict[str, Any] = {
    "system": "tryton",
    "service": "own_relay",
    "senders": {"environment": "erp@acme.example"},
    "settings": {"host": "relay.acme.example", "port": 587, "security": "smtp+tls", "username": "erp"},
    "spf_terms": ["ip4:192.0.2.1"],
    "own_domains": ["acme.example"],
    "password": GIVEN,
}
TRYTON_GMAIL: dict[str, Any] = {
    **TRYTON,
    "service": "gmail",
    "settings": {"username": "erp@acme.example"},
    "spf_terms": None,
}
BASES = {
    "online": ONLINE,
    "dkim": DKIM,
    "smtp": SMTP,
    "m365": M365,
    "sendgrid": SENDGRID,
    "exchange": EXCHANGE,
    "bakery": BAKERY,
    "gmail": GMAIL,
    "king": KING,
    "king_smtp": KING_SMTP,
    "king_graph": KING_GRAPH,
    "a2000": A2000,
    "exalt": EXALT,
    "exalt_gmail": EXALT_GMAIL,
    "tryton": TRYTON,
    "tryton_gmail": TRYTON_GMAIL,
}
"""The same by the names that the tables of cases use."""


def judged(base: dict[str, Any], **changes: Any) -> tuple[Environment | None, Findings]:
    """Judge a declaration, whose password is missing unless it is given, with some of it changed."""
    return judge_declaration(Declaration(environment="env_1", **{"password": MISSING, **base, **changes}), Catalogue())


def accepted(base: dict[str, Any], **changes: Any) -> Environment:
    """The same for a declaration that must be right."""
    environment, findings = judged(base, **changes)
    assert findings.errors == []
    assert environment is not None
    return environment
