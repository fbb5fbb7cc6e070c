# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a person tells the playbook offboard: who has stopped, what is final, which customers and domains leave, and how
long is waited. Source of the rules: docs/offboard.md."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.numbers import is_number
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import alabels_of
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused, RuleSource
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import LEAVING
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.offboard_stages import SELECTOR_DAYS
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.stop_evidence import QUIET_DAYS

OFFBOARD_RULES = RuleSource("docs/offboard.md")
_MOST_DAYS = 3650
_STOPPED, _FINAL = "mail_offboard_stopped", "mail_offboard_final"
_CUSTOMERS, _DOMAINS = "mail_offboard_customers", "mail_offboard_domains"


@dataclass(frozen=True, slots=True)
class OffboardWishes:
    """``stopped``: by environment the day of its last mail; ``final``: those whose last stage a person consents to, and
    ``all_final`` whether that is said of all; ``domains``: those that leave, too, as A-labels."""

    stopped: Mapping[str, datetime.date] = field(default_factory=dict)
    final: frozenset[str] = frozenset()
    all_final: bool = False
    domains: frozenset[str] = frozenset()
    quiet_days: int = QUIET_DAYS
    selector_days: int = SELECTOR_DAYS


@dataclass(frozen=True, slots=True)
class KnownEstate:
    """What the wishes are about. ``states``: by host, the state of its environment; ``customers``: of hosts;
    ``domains``: the customers of each domain that is ours, none where nobody said."""

    states: Mapping[str, str]
    customers: Mapping[str, str]
    domains: Mapping[str, tuple[str, ...]]

    @property
    def leaving(self) -> list[str]:
        """The environments that leave, sorted."""
        return sorted(host for host, state in self.states.items() if state == LEAVING)


def read_wishes(given: Mapping[str, Any], known: KnownEstate, today: datetime.date) -> OffboardWishes:
    """Read the variables.

    :param given: ``stopped``, ``final``, ``domains``, ``customers``, ``quiet`` and ``selectors``; None where a
        variable is not given
    :param known: what they are about
    :param today: the day of the run, UTC
    :raises Refused: with all that is wrong with them
    """
    reader = _Reader(known, today)
    wishes = OffboardWishes(
        stopped=reader.stopped(given.get("stopped")),
        final=reader.final(given.get("final")),
        all_final=given.get("final") is True,
        domains=frozenset([*reader.domains(given.get("domains")), *reader.customers(given.get("customers"))]),
        quiet_days=reader.days("mail_offboard_quiet_days", given.get("quiet"), QUIET_DAYS, 1),
        selector_days=reader.days("mail_offboard_selector_days", given.get("selectors"), SELECTOR_DAYS, 0),
    )
    if reader.problems:
        raise Refused(reader.problems)
    return wishes


def check_whole(leaving: Collection[str], complete: bool, limit: str, left_out: Collection[str]) -> None:
    """See that the run knows all that others need, before anything of an environment that leaves is taken away.

    :param leaving: the environments that leave
    :param complete: whether the inventory holds every sender, as mail_dns_complete says
    :param limit: of the run
    :param left_out: environments of the inventory that are not in the play
    :raises Refused: it does not
    """
    if not leaving or (complete and not limit and not left_out):
        return
    where, value = ("mail_dns_complete", "false") if not complete else ("hosts", limit or ", ".join(sorted(left_out)))
    rule = "what others need of an environment that leaves is known only to a run that knows every sender"
    way_out = "Write mail_dns_complete: true when this inventory holds them all, and run for all hosts."
    raise Refused(OFFBOARD_RULES.problem("offboard", where, value, rule, way_out))


def check_own_tenants(
    leaving: Collection[str], variables: Mapping[str, Mapping[str, Any]], shared: Collection[str]
) -> None:
    """See that a run for one customer takes nothing away in a tenant of which it does not know all environments.

    :param leaving: the environments that leave
    :param variables: of each host of the play
    :param shared: the ids of tenants that are declared for all hosts, those of other customers included
    :raises Refused: a tenant is shared
    """
    tenants = {host: (variables[host].get("mail_entra_tenant") or {}).get("tenant_id") for host in sorted(leaving)}
    problems = [
        OFFBOARD_RULES.problem(
            host,
            "mail_entra_tenant",
            str(tenant),
            "it is declared for all hosts, and in a run for one customer nobody sees what others need there",
            "Run offboard for all, without mail_run_customer: what does not leave is not touched.",
        )
        for host, tenant in tenants.items()
        if str(tenant).lower() in shared
    ]
    if problems:
        raise Refused(problems)


class _Reader:
    """Reads one variable after the other, collecting problems."""

    def __init__(self, known: KnownEstate, today: datetime.date) -> None:
        self._known, self._today = known, today
        self.problems: list[Problem] = []

    def stopped(self, given: Any) -> dict[str, datetime.date]:
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            rule = "it is a dictionary: an environment to the day of its last mail"
            self._wrong("offboard", _STOPPED, None, rule, "Write {acme_profit: 2026-11-20}.")
            return {}
        found = {str(host): self._day(str(host), day) for host, day in given.items()}
        known = [host for host in found if self._leaves(host, _STOPPED)]
        return {host: day for host in known if (day := found[host]) is not None}

    def final(self, given: Any) -> frozenset[str]:
        if given is None or given is False:
            return frozenset()
        if given is True:
            return frozenset(self._known.leaving)
        names = self._names(given, _FINAL, "it is true, false, or a list of environments")
        return frozenset(name for name in names if self._leaves(name, _FINAL))

    def domains(self, given: Any) -> Iterator[str]:
        for name in self._names(given, _DOMAINS, "it is a list of domains"):
            found = alabels_of(name)
            if found is not None and found in self._known.domains:
                yield found
                continue
            rule, way_out = "it is not in mail_dns_domains", _closest(name, self._known.domains)
            self._wrong(name, _DOMAINS, name, rule, way_out)

    def customers(self, given: Any) -> Iterator[str]:
        """The domains of customers that leave as a whole; all their environments must be leaving. A domain that they
        share with another customer stays."""
        for name in self._names(given, _CUSTOMERS, "it is a list of names of customers"):
            hosts = sorted(host for host, customer in self._known.customers.items() if customer == name)
            domains = [domain for domain, customers in self._known.domains.items() if customers == (name,)]
            if not hosts and not domains:
                others = {*self._known.customers.values(), *chain.from_iterable(self._known.domains.values())}
                self._wrong(
                    "offboard", _CUSTOMERS, name, "no host and no domain is this customer's", _closest(name, others)
                )
            for host in hosts:
                if self._known.states.get(host) == "present":
                    rule = f"its customer {name} leaves, and this environment is to stay"
                    way_out = "Write erp_mail_state: leaving for all of that customer, e.g. in its group_vars."
                    self._wrong(host, "erp_mail_state", "present", rule, way_out)
            yield from domains

    def days(self, variable: str, given: Any, default: int, least: int) -> int:
        if given is None:
            return default
        text = str(given).strip()
        if is_number(given) and text.isascii() and text.isdigit() and least <= int(text) <= _MOST_DAYS:
            return int(text)
        rule = f"it is a whole number of days from {least} to {_MOST_DAYS}"
        self._wrong("offboard", variable, text, rule, "Correct it, or leave it out.")
        return default

    def _day(self, host: str, given: Any) -> datetime.date | None:
        """The day of the last mail, which is over or is today."""
        day = _date(given)
        if day is None:
            rule = "a person's word has the day of the last mail: a date such as 2026-11-20"
            self._wrong(host, _STOPPED, None if given is None else str(given), rule, "Write that day.")
        elif day > self._today:
            rule = f"this day is still to come: today is {self._today}"
            self._wrong(host, _STOPPED, str(day), rule, "Say so when it has stopped.")
        return day

    def _leaves(self, host: str, variable: str) -> bool:
        """Whether it is an environment that leaves; what else it is, is a problem."""
        state = self._known.states.get(host)
        if state == LEAVING:
            return True
        if state == "absent":
            rule, way_out = "this environment is gone already: erp_mail_state is absent", "Take it out here."
        elif state == "present":
            rule = "this environment is to stay: erp_mail_state is present"
            way_out = "Write erp_mail_state: leaving for it first."
        else:
            rule, way_out = "this play has no such environment", _closest(host, self._known.leaving)
        self._wrong(host, variable, None, rule, way_out)
        return False

    def _names(self, given: Any, variable: str, rule: str) -> list[str]:
        if given is None:
            return []
        if isinstance(given, list) and all(isinstance(one, str) for one in given):
            return given
        self._wrong("offboard", variable, None, rule, "Correct it.")
        return []

    def _wrong(self, subject: str, variable: str, value: str | None, rule: str, way_out: str) -> None:
        self.problems.append(OFFBOARD_RULES.problem(subject, variable, value, rule, way_out))


def _date(given: Any) -> datetime.date | None:
    """A day as YAML or JSON has it; a moment is none, because nobody knows in which zone of time."""
    if isinstance(given, datetime.date) and not isinstance(given, datetime.datetime):
        return given
    try:
        return datetime.datetime.strptime(given, "%Y-%m-%d").date() if isinstance(given, str) else None
    except ValueError:
        return None


def _closest(name: str, names: Collection[str] | Iterable[str]) -> str:
    known = sorted(names)
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]}?" if close else f"There are: {', '.join(known[:20]) or 'none'}."
