# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a master file says: the records of one zone by name and type, however the file was read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ansible_collections.mailroom.erp.plugins.module_utils.dns import values

with contextlib.suppress(ImportError):
    import dns.rdatatype

if TYPE_CHECKING:
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
    _values: tuple[str, ...] | None = field(default=None, init=False)

    @property
    def rdatas(self) -> tuple[Rdata, ...]:
        """The data, absolute names in them."""
        data = self._data
        if not isinstance(data, tuple):
            data = self._data = data()
        return data

    @property
    def values(self) -> tuple[str, ...]:
        """The data as an RRset shows them."""
        if self._values is None:
            self._values = tuple(map(values.value_of, self.rdatas))
        return self._values


ZoneData = Mapping[str, Mapping[str, Records]]
"""The records of each name, by type in capitals; signatures as ``RRSIG`` and what they cover. Names are as
``values.text_of`` writes them: to compare texts takes a tenth of the time that dnspython takes to compare its own."""


def zone_data(zone: Zone) -> ZoneData:
    """The records of a zone as dnspython has read it, with absolute names."""
    return {
        values.text_of(name): {_type(found): Records(int(found.ttl), tuple(found)) for found in node.rdatasets if found}
        for name, node in zone.nodes.items()
    }


def _type(rdataset: Rdataset) -> str:
    types = [rdtype for rdtype in (rdataset.rdtype, rdataset.covers) if rdtype != dns.rdatatype.NONE]
    return " ".join(dns.rdatatype.to_text(rdtype) for rdtype in types)
