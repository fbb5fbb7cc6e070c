# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What the hosts of an inventory declare of each domain, as it is written, and whose a domain is by that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import alabels_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.declared_customers import customers_in
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.holdings import Holding, account_holdings
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.written_inventory import (
    WrittenInventory,
    is_template,
)

DOMAINS = "mail_dns_domains"


@dataclass(frozen=True, slots=True)
class DomainEntry:
    """What one host declares of one domain; ``customers`` are those that the entry names."""

    host: str
    holder: str | None
    customers: tuple[Any, ...]
    zone: Any
    accounts: tuple[Holding, ...]


def domain_entries(
    inventory: WrittenInventory,
    holders: Mapping[str, str | None],
    own: Collection[str],
    read_own: Callable[[str, str], Any],
) -> dict[str, list[DomainEntry]]:
    """All that is declared of each domain, by A-label name; what many hosts share is read once, as ours see it.

    :param inventory: all hosts
    :param holders: whose each host is
    :param own: the hosts of the customer
    :param read_own: gives a variable of one of these, templated
    """
    found: dict[str, list[DomainEntry]] = {}
    read: dict[int, tuple[Any, dict[str, DomainEntry]]] = {}
    told: set[tuple[int, str | None]] = set()
    for host in sorted(holders, key=lambda one: (one not in own, one)):
        given = inventory.of(host).referred(DOMAINS)
        if host in own and given is not None and not isinstance(given, Mapping):
            given = read_own(host, DOMAINS)
        if not isinstance(given, Mapping) or (id(given), holders[host]) in told:
            continue
        if id(given) not in read or _differs_by_host(given):
            read[id(given)] = (given, _read(inventory.of(host).filled(given)))
        else:
            told.add((id(given), holders[host]))
        for name, entry in read[id(given)][1].items():
            found.setdefault(name, []).append(replace(entry, host=host, holder=holders[host]))
    return found


def _differs_by_host(domains: Mapping[Any, Any]) -> bool:
    return any(is_template(customers) for one in domains.values() if (customers := _customers(one)))


def _customers(declared: Any) -> list[Any]:
    return list(customers_in(declared)) if isinstance(declared, Mapping) else []


def _read(domains: Mapping[str, Any]) -> dict[str, DomainEntry]:
    return {name: _entry(name, one) for given, one in domains.items() if (name := alabels_of(given))}


def _entry(name: str, declared: Any) -> DomainEntry:
    declared = declared if isinstance(declared, Mapping) else {}
    accounts = account_holdings(declared.get("dns"), f"{DOMAINS}.{name}.dns")
    return DomainEntry("", None, customers_in(declared), declared.get("zone"), tuple(accounts))


def is_own(customer: str, entries: Iterable[DomainEntry]) -> bool:
    """Whether a domain is a customer's: of those that it names, or of the only one whose hosts declare it.

    :param customer: whose it may be
    :param entries: what is declared of the domain
    """
    named = {one for entry in entries for one in entry.customers}
    holders = {entry.holder for entry in entries if entry.holder}
    return customer in named if named else holders == {customer}


def owner_text(entries: list[DomainEntry]) -> str:
    """Whose a domain is, as the end of a sentence.

    :param entries: what is declared of the domain
    """
    named = sorted({str(one) for entry in entries for one in entry.customers})
    holders = sorted({entry.holder for entry in entries if entry.holder})
    if named:
        return f"it is declared as that of {' and '.join(named)}"
    told = " and ".join(holders[:2]) if holders else "nobody"
    return f"it says of no customer that it is his, and hosts of {told} declare it"
