# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What every module of the collection does on the controller before it starts: its accounts are checked there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import check_dns
from ansible_collections.mailroom.erp.plugins.module_utils.numbers import wrong_numbers
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dkim import is_private_key
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.local_module import LocalModuleAction


class MailroomAction(LocalModuleAction):
    """Refuses a wrong ``dns`` without showing its values, then runs the module of the same name.

    A misspelled suboption is in no argument spec, so the module would print its value in ``invocation``; and a
    secret inside ``domains`` would reach the module's log. Therefore the check is here, and the accounts of single
    domains travel in the option ``accounts``, whose secrets the module knows to be secret.
    """

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True
    _supports_async = True
    _notes_why = True
    """Whether the module takes ``why``, for its journal."""

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> Result:
        """Check the arguments and run the module of the same name, as Ansible asks for it.

        :param tmp: not used
        :param task_vars: the host's variables, raw
        :returns: the module's result; failed with one line per broken rule when the arguments are wrong
        """
        result: Result = super().run(tmp, task_vars)
        why = {"why": self._task.get_name()} if self._notes_why else {}
        arguments = {**why, **self._task.args}
        problems = [*_numbers(arguments), *self._prepare(arguments)]
        if problems:
            return {**result, "failed": True, "changed": False, "msg": "\n".join(problems)}
        executed: Result = self._execute(arguments, task_vars)
        return {**result, **executed}

    def _execute(self, arguments: dict[str, Any], task_vars: Mapping[str, Any] | None) -> Result:
        """Run the module of the same name."""
        return self._run_module(arguments, task_vars or {})

    def _prepare(self, arguments: dict[str, Any]) -> list[str]:
        """Check the arguments and move the accounts of single domains; gives the broken rules, without any value."""
        problems = check_dns(arguments["dns"]) if arguments.get("dns") is not None else []
        problems += _private_keys(arguments)
        if isinstance(arguments.get("domains"), list):
            entries, accounts, wrong = _hoist_accounts(arguments["domains"])
            arguments["domains"] = entries
            if accounts:
                arguments["accounts"] = accounts
            problems += wrong
        return problems


def _numbers(arguments: Mapping[str, Any]) -> list[str]:
    """What should be a number and is none; Ansible would take it for one, and the module could not tell."""
    found = list(wrong_numbers(arguments))
    if not found:
        return []
    from ansible_collections.mailroom.erp.plugins.module_utils.domains.inventory_words import refusal_text

    return [refusal_text(Refused(found), arguments)]


def _hoist_accounts(domains: list[Any]) -> tuple[list[Any], list[Mapping[str, Any]], list[str]]:
    """Replace ``dns`` in each entry by ``account``, an index into the list of different accounts."""
    entries: list[Any] = []
    accounts: list[Mapping[str, Any]] = []
    problems: list[str] = []
    for entry in domains:
        dns = entry.get("dns") if isinstance(entry, Mapping) else None
        if dns is not None:
            wrong = check_dns(dns)
            problems += [f"{entry.get('domain')}: {rule}" for rule in wrong]
            entry = {name: value for name, value in entry.items() if name != "dns"}
            if not wrong:
                entry["account"] = _index(accounts, dns)
        entries.append(entry)
    return entries, accounts, problems


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
