# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The sheet as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_content import (
    Inline,
    ListItem,
    Sheet,
    SheetSection,
    write_inline,
)

_SIGNS = re.compile(r"[\\`*\[\]<]|^[#>+-]")


def markdown_sheet(sheet: Sheet) -> str:
    """Write the sheet as Markdown.

    :param sheet: what ``sheet_of`` made
    :returns: the text, ending in one newline; the same sheet gives the same bytes
    """
    parts = [f"# {sheet.title}", sheet.about]
    for section in sheet.sections:
        parts += _section(section)
    return "\n\n".join(parts) + "\n"


def _section(section: SheetSection) -> list[str]:
    parts = [f"## {section.title}"]
    parts += [_text(section.intro)] if section.intro else []
    if section.rows:
        parts.append(_table(section.head, section.rows))
    if section.items:
        parts.append("\n".join(line for item in section.items for line in _item(item)))
    return [*parts, _text(section.outro)] if section.outro else parts


def _item(item: ListItem) -> list[str]:
    box = "" if item.done is None else ("[x] " if item.done else "[ ] ")
    return [f"- {box}{_text(item.text)}", *(f"  {n}. {_text(step)}" for n, step in enumerate(item.steps, start=1))]


def _table(head: Iterable[str], rows: Iterable[tuple[Inline, ...]]) -> str:
    names = [_cell(name) for name in head]
    cells = [[_cell(_text(cell)) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in (names, ["---"] * len(names), *cells))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _text(parts: Inline) -> str:
    return write_inline(parts, _plain, _code, lambda text: f"**{_plain(text)}**")


def _plain(text: str) -> str:
    """Ordinary text, so that no sign of it is taken for Markdown, such as a link, a box or HTML."""
    return _SIGNS.sub(r"\\\g<0>", text)


def _code(text: str) -> str:
    """Text as it must be typed, so that no sign of it is taken for Markdown."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{fence}{space}{text}{space}{fence}"
