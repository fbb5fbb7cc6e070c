# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Numbers of things in sentences for people."""

from __future__ import annotations


def so_many(count: int, thing: str) -> str:
    """Say how many there are.

    :param thing: what they are, in English, a word whose plural ends in s
    :returns: for example ``1 sender``, ``2 senders``, ``0 senders``
    """
    return f"{count} {thing}{'' if count == 1 else 's'}"
