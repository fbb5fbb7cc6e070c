# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that somebody has spoilt, and the way of one zone through reading, planning and writing."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns import write_loop
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from ansible_collections.mailroom.erp.tests.fuzz.odd_json import ODD_STATUSES, ODD_WAITS, odd_bytes, oddly
from ansible_collections.mailroom.erp.tests.servers.faulty_api import Answer
from ansible_collections.mailroom.erp.tests.unit.dns.cloudflare_acts import APEX, NEW, SPF, ZONE

MOST_REQUESTS = 400
"""Of one look or one write, whatever is answered."""
MOST_SECONDS = 10.0

RECORDS = f"""\
@ 600 TXT "{SPF}"
@ 600 TXT "google-site-verification=abc"
@ MX 10 mail
mail A 192.0.2.1
www CNAME mail
sub NS ns.elsewhere.example.
_dmarc TXT "v=DMARC1; p=none"
"""
"""The zone of an account, beside another one."""

Spoil = Callable[[str, str, Answer], Answer]
"""Takes method, path and answer."""


def body_with(answer: Answer, **parts: Any) -> Answer:
    return Answer(answer.status, {**answer.body, **parts}, answer.headers)


def without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda item: {key: value for key, value in item.items() if key != name}


def clock_of(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> SimpleNamespace:
    """Time of a client, that is of these modules, which passes only while it waits."""
    now = SimpleNamespace(seconds=1000.0)

    def sleep(seconds: float) -> None:
        assert seconds >= 0
        now.seconds += seconds

    fake = SimpleNamespace(sleep=sleep, monotonic=lambda: now.seconds, time=time.time)
    for module in modules:
        monkeypatch.setattr(module, "time", fake)
    return now


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


@dataclass
class Ends:
    """How the ways of many zones ended, and what was told of those that were not even read."""

    counts: dict[str, int] = field(default_factory=lambda: {"read": 0, "refused": 0, "written": 0, "failed": 0})
    told: list[str] = field(default_factory=list)

    def go(self, set_out: Callable[[], Work]) -> Work | None:
        """Let one zone go its way. A write that fails has its line in the journal; None for a zone that is not read."""
        try:
            work = set_out()
            self.counts["read"] += 1
        except ProviderError as error:
            self.told.append(str(error))
            self.counts["refused"] += 1
            return None
        write_loop.write_zone(work, work.plan, work)
        self.counts["failed" if work.failure else "written"] += 1
        assert (work.failure is None) or work.journal[-1] == "failed", work.journal
        return work

    def look(self) -> None:
        """Each end was met, and each text is one that names the zone and that a person can read."""
        assert all(self.counts.values()), self.counts
        assert [text for text in self.told if ZONE not in text or not text.isprintable()] == []


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
