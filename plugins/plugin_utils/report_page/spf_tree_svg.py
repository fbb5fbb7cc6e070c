# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""An SPF record as a tree with what each term costs, below the budget of all (RFC 7208 section 4.6.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.svg_parts import (
    box,
    drawing,
    path,
    shortened,
    text_at,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import SpfReport, SpfTreeReport
from markupsafe import Markup

_ROW = 24
_INDENT = 20
_CELL = 24
_MOST_CELLS = 24
_TOP = 44
"""The height of the budget, above the tree."""
_CHARACTER = 7.9
"""The width of a character of the monospaced font at 13 pixels, rounded up."""
_MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the tree: the row of its parent, -1 without one, and how deep it stands."""

    text: str
    lookups: int | None
    depth: int
    parent: int


def spf_tree_svg(spf: SpfReport, words: Mapping[str, str]) -> Markup:
    """Draw the budget and the tree.

    :param spf: with its tree; without one nothing is drawn
    :param words: the section ``spf`` of the words
    """
    if spf.tree is None or spf.lookups is None:
        return Markup("")
    rows = list(_rows(spf.tree))[:_MOST_ROWS]
    widest = max(row.depth * _INDENT + _CHARACTER * len(_label(row)) for row in rows)
    width = max(widest, _CELL * _cells(spf.lookups, spf.limit)) + 12
    label = f"{words['tree_of']} {spf.tree.domain}, {spf.lookups} / {spf.limit}: {_in_words(rows)}"
    parts = [*_budget(spf.lookups, spf.limit), *_lines(rows), *_texts(rows)]
    return drawing(width, _TOP + _ROW * len(rows) + 4, label, parts, "tree")


def _rows(tree: SpfTreeReport) -> Iterator[_Row]:
    yield _Row(tree.domain, None, 0, -1)
    yield from _below(tree, 1, 0, [1])


def _below(tree: SpfTreeReport, depth: int, parent: int, count: list[int]) -> Iterator[_Row]:
    for one in tree.terms:
        own = count[0]
        count[0] += 1
        yield _Row(one.term, one.lookups, depth, parent)
        if one.tree is not None:
            yield from _below(one.tree, depth + 1, own, count)


def _in_words(rows: list[_Row]) -> str:
    return "; ".join(f"{row.text} {row.lookups}" for row in rows[1:])


def _cells(lookups: int, limit: int) -> int:
    return min(max(lookups, limit), _MOST_CELLS)


def _budget(lookups: int, limit: int) -> Iterator[Markup]:
    """A cell for each lookup that is allowed, and for each that is too many, behind the line."""
    for number in range(_cells(lookups, limit)):
        kind = "over" if number >= limit and number < lookups else "used" if number < lookups else "free"
        yield box(number * _CELL + 1, 3, _CELL - 4, 20, kind)
        if kind == "over":
            x = number * _CELL + 1
            yield path(f"M{x + 5} 8l10 10m0 -10l-10 10", "cross")
    x = min(limit, _MOST_CELLS) * _CELL - 1
    yield path(f"M{x} 0v27", "limit")


def _lines(rows: list[_Row]) -> Iterator[Markup]:
    steps = [
        f"M{(row.depth - 1) * _INDENT + 6} {_middle(row.parent) + 9}V{_middle(number)}h{_INDENT - 10}"
        for number, row in enumerate(rows)
        if row.parent >= 0
    ]
    if steps:
        yield path("".join(steps), "branch")


def _texts(rows: list[_Row]) -> Iterator[Markup]:
    for number, row in enumerate(rows):
        kind = "root" if row.parent < 0 else ""
        yield text_at(row.depth * _INDENT, _middle(number) + 4, _label(row), kind)


def _label(row: _Row) -> str:
    return shortened(row.text) if row.lookups is None else f"{row.lookups} · {shortened(row.text)}"


def _middle(number: int) -> int:
    return _TOP + number * _ROW + _ROW // 2
