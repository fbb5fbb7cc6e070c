# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that somebody has spoilt, and the way of one zone through reading, planning and writing."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from ansible_collections.mailroom.erp.tests.fuzz.odd_json import ODD_STATUSES, ODD_WAITS, odd_bytes, oddly
from ansible_collections.mailroom.erp.tests.servers.faulty_api import Answer
from ansible_collections.mailroom.erp.tests.unit.dns.cloudflare_acts import APEX, NEW, ZONE

MOST_REQUESTS = 400
"""Of one look or one write, whatever is answered."""
MOST_SECONDS = 10.0

Spoil = Callable[[str, str, Answer], Answer]
"""Takes method, path and answer."""


class Work:
    """One zone on its way through the loop that writes, with what a journal would be told."""

    def __init__(self, provider: Any) -> None:
        self.provider, self.zone, self.account = provider, ZONE, {"provider": "a service"}
        self.failure: str | None = None
        self.journal: list[str] = []
        self.plan()

    def plan(self) -> None:
        state = self.provider.read(ZONE, [APEX])
        found = state.rrsets.get(APEX)
        others = [one for one in found.values if not one.startswith("v=spf1")] if found else []
        after = RRset(*APEX, 600, tuple(sorted([NEW, *others])))
        self.token = state.token
        self.changes = [] if found == after else [Change(found, after)]

    def note_written(self) -> None:
        self.journal.append("written")

    def fail(self, reason: str) -> None:
        self.failure = reason

    def keep(self, *_kept: Any) -> None:
        self.journal.append("kept")

    def drop(self, *_dropped: Any) -> None:
        self.journal.append("dropped")

    def applied(self, *_applied: Any) -> None:
        self.journal.append("applied")

    def failed(self, account: Mapping[str, Any], zone: str, changes: Sequence[Change], reason: str) -> None:
        self.journal.append("failed")


def spoiler(chance: random.Random, number: int) -> tuple[Spoil, list[int]]:
    """Spoil the answer of this number and, now and then, those after it; the list counts them."""
    spoilt = [0]
    seen = [0]
    onwards = chance.random() < 0.2

    def spoil(_method: str, _path: str, answer: Answer) -> Answer:
        seen[0] += 1
        if seen[0] != number and not (onwards and seen[0] > number):
            return answer
        spoilt[0] += 1
        headers = dict(answer.headers)
        kind = chance.random()
        if kind < 0.1:
            return Answer(answer.status, odd_bytes(answer.body, chance), headers)
        status = answer.status if kind < 0.8 else chance.choice(ODD_STATUSES)
        if status == 429:
            headers["retry-after"] = chance.choice(ODD_WAITS).encode().decode("latin-1")
        return Answer(status, oddly(answer.body, chance), headers)

    return spoil, spoilt
