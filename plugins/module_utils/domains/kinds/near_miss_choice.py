# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What becomes of TXT values that are nearly records of a kind when a record of that kind is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset, values_of
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import txt_change
from ansible_collections.mailroom.erp.plugins.module_utils.policy.near_misses import NearMiss
from ansible_collections.mailroom.erp.plugins.module_utils.problem import (
    Option,
    Problem,
    Refused,
    WayOut,
    rule_and_source,
    shown,
)

_REPLACE = (
    Option("spf.near_miss: replace"),
    Option("dkim.near_miss: replace"),
    Option("dmarc.near_miss: replace"),
    Option("tls_rpt.near_miss: replace"),
    Option("mta_sts.near_miss: replace"),
)
_KEEP = (
    Option("spf.near_miss: keep"),
    Option("dkim.near_miss: keep"),
    Option("dmarc.near_miss: keep"),
    Option("tls_rpt.near_miss: keep"),
    Option("mta_sts.near_miss: keep"),
)


def _of(kind: str, options: tuple[Option, ...]) -> Option:
    return next(option for option in options if option.text.startswith(f"{kind}."))


@dataclass(frozen=True, slots=True)
class RecordValues:
    """The TXT values of one name, as a recipe of a kind sees them.

    ``subject`` is the domain that asks, ``name`` the owner name, ``found`` what is there, ``ours`` tells records of the
    kind, ``near`` those that are nearly one. ``choice`` is the option: "refuse" a new record beside a near miss,
    "replace" the near miss, or "keep" it. ``kind`` is the option of ``mail_domains`` that the records belong to.
    """

    subject: str
    name: str
    found: RRset | None
    ours: Callable[[str], bool]
    near: NearMiss
    choice: str
    kind: str

    @property
    def records(self) -> list[str]:
        """The records of the kind."""
        return [value for value in values_of(self.found) if self.ours(value)]

    @property
    def misses(self) -> dict[str, str]:
        """The values that are nearly one, each with the sentence that says why receivers ignore it."""
        told = {value: self.near(value) for value in values_of(self.found)}
        return {value: sentence for value, sentence in told.items() if sentence is not None}

    @property
    def before(self) -> str | None:
        """What a change is about, for a person: the records, and what goes with them."""
        return " | ".join(value for value in values_of(self.found) if self._is_changed(value)) or None

    def change(self, ttl: int | None, after: str | None) -> Change | None:
        """The change that makes ``after`` the only record; None when it is so already.

        :param ttl: asked for, in seconds; None keeps what is there
        :raises Refused: a first record would stand beside a near miss, and nobody said what shall become of it
        """
        if after is not None and not self.records and self.choice == "refuse" and self.misses:
            raise Refused([self._refusal(value, sentence) for value, sentence in self.misses.items()])
        mine = [value for value in values_of(self.found) if self._is_changed(value)]
        return txt_change(self.name, ttl, self.found, mine, after, self._is_changed)

    def warnings(self) -> list[str]:
        """One sentence per near miss, for a person who looks at the change."""
        end = "; it is taken away" if self.choice == "replace" else ""
        return [f"{self.name}: {shown(value)} {sentence}{end}" for value, sentence in self.misses.items()]

    def _is_changed(self, value: str) -> bool:
        return self.ours(value) or (self.choice == "replace" and self.near(value) is not None)

    def _refusal(self, value: str, sentence: str) -> Problem:
        rule, source = rule_and_source(sentence, "docs/verdicts.md")
        way_out = WayOut(
            (
                "Have the new record take its place with ",
                _of(self.kind, _REPLACE),
                ", which takes nothing of it over; or have it stay beside the new one with ",
                _of(self.kind, _KEEP),
                "; or correct it in the zone.",
            )
        )
        rule = f"it {rule}; a new record would stand beside it"
        return Problem(self.subject, f"TXT value at {self.name}", value, rule, source, way_out)
