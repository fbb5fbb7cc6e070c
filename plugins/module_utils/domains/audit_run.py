# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What is true about domains and senders, on live or planned records; nothing is ever written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key
from ansible_collections.mailroom.erp.plugins.module_utils.domains.audit import Audit, audit, audited_names
from ansible_collections.mailroom.erp.plugins.module_utils.domains.guard import in_words_of
from ansible_collections.mailroom.erp.plugins.module_utils.domains.inventory_words import domains_of_inventory
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import read_name, read_selector
from ansible_collections.mailroom.erp.plugins.module_utils.domains.progress import Progress
from ansible_collections.mailroom.erp.plugins.module_utils.domains.sender_option import read_senders
from ansible_collections.mailroom.erp.plugins.module_utils.domains.two_processes import each_in_two
from ansible_collections.mailroom.erp.plugins.module_utils.domains.world import world_of
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.verdict import Judge, Verdict
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused, RuleSource
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver import Resolver

_RULES = RuleSource("documentation of mailroom.erp.mail_auth_info")


def inform(params: Mapping[str, Any]) -> Result:
    """Audit domains and judge senders.

    :param params: the parameters of ``mail_auth_info``
    :returns: ``domains``, ``verdicts`` and ``summary`` as the module documents them
    :raises Refused: with everything that is wrong with the parameters
    :raises MissingLibrary: a library for looking names up or for verdicts is not installed
    """
    problems: list[Problem] = []
    senders = read_senders(params.get("senders") or [], problems)
    domains = _read_domains(params.get("domains") or [], problems)
    overlay = _read_planned(params.get("planned") or [], problems)
    if problems:
        raise Refused(problems)
    resolver = Resolver(params.get("resolver"), overlay)
    world = world_of(resolver)
    judge = Judge(world.lookup, exists=world.exists)
    selectors = {domain: [*own, *_signed_by(senders, domain)] for domain, own in domains.items()}
    progress = Progress(params.get("progress_file"))

    inventory = domains_of_inventory(params)

    def look(domain: str) -> Audit:
        return audit(domain, selectors[domain], world)

    def judged(sender: Sender) -> Verdict:
        return in_words_of(inventory, judge.verdict(sender))

    threads = params.get("concurrency") or 16
    resolver.look_ahead([key for domain in domains for key in audited_names(domain, selectors[domain])], threads * 4)
    threads = threads if resolver.asks else 1  # files are not waited for
    audits = each_in_two("domains audited", look, list(domains), threads, progress)
    verdicts = each_in_two("senders judged", judged, senders, threads, progress)
    return {
        "domains": [asdict(one) for one in audits],
        "verdicts": [verdict.as_dict() for verdict in verdicts],
        "summary": _summary(audits, verdicts),
    }


def _summary(audits: Iterable[Audit], verdicts: Iterable[Verdict]) -> Result:
    levels = Counter(finding.level for one in audits for finding in one.findings)
    results = Counter(verdict.result for verdict in verdicts)
    return {
        "faults": levels["fault"],
        "concerns": levels["concern"],
        "senders": {result: results[result] for result in ("pass", "fail", "unknown")},
    }


def _signed_by(senders: Iterable[Sender], domain: str) -> list[str]:
    signatures = [sender.signature for sender in senders if sender.signature and sender.signature.domain == domain]
    return [selector for signature in signatures for selector in signature.selectors]


def _read_domains(entries: Iterable[object], problems: list[Problem]) -> dict[str, list[str]]:
    """The domains as A-labels, each with the selectors that were given for it."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        known = {"domain": entry} if isinstance(entry, str) else entry
        if not isinstance(known, Mapping) or not set(known) <= {"domain", "selectors"} or "domain" not in known:
            rule = "each domain is a name, or a dictionary with domain and selectors"
            problems.append(_RULES.problem("domains", "entry", None, rule, "Mend the entry."))
            continue
        subject = str(known["domain"])
        name = read_name(subject, "domains", subject, "Correct the name.", problems)
        selectors = [read_selector(subject, "selectors", str(one), problems) for one in known.get("selectors") or []]
        if name is not None:
            found.setdefault(name, []).extend(selectors)
    return found


def _read_planned(entries: Iterable[Mapping[str, Any]], problems: list[Problem]) -> dict[Key, tuple[str, ...]]:
    found: dict[Key, tuple[str, ...]] = {}
    for entry in entries:
        name = read_name(str(entry["name"]), "planned", str(entry["name"]), "Correct the name.", problems)
        if name is not None:
            found[(name, str(entry["type"]).upper())] = tuple(str(value) for value in entry["values"])
    return found
