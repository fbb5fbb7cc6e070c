# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPF records made ready for evaluation: what a receiver tests, in its order, with macros and networks taken apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import (
    Directive,
    Modifier,
    Term,
    effective,
    parse,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_macros import Template, template

RESULT_OF = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
"""What a directive that matches gives, by its qualifier (RFC 7208 section 4.6.2)."""

_LONGEST_SHOWN = 120
_MOST_KEPT = 4096
_LONGEST_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Step:
    """One directive.

    ``result`` is what it gives when it matches. ``target`` is its domain-spec, None for the current domain. ``version``
    (4 or 6, of ip4 and ip6; else 0), ``first`` and ``last`` are the addresses of a network as numbers. ``shift4`` and
    ``shift6`` are the bits that a and mx do not compare.
    """

    raw: str
    mechanism: str
    result: str
    target: Template | None = None
    version: int = 0
    first: int = 0
    last: int = 0
    shift4: int = 0
    shift6: int = 0


@dataclass(frozen=True, slots=True)
class Program:
    """A record: its directives up to the first ``all``, and where ``redirect=`` and ``exp=`` lead.

    ``redirect_raw`` is the modifier as written.
    """

    steps: tuple[Step, ...]
    redirect: Template | None = None
    redirect_raw: str = ""
    explanation: Template | None = None


@dataclass(slots=True)
class Programs:
    """Compiles records and keeps a bounded number of them; long ones are not kept."""

    _kept: dict[str, Program] = field(default_factory=dict)

    def of(self, text: str) -> Program:
        """The program of a record.

        :param text: a decoded TXT value that is an SPF record
        :raises SpfError: it breaks the grammar
        """
        program = self._kept.get(text)
        if program is None:
            program = compiled(parse(text).terms)
            if len(text) <= _LONGEST_KEPT:
                if len(self._kept) >= _MOST_KEPT:
                    self._kept.clear()
                self._kept[text] = program
        return program


def compiled(terms: Iterable[Term]) -> Program:
    """Make parsed terms ready for evaluation; what is never tested is left out (RFC 7208 sections 5.1 and 6.1)."""
    tested = effective(list(terms))
    steps = tuple(_step(term) for term in tested if isinstance(term, Directive))
    modifiers = {term.name: term for term in tested if isinstance(term, Modifier)}
    redirect, exp = modifiers.get("redirect"), modifiers.get("exp")
    return Program(
        steps,
        template(redirect.value) if redirect else None,
        redirect.raw if redirect else "",
        template(exp.value) if exp else None,
    )


def brief(text: str) -> str:
    """A term or name for a sentence: a long one is cut in the middle."""
    half = _LONGEST_SHOWN // 2
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:half]}...{text[-half:]}"


def _step(term: Directive) -> Step:
    result = RESULT_OF[term.qualifier]
    if term.network is not None:
        network = term.network
        first, last = int(network.network_address), int(network.broadcast_address)
        return Step(term.raw, term.mechanism, result, None, network.version, first, last)
    target = template(term.domain) if term.domain else None
    return Step(term.raw, term.mechanism, result, target, shift4=32 - term.prefix4, shift6=128 - term.prefix6)
