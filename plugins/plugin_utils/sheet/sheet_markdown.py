# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The sheet as Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.mailroom.erp.plugins.plugin_utils.markdown_text import (
    markdown_code,
    markdown_plain,
    markdown_table,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_content import (
    Inline,
    ListItem,
    Sheet,
    SheetSection,
    write_inline,
)


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
    return markdown_table(head, ([_text(cell) for cell in row] for row in rows))


def _text(parts: Inline) -> str:
    return write_inline(parts, markdown_plain, markdown_code, lambda text: f"**{markdown_plain(text)}**")
