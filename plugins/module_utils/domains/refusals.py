# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The domains of a run that break rules: told together before anything is written, or left out while others go on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.mailroom.erp.plugins.module_utils.domains.inventory_words import inventory_option
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import DomainRequest, Order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.zone_records import DomainOutcome, ZoneRecords
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused

WHOLE_RUN = ""
"""In place of a domain: no single one breaks the rule."""

DomainProblem = tuple[str, Problem]
"""A broken rule, and the domain that must not change because of it."""


class Refusals:
    """Collects broken rules, and keeps the domains that break them out of what follows.

    :param outcomes: those of the whole run
    :param order: what was asked for
    """

    def __init__(self, outcomes: Sequence[DomainOutcome], order: Order) -> None:
        self.works: list[ZoneRecords] = []
        """The zones of the run, which lose the records of refused domains."""
        self.unread = [_unread(domain) for domain in order.unread]
        """Outcomes of the domains that could not be read as requests."""
        self._skips = order.skips_refused
        self._in_words_of_inventory = order.inventory is not None
        self._by_domain = {outcome.request.domain: outcome for outcome in (*outcomes, *self.unread)}
        self._problems: list[Problem] = []
        self._of_the_run: list[Problem] = []
        self.add((domain, problem) for domain, problems in order.unread.items() for problem in problems)

    def add(self, problems: Iterable[DomainProblem]) -> bool:
        """Refuse domains; the rest of the run goes on without their records.

        :returns: whether there is such a rest, and it has become smaller
        """
        smaller = False
        for domain, problem in problems:
            if problem not in self._problems:
                self._problems.append(problem)
            if domain == WHOLE_RUN:
                self._of_the_run.append(problem)
            else:
                self._by_domain[domain].refuse(self._told(problem))
                smaller = True
        for work in self.works:
            work.steps = [step for step in work.steps if not self._by_domain[step.domain].refusal]
        return smaller and not self._of_the_run

    def stop(self) -> None:
        """End the run when something is refused that may not be left out.

        :raises Refused: with all that is refused
        """
        stopping = self._of_the_run if self._skips else self._problems
        if stopping:
            raise Refused(self._problems)

    def _told(self, problem: Problem) -> str:
        return str(problem.worded(inventory_option) if self._in_words_of_inventory else problem)


def _unread(domain: str) -> DomainOutcome:
    return DomainOutcome(DomainRequest(domain, 0, None, ()), [])
