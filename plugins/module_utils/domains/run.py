# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one path by which records change: many domains, read, planned, guarded, applied and read back, in one process."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import (
    Conflict,
    Provider,
    ProviderError,
    ZoneNotFound,
    open_provider,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key
from ansible_collections.mailroom.erp.plugins.module_utils.dns.resolver import ResolveError, Resolver
from ansible_collections.mailroom.erp.plugins.module_utils.domains.progress import Progress
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import DomainRequest, Order, SpfRequest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.spf_plan import SpfPlan, check_budget, plan_spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import BudgetCounter, Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused

_T = TypeVar("_T")

_ATTEMPTS = 100
_PATIENCE = 60.0
"""Seconds that one zone may take to get its change in between those of other writers."""


@dataclass(slots=True)
class DomainOutcome:
    """What became of one domain: its plan, or why its zone failed."""

    request: DomainRequest
    zone: str | None = None
    plan: SpfPlan | None = None
    failure: str | None = None
    written: bool = False

    @property
    def changed(self) -> bool:
        """Whether the record was changed, or would be in check mode; also when the zone failed after the write."""
        planned = self.plan is not None and self.plan.change is not None
        return planned and (self.written or self.failure is None)


@dataclass(slots=True)
class _ZoneWork:
    """The domains of one zone of one account; they are written together or not at all."""

    provider: Provider
    zone: str
    outcomes: list[DomainOutcome] = field(default_factory=list)
    token: object = None

    @property
    def keys(self) -> list[Key]:
        return [(outcome.request.domain, "TXT") for outcome in self.outcomes]

    @property
    def changes(self) -> list[Change]:
        return [outcome.plan.change for outcome in self.outcomes if outcome.plan and outcome.plan.change]

    def fail(self, reason: str) -> None:
        for outcome in self.outcomes:
            outcome.failure = reason

    def note_written(self) -> dict[str, SpfPlan]:
        """Mark what the service has just accepted, and give the plans concerned by domain."""
        written: dict[str, SpfPlan] = {}
        for outcome in self.outcomes:
            if outcome.plan and outcome.plan.change:
                outcome.written = True
                written[outcome.request.domain] = outcome.plan
        return written


class Run:
    """Brings all domains of an order to what is asked of them.

    :param order: the requests and accounts, as ``request.read_order`` gives them
    :param resolver_options: the option ``resolver``
    :param concurrency: how many zones are worked on at the same time
    :param progress: is told how far the run is
    """

    def __init__(
        self,
        order: Order,
        resolver_options: Mapping[str, Any] | None,
        concurrency: int = 16,
        progress: Progress | None = None,
    ) -> None:
        self._order = order
        self._progress = progress or Progress(None)
        self._resolver = Resolver(resolver_options)
        self._providers = [open_provider(account) for account in order.accounts]
        self._pool = ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="zone")
        self._counter = self._counter_over({})

    def execute(self, write: bool) -> list[DomainOutcome]:
        """Plan everything, and write it unless this is check mode.

        :param write: False plans and judges only; nothing is sent that could change anything
        :returns: one outcome per request, in the order of the requests
        :raises Refused: at least one domain breaks a rule; nothing has been written for any of them
        """
        outcomes = [DomainOutcome(request) for request in self._order.requests]
        with self._pool:
            works = self._locate(outcomes)
            self._gather("zones read", self._read_first, works)
            self._judge(outcomes)
            if write:
                changing = [work for work in works if work.changes]
                settle = self._progress.counted("zones written", len(changing), _settling(self._settle))
                list(self._pool.map(settle, changing))
        return outcomes

    def _gather(self, name: str, step: Callable[[_T], list[Problem]], items: Sequence[_T]) -> None:
        """Run a step for all items at once, and refuse the run when any of them breaks a rule."""
        counted = self._progress.counted(name, len(items), step)
        problems = [problem for found in self._pool.map(counted, items) for problem in found]
        if problems:
            raise Refused(problems)

    def _locate(self, outcomes: list[DomainOutcome]) -> list[_ZoneWork]:
        """Find the zone of every domain, and gather the domains of one zone."""
        self._gather("domains located", self._find_zone, outcomes)
        works: dict[tuple[int, str], _ZoneWork] = {}
        for outcome in outcomes:
            if outcome.zone is not None:
                account = outcome.request.account
                work = works.setdefault((account, outcome.zone), _ZoneWork(self._providers[account], outcome.zone))
                work.outcomes.append(outcome)
        return list(works.values())

    def _find_zone(self, outcome: DomainOutcome) -> list[Problem]:
        request = outcome.request
        try:
            outcome.zone = request.zone or self._providers[request.account].zone_of(request.domain)
        except ZoneNotFound as error:
            return [_no_zone(request.domain, None, error)]
        except ProviderError as error:
            outcome.failure = str(error)
        return []

    def _read_first(self, work: _ZoneWork) -> list[Problem]:
        """Read and plan a zone; a service that fails fails its own zone, a broken rule refuses the run."""
        try:
            self._read_and_plan(work)
        except Refused as refused:
            return refused.problems
        except ZoneNotFound as error:
            return [_no_zone(outcome.request.domain, work.zone, error) for outcome in work.outcomes]
        except ProviderError as error:
            work.fail(str(error))
        return []

    def _read_and_plan(self, work: _ZoneWork) -> None:
        state = work.provider.read(work.zone, work.keys)
        work.token = state.token
        problems: list[Problem] = []
        for outcome, wanted in _with_spf(work.outcomes):
            try:
                outcome.plan = plan_spf(outcome.request, wanted, state)
            except Refused as refused:
                problems += refused.problems
        if problems:
            raise Refused(problems)

    def _judge(self, outcomes: list[DomainOutcome]) -> None:
        """Count the lookups of every planned record, each over all other planned records of this run."""
        self._counter = self._counter_over(_planned(outcomes))
        self._gather("records judged", self._judge_one, [outcome for outcome in outcomes if outcome.plan])

    def _judge_one(self, outcome: DomainOutcome) -> list[Problem]:
        wanted, plan = outcome.request.spf, outcome.plan
        assert wanted is not None
        assert plan is not None
        try:
            check_budget(outcome.request, wanted, plan, lambda: self._counter)
            if plan.creates:
                plan.warnings += self._compare_mx(outcome.request.domain, wanted, plan)
        except Refused as refused:
            return refused.problems
        return []

    def _compare_mx(self, domain: str, wanted: SpfRequest, plan: SpfPlan) -> Iterator[str]:
        """Warn, at a domain's first record, when its MX hosts point to a service that the record leaves out."""
        try:
            hosts = self._resolver.lookup(domain, "MX").values
        except ResolveError:
            return
        record = (plan.after or "").lower().split()
        for service in wanted.mx_services:
            receives = [host for host in hosts if host == service.suffix or host.endswith("." + service.suffix)]
            if receives and not all(term.lower() in record for term in service.terms):
                yield (
                    f"{domain}: its MX is {receives[0]}, but its first SPF record does not list {service.service}: "
                    f"if people of this domain send there, add {service.service} to its `services`"
                )

    def _settle(self, work: _ZoneWork) -> None:
        """Apply, read back, and go round again while others write to the same records."""
        deadline = time.monotonic() + _PATIENCE
        applied: dict[str, SpfPlan] = {}
        for attempt in range(_ATTEMPTS):
            tried, conflict = work.changes, False
            try:
                work.provider.apply(work.zone, tried, work.token)
            except Conflict:
                conflict = True
                time.sleep(random.uniform(0, 0.01 * min(attempt + 1, 20)))
            else:
                applied |= work.note_written()
            self._replan(work)
            if not work.changes:
                _conclude(work, applied)
                return
            if not conflict and work.changes == tried:
                raise ProviderError(
                    f"zone {work.zone}: the service accepted the change but shows the old records; look at its log"
                )
            if time.monotonic() > deadline:
                break
        raise ProviderError(
            f"zone {work.zone}: other writers kept changing the same records for {attempt + 1} attempts; "
            "run it again when they are done"
        )

    def _replan(self, work: _ZoneWork) -> None:
        """Plan again on what the service now shows: no change left means that what was written is there."""
        kept = {outcome.request.domain: outcome.plan for outcome in work.outcomes}
        self._read_and_plan(work)
        for outcome, wanted in _with_spf(work.outcomes):
            old = kept[outcome.request.domain]
            assert outcome.plan is not None
            assert old is not None
            if outcome.plan.after == old.after:
                outcome.plan.budget, outcome.plan.warnings = old.budget, old.warnings
            else:
                check_budget(outcome.request, wanted, outcome.plan, partial(self._counter_over, _planned([outcome])))

    def _counter_over(self, overlay: Mapping[Key, tuple[str, ...]]) -> BudgetCounter:
        resolver = self._resolver.with_overlay(overlay)

        def lookup(name: str, rdtype: str) -> tuple[str, ...]:
            try:
                return resolver.lookup(name, rdtype).values
            except ResolveError as error:
                raise Unresolved(str(error)) from None

        return BudgetCounter(lookup)


def _settling(settle: Callable[[_ZoneWork], None]) -> Callable[[_ZoneWork], None]:
    """From the first write on, whatever goes wrong fails its own zone only."""

    def run(work: _ZoneWork) -> None:
        try:
            settle(work)
        except (ProviderError, Refused) as error:
            work.fail(str(error))

    return run


def _no_zone(domain: str, zone: str | None, error: ZoneNotFound) -> Problem:
    return Problem(
        domain,
        "zone",
        zone,
        str(error),
        "RFC 1034 section 4.2",
        "Check the domain's spelling, its zone and its DNS account.",
    )


def _with_spf(outcomes: Iterable[DomainOutcome]) -> Iterator[tuple[DomainOutcome, SpfRequest]]:
    for outcome in outcomes:
        if outcome.request.spf is not None:
            yield outcome, outcome.request.spf


def _planned(outcomes: Iterable[DomainOutcome]) -> dict[Key, tuple[str, ...]]:
    """The TXT RRsets as they will be, for every domain that changes."""
    changes = [outcome.plan.change for outcome in outcomes if outcome.plan and outcome.plan.change]
    return {change.key: change.after.values if change.after else () for change in changes}


def _conclude(work: _ZoneWork, applied: Mapping[str, SpfPlan]) -> None:
    """The read-back shows nothing left to change, so the result of the run is what was applied."""
    for outcome in work.outcomes:
        outcome.plan = applied.get(outcome.request.domain, outcome.plan)
