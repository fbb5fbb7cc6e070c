# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that a person reads in a terminal."""

from __future__ import annotations

import textwrap


def wrapped(beginning: str, text: str, width: int) -> str:
    """One value; continuation lines stand below its first character. Words are never broken.

    :param beginning: what stands before it in the first line
    :param width: the longest line, in characters
    """
    return textwrap.fill(
        text,
        width=width,
        initial_indent=beginning,
        subsequent_indent=" " * len(beginning),
        break_long_words=False,
        break_on_hyphens=False,
    )
