# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One domain's SPF record: what is asked of it, and the change that does it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Union

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind import Kind, RecordResult
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.near_miss_choice import RecordValues
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import (
    LooksUpFirst,
    RecordPlan,
    World,
    check_is_here,
    not_served,
    too_long,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.spf_flattening import (
    Chain,
    Flattening,
    chain_keys,
    check_intact,
    flattened,
    flattened_facts,
    read_flattening,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.wildcard import ended_wildcard
from ansible_collections.mailroom.erp.plugins.module_utils.policy import spf, spf_merge, spf_slots
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.near_misses import near_spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import MAX_LOOKUPS, MAX_VOID, Budget
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_merge import MergeError, SpfWish
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_slots import Folded, fold
from ansible_collections.mailroom.erp.plugins.module_utils.problem import (
    Option,
    Problem,
    Refused,
    RuleSource,
    WayOut,
    rule_and_source,
)

_WHERE = "SPF record"
_RULES = RuleSource("documentation of mailroom.erp.spf_record")


@dataclass(frozen=True, slots=True)
class MxService:
    """A sending service that is recognised by the MX hosts it asks its customers to use, and its SPF terms."""

    suffix: str
    service: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpfRecipe(LooksUpFirst):
    """What is asked of one domain's SPF record; the options are those of the module's documentation."""

    name: str
    ttl: int | None
    wish: SpfWish
    absent: bool = False
    on_duplicate: str = "fail"
    lookup_limit: str = "enforce"
    create: bool = True
    mx_services: tuple[MxService, ...] = ()
    flattening: Flattening = field(default_factory=Flattening)
    near_miss: str = "refuse"
    kind: str = "spf"

    @property
    def keys(self) -> tuple[Key, ...]:
        own = ((self.name, "TXT"),)
        return (*own, *chain_keys(self.name)) if self._may_move_addresses else own

    @property
    def asks(self) -> bool:
        """See :meth:`LooksUpFirst.asks`: the addresses of includes that are to be flattened."""
        return bool(self.flattening.includes)

    def answered(self, world: World) -> SpfRecipe:
        """See :meth:`LooksUpFirst.answered`."""
        return replace(self, flattening=self.flattening.looked_up(world))

    def plan(self, state: ZoneState) -> RecordPlan:
        """See :meth:`Recipe.plan`; the record is merged with what is there."""
        check_is_here(
            self.name, state, "SPF record", "Replace the CNAME by address records, or publish the terms at its target."
        )
        found = state.rrsets.get((self.name, "TXT"))
        values = RecordValues(self.name, self.name, found, spf.is_spf, near_spf, self.near_miss, "spf")
        chain = Chain(self.name, state if self._may_move_addresses else None)
        after, beside, details = self._after(values.records, chain)
        change = values.change(self.ttl, after)
        warnings = [*values.warnings(), *self._concerns(after), *self.flattening.left(self.name, details)]
        return RecordPlan(values.before, after, change, warnings, {"flattened": details}, beside=beside)

    def judge(self, plan: RecordPlan, world: World) -> None:
        """Count what the planned record costs and refuse it when receivers could not evaluate it.

        An unchanged record is never refused, nor one that a change makes cheaper: both are warnings.

        :raises Refused: an eleventh lookup, a third void one, or a tree that does not resolve (RFC 7208 section 4.6.4)
        """
        if plan.creates and self.mx_services:
            plan.warnings += self._compare_mx(plan, world)
        if plan.change and plan.change.before is None:
            plan.warnings += filter(None, [ended_wildcard(self.name, world)])
        plan.details["lookups"] = None
        if plan.after is None or self.lookup_limit == "ignore":
            return
        budget = world.counter.count(spf.parse_spf(plan.after), self.name)
        plan.details["lookups"] = lookup_costs(budget)
        faults = budget_faults(budget)
        if faults and plan.changes and self.lookup_limit == "enforce" and not self._improves(plan, budget, world):
            raise Refused([_refusal(self.name, plan.after, fault, budget) for fault in faults])
        concerns = budget_concerns(budget) if plan.changes else []
        plan.warnings += [f"{self.name}: {one}" for one in (*faults, *concerns)]

    def unserved(self) -> Problem:
        """See :meth:`Recipe.unserved`."""
        return not_served(self.name)

    def _concerns(self, after: str | None) -> list[str]:
        if after is None:
            return []
        return [f"{self.name}: {one}" for one in _sentences(after)]

    @property
    def _may_move_addresses(self) -> bool:
        """Whether records that hold addresses of flattened includes may change, too."""
        moves = self.flattening.includes or self.flattening.others == "restore"
        return bool(moves or self.absent or self.wish.remove or self.wish.exclusive)

    def _after(self, records: list[str], chain: Chain) -> tuple[str | None, list[Change], list[dict[str, Any]]]:
        """The record that is wanted, the changes beside it, and what is told about flattened includes."""
        if self.absent:
            return None, chain.changes({}, (), self.ttl), []
        try:
            folds = [fold(spf.parse_spf(text), self.name) for text in records]
            check_intact(self.name, folds, self._renewed(folds))
            merged = self._merged([one.record for one in folds]) if folds else self._first()
        except spf.SpfError as error:
            raise Refused(self._unmergeable(error)) from None
        if merged is None:
            return None, [], []
        laid, kept = flattened(self.name, merged, folds, self.flattening, chain)
        beside = chain.changes(laid.chained, kept, self.ttl)
        facts = flattened_facts(self.name, laid.markers, self.flattening.today)
        return self._checked(str(laid.record)), beside, facts

    def _renewed(self, folds: Iterable[Folded]) -> set[str]:
        """The includes whose addresses may change or go."""
        gone = {include for term in self.wish.remove if (include := spf_slots.included(term))}
        restored = {include for one in folds for include in one.broken if self.flattening.restores(include)}
        return {*self.flattening.includes, *gone, *restored}

    def _merged(self, parsed: list[spf.SpfRecord]) -> spf.SpfRecord:
        if len(parsed) > 1 and self.on_duplicate == "fail":
            rule = f"the domain has {len(parsed)} SPF records, which is a permerror: no receiver accepts any of them"
            way_out = WayOut(("Remove all but one, or have them united by ", Option("spf.on_duplicate: merge"), "."))
            raise Refused(
                Problem(self.name, _WHERE, " | ".join(map(str, parsed)), rule, "RFC 7208 section 4.5", way_out)
            )
        live = parsed[0] if len(parsed) == 1 else spf_merge.unite_spf(parsed, self.name)
        return spf_merge.merge_spf(live, self.wish, self.name)

    def _first(self) -> spf.SpfRecord | None:
        """A record is made only when something is wanted of it: terms, or an explicit ``all``."""
        if not self.wish.add and self.wish.all == "keep":
            return None
        if not self.create:
            rule = (
                "the domain has none yet, and a first one turns the mail of every sender it leaves out into a softfail"
            )
            way_out = WayOut(
                ("When all who send as this domain are stated, say so with ", Option("spf.create: true"), ".")
            )
            raise Refused(Problem(self.name, _WHERE, None, rule, "RFC 7208 section 8.5", way_out))
        return spf_merge.create_spf(self.wish, self.name)

    def _checked(self, text: str) -> str:
        """The planned text, which must be a record that can be published: what we write we can read."""
        try:
            spf.parse_spf(text)
        except spf.SpfError as error:
            raise Refused(self._unmergeable(error)) from None
        problem = too_long(self.name, _WHERE, text)
        if problem:
            raise Refused(problem)
        return text

    def _unmergeable(self, error: spf.SpfError) -> Problem:
        broken = "Correct that term in the zone first: receivers answer a broken record with permerror."
        return _RULES.told(self.name, _WHERE, error.term, str(error), getattr(error, "way_out", broken))

    def _improves(self, plan: RecordPlan, budget: Budget, world: World) -> bool:
        """Whether the change takes cost or broken branches away without adding any."""
        try:
            old = world.counter.count(spf.parse_spf(plan.before or ""), self.name)
        except spf.SpfError:
            return False
        before, now = (old.total, old.void, len(old.broken)), (budget.total, budget.void, len(budget.broken))
        return now != before and all(new <= known for new, known in zip(now, before, strict=True))

    def _compare_mx(self, plan: RecordPlan, world: World) -> Iterator[str]:
        """Warn, at a domain's first record, when its MX hosts point to a service that the record leaves out."""
        try:
            hosts = world.lookup(self.name, "MX")
        except Unresolved as reason:
            yield f"{self.name}: whether its MX hosts tell of a service that sends cannot be looked up: {reason}"
            return
        record = (plan.after or "").lower().split()
        for service in self.mx_services:
            receives = [host for host in hosts if host == service.suffix or host.endswith("." + service.suffix)]
            if receives and not all(term.lower() in record for term in service.terms):
                yield (
                    f"{self.name}: its MX is {receives[0]}, but its first SPF record does not list {service.service}: "
                    f"if people of this domain send there, add {service.service} to its `services`"
                )


@lru_cache(maxsize=1 << 10)
def _sentences(text: str) -> tuple[str, ...]:
    """What a reviewer would call out in a record; many domains publish the same."""
    record = spf.parse_spf(text)
    return (*spf_merge.ignored_terms(record), *spf_merge.spf_concerns(record))


def _read(
    subject: str, name: str, ttl: int | None, options: Mapping[str, Any], problems: list[Problem]
) -> list[SpfRecipe]:
    """See ``Kind.read``."""
    absent = options["state"] == "absent"
    add = _terms(subject, options["terms"], absent, problems)
    remove = _terms(subject, options["absent_terms"], True, problems)
    keep = _terms(subject, options["kept_terms"], True, problems)
    for term in spf_merge.names_twice(add, remove, name):
        rule = "the same term is both wanted and to be removed"
        problems.append(_RULES.problem(subject, "spf.absent_terms", term.raw, rule, "Keep it in one of the two lists."))
    _check_options(subject, options, absent, problems)
    flattening = replace(read_flattening(subject, name, options, problems), others=options["other_flattened"])
    if absent:
        remove, flattening = (*remove, *_includes(flattening.includes)), replace(flattening, includes=())
    recipe = SpfRecipe(
        name,
        ttl,
        wish=SpfWish((), (*add, *remove), keep=keep)
        if absent
        else SpfWish(add, remove, options["all"], options["exclusive"], keep),
        absent=absent and not add and not remove,
        on_duplicate=options["on_duplicate"],
        lookup_limit=options["lookup_limit"],
        create=options["create"],
        mx_services=tuple(
            MxService(one["suffix"], one["service"], tuple(one["terms"])) for one in options["mx_services"]
        ),
        flattening=flattening,
        near_miss=options["near_miss"],
    )
    return [recipe]


def _includes(domains: Iterable[str]) -> list[spf.Term]:
    """The terms that include domains, with every qualifier that they may have."""
    return [spf.parse_term(f"{sign}include:{domain}") for domain in domains for sign in spf.QUALIFIERS]


def _check_options(subject: str, options: Mapping[str, Any], absent: bool, problems: list[Problem]) -> None:
    if options["all"] == "+all":
        rule = "+all lets the whole world send as this domain"
        problems.append(Problem(subject, "spf.all", "+all", rule, "RFC 7208 section 8", "Use ~all or -all."))
    if absent and (options["exclusive"] or options["all"] != "keep"):
        rule = "state: absent takes terms or the record away, `exclusive` and `all` say what it should hold"
        way_out = WayOut(("Leave ", Option("spf.exclusive"), " and ", Option("spf.all"), " out."))
        problems.append(_RULES.problem(subject, "spf.state", "absent", rule, way_out))


def _terms(subject: str, raws: Iterable[str], removed: bool, problems: list[Problem]) -> tuple[spf.Term, ...]:
    terms: list[spf.Term] = []
    for raw in raws:
        try:
            terms.append(spf_merge.wished_term(raw, removed))
        except MergeError as error:
            problems.append(_RULES.problem(subject, "spf.terms", error.term, str(error), error.way_out))
        except spf.SpfError as error:
            problems.append(_RULES.told(subject, "spf.terms", error.term, str(error), "Correct the term."))
    return tuple(terms)


def lookup_costs(budget: Budget) -> dict[str, Any]:
    """The return value ``lookups``."""
    terms = [{"term": term, "lookups": total, "void": void} for term, total, void in budget.terms]
    return {"total": budget.total, "void": budget.void, "terms": terms, "indeterminate": budget.indeterminate}


def budget_faults(budget: Budget) -> list[str]:
    """Why receivers could not evaluate a record that costs this; one sentence each, with its source."""
    least = "at least " if budget.indeterminate else ""
    faults = list(budget.broken)
    if budget.total > MAX_LOOKUPS:
        faults.append(
            f"it costs {least}{budget.total} DNS lookups, at most {MAX_LOOKUPS} are allowed (RFC 7208 section 4.6.4)"
        )
    void = _void_for_all(budget)
    if void > MAX_VOID:
        faults.append(f"{void} of its DNS lookups find nothing, at most {MAX_VOID} should (RFC 7208 section 4.6.4)")
    return faults


def budget_concerns(budget: Budget) -> list[str]:
    """Why receivers could not evaluate it for clients of one address family; one sentence each, with its source."""
    if _void_for_all(budget) > MAX_VOID:
        return []
    return [
        f"for {family} clients {count} of its DNS lookups find nothing, at most {MAX_VOID} should: a server that sends "
        f"over {family} gets permerror, unless an earlier term passes it (RFC 7208 section 4.6.4)"
        for family, count in (("IPv4", budget.void4), ("IPv6", budget.void6))
        if count > MAX_VOID
    ]


def _void_for_all(budget: Budget) -> int:
    """How many terms find nothing for every client."""
    return max(budget.void, min(budget.void4, budget.void6))


def _refusal(name: str, record: str, fault: str, budget: Budget) -> Problem:
    rule, source = rule_and_source(fault, _RULES.name)
    costs = ", ".join(f"{term} {lookups}" for term, lookups, _void in budget.terms)
    warn = Option("spf.lookup_limit: warn")
    way_out = WayOut((*budget_way_out(fault, budget), ", or publish it all the same with ", warn, "."))
    return Problem(name, "planned SPF record", record, f"{rule}; cost per term: {costs}", source, way_out)


def budget_way_out(fault: str, budget: Budget) -> tuple[Union[str, Option], ...]:
    """What helps against a fault of :func:`budget_faults`, as parts of a way out, without the full stop.

    A broken branch gets no better by fewer terms or by addresses.
    """
    absent = Option("spf.state: absent")
    remove = f"remove {budget.blamed[fault]} (" if fault in budget.blamed else ""
    if fault in budget.unanswered:
        return (f"Look again when that name can be looked up, or {remove}", absent, ")")
    if remove:
        return (f"Have whoever publishes that record correct it, or {remove}", absent, ")")
    if "find nothing" in fault:
        void = ", ".join(term for term, _lookups, void in budget.terms if void)
        return (f"Remove terms that find nothing ({void}{'; ' if void else ''}", absent, ")")
    fewer = "Remove terms that no longer send ("
    return (fewer, absent, "), or replace an include by its addresses (", Option("spf.flatten"), ")")


SPF_KIND = Kind(
    option="spf",
    read=_read,
    results=(RecordResult("spf", "spf", "SPF"),),
    declared=True,
    is_record=spf.is_spf,
)
