# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Which DNS account a domain is published with: its own, else that of the hosts that need it.

Source of the rules: docs/inventory.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import check_dns
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import HostNeeds
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import canonical_json, untemplated

ACCOUNT_VARIABLE = "mail_dns_account"
"""Where a host declares the DNS account of its domains."""

_OF_TASKS = re.compile(r"^dns (?=must)|\bdns\.")
"""What the options of an account begin with for whoever writes tasks; in an inventory they are keys of the account."""

DifferentAccounts = dict[str, tuple[str, Any]]
"""The accounts of some hosts that differ, by their text, each with the first host that has it."""


def account_of(
    domain: str, own: Any, hosts: Sequence[HostNeeds], others: DifferentAccounts
) -> tuple[Any, list[Problem]]:
    """Find the DNS account that a domain is published with.

    :param domain: the name as A-labels
    :param own: the account that is declared for the domain itself, None when there is none
    :param hosts: those that need the domain, sorted
    :param others: the accounts of all hosts, which decide when none of those that need the domain has one
    :returns: the account, None when there is no one that could be used; and what is wrong
    """
    if own is not None:
        return _checked(domain, f"mail_dns_domains.{domain}.dns", own)
    found = different_accounts(hosts) or others
    if len(found) == 1:
        host, account = next(iter(found.values()))
        return _checked(host, ACCOUNT_VARIABLE, account)
    if found:
        names = " and ".join(host for host, _account in found.values())
        rule = f"{names} have different DNS accounts for this domain"
        way_out = f"Name the account of the domain itself: mail_dns_domains.{domain}.dns."
    else:
        rule = "no host of this play has a DNS account for this domain"
        way_out = "Declare mail_dns_account, or the domain's own dns."
    return None, [INVENTORY_RULES.problem(domain, ACCOUNT_VARIABLE, None, rule, way_out)]


def wrong_account(account: Any) -> list[str]:
    """Check an account as it was declared, without ever showing a value of it.

    :param account: one DNS account, plain
    :returns: one sentence per broken rule, empty when the account is usable
    """
    return check_dns(account) or untemplated("dns", account)


def common_account(accounts: Iterable[Any]) -> Any:
    """The account that most domains have, the same whatever order they come in; None when no domain has one.

    :param accounts: that of each domain, None where it has none
    """
    named = [(canonical_json(account), account) for account in accounts if account is not None]
    counts = Counter(text for text, _account in named)
    most = max(sorted(counts), key=lambda text: counts[text], default=None)
    return next((account for text, account in named if text == most), None)


def _checked(subject: str, where: str, account: Any) -> tuple[Any, list[Problem]]:
    way_out = "docs/providers.md has the options of each provider."
    rules = (_OF_TASKS.sub("", rule) for rule in wrong_account(account))
    problems = [INVENTORY_RULES.problem(subject, where, None, rule, way_out) for rule in rules]
    return None if problems else account, problems


def different_accounts(hosts: Iterable[HostNeeds]) -> DifferentAccounts:
    """The accounts of some hosts that differ.

    :param hosts: in the order in which they are told
    """
    found: dict[str, tuple[str, Any]] = {}
    for host in hosts:
        if host.account is not None:
            found.setdefault(canonical_json(host.account), (host.host, host.account))
    return found
