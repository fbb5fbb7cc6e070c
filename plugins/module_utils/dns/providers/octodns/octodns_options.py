# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The options of provider ``octodns``, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider_registration import ProviderRegistration
from ansible_collections.mailroom.erp.plugins.module_utils.secret_rules import looks_secret, names_key

_CLASS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def _open(dns: Mapping[str, Any], _tell: Callable[[str], None]) -> Provider:
    from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.octodns.octodns_provider import (
        OctodnsProvider,
    )

    return OctodnsProvider(dns)


def _problems(dns: Mapping[str, Any]) -> list[str]:
    """What is wrong with the options of an octoDNS class, by their names and types only."""
    options, secrets = dns.get("options") or {}, dns.get("secrets") or {}
    problems = []
    if dns.get("class") is not None and not _CLASS.fullmatch(str(dns["class"])):
        problems.append("dns.class is the dotted name of a class, such as octodns_powerdns.PowerDnsProvider")
    problems += [
        f"dns.options.{name} looks like a secret, which would be shown: put it into dns.secrets"
        for name in sorted(_all_names(options))
        if looks_secret(name) or names_key(name)
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


OCTODNS = ProviderRegistration(
    name="octodns",
    options={
        "class": {"type": "str", "required": True},
        "options": {"type": "dict", "default": {}},
        "secrets": {"type": "dict", "no_log": True, "default": {}},
        "zones": {"type": "list", "elements": "str", "default": []},
        "accept_whole_zone_writes": {"type": "list", "elements": "str", "default": []},
        "accept_record_gaps": {"type": "list", "elements": "str", "default": []},
    },
    open=_open,
    problems=_problems,
)
