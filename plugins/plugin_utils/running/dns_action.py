# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What every DNS module does on the controller before it starts: no misplaced secret may reach it, or its output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module_options import (
    entry_name,
    wrong_arguments,
    wrong_entry,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dkim import is_private_key
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.action_base import MailroomAction


class DnsAction(MailroomAction):
    """Refuses wrong options without showing a value, then runs the module.

    A secret inside ``domains`` would reach the module's log. Therefore the accounts of single domains travel in the
    option ``accounts``, whose secrets the module knows to be secret.
    """

    def _prepare(self, arguments: dict[str, Any]) -> list[str]:
        """Check the arguments and move the accounts of single domains; gives the broken rules, without any value."""
        problems = wrong_arguments(self._module, arguments)
        if problems:
            return problems
        if isinstance(arguments.get("domains"), list):
            skips = arguments.get("on_refused") in ("skip", "hold")
            arguments["domains"], problems = _without_wrong(self._module, arguments["domains"], skips)
        problems += _private_keys(arguments)
        if not problems and isinstance(arguments.get("domains"), list):
            arguments["domains"], accounts = _hoist_accounts(arguments["domains"])
            if accounts:
                arguments["accounts"] = accounts
        return problems


def _without_wrong(module: str, domains: list[Any], skips: bool) -> tuple[list[Any], list[str]]:
    """Check each domain; gives them all, and the broken rules.

    Where refused domains are skipped, one that breaks rules travels as its name and these rules, without its values.
    """
    entries: list[Any] = []
    problems: list[str] = []
    for number, entry in enumerate(domains):
        wrong = wrong_entry(module, entry) if isinstance(entry, Mapping) else []
        name = entry_name(entry, number)
        if wrong and skips:
            entry = {"domain": name, "refused": wrong}
        else:
            problems += [f"{name}: {rule}" for rule in wrong]
        entries.append(entry)
    return entries, problems


def _hoist_accounts(domains: list[Any]) -> tuple[list[Any], list[Mapping[str, Any]]]:
    """Replace ``dns`` in each entry by ``account``, an index into the list of different accounts."""
    entries: list[Any] = []
    accounts: list[Mapping[str, Any]] = []
    for entry in domains:
        dns = entry.get("dns") if isinstance(entry, Mapping) else None
        if dns is not None:
            entry = {name: value for name, value in entry.items() if name != "dns"}
            entry["account"] = _index(accounts, dns)
        entries.append(entry)
    return entries, accounts


def _private_keys(arguments: Mapping[str, Any]) -> list[str]:
    """A private key given as a public one must not reach the module, which would print it among its arguments."""
    entries = [arguments, *(entry for entry in _list(arguments.get("domains")) if isinstance(entry, Mapping))]
    keys = [selector for entry in entries for selector in _list(entry.get("dkim")) if isinstance(selector, Mapping)]
    return [
        f"{holder.get('domain') or holder.get('selector') or 'dkim'}: public_key holds a private key: "
        "only its public half belongs in the DNS (RFC 6376 section 3.6). Keep the private key where it signs"
        for holder in [arguments, *keys]
        if isinstance(holder.get("public_key"), str) and is_private_key(holder["public_key"])
    ]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _index(accounts: list[Mapping[str, Any]], dns: Mapping[str, Any]) -> int:
    if dns not in accounts:
        accounts.append(dns)
    return accounts.index(dns)
