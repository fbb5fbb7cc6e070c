# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS as a table, for tests: answers what stands in it, fails where it is told to, and notes what was asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved


class Table:
    """A Lookup over (name, type) -> values.

    :param txt: TXT values by name; one value may be given as a str
    :param failing: names whose look-ups time out
    :param others: other types: {(name, type): values}
    """

    def __init__(
        self,
        txt: Mapping[str, str | tuple[str, ...]] | None = None,
        failing: Iterable[str] = (),
        others: Mapping[tuple[str, str], tuple[str, ...]] | None = None,
    ) -> None:
        self.answers = dict(others or {})
        for name, value in (txt or {}).items():
            self.answers[(name, "TXT")] = (value,) if isinstance(value, str) else value
        self.failing = set(failing)
        self.asked: list[tuple[str, str]] = []

    def __call__(self, name: str, kind: str) -> tuple[str, ...]:
        self.asked.append((name, kind))
        if name in self.failing:
            raise Unresolved(f"{name} {kind}: timed out")
        return self.answers.get((name, kind), ())

    @property
    def names(self) -> list[str]:
        """The names asked for TXT, in order."""
        return [name for name, kind in self.asked if kind == "TXT"]
