# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Why a look-up failed, in few words that are the same each time: reasons stand in plans and have stamps."""

from __future__ import annotations

import contextlib
import re
from typing import Any

with contextlib.suppress(ImportError):
    import dns.exception

_SERVER = re.compile(r"(?:Do53:)?(?P<address>.+)@(?P<port>[0-9]+)")


def lookup_failure_text(error: Exception) -> str:
    """Tell each server that was asked once, with what it said; dnspython tells every attempt, and its seconds.

    :param error: what a look-up raised
    :returns: one line, such as "192.0.2.1 port 53 does not answer"
    """
    asked = getattr(error, "kwargs", {}).get("errors") or []
    told = dict.fromkeys(f"{_server(str(one[0]))} {_said(one[3])}" for one in asked)
    return "; ".join(told) or str(error)


def _server(name: str) -> str:
    found = _SERVER.fullmatch(name)
    return f"{found['address']} port {found['port']}" if found else name


def _said(answer: Any) -> str:
    """:param answer: an exception, or the response code as a text"""
    if isinstance(answer, dns.exception.Timeout):
        return "does not answer"
    if isinstance(answer, OSError):
        return f"cannot be reached: {answer.strerror or answer}"
    return f"answered {answer}" if isinstance(answer, str) else f"gave no usable answer: {answer}"
