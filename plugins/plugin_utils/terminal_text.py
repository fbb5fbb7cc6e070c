# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Text that a person reads in a terminal: lines of a limited width, and counts of results."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable

from ansible.errors import AnsibleFilterError

_RESULTS = ("pass", "fail", "unknown")


def check_width(table: str, width: int, narrowest: int) -> None:
    """See that a table's lines may be long enough.

    :param table: the name of the filter
    :param width: the longest line that is asked for, in characters
    :param narrowest: the least that the table needs, in characters
    :raises AnsibleFilterError: they may not
    """
    if width < narrowest:
        raise AnsibleFilterError(f"{table}: width {width} is less than {narrowest} characters")


def wrapped(beginning: str, text: str, width: int) -> str:
    """One value; continuation lines stand below its first character. Words are never broken.

    :param beginning: what stands before it in the first line
    :param text: the value
    :param width: the longest line, in characters
    :returns: one or more lines, without a newline at the end
    """
    return textwrap.fill(
        text,
        width=width,
        initial_indent=beginning,
        subsequent_indent=" " * len(beginning),
        break_long_words=False,
        break_on_hyphens=False,
    )


def counted_results(results: Iterable[str]) -> str:
    """Count results, e.g. "2 pass, 0 fail, 1 unknown".

    :param results: pass, fail or unknown
    """
    count = Counter(results)
    return ", ".join(f"{count[result]} {result}" for result in _RESULTS)
