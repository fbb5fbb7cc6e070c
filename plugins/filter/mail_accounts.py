# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter ``mail_accounts``: the DNS accounts that the hosts of a play declare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_accounts import wrong_account
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value
from jinja2 import TemplateError


def mail_accounts(hostvars: Mapping[str, Any], hosts: Iterable[str]) -> dict[str, Any]:
    """Gather the accounts; ``mail_accounts.yml`` documents the options and the result."""
    accounts: list[dict[str, Any]] = []
    warnings: list[str] = []
    for host in sorted(str(host) for host in hosts):
        for where, account in _declared(hostvars[host]):
            wrong = [_UNREADABLE] if account is _BROKEN else wrong_account(account)
            problems = [INVENTORY_RULES.problem(host, where, None, rule, "Left out; mend it.") for rule in wrong]
            warnings += [str(problem) for problem in problems]
            if not wrong and account not in accounts:
                accounts.append(account)
    return {"accounts": accounts, "warnings": warnings}


_BROKEN = object()
_UNREADABLE = "it cannot be templated: a variable that it refers to is not defined, or the vault is not open"


def _declared(variables: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    account = _value(variables, "mail_dns_account")
    if account is not None:
        yield "mail_dns_account", account
    domains = _value(variables, "mail_dns_domains")
    if domains is _BROKEN:
        yield "mail_dns_domains", domains
    for name, domain in domains.items() if isinstance(domains, dict) else ():
        if isinstance(domain, dict) and domain.get("dns") is not None:
            yield f"mail_dns_domains.{name}.dns", domain["dns"]


def _value(variables: Mapping[str, Any], name: str) -> Any:
    try:
        return plain_value(variables[name]) if name in variables else None
    except (AnsibleError, TemplateError):
        # the error's own text may quote the value
        return _BROKEN


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name them."""
        return {"mail_accounts": mail_accounts}
