# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The option ``dns``: one DNS account. It is checked on the controller before a module starts; no library is loaded."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import PROVIDERS
from ansible_collections.mailroom.erp.plugins.module_utils.option_check import shown_name, wrong_value
from ansible_collections.mailroom.erp.plugins.module_utils.secret_rules import is_too_short, too_short


def dns_spec() -> dict[str, Any]:
    """The argument spec of the option ``dns``: the options of all providers side by side.

    ``required`` and ``default`` belong to one provider each, so they are applied by :func:`with_defaults`
    and checked by :func:`check_dns`, not by the argument spec.
    """
    suboptions: ArgumentSpec = {"provider": {"type": "str", "required": True, "choices": list(PROVIDERS)}}
    for provider in PROVIDERS.values():
        for name, option in provider.options.items():
            suboptions[name] = {key: value for key, value in option.items() if key not in ("required", "default")}
    return {"type": "dict", "options": suboptions}


def secret_options(provider: str) -> list[str]:
    """Name the options of a provider that hold secrets."""
    return [name for name, option in PROVIDERS[provider].options.items() if option.get("no_log")]


def secret_values(account: Mapping[str, Any]) -> Iterator[str]:
    """Give every secret of a checked account, those inside dictionaries too.

    :param account: the option ``dns``
    """
    for value in _secrets(account).values():
        yield str(value)


def public_options(account: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an account that are no secret, the provider first.

    :param account: a checked option ``dns``
    """
    secret = secret_options(account["provider"])
    names = ("provider", *(name for name in PROVIDERS[account["provider"]].options if name not in secret))
    return {name: account[name] for name in names if account.get(name) is not None}


def plain_text(value: object) -> str:
    """The value of an option that is no secret as one text; equal dictionaries and lists give the same."""
    return json.dumps(value, sort_keys=True, default=str) if isinstance(value, (Mapping, list)) else str(value)


def check_dns(dns: object) -> list[str]:
    """Check the shape of a ``dns`` option without ever showing a value of it.

    :param dns: what the user gave
    :returns: one sentence per broken rule, empty when the option is usable
    """
    if not isinstance(dns, Mapping):
        return [f"dns must be a dictionary that names its provider, not a {type(dns).__name__}"]
    provider = dns.get("provider")
    if not isinstance(provider, str) or provider not in PROVIDERS:
        given = "is missing" if provider is None else "is not one that this collection has"
        return [f"dns.provider {given}; choose one of: {', '.join(PROVIDERS)}"]
    wrong_names, wrong_shapes = _wrong_names(dns, provider), _wrong_shapes(dns, PROVIDERS[provider].options)
    short = [] if wrong_names or wrong_shapes else [place for place, one in _secrets(dns).items() if is_too_short(one)]
    own = [] if wrong_shapes else PROVIDERS[provider].problems(dns)
    return [*wrong_names, *wrong_shapes, *(too_short(f"dns.{place}") for place in short), *own]


def check_accounts(accounts: object) -> list[str]:
    """Check a list of DNS accounts without ever showing a value of them.

    :param accounts: what the user gave
    :returns: one sentence per broken rule, with the number of the account
    """
    if not isinstance(accounts, list):
        return [f"accounts must be a list of DNS accounts, not a {type(accounts).__name__}"]
    return [f"accounts[{number}]: {rule}" for number, account in enumerate(accounts) for rule in check_dns(account)]


def ttl_rule(provider: str, ttl: int) -> str | None:
    """The rule of a DNS service that a TTL breaks, None when it takes it.

    :param ttl: in seconds
    """
    return PROVIDERS[provider].ttl_rule(ttl)


def with_defaults(dns: Mapping[str, Any]) -> dict[str, Any]:
    """Complete a checked ``dns`` option with its provider's defaults; options that are None are dropped."""
    options = PROVIDERS[dns["provider"]].options
    given = {name: value for name, value in dns.items() if value is not None}
    return {**{name: option["default"] for name, option in options.items() if "default" in option}, **given}


def _secrets(dns: Mapping[str, Any]) -> dict[str, Any]:
    """The secrets of an account by the place that holds them."""
    found: dict[str, Any] = {}
    for name in secret_options(dns["provider"]):
        value = dns.get(name)
        found |= (
            {f"{name}.{key}": inner for key, inner in value.items()} if isinstance(value, Mapping) else {name: value}
        )
    return {place: value for place, value in found.items() if value is not None}


def _wrong_names(dns: Mapping[str, Any], provider: str) -> list[str]:
    allowed = PROVIDERS[provider].options
    named = {str(name) for name, value in dns.items() if value is not None}
    required = [name for name, option in allowed.items() if option.get("required") and name not in named]
    return [
        *(_stray_option(provider, name) for name in sorted(named - {"provider", *allowed})),
        *(f"dns.{name} is required by provider {provider}" for name in required),
    ]


def _stray_option(provider: str, name: str) -> str:
    owners = [other.name for other in PROVIDERS.values() if name in other.options]
    if owners:
        return f"dns.{name} belongs to provider {', '.join(owners)}, not to {provider}: leave it out"
    allowed = PROVIDERS[provider].options
    if name != shown_name(name):
        return f"dns.{shown_name(name)} is no option of provider {provider}"
    close = difflib.get_close_matches(name, allowed, n=1)
    hint = f"did you mean dns.{close[0]}?" if close else f"it takes: {', '.join(allowed)}"
    return f"dns.{name} is no option of provider {provider}; {hint}"


def _wrong_shapes(dns: Mapping[str, Any], allowed: ArgumentSpec) -> list[str]:
    """Types and choices are checked here, before anything looks into the values; Ansible would quote them."""
    return [
        rule
        for name, option in allowed.items()
        if dns.get(name) is not None
        for rule in _wrong_shape(option, dns[name], f"dns.{name}")
    ]


def _wrong_shape(option: Mapping[str, Any], value: object, place: str) -> list[str]:
    is_text = option["type"] == "list" and not isinstance(value, (list, tuple))
    return [f"{place} must be a list"] if is_text else wrong_value(option, value, place)
