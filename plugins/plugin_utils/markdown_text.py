# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Text in Markdown, so that no sign of it is taken for one of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SIGNS = re.compile(r"[\\`*\[\]<]|^[#>+-]")


def markdown_plain(text: str) -> str:
    """Ordinary text: no link, box or HTML comes of it.

    :param text: one line
    """
    return _SIGNS.sub(r"\\\g<0>", text)


def markdown_code(text: str) -> str:
    """Text as it must be typed.

    :param text: one line
    """
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{fence}{space}{text}{space}{fence}"


def markdown_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table, without an end of line at its end.

    :param head: the titles of its columns
    :param rows: the cells of each row, as Markdown
    """
    names = [_cell(name) for name in head]
    lines = [names, ["---"] * len(names), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
