# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Signing in to a tenant, and what the token says about itself."""

from __future__ import annotations

import base64
import binascii
import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import ENTRA_RULES, Tenant
from ansible_collections.mailroom.erp.plugins.module_utils.entra.http import Http
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import require
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused

_TRIES = 3
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)


class SignInFailed(Exception):
    """Entra gave no token; the message says why, in Entra's words where it has any."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token for Graph.

    ``tenant_id`` and ``app_id`` are who it was issued by and to, ``rights`` the application permissions in it; each is
    None when the token does not say. A person's token names no rights here, for what it may do also depends on the
    person's roles.
    """

    value: str = field(repr=False)
    tenant_id: str | None
    app_id: str | None
    rights: frozenset[str] | None

    def holds(self, *rights: str) -> bool:
        """Whether the token certainly carries one of these application permissions.

        :param rights: names of permissions, e.g. Application.ReadWrite.All
        """
        return self.rights is not None and not self.rights.isdisjoint(rights)

    def lacks(self, right: str) -> bool:
        """Whether the token certainly does not carry an application permission.

        :param right: the permission's name
        """
        return self.rights is not None and right not in self.rights


def sign_in(tenant: Tenant, http: Http, resource: str | None = None) -> Token:
    """Get a token for Graph, or for another service of the tenant.

    :param tenant: how to sign in, and where
    :param http: what requests are sent with; the Azure CLI sends its own
    :param resource: the address of the other service
    :raises SignInFailed: Entra refused, or cannot be reached
    :raises MissingLibrary: msal is not installed
    :raises Refused: the token is of another tenant than the declared one
    """
    scope = f"{resource or tenant.graph_url}/.default"
    token = read_token(_from_azure_cli(tenant, scope) if tenant.azure_cli else _from_msal(tenant, http, scope))
    if token.tenant_id is not None and token.tenant_id.lower() != tenant.tenant_id:
        raise Refused(other_tenant(tenant.tenant_id, token.tenant_id))
    return token


def other_tenant(declared: str, found: str) -> Problem:
    """What is wrong when a token would write to another tenant than the declared one.

    :param declared: the id of the declared tenant
    :param found: the id of the other one, as the token or Graph says it
    """
    rule = f"this sign-in belongs to tenant {found}"
    way_out = "Correct tenant.tenant_id, or sign in to the declared tenant."
    return ENTRA_RULES.problem(declared, "tenant.tenant_id", declared, rule, way_out)


def read_token(value: str) -> Token:
    """Read what a token says about itself, without judging its signature: it is for Graph to judge.

    Graph's tokens are opaque by contract, so whatever cannot be read is unknown, never an error.

    :param value: the access token
    :returns: what it says; each part None when it does not say
    """
    claims = _claims(value)
    person = "scp" in claims
    rights = None if person or not claims else frozenset(str(role) for role in claims.get("roles") or [])
    tenant_id, app_id = claims.get("tid"), claims.get("appid") or claims.get("azp")
    return Token(value, str(tenant_id) if tenant_id else None, str(app_id) if app_id else None, rights)


def _claims(value: str) -> Mapping[str, Any]:
    parts = value.split(".")
    if len(parts) != 3:
        return {}
    payload = parts[1]
    try:
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _from_msal(tenant: Tenant, http: Http, scope: str) -> str:
    msal, requests = require("msal"), require("requests")
    place = f"{tenant.authority}/{tenant.tenant_id}"
    for attempt in range(_TRIES):
        try:
            client = msal.ConfidentialClientApplication(
                tenant.client_id,
                client_credential=_credential(tenant),
                authority=place,
                http_client=http,
                # Another address than Microsoft's own is not looked up at Microsoft, who cannot know it.
                instance_discovery=None if tenant.known_cloud else False,
            )
            answer = client.acquire_token_for_client(scopes=[scope])
        except (requests.RequestException, ValueError) as error:
            if attempt + 1 == _TRIES or isinstance(error, ValueError):
                raise SignInFailed(f"{place}: the sign-in failed: {_first_line(str(error))}") from None
        else:
            return _token_of(place, answer)
    raise AssertionError("unreachable")


def _token_of(place: str, answer: Mapping[str, Any]) -> str:
    if "access_token" in answer:
        return str(answer["access_token"])
    said = _first_line(str(answer.get("error_description") or answer.get("error")))
    raise SignInFailed(f"{place}: Entra refused the sign-in: {said}")


def _credential(tenant: Tenant) -> Any:
    if tenant.federated_token:
        return {"client_assertion": lambda: tenant.federated_token}
    if not tenant.certificate:
        return tenant.client_secret
    key, certificate = _KEY.search(tenant.certificate), _CERTIFICATE.search(tenant.certificate)
    if key is None or certificate is None:
        raise SignInFailed("tenant.certificate must hold a certificate and its private key, both as PEM")
    pair = {"private_key": key[0], "public_certificate": certificate[0]}
    return pair if tenant.certificate_passphrase is None else {**pair, "passphrase": tenant.certificate_passphrase}


def _from_azure_cli(tenant: Tenant, scope: str) -> str:
    """Ask the Azure CLI, where a person has signed in; what it prints holds the token and is never shown."""
    command = ["az", "account", "get-access-token", "--tenant", tenant.tenant_id, "--scope", scope, "--output", "json"]
    login = f"sign in with: az login --tenant {tenant.tenant_id}"
    try:
        # No AnsibleModule is at hand here, and its run_command would log what the command prints.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            command, capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SignInFailed(
            f"the Azure CLI (az) cannot be run: {type(error).__name__}; install it, then {login}"
        ) from None
    if done.returncode != 0:
        raise SignInFailed(f"the Azure CLI gave no token: {_first_line(done.stderr)}; {login}")
    try:
        return str(json.loads(done.stdout)["accessToken"])
    except (ValueError, KeyError, TypeError):
        raise SignInFailed(f"the Azure CLI gave an answer that holds no token; {login}") from None


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "no reason given"
