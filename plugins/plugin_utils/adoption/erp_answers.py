# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Which ERP environments a person named as senders of a domain, and what is wrong with such an answer."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, RuleSource
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.answers import (
    DROP,
    NOBODY,
    Answers,
    is_erp_question,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.recognition import ErpWay
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.host_declaration import DECLARED_IN

_RULES = RuleSource("docs/adopt.md")
_VARIABLE = "mail_adopt_questions"
_KEYS = (
    "system",
    "transport",
    "service",
    "senders",
    "settings",
    "spf_terms",
    "dkim",
    "consent",
    "envelope_from",
    "probe_from",
)
"""What may be said of an environment: its variables without ``erp_mail_``, in the order in which they are written."""
_SENDER, _APPLICATION, _PASSWORD = "sender", "application", "password"
_MORE = (_SENDER, _APPLICATION, _PASSWORD)
_EXAMPLE = "{system: afas_profit, transport: afas_online, sender: erp@acme.example}"
_MOST_SHOWN = 2
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_REFERENCE = re.compile(r"\{\{[^{}]+\}\}")


@dataclass(frozen=True, slots=True)
class AnsweredEnvironment:
    """One environment of an answer: ``given`` is what was said of it; ``domain`` is what was asked about."""

    name: str
    domain: str
    given: Mapping[str, Any]

    @property
    def variables(self) -> dict[str, Any]:
        """The variables of its host; ``sender`` is short for the sender of the environment."""
        found = {DECLARED_IN[key]: self.given[key] for key in _KEYS if self.given.get(key) is not None}
        if self.given.get(_SENDER) is not None:
            senders = found.get("erp_mail_senders", {})
            if isinstance(senders, Mapping):
                found["erp_mail_senders"] = {"environment": self.given[_SENDER], **senders}
        return found

    @property
    def application(self) -> str | None:
        """The application of its tenant that it signs in with: its id or its name."""
        return None if self.given.get(_APPLICATION) is None else str(self.given[_APPLICATION])

    @property
    def password(self) -> str | None:
        """A reference to the secret of its transport."""
        return None if self.given.get(_PASSWORD) is None else str(self.given[_PASSWORD])


def environments_question(domain: str, ways: Sequence[ErpWay]) -> str:
    """The text of the question, with an answer to copy for each application, and one where there is none.

    :param domain: as A-labels
    :param ways: in which an ERP may send as it, those of applications first
    """
    shown = [*dict.fromkeys(ways)][:_MOST_SHOWN] or [ErpWay("afas_profit", "afas_online")]
    examples = " or ".join(_example(domain, way) for way in shown)
    return f"Which ERP environments send as this domain? Answer e.g. {examples}; or nobody."


def answered_environments(answers: Answers) -> Iterator[AnsweredEnvironment]:
    """The environments of all answers.

    :param answers: that :func:`wrong_erp_answers` has nothing against
    """
    for what, answer in answers.given.items():
        if is_erp_question(what) and isinstance(answer, Mapping):
            for name, given in answer.items():
                yield AnsweredEnvironment(str(name), what.partition(" ")[2], given)


def wrong_erp_answers(answers: Answers) -> Iterator[Problem]:
    """What is wrong with the answers about ERP environments. No value of an option is shown: it may be a secret.

    :param answers: all of them
    """
    seen: set[str] = set()
    for what, answer in answers.given.items():
        if not is_erp_question(what) or answer in (None, DROP, NOBODY):
            continue
        if not isinstance(answer, Mapping):
            rule = f"an answer is {NOBODY}, {DROP}, or the environments by name, each with what is known of it"
            way_out = (
                "Write e.g. {acme_profit: {system: afas_profit, transport: afas_online, sender: erp@acme.example}}."
            )
            yield _RULES.problem(what, _VARIABLE, None, rule, way_out)
            continue
        for name, given in answer.items():
            yield from _wrong_environment(what, str(name), given, seen)


def _example(domain: str, way: ErpWay) -> str:
    kind = way.system.partition("_")[2] or way.system
    name = re.sub(r"[^a-z0-9]+", "_", f"{domain.partition('.')[0]}_{kind}")
    application = f"application: {way.application}, " if way.application else ""
    sender = way.sender or f"erp@{domain}"
    return f"{{{name}: {{system: {way.system}, transport: {way.transport}, {application}sender: {sender}}}}}"


def _wrong_environment(what: str, name: str, given: Any, seen: set[str]) -> Iterator[Problem]:
    if not _NAME.fullmatch(name):
        rule = "the name of an environment is that of a host: letters, digits, dots, dashes and underscores"
        yield _RULES.problem(what, _VARIABLE, name, rule, "Name it e.g. acme_profit.")
    if name in seen:
        rule, way_out = (
            "two answers name this environment",
            "Give each its own name; one may have senders at many domains.",
        )
        yield _RULES.problem(what, _VARIABLE, name, rule, way_out)
    seen.add(name)
    if not isinstance(given, Mapping):
        rule = "it is a dictionary of what is known of it"
        yield _RULES.problem(what, f"{_VARIABLE}.{name}", None, rule, f"Write e.g. {_EXAMPLE}.")
        return
    for key in map(str, given):
        if key not in (*_KEYS, *_MORE):
            close = difflib.get_close_matches(key, [*_KEYS, *_MORE], n=1)
            way_out = f"Did you mean {close[0]}?" if close else f"Use one of: {', '.join([*_KEYS, *_MORE])}."
            yield _RULES.problem(
                what, f"{_VARIABLE}.{name}.{key}", None, "nothing of this name can be said of it", way_out
            )
    password = given.get(_PASSWORD)
    if password is not None and not _REFERENCE.fullmatch(str(password).strip()):
        rule = "a secret is never written into an answer; its value is not shown"
        way_out = "Leave it out, and a variable is named for it; or refer to yours: '{{ vault_profit_password }}'."
        yield _RULES.problem(what, f"{_VARIABLE}.{name}.{_PASSWORD}", None, rule, way_out)
