# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What receivers reported per day: messages that passed stand above the line, those that failed hang below it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.svg_parts import drawing, path, text_at
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import DmarcDay
from markupsafe import Markup

_MOST_DAYS = 92
"""So many days are drawn, the latest ones."""

_LEFT = 6
_WIDTH = 306
_ROOM = 60
"""Pixels above the line, and below it: both sides have one scale."""

_LINE = 22 + _ROOM
_HEIGHT = _LINE + _ROOM + 40
_LEAST = 2
"""Pixels of a bar of one message among thousands: it must be seen."""


def evidence_plot_svg(days: Sequence[DmarcDay], words: Mapping[str, str]) -> Markup:
    """Draw the days.

    :param days: in any order; a day without a report leaves a gap
    :param words: the section ``plot`` of the words
    """
    shown = sorted(days, key=lambda one: one.day)[-_MOST_DAYS:]
    dates = [datetime.date.fromisoformat(one.day) for one in shown if _is_day(one.day)]
    if not dates or len(dates) != len(shown):
        return Markup("")
    most = max(*(one.pass_ for one in shown), *(one.fail for one in shown), 1)
    span = min((dates[-1] - dates[0]).days + 1, 4 * _MOST_DAYS)
    label = words["label"].format(
        first=shown[0].day,
        last=shown[-1].day,
        passed=sum(one.pass_ for one in shown),
        failed=sum(one.fail for one in shown),
    )
    offsets = [min((date - dates[0]).days, span - 1) for date in dates]
    parts = [*_bars(shown, offsets, span, most), *_texts(shown, most, words)]
    return drawing(_LEFT * 2 + _WIDTH, _HEIGHT, label, parts, "plot")


def _bars(days: Sequence[DmarcDay], offsets: Sequence[int], span: int, most: int) -> Iterator[Markup]:
    slot = _WIDTH / span
    wide = max(min(slot * 0.7, 12), 0.7)
    up = [_bar(_LEFT + at * slot, -_length(one.pass_, most), wide) for one, at in zip(days, offsets, strict=True)]
    down = [_bar(_LEFT + at * slot, _length(one.fail, most), wide) for one, at in zip(days, offsets, strict=True)]
    yield path("".join(up) or "M0 0", "passed")
    yield path("".join(down) or "M0 0", "failed")
    yield path(f"M0 {_LINE}h{_WIDTH + 2 * _LEFT}", "axis")


def _bar(x: float, height: float, wide: float) -> str:
    return f"M{x:.4g} {_LINE}h{wide:.3g}v{height:.3g}h-{wide:.3g}z" if height else ""


def _length(count: int, most: int) -> float:
    return max(count * _ROOM / most, _LEAST) if count > 0 else 0


def _texts(days: Sequence[DmarcDay], most: int, words: Mapping[str, str]) -> Iterator[Markup]:
    yield text_at(_LEFT, 14, words["above"].format(most=most))
    yield text_at(_LEFT, _LINE + _ROOM + 14, words["below"])
    yield text_at(_LEFT, _HEIGHT - 6, f"{days[0].day} - {days[-1].day}", "small")


def _is_day(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
