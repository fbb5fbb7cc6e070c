# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a person answered to the questions of adopt, and what an answer means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, RuleSource
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue

KEEP, DROP, NOBODY = "keep", "drop", "nobody"
"""Answers beside the names of services: it is ours and declared as it is; it is listed no more; nobody sends."""

_ERP_KIND = "erp"
_RULES = RuleSource("docs/adopt.md")
_VARIABLE = "mail_adopt_questions"


@dataclass(frozen=True, slots=True)
class Answers:
    """By question: what was written behind ``answer``, for all domains or by domain."""

    given: Mapping[str, Any] = field(default_factory=dict)

    def of(self, what: str, domain: str) -> list[str] | None:
        """The answer for a domain.

        :param what: the question's ``what``
        :param domain: as A-labels
        :returns: None where nobody answered
        """
        answer = self.given.get(what)
        if isinstance(answer, Mapping):
            answer = answer.get(domain)
        if answer is None:
            return None
        return [str(one) for one in (answer if isinstance(answer, list) else [answer])]

    def about(self, domain: str, whats: list[str]) -> dict[str, list[str]]:
        """All answers to some questions, for a domain.

        :param domain: as A-labels
        :param whats: the questions
        """
        return {what: found for what in whats if (found := self.of(what, domain)) is not None}

    def problems(self, catalogue: Catalogue) -> list[Problem]:
        """What is wrong with the answers.

        :param catalogue: the services that exist
        """
        names = {*catalogue.names("services"), KEEP, DROP, NOBODY}
        found = []
        for what, answer in self.given.items():
            if is_erp_question(what):
                continue  # another form, see erp_answers
            for one in _flat(answer):
                if not isinstance(one, str) or one not in names:
                    rule = f"an answer is {KEEP}, {DROP}, {NOBODY}, or the name of a service of the catalogue"
                    way_out = catalogue.closest("services", str(one))
                    found.append(_RULES.problem(what, _VARIABLE, str(one), rule, way_out))
        return found


def erp_question(domain: str) -> str:
    """The name of the question which ERP environments send as a domain.

    :param domain: as A-labels
    """
    return f"{_ERP_KIND} {domain}"


def is_erp_question(what: str) -> bool:
    """Whether a question is one about ERP environments.

    :param what: its name
    """
    return what.startswith(f"{_ERP_KIND} ")


def _flat(answer: Any) -> list[Any]:
    if isinstance(answer, Mapping):
        return [one for inner in answer.values() for one in _flat(inner)]
    if answer is None:
        return []
    return list(answer) if isinstance(answer, list) else [answer]
