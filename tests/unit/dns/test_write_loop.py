# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the loop that writes goes on: a service may use its patience up by letting it wait."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns import write_loop
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Conflict
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset, ZoneState

ZONE = "acme.example"


class Crowded:
    """A provider where somebody else is faster for some times, and a zone on its way there."""

    def __init__(self, conflicts: int) -> None:
        self.conflicts, self.attempts, self.round = conflicts, 0, 0
        self.provider, self.zone, self.token = self, ZONE, None
        self.failure: str | None = None
        self.account: Mapping[str, Any] = {}
        self.changes = [self._change()]

    def _change(self) -> Change:
        """Planned on what the others have just made of it, so never the same twice."""
        return Change(RRset(ZONE, "TXT", 600, (f"v=spf1 ip4:192.0.2.{self.round} ~all",)), None)

    def zone_of(self, name: str) -> str:
        return name

    def read(self, zone: str, keys: Collection[Key]) -> ZoneState:
        raise NotImplementedError

    def apply(self, zone: str, changes: Sequence[Change], token: object) -> None:
        self.attempts += 1
        if self.attempts <= self.conflicts:
            raise Conflict(f"zone {zone}: somebody else was faster")
        self.changes = []

    def replan(self) -> None:
        self.round += 1
        if self.changes:
            self.changes = [self._change()]

    def note_written(self) -> None:
        """Nothing is kept."""

    def fail(self, reason: str) -> None:
        self.failure = reason


@pytest.mark.parametrize(("conflicts", "attempts", "fails"), [(0, 1, False), (4, 5, False), (9, 5, True)])
def test_a_zone_has_five_attempts_however_long_they_take(
    monkeypatch: pytest.MonkeyPatch, conflicts: int, attempts: int, fails: bool
) -> None:
    monkeypatch.setattr(write_loop, "_PATIENCE", -1.0)
    work = Crowded(conflicts)
    write_loop.write_zone(work, work.replan, None)
    assert work.attempts == attempts
    assert (work.failure is not None) is fails


def test_a_zone_may_have_many_attempts_while_there_is_time() -> None:
    work = Crowded(30)
    write_loop.write_zone(work, work.replan, None)
    assert (work.attempts, work.failure) == (31, None)
