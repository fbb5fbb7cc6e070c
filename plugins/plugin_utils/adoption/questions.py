# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The questions that adopt leaves, as one file that is part of the inventory, and the answers in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused, RuleSource
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.answers import Answers, is_erp_question
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.claims import OPEN_RISKS, Finding, OpenRisk
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.yaml_values import load_written, yaml_flow

QUESTIONS_FILE = "questions.yml"
_ASKED, _ANSWERED, _WRITTEN = "mail_adopt_questions", "mail_adopt_answers", "mail_adopt_written"
_RULES = RuleSource("docs/adopt.md")
_HEAD = """---
# What mailroom.erp.adopt could not tell, the greatest risk first. Write behind `answer:` the name of a service of the
# catalogue (or a list of them), keep (it is ours, and declared as it is) or drop (not listed any more); one answer for
# all domains, or {domain: answer}. What a question itself says of its answers goes before that. Then run adopt again.
# Only adopt reads this file.
all:
  vars:
"""
_WHAT_IS = {
    "spf": "Who sends by this SPF term?",
    "dkim": "Who signs with this selector?",
    "cname": "Does this service send as the domain?",
    "mx": "Who takes the domain's mail there?",
    "dmarc": "What is this for?",
    "mta_sts": "Who serves the policy?",
    "tls_rpt": "Who reads these reports?",
    "entra": "Which ERP sends with this application? Name it in the answer to erp <domain>, or answer keep or drop.",
}


@dataclass(slots=True)
class AdoptionQuestion:
    """One question, for all domains that have it. ``answered`` tells whether an answer can be written into the file."""

    what: str
    risk: OpenRisk
    text: str
    candidates: tuple[str, ...]
    domains: list[str] = field(default_factory=list)
    takes_answer: bool = True
    messages: int = 0


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """What the file of the last run says: answers, the domains of each question, and the digests of the entries as they
    were written."""

    answers: Answers = field(default_factory=Answers)
    asked: Mapping[str, list[str]] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)


def questions_of(findings: Iterable[tuple[str, Finding]]) -> list[AdoptionQuestion]:
    """Put the findings of all domains together: those with the greatest risk first, then those with the most mail.

    :param findings: each with its domain
    """
    found: dict[str, AdoptionQuestion] = {}
    for domain, one in findings:
        text = one.question or _WHAT_IS[one.what.partition(" ")[0]]
        takes = one.listed or one.what == "spf none" or is_erp_question(one.what)
        known = found.setdefault(one.what, AdoptionQuestion(one.what, one.risk, text, one.candidates, [], takes))
        known.domains.append(domain)
        known.messages += one.messages
    return sorted(
        found.values(), key=lambda one: (OPEN_RISKS.index(one.risk), -one.messages, -len(one.domains), one.what)
    )


def read_questions(folder: Path) -> QuestionFile:
    """Read the file of the last run.

    :param folder: of the inventory
    :raises Refused: it is there and cannot be read
    """
    file = folder / QUESTIONS_FILE
    try:
        content = load_written(file.read_text(encoding="utf-8"))
        known: Any = content["all"]["vars"]
        asked = known.get(_ASKED) or []
        given = {one["what"]: one.get("answer") for one in asked}
        answers = {**(known.get(_ANSWERED) or {}), **{what: one for what, one in given.items() if one is not None}}
        domains = {one["what"]: list(one.get("domains") or []) for one in asked}
        return QuestionFile(Answers(answers), domains, dict(known.get(_WRITTEN) or {}))
    except FileNotFoundError:
        return QuestionFile()
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        rule = f"it is not as adopt writes it ({type(error).__name__})"
        way_out = "Mend it, or move it away: then all is asked again, and no entry that is there is changed."
        raise Refused(_RULES.problem("adopt", "mail_adopt_dir", str(file), rule, way_out)) from None


def questions_text(questions: Iterable[AdoptionQuestion], answers: Answers, written: Mapping[str, str]) -> str:
    """The text of the file.

    :param questions: in their order
    :param answers: those that were given; they hold for domains to come as well
    :param written: the digests of the entries as they are written, by domain
    """
    questions = list(questions)
    lines = [f"    {_ASKED}:" if questions else f"    {_ASKED}: []"]
    for one in questions:
        lines.append(f"      - what: {yaml_flow(one.what)}")
        lines.append(f"        risk: {one.risk}")
        lines.append(f"        question: {yaml_flow(one.text)}")
        lines.append(f"        domains: {yaml_flow(sorted(one.domains))}")
        lines += [f"        messages: {one.messages}"] if one.messages else []
        lines += [f"        may_be: {yaml_flow(list(one.candidates))}"] if one.candidates else []
        answer = answers.given.get(one.what)
        lines += [f"        answer:{'' if answer is None else ' ' + yaml_flow(answer)}"] if one.takes_answer else []
    left = {what: answer for what, answer in answers.given.items() if what not in {one.what for one in questions}}
    lines.append(f"    {_ANSWERED}: {yaml_flow(left)}")
    lines.append(f"    {_WRITTEN}: {yaml_flow(dict(sorted(written.items())))}")
    return _HEAD + "\n".join(lines) + "\n"
