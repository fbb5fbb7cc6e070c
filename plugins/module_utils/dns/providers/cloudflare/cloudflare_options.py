# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The options of provider ``cloudflare``, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider_registration import ProviderRegistration
from ansible_collections.mailroom.erp.plugins.module_utils.secret_rules import is_private_url

_LEAST_TTL, _LARGEST_TTL = 30, 86400
"""Seconds that Cloudflare takes; below 60 on Enterprise plans only (developers.cloudflare.com/api, DNS records)."""


def _open(dns: Mapping[str, Any], tell: Callable[[str], None]) -> Provider:
    from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare.cloudflare_provider import (
        CloudflareProvider,
    )

    return CloudflareProvider(dns, tell)


def _problems(dns: Mapping[str, Any]) -> list[str]:
    if dns.get("base_url") is None or is_private_url(str(dns["base_url"])):
        return []
    return ["dns.base_url must begin with https://, or http:// on this machine: the token travels with each request"]


def _ttl_rule(ttl: int) -> str | None:
    if ttl == 1 or _LEAST_TTL <= ttl <= _LARGEST_TTL:
        return None
    return f"Cloudflare takes a TTL of {_LEAST_TTL} to {_LARGEST_TTL} seconds, or 1 for automatic"


CLOUDFLARE = ProviderRegistration(
    name="cloudflare",
    options={
        "api_token": {"type": "str", "required": True, "no_log": True},
        "base_url": {"type": "str"},
        "timeout": {"type": "float"},
    },
    open=_open,
    problems=_problems,
    ttl_rule=_ttl_rule,
)
