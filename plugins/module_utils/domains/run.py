# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The one path by which records change: many domains, read, planned, guarded, applied and read back, in one process."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import (
    LooksAhead,
    Provider,
    ProviderError,
    ZoneNotFound,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key, values_of
from ansible_collections.mailroom.erp.plugins.module_utils.dns.write_loop import writing_zone
from ansible_collections.mailroom.erp.plugins.module_utils.domains.change_bound import beyond_bound
from ansible_collections.mailroom.erp.plugins.module_utils.domains.delegation import (
    check_delegation,
    comparable,
    zone_servers,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.guard import Guard, unsigned_accepted
from ansible_collections.mailroom.erp.plugins.module_utils.domains.inventory_words import inventory_option
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import (
    LooksUpFirst,
    RecordPlan,
    World,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.plan_agreement import by_zone, disagreements
from ansible_collections.mailroom.erp.plugins.module_utils.domains.planned_records import RecordsPlan
from ansible_collections.mailroom.erp.plugins.module_utils.domains.progress import Progress
from ansible_collections.mailroom.erp.plugins.module_utils.domains.record_files import file_change
from ansible_collections.mailroom.erp.plugins.module_utils.domains.records_plan import records_plan
from ansible_collections.mailroom.erp.plugins.module_utils.domains.refusals import WHOLE_RUN, DomainProblem, Refusals
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import DomainRequest, Order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.threads import each
from ansible_collections.mailroom.erp.plugins.module_utils.domains.two_processes import each_in_two
from ansible_collections.mailroom.erp.plugins.module_utils.domains.world import world_of
from ansible_collections.mailroom.erp.plugins.module_utils.domains.zone_records import (
    DomainOutcome,
    RecordStep,
    ZoneRecords,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import is_inside
from ansible_collections.mailroom.erp.plugins.module_utils.policy.public_suffix import is_everybodys
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, Problem, Refused, WayOut
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver import Resolver
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot import Snapshot, keeping

if TYPE_CHECKING:
    from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.verdict import Verdict

_T = TypeVar("_T")

_COLLECTIONS = (100_000, 50, 50)
"""Thresholds of Python's garbage collector: the objects of thousands of domains live to the end of the run, and to look
for cycles among them as often as usual takes a sixth of the time."""

_AT_ONCE = 1000
"""Names that a service is asked for in one go."""

_QUESTIONS = 4
"""Questions under way for each zone that is worked on at the same time: most domains have as many records."""


class Run:
    """Brings all domains of an order to what is asked of them.

    :param order: the requests and accounts, as ``request.read_order`` gives them
    :param resolver_options: the option ``resolver``
    :param concurrency: how many zones are worked on at the same time
    :param progress: is told how far the run is
    :param snapshot: keeps what the run changes; None keeps nothing
    """

    def __init__(
        self,
        order: Order,
        resolver_options: Mapping[str, Any] | None,
        concurrency: int = 16,
        progress: Progress | None = None,
        snapshot: Snapshot | None = None,
    ) -> None:
        self._order = order
        self._by_domain = {request.domain: request for request in order.requests}
        self._refusals = Refusals([], order)
        unsigned = unsigned_accepted(recipe for request in order.requests for recipe in request.recipes)
        self.guard = Guard(order.senders, order.allow_failing, order.inventory, unsigned, order.demands)
        """Holds the verdicts when the run is over."""
        self._progress = progress or Progress(None)
        self._snapshot = snapshot
        self._resolver_options = resolver_options
        self._resolver = Resolver(resolver_options)
        self._providers = [open_provider(account, self._progress.say) for account in order.accounts]
        self._concurrency = concurrency
        self.plan = RecordsPlan((), ())
        """All that the run has read and what it makes of it, where the order asks for it."""
        self._agreed = by_zone(order.agreed) if order.agreed else None
        self.wrote = False
        """Whether the run went on to write, which it does unless it only looks or is held."""

    def execute(self, write: bool) -> list[DomainOutcome]:
        """Plan everything, and write it unless this is check mode.

        :param write: False plans and judges only; nothing is sent that could change anything
        :returns: one outcome per request, in the order of the requests; then those that could not be read as requests
        :raises Refused: domains break rules, all of which are told; nothing has been written for any. Where the order
            skips refused domains, only a rule of the whole run does that
        """
        gc.set_threshold(*_COLLECTIONS)
        outcomes = [_outcome(request) for request in self._order.requests]
        steps = [step for outcome in outcomes for step in outcome.steps]
        self._refusals = Refusals(outcomes, self._order)
        asking = [step for step in steps if isinstance(step.recipe, LooksUpFirst) and step.recipe.asks]
        if asking:
            self._gather("names looked up first", partial(_ask, world=self._world([])), asking)
        self._ask_ahead(outcomes)
        works = self._locate(outcomes)
        self._gather("zones read", _read_first, works)
        self._gather("files compared", _compare_file, [step for step in _sound(steps) if step.plan.file])
        self._judge_records(steps, _aliases(works))
        changing = [work for work in works if work.changes]
        self._look_ahead("zones' name servers asked for", [(work.provider, (work.zone, "NS")) for work in changing])
        questions = [key for work in changing for key in ((work.zone, "NS"), *comparable(work.zone, work.changes))]
        self._resolver.look_ahead(questions, self._concurrency)
        self._gather("delegations checked", self._check_delegation, changing)
        self._judge_senders(works)
        self._judge_run(works)
        self._refusals.stop()
        told = outcomes + self._refusals.unread
        self.wrote = write and not (self._order.all_or_none and any(outcome.failure for outcome in told))
        if self.wrote:
            self._write_all([work for work in works if not work.failed])
        return told

    def judge_live(self) -> list[Verdict]:
        """Judge every sender on what the world answers now.

        :returns: the verdicts in the order of the senders
        """
        anew = Resolver(self._resolver_options)
        self._ask_about_senders(anew)
        self.guard.take_up(world_of(anew))
        return self._in_two("senders judged again", self.guard.live, self.guard.senders)

    def name_servers(self) -> list[dict[str, Any]]:
        """Look at the name servers of all zones that were found.

        :returns: see :func:`zone_servers`
        """
        works = self._refusals.works
        self._look_ahead(None, [(work.provider, (work.zone, "NS")) for work in works])
        self._resolver.look_ahead([(work.zone, "NS") for work in works], self._concurrency)
        world = self._world([])
        return each(lambda work: zone_servers(work.provider, work.zone, world), works, self._concurrency)

    def _gather(self, name: str, step: Callable[[_T], list[DomainProblem]], items: Sequence[_T]) -> bool:
        """Run a step for all items at once; domains that break rules go no further.

        :returns: whether the others must be judged without them
        """
        counted = self._progress.counted(name, len(items), step)
        problems = [problem for found in each(counted, items, self._concurrency) for problem in found]
        return self._refusals.add(problems) and self._order.skips_refused

    def _judge_records(self, steps: Sequence[RecordStep], known: Mapping[Key, tuple[str, ...]]) -> None:
        """Judge all plans in the world as it will be, and again where a domain is left out, whose records will not be.

        Each time fewer are left, so it ends.
        """
        told = {id(step): list(step.plan.warnings) for step in steps}
        while True:
            sound = _sound(steps)
            for step in sound:
                step.plan.warnings = list(told[id(step)])
            if not self._gather("records judged", partial(_judge, world=self._world(sound, known)), sound):
                return

    def _ask_ahead(self, outcomes: Sequence[DomainOutcome]) -> None:
        """Let the services that can be asked for many records at once be asked so."""
        keys: list[tuple[Provider, Key]] = []
        for outcome in outcomes:
            for step in outcome.steps:
                provider = self._providers[self._account_of(outcome.request, step)]
                keys += [(provider, key) for key in step.recipe.keys]
        self._look_ahead("names asked for", keys)

    def _look_ahead(self, step: str | None, keys: Iterable[tuple[Provider, Key]]) -> None:
        """:param step: what the user is told of it, None for nothing"""
        wanted: dict[int, dict[str, list[Key]]] = {}
        for provider, key in keys:
            wanted.setdefault(id(provider), {}).setdefault(key[0], []).append(key)
        for provider in self._providers:
            if isinstance(provider, LooksAhead):
                self._ask_many(step, provider, wanted.get(id(provider), {}))

    def _ask_many(self, step: str | None, provider: LooksAhead, by_name: Mapping[str, Sequence[Key]]) -> None:
        """Let one service be asked for many names, the keys of each together."""

        def ask(names: Sequence[str]) -> None:
            provider.look_ahead([key for name in names for key in by_name[name]], self._concurrency * _QUESTIONS)

        counted = self._progress.counted(step, len(by_name), ask, len) if step else ask
        for names in _parts(list(by_name), _AT_ONCE):
            counted(names)

    def _locate(self, outcomes: list[DomainOutcome]) -> list[ZoneRecords]:
        """Find the zone of every record, and gather the records of one zone."""
        self._gather("domains located", self._find_zones, outcomes)
        works: dict[tuple[int, str], ZoneRecords] = {}
        views: Counter[str] = Counter()
        for outcome in outcomes:
            for step in _sound(outcome.steps):
                if step.zone is not None:
                    account = self._account_of(outcome.request, step)
                    if (account, step.zone) not in works:
                        works[account, step.zone] = self._work(account, step.zone, views[step.zone])
                        views[step.zone] += 1
                    works[account, step.zone].steps.append(step)
        self._refusals.works = list(works.values())
        return self._refusals.works

    def _work(self, account: int, zone: str, view: int) -> ZoneRecords:
        return ZoneRecords(self._providers[account], self._order.accounts[account], zone, view=view)

    def _find_zones(self, outcome: DomainOutcome) -> list[DomainProblem]:
        problems: list[DomainProblem] = []
        domain = outcome.request.domain
        for step in outcome.steps:
            try:
                step.zone = self._zone_of(outcome.request, step)
            except ZoneNotFound as error:
                instead = step.recipe.unserved()
                if isinstance(instead, Problem):
                    return [(domain, _no_zone(domain, outcome.request.zone, error))]
                problems += [(domain, one) for one in self._leave(outcome.request, step, instead, error)]
            except ProviderError as error:
                step.failure = str(error)
        return problems

    def _leave(
        self, request: DomainRequest, step: RecordStep, instead: RecordPlan, error: ZoneNotFound
    ) -> list[Problem]:
        """A record in nobody's zone: somebody else manages it, if the domain itself is ours."""
        try:
            request.zone or self._providers[request.account].zone_of(request.domain)
        except ZoneNotFound:
            return [_no_zone(request.domain, request.zone, error)]
        except ProviderError as failed:
            step.failure = str(failed)
            return []
        step.plan = instead
        return []

    def _zone_of(self, request: DomainRequest, step: RecordStep) -> str:
        if request.zone and is_inside(step.recipe.name, request.zone):
            return request.zone
        zone = self._providers[self._account_of(request, step)].zone_of(step.recipe.name)
        if zone != request.domain and is_everybodys(zone):
            raise ZoneNotFound(
                f"the zone there that holds {step.recipe.name} is {zone or '.'}, under which everybody registers "
                "names, so it is not written to"
            )
        return zone

    def _account_of(self, request: DomainRequest, step: RecordStep) -> int:
        """The account of the domain that the record is in: another one's for the agreement of a destination."""
        if is_inside(step.recipe.name, request.domain):
            return request.account
        parent = step.recipe.name
        while "." in parent:
            if parent in self._by_domain:
                return self._by_domain[parent].account
            parent = parent.partition(".")[2]
        return request.account

    def _judge_senders(self, works: Sequence[ZoneRecords]) -> None:
        """Refuse what would harm a declared sender, and judge again without it. A zone that failed will not change."""
        if not self.guard.senders:
            return  # nor is anything loaded that only verdicts need
        self._ask_about_senders(self._resolver)
        while True:
            steps = [step for work in works if work.changes and not work.failed for step in work.steps]
            live = self._world([])
            self.guard.look(live, self._world(steps) if steps else live)
            judged = self._in_two("senders judged", self.guard.judge, self.guard.senders)
            self.guard.keep(judged)
            found = zip(self.guard.senders, judged, strict=True)
            problems = [problem for sender, one in found for problem in _caused(steps, sender, one.problems)]
            if not (self._refusals.add(problems) and self._order.skips_refused):
                return

    def _ask_about_senders(self, resolver: Resolver) -> None:
        """Ask together for what every verdict needs."""
        names = dict.fromkeys(name for sender in self.guard.senders for name in _domains_of(sender))
        questions = [(place, "TXT") for name in names for place in (name, f"_dmarc.{name}")]
        resolver.look_ahead(questions, self._concurrency * _QUESTIONS)

    def _in_two(self, step: str, judge: Callable[[Sender], _T], senders: Sequence[Sender]) -> list[_T]:
        """Judge senders in two processes. Files are not waited for: more threads would only be in each other's way."""
        threads = self._concurrency if self._resolver.asks else 1
        return each_in_two(step, judge, senders, threads, self._progress)

    def _judge_run(self, works: Sequence[ZoneRecords]) -> None:
        """Refuse the whole run where it does something else than what was agreed, or more than it may."""
        agreed, bound = self._order.agreed, self._order.bound
        if agreed is not None or self._order.tells_plan:
            self.plan = records_plan(works)
        problems = [] if agreed is None else disagreements(agreed, self.plan)
        if bound is not None:
            changing = [work for work in works if not work.failed]
            names = dict.fromkeys(step.domain for work in changing for step in work.steps if step.changes)
            rrsets = sum(len({change.key for change in work.changes}) for work in changing)
            problems += beyond_bound(bound, rrsets, sorted(names), len(self._order.requests))
        self._refusals.add((WHOLE_RUN, problem) for problem in problems)

    def _check_delegation(self, work: ZoneRecords) -> list[DomainProblem]:
        """See that the world will see the change; only zones that change are asked about."""
        try:
            found = check_delegation(
                work.provider,
                work.zone,
                work.changes,
                self._world([]),
                self._asked_anew,
                self._order.accept_undelegated,
            )
        except Refused as refused:
            changing = dict.fromkeys(step.domain for step in work.steps if step.changes)
            return [(domain, problem) for domain in changing for problem in refused.problems]
        except ProviderError as error:
            work.fail(str(error))
            return []
        work.steps[0].plan.warnings += found
        return []

    def _write_all(self, works: Sequence[ZoneRecords]) -> None:
        """Write files, then zones, then take files away: no record names a file that is not there."""
        for work in works:
            work.write_files()
        self._write([work for work in works if work.changes and not work.failed])
        for work in works:
            work.remove_files()

    def _write(self, works: Sequence[ZoneRecords]) -> None:
        """Write all zones; what stands in them now is kept first, in one go."""
        conclude = self._progress.counted("zones written", len(works), self._conclude)
        looking = {id(provider) for provider in self._providers if isinstance(provider, LooksAhead)}
        far = [work for work in works if id(work.provider) in looking]
        near = [work for work in works if id(work.provider) not in looking]
        with keeping(self._snapshot, works):
            for part in _parts(far, _AT_ONCE // _QUESTIONS):
                begun = self._begun(part)
                each(_first_write, begun, self._concurrency)
                self._look_ahead(None, [(work.provider, key) for work in part for key in work.keys])
                each(conclude, begun, self._concurrency)
            each(conclude, self._begun(near), self._concurrency)

    def _begun(self, works: Sequence[ZoneRecords]) -> list[_ZoneInWriting]:
        return [(work, writing_zone(work, partial(self._replan, work), self._snapshot)) for work in works]

    def _conclude(self, begun: _ZoneInWriting) -> None:
        work, writing = begun
        for _written in writing:
            pass
        if not work.failed:
            work.conclude()

    def _replan(self, work: ZoneRecords) -> None:
        """Plan again on what the service now shows: no change left means that what was written is there."""
        kept = {step.identity: step.plan for step in work.steps}
        try:
            work.read_and_plan()
        except Refused as refused:
            # the text becomes the zone's failure, far from where messages are worded
            raise refused if self._order.inventory is None else refused.worded(inventory_option) from None
        self._hold_to_plan(work)
        for step in work.steps:
            old = kept[step.identity]
            step.plan.file = old.file
            if step.plan.after == old.after:
                step.plan.details, step.plan.warnings = old.details, old.warnings
            else:
                step.recipe.judge(step.plan, self._world([step]))

    def _hold_to_plan(self, work: ZoneRecords) -> None:
        """See that what is left to do in a zone is what was agreed, whatever others did to it in between."""
        if self._agreed is None:
            return
        now = RecordsPlan(records_plan([work]).records, files=())  # its files are there by now
        wrong = disagreements(self._agreed.get((work.zone, work.view), RecordsPlan((), ())), now)
        if wrong:
            raise Refused(wrong)

    def _asked_anew(self) -> World:
        """Live answers that nobody remembers."""
        return world_of(Resolver(self._resolver_options))

    def _world(self, steps: Iterable[RecordStep], known: Mapping[Key, tuple[str, ...]] | None = None) -> World:
        """Live answers with what is known, and then the planned records of these steps, laid over them."""
        changes = [change for step in steps for change in step.changes]
        overlay = {change.key: values_of(change.after) for change in changes}
        return world_of(self._resolver.with_overlay({**(known or {}), **overlay}))


_ZoneInWriting = tuple[ZoneRecords, Iterator[None]]
"""A zone, and the loop that writes it."""


def _first_write(begun: _ZoneInWriting) -> None:
    next(begun[1], None)


def _parts(items: Sequence[_T], size: int) -> list[Sequence[_T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _aliases(works: Iterable[ZoneRecords]) -> dict[Key, tuple[str, ...]]:
    """The aliases that were just read: the world need not be asked for them again to see what they stand for."""
    return {key: found.values for work in works for key, found in work.aliases.items()}


def _outcome(request: DomainRequest) -> DomainOutcome:
    return DomainOutcome(request, [RecordStep(recipe, request.domain) for recipe in request.recipes])


def _sound(steps: Iterable[RecordStep]) -> list[RecordStep]:
    return [step for step in steps if not step.failure]


def _caused(steps: Iterable[RecordStep], sender: Sender, problems: Sequence[Problem]) -> list[DomainProblem]:
    """A sender that would be harmed refuses the domains that its mail is judged by; without one, the whole run."""
    if not problems:
        return []
    changing = dict.fromkeys(step.domain for step in steps if step.changes)
    causes = [domain for domain in changing if any(is_inside(name, domain) for name in _domains_of(sender))]
    return [(domain, problem) for domain in causes or [WHOLE_RUN] for problem in problems]


def _domains_of(sender: Sender) -> list[str]:
    """The domains by whose records receivers judge a sender."""
    signed = sender.signature.domain if sender.signature else None
    return [name for name in (sender.domain, sender.envelope_domain, signed) if name]


def _ask(step: RecordStep, world: World) -> list[DomainProblem]:
    if isinstance(step.recipe, LooksUpFirst):
        step.recipe = step.recipe.answered(world)
    return []


def _read_first(work: ZoneRecords) -> list[DomainProblem]:
    """Read and plan a zone; a service that fails fails its own zone, a broken rule refuses its domain."""
    try:
        return work.read_and_try()
    except ZoneNotFound as error:
        return [(step.domain, _no_zone(step.recipe.name, work.zone, error)) for step in work.steps]
    except ProviderError as error:
        work.fail(str(error))
    return []


def _compare_file(step: RecordStep) -> list[DomainProblem]:
    """Find out what is to become of a file; a plan whose file is as wanted goes on without it."""
    try:
        step.file_change = file_change(step.recipe.name, step.plan.file) if step.plan.file else None
    except Refused as refused:
        return [(step.domain, problem) for problem in refused.problems]
    if step.file_change is None:
        step.plan.file = None
    return []


def _judge(step: RecordStep, world: World) -> list[DomainProblem]:
    try:
        step.recipe.judge(step.plan, world)
    except Refused as refused:
        return [(step.domain, problem) for problem in refused.problems]
    return []


def _no_zone(name: str, zone: str | None, error: ZoneNotFound) -> Problem:
    way_out = WayOut(("Check the domain's spelling, ", Option("zone"), " and ", Option("dns"), "."))
    return Problem(name, "zone", zone, str(error), "RFC 1034 section 4.2", way_out)
