# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What every service that answers in JSON may send: anything."""

from __future__ import annotations

import json
from typing import Any


def json_object(content: bytes) -> dict[str, Any] | None:
    """Read an answer's body.

    :param content: as it came
    :returns: None for what is no JSON object
    """
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def is_whole_text(text: str) -> bool:
    """Tell whether a text can be written; JSON can hold half a surrogate pair (RFC 8259 section 8.2).

    :param text: of an answer
    """
    return not any("\ud800" <= char <= "\udfff" for char in text)
