# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A zone in memory as checkdmarc asks for it: instead of a resolver of dnspython's, with dnspython's own data."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.resolver

_NO_ANSWER: Any = dns.resolver.NoAnswer


class MemoryResolver:
    """Answers (name, type) from a table; the data are made once."""

    lifetime = 1.0

    def __init__(self, zone: Mapping[tuple[str, str], tuple[str, ...]]) -> None:
        self._data = {key: [_rdata(key[1], value) for value in values] for key, values in zone.items()}

    def resolve(self, name: str, rdtype: str, lifetime: float) -> list[Any]:
        """What a resolver gives: the data, or an exception when there are none."""
        found = self._data.get((str(name), rdtype))
        if not found:
            raise _NO_ANSWER(response=SimpleNamespace(question=name))
        return found


def _rdata(rdtype: str, value: str) -> Any:
    text = {"MX": f"10 {value}.", "PTR": f"{value}."}.get(rdtype, value)
    if rdtype == "TXT":
        text = " ".join(f'"{value[start : start + 200]}"' for start in range(0, len(value), 200))
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(rdtype), text)
