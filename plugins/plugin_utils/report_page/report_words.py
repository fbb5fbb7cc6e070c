# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The words of the page, one file per language, and how texts, days and moments are written in it."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.plain_yaml import load_yaml
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls
from markupsafe import Markup, escape

_FOLDER = Path(__file__).parent / "words"
LANGUAGES = ("en", "nl")
"""What the page can be written in; each has a file of words."""


@functools.cache
def report_words(language: str) -> Mapping[str, Any]:
    """The words of one language: sections of texts, some with placeholders in braces.

    :param language: one of ``LANGUAGES``
    """
    words: Any = load_yaml((_FOLDER / f"{language}.yml").read_text(encoding="utf-8"))
    return words  # type: ignore[no-any-return]


class PageTexts:
    """Writes what stands on a page.

    :param language: one of ``LANGUAGES``
    :param made: when the report was made (ISO 8601, UTC); days are counted from then
    """

    def __init__(self, language: str, made: str) -> None:
        self.words = report_words(language)
        self.language = language
        self._today = _day_of(made)

    def fill(self, text: str, **values: object) -> Markup:
        """Put values into a text of the words.

        :param text: with placeholders
        :param values: are escaped unless they are HTML already
        """
        plain = {name: shown_value(one) for name, one in values.items()}
        return Markup(escape(text)).format(**plain)

    def said(self, text: str) -> Markup:
        """A text of the report, which is English, marked as such; its lines stay lines."""
        lines = Markup("<br>").join(escape_controls(line) for line in text.splitlines())
        return lines if self.language == "en" else Markup('<span lang="en">{}</span>').format(lines)

    def day(self, text: str) -> Markup:
        """A day or a month, in words.

        :param text: YYYY-MM-DD or YYYY-MM; anything else is told as it is
        """
        return _time(text, self._long_day(text))

    def moment(self, text: str) -> Markup:
        """A moment, in words.

        :param text: ISO 8601, UTC; anything else is told as it is
        """
        try:
            when = datetime.datetime.fromisoformat(text)
        except ValueError:
            return escape(escape_controls(text))
        return _time(text, f"{self._long_day(when.date().isoformat())}, {when:%H:%M} UTC")

    def days_left(self, text: str) -> str:
        """How far a day is from the report's: "in 10 days"; empty where it is not known.

        :param text: YYYY-MM-DD; a month has no such number
        """
        day, when = _day_of(text), self.words["when"]
        if day is None or self._today is None:
            return ""
        days = (day - self._today).days
        if days in (0, 1, -1):
            return str(when[{0: "today", 1: "tomorrow", -1: "yesterday"}[days]])
        return str(when["in_days" if days > 0 else "days_ago"]).format(n=abs(days))

    def _long_day(self, text: str) -> str:
        year, _dash, rest = text.partition("-")
        month, _dash, day = rest.partition("-")
        try:
            found = datetime.date(int(year), int(month), int(day or 1))
        except ValueError:
            return escape_controls(text)
        name = self.words["months"][found.month - 1]
        return f"{found.day} {name} {found.year}" if day else f"{name} {found.year}"


def is_plain_text(value: object) -> bool:
    """Tell whether a value is a text that is not yet HTML.

    :param value: of any type
    """
    return isinstance(value, str) and not isinstance(value, Markup)


def shown_value(value: Any) -> Any:
    """What a template puts into the page, without control characters.

    :param value: of any type; HTML stays as it is
    """
    return escape_controls(value) if is_plain_text(value) else value


def _time(machine: str, person: str) -> Markup:
    if machine == person:
        return escape(escape_controls(person))
    return Markup('<time datetime="{}">{}</time>').format(escape_controls(machine), person)


def _day_of(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text[:10])
    except ValueError:
        return None
