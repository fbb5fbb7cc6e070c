# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What makes SPF pass for the servers of a sender: one step for each kind of cause."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.outcome import SpfOutcome, Verdict
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.program import brief
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.servers import (
    AddressRange,
    BadSource,
    parse_source,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_cause import Place, SpfCause
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.voice import (
    SPF_VARIABLES,
    Voice,
    enumerated,
    sentence,
)
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls, shown

_FLATTENED = ("include", "a", "mx")
_WITHOUT_CAUSE = {"none": "none", "permerror": "syntax", "temperror": "unresolved"}


def spf_steps(verdict: Verdict, voice: Voice) -> list[str]:
    """The steps to an SPF pass, for a result that is certain to be none or a temperror; sentences."""
    spf = verdict.spf
    cause = spf.cause or SpfCause(_WITHOUT_CAUSE.get(spf.result, "decided"), spf.domain or "", front="all")
    return _STEPS[cause.kind](_Case(spf, cause, spf.domain or "", verdict.sender.sources, voice))


class _Case:
    """One cause, for one sender, told in one voice."""

    def __init__(
        self, spf: SpfOutcome, cause: SpfCause, domain: str, declared: tuple[str, ...] | None, voice: Voice
    ) -> None:
        self.spf, self.cause, self.domain, self.voice = spf, cause, domain, voice
        self.sources = cause.sources or declared or ()

    @property
    def servers(self) -> str:
        """The servers as terms of a record; in words when nobody declared them."""
        return enumerated([_as_term(source) for source in self.sources]) if self.sources else "the servers that send"

    def record(self, domain: str) -> str:
        return f"the SPF record of {brief(domain)}"

    def removed(self, place: Place) -> str:
        """The step that takes a term out of a record, whoever can."""
        step = f"remove {brief(place.term)} from {self.record(place.domain)}"
        return self.by_owner(place.domain, f"{step}{self.at(place.domain, 'spf.absent_terms')}")

    def flattened(self, place: Place, is_include: bool) -> str:
        """The step that puts addresses in place of a term, whoever can."""
        step = f"replace {brief(place.term)} in {self.record(place.domain)} by the addresses that it passes"
        variable = "flatten" if is_include and "%" not in place.term else ""
        return self.by_owner(place.domain, f"{step}{self.at(place.domain, variable)}")

    def at(self, domain: str, variable: str) -> str:
        return self.voice.at(domain, variable) if self.voice.is_own(domain) else ""

    def by_owner(self, domain: str, step: str) -> str:
        return self.voice.by_owner(domain, step)

    def in_front(self) -> list[str]:
        """The step that lets the servers pass before the fault is met; none where they are no addresses."""
        if not self.cause.path or not self.sources or not all(map(_is_range, self.sources)):
            return []
        first = self.cause.path[0].term
        step = f"put {self.servers} in front of {brief(first)} in {self.record(self.domain)}"
        return [f"{step}{self.at(self.domain, '')}"]

    def around(self, step: str, holder: str) -> list[str]:
        """A step; where only somebody else can do it, what the sender can do meanwhile."""
        return [sentence([step] if self.voice.is_own(holder) else [step, *self.in_front()])]


def _none(case: _Case) -> list[str]:
    variables = case.voice.said(SPF_VARIABLES.format(case.domain))
    return [sentence([f"publish an SPF record at {case.domain} that covers {case.servers}{variables}"])]


def _near(case: _Case) -> list[str]:
    step = f"replace {shown(case.cause.at)} at {case.domain} by an SPF record that covers {case.servers}"
    return [sentence([f"{step}{case.at(case.domain, 'spf.near_miss: replace')}"])]


def _no_name(case: _Case) -> list[str]:
    return [sentence([f"send from a domain name that the DNS can hold instead of {brief(case.domain)}"])]


def _decided(case: _Case) -> list[str]:
    front = case.cause.front
    if not front:
        return [sentence([f"put {case.servers} at the end of {case.record(case.domain)}{_variables(case)}"])]
    step = f"put {case.servers} in front of {brief(front)} in {case.record(case.domain)}"
    if front.lstrip("+-~?").lower() == "all" or "=" in front:
        return [sentence([f"{step}{_variables(case)}"])]
    # New terms come to stand before all, where this one would still decide.
    return [sentence([f"{step}{case.at(case.domain, '')}", case.removed(Place(case.domain, front))])]


def _variables(case: _Case) -> str:
    return case.voice.said(SPF_VARIABLES.format(case.domain))


def _several(case: _Case) -> list[str]:
    at = case.cause.at
    step = f"unite the SPF records of {brief(at)} in one{case.at(at, 'spf.on_duplicate: merge')}"
    return case.around(case.by_owner(at, step), at)


def _syntax(case: _Case) -> list[str]:
    at, terms = case.cause.at, [place.term for place in case.cause.terms]
    if terms and all(escape_controls(term) == brief(term) and " " not in term for term in terms):
        step = f"remove {enumerated(terms)} from {case.record(at)}{case.at(at, '')}"
    else:
        step = f"replace {case.record(at)} by one that covers {case.servers}{case.at(at, '')}"
    return case.around(case.by_owner(at, step), at)


def _last_term(case: _Case) -> list[str]:
    """A term that leads nowhere, or in a circle."""
    place = case.cause.terms[-1]
    return case.around(case.removed(place), place.domain)


def _lookups(case: _Case) -> list[str]:
    if not case.cause.terms:
        return [sentence(case.in_front() or [case.removed(case.cause.path[0])])]
    steps = []
    for place in case.cause.terms:
        name = place.term.lstrip("+-~?").lower().split(":")[0].split("/")[0]
        steps.append(case.flattened(place, name == "include") if name in _FLATTENED else case.removed(place))
    return [sentence([step]) for step in steps]


def _void(case: _Case) -> list[str]:
    terms = case.cause.terms
    holders = list(dict.fromkeys(place.domain for place in terms))
    if not terms:
        return [sentence(case.in_front() or [case.removed(case.cause.path[0])])]
    if case.in_front() and not all(map(case.voice.is_own, holders)):
        return [sentence(case.in_front())]
    return [sentence([_without(case, holder)]) for holder in holders]


def _without(case: _Case, holder: str) -> str:
    """The step that takes all terms that find nothing out of one record."""
    terms = enumerated([brief(place.term) for place in case.cause.terms if place.domain == holder])
    step = f"remove {terms} from {case.record(holder)}{case.at(holder, 'spf.absent_terms')}"
    return case.by_owner(holder, step)


def _hosts(case: _Case) -> list[str]:
    place = case.cause.terms[-1]
    return case.around(case.flattened(place, is_include=False), place.domain)


def _unresolved(case: _Case) -> list[str]:
    at = case.cause.at
    steps = [case.voice.once_found(brief(at))]
    if case.cause.terms:
        place = case.cause.terms[-1]
        steps += [case.removed(place), *([] if case.voice.is_own(place.domain) else case.in_front())]
    return [sentence(steps)]


_STEPS: dict[str, Callable[[_Case], list[str]]] = {
    "none": _none,
    "near": _near,
    "no_name": _no_name,
    "decided": _decided,
    "several": _several,
    "syntax": _syntax,
    "missing": _last_term,
    "loop": _last_term,
    "lookups": _lookups,
    "void": _void,
    "hosts": _hosts,
    "unresolved": _unresolved,
}


@lru_cache(maxsize=1 << 10)  # one server sends for many
def _as_term(source: str) -> str:
    """A declared server as a term of a record."""
    if not _is_range(source):
        return source
    text = source.lower().removeprefix("+").removeprefix("ip4:").removeprefix("ip6:")
    network = ipaddress.ip_network(text, strict=False)
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    if mapped and network.prefixlen >= 96:
        network = ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return f"ip{network.version}:{network.network_address if network.num_addresses == 1 else network}"


def _is_range(source: str) -> bool:
    try:
        return isinstance(parse_source(source), AddressRange)
    except BadSource:
        return False
