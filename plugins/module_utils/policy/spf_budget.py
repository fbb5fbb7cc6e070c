# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What an SPF record costs a receiver: the DNS lookups of its whole tree, counted before it is published.

RFC 7208 section 4.6.4: at most 10 terms that look something up, those of included and redirected records counted
with them; at most 2 of these terms may find nothing (void); an mx names at most 10 hosts. All branches are counted,
because which of them a receiver takes depends on the message.

The one reading of "void", here and in ``evaluation``: section 4.6.4 limits "the number of terms for which DNS queries
return" nothing, so a term is void when a question of its finds nothing, and it counts once however many do. Receivers
ask for addresses of the client's family only, so a term may be void for IPv6 clients alone. Some of them (pyspf,
Mail::SPF) count questions instead; where that would be too many, it is told beside the result.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import (
    Directive,
    Modifier,
    SpfError,
    SpfRecord,
    Term,
    effective,
    is_redirect,
    parse_spf,
    select_spf,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_macros import expand

MAX_LOOKUPS = 10
MAX_VOID = 2
MAX_MX_HOSTS = 10
_GIVE_UP_AT = 100
"""A tree that costs more than this is not followed further: it is refused anyway."""
_DEEPEST = 20

_COSTS = frozenset({"include", "a", "mx", "ptr", "exists"})


@dataclass(slots=True)
class Budget:
    """What one record, or one term of it, costs.

    ``total`` counts lookups and ``void`` those that find nothing for any client; ``terms`` holds the same per top-level
    term, as (term, lookups, void); ``indeterminate`` names the terms whose macros only a message decides, so that
    ``total`` and ``void`` are "at least"; ``broken`` says, per broken branch, which term and why receivers could not
    evaluate it; ``blamed`` gives the top-level term that leads to each of these, ``unanswered`` are those where a name
    could not be looked up. ``hosts`` holds, per ``a`` and ``mx`` that finds something, the names whose addresses it
    asks for; ``void4`` and ``void6`` are what an IPv4 and an IPv6 client meet, looked up only where it may be more than
    allowed.
    """

    total: int = 0
    void: int = 0
    void4: int = 0
    void6: int = 0
    terms: list[tuple[str, int, int]] = field(default_factory=list)
    indeterminate: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    blamed: dict[str, str] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    hosts: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, term: str, part: Budget) -> None:
        """Add the cost of one term."""
        self.total += part.total
        self.void += part.void
        self.terms.append((term, part.total, part.void))
        self.indeterminate += part.indeterminate
        self.broken += part.broken
        self.blamed |= dict.fromkeys(part.broken, term)
        self.unanswered |= part.unanswered
        self.hosts += part.hosts


class BudgetCounter:
    """Counts records over one set of answers; the cost of a name that many records include is computed once.

    :param lookup: the source of answers, usually the resolver with the planned records laid over it
    """

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._known: dict[str, Budget] = {}

    def count(self, record: SpfRecord, domain: str) -> Budget:
        """Count the whole tree of a record.

        :param record: the record, not necessarily published yet
        :param domain: the domain that it is for, as A-labels
        :returns: the cost, per top-level term too; what breaks the tree is in ``broken``, nothing is raised
        """
        budget = self._record(record, domain, (domain,))
        if budget.void + len(budget.hosts) > MAX_VOID and budget.total <= MAX_LOOKUPS:
            budget.void4, budget.void6 = (self._void_for(budget, rdtype) for rdtype in ("A", "AAAA"))
        return budget

    def _void_for(self, budget: Budget, rdtype: str) -> int:
        """How many terms find nothing for clients of one family."""
        return budget.void + sum(any(self._lacks(name, rdtype) for name in names) for names in budget.hosts)

    def _lacks(self, name: str, rdtype: str) -> bool:
        """Whether a name has no such record; one that cannot be looked up may have."""
        try:
            return not self._lookup(name, rdtype)
        except Unresolved:
            return False

    def _record(self, record: SpfRecord, domain: str, path: tuple[str, ...]) -> Budget:
        budget = Budget()
        for term in effective(record.terms):
            if not is_counted(term):
                continue
            if budget.total > _GIVE_UP_AT:
                budget.broken.append(f"{term.raw}: not followed, the tree already costs {budget.total} lookups")
                break
            budget.add(term.raw, self._term(term, domain, path))
        return budget

    def _term(self, term: Term, domain: str, path: tuple[str, ...]) -> Budget:
        spec = term.value if isinstance(term, Modifier) else term.domain
        target = expand(spec, domain) if spec else domain
        if target is None:
            return Budget(1, indeterminate=[term.raw])
        try:
            if isinstance(term, Modifier) or term.mechanism == "include":
                return self._nested(term, target, path)
            return self._addresses(term, target)
        except Unresolved as reason:
            fault = f"{term.raw}: {target} cannot be resolved: {reason} (RFC 7208 section 2.6.6)"
            return Budget(1, broken=[fault], unanswered={fault})

    def _addresses(self, term: Directive, target: str) -> Budget:
        """a, mx, exists and ptr."""
        if term.mechanism == "ptr":
            return Budget(1)
        if term.mechanism == "mx":
            return self._mx(term, target)
        is_a = term.mechanism == "a"
        found = self._lookup(target, "A") or (is_a and self._lookup(target, "AAAA"))
        return Budget(1, void=0 if found else 1, hosts=[(target,)] if is_a and found else [])

    def _mx(self, term: Directive, target: str) -> Budget:
        hosts = self._lookup(target, "MX")
        if len(hosts) > MAX_MX_HOSTS:
            rule = f"{target} names {len(hosts)} MX hosts, at most {MAX_MX_HOSTS} may (RFC 7208 section 4.6.4)"
            return Budget(1, broken=[f"{term.raw}: {rule}"])
        names = tuple(name for host in hosts if (name := host.removesuffix(".").lower()))
        return Budget(1, void=0 if hosts else 1, hosts=[names] if names else [])

    def _nested(self, term: Term, target: str, path: tuple[str, ...]) -> Budget:
        if target in path:
            return Budget(1, broken=[f"{term.raw}: a loop, {' -> '.join([*path, target])} (RFC 7208 section 4.6.4)"])
        if len(path) > _DEEPEST:
            return Budget(1, broken=[f"{term.raw}: nested more than {_DEEPEST} levels deep (RFC 7208 section 4.6.4)"])
        known = self._known.get(target)
        if known is None:
            known = self._included(target, path)
            # A loop or a broken depth is told by the way it was reached, so only sound trees are remembered.
            if not known.broken:
                self._known[target] = known
        return Budget(
            1 + known.total,
            known.void,
            indeterminate=[f"{term.raw} > {inner}" for inner in known.indeterminate],
            broken=[_below(term, inner) for inner in known.broken],
            unanswered={_below(term, inner) for inner in known.unanswered},
            hosts=known.hosts,
        )

    def _included(self, target: str, path: tuple[str, ...]) -> Budget:
        values = self._lookup(target, "TXT")
        records = select_spf(values)
        if len(records) != 1:
            count = f"{len(records)} SPF records" if records else "no SPF record"
            return Budget(void=0 if values else 1, broken=[f"{target} has {count} (RFC 7208 sections 4.5 and 5.2)"])
        try:
            return self._record(parse_spf(records[0]), target, (*path, target))
        except SpfError as error:
            return Budget(broken=[f"the record of {target} is invalid at {error.term!r}, {error}"])


def _below(term: Term, inner: str) -> str:
    """The sentence of a branch, with the term that leads there in front."""
    return f"{term.raw} > {inner}" if ": " in inner else f"{term.raw}: {inner}"


def is_counted(term: Term) -> bool:
    """Whether a term costs a lookup (RFC 7208 section 4.6.4).

    :param term: of a record
    """
    if isinstance(term, Modifier):
        return is_redirect(term)
    return term.mechanism in _COSTS
