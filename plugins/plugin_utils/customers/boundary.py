# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A run for one customer: which hosts and domains are its own, and what would cross the boundary to another's.

Others' hosts are read as they are written, never templated: their vault may be closed in this run. Source of the rules:
docs/customers.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import alabels_of, parents_of
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.module_utils.so_many import so_many
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.crossings import (
    claimed_twice,
    in_foreign_zones,
    needs_foreign,
    shared_things,
    strange_hosts,
    told_for_all,
    unknown,
    wrong_name,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.declared_customers import (
    HOST_VARIABLE,
    is_customer,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.domain_owners import (
    domain_entries,
    is_own,
    owner_text,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.written_inventory import (
    WrittenInventory,
    WrittenVariables,
    is_template,
)

SENDER_VARIABLES = ("erp_mail_senders", "erp_mail_envelope_from")
"""By which a host says as whom it sends."""

_ABOUT_OTHERS = ("mail_reports_paths", "mail_rotate_credentials")
_ABOUT_ALL = ("mail_report_prometheus",)


@dataclass(frozen=True, slots=True)
class CustomerBoundary:
    """What is the customer's own: ``hosts`` of the whole inventory, and ``domains`` as A-labels. ``foreign``: the other
    domains that some host declares, each with whose it is, for a message. ``silent``: hosts of which nobody can tell
    whose they are without templating. ``unseen``: environments that may send as a domain of his all the same; those
    that are not his are counted, because it stands in his reports.
    ``left_to_all``: variables of the run that are about others, too, so that a run for all has to use them.
    ``problems``: what would cross the boundary; then nothing may be done."""

    customer: str
    hosts: tuple[str, ...] = ()
    domains: frozenset[str] = frozenset()
    foreign: Mapping[str, str] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    left_out: int = 0
    silent: int = 0
    left_to_all: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def own(self, domains: Mapping[Any, Any]) -> dict[Any, Any]:
        """The domains of a declaration that are the customer's.

        :param domains: a mail_dns_domains, raw or templated
        """
        return {name: one for name, one in domains.items() if alabels_of(name) in self.domains}

    def own_domains(self, domains: Any) -> Any:
        """The same for what may be no declaration, which is told by whoever reads it.

        :param domains: a mail_dns_domains, checked or not
        """
        return self.own(domains) if isinstance(domains, Mapping) else domains

    @property
    def foreign_below(self) -> list[str]:
        """The domains of others below the customer's own; no other name of theirs is needed behind the door."""
        return sorted(name for name in self.foreign if any(one in self.domains for one in parents_of(name)))

    def line(self) -> str:
        """What a person is told of whom the run leaves out; it names nobody."""
        whose = "because nobody can tell whose it is" if self.silent == 1 else "because nobody can tell whose they are"
        some = "" if self.silent == self.left_out else f"{self.silent} of them "
        silent = f", {some}{whose}" if self.silent else ""
        left = f" Left to a run for all: {', '.join(self.left_to_all)}." if self.left_to_all else ""
        counts = f"{so_many(self.left_out, 'host')}{silent}; {so_many(len(self.foreign), 'domain')}."
        return f"This run is for one customer ({self.customer}). Left out: {counts}{left}"

    def crossings(self, host: str, needs: Mapping[str, Any] | None, said: Any = None) -> list[Problem]:
        """Why an environment of the customer cannot be done: it needs a domain that is another's.

        :param host: its name
        :param needs: what ``environment_needs`` gave for it
        :param said: the addresses that it declares, which may be too wrong to become needs
        """
        needs = needs or {}
        senders = _names_in([said, [one.get("from") for one in needs.get("senders", [])]])
        wanted = {*needs.get("domains", {}), *needs.get("dkim", {}), *senders}
        found = {name: self._foreign_at(name) for name in sorted(one for one in wanted if one)}
        return [needs_foreign(host, name, self.foreign[other]) for name, other in found.items() if other]

    def _foreign_at(self, name: str) -> str | None:
        """The domain of another that a name is at or below, unless one of ours is nearer."""
        nearest = next((one for one in parents_of(name) if one in self.domains or one in self.foreign), None)
        return nearest if nearest in self.foreign else None


def customer_hosts(inventory: WrittenInventory, customer: Any) -> tuple[tuple[str, ...], list[Problem]]:
    """Find the hosts of a customer.

    :param inventory: all hosts, not only those of a play
    :param customer: for whom the run is, as it was given
    :returns: the hosts, and what is wrong with the name; then nothing may be done
    """
    wrong = [*wrong_name(customer), *told_for_all(inventory)]
    if wrong:
        return (), wrong
    holders = {host: holder_of(inventory.of(host)) for host in inventory.hosts}
    own = tuple(host for host, holder in holders.items() if holder == customer)
    return own, [] if own else [unknown(customer, {holder for holder in holders.values() if holder})]


def draw_boundary(
    inventory: WrittenInventory, customer: Any, in_play: Collection[str] | None, read_own: Callable[[str, str], Any]
) -> CustomerBoundary:
    """Find what is a customer's own, and what crosses the boundary.

    :param inventory: all hosts, not only those of the play
    :param customer: for whom the run is, as it was given
    :param in_play: the hosts of the play; None where they are still to be found
    :param read_own: gives a variable of one of the customer's hosts, templated
    """
    own, wrong = customer_hosts(inventory, customer)
    if wrong:
        return CustomerBoundary("", problems=tuple(wrong))
    holders = {host: holder_of(inventory.of(host)) for host in inventory.hosts}
    entries = domain_entries(inventory, holders, own, read_own)
    domains = frozenset(name for name, found in entries.items() if is_own(customer, found))
    foreign = {name: owner_text(found) for name, found in entries.items() if name not in domains}
    silent = {host for host, holder in holders.items() if holder is None and _is_silent(inventory, host)}
    return CustomerBoundary(
        customer,
        own,
        domains,
        foreign,
        _unseen(inventory, holders, customer, domains, in_play or ()),
        len(holders) - len(own),
        len(silent),
        _left_to_all(inventory, own),
        (
            *strange_hosts(customer, holders, in_play),
            *claimed_twice(customer, entries, domains),
            *in_foreign_zones(domains, foreign, entries),
            *shared_things(customer, inventory, holders, entries, domains),
        ),
    )


def adopted_domains(domains: Mapping[Any, Any], customer: Any) -> dict[Any, Any]:
    """The domains of a customer among those that are to be adopted.

    :param domains: ``mail_adopt_domains``, each with its ``customer``
    :param customer: for whom the run is
    :raises Refused: it can be nobody's name, or no domain is this customer's
    """
    wrong = list(wrong_name(customer))
    whose = {name: one.get("customer") for name, one in domains.items() if isinstance(one, Mapping)}
    found = {name: domains[name] for name, one in whose.items() if one == customer}
    if wrong or not found:
        raise Refused(wrong or [unknown(customer, {str(one) for one in whose.values() if one is not None})])
    return found


def holder_of(written: WrittenVariables) -> str | None:
    """Whose a host is; None when it says so nowhere, or in a way that only a template could tell.

    :param written: its variables
    """
    found = written.value(HOST_VARIABLE)
    return found if is_customer(found) and not is_template(found) else None


def _is_silent(inventory: WrittenInventory, host: str) -> bool:
    return host in inventory.unreadable or inventory.of(host).value(HOST_VARIABLE) is not None


def _unseen(
    inventory: WrittenInventory,
    holders: Mapping[str, str | None],
    customer: str,
    domains: Collection[str],
    in_play: Collection[str],
) -> tuple[str, ...]:
    """Environments that may send as a domain of the customer, and that the run does not look at, so that it does not
    know every sender. One of another customer may not, so it counts only where it is seen to do so."""
    left = [host for host in holders if host not in in_play]
    found = [host for host in left if _may_send(inventory, host, holders[host], customer, domains)]
    own = [host for host in found if holders[host] == customer]
    others = len(found) - len(own)
    told = (f"{so_many(others, 'host')} not known to be of this customer",) if others else ()
    return (*own, *told)


def _may_send(
    inventory: WrittenInventory, host: str, holder: str | None, customer: str, domains: Collection[str]
) -> bool:
    written = inventory.of(host)
    if host in inventory.unreadable and holder is None:
        return True
    if "erp_mail_system" not in written:
        return False
    said = [written.value(name) for name in SENDER_VARIABLES]
    if holder is None and any(map(is_template, said)):
        return True
    return holder == customer or any(parent in domains for name in _names_in(said) for parent in parents_of(name))


def _names_in(value: Any) -> set[str]:
    """The domains of all addresses, or domains, that a declaration holds."""
    if isinstance(value, Mapping):
        return _names_in(list(value.values()))
    if isinstance(value, list):
        return {name for one in value for name in _names_in(one)}
    name = alabels_of(value.rpartition("@")[2]) if isinstance(value, str) else None
    return {name} if name else set()


def _left_to_all(inventory: WrittenInventory, hosts: Iterable[str]) -> tuple[str, ...]:
    """Whose a report is shows only when it is read, and a credential in a list for all may be anybody's; one file of
    figures is of all customers wherever it is declared. A task that runs once has the variables of any of the hosts."""
    found: set[str] = set()
    for host in hosts:
        written, for_all = inventory.of(host), inventory.for_all(host)
        found |= {name for name in _ABOUT_OTHERS if written.value(name) and written.value(name) == for_all.value(name)}
        found |= {name for name in _ABOUT_ALL if written.value(name)}
    return tuple(name for name in (*_ABOUT_OTHERS, *_ABOUT_ALL) if name in found)
