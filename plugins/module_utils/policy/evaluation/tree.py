# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a whole tree of SPF records speaks of: the networks at whose edges its answer may change, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check import Check, Stop, number_of
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.program import Program, ProgramStep
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import MAX_LOOKUPS, MAX_MX_HOSTS, MAX_VOID
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_macros import Template, is_possible

MOST_LOOKUPS = 100
"""A tree is not followed further."""

_DEEPEST = 20
_MOST_ANSWERS = 50_000

Interval = tuple[int, int]
"""The first and the last address of a range, as numbers."""


class Frozen:
    """A ``Lookup`` that asks each question once, so that all parts of one judgement see the same world."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._answers: dict[tuple[str, str], tuple[str, ...] | str] = {}
        self.trees: dict[tuple[str, int], Tree] = {}

    def __call__(self, name: str, rdtype: str) -> tuple[str, ...]:
        answer = self._answers.get((name, rdtype))
        if answer is None:
            answer = self._answers[name, rdtype] = self._ask(name, rdtype)
        if isinstance(answer, str):
            raise Unresolved(answer)
        return answer

    def forget_much(self) -> None:
        """Begin anew when a great deal is remembered. Not to be called within one judgement."""
        if len(self._answers) > _MOST_ANSWERS:
            self._answers.clear()
            self.trees.clear()

    def _ask(self, name: str, rdtype: str) -> tuple[str, ...] | str:
        try:
            return self._lookup(name, rdtype)
        except Unresolved as reason:
            return str(reason)


@dataclass(slots=True)
class Tree:
    """One record with all that it includes or redirects to, for one address family.

    ``networks`` are all that its terms name. ``lookups`` and ``void`` are the most that any evaluation costs, ``terms``
    the most that it tests, ``results`` what it may give without an error. ``everywhere`` says that it may pass
    addresses outside its networks. ``sound`` says that no part is broken or decided by a message only, ``complete``
    that all of it was followed, ``plain`` that no part of it depends on MAIL FROM or HELO.
    """

    networks: set[Interval] = field(default_factory=set)
    lookups: int = 0
    void: int = 0
    terms: int = 0
    results: set[str] = field(default_factory=lambda: {"neutral"})
    everywhere: bool = False
    sound: bool = True
    complete: bool = True
    plain: bool = True

    @property
    def never_errs(self) -> bool:
        """No client of this family gets a permerror or temperror."""
        return self.sound and self.complete and self.lookups <= MAX_LOOKUPS and self.void <= MAX_VOID

    def add(self, part: Tree) -> None:
        """Add the tree of an included record."""
        self.networks |= part.networks
        self.lookups += part.lookups
        self.void += part.void
        self.terms += part.terms
        self.everywhere |= part.everywhere
        self.sound &= part.sound
        self.complete &= part.complete
        self.plain &= part.plain

    def spoil(self) -> None:
        """Note a part that errs or that only a message decides: whom it passes is not known."""
        self.sound = False
        self.everywhere = True


class Walker:
    """Follows records for one address family and one envelope.

    :param lookup: the answers; it keeps the trees of records that were followed before, too
    :param check: gives names, records and the family, over the same answers
    :param undecided: the macro letters that have no value here
    """

    def __init__(self, lookup: Frozen, check: Check, undecided: frozenset[str]) -> None:
        self._lookup = lookup
        self._check = check
        self._undecided = undecided
        self._followed = 0

    def walk(self, program: Program, domain: str, path: tuple[str, ...] = ()) -> Tree:
        """Sum up one record.

        :param path: the names of the records that led to it
        """
        if not path:
            self._followed = 0
        tree = Tree()
        for step in program.steps:
            tree.terms += 1
            tree.results.add(step.result)
            _WALKS[step.mechanism](self, tree, step, domain, (*path, domain))
        if program.redirect is not None:
            tree.terms += 1
            target = self._nested(tree, program.redirect, domain, (*path, domain))
            tree.results |= target.results if target else set()
        return tree

    def name(self, target: Template | None, domain: str) -> str | None:
        """The name that a term is about, None when only a message decides it."""
        if target is not None and target.letters & self._undecided:
            return None
        return self._check.name(target, domain)

    def walk_all(self, tree: Tree, step: ProgramStep, _domain: str, _path: tuple[str, ...]) -> None:
        """all"""
        tree.everywhere |= step.result == "pass"

    def walk_network(self, tree: Tree, step: ProgramStep, _domain: str, _path: tuple[str, ...]) -> None:
        """ip4 and ip6"""
        if step.version == self._check.client.version:
            tree.networks.add((step.first, step.last))

    def walk_include(self, tree: Tree, step: ProgramStep, domain: str, path: tuple[str, ...]) -> None:
        """include"""
        self._nested(tree, step.target, domain, path)

    def walk_a(self, tree: Tree, step: ProgramStep, domain: str, _path: tuple[str, ...]) -> None:
        """a"""
        name = self._named(tree, step, domain)
        if name is not None:
            self._addresses(tree, step, name)

    def walk_mx(self, tree: Tree, step: ProgramStep, domain: str, _path: tuple[str, ...]) -> None:
        """mx"""
        name = self._named(tree, step, domain)
        hosts = () if name is None else self._found(tree, name, "MX")
        if len(hosts) > MAX_MX_HOSTS:
            tree.spoil()
            return
        for host in hosts:
            if host.removesuffix("."):
                self._addresses(tree, step, host.removesuffix(".").lower())

    def walk_exists(self, tree: Tree, step: ProgramStep, domain: str, _path: tuple[str, ...]) -> None:
        """exists: it matches everybody or nobody"""
        name = self._named(tree, step, domain)
        if name is not None and self._found(tree, name, "A"):
            tree.everywhere = True

    def walk_ptr(self, tree: Tree, _step: ProgramStep, _domain: str, _path: tuple[str, ...]) -> None:
        """ptr: only a message decides it"""
        tree.lookups += 1
        tree.spoil()

    def _named(self, tree: Tree, step: ProgramStep, domain: str) -> str | None:
        return self._noted(tree, step.target, domain) if self._may_follow(tree) else None

    def _may_follow(self, tree: Tree) -> bool:
        tree.lookups += 1
        self._followed += 1
        if self._followed > MOST_LOOKUPS:
            tree.complete = False
            tree.spoil()
        return tree.complete

    def _noted(self, tree: Tree, target: Template | None, domain: str) -> str | None:
        name = self.name(target, domain)
        if name is None:
            tree.spoil()
        if target is not None and not target.letters <= {"d", "v"}:
            tree.plain = False
        return name

    def _addresses(self, tree: Tree, step: ProgramStep, name: str) -> None:
        four = self._check.client.version == 4
        shift = step.shift4 if four else step.shift6
        addresses = self._found(tree, name, "A" if four else "AAAA")
        tree.terms += len(addresses)
        for address in addresses:
            first = number_of(address) >> shift << shift
            tree.networks.add((first, first + (1 << shift) - 1))

    def _found(self, tree: Tree, name: str, rdtype: str) -> tuple[str, ...]:
        if not is_possible(name):
            return ()
        try:
            found = self._lookup(name, rdtype)
        except Unresolved:
            tree.spoil()
            return ()
        tree.void += not found
        return found

    def _nested(self, tree: Tree, target: Template | None, domain: str, path: tuple[str, ...]) -> Tree | None:
        if not self._may_follow(tree):
            return None
        name = self._noted(tree, target, domain)
        tree.complete = len(path) <= _DEEPEST
        if name is None or name in path or not tree.complete:
            tree.spoil()
            return None
        part = self._lookup.trees.get((name, self._check.client.version)) or self._read(name, path)
        tree.add(part)
        return part

    def _read(self, name: str, path: tuple[str, ...]) -> Tree:
        try:
            program = self._check.program(name)
        except Stop:
            program = None
        if program is None:
            broken = Tree()
            broken.spoil()
            return broken
        tree = self.walk(program, name, path)
        if tree.sound and tree.plain:
            self._lookup.trees[name, self._check.client.version] = tree
        return tree


_WALKS: dict[str, Callable[[Walker, Tree, ProgramStep, str, tuple[str, ...]], None]] = {
    "all": Walker.walk_all,
    "include": Walker.walk_include,
    "a": Walker.walk_a,
    "mx": Walker.walk_mx,
    "ptr": Walker.walk_ptr,
    "ip4": Walker.walk_network,
    "ip6": Walker.walk_network,
    "exists": Walker.walk_exists,
}
