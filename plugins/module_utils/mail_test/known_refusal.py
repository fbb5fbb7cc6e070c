# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a known refusal is: how it is told apart, what causes it, what to do, and who says so on which day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.service_answer import ServiceAnswer

TEMPORARY = "Nobody can tell from this whether mail of {sender} will be accepted."

SENDER, DOMAIN, SIGN_IN = "sender", "domain", "sign_in"
RECIPIENT, MESSAGE, SERVICE, TRANSPORT = "recipient", "message", "service", "transport"
"""What a refusal is about. Only one about the sender's right to send shows that a scope is in force."""


@dataclass(frozen=True, slots=True)
class RefusalSource:
    """Where a refusal is described: a page, and the day on which it was read."""

    title: str
    url: str
    read_on: str = "2026-11-29"


@dataclass(frozen=True, slots=True)
class KnownRefusal:
    """One refusal.

    It is told by what is given: ``submission`` (smtp or graph), ``codes``, ``enhanced`` (a pattern for the whole code),
    ``words`` (a pattern somewhere in the text), ``stages``, ``auth`` (mechanisms of the task); or, where this side went
    no further, by its name alone. ``explanation`` and ``step`` name ``{sender}``, ``{user}``, ``{mailbox}``,
    ``{recipient}`` and ``{server}``.
    """

    name: str
    about: str
    explanation: str
    step: str
    source: RefusalSource
    submission: str = "smtp"
    codes: frozenset[int] = frozenset()
    enhanced: str = ""
    words: str = ""
    stages: tuple[str, ...] = ()
    auth: tuple[str, ...] = ()
    ours: bool = False

    def fits(self, submission: str, auth: str, answer: ServiceAnswer) -> bool:
        """Whether an answer is this refusal."""
        if self.ours or self.submission != submission:
            return False
        if (self.auth and auth not in self.auth) or (self.stages and answer.stage not in self.stages):
            return False
        if self.codes and answer.code not in self.codes:
            return False
        if self.enhanced and not re.fullmatch(self.enhanced, answer.enhanced or ""):
            return False
        return not self.words or re.search(self.words, answer.unmasked or answer.text, re.IGNORECASE) is not None

    def told(self, names: dict[str, str]) -> dict[str, Any]:
        """The return value ``cause``.

        :param names: what stands for the names in the sentences
        """
        return {
            "name": self.name,
            "about": self.about,
            "explanation": self.explanation.format(**names),
            "step": self.step.format(**names),
            "source": {"title": self.source.title, "url": self.source.url, "date": self.source.read_on},
        }
