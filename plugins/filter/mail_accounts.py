# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter ``mail_accounts``: the DNS accounts that the hosts of a play declare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_accounts import wrong_account
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_variables import host_variable
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import UnreadableVariable
from ansible_collections.mailroom.erp.plugins.plugin_utils.template_marks import never_templates


def mail_accounts(hostvars: Mapping[str, Any], hosts: Iterable[str]) -> dict[str, Any]:
    """Gather the accounts; ``mail_accounts.yml`` documents the options and the result."""
    accounts: list[dict[str, Any]] = []
    warnings: list[str] = []
    for host in sorted(str(host) for host in hosts):
        for where, account, wrong in _declared(hostvars[host]):
            problems = [INVENTORY_RULES.problem(host, where, None, rule, "Left out; mend it.") for rule in wrong]
            warnings += [str(problem) for problem in problems]
            if not wrong and account not in accounts:
                accounts.append(account)
    return {"accounts": accounts, "warnings": warnings}


def _declared(variables: Mapping[str, Any]) -> Iterator[tuple[str, Any, list[str]]]:
    """Where an account is declared, the account, and which rules it breaks; so too a variable that cannot be read."""
    for name, accounts_in in (("mail_dns_account", _account), ("mail_dns_domains", _accounts_of_domains)):
        try:
            value = host_variable(variables, name)
        except UnreadableVariable as error:
            yield name, None, [str(error)]
        else:
            yield from ((where, account, wrong_account(account)) for where, account in accounts_in(value))


def _account(account: Any) -> Iterator[tuple[str, Any]]:
    if account is not None:
        yield "mail_dns_account", account


def _accounts_of_domains(domains: Any) -> Iterator[tuple[str, Any]]:
    for name, domain in domains.items() if isinstance(domains, dict) else ():
        if isinstance(domain, dict) and domain.get("dns") is not None:
            yield f"mail_dns_domains.{name}.dns", domain["dns"]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters, as Ansible asks for them."""
        return {"mail_accounts": never_templates(mail_accounts)}
