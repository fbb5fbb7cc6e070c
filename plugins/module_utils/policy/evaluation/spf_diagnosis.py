# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""From the end of an evaluation to its cause: which records and terms must be changed, also where a limit is met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check import Check, Decision, Stop
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.program import Program
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_cause import Place, SpfCause
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import (
    Modifier,
    SpfError,
    SpfRecord,
    Term,
    effective,
    is_redirect,
    parse_spf,
    parse_term,
    select_spf,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import MAX_LOOKUPS, MAX_VOID, BudgetCounter
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_macros import expand, template

_MOST_RECORDS = 50
_MOST_TERMS = 100
"""More is not looked at: whoever publishes that has other things to mend first."""

_BOTH = ("A", "AAAA")
_FLATTENED = ("include", "a", "mx")


def cause_of(check: Check, name: str, outcome: Decision | Stop) -> SpfCause | None:
    """The cause of an outcome, as far as the evaluation itself knows it: nothing is looked up.

    :param check: that gave the outcome
    :param name: the domain whose record was evaluated, in lower case
    :returns: None for a pass
    """
    if outcome.result == "pass":
        return None
    path = _places(check, name, outcome.path)
    front = outcome.path[0] if outcome.path else ""
    if isinstance(outcome, Decision):
        return SpfCause("decided", name, path, front=front)
    cause = SpfCause(outcome.kind, outcome.at, path, path[-1:], front=front)
    return (_loop(cause) or cause) if outcome.kind == "lookups" else cause


def with_remedy(cause: SpfCause, lookup: Lookup, name: str, rdtype: str, wanted: Sequence[str]) -> SpfCause:
    """The cause with the terms to be taken out or replaced, where that takes a look at all the records.

    :param lookup: the answers
    :param name: the domain whose record was evaluated
    :param rdtype: A or AAAA, what the client's addresses stand in
    :param wanted: the terms that the servers are declared by, for which there must be room too
    """
    if cause.kind == "lookups":
        return replace(cause, terms=_without_which_it_is_within_limits(lookup, name, wanted))
    if cause.kind == "void":
        return replace(cause, terms=_void_terms(lookup, name, rdtype))
    if cause.kind == "syntax":
        return replace(cause, terms=tuple(Place(cause.at, raw) for raw in _invalid_terms(lookup, cause.at)))
    return cause


def first_in_front(program: Program, causes: Sequence[SpfCause], single: bool) -> str:
    """The first term of a record that servers must stand in front of.

    :param causes: why they do not pass, each with the term of this record that decided
    :param single: they are single addresses; else another address may be decided by an earlier term that is no pass
    :returns: "" for the end of the record
    """
    raws = [step.raw for step in program.steps] + ([program.redirect_raw] if program.redirect else [])
    if single:
        first = min(raws.index(cause.front) if cause.front in raws else len(raws) for cause in causes)
    else:
        first = next((index for index, step in enumerate(program.steps) if step.result != "pass"), len(program.steps))
    return raws[first] if first < len(raws) else ""


def _places(check: Check, name: str, path: tuple[str, ...]) -> tuple[Place, ...]:
    """Which record holds each term of a path: every term but the last one leads to the record of the next."""
    found: list[Place] = []
    for raw in path:
        found.append(Place(name, raw))
        if len(found) < len(path):
            spec = _target(parse_term(raw))
            try:
                name = check.name(template(spec) if spec else None, name)
            except Stop:
                break  # A reverse name leads there, and the client's own are too many.
    return tuple(found)


def _target(term: Term) -> str | None:
    return term.value if isinstance(term, Modifier) else term.domain


def _is_nested(term: Term) -> bool:
    return is_redirect(term) if isinstance(term, Modifier) else term.mechanism == "include"


def _invalid_terms(lookup: Lookup, name: str) -> list[str]:
    """All terms of a record that break the grammar; the second one of two modifiers that may stand only once."""
    found = []
    text = select_spf(lookup(name, "TXT"))[0]
    for raw in text.split(" ")[1:]:
        try:
            _term = parse_term(raw) if raw else None
        except SpfError:
            found.append(raw)
    if not found:
        try:
            parse_spf(text)
        except SpfError as error:
            found.append(error.term)
    return found


# --- limits ---


def _loop(cause: SpfCause) -> SpfCause | None:
    """The loop that led to the limit, with the term that closes it; None when there is none."""
    holders = [place.domain for place in cause.path]
    again = next((index for index, holder in enumerate(holders) if holder in holders[:index]), None)
    if again is None:
        return None
    return replace(cause, kind="loop", at=holders[again], path=cause.path[: again + 1], terms=(cause.path[again - 1],))


def _without_which_it_is_within_limits(lookup: Lookup, name: str, wanted: Sequence[str]) -> tuple[Place, ...]:
    """As few terms as possible that must go; first those that addresses can stand for, the costliest of them."""
    costs = _costs(lookup, name)
    there = {place.term for place, _cost, _savable in costs}
    more = parse_spf(" ".join(["v=spf1", *(term for term in wanted if term not in there)]))
    room = BudgetCounter(lookup).count(more, name).total
    excess = sum(cost for _place, cost, _savable in costs) + room - MAX_LOOKUPS
    found: list[Place] = []
    for place, cost, _savable in sorted(costs, key=lambda one: (not one[2], -one[1])):
        if excess > 0:
            found.append(place)
            excess -= cost
    return tuple(found)


def _costs(lookup: Lookup, name: str) -> list[tuple[Place, int, bool]]:
    """What each term of a record costs, of that which it redirects to too; and whether addresses could stand for it."""
    counter, found, seen = BudgetCounter(lookup), [], set()
    while name not in seen:
        seen.add(name)
        record = _record(lookup, name)
        if record is None:
            break
        budget, following = counter.count(record, name), name
        for raw, cost, _void in budget.terms:
            term = parse_term(raw)
            following = (expand(term.value, name) or name) if isinstance(term, Modifier) else following
            opaque = isinstance(term, Modifier) or any(one.split(" > ")[0] == raw for one in budget.indeterminate)
            savable = not opaque and not isinstance(term, Modifier) and term.mechanism in _FLATTENED
            found.append((Place(name, raw), 1 if isinstance(term, Modifier) else cost, savable))
        name = following
    return found


def _void_terms(lookup: Lookup, name: str, rdtype: str) -> tuple[Place, ...]:
    """The terms that find nothing for any client; none at all where the record would be above the limit without them.

    It would be where too many find something, but for clients of the other family, or depend on the message.
    """
    for_nobody = list(dict.fromkeys(_void(lookup, name, _BOTH, sure=True)))
    for_client = set(_void(lookup, name, (rdtype,), sure=False))
    return tuple(for_nobody) if len(for_client - set(for_nobody)) <= MAX_VOID else ()


def _void(lookup: Lookup, name: str, rdtypes: tuple[str, ...], sure: bool) -> Iterator[Place]:
    """The terms of a tree that find nothing of these types; each record is read once, up to a bound.

    :param sure: leave out terms that only a message decides
    """
    waiting, seen = [name], {name}
    while waiting and len(seen) <= _MOST_RECORDS:
        name = waiting.pop()
        record = _record(lookup, name)
        for term in effective(record.terms)[:_MOST_TERMS] if record else ():
            spec = _target(term)
            target = expand(spec, name) if spec else name
            if target is None:
                yield from () if sure else (Place(name, term.raw),)
            elif _is_nested(term):
                waiting += [target] if target not in seen else []
                seen.add(target)
            elif not isinstance(term, Modifier) and _finds_nothing(lookup, term.mechanism, target, rdtypes):
                yield Place(name, term.raw)


def _finds_nothing(lookup: Lookup, mechanism: str, target: str, rdtypes: tuple[str, ...]) -> bool:
    if mechanism == "exists":
        return not _found(lookup, target, "A")
    if mechanism == "a":
        return not any(_found(lookup, target, rdtype) for rdtype in rdtypes)
    if mechanism != "mx":
        return False
    hosts = [host.removesuffix(".").lower() for host in _found(lookup, target, "MX")]
    # One host without addresses makes the term void; for everybody only where there is none at all.
    lacking = [not any(_found(lookup, host, rdtype) for rdtype in rdtypes) for host in hosts if host]
    return (any(lacking) if len(rdtypes) == 1 else all(lacking)) if lacking else True


def _record(lookup: Lookup, name: str) -> SpfRecord | None:
    try:
        records = select_spf(_found(lookup, name, "TXT"))
        return parse_spf(records[0]) if len(records) == 1 else None
    except SpfError:
        return None


def _found(lookup: Lookup, name: str, rdtype: str) -> tuple[str, ...]:
    """The answer; what cannot be looked up is told by the evaluation itself."""
    try:
        return lookup(name, rdtype)
    except Unresolved:
        return ("?",)
