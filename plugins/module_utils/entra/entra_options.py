# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The options of the Entra modules as argument specs, and the checks that run before a module starts."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.option_check import wrong_options
from ansible_collections.mailroom.erp.plugins.module_utils.problem import RuleSource
from ansible_collections.mailroom.erp.plugins.module_utils.secret_rules import is_too_short, too_short

ENTRA_GUIDE = "docs/entra.md"
"""The source of rules that are this collection's own."""

ENTRA_RULES = RuleSource(ENTRA_GUIDE)

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

CLOUDS = {
    "public": ("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "usgov": ("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    "usgov_dod": ("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
    "china": ("https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
}
"""Where to sign in and where Graph is, for each cloud [Microsoft Graph, national cloud deployments]."""

SIGN_IN_WAYS = ("client_secret", "certificate", "federated_token", "azure_cli")
"""How to sign in; exactly one is given."""

TENANT_OPTIONS: ArgumentSpec = {
    "tenant_id": {"type": "str", "required": True},
    "client_id": {"type": "str"},
    "client_secret": {"type": "str", "no_log": True},
    "certificate": {"type": "str", "no_log": True},
    "certificate_passphrase": {"type": "str", "no_log": True},
    "federated_token": {"type": "str", "no_log": True},
    "azure_cli": {"type": "bool"},
    "cloud": {"type": "str", "default": "public", "choices": list(CLOUDS)},
    "authority": {"type": "str"},
    "graph_url": {"type": "str"},
    "ca_file": {"type": "path"},
    "timeout": {"type": "float", "default": 300.0},
    "poll_interval": {"type": "float", "default": 1.0},
}

SCOPED_ROLES = ("Application Mail.ReadWrite", "Application Mail.Send", "Application SMTP.SendAsApp")
"""The application roles of Exchange Online that an ERP may get for single mailboxes, as Exchange calls them [Role
Based Access Control for Applications in Exchange Online, read on 2026-11-29; SMTP.SendAsApp since November 2025,
MC1158911]."""

_PERMISSION: ArgumentSpec = {"resource": {"type": "str", "required": True}, "role": {"type": "str", "required": True}}
_FEDERATED: ArgumentSpec = {
    "issuer": {"type": "str", "required": True},
    "subject": {"type": "str", "required": True},
    "audience": {"type": "str", "default": "api://AzureADTokenExchange"},
    "description": {"type": "str"},
}
_REGISTRATION: ArgumentSpec = {
    "display_name": {"type": "str"},
    "permissions": {"type": "list", "elements": "dict", "default": [], "options": _PERMISSION},
    "access": {"type": "str", "choices": ["scoped", "tenant"]},
    "owners": {"type": "list", "elements": "str", "default": []},
}
_SECRET: ArgumentSpec = {
    "name": {"type": "str", "required": True},
    "lifetime": {"type": "int", "default": 180},
    "renew_before": {"type": "int", "default": 30},
    "overlap": {"type": "int", "default": 7},
    "confirmed_key_id": {"type": "str"},
    "end_unconfirmed": {"type": "bool", "default": False},
    "made_before": {"type": "str"},
}
_APPLICATION: ArgumentSpec = {"unique_name": {"type": "str"}, "app_id": {"type": "str"}}
_STATE: ArgumentSpec = {"state": {"type": "str", "default": "present", "choices": ["present", "absent"]}}
_WAITING: ArgumentSpec = {
    "settle": {"type": "int", "default": 120},
    "confirmed_assignments": {"type": "list", "elements": "str", "default": []},
}
ENVIRONMENT_PARTS = ("application", "credential", "consent", "scope")
"""Of an environment, in the order in which they are brought to what was declared."""
_ENVIRONMENT: ArgumentSpec = {
    "environment": {"type": "str", "required": True},
    "tenant_id": {"type": "str"},
    "customer": {"type": "str"},
    "application": {
        "type": "dict",
        "options": {
            "unique_name": {"type": "str", "required": True},
            **_REGISTRATION,
            **_STATE,
        },
    },
    "credential": {
        "type": "dict",
        "options": {
            **_SECRET,
            "stored_key_id": {"type": "str", "default": ""},
            "asked_since": {"type": "str"},
        },
    },
    "consent": {
        "type": "dict",
        "options": {
            "app_id": {"type": "str", "required": True},
            "publisher_tenant_id": {"type": "str", "required": True},
            "scopes": {"type": "list", "elements": "str", "default": []},
            "users": {"type": "list", "elements": "str", "default": []},
            **_STATE,
        },
    },
    "scope": {
        "type": "dict",
        "options": {
            "mailboxes": {"type": "list", "elements": "str", "required": True},
            **_WAITING,
        },
    },
    "senders": {"type": "list", "elements": "str", "default": []},
}

MODULE_OPTIONS: dict[str, ArgumentSpec] = {
    "entra_app_registration": {
        **_APPLICATION,
        **_REGISTRATION,
        "consent": {"type": "str", "default": "grant", "choices": ["grant", "report"]},
        "revoke_tenant_grants": {"type": "bool", "default": False},
        "leave_tenant_grants": {"type": "bool", "default": False},
        "notes": {"type": "str"},
        "exclusive": {"type": "bool", "default": False},
        "accept_unknown_grants": {"type": "list", "elements": "str", "default": []},
        "catalogue_permissions": {"type": "list", "elements": "dict", "default": [], "options": _PERMISSION},
        **_STATE,
    },
    "entra_app_credential": {
        **_APPLICATION,
        **_SECRET,
        "kind": {"type": "str", "required": True, "choices": ["secret", "certificate", "federated"]},
        "stored_key_id": {"type": "str"},
        "replace_lost": {"type": "bool", "default": False},
        "certificate": {"type": "str"},
        "federated": {"type": "dict", "options": _FEDERATED},
        **_STATE,
    },
    "entra_consent": {
        "app_id": {"type": "str", "required": True},
        "publisher_tenant_id": {"type": "str", "required": True},
        "verified_publisher": {"type": "str"},
        "resource": {"type": "str", "default": "Microsoft Graph"},
        "scopes": {"type": "list", "elements": "str", "default": []},
        "users": {"type": "list", "elements": "str", "default": []},
        "all_users": {"type": "bool", "default": False},
        "exclusive": {"type": "bool", "default": False},
        **_STATE,
    },
    "entra_mail_scope": {
        **_APPLICATION,
        "roles": {"type": "list", "elements": "str", "required": True, "choices": list(SCOPED_ROLES)},
        "mailboxes": {"type": "list", "elements": "str", "default": []},
        "groups": {"type": "list", "elements": "str", "default": []},
        "administrative_unit": {"type": "str"},
        "custom_scope": {"type": "str"},
        **_WAITING,
        "exclusive": {"type": "bool", "default": False},
        **_STATE,
    },
    "entra_automation": {
        "unique_name": {"type": "str", "default": "mailroom-automation"},
        "display_name": {"type": "str", "default": "Mailroom automation"},
        "read_senders": {"type": "bool", "default": True},
        "read_scopes": {"type": "bool", "default": False},
    },
    "entra_sender_info": {
        "senders": {"type": "list", "elements": "str", "required": True},
        "unique_name": {"type": "str"},
    },
    "entra_adopt_info": {
        "tenant": {"type": "dict", "options": TENANT_OPTIONS},
        "tenants": {"type": "list", "elements": "dict", "options": TENANT_OPTIONS},
        "senders": {"type": "list", "elements": "str", "default": []},
        "dir": {"type": "path"},
    },
    "entra_environments": {
        "tenant": {"type": "dict", "options": TENANT_OPTIONS},
        "tenants": {"type": "list", "elements": "dict", "options": TENANT_OPTIONS},
        "environments": {"type": "list", "elements": "dict", "required": True, "options": _ENVIRONMENT},
        "parts": {
            "type": "list",
            "elements": "str",
            "default": list(ENVIRONMENT_PARTS),
            "choices": list(ENVIRONMENT_PARTS),
        },
        "make_secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "secrets_dir": {"type": "path", "no_log": False},
        "hand_over": {"type": "str", "default": "vault", "choices": ["vault", "return"]},
        "stored": {"type": "dict", "default": {}},
        "withdraw": {"type": "dict", "default": {}},
        "read_senders": {"type": "bool", "default": True},
        "secrets_pipe": {"type": "path", "no_log": False},
        "catalogue_permissions": {"type": "list", "elements": "dict", "default": [], "options": _PERMISSION},
    },
}
"""The options of each Entra module beside ``tenant``, which is required unless it stands here."""

TENANT_SECRETS = tuple(name for name, option in TENANT_OPTIONS.items() if option.get("no_log"))


@dataclass(frozen=True, slots=True)
class Tenant:
    """A checked ``tenant`` option, with the addresses of its cloud; ``timeout`` and ``poll_interval`` in seconds."""

    tenant_id: str
    client_id: str | None
    authority: str
    graph_url: str
    known_cloud: bool
    ca_file: str | None
    timeout: float
    poll_interval: float
    azure_cli: bool
    client_secret: str | None = field(default=None, repr=False)
    certificate: str | None = field(default=None, repr=False)
    certificate_passphrase: str | None = field(default=None, repr=False)
    federated_token: str | None = field(default=None, repr=False)


def module_spec(module: str) -> dict[str, Any]:
    """The argument spec of an Entra module.

    :param module: its name, without the collection's
    """
    return {"tenant": {"type": "dict", "required": True, "options": TENANT_OPTIONS}, **MODULE_OPTIONS[module]}


def wrong_entra_arguments(module: str, arguments: Mapping[str, Any]) -> list[str]:
    """Check the names and shapes of all options of an Entra module.

    :param module: its name, without the collection's
    :param arguments: what the task gives
    :returns: one sentence per broken rule; none quotes a value
    """
    return wrong_options(module_spec(module), arguments, {"tenant": check_tenant, "tenants": _check_tenants})


def is_guid(value: object) -> bool:
    """Whether a value is a GUID in its usual form, 8-4-4-4-12 hexadecimal digits.

    :param value: anything
    """
    return isinstance(value, str) and _GUID.fullmatch(value) is not None


def read_tenant(tenant: Mapping[str, Any]) -> Tenant:
    """Complete a checked ``tenant`` option.

    :param tenant: the option as the argument spec gives it, without broken rules
    """
    authority, graph_url = CLOUDS[tenant.get("cloud") or "public"]
    own = tenant.get("authority") and tenant.get("graph_url")
    return Tenant(
        tenant_id=tenant["tenant_id"].lower(),
        client_id=tenant.get("client_id"),
        authority=(tenant["authority"] if own else authority).rstrip("/"),
        graph_url=(tenant["graph_url"] if own else graph_url).rstrip("/"),
        known_cloud=not own,
        ca_file=tenant.get("ca_file"),
        timeout=float(tenant.get("timeout") or TENANT_OPTIONS["timeout"]["default"]),
        poll_interval=float(tenant.get("poll_interval") or TENANT_OPTIONS["poll_interval"]["default"]),
        azure_cli=bool(tenant.get("azure_cli")),
        **{name: tenant.get(name) for name in TENANT_SECRETS},
    )


def check_tenant(tenant: object) -> list[str]:
    """Check the shape of a ``tenant`` option without ever showing a value of it.

    :param tenant: what the user gave
    :returns: one sentence per broken rule, empty when the option is usable
    """
    if not isinstance(tenant, Mapping):
        return [f"tenant must be a dictionary with tenant_id and a way to sign in, not a {type(tenant).__name__}"]
    given = {str(name): value for name, value in tenant.items() if value is not None}
    problems = [_stray(name) for name in sorted(set(given) - set(TENANT_OPTIONS))]
    problems += [_no_guid(name) for name in ("tenant_id", "client_id") if name in given and not is_guid(given[name])]
    if "tenant_id" not in given:
        problems.append("tenant.tenant_id is required: the Directory (tenant) ID, a GUID")
    problems += [too_short(f"tenant.{name}") for name in TENANT_SECRETS if name in given and is_too_short(given[name])]
    return problems + _check_way(given) + _check_places(given)


def _check_tenants(tenants: object) -> list[str]:
    if not isinstance(tenants, (list, tuple)):
        return [f"tenants must be a list of dictionaries, not a {type(tenants).__name__}"]
    return [f"tenants[{number}]: {rule}" for number, one in enumerate(tenants) for rule in check_tenant(one)]


def _check_way(given: Mapping[str, Any]) -> list[str]:
    ways = [name for name in SIGN_IN_WAYS if given.get(name) not in (None, False)]
    if len(ways) != 1:
        names = ", ".join(f"tenant.{name}" for name in (ways or SIGN_IN_WAYS))
        said = "name two ways to sign in; give one" if ways else "say how to sign in; give exactly one"
        return [f"{names}: {said}"]
    problems = []
    if ways != ["azure_cli"] and "client_id" not in given:
        problems.append(
            f"tenant.client_id is required by tenant.{ways[0]}: the Application (client) ID of the automation"
        )
    if "certificate_passphrase" in given and ways != ["certificate"]:
        problems.append("tenant.certificate_passphrase belongs to tenant.certificate: leave it out")
    if ways == ["certificate"] and not _is_key_and_certificate(str(given["certificate"])):
        problems.append("tenant.certificate must hold a certificate and its private key, both as PEM")
    return problems


def _check_places(given: Mapping[str, Any]) -> list[str]:
    problems = [
        f"tenant.{name} must be an address that begins with https://, without a query"
        for name in ("authority", "graph_url")
        if name in given and not re.fullmatch(r"https://[^\s?#@]+", str(given[name]))
    ]
    if ("authority" in given) != ("graph_url" in given):
        problems.append("tenant.authority and tenant.graph_url belong together: give both, or cloud alone")
    if given.get("cloud", "public") not in CLOUDS:
        problems.append(f"tenant.cloud is not one that this collection knows; choose one of: {', '.join(CLOUDS)}")
    return problems


def _is_key_and_certificate(text: str) -> bool:
    return "PRIVATE KEY-----" in text and "-----BEGIN CERTIFICATE-----" in text


def _stray(name: str) -> str:
    return f"tenant.{name} is no option; {_hint(name, list(TENANT_OPTIONS), 'tenant.')}"


def _hint(name: str, known: list[str], prefix: str) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {prefix}{close[0]}?" if close else f"it takes: {', '.join(known)}"


def _no_guid(name: str) -> str:
    return f"tenant.{name} must be a GUID: 8-4-4-4-12 hexadecimal digits, as the overview page in Entra shows it"
