# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""How everything in ``policy`` asks the DNS: by a function that it is given, so that it stays pure."""

from __future__ import annotations

from collections.abc import Callable

Lookup = Callable[[str, str], tuple[str, ...]]
"""Answers (name, type) with the values found, () for none; raises :class:`Unresolved`.

Names are lower-case A-labels without trailing dot. TXT values come decoded, MX as host names with the most wanted
first, A and AAAA as addresses, PTR and CNAME as names.
"""


class Unresolved(Exception):
    """A name could not be looked up (timeout, SERVFAIL): a temperror for receivers. The message is the reason."""
