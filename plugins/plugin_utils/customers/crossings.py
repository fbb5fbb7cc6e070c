# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What crosses the boundary of a customer in a run for one: each with both sides, so that it can be mended. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import alabels_of, parents_of
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, RuleSource
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.declared_customers import (
    HOST_VARIABLE,
    customer_problem,
    is_customer,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.domain_owners import (
    DOMAINS,
    DomainEntry,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.holdings import (
    Holding,
    holdings_of,
    shared_holdings,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.written_inventory import WrittenInventory

RUN_VARIABLE = "mail_run_customer"
"""For whom a run is."""

CUSTOMER_RULES = RuleSource("docs/customers.md")
_THE_RUN = "this run"


def wrong_name(customer: Any) -> Iterator[Problem]:
    """A name that can be nobody's; an empty one, too, or a run that was meant for one would be for all.

    :param customer: for whom the run is, as it was given
    """
    if not is_customer(customer):
        yield customer_problem(_THE_RUN, RUN_VARIABLE)


def told_for_all(inventory: WrittenInventory) -> Iterator[Problem]:
    """The variable of a host, given for a run, would make every host the customer's.

    :param inventory: with what was given on the command line
    """
    if HOST_VARIABLE in inventory.told:
        rule = "given on the command line it makes every host of the inventory this customer's"
        way_out = f"Say for whom the run is with {RUN_VARIABLE}, and leave {HOST_VARIABLE} to the inventory."
        yield CUSTOMER_RULES.problem(_THE_RUN, HOST_VARIABLE, None, rule, way_out)


def run_of_one_host(host: str) -> Problem:
    """What is told where one host says for whom the run is, and another does not.

    :param host: the one that says so
    """
    way_out = f"Give {RUN_VARIABLE} on the command line (-e)."
    return CUSTOMER_RULES.problem(host, RUN_VARIABLE, None, "it is said of a run, not of a host or a group", way_out)


def unknown(customer: str, known: Iterable[str]) -> Problem:
    """A name with a slip of the pen is helped; a list of all customers would stand in the log of a run for one.

    :param customer: for whom the run is
    :param known: the customers of the inventory
    """
    letters = {"".join(filter(str.isalnum, one.casefold())): one for one in sorted(known)}
    wanted = "".join(filter(str.isalnum, customer.casefold()))
    close = [letters[one] for one in difflib.get_close_matches(wanted, letters, n=1, cutoff=0.8)]
    way_out = f"Did you mean {close[0]}?" if close else f"Look for {HOST_VARIABLE} in the inventory."
    rule = "no host of the inventory is this customer's"
    return CUSTOMER_RULES.problem(_THE_RUN, RUN_VARIABLE, customer, rule, way_out)


def strange_hosts(
    customer: str, holders: Mapping[str, str | None], in_play: Collection[str] | None
) -> Iterator[Problem]:
    """Hosts of the play that are not the customer's: a play of one's own, or a variable that no command line gave.

    :param customer: for whom the run is
    :param holders: whose each host is
    :param in_play: the hosts of the play
    """
    strange = sorted(host for host in in_play or () if holders.get(host) != customer)
    if strange:
        rule = f"the play has hosts that are not those of {customer}"
        way_out = (
            f"Give {RUN_VARIABLE} on the command line (-e); a playbook of your own takes its hosts by the filter "
            "mailroom.erp.mail_customer_hosts."
        )
        yield CUSTOMER_RULES.problem(strange[0], HOST_VARIABLE, holders.get(strange[0]), rule, way_out)


def claimed_twice(
    customer: str, entries: Mapping[str, list[DomainEntry]], domains: Collection[str]
) -> Iterator[Problem]:
    """A domain that one host calls ours, and another host somebody else's.

    :param customer: for whom the run is
    :param entries: what is declared of each domain
    :param domains: those of the customer
    """
    for name in sorted(domains):
        ours = next((one for one in entries[name] if customer in one.customers), None)
        other = next((one for one in entries[name] if one.customers and customer not in one.customers), None)
        if ours and other:
            told = " and ".join(map(str, other.customers))
            rule = f"{ours.host} declares it as that of {customer}, and {other.host} as that of {told}"
            yield CUSTOMER_RULES.problem(name, f"{DOMAINS}.{name}.customer", None, rule, "Declare it once.")


def in_foreign_zones(
    domains: Collection[str], foreign: Mapping[str, str], entries: Mapping[str, list[DomainEntry]]
) -> Iterator[Problem]:
    """A record is written into the zone that holds its name, and that must be no zone of another.

    :param domains: those of the customer
    :param foreign: the others, each with whose it is
    :param entries: what is declared of each domain
    """
    for name in sorted(domains):
        stated = next((one.zone for one in entries[name] if one.zone is not None), None)
        zone = alabels_of(stated) if stated is not None else None
        above = parents_of(zone) if zone else parents_of(name)[1:]
        nearest = next((one for one in above if one in domains or one in foreign), None)
        if nearest is None or nearest not in foreign:
            continue
        where, rule = f"{DOMAINS}.{name}.zone", f"it may lie in the zone of {nearest}: {foreign[nearest]}"
        way_out = f"Name the zone that it has of its own: {where}; else let both be one customer's."
        yield CUSTOMER_RULES.problem(name, where, zone, rule, way_out)


def shared_things(
    customer: str,
    inventory: WrittenInventory,
    holders: Mapping[str, str | None],
    entries: Mapping[str, list[DomainEntry]],
    domains: Collection[str],
) -> Iterator[Problem]:
    """What a host or domain of ours uses, and one of another customer names as its own.

    :param customer: for whom the run is
    :param inventory: all hosts
    :param holders: whose each host is
    :param entries: what is declared of each domain
    :param domains: those of the customer
    """
    ours: dict[Holding, str] = {}
    theirs: dict[Holding, str] = {}
    shared: list[Holding] = []
    for host, holder in holders.items():
        if holder == customer and not shared:
            shared = shared_holdings(inventory.for_all(host))
        side = ours if holder == customer else theirs if holder else {}
        side |= {one: host for one in holdings_of(inventory.of(host)) if one not in side}
    for name, found in entries.items():
        side = ours if name in domains else theirs
        side |= {one: name for entry in found for one in entry.accounts if one not in side}
    yield from _met(ours, theirs, {(one.kind, one.identity) for one in shared})


def _met(
    ours: Mapping[Holding, str], theirs: Mapping[Holding, str], shared: Collection[tuple[str, str]]
) -> Iterator[Problem]:
    told: set[tuple[str, str]] = set()
    own_theirs = [(one, user) for one, user in theirs.items() if (one.kind, one.identity) not in shared]
    for one, user in ours.items():
        if (one.kind, one.identity) in shared or (user, one.where) in told:
            continue
        met = next(((other, owner) for other, owner in own_theirs if one.meets(other)), None)
        if met:
            told.add((user, one.where))
            yield _meeting(one, user, *met)


def _meeting(one: Holding, user: str, other: Holding, owner: str) -> Problem:
    rule = f"this {one.kind} is also that of {owner} ({other.where}), which is not this customer's"
    way_out = "Give each customer its own, or declare it once for all hosts (group_vars/all) if it is the provider's."
    if one.kind == "file of secrets":
        way_out = "Give each customer its own: mail_entra_customer."
    return CUSTOMER_RULES.problem(user, one.where, one.shown, rule, way_out)


def needs_foreign(host: str, name: str, owner: str) -> Problem:
    """What is told of an environment that sends as the domain of another customer.

    :param host: its name
    :param name: the domain, as A-labels
    :param owner: whose it is
    """
    rule = f"{host} needs {name}, which is not its customer's: {owner}"
    way_out = f"Correct the sender, or name both customers: {DOMAINS}.{name}.customer: [...]."
    return CUSTOMER_RULES.problem(host, f"{DOMAINS}.{name}.customer", None, rule, way_out)
