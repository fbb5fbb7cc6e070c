# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""SPF records made ready for evaluation: what a receiver tests, in its order, with macros and networks taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import Directive, Modifier, parse_spf, parse_term
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_macros import Template, template

RESULT_OF = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
"""What a directive that matches gives, by its qualifier (RFC 7208 section 4.6.2)."""

_OCTET = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IP4 = re.compile(rf"([-+?~])?[iI][pP]4:{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}(?:/(3[0-2]|[12]?[0-9]))?")

_LONGEST_SHOWN = 120
_MOST_KEPT = 2_000_000
_LONGEST_KNOWN = 255


class ProgramStep(NamedTuple):
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


class Program(NamedTuple):
    """A record: its directives up to the first ``all``, and where ``redirect=`` and ``exp=`` lead.

    ``redirect_raw`` is the modifier as written.
    """

    steps: tuple[ProgramStep, ...]
    redirect: Template | None = None
    redirect_raw: str = ""
    explanation: Template | None = None


@dataclass(slots=True)
class Programs:
    """Compiles records and keeps them, up to some million characters of text."""

    _kept: dict[str, Program] = field(default_factory=dict)
    _characters: int = 0

    def of(self, text: str) -> Program:
        """The program of a record.

        :param text: a decoded TXT value that is an SPF record
        :raises SpfError: it breaks the grammar
        """
        program = self._kept.get(text)
        if program is None:
            program = compiled(text)
            self._characters += len(text)
            if self._characters > _MOST_KEPT:
                self._kept.clear()
                self._characters = len(text)
            self._kept[text] = program
        return program


def compiled(text: str) -> Program:
    """Make a record ready for evaluation; what is never tested is left out (RFC 7208 sections 5.1 and 6.1).

    :param text: a decoded TXT value that is an SPF record
    :raises SpfError: it breaks the grammar
    """
    items = [_ready(raw) for raw in text.split(" ")[1:] if raw]
    modifiers = [item for item in items if isinstance(item, Modifier) and item.name in ("redirect", "exp")]
    by_name = {modifier.name: modifier for modifier in modifiers}
    if len(by_name) < len(modifiers):
        parse_spf(text)  # It says what is wrong.
    steps = [item for item in items if isinstance(item, ProgramStep)]
    length = next((index + 1 for index, step in enumerate(steps) if step.mechanism == "all"), None)
    redirect, exp = by_name.get("redirect") if length is None else None, by_name.get("exp")
    return Program(
        tuple(steps[:length]),
        template(redirect.value) if redirect else None,
        redirect.raw if redirect else "",
        template(exp.value) if exp else None,
    )


def step_of(term: Directive) -> ProgramStep:
    """One directive made ready."""
    result = RESULT_OF[term.qualifier]
    if term.network is not None:
        network = term.network
        first, free = int(network.network_address), network.max_prefixlen - network.prefixlen
        return ProgramStep(term.raw, term.mechanism, result, None, network.version, first, first + (1 << free) - 1)
    target = template(term.domain) if term.domain else None
    return ProgramStep(term.raw, term.mechanism, result, target, shift4=32 - term.prefix4, shift6=128 - term.prefix6)


def brief(text: str) -> str:
    """A term or name for a sentence: a long one is cut in the middle."""
    half = _LONGEST_SHOWN // 2
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:half]}...{text[-half:]}"


def _ready(raw: str) -> ProgramStep | Modifier:
    return _ready_known(raw) if len(raw) <= _LONGEST_KNOWN else _ready_term(raw)


@lru_cache(maxsize=8192)
def _ready_known(raw: str) -> ProgramStep | Modifier:
    """The same terms stand in many records."""
    return _ready_term(raw)


def _ready_term(raw: str) -> ProgramStep | Modifier:
    network = _ready_network(raw)
    if network is not None:
        return network
    term = parse_term(raw)
    return step_of(term) if isinstance(term, Directive) else term


def _ready_network(raw: str) -> ProgramStep | None:
    """The short way for what most records consist of: ip4 with four numbers; all else is the parser's."""
    found = _IP4.fullmatch(raw)
    if found is None:
        return None
    qualifier, one, two, three, four, prefix = found.groups()
    free = 32 - int(prefix or 32)
    first = (int(one) << 24 | int(two) << 16 | int(three) << 8 | int(four)) >> free << free
    return ProgramStep(raw, "ip4", RESULT_OF[qualifier or "+"], None, 4, first, first + (1 << free) - 1)
