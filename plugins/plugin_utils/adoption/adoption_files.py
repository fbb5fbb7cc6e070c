# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What adopt writes: one inventory file per customer, one for all, and the questions. Pure but for reading."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused, RuleSource
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.answers import Answers, erp_question
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.claims import DomainReading, Finding
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.domain_facts import DomainFacts
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.domain_reading import read_domain
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.entry_text import entry_digest, entry_lines
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.erp_answers import (
    wrong_erp_answers,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.erp_hosts import (
    ErpHost,
    covered_records,
    host_lines,
    undeclared,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.inventory_files import (
    InventoryFile,
    KnownEntry,
    read_inventory,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.inventory_places import (
    AdoptionWish,
    InventoryPlaces,
    group_name,
    listed_items,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.named_environments import (
    NamedEnvironments,
    host_key,
    named_applications,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.proof import proven
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.questions import (
    QUESTIONS_FILE,
    AdoptionQuestion,
    questions_of,
    questions_text,
    read_questions,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.recognition import Recognition
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.report_evidence import ReportedMail
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.tenant_facts import TenantFacts
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.tenant_reading import TenantReading, is_application
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.yaml_values import yaml_comment, yaml_flow
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue

_RULES = RuleSource("docs/adopt.md")
_SHARED_FILE = "all.yml"


@dataclass(slots=True)
class Adoption:
    """What is to be written: texts by file, with what stood there (None: no file). ``new`` and ``changed`` are domains
    whose entries are written, ``edited`` those that an answer could not be put into, ``unread`` have a reason;
    ``hosts`` are new ERP environments."""

    files: dict[Path, tuple[str | None, str]] = field(default_factory=dict)
    questions: list[AdoptionQuestion] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    hosts: list[ErpHost] = field(default_factory=list)


class Adopter:
    """Makes an inventory of what was read.

    :param folder: of the inventory; it need not exist
    :param wishes: what a person said, by domain
    :param shared: variables for all hosts, such as the account of most domains
    :param today: for the comments
    :param services: of the inventory, on top of those of the catalogue
    :raises Refused: a file there cannot be read
    """

    def __init__(
        self,
        folder: Path,
        wishes: Mapping[str, AdoptionWish],
        shared: Mapping[str, Any],
        today: datetime.date,
        services: Mapping[str, Any],
    ) -> None:
        self._folder, self._shared, self._today = folder, shared, today
        self._catalogue, self._services = Catalogue(services=services), services
        self._files = read_inventory(folder)
        self._asked = read_questions(folder)
        self._places = InventoryPlaces(folder, self._files, wishes, self._asked.written)
        self._written = dict(self._asked.written)
        self.result = Adoption()

    @property
    def answers(self) -> Answers:
        """What a person answered."""
        return self._asked.answers

    def adopt(
        self, live: Iterable[DomainFacts], reported: ReportedMail, tenants: Sequence[TenantFacts] = ()
    ) -> Adoption:
        """Put in what is new and what was answered.

        :param live: what was read
        :param reported: what receivers reported, by domain
        :param tenants: what was read of tenants
        :raises Refused: an answer is none, two customers would have one file, or a file cannot be added to
        """
        problems = [*self.answers.problems(self._catalogue), *wrong_erp_answers(self.answers)]
        if problems:
            raise Refused(problems)
        facts = {one.domain: one for one in live}
        self.result.unread = {name: one.problem for name, one in facts.items() if one.problem}
        readable = {name: one for name, one in facts.items() if not one.problem}
        named = NamedEnvironments(self._places, self.answers, readable, tenants, self._services)
        environments = list(named.judged())
        applications, recognition = named_applications(environments, self._places), Recognition(self._catalogue)
        tenant = TenantReading(tenants, readable, recognition, applications, self.answers)
        readings = [
            read_domain(
                one,
                recognition,
                self.answers,
                covered_records(environments, name),
                tenant.part(name, recognition.ways_of(reported.services_of(name))),
            )
            for name, one in readable.items()
        ]
        needs = {one.name: one.needs for one in environments if one.needs}
        readings = [reported.added_to(one) for one in proven(readings, facts, self._services, needs)]
        kept = [tenant.kept(one, listed_items(self._places.declared(one.domain))) for one in readings]
        findings = [*self._unread(), *undeclared(environments), *tenant.questions()]
        fresh: dict[str | None, list[tuple[DomainReading, list[str]]]] = {}
        for reading in kept:
            findings += self._placed(reading, facts[reading.domain], fresh)
        self._add(fresh, self._new_hosts(environments))
        self._conclude(findings)
        return self.result

    def _unread(self) -> Iterator[tuple[str, Finding]]:
        for name, why in self.result.unread.items():
            question = f"It could not be read: {why}. Run adopt again when it can be."
            yield name, Finding("unread", "", "high", (), question, False)

    def _placed(
        self, reading: DomainReading, facts: DomainFacts, fresh: dict[str | None, list[tuple[DomainReading, list[str]]]]
    ) -> Iterator[tuple[str, Finding]]:
        """Put the entry of a domain among the new ones, or into the one that is there; gives what is asked."""
        wish, known = self._places.wish(reading.domain), self._places.known(reading.domain)
        lines = entry_lines(reading, wish.given, self._origin(facts))
        if known is not None:
            yield from self._again(reading, lines, known, facts)
            return
        fresh.setdefault(wish.customer, []).append((reading, lines))
        yield from ((reading.domain, one) for one in reading.findings)

    def _origin(self, facts: DomainFacts) -> str:
        if not facts.is_ours:
            return f"seen in public DNS, {self._today}"
        names = "" if facts.listed else "; the service does not list its names, so selectors may be missing"
        return f"zone {facts.zone} at {facts.account}, {self._today}{names}"

    def _again(
        self, reading: DomainReading, lines: list[str], known: tuple[InventoryFile, KnownEntry], facts: DomainFacts
    ) -> Iterator[tuple[str, Finding]]:
        """A domain that the inventory has: what was answered is put in unless a person has changed the entry."""
        file, entry = known
        domain, declared = reading.domain, self._places.declared(reading.domain)
        listed, found = listed_items(declared), [one.what for one in reading.findings]
        answered = [one for one in listed if self.answers.of(one, domain) or one in reading.explained]
        # applications come to be known when tenants are given, or have a name, after the domain was adopted
        answered += [one for one in listed if is_application(one) and one not in found]
        answered += [one for one in found if is_application(one) and one not in listed]
        answered += ["spf none"] if "services" not in declared and self.answers.of("spf none", domain) else []
        answered += ["account"] if facts.is_ours and domain in self._asked.asked.get("account", ()) else []
        if answered and self._places.is_untouched(domain):
            # the second line says when it was read
            if _bare(file.lines_of(entry))[2:] != _bare(lines)[2:]:
                file.change(entry, lines)
                self._note(domain, lines, self.result.changed)
            yield from ((domain, one) for one in reading.findings)
            return
        if answered:
            self.result.edited.append(domain)
        for one in reading.findings:
            if one.what in listed or is_application(one.what) or self._is_asked_again(one, declared):
                yield domain, one

    @staticmethod
    def _is_asked_again(finding: Finding, declared: Mapping[str, Any]) -> bool:
        """Whether a question that is about no record is asked anew of a domain that the inventory has."""
        return not finding.listed and not (finding.what == "spf none" and "services" in declared)

    def _new_hosts(self, environments: Iterable[ErpHost]) -> dict[Path, list[tuple[str, list[str]]]]:
        """The lines of environments that the inventory does not have, each with its group, by file."""
        found: dict[Path, list[tuple[str, list[str]]]] = {}
        for one in environments:
            if one.is_new and one.needs is not None:
                domain = one.environment.domain
                lines = host_lines(one, f"as answered: {erp_question(domain)}, {self._today}")
                found.setdefault(self._places.home(domain), []).append((str(self._places.group(domain)), lines))
                self._written[host_key(one.name)] = entry_digest(lines)
                self.result.hosts.append(one)
        return found

    def _note(self, domain: str, lines: list[str], told: list[str]) -> None:
        self._written[domain] = entry_digest(lines)
        told.append(domain)

    def _add(
        self,
        fresh: Mapping[str | None, Sequence[tuple[DomainReading, list[str]]]],
        hosts: Mapping[Path, Sequence[tuple[str, list[str]]]],
    ) -> None:
        for path, added in hosts.items():
            for own, lines in added if path in self._files else ():
                self._files[path].add_host(own, lines)
        taken: dict[str, str | None] = {}
        for customer, entries in sorted(fresh.items(), key=lambda one: str(one[0] or "")):
            group = group_name(customer)
            if taken.setdefault(group, customer) != customer:
                rule, way_out = f"{taken[group]} and {customer} would both be group {group}", "Name them differently."
                raise Refused(_RULES.problem("adopt", "mail_adopt_domains", customer, rule, way_out))
            path = self._folder / f"{group}.yml"
            for reading, lines in entries:
                self._note(reading.domain, lines, self.result.new)
            if path in self._files:
                for _reading, lines in entries:
                    self._files[path].add(lines)
            else:
                own_hosts = [line for _group, lines in hosts.get(path, ()) for line in lines]
                texts = [lines for _reading, lines in entries]
                self._write(path, None, self._customer_text(group, customer, own_hosts, texts))

    def _customer_text(
        self, group: str, customer: str | None, hosts: Iterable[str], entries: Iterable[list[str]]
    ) -> str:
        whose = f"of {customer}" if customer else "that are ours"
        head = [
            "---",
            yaml_comment(f"The domains {whose}, adopted by mailroom.erp.adopt on {self._today}. Edit it as you like."),
            f"{group}:",
            "  hosts:",
            f"    {group}_mail:  # carries the domains; ERP environments stand beside it",
            "      ansible_connection: local",
            *(f"    {line}" for line in hosts),
            "  vars:",
            *([f"    mail_customer: {yaml_flow(customer)}"] if customer else []),
            "    mail_dns_domains:",
        ]
        return "\n".join([*head, *(f"      {line}" for lines in entries for line in lines)]) + "\n"

    def _conclude(self, findings: Iterable[tuple[str, Finding]]) -> None:
        for path, file in self._files.items():
            if file.edits:
                self._write(path, file.text, file.edited())
        if self._shared and not any(set(self._shared) & file.keys for file in self._files.values()):
            path = self._folder / _SHARED_FILE
            if path not in self._files:
                lines = [f"    {name}: {yaml_flow(value)}" for name, value in self._shared.items()]
                self._write(path, None, "\n".join(["---", "all:", "  vars:", *lines]) + "\n")
        self.result.questions = questions_of(findings)
        path = self._folder / QUESTIONS_FILE
        old = self._files[path].text if path in self._files else None
        text = questions_text(self.result.questions, self.answers, self._written)
        if old is None or _without_comments(old) != _without_comments(text):
            self._write(path, old, text)

    def _write(self, path: Path, old: str | None, new: str) -> None:
        self.result.files[path] = (old, new)


def _bare(lines: Iterable[str]) -> list[str]:
    return [line.strip() for line in lines]


def _without_comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
