# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Leaves out of an estate what breaks rules, with all that depends on it, so that the rest can be done.

Source of the rules: docs/inventory.md, "One wrong environment".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import longest_match
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.declared_domains import read_declared_domains
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_accounts import ACCOUNT_VARIABLE
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import EstateOptions, HostNeeds
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_plan import EstatePlan, add_up

_Reasons = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class EstateRefusals:
    """What is left out and why, one sentence each: environments by host, domains by name as A-labels, and what is wrong
    with the run as a whole, so that nothing can be done. ``dependents`` are the environments of refused domains, with
    these."""

    environments: _Reasons = field(default_factory=dict)
    domains: _Reasons = field(default_factory=dict)
    run: list[str] = field(default_factory=list)
    dependents: _Reasons = field(default_factory=dict)

    @property
    def left_out(self) -> set[str]:
        """The hosts of all environments for which nothing is done."""
        return {*self.environments, *self.dependents}

    def stops(self, on_refused: str) -> bool:
        """Whether nothing at all may be written.

        :param on_refused: stop or skip
        """
        return bool(self.run or (on_refused == "stop" and (self.environments or self.domains)))

    def as_dict(self) -> dict[str, Any]:
        """The same for a playbook."""
        return asdict(self)


def sound_plan(
    hosts: Iterable[HostNeeds],
    options: EstateOptions,
    environments: Mapping[str, list[str]],
    domains: Mapping[str, str],
) -> tuple[EstatePlan, EstateRefusals]:
    """Add up what can be done.

    :param hosts: each host of the play once
    :param options: what the run may do
    :param environments: what is known to be wrong with hosts already, one sentence each
    :param domains: the domains that the DNS side refuses, each with the reason
    :returns: the plan of the rest, which breaks no rule, and what is left out. Each time more is left out, so it ends
    """
    ordered = sorted(hosts, key=lambda one: one.host)
    names = sorted(read_declared_domains((host.host, host.domains) for host in ordered).by_name)
    refusals = EstateRefusals(domains={name: [reason] for name, reason in domains.items()})
    for host in ordered:
        for problem in (host.needs or {}).get("problems", []):
            _add(refusals.environments, host.host, str(Problem(**problem)))
        for reason in environments.get(host.host, []):
            _add(refusals.environments, host.host, reason)
    # whose account a domain has cannot be said while it is not known what wrong environments need
    sure = [problem for problem in add_up(ordered, options).problems if problem.where != ACCOUNT_VARIABLE]
    _note(refusals, sure, ordered, names)
    smaller = True
    while smaller:
        _dependents(refusals, ordered)
        plan = add_up(_rest(ordered, refusals), _options(ordered, options), frozenset(refusals.domains))
        smaller = _note(refusals, plan.problems, ordered, names)
    return replace(plan, names=names), refusals


def domains_sent_as(needs: Mapping[str, Any]) -> set[str]:
    """The domains without whose records an environment cannot send as it should.

    :param needs: what ``environment_needs`` gave for it
    """
    senders = needs.get("senders") or []
    named = {name for sender in senders for name in (sender.get("domain"), sender.get("envelope_domain")) if name}
    return named | {*needs.get("domains", {}), *needs.get("dkim", {})}


def _note(
    refusals: EstateRefusals, problems: Iterable[Problem], hosts: Sequence[HostNeeds], names: Sequence[str]
) -> bool:
    """Refuse what problems are about; tells whether that is anything new."""
    known, own = {host.host for host in hosts}, set(names)
    found = False
    for problem in problems:
        places = [refusals.environments] if problem.subject in known else []
        domain = longest_match(problem.subject, own)
        places += [refusals.domains] if domain else []
        for place in places:
            name = problem.subject if place is refusals.environments else str(domain)
            found = _add(place, name, str(problem)) or found
        if not places and str(problem) not in refusals.run:
            refusals.run.append(str(problem))
    return found


def _dependents(refusals: EstateRefusals, hosts: Sequence[HostNeeds]) -> None:
    """Refuse the environments of refused domains."""
    for host in hosts:
        for domain in sorted(domains_sent_as(host.needs or {}) & set(refusals.domains)):
            _add(refusals.dependents, host.host, domain)


def _add(reasons: _Reasons, name: str, reason: str) -> bool:
    known = reasons.setdefault(name, [])
    if reason in known:
        return False
    known.append(reason)
    return len(known) == 1


def _rest(hosts: Iterable[HostNeeds], refusals: EstateRefusals) -> list[HostNeeds]:
    """The hosts without the needs of refused environments; their senders are still nobody's to harm."""
    return [_stripped(host) if host.host in refusals.left_out else host for host in hosts]


def _stripped(host: HostNeeds) -> HostNeeds:
    if not _is_known(host):
        return HostNeeds(host.host, False, None, None, None)
    needs = {**(host.needs or {}), "domains": {}, "dkim": {}, "cnames": [], "entra": None}
    return replace(host, needs=needs, domains=None)


def _is_known(host: HostNeeds) -> bool:
    """Whether it is known what the environment needs, though it be refused."""
    return host.needs is not None and not host.needs.get("problems")


def _options(hosts: Iterable[HostNeeds], options: EstateOptions) -> EstateOptions:
    """A run that does not know what a wrong environment needs does not know every sender."""
    unknown = tuple(host.host for host in hosts if host.declares and not _is_known(host))
    return replace(options, left_out=(*options.left_out, *unknown))
