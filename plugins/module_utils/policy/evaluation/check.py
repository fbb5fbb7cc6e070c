# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One run through SPF records for one client: terms are tested in their order, within the limits of RFC 7208."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.message import Client, Envelope
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.program import (
    Program,
    Programs,
    ProgramStep,
    brief,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import SpfError, select_spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import MAX_LOOKUPS, MAX_MX_HOSTS, MAX_VOID
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_macros import Template, is_possible

_MAX_PTR_NAMES = 10


class Stop(Exception):
    """The evaluation ends here: ``result`` is permerror, temperror, none or unknown, ``path`` the terms that led here.

    ``kind`` is one of :data:`spf_cause.KINDS`, ``at`` what is at fault; see :class:`SpfCause`.
    """

    def __init__(self, result: str, reason: str, kind: str, at: str = "") -> None:
        self.result, self.reason = result, reason
        self.kind, self.at = kind, at
        self.path: tuple[str, ...] = ()
        super().__init__(reason)


class Decision(NamedTuple):
    """What a record gives: ``step`` decided (None: no term matched), ``path`` led to it.

    ``program`` and ``domain`` are the record that was in force: after ``redirect=``, that of its target.
    """

    result: str
    program: Program
    domain: str
    step: ProgramStep | None
    path: tuple[str, ...]


class Check:
    """The state of one evaluation: what it has cost, and the client's validated names once they were needed."""

    def __init__(
        self,
        lookup: Lookup,
        programs: Programs,
        client: Client,
        envelope: Envelope,
        *,
        max_lookups: int = MAX_LOOKUPS,
        max_void: int = MAX_VOID,
    ) -> None:
        self.client = client
        self.envelope = envelope
        self.lookups = 0
        self.void = 0
        self.void_questions = 0
        self._lookup = lookup
        self._programs = programs
        self._max_lookups = max_lookups
        self._max_void = max_void
        self._number, self._version, self._rdtype = client.number, client.version, client.rdtype
        self._last_void = 0
        self._inside: tuple[str, ...] = ()
        self._validated: tuple[list[str], int] | None = None

    @property
    def lookup(self) -> Lookup:
        """The answers that it goes by."""
        return self._lookup

    def program(self, name: str) -> Program | None:
        """The record of a name; None when it has none (RFC 7208 section 4.5).

        :raises Stop: it has several, an invalid one, or cannot be resolved
        """
        records = select_spf(self.texts(name))
        if len(records) > 1:
            reason = f"{brief(name)} has {len(records)} SPF records (RFC 7208 section 4.5)"
            raise Stop("permerror", reason, "several", name)
        try:
            return self._programs.of(records[0]) if records else None
        except SpfError as error:
            at = f"the record of {brief(name)} is invalid at {brief(error.term)!r}"
            raise Stop("permerror", f"{at}: {error}", "syntax", name) from None

    def run(self, program: Program, domain: str) -> Decision:
        """Test the terms of a record (RFC 7208 section 4.6).

        :raises Stop: permerror or temperror
        """
        step = self.first_match(program, domain)
        if step is not None:
            inside = self._inside if step.mechanism == "include" else ()
            return Decision(step.result, program, domain, step, (step.raw, *inside))
        if program.redirect is None:
            return Decision("neutral", program, domain, None, ())
        return self._redirected(program, program.redirect, domain)

    def first_match(self, program: Program, domain: str) -> ProgramStep | None:
        """The first directive that matches.

        :raises Stop: permerror or temperror
        """
        for step in program.steps:
            if MATCHES[step.mechanism](self, step, domain):
                return step
        return None

    def name(self, target: Template | None, domain: str) -> str:
        """The name that a term is about: its domain-spec expanded, else the current domain."""
        if target is None:
            return domain
        if target.constant is not None:
            return target.constant
        return target.name(lambda letter: self.value(letter, domain))

    def value(self, letter: str, domain: str) -> str:
        """The value of a macro letter (RFC 7208 section 7.2), without c, r and t."""
        if letter == "d":
            return domain
        if letter == "i":
            return self.client.dotted
        if letter == "v":
            return "in-addr" if self._version == 4 else "ip6"
        if letter == "p":
            return self._validated_name(domain)
        envelope = self.envelope
        if letter == "s":
            return f"{envelope.local}@{envelope.domain}"
        return {"l": envelope.local, "o": envelope.domain, "h": envelope.helo}[letter]

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT values of a name.

        :raises Stop: temperror (RFC 7208 section 4.4)
        """
        return self._found(name, "TXT") if is_possible(name) else ()

    def match_all(self, _step: ProgramStep, _domain: str) -> bool:
        """all (RFC 7208 section 5.1)."""
        return True

    def match_network(self, step: ProgramStep, _domain: str) -> bool:
        """ip4 and ip6 (RFC 7208 section 5.6)."""
        return step.first <= self._number <= step.last and step.version == self._version

    def match_include(self, step: ProgramStep, domain: str) -> bool:
        """include: only a pass matches; errors end everything (RFC 7208 section 5.2)."""
        decision = self._nested(step.raw, step.target, domain)
        if decision.result != "pass":
            return False
        self._inside = decision.path
        return True

    def match_a(self, step: ProgramStep, domain: str) -> bool:
        """a (RFC 7208 section 5.3)."""
        self.count(step.raw)
        return self._holds(self._asked(step.raw, self.name(step.target, domain), self._rdtype), step)

    def match_mx(self, step: ProgramStep, domain: str) -> bool:
        """mx (RFC 7208 sections 5.4 and 4.6.4)."""
        self.count(step.raw)
        name = self.name(step.target, domain)
        hosts = self._asked(step.raw, name, "MX")
        if len(hosts) > MAX_MX_HOSTS:
            rule = f"names {len(hosts)} MX hosts, at most {MAX_MX_HOSTS} may (RFC 7208 section 4.6.4)"
            raise at_term(step.raw, Stop("permerror", f"{brief(step.raw)}: {brief(name)} {rule}", "hosts", name))
        names = [host.removesuffix(".").lower() for host in hosts]
        # All are asked before any is compared: so the order of the hosts, which is up to chance, decides nothing.
        addresses = [self._asked(step.raw, host, self._rdtype) for host in names if host]
        return any(self._holds(values, step) for values in addresses)

    def match_exists(self, step: ProgramStep, domain: str) -> bool:
        """exists: an IPv4 address counts for IPv6 clients too (RFC 7208 section 5.7)."""
        self.count(step.raw)
        return bool(self._asked(step.raw, self.name(step.target, domain), "A"))

    def match_ptr(self, step: ProgramStep, domain: str) -> bool:
        """ptr (RFC 7208 section 5.5)."""
        self.count(step.raw)
        name = self.name(step.target, domain)
        return any(host == name or host.endswith(f".{name}") for host in self._validated_names(step.raw))

    def _redirected(self, program: Program, target: Template, domain: str) -> Decision:
        decision = self._nested(program.redirect_raw, target, domain)
        path = (program.redirect_raw, *decision.path)
        return Decision(decision.result, decision.program, decision.domain, decision.step, path)

    def _nested(self, raw: str, target: Template | None, domain: str) -> Decision:
        self.count(raw)
        try:
            name = self.name(target, domain)
            program = self.program(name)
            if program is None:
                reason = f"{brief(name)} has no SPF record (RFC 7208 sections 5.2 and 6.1)"
                raise Stop("permerror", reason, "missing", name)
            return self.run(program, name)
        except Stop as stop:
            raise at_term(raw, stop) from None

    def count(self, raw: str) -> None:
        """Count a term that looks something up (RFC 7208 section 4.6.4).

        :raises Stop: it is one too many
        """
        self.lookups += 1
        if self.lookups > self._max_lookups:
            rule = f"more than {self._max_lookups} terms look something up"
            reason = f"{rule}, {brief(raw)} is one too many (RFC 7208 section 4.6.4)"
            raise at_term(raw, Stop("permerror", reason, "lookups"))

    def _asked(self, raw: str, name: str, rdtype: str) -> tuple[str, ...]:
        """The answer for a term; it may be void, but an impossible name is not asked for."""
        if not is_possible(name):
            return ()
        try:
            found = self._found(name, rdtype)
            if not found:
                self.add_void(1, f"{rdtype} of {brief(name)}")
        except Stop as stop:
            raise at_term(raw, stop) from None
        return found

    def _found(self, name: str, rdtype: str) -> tuple[str, ...]:
        try:
            return self._lookup(name, rdtype)
        except Unresolved as reason:
            what = f"{rdtype} of {brief(name)} cannot be resolved"
            raise Stop("temperror", f"{what}: {reason} (RFC 7208 section 2.6.6)", "unresolved", name) from None

    def add_void(self, count: int, what: str) -> None:
        """Count questions of the current term that find nothing: they make it void, once; see ``spf_budget``.

        :raises Stop: it is one too many
        """
        self.void_questions += count
        # Every term that asks something has a number of its own.
        if not count or self._last_void == self.lookups:
            return
        self._last_void = self.lookups
        self.void += 1
        if self.void > self._max_void:
            rule = f"more than {self._max_void} terms find nothing"
            raise Stop("permerror", f"{rule}, {what} is one too many (RFC 7208 section 4.6.4)", "void")

    def _holds(self, addresses: Iterable[str], step: ProgramStep) -> bool:
        shift = step.shift4 if self._version == 4 else step.shift6
        wanted = self._number >> shift
        return any(number_of(address) >> shift == wanted for address in addresses)

    def _validated_name(self, domain: str) -> str:
        """The macro ``%{p}``: the domain, else a name below it, else any, else "unknown" (RFC 7208 section 7.3)."""
        names = self._validated_names("%{p}")
        below = [name for name in names if name.endswith(f".{domain}")]
        return domain if domain in names else next(iter([*below, *names]), "unknown")

    def _validated_names(self, raw: str) -> list[str]:
        if self._validated is None:
            self._validated = self._validate()
        names, void = self._validated
        try:
            self.add_void(void, f"a reverse name of {self.client.text}")
        except Stop as stop:
            raise at_term(raw, stop) from None
        return names

    def _validate(self) -> tuple[list[str], int]:
        """The client's names that lead back to it, and the void questions; errors match nothing (section 5.5)."""
        try:
            hosts = self._lookup(self.client.reverse_name, "PTR")
        except Unresolved:
            return [], 0
        names, void = [], 0 if hosts else 1
        for host in hosts[:_MAX_PTR_NAMES]:
            name = host.lower().removesuffix(".")
            addresses = self._addresses_of(name)
            void += addresses == ()
            if any(number_of(address) == self._number for address in addresses or ()):
                names.append(name)
        return names, void

    def _addresses_of(self, name: str) -> tuple[str, ...] | None:
        if not is_possible(name):
            return None
        try:
            return self._lookup(name, self._rdtype)
        except Unresolved:
            return None


MATCHES: dict[str, Callable[[Check, ProgramStep, str], bool]] = {
    "all": Check.match_all,
    "include": Check.match_include,
    "a": Check.match_a,
    "mx": Check.match_mx,
    "ptr": Check.match_ptr,
    "ip4": Check.match_network,
    "ip6": Check.match_network,
    "exists": Check.match_exists,
}


def at_term(raw: str, stop: Stop) -> Stop:
    """Note that a term led to the stop."""
    stop.path = (raw, *stop.path)
    return stop


@lru_cache(maxsize=65536)
def number_of(address: str) -> int:
    """An address as a number."""
    return int(ipaddress.ip_address(address))
