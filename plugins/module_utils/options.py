# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that every DNS module shares, as argument specs, and the check that runs before a module starts."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

SHORTEST_SECRET = 8
"""A shorter no_log value would blank out harmless words in every output of the task."""

Spec = dict[str, dict[str, Any]]

_SECRET_NAME = re.compile(r"pass|secret|token|api_?key|private_?key|wachtwoord|toegangscode|credential", re.IGNORECASE)
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
    "octodns": {
        "class": {"type": "str", "required": True},
        "options": {"type": "dict", "default": {}},
        "secrets": {"type": "dict", "no_log": True, "default": {}},
        "zones": {"type": "list", "elements": "str", "default": []},
        "accept_whole_zone_writes": {"type": "list", "elements": "str", "default": []},
        "accept_record_gaps": {"type": "list", "elements": "str", "default": []},
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


def secret_values(account: Mapping[str, Any]) -> Iterator[str]:
    """Give every secret of a checked account, those inside dictionaries too.

    :param account: the option ``dns``
    """
    for name in secret_options(account["provider"]):
        value = account.get(name)
        if value is not None:
            yield from (str(inner) for inner in value.values()) if isinstance(value, Mapping) else (str(value),)


def looks_secret(name: str) -> bool:
    """Tell whether an option's name announces a secret, so that its value is not shown even when misplaced."""
    return _SECRET_NAME.search(name) is not None


def plain_text(value: object) -> str:
    """The value of an option that is no secret as one text; equal dictionaries and lists give the same."""
    return json.dumps(value, sort_keys=True, default=str) if isinstance(value, Mapping | list) else str(value)


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
    problems += _wrong_types(dns, allowed)
    if not problems:
        problems += [_short_secret(name) for name in _short_secrets(dns)]
    if provider == "octodns" and not problems:
        problems += _octodns_problems(dns)
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


def _wrong_types(dns: Mapping[str, Any], allowed: Spec) -> list[str]:
    """Dictionaries and lists are checked here, before anything looks into them; Ansible checks the other types."""
    kinds = {"dict": Mapping, "list": list}
    return [
        f"dns.{name} must be a {'dictionary' if option['type'] == 'dict' else 'list'}"
        for name, option in allowed.items()
        if option["type"] in kinds and dns.get(name) is not None and not isinstance(dns[name], kinds[option["type"]])
    ]


def _short_secrets(dns: Mapping[str, Any]) -> Iterator[str]:
    for name in secret_options(dns["provider"]):
        inner = dns.get(name)
        named = (
            {f"{name}.{key}": value for key, value in inner.items()} if isinstance(inner, Mapping) else {name: inner}
        )
        yield from (path for path, value in named.items() if value is not None and len(str(value)) < SHORTEST_SECRET)


def _octodns_problems(dns: Mapping[str, Any]) -> list[str]:
    """What is wrong with the options of an octoDNS class, by their names and types only."""
    options, secrets = dns.get("options") or {}, dns.get("secrets") or {}
    problems = []
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", str(dns["class"])):
        problems.append("dns.class is the dotted name of a class, such as octodns_powerdns.PowerDnsProvider")
    problems += [
        f"dns.options.{name} looks like a secret, which would be shown: put it into dns.secrets"
        for name in sorted(_all_names(options))
        if looks_secret(name)
    ]
    problems += [
        f"dns.secrets.{name} must be one text, not a {type(value).__name__}: each secret is masked by its text"
        for name, value in secrets.items()
        if not isinstance(value, str)
    ]
    problems += [
        f"dns.{name} stands in both options and secrets: give it once"
        for name in sorted({*options, *secrets})
        if name in options and name in secrets
    ]
    return problems


def _all_names(value: object) -> set[str]:
    """The keys of a dictionary and of all that are inside it."""
    if isinstance(value, Mapping):
        return {str(key) for key in value}.union(*(_all_names(inner) for inner in value.values()))
    return set().union(*(_all_names(inner) for inner in value)) if isinstance(value, list) else set()


def _short_secret(name: str) -> str:
    return (
        f"dns.{name} is shorter than {SHORTEST_SECRET} characters: Ansible masks secrets by replacing their text, "
        "so a short one would blank out other output and could be guessed from it. Use a longer secret"
    )
