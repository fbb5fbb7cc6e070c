# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""All environments that sign in with a password that their service ends, by date, with what each ERP moves to."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.grouped_messages import (
    Message,
    grouped,
    template_of,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.password_text import end_date, move_text, password_end_text


@dataclass(frozen=True, slots=True)
class SameMove:
    """The environments that move alike: the sentence without their names, and what is told of them."""

    template: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """What one service ends: the date of its first step (YYYY-MM-DD, YYYY-MM or unknown), the clause that tells of all
    its steps, the environments, and how they move."""

    date: str
    service: str
    text: str
    environments: tuple[str, ...]
    moves: tuple[SameMove, ...]

    def as_dict(self) -> dict[str, Any]:
        """The entry as the result of ``erp_environments`` has it."""
        return {"date": self.date, "service": self.service, "text": self.text, "environments": [*self.environments]}


def password_calendar(needs: Mapping[str, Mapping[str, Any]], today: datetime.date) -> list[CalendarEntry]:
    """Put the environments whose password ends in the order of the dates.

    :param needs: what ``environment_needs`` gave, by host
    :param today: the day to tell it for
    """
    groups: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for host, own in needs.items():
        end = own.get("password_end")
        if end:
            # the text is the service and its dates: hosts may have catalogues of their own
            groups.setdefault((end_date(end), password_end_text(end, today)), {})[host] = end
    # "unknown" is greater than every digit, so it comes last
    return [_entry(date, text, groups[date, text]) for date, text in sorted(groups)]


def _entry(date: str, text: str, ends: Mapping[str, Mapping[str, Any]]) -> CalendarEntry:
    alike: dict[str, list[Message]] = {}
    for host, end in ends.items():
        message = Message(host, f"{host}: {move_text(end)}", kind="environment")
        alike.setdefault(template_of(message), []).append(message)
    moves = tuple(SameMove(template, tuple(grouped(messages))) for template, messages in alike.items())
    service = next(iter(ends.values()))["service"]
    return CalendarEntry(date, service, text, tuple(ends), moves)
