# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whether a declaration says what is live: it is planned as ``site`` plans it, on the records that were read. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import DomainRequest, read_order
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.claims import Claim, DomainReading
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.domain_facts import DomainFacts
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import EstateOptions, HostNeeds
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_plan import EstatePlan, add_up

_ACCOUNT = {"provider": "zonefile", "path": "/"}
"""Stands for the account of each domain: nothing is asked of it."""
_HOST = "adopt"

_KEYS = {
    "spf": ("services", "spf"),
    "dmarc": ("dmarc",),
    "report": ("dmarc",),
    "dkim": ("dkim",),
    "tls_rpt": ("tls_rpt",),
    "null_mx": ("null_mx",),
}
"""The keys of a declaration that make a record, by its kind."""

Faults = Mapping[str, str]
"""Why a declaration does not say what is live, by kind of record; "" where it is about no single one."""

Failed = Sequence[tuple[Claim, str]]
"""Claims that would change a record or be refused, each with the reason."""


def environment_fault(
    host: str, needs: Mapping[str, Any], facts: Mapping[str, DomainFacts], services: Mapping[str, Any]
) -> str | None:
    """What a run would change or refuse for an ERP environment, beside a record that says all else.

    :param host: its name
    :param needs: as ``environment_needs`` gives them
    :param facts: what was read, by domain
    :param services: of the inventory, on top of those of the catalogue
    :returns: for a person; None where nothing would change
    """
    domains = sorted({*needs["domains"], *needs["dkim"]})
    unread = [name for name in domains if name not in facts or not facts[name].is_ours]
    if unread:
        return f"the records of {', '.join(unread)} were not read from an account of ours in this run"
    site = _Site(facts, services, {host: needs})
    faults = site.faults({name: {"services": []} for name in domains})
    return next((f"{name}: {_reason(one)}" for name, one in faults.items()), None)


def proven(
    readings: Sequence[DomainReading],
    facts: Mapping[str, DomainFacts],
    services: Mapping[str, Any],
    environments: Mapping[str, Mapping[str, Any]],
) -> list[DomainReading]:
    """Leave open what would change a record or be refused.

    :param readings: what may be declared of each domain
    :param facts: what was read of them, by domain
    :param services: of the inventory, on top of those of the catalogue
    :param environments: the needs of its ERP environments, by host
    :returns: the same domains, each with a declaration that asks for no change
    """
    site = _Site(facts, services, environments)
    whole = site.faults({one.domain: one.declaration() for one in readings})
    doubtful = [one for one in readings if one.domain in whole]
    failed = _failed(doubtful, whole, site) if doubtful else {}
    left = {one.domain: one.without(failed[one.domain]) for one in doubtful}
    # what one by one is right may not be so together, or beside what is left open
    still = site.faults({name: one.declaration() for name, one in left.items()})
    for name, faults in still.items():
        left[name] = left[name].without((claim, _reason(faults)) for claim in left[name].claims)
    return [left.get(one.domain, one) for one in readings]


def _failed(readings: Sequence[DomainReading], whole: Mapping[str, Faults], site: _Site) -> dict[str, Failed]:
    """Try the claims that may be at fault one after the other, those of all domains at the same time.

    Where the first one fails as all together do, and so do the others without it, the record itself is at fault, and
    the rest is not tried.
    """
    suspects = {one.domain: _suspects(one, whole[one.domain]) for one in readings}
    kept: dict[str, list[Claim]] = {name: [] for name in suspects}
    failed: dict[str, list[tuple[Claim, str]]] = {name: [] for name in suspects}
    for number in range(max(map(len, suspects.values()))):
        tried = {name: claims[number] for name, claims in suspects.items() if number < len(claims)}
        faults = site.faults({name: _declared(name, [*kept[name], claim]) for name, claim in tried.items()})
        for name, claim in tried.items():
            if name in faults:
                failed[name].append((claim, _reason(faults[name])))
            else:
                kept[name].append(claim)
        if number == 0:
            doubtful = {name: claims[1:] for name, claims in suspects.items() if failed[name] and claims[1:]}
            others = site.faults({name: _declared(name, claims) for name, claims in doubtful.items()})
            for name, claims in doubtful.items():
                if name in others and _reason(others[name]) == failed[name][0][1]:
                    failed[name] += [(claim, failed[name][0][1]) for claim in claims]
                    suspects[name] = []
                elif name not in others:
                    suspects[name] = []
    return dict(failed)


def _declared(name: str, claims: Sequence[Claim]) -> dict[str, Any]:
    return DomainReading(name, tuple(claims)).declaration()


def _reason(faults: Faults) -> str:
    return next(iter(faults.values()))


def _suspects(reading: DomainReading, faults: Faults) -> list[Claim]:
    """The claims that a fault may come from; a rule that is not about one record may come from any."""
    keys = [key for kind in faults for key in _KEYS.get(kind, ())]
    return [one for one in reading.claims if one.key in keys or not set(faults) <= set(_KEYS)]


class _Site:
    """Plans as ``site`` does, on what was read."""

    def __init__(
        self,
        facts: Mapping[str, DomainFacts],
        services: Mapping[str, Any],
        environments: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._facts, self._services = facts, services
        self._hosts = [HostNeeds(name, True, needs, _ACCOUNT, None) for name, needs in environments.items()]

    def faults(self, declared: Mapping[str, Mapping[str, Any]]) -> dict[str, Faults]:
        """What a run would change or refuse, by domain."""
        if not declared:
            return {}
        options = EstateOptions(False, False, frozenset(), datetime.date.today())
        host = HostNeeds(_HOST, False, None, _ACCOUNT, dict(declared), self._services)
        # an environment asks nothing of a domain that is not declared
        plan = add_up([host, *self._hosts], options)
        found: dict[str, Faults] = {problem.subject: {"": problem.rule} for problem in reversed(plan.problems)}
        entries = [one for one in plan.domains if one["domain"] not in found]
        return {**found, **self._planned(entries, plan)} if entries else found

    def _planned(self, entries: Sequence[Mapping[str, Any]], plan: EstatePlan) -> dict[str, Faults]:
        spf = {"mx_services": plan.mx_services, "other_flattened": "warn"}
        order = read_order({"domains": entries, "dns": plan.dns, "spf": spf, "on_refused": "skip"})
        found: dict[str, Faults] = {name: {"": problems[0].rule} for name, problems in order.unread.items()}
        for request in order.requests:
            faults = dict(_changes(request, self._facts[request.domain]))
            if faults:
                found[request.domain] = faults
        return found


def _changes(request: DomainRequest, facts: DomainFacts) -> Iterator[tuple[str, str]]:
    """The kinds of records that would change or be refused, each with the reason."""
    state = facts.state()
    for recipe in request.recipes:
        unserved = recipe.name in facts.elsewhere and recipe.kind == "report"
        try:
            changes = [] if unserved else recipe.plan(state).changes
        except Refused as refused:
            yield recipe.kind, refused.problems[0].rule
            continue
        if changes:
            yield recipe.kind, "site would write the record in another way"
