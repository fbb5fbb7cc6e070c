# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The parts that pictures are drawn of: SVG by hand, everything from a report escaped."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls
from markupsafe import Markup, escape

_LONGEST = 60
"""Characters of a text in a picture: a line of SVG does not wrap."""


def drawing(width: float, height: float, label: str, parts: Iterable[Markup], kind: str) -> Markup:
    """A picture; a screen reader reads its label.

    :param width: in CSS pixels at its natural size
    :param height: likewise
    :param label: what the picture tells, in words
    :param kind: its CSS class
    """
    head = '<svg class="{0}" role="img" aria-label="{1}" width="{2:g}" height="{3:g}" viewBox="0 0 {2:g} {3:g}">'
    return Markup(head).format(kind, escape_controls(label), width, height) + Markup("").join(parts) + Markup("</svg>")


def text_at(x: float, y: float, text: str, kind: str = "") -> Markup:
    """A text; a long one is cut in the middle, and whole in its tooltip.

    :param x: where it begins
    :param y: its base line
    :param kind: its CSS class
    """
    plain, shown = escape_controls(text), shortened(text)
    title = Markup("<title>{}</title>").format(plain) if shown != plain else ""
    named = Markup(' class="{}"').format(kind) if kind else ""
    return Markup('<text x="{:g}" y="{:g}"{}>{}{}</text>').format(x, y, named, shown, title)


def shortened(text: str) -> str:
    """A text that fits into a picture.

    :param text: of any length
    """
    plain = escape_controls(text)
    if len(plain) <= _LONGEST:
        return plain
    half = _LONGEST // 2
    return f"{plain[:half]}…{plain[1 - half :]}"


def box(x: float, y: float, width: float, height: float, kind: str) -> Markup:
    """A rectangle.

    :param x: its left
    :param y: its top
    :param kind: its CSS class
    """
    rectangle = '<rect class="{}" x="{:g}" y="{:g}" width="{:g}" height="{:g}"/>'
    return Markup(rectangle).format(kind, x, y, width, height)


def path(steps: str, kind: str) -> Markup:
    """A path.

    :param steps: the attribute ``d``
    :param kind: its CSS class
    """
    return Markup('<path class="{}" d="{}"/>').format(escape(kind), steps)
