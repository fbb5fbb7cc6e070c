# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a domain's SPF record says of who sends, as parts of a declaration."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mailroom.erp.plugins.module_utils.policy import spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import Directive, Modifier, SpfError, Term
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.answers import DROP, KEEP, NOBODY, Answers
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.claims import Claim, Finding
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.domain_facts import DomainFacts
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.erp_hosts import CoveredRecords
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.recognition import Recognition, same_term

_OWN = {"mx": "the servers that take the domain's mail", "a": "the domain's own address"}
"""Terms that explain themselves while they name no other domain."""


class SpfReading:
    """Reads the record of one domain.

    :param facts: what was read
    :param recognition: what the catalogue knows
    :param answers: what a person said
    :param receives: the services that take the domain's mail, by its MX
    :param covered: what ERP environments of the inventory need
    """

    def __init__(
        self,
        facts: DomainFacts,
        recognition: Recognition,
        answers: Answers,
        receives: list[str],
        covered: CoveredRecords,
    ) -> None:
        self._facts, self._recognition, self._answers = facts, recognition, answers
        self._receives, self._covered = receives, covered
        self.explained: list[str] = []
        """What environments explain, as findings would name it."""
        self.of_erps: list[Finding] = []
        """What may be an ERP's alone."""
        self.records = spf.select_spf(facts.texts(facts.domain))

    def parts(self) -> Iterator[Claim | Finding]:
        """Claims and findings, in the order of a declaration."""
        if len(self.records) > 1:
            question = (
                f"The domain has {len(self.records)} SPF records, so receivers accept none of them. To unite them, "
                "declare spf: {on_duplicate: merge} for it; site then changes the zone."
            )
            yield Finding("spf records", self._evidence("several records"), "high", question=question, listed=False)
        if not self.records:
            yield from self._nothing()
        for text in self.records:
            yield from self._record(text)

    @property
    def is_closed(self) -> bool:
        """Whether the only record says that nobody sends."""
        return [one.lower().split() for one in self.records] == [["v=spf1", "-all"]]

    def _nothing(self) -> Iterator[Claim | Finding]:
        said = self._answers.of("spf none", self._facts.domain)
        for service in said or []:
            if service not in (KEEP, DROP, NOBODY):
                yield Claim("services", service, "as answered", many=True)
        if said == [NOBODY]:
            yield Claim("services", [], "as answered: nobody")
        elif not said and self._facts.is_ours and not self._facts.holder(self._facts.domain):
            question = (
                "The domain has no SPF record. Who sends as it? Name the services, or answer nobody. Once services are "
                "declared, site makes the first record."
            )
            yield Finding("spf none", "", "medium", tuple(self._receives), question, listed=False)

    def _record(self, text: str) -> Iterator[Claim | Finding]:
        try:
            terms = spf.parse_spf(text).terms
        except SpfError as error:
            for raw in text.split()[1:]:
                evidence = self._evidence(f"the record cannot be read, for {error.term}: {error}")
                yield from self._answered(Finding(f"spf {raw}", evidence, "high", self._candidates(raw)), raw)
            return
        for term in terms:
            yield from self._all(term) if spf.is_all(term) else self._term(term)

    def _all(self, term: Term) -> Iterator[Claim | Finding]:
        qualifier = term.qualifier if isinstance(term, Directive) else "+"
        if qualifier == "+":
            question = "The record lets the whole world send as this domain. Declare spf: {all: '~all'} to end that."
            yield Finding("spf +all", self._evidence(term.raw), "high", question=question, listed=False)
        else:
            yield Claim("spf", f"{qualifier}all", f"{qualifier}all: how the record ends", "all")

    def _term(self, term: Term) -> Iterator[Claim | Finding]:
        raw, candidates = term.raw, self._candidates(term.raw)
        finding = Finding(f"spf {raw}", self._evidence(self._stands_for(candidates)), "high", candidates, terms=(raw,))
        if same_term(raw) in self._covered.terms:
            self.explained.append(finding.what)
            return
        if candidates and not any(map(self._recognition.is_plain, candidates)):
            self.of_erps.append(finding)
        if isinstance(term, Directive) and term.mechanism in _OWN and term.domain is None:
            yield Claim("spf", raw, f"{raw}: {_OWN[term.mechanism]}", "terms", True, finding)
        elif isinstance(term, Modifier) and term.name == "exp":
            yield Claim("spf", raw, f"{raw}: only explains refusals", "terms", True, finding)
        elif len(candidates) == 1 and self._recognition.is_plain(candidates[0]):
            yield from self._service(candidates[0], raw, raw, finding)
        elif received := [one for one in candidates if one in self._receives]:
            yield from self._service(received[0], raw, f"{raw}, and its MX takes the mail", finding)
        else:
            yield from self._answered(finding, raw)

    def _answered(self, finding: Finding, raw: str) -> Iterator[Claim | Finding]:
        said = self._answers.of(finding.what, self._facts.domain)
        if said is None:
            yield finding
        for one in said or []:
            if one == KEEP:
                yield Claim("spf", raw, f"{raw}: as answered", "terms", True, finding)
            elif one not in (DROP, NOBODY):
                yield from self._service(one, raw, f"{raw}, as answered", finding)

    def _service(self, name: str, raw: str, reason: str, finding: Finding) -> Iterator[Claim]:
        """A service, and its term where that is not published for it."""
        yield Claim("services", name, f"{name}: {reason}", many=True, otherwise=finding)
        if not self._recognition.has_term(name, raw):
            yield Claim("spf", raw, f"{raw}: {name}", "terms", True, finding)

    def _candidates(self, raw: str) -> tuple[str, ...]:
        return tuple(self._recognition.of_term(raw))

    def _stands_for(self, candidates: tuple[str, ...]) -> str:
        if not candidates:
            return "no service of the catalogue has this term"
        return f"it may stand for {', '.join(candidates)}, or for an ERP that sends by one of them"

    def _evidence(self, told: str) -> str:
        place = f"zone {self._facts.zone}" if self._facts.is_ours else "public DNS"
        return f"{place}: {told}"
