# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The worst result over all servers of a sender, decided exactly: no address stands for others unproven.

The answer of a record can change only at the edges of the networks that its tree names. Between two edges one address
is evaluated for all. What only a message decides is taken every way that it may be.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.assumptions import (
    AssumingCheck,
    Assumptions,
    OpenQuestion,
    under_all_assumptions,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check import Stop
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check_host import (
    SpfEvaluator,
    decide,
    described,
    record,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.message import Client, Envelope, client_at
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.program import Program, ProgramStep, brief
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.servers import (
    BITS,
    AddressRange,
    Covered,
    ServerSource,
    is_single,
    parse_source,
    pieces,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_cause import SpfCause
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_diagnosis import (
    first_in_front,
    with_remedy,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_result import SpfResult
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.tally import (
    BADNESS,
    Evaluated,
    Tally,
    worded,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.tree import (
    MOST_LOOKUPS,
    Interval,
    Tree,
    Walker,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import MAX_LOOKUPS, MAX_VOID

MOST_PIECES = 4096
MOST_TESTS = 1_000_000
"""Bounds of one source: ranges of addresses, and terms tested for all of them. Beyond, there is no pass."""

_COST_OF_A_RUN = 10
_MOST_LOOKS = 8
_UNLIMITED = 1_000_000
_ADDRESS_MACROS = frozenset("ip")
_VERSIONS = (4, 6)
_HOPEFUL = ("pass", "unknown", "temperror")


class _TooMuch(Exception):
    """A bound is reached; the message says which."""


def check_sources(
    evaluator: SpfEvaluator, sources: Sequence[str], domain: str, sender: str, helo: str | None = None
) -> SpfResult:
    """Evaluate a domain's record for all servers that may send, and give the worst result.

    Worst is by :data:`tally.BADNESS`. A definite result other than pass outweighs "unknown" and "temperror", because at
    least some server gets it; these outweigh "pass", so that there is no pass where something is open. "unknown" is: no
    sources; a source that covers nobody, or whose own records are broken; and a result that lies beyond the bounds or
    depends on what only a message decides: the macros i and p, ptr; l and s when ``sender`` has no local part; h
    without ``helo``. The same question has the same answer wherever it stands: a source ``exists:%{i}.x.nl`` passes
    where the record passes ``exists:%{i}.x.nl``. That the servers of a source ``ptr`` have no reverse names that lead
    nowhere is taken for granted. Where no address at all can pass the record, whoever sends, what everybody gets is
    told instead of "unknown".

    :param sources: addresses, networks, or SPF terms with the addresses that they pass; see :func:`parse_source`
    :param domain: whose record is evaluated, as A-labels; terms without a domain ("mx") mean it too
    :param sender: MAIL FROM: an address, a bare domain when the local part is not known, or "" for the null sender
    :param helo: the greeting, None when it is not known
    :returns: ``address`` is the first of the addresses that got the result, None when it holds for all
    :raises BadSource: a source is neither address nor network nor term
    """
    parsed = [parse_source(source) for source in sources]
    judge = _Judge(evaluator, domain.lower().removesuffix("."), sender, helo)
    results = [judge.result(source) for source in parsed] or [judge.without_sources()]
    if any(result.result == "unknown" for result in results):
        hopeless = judge.hopeless()
        results = [hopeless if hopeless and result.result == "unknown" else result for result in results]
    worst = max(results, key=lambda result: (BADNESS.index(result.result), result.caution is not None))
    cause = judge.cause(worst, list(zip(parsed, results, strict=False)))
    return worst if cause is None else replace(worst, cause=cause)


class _Judge:
    """Judges sources against one domain's record."""

    def __init__(self, evaluator: SpfEvaluator, name: str, sender: str, helo: str | None) -> None:
        self._frozen = evaluator.frozen
        self._frozen.forget_much()
        self._programs = evaluator.programs
        self._name = name
        self._envelope = Envelope.of(sender, name, helo)
        local = "" if not sender or "@" in sender[1:] else "ls"
        self._unknown = frozenset(local if helo else f"{local}h")
        self._record = record(self._check(client_at(0, 4)), name)
        self._walkers = {version: self._walker(version) for version in _VERSIONS}
        self._trees: dict[int, Tree] = {}
        self._source_trees: dict[tuple[str, int], Tree] = {}
        self._tests = self._looks = 0

    def result(self, source: ServerSource) -> SpfResult:
        """The worst result over one source."""
        if isinstance(self._record, Stop):
            return self.without_sources()
        self._tests = self._looks = 0
        tally = Tally()
        try:
            if isinstance(source, Covered) and self._is_passed(source, self._record):
                return self._passed(source)
            self._judge_all(tally, source)
        except _TooMuch as bound:
            tally.bound = str(bound)
        return worded(tally, source.text, self._name, is_single(source))

    def without_sources(self) -> SpfResult:
        """The result while nobody knows which servers send."""
        if isinstance(self._record, Stop):
            return replace(described(self._check(client_at(0, 4)), self._name, self._record), address=None)
        reason = "which servers send is not known, so SPF cannot be judged (RFC 7208 section 4.1)"
        return SpfResult("unknown", reason, cause=SpfCause("undeclared"))

    def cause(self, worst: SpfResult, found: Sequence[tuple[ServerSource, SpfResult]]) -> SpfCause | None:
        """The cause of the worst result, with all sources that do not pass for the same kind of reason."""
        cause = worst.cause
        if cause is None:
            return None
        alike = [(source, one.cause) for source, one in found if one.cause and one.cause.kind == cause.kind]
        front = cause.front
        if isinstance(self._record, Program) and cause.kind == "decided":
            single = bool(alike) and all(is_single(source) for source, _cause in alike)
            front = first_in_front(self._record, [one for _source, one in alike], single)
        rdtype = "AAAA" if worst.address and ":" in worst.address else "A"
        wanted = [source.text for source, _one in found if isinstance(source, Covered)]
        cause = with_remedy(cause, self._frozen, self._name, rdtype, wanted)
        return replace(cause, sources=tuple(source.text for source, _cause in alike), front=front)

    def hopeless(self) -> SpfResult | None:
        """The worst result of all addresses there are; None when one of them may pass, or is not judged to the end."""
        self._tests = 0
        found: list[Evaluated] = []
        try:
            for client, undecided in self._everybody():
                found += [one for _world, one in self._evaluations(client, undecided, {})]
                if any(one.outcome.result in _HOPEFUL for one in found):
                    return None
        except _TooMuch:
            return None
        worst = max(found, key=lambda one: one.badness)
        result = described(worst.check, self._name, worst.outcome)
        if not isinstance(worst.outcome, Stop):
            says = f"{result.term} says so" if result.term else "no term of it says pass"
            result = replace(result, reason=f"{says} (RFC 7208 section 4.6)")
        return replace(
            result, reason=f"no address passes the record of {brief(self._name)}: {result.reason}", address=None
        )

    def _everybody(self) -> Iterator[tuple[Client, frozenset[str]]]:
        """The first address of every range: first the networks that the record speaks of, then all."""
        if isinstance(self._record, Stop):
            return
        count = 0
        for inside in ("named", "all"):
            for version in _VERSIONS:
                tree = self._tree(version)
                everybody = {(0, (1 << BITS[version]) - 1)}
                for first, _last in pieces(version, tree.networks if inside == "named" else everybody, tree.networks):
                    count += 1
                    if count > MOST_PIECES or not tree.complete:
                        raise _TooMuch
                    yield client_at(first, version), self._unknown | _ADDRESS_MACROS

    # --- the short way: the very term stands in the record, and nothing before or in it can go wrong ---

    def _is_passed(self, source: Covered, program: Program) -> bool:
        if not all(tree.never_errs for tree in self._both()):
            return False
        step = source.program.steps[0]
        return all(self._passes(program, self._name, step, version) for version in _VERSIONS) and self._has_server(
            source
        )

    def _passes(self, program: Program, domain: str, wanted: ProgramStep, version: int) -> bool:
        """Whether a term stands in a record, or in one that it includes, with nothing but passes before it."""
        walker = self._walkers[version]
        about = walker.name(wanted.target, self._name)
        for step in program.steps:
            if step.result != "pass":
                return False
            name = walker.name(step.target, domain)
            alike = (step.mechanism, step.shift4, step.shift6) == (wanted.mechanism, wanted.shift4, wanted.shift6)
            if alike and name is not None and name == about:
                return True
            if step.mechanism == "include" and name is not None and self._included_passes(name, wanted, version):
                return True
        return False

    def _included_passes(self, name: str, wanted: ProgramStep, version: int) -> bool:
        program = self._check(client_at(0, version)).program(name)
        return program is not None and self._passes(program, name, wanted, version)

    def _has_server(self, source: Covered) -> bool:
        return any(self._covers(Tally(), source, client, open_, {}) for client, open_ in self._clients(source))

    def _passed(self, source: Covered) -> SpfResult:
        reason = (
            f"the record of {brief(self._name)} passes {brief(source.text)}, and its whole tree is within the limits"
        )
        lookups, void = max(tree.lookups for tree in self._both()), max(tree.void for tree in self._both())
        term = brief(source.text)
        return SpfResult("pass", f"{reason} (RFC 7208 sections 4.6.4 and 5)", term, None, lookups, void)

    # --- the long way: every range of addresses ---

    def _judge_all(self, tally: Tally, source: ServerSource) -> None:
        for client, undecided in self._clients(source):
            self._judge(tally, source, client, undecided)
            if tally.certain and tally.certain.badness >= self._harshest():
                return  # Nothing worse can come.

    def _judge(self, tally: Tally, source: ServerSource, client: Client, undecided: frozenset[str]) -> None:
        covers = self._covered(tally, source, client, undecided)
        found: list[Evaluated] = []
        for start, covered in covers:
            if covered is not False:
                found += [one for _world, one in self._evaluations(client, undecided, start)]
        tally.note(found)
        if found and all(covered for _world, covered in covers):
            tally.add_certain(found)
            self._look(tally, client)
        else:
            tally.add_possible(found)

    def _look(self, tally: Tally, client: Client) -> None:
        """What is open for a range is asked for its first address: it cannot prove a pass, but it can prove a fail."""
        if tally.certain and tally.certain.outcome.result == "unknown" and self._looks < _MOST_LOOKS:
            self._looks += 1
            with contextlib.suppress(OpenQuestion):
                tally.add_certain([self._evaluate(client, self._unknown, {})])

    def _covered(
        self, tally: Tally, source: ServerSource, client: Client, undecided: frozenset[str]
    ) -> list[tuple[Assumptions, bool | None]]:
        """Whether a client is one of the source's servers, in every world that differs for it."""
        if isinstance(source, AddressRange):
            return [({}, True)]
        return list(under_all_assumptions({}, lambda world: self._covers(tally, source, client, undecided, world)))

    def _covers(
        self, tally: Tally, source: Covered, client: Client, undecided: frozenset[str], world: Assumptions
    ) -> bool | None:
        """Whether a client is one of the source's servers; None when its records cannot be evaluated."""
        self._spend(self._source_tree(source, client.version))
        check = self._check(client, undecided, world, MOST_LOOKUPS, _UNLIMITED)
        try:
            return check.run(source.program, self._name).result == "pass"
        except Stop as stop:
            tally.broken = stop
            return None
        finally:
            tally.guessed.update(check.guessed)

    def _evaluations(
        self, client: Client, undecided: frozenset[str], start: Assumptions
    ) -> Iterator[tuple[Assumptions, Evaluated]]:
        return under_all_assumptions(start, lambda world: self._evaluate(client, undecided, world))

    def _evaluate(self, client: Client, undecided: frozenset[str], world: Assumptions) -> Evaluated:
        self._spend(self._tree(client.version))
        check = self._check(client, undecided, world)
        return Evaluated(check, decide(check, self._record, self._name))

    def _clients(self, source: ServerSource) -> Iterator[tuple[Client, frozenset[str]]]:
        """The first address of every range, and the macro letters that have no value for it.

        :raises _TooMuch: a bound is reached
        """
        count = 0
        for version in _VERSIONS:
            for first, last in pieces(version, *self._inside_and_edges(source, version)):
                count += 1
                if count > MOST_PIECES:
                    raise _TooMuch(f"there are more than {MOST_PIECES} ranges of addresses to judge")
                # A single address could be looked up; a few are, not thousands.
                known = first == last and count <= _MOST_LOOKS
                yield client_at(first, version), self._unknown | (frozenset() if known else _ADDRESS_MACROS)
        own = [self._source_tree(source, version) for version in _VERSIONS] if isinstance(source, Covered) else []
        trees = [*self._both(), *own]
        if not all(tree.complete for tree in trees):
            raise _TooMuch(f"more than {MOST_LOOKUPS} terms look something up")

    def _inside_and_edges(self, source: ServerSource, version: int) -> tuple[set[Interval], set[Interval]]:
        edges = self._tree(version).networks
        if isinstance(source, AddressRange):
            return ({source.addresses} if source.version == version else set()), edges
        own = self._source_tree(source, version)
        everybody = {(0, (1 << BITS[version]) - 1)}
        return (everybody if own.everywhere else own.networks), edges | own.networks

    def _harshest(self) -> int:
        if not all(tree.never_errs for tree in self._both()):
            return BADNESS.index("permerror")
        return max(BADNESS.index(result) for tree in self._both() for result in tree.results)

    # --- what both need ---

    def _both(self) -> list[Tree]:
        return [self._tree(version) for version in _VERSIONS]

    def _tree(self, version: int) -> Tree:
        if version not in self._trees and isinstance(self._record, Program):
            self._trees[version] = self._walkers[version].walk(self._record, self._name)
        return self._trees[version]

    def _source_tree(self, source: Covered, version: int) -> Tree:
        key = (source.text, version)
        if key not in self._source_trees:
            self._source_trees[key] = self._walkers[version].walk(source.program, self._name)
        return self._source_trees[key]

    def _walker(self, version: int) -> Walker:
        return Walker(self._frozen, self._check(client_at(0, version)), self._unknown | _ADDRESS_MACROS)

    def _check(
        self,
        client: Client,
        undecided: frozenset[str] = frozenset(),
        world: Assumptions | None = None,
        max_lookups: int = MAX_LOOKUPS,
        max_void: int = MAX_VOID,
    ) -> AssumingCheck:
        return AssumingCheck(
            self._frozen,
            self._programs,
            client,
            self._envelope,
            undecided,
            world or {},
            max_lookups=max_lookups,
            max_void=max_void,
        )

    def _spend(self, tree: Tree) -> None:
        self._tests += _COST_OF_A_RUN + tree.terms
        if self._tests > MOST_TESTS:
            raise _TooMuch(f"it would take more than {MOST_TESTS} tests of terms")
