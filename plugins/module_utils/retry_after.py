# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""How long a service asks to wait (RFC 9110 section 10.2.3); whatever is no such text says nothing."""

from __future__ import annotations

import email.utils
import re
import time

_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)


def read_retry_after(text: object) -> float | None:
    """Seconds to wait, from a number or a date.

    Python's own ``float`` takes ``nan``, ``inf``, ``1_0`` and the digits of all scripts, none of which can be meant.

    :param text: the header's value, None when there is no such header
    :returns: seconds, finite and not negative; None when the text says nothing
    """
    if not isinstance(text, str):
        return None
    if seconds := _SECONDS.fullmatch(text.strip()):
        return float(seconds[0])
    try:
        return max(email.utils.parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
