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

Failed = Sequence[tuple[Claim, str]]
"""Claims that would change a record or be refused, each with the reason."""


def proven(
    readings: Sequence[DomainReading], facts: Mapping[str, DomainFacts], services: Mapping[str, Any]
) -> list[DomainReading]:
    """Leave open what would change a record or be refused.

    :param readings: what may be declared of each domain
    :param facts: what was read of them, by domain
    :param services: of the inventory, on top of those of the catalogue
    :returns: the same domains, each with a declaration that asks for no change
    """
    site = _Site(facts, services)
    whole = site.faults({one.domain: one.declaration() for one in readings})
    doubtful = [one for one in readings if one.domain in whole]
    failed = _failed(doubtful, site) if doubtful else {}
    return [one.without(failed.get(one.domain, ())) for one in readings]


def _failed(readings: Sequence[DomainReading], site: _Site) -> dict[str, Failed]:
    """Try the claims of these domains one after the other, those of all domains at the same time."""
    kept: dict[str, list[Claim]] = {one.domain: [] for one in readings}
    failed: dict[str, list[tuple[Claim, str]]] = {one.domain: [] for one in readings}
    for number in range(max(len(one.claims) for one in readings)):
        tried = {one.domain: one.claims[number] for one in readings if number < len(one.claims)}
        trial = {name: DomainReading(name, (*kept[name], claim)).declaration() for name, claim in tried.items()}
        faults = site.faults(trial)
        for name, claim in tried.items():
            if name in faults:
                failed[name].append((claim, faults[name]))
            else:
                kept[name].append(claim)
    return dict(failed)


class _Site:
    """Plans as ``site`` does, on what was read."""

    def __init__(self, facts: Mapping[str, DomainFacts], services: Mapping[str, Any]) -> None:
        self._facts, self._services = facts, services

    def faults(self, declared: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """What a run would change or refuse, by domain."""
        options = EstateOptions(False, False, frozenset(), datetime.date.today())
        host = HostNeeds(_HOST, False, None, _ACCOUNT, dict(declared), self._services)
        plan = add_up([host], options)
        found = {problem.subject: problem.rule for problem in reversed(plan.problems)}
        entries = [one for one in plan.domains if one["domain"] not in found]
        return {**found, **self._planned(entries, plan)} if entries else found

    def _planned(self, entries: Sequence[Mapping[str, Any]], plan: EstatePlan) -> dict[str, str]:
        spf = {"mx_services": plan.mx_services, "other_flattened": "warn"}
        order = read_order({"domains": entries, "dns": plan.dns, "spf": spf, "on_refused": "skip"})
        found = {name: problems[0].rule for name, problems in order.unread.items()}
        for request in order.requests:
            fault = next(_changes(request, self._facts[request.domain]), None)
            if fault:
                found[request.domain] = fault
        return found


def _changes(request: DomainRequest, facts: DomainFacts) -> Iterator[str]:
    state = facts.state()
    for recipe in request.recipes:
        unserved = recipe.name in facts.elsewhere and recipe.kind == "report"
        try:
            changes = [] if unserved else recipe.plan(state).changes
        except Refused as refused:
            yield refused.problems[0].rule
            continue
        if changes:
            yield f"site would write the {recipe.kind} record in another way"
