# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that every DNS module shares, as argument specs, and the check that runs before a module starts."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

SHORTEST_SECRET = 8
"""A shorter no_log value would blank out harmless words in every output of the task."""

Spec = dict[str, dict[str, Any]]

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_ALGORITHMS = ["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"]

PROVIDER_OPTIONS: dict[str, Spec] = {
    "cloudflare": {
        "api_token": {"type": "str", "required": True, "no_log": True},
        "base_url": {"type": "str", "default": "https://api.cloudflare.com/client/v4"},
        "timeout": {"type": "float", "default": 30.0},
    },
    "rfc2136": {
        "server": {"type": "str", "required": True},
        "port": {"type": "int", "default": 53},
        "key_name": {"type": "str"},
        "key_secret": {"type": "str", "no_log": True},
        "key_algorithm": {"type": "str", "default": "hmac-sha256", "choices": _ALGORITHMS},
        "timeout": {"type": "float", "default": 10.0},
    },
    "zonefile": {
        "path": {"type": "path", "required": True},
    },
}
"""The options of ``dns`` for each provider, as argument specs; ``required`` is meant per provider."""

_LEAST_TTL, _LARGEST_TTL = 30, 86400
"""Seconds that Cloudflare takes; below 60 on Enterprise plans only (developers.cloudflare.com/api, DNS records)."""

RESOLVER_OPTIONS: Spec = {
    "nameservers": {"type": "list", "elements": "str", "default": []},
    "port": {"type": "int", "default": 53},
    "zonefiles": {"type": "list", "elements": "path", "default": []},
    "timeout": {"type": "float", "default": 5.0},
}


def dns_spec() -> dict[str, Any]:
    """The argument spec of the option ``dns``: the options of all providers side by side.

    ``required`` and ``default`` belong to one provider each, so they are applied by :func:`with_defaults`
    and checked by :func:`check_dns`, not by the argument spec.
    """
    suboptions: Spec = {"provider": {"type": "str", "required": True, "choices": list(PROVIDER_OPTIONS)}}
    for spec in PROVIDER_OPTIONS.values():
        for name, option in spec.items():
            suboptions[name] = {key: value for key, value in option.items() if key not in ("required", "default")}
    return {"type": "dict", "options": suboptions}


def shared_spec() -> dict[str, Any]:
    """The argument spec of the options ``dns``, ``zone`` and ``resolver``, and the rest that every DNS module takes."""
    return {
        "dns": dns_spec(),
        "zone": {"type": "str"},
        "resolver": {"type": "dict", "options": RESOLVER_OPTIONS},
        "accept_undelegated": {"type": "list", "elements": "str", "default": []},
        "snapshot_dir": {"type": "path"},
        "why": {"type": "str"},
    }


def domain_spec() -> dict[str, Any]:
    """The argument spec of the options that every module for one domain takes."""
    return {"domain": {"type": "str", "required": True}, "ttl": {"type": "int"}, **shared_spec()}


def secret_options(provider: str) -> list[str]:
    """Name the options of a provider that hold secrets."""
    return [name for name, option in PROVIDER_OPTIONS.get(provider, {}).items() if option.get("no_log")]


def check_dns(dns: object) -> list[str]:
    """Check the shape of a ``dns`` option without ever showing a value of it.

    :param dns: what the user gave
    :returns: one sentence per broken rule, empty when the option is usable
    """
    if not isinstance(dns, Mapping):
        return [f"dns must be a dictionary that names its provider, not a {type(dns).__name__}"]
    provider = dns.get("provider")
    if not isinstance(provider, str) or provider not in PROVIDER_OPTIONS:
        given = "is missing" if provider is None else "is not one that this collection has"
        return [f"dns.provider {given}; choose one of: {', '.join(PROVIDER_OPTIONS)}"]
    allowed = PROVIDER_OPTIONS[provider]
    named = {str(name) for name, value in dns.items() if value is not None}
    problems = [_stray_option(provider, name) for name in sorted(named - {"provider", *allowed})]
    problems += [
        f"dns.{name} is required by provider {provider}"
        for name, option in allowed.items()
        if option.get("required") and name not in named
    ]
    problems += [_short_secret(name) for name in secret_options(provider) if name in named and _is_short(dns[name])]
    if provider == "rfc2136" and ("key_name" in named) != ("key_secret" in named):
        problems.append("dns.key_name and dns.key_secret belong together: give both (TSIG) or neither")
    if provider == "cloudflare" and "base_url" in named and not _is_private(str(dns["base_url"])):
        problems.append(
            "dns.base_url must begin with https://, or http:// on this machine: the token travels with each request"
        )
    return problems


def ttl_rule(provider: str, ttl: int) -> str | None:
    """The rule of a DNS service that a TTL breaks, None when it takes it.

    :param ttl: in seconds
    """
    if provider != "cloudflare" or ttl == 1 or _LEAST_TTL <= ttl <= _LARGEST_TTL:
        return None
    return f"Cloudflare takes a TTL of {_LEAST_TTL} to {_LARGEST_TTL} seconds, or 1 for automatic"


def with_defaults(dns: Mapping[str, Any]) -> dict[str, Any]:
    """Complete a checked ``dns`` option with its provider's defaults; options that are None are dropped."""
    spec = PROVIDER_OPTIONS[dns["provider"]]
    given = {name: value for name, value in dns.items() if value is not None}
    return {**{name: option["default"] for name, option in spec.items() if "default" in option}, **given}


def _stray_option(provider: str, name: str) -> str:
    owners = [other for other, spec in PROVIDER_OPTIONS.items() if name in spec]
    if owners:
        return f"dns.{name} belongs to provider {', '.join(owners)}, not to {provider}: leave it out"
    close = difflib.get_close_matches(name, PROVIDER_OPTIONS[provider], n=1)
    hint = f"did you mean dns.{close[0]}?" if close else f"it takes: {', '.join(PROVIDER_OPTIONS[provider])}"
    return f"dns.{name} is no option of provider {provider}; {hint}"


def _is_private(url: str) -> bool:
    """Whether nobody on the way can read what is sent to a URL."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_MACHINE)
        )
    except ValueError:
        return False


def _is_short(value: object) -> bool:
    return len(str(value)) < SHORTEST_SECRET


def _short_secret(name: str) -> str:
    return (
        f"dns.{name} is shorter than {SHORTEST_SECRET} characters: Ansible masks secrets by replacing their text, "
        "so a short one would blank out other output and could be guessed from it. Use a longer secret"
    )
