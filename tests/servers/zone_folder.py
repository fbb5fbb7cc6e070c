# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones in a folder of master files, used as a name server of the tests is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dns.rdataset
import dns.zone


class ZoneFolder:
    """A folder of master files, which provider ``zonefile`` writes and the option ``resolver`` reads."""

    def __init__(self, folder: Path, zones: Mapping[str, str] | None = None) -> None:
        """Make the folder where it is missing, and write the zones into it.

        :param zones: apex to the text of its master file
        """
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for zone, text in (zones or {}).items():
            self.write(zone, text)

    @property
    def dns_option(self) -> dict[str, Any]:
        """The option ``dns`` of the modules that writes these files."""
        return {"provider": "zonefile", "path": str(self.folder)}

    @property
    def resolver_option(self) -> dict[str, Any]:
        """The option ``resolver`` of the modules that reads these files."""
        return {"zonefiles": [str(self.folder)]}

    def file(self, zone: str) -> Path:
        """The master file of a zone."""
        return self.folder / f"{zone}.zone"

    def write(self, zone: str, text: str) -> Path:
        """Write a zone, over what was there before.

        :returns: its file
        """
        self.file(zone).write_text(text, encoding="utf-8")
        return self.file(zone)

    def values(self, name: str, rdtype: str) -> list[str]:
        """Parse a whole file and read one RRset in it.

        :returns: the data in presentation format, sorted; empty when it does not exist
        :raises ValueError: the name is in none of the zones
        :raises dns.exception.DNSException: the file is no master file
        """
        return sorted(rdata.to_text() for rdata in self._rdataset(name, rdtype) or ())

    def ttl(self, name: str, rdtype: str) -> int:
        """The TTL of one RRset in seconds.

        :raises AssertionError: the RRset does not exist
        """
        found = self._rdataset(name, rdtype)
        assert found is not None
        return int(found.ttl)

    def serial(self, zone: str) -> int:
        """The serial of a zone's SOA."""
        return int(self.values(zone, "SOA")[0].split(" ")[2])

    def contents(self) -> dict[str, bytes]:
        """The bytes of each file by its zone, to see whether anything was written."""
        return {zone: self.file(zone).read_bytes() for zone in self._zones()}

    def _rdataset(self, name: str, rdtype: str) -> dns.rdataset.Rdataset | None:
        zone = max((zone for zone in self._zones() if f".{name}".endswith(f".{zone}")), key=len)
        return dns.zone.from_file(str(self.file(zone)), zone, relativize=False).get_rdataset(f"{name}.", rdtype)

    def _zones(self) -> list[str]:
        return sorted(file.stem for file in self.folder.glob("*.zone"))
