# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Reckoning with what may not be known: True, False, or None for "it cannot be told"."""

from __future__ import annotations


def both(first: bool | None, second: bool | None) -> bool | None:
    """Whether both hold: False as soon as one does not, whatever the other."""
    if first is False or second is False:
        return False
    return True if first and second else None


def either(first: bool | None, second: bool | None) -> bool | None:
    """Whether one of them holds: True as soon as one does, whatever the other."""
    if first or second:
        return True
    return False if first is False and second is False else None
