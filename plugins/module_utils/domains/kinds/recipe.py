# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What every kind of mail record has in common: it is read, planned and judged, and then one engine writes it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset, ZoneState, values_of
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dkim import KeyProblem, check_selector
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, to_alabels
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import BudgetCounter
from ansible_collections.mailroom.erp.plugins.module_utils.problem import (
    Option,
    Problem,
    Refused,
    WayOut,
    rule_and_source,
)

DEFAULT_TTL = 3600
"""Seconds; the TTL of an RRset that this collection makes when the user names none."""

LARGEST_RDATA = 65535


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A file that belongs to a record, such as a policy that a web server hands out: its text, None to have no file."""

    path: Path
    text: str | None


@dataclass(slots=True)
class RecordPlan:
    """One record from ``before`` to ``after`` (None: there is none) and the change that does it, if any.

    ``beside`` are changes of other RRsets that go with it, all in the same zone. ``details`` is what the modules return
    beside ``record``. ``elsewhere`` names who manages the record instead: the
    target of an alias, or a delegated zone; then there is never a change. ``file`` goes with the record and is written
    before it, so that nobody is sent to a file that is not there yet; None when the plan is judged and it is there.
    """

    before: str | None
    after: str | None
    change: Change | None = None
    warnings: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    elsewhere: str | None = None
    beside: list[Change] = field(default_factory=list)
    file: WantedFile | None = None

    @property
    def changes(self) -> list[Change]:
        """All changes, that of the record first."""
        return [*([self.change] if self.change else []), *self.beside]

    @property
    def creates(self) -> bool:
        return self.before is None and self.after is not None


@dataclass(frozen=True, slots=True)
class World:
    """What the world will see: live answers with all planned records of the run laid over them.

    ``lookup`` gives the values of (name, type), () for none, and raises ``lookup.Unresolved``; ``counter`` counts
    SPF records over the same answers; ``exists`` tells whether a name is there at all (is no NXDOMAIN);
    ``is_authoritative`` whether a name server of the zone gave the answer to (name, type), rather than a memory.
    """

    lookup: Lookup
    counter: BudgetCounter
    exists: Callable[[str], bool]
    is_authoritative: Callable[[str, str], bool] = lambda _name, _type: False


class Recipe(Protocol):
    """One record that a domain shall have or not have."""

    @property
    def kind(self) -> str:
        """What kind of record it is; ``kind_table.RECORD_RESULTS`` has them all."""

    @property
    def name(self) -> str:
        """The owner name of the record."""

    @property
    def keys(self) -> tuple[Key, ...]:
        """The RRsets to read before it can be planned."""

    def plan(self, state: ZoneState) -> RecordPlan:
        """Plan the change. Pure.

        :raises Refused: the DNS or the wish breaks a rule
        """

    def judge(self, plan: RecordPlan, world: World) -> None:
        """Look at the plan with the eyes of the world; warnings are added to it.

        :raises Refused: the world would not accept it
        """

    def unserved(self) -> RecordPlan | Problem:
        """What to do when no zone of ours holds the name: a plan without a change, or a refusal."""


class LooksUpFirst(ABC):
    """A recipe that wants to know something about the world before it can be planned."""

    __slots__ = ()

    @property
    @abstractmethod
    def asks(self) -> bool:
        """Whether it does."""

    @abstractmethod
    def answered(self, world: World) -> Recipe:
        """The recipe with the answers. What cannot be looked up is told when it is planned and needed.

        :param world: live answers
        """


def _replaced(
    values: tuple[str, ...], records: list[str], after: str | None, ours: Callable[[str], bool]
) -> tuple[str, ...]:
    """TXT values with our record replaced in its place, all others as they were.

    :param values: what is there
    :param records: those among them that are ours
    :param after: what takes their place
    :param ours: tells our values from others
    """
    new = () if after is None else (after,)
    if not records:
        return (*values, *new)
    place = values.index(records[0])
    following = place + 1
    return (*values[:place], *new, *(value for value in values[following:] if not ours(value)))


def txt_change(
    name: str, ttl: int | None, found: RRset | None, records: list[str], after: str | None, ours: Callable[[str], bool]
) -> Change | None:
    """The change that makes ``after`` our only TXT value at a name; None when it is so already.

    :param ttl: asked for, in seconds; None keeps what is there
    """
    if not records and after is None:
        return None
    values = _replaced(values_of(found), records, after, ours)
    seconds = ttl if ttl is not None and after is not None else (found.ttl if found else DEFAULT_TTL)
    result = RRset(name, "TXT", seconds, values) if values else None
    return None if result == found else Change(found, result)


def too_long(domain: str, where: str, text: str) -> Problem | None:
    """The problem of a TXT value that no TXT record can hold (RFC 1035 section 3.3.14)."""
    length = len(text.encode("utf-8", "surrogateescape"))
    if length + (length + 254) // 255 <= LARGEST_RDATA:
        return None
    rule = f"the record would have {length} bytes; TXT data holds at most {LARGEST_RDATA}, length bytes included"
    return Problem(domain, where, text, rule, "RFC 1035 section 3.3.14", "Make it shorter.")


def left_to(name: str, holder: str, judged: bool = True) -> RecordPlan:
    """The plan for a record that somebody else manages: there is never a change.

    :param name: the owner name
    :param holder: who manages it, for a person
    :param judged: whether the record is looked at all the same
    """
    warning = f"{name}: managed elsewhere, in {holder}; it is {'judged but ' if judged else ''}not changed"
    return RecordPlan(None, None, warnings=[warning], elsewhere=holder)


def manager_of(name: str, state: ZoneState) -> str | None:
    """Who manages the records of a name instead of this zone, for a person; None when the zone does.

    :param state: with any CNAME at the name
    """
    alias, holder = state.rrsets.get((name, "CNAME")), state.elsewhere.get(name)
    if holder:
        return f"zone {holder}"
    return f"the alias target {alias.values[0]}" if alias else None


def check_is_here(name: str, state: ZoneState, record: str, way_out: str) -> None:
    """See that a domain's own zone can hold a record at its name.

    :param state: with any CNAME at the name
    :param record: what it would be, for the message
    :param way_out: what to do where the name is an alias
    :raises Refused: the name is an alias, or is delegated away
    """
    alias, holder = state.rrsets.get((name, "CNAME")), state.elsewhere.get(name)
    if alias:
        rule = f"no other record may stand beside a CNAME, so this name can hold no {record} of its own"
        raise Refused(Problem(name, "CNAME record", alias.values[0], rule, "RFC 1034 section 3.6.2", way_out))
    if holder:
        rule = f"the name is delegated away from zone {state.zone}, so a record here would not be seen"
        account = WayOut(("Name the DNS account that serves that zone: ", Option("dns"), "."))
        raise Refused(Problem(name, "delegation", holder, rule, "RFC 1034 section 4.2", account))


def not_served(name: str) -> Problem:
    """The refusal of a record at a domain that no zone of the account holds."""
    rule = "no zone of this DNS account holds the domain"
    way_out = WayOut(("Name the account that serves it: ", Option("dns"), "."))
    return Problem(name, "zone", None, rule, "RFC 1034 section 4.2", way_out)


def look_elsewhere(
    plan: RecordPlan, name: str, world: World, select: Callable[[Iterable[str]], list[str]], doubt: str
) -> list[str] | None:
    """What the world finds of a record that somebody else manages, taken up in its plan.

    :param select: picks the records of this kind among TXT values
    :param doubt: the beginning of the warning when it cannot be looked up
    :returns: the records found; None when the record is ours, or could not be looked up
    """
    if plan.elsewhere is None:
        return None
    try:
        records = select(world.lookup(name, "TXT"))
    except Unresolved as reason:
        plan.warnings.append(f"{doubt}: {reason}")
        return None
    plan.before = plan.after = " | ".join(records) or None
    return records


def read_name(subject: str, where: str, value: str, way_out: str, problems: list[Problem]) -> str | None:
    """Normalise a name that a user gave; what is wrong with it is added to ``problems``.

    :param subject: the domain as the user wrote it, for messages
    :param where: the option
    :returns: A-labels, None when it is no name
    """
    try:
        return to_alabels(value)
    except BadName as error:
        rule, source = rule_and_source(str(error), "RFC 1035 section 2.3.1")
        problems.append(Problem(subject, where, value, rule, source, way_out))
        return None


def read_selector(subject: str, where: str, value: str, problems: list[Problem]) -> str:
    """Normalise a DKIM selector that a user gave; what is wrong with it is added to ``problems``.

    :param subject: the domain as the user wrote it, for messages
    :param where: the option
    :returns: in lower case; as it was given when it is none
    """
    try:
        return check_selector(value)
    except KeyProblem as error:
        rule, source = rule_and_source(str(error), "RFC 6376 section 3.1")
        problems.append(Problem(subject, where, value, rule, source, "Correct the selector."))
        return value
