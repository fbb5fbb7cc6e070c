# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The colours of all pages, on a light and on a dark ground."""

from __future__ import annotations

from collections.abc import Mapping

COLOURS = {
    "light": {
        "ink": "#1b1f24",
        "paper": "#ffffff",
        "quiet": "#4a5059",
        "line": "#8a919c",
        "field": "#eef2f7",
        "mark": "#0b5a2b",
    },
    "dark": {
        "ink": "#e8ebef",
        "paper": "#14171b",
        "quiet": "#b4bbc6",
        "line": "#79818d",
        "field": "#262c34",
        "mark": "#7fdca0",
    },
}
"""Text is ink, quiet or mark, on paper or field: each pair has a contrast of at least 4.5 (WCAG 2.2, 1.4.3)."""


def colour_variables(colours: Mapping[str, str]) -> str:
    """Colours as CSS custom properties.

    :param colours: hexadecimal, by name
    """
    return " ".join(f"--{name}: {value};" for name, value in colours.items())
