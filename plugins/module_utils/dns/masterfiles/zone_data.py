# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a master file says: the records of one zone by name and type, however the file was read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

with contextlib.suppress(ImportError):
    import dns.rdatatype

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rdataset import Rdataset
    from dns.zone import Zone


@dataclass(eq=False, slots=True)
class Records:
    """The records of one name and type: their TTL (seconds), and the data of each, none twice.

    Data may be given as what reads them when they are first asked for: of most records nobody wants to know.
    """

    ttl: int
    _data: tuple[Rdata, ...] | Callable[[], tuple[Rdata, ...]]

    @property
    def rdatas(self) -> tuple[Rdata, ...]:
        """The data, absolute names in them."""
        data = self._data
        if not isinstance(data, tuple):
            data = self._data = data()
        return data


ZoneData = Mapping["Name", Mapping[str, Records]]
"""The records of each name, all names absolute, by type in capitals; signatures as ``RRSIG`` and what they cover."""


def zone_data(zone: Zone) -> ZoneData:
    """The records of a zone as dnspython has read it, with absolute names."""
    return {
        name: {_type(found): Records(int(found.ttl), tuple(found)) for found in node.rdatasets if found}
        for name, node in zone.nodes.items()
    }


def _type(rdataset: Rdataset) -> str:
    types = [rdtype for rdtype in (rdataset.rdtype, rdataset.covers) if rdtype != dns.rdatatype.NONE]
    return " ".join(dns.rdatatype.to_text(rdtype) for rdtype in types)
