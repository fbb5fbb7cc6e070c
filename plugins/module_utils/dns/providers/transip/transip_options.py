# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The options of provider ``transip``, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider_registration import ProviderRegistration
from ansible_collections.mailroom.erp.plugins.module_utils.secret_rules import is_private_url

_LEAST_TTL, _LARGEST_TTL = 60, 86400
"""Seconds: the first and the last choice of TransIP's control panel; its API documents no bounds."""


def _open(dns: Mapping[str, Any], tell: Callable[[str], None]) -> Provider:
    from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.transip.transip_provider import (
        TransipProvider,
    )

    return TransipProvider(dns, tell)


def _problems(dns: Mapping[str, Any]) -> list[str]:
    problems = []
    secrets = [name for name in ("private_key", "token") if dns.get(name) is not None]
    if len(secrets) != 1:
        rule = "give one of them" if secrets else "one of them is required by provider transip"
        problems.append(f"dns.private_key signs in with a key pair, dns.token is an access token: {rule}")
    if dns.get("base_url") is not None and not is_private_url(str(dns["base_url"])):
        rule = "must begin with https://, or http:// on this machine: the token travels with each request"
        problems.append(f"dns.base_url {rule}")
    return problems


def _ttl_rule(ttl: int) -> str | None:
    if _LEAST_TTL <= ttl <= _LARGEST_TTL:
        return None
    return f"TransIP takes a TTL of {_LEAST_TTL} to {_LARGEST_TTL} seconds"


TRANSIP = ProviderRegistration(
    name="transip",
    options={
        "login": {"type": "str", "required": True},
        "private_key": {"type": "str", "no_log": True},
        "token": {"type": "str", "no_log": True},
        "base_url": {"type": "str"},
        "timeout": {"type": "float"},
    },
    open=_open,
    problems=_problems,
    ttl_rule=_ttl_rule,
)
