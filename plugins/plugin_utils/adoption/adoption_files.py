# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What adopt writes: one inventory file per customer, one for all, and the questions. Pure but for reading."""

from __future__ import annotations

import datetime
import re
import unicodedata
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
    answered_environments,
    wrong_erp_answers,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.erp_hosts import (
    ErpHost,
    covered_records,
    covered_selectors,
    host_lines,
    judged_host,
    undeclared,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.inventory_files import (
    InventoryFile,
    KnownEntry,
    read_inventory,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.proof import environment_fault, proven
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.questions import (
    QUESTIONS_FILE,
    AdoptionQuestion,
    questions_of,
    questions_text,
    read_questions,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.recognition import Recognition
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.report_evidence import ReportedMail
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.tenant_answers import completed_answer
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.tenant_facts import TenantFacts
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.tenant_reading import TenantReading
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.yaml_values import yaml_comment, yaml_flow
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_judgement import Catalogues

_RULES = RuleSource("docs/adopt.md")
_OURS = "domains"
"""The group of domains that are no customer's."""
_TAKEN = ("all", "ungrouped", "questions", "localhost")
_SHARED_FILE = "all.yml"
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class AdoptionWish:
    """What a person said of a domain: whose it is, and how its zone is reached where the account of all is not it.

    ``dns`` is the account as it may stand in an inventory."""

    customer: str | None = None
    dns: Any = None
    zone: str | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The keys of its entry in mail_dns_domains."""
        found = {"customer": self.customer, "dns": self.dns, "zone": self.zone}
        return {key: value for key, value in found.items() if value is not None}


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
        self._folder, self._wishes, self._shared, self._today = folder, wishes, shared, today
        self._catalogue, self._services = Catalogue(services=services), services
        self._files = read_inventory(folder)
        self._asked = read_questions(folder)
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
        recognition = Recognition(self._catalogue)
        sound = [one for one in facts.values() if not one.problem]
        readable = {one.domain: one for one in sound}
        environments = list(self._environments(readable, tenants))
        needs = {one.name: one.needs for one in environments if one.needs}
        tenant = TenantReading(tenants, readable, recognition, self._named_applications(environments))
        readings = [
            read_domain(
                one, recognition, self.answers, covered_records(environments, one.domain), tenant.part(one.domain)
            )
            for one in sound
        ]
        readings = [reported.added_to(one) for one in proven(readings, facts, self._services, needs)]
        fresh: dict[str | None, list[tuple[DomainReading, list[str]]]] = {}
        unread = "It could not be read: {}. Run adopt again when it can be."
        findings = [
            (name, Finding("unread", "", "high", (), unread.format(why), False))
            for name, why in self.result.unread.items()
        ]
        findings += [*undeclared(environments), *tenant.questions()]
        for reading in readings:
            lines = entry_lines(reading, self._wish(reading.domain).given, self._origin(facts[reading.domain]))
            known = self._known(reading.domain)
            if known is None:
                fresh.setdefault(self._wish(reading.domain).customer, []).append((reading, lines))
                findings += [(reading.domain, one) for one in reading.findings]
            else:
                findings += self._again(reading, lines, known, facts[reading.domain])
        self._add(fresh, self._new_hosts(environments))
        self._conclude(findings)
        return self.result

    def _wish(self, domain: str) -> AdoptionWish:
        return self._wishes.get(domain) or AdoptionWish()

    def _origin(self, facts: DomainFacts) -> str:
        if not facts.is_ours:
            return f"seen in public DNS, {self._today}"
        names = "" if facts.listed else "; the service does not list its names, so selectors may be missing"
        return f"zone {facts.zone} at {facts.account}, {self._today}{names}"

    def _known(self, domain: str) -> tuple[InventoryFile, KnownEntry] | None:
        return next(((one, one.entries[domain]) for one in self._files.values() if domain in one.entries), None)

    def _again(
        self, reading: DomainReading, lines: list[str], known: tuple[InventoryFile, KnownEntry], facts: DomainFacts
    ) -> Iterator[tuple[str, Finding]]:
        """A domain that the inventory has: what was answered is put in unless a person has changed the entry."""
        file, entry = known
        domain, declared = reading.domain, entry.declared if isinstance(entry.declared, dict) else {}
        listed = _listed(declared)
        found = [one.what for one in reading.findings]
        answered = [one for one in listed if self.answers.of(one, domain) or one in reading.explained]
        # applications come to be known when tenants are given, or have a name, after the domain was adopted
        answered += [one for one in listed if _is_application(one) and one not in found]
        answered += [one for one in found if _is_application(one) and one not in listed]
        answered += ["spf none"] if "services" not in declared and self.answers.of("spf none", domain) else []
        answered += ["account"] if facts.is_ours and domain in self._asked.asked.get("account", ()) else []
        if answered and self._is_untouched(domain):
            # the second line says when it was read
            if _bare(file.lines_of(entry))[2:] != _bare(lines)[2:]:
                file.change(entry, lines)
                self._note(domain, lines, self.result.changed)
            yield from ((domain, one) for one in reading.findings)
            return
        if answered:
            self.result.edited.append(domain)
        for one in reading.findings:
            if (
                one.what in listed
                or _is_application(one.what)
                or (not one.listed and not (one.what == "spf none" and "services" in declared))
            ):
                yield domain, one

    @staticmethod
    def _is_asked_again(finding: Finding, declared: Mapping[str, Any]) -> bool:
        """Whether a question that is about no record is asked anew of a domain that the inventory has."""
        return not finding.listed and not (finding.what == "spf none" and "services" in declared)

    def _is_untouched(self, domain: str) -> bool:
        """Whether the entry of a domain is as it was written."""
        known = self._known(domain)
        return known is None or self._written.get(domain) == entry_digest(known[0].lines_of(known[1]))

    def _home(self, domain: str) -> Path:
        """The file of a domain, of those that are there or are made."""
        known = self._known(domain)
        return known[0].path if known else self._folder / f"{group_name(self._wish(domain).customer)}.yml"

    def _group(self, domain: str) -> str | None:
        """The group that takes the ERP environments of a domain; None where its file cannot be added to."""
        own, file = group_name(self._wish(domain).customer), self._files.get(self._home(domain))
        if file is None or own in file.groups:
            return own
        return next(iter(file.groups)) if len(file.groups) == 1 else None

    def _named_applications(self, environments: Iterable[ErpHost]) -> set[str]:
        """The ids of applications that environments of the inventory sign in with, a person's environments too."""
        declared = [one.variables for one in environments if one.needs]
        text = str([declared, [file.hosts for file in self._files.values()]]).lower()
        return set(_GUID.findall(text))

    def _environments(self, facts: Mapping[str, DomainFacts], tenants: Sequence[TenantFacts]) -> Iterator[ErpHost]:
        """The environments that a person named, but for those that were written and taken out by a person."""
        there = {name for file in self._files.values() for name in file.hosts}
        catalogues = Catalogues()
        for one in answered_environments(self.answers):
            if one.name not in there and _host_key(one.name) in self._written:
                continue
            home = self._home(one.domain)
            names = [*(self._files[home].entries if home in self._files else ()), *facts]
            shared = {
                "mail_dns_domains": {name: {} for name in names if self._home(name) == home},
                "erp_mail_catalogue_services": self._services,
            }
            completed = completed_answer(one, tenants, self._catalogue)
            host = judged_host(one, completed.variables, shared, catalogues)
            host.is_new, host.notes = one.name not in there, completed.notes
            if completed.reason:
                host.refuse(completed.reason)
            if host.needs is not None:
                fault = self._misplaced(host) or environment_fault(one.name, host.needs, facts, self._services)
                host.refuse(fault) if fault else None
            yield host

    def _misplaced(self, host: ErpHost) -> str | None:
        """Why an environment cannot be put in beside what a person has written."""
        domain = host.environment.domain
        if host.is_new and self._group(domain) is None:
            return f"{self._home(domain)} has no hosts of one per line that it could be put behind"
        known = self._known(domain)
        listed = _listed(known[1].declared) if known and isinstance(known[1].declared, dict) else []
        clash = [one for one in listed if one in covered_selectors(host, domain)]
        if clash and not self._is_untouched(domain):
            return f"take {', '.join(clash)} out of unexplained of {domain} first, whose entry was edited by hand"
        return None

    def _new_hosts(self, environments: Iterable[ErpHost]) -> dict[Path, list[tuple[str, list[str]]]]:
        """The lines of environments that the inventory does not have, each with its group, by file."""
        found: dict[Path, list[tuple[str, list[str]]]] = {}
        for one in environments:
            if one.is_new and one.needs is not None:
                domain = one.environment.domain
                lines = host_lines(one, f"as answered: {erp_question(domain)}, {self._today}")
                found.setdefault(self._home(domain), []).append((str(self._group(domain)), lines))
                self._written[_host_key(one.name)] = entry_digest(lines)
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


def group_name(customer: str | None) -> str:
    """The name of a customer's group and file.

    :param customer: its name, None for domains that are no customer's
    """
    if customer is None:
        return _OURS
    plain = unicodedata.normalize("NFKD", customer).encode("ascii", "ignore").decode().lower()
    found = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return found if found and found[0].isalpha() and found not in (*_TAKEN, _OURS) else f"customer_{found}"


def _is_application(what: str) -> bool:
    return what.startswith("entra ")


def _host_key(name: str) -> str:
    """What tells in the list of what was written that a host was; no domain has such a name."""
    return f"host {name}"


def _listed(declared: Mapping[str, Any]) -> list[str]:
    """What an entry lists as unexplained, whatever a person has made of it."""
    items = declared.get("unexplained")
    return [str(one.get("what")) for one in items if isinstance(one, dict)] if isinstance(items, list) else []


def _bare(lines: Iterable[str]) -> list[str]:
    return [line.strip() for line in lines]


def _without_comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
