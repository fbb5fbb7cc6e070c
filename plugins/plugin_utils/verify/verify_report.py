# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Puts the report together: what is true, what is to be done, how things stand, what comes and what changed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ansible_collections.mailroom.erp.plugins.module_utils.version import VERSION
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.password_calendar import password_calendar
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.domain_reports import DomainReports
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.environment_reports import EnvironmentReports
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_changes import report_changes
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import (
    REPORT_SCHEMA,
    CalendarItem,
    CustomerSummary,
    DomainReport,
    EnvironmentReport,
    Risk,
    State,
    TodoItem,
    UnknownItem,
    VerifyReport,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.todo_list import todo_items
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.verify_facts import VerifyFacts

_STATE_OF: Mapping[Risk, State] = {
    "fail": "failing",
    "drift": "attention",
    "due": "attention",
    "unknown": "unknown",
    "confirm": "fine",
}
_WORST: tuple[State, ...] = ("failing", "attention", "unknown", "fine")
_THIS_RUN = "verify"


def verify_report(facts: VerifyFacts) -> VerifyReport:
    """Make the report on all.

    :param facts: all that the run knows
    """
    environments, domains = EnvironmentReports(facts), DomainReports(facts)
    hosts = [environments.of(host) for host in facts.needs]
    names = [domains.of(domain) for domain in facts.domains]
    todo = todo_items(facts, hosts, names)
    of_hosts = _by_name((one.environments, one) for one in todo)
    of_domains = _by_name((one.domains, one) for one in todo)
    hosts = [replace(one, state=_environment_state(one, of_hosts.get(one.name, ()))) for one in hosts]
    failing = {facts.domain_of(address.rpartition("@")[2]) for address in _failing_addresses(hosts, names)}
    names = [replace(one, state=_domain_state(of_domains.get(one.name, ()), one.name in failing)) for one in names]
    report = VerifyReport(
        schema=REPORT_SCHEMA,
        made=facts.made,
        previous=facts.previous.made,
        collection=VERSION,
        customer=None,
        state=_worst([state_of(todo), *(one.state for one in hosts), *(one.state for one in names)]),
        todo=todo,
        changed=(),
        customers=(),
        environments=tuple(hosts),
        domains=tuple(names),
        calendar=tuple(_calendar(facts, hosts)),
        unknown=tuple(_unknown(facts, todo)),
    )
    report = replace(report, customers=tuple(_customers(report)))
    return replace(report, changed=report_changes(facts.previous.data, report))


def state_of(todo: Iterable[TodoItem]) -> State:
    """How things stand where this is to be done.

    :param todo: what is to be done
    """
    return _worst(_STATE_OF[one.risk] for one in todo)


def _worst(states: Iterable[State]) -> State:
    return min(states, key=_WORST.index, default="fine")


def _by_name(todo: Iterable[tuple[Iterable[str], TodoItem]]) -> dict[str, list[TodoItem]]:
    found: dict[str, list[TodoItem]] = {}
    for names, item in todo:
        for name in names:
            found.setdefault(name, []).append(item)
    return found


def _environment_state(environment: EnvironmentReport, own: Iterable[TodoItem]) -> State:
    """That a sender fails is told with the record that drifted; the environment fails all the same."""
    senders: dict[str, State] = {"pass": "fine", "fail": "failing", "unknown": "unknown", "leaving": "fine"}
    return _worst([state_of(own), *(senders[one.verdict] for one in environment.senders)])


def _domain_state(own: Iterable[TodoItem], fails: bool) -> State:
    return "failing" if fails else state_of(own)


def _failing_addresses(environments: Iterable[EnvironmentReport], domains: Iterable[DomainReport]) -> list[str]:
    senders = [sender for one in environments for sender in one.senders]
    senders += [sender for one in domains for sender in one.senders]
    return [one.address for one in senders if one.verdict == "fail"]


def _calendar(facts: VerifyFacts, environments: Iterable[EnvironmentReport]) -> list[CalendarItem]:
    found = [
        CalendarItem(secret.ends, f"the {secret.kind} of {one.name} ends", (one.name,), ())
        for one in environments
        for secret in (one.tenant.secrets if one.tenant else ())
        if secret.ends
    ]
    for host, sight in facts.sights.items():
        if sight.certificate_ends:
            what = f"the certificate of {sight.name} ends"
            found.append(CalendarItem(sight.certificate_ends[:10], what, (host,), ()))
    for entry in password_calendar(facts.needs, facts.today):
        found.append(CalendarItem(entry.date, entry.text, entry.environments, ()))
    return sorted(found, key=lambda one: (one.date, one.what))


def _unknown(facts: VerifyFacts, todo: Iterable[TodoItem]) -> Iterator[UnknownItem]:
    for one in todo:
        if one.risk == "unknown":
            subject = next(iter((*one.domains, *one.environments)), _THIS_RUN)
            what, _colon, why = one.text.removeprefix(f"{subject}: ").partition(": ")
            yield UnknownItem(subject, what, why or what)
    if facts.previous.problem:
        yield UnknownItem(_THIS_RUN, "what changed since the last run", facts.previous.problem)
    looked = {
        "what the DNS says of the domains": facts.audited,
        "what receivers reported": facts.reported,
        "what managed policies wait for": facts.advanced,
    }
    for what, result in looked.items():
        # a task that may fail is not called failed
        if result.get("msg") and "domains" not in result:
            yield UnknownItem(_THIS_RUN, what, str(result["msg"]))


def _customers(report: VerifyReport) -> Iterator[CustomerSummary]:
    names = {one.customer for one in report.environments if one.customer}
    names |= {customer for one in report.domains for customer in one.customers}
    for name in sorted(names):
        hosts = [one for one in report.environments if one.customer == name]
        domains = [one for one in report.domains if name in one.customers]
        own = {one.name for one in hosts} | {one.name for one in domains}
        todo = [one for one in report.todo if own & {*one.environments, *one.domains}]
        state = _worst([state_of(todo), *(one.state for one in hosts), *(one.state for one in domains)])
        yield CustomerSummary(name, state, len(hosts), len(domains), sum(one.risk != "confirm" for one in todo))
