# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of domains change: real master files, and a world that a resolver sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.zonefile.zonefile_provider import (
    ZonefileProvider,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot import Snapshot
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder


class OurZones:
    """Zones of ours in one folder, those of others in a second; both are what the resolver sees."""

    def __init__(self, folder: Path, world: Mapping[str, str] | None = None) -> None:
        """Begin with no zone of ours.

        :param folder: gets the folders ``ours`` and ``world``
        :param world: the zones of others, apex to the text of the master file
        """
        self.ours, self.world = ZoneFolder(folder / "ours"), ZoneFolder(folder / "world", world)

    @property
    def resolver_option(self) -> dict[str, Any]:
        return {"zonefiles": [str(self.ours.folder), str(self.world.folder)]}

    def zone(self, zone: str, *records: str) -> Path:
        """Write a zone of ours.

        :param records: lines of a master file beside SOA and NS, relative to the apex
        :returns: its file
        """
        return self.ours.write(zone, zone_text(zone, "\n".join(records)))

    def live(self, *records: str) -> Path:
        """Write the zone acme.example; see :meth:`zone`."""
        return self.zone("acme.example", *records)

    def read(self, name: str, rdtype: str = "TXT") -> list[str]:
        """The decoded data of one RRset of ours, sorted; empty when it does not exist."""
        provider = ZonefileProvider(self.ours.dns_option)
        rrset = provider.read(provider.zone_of(name), [(name, rdtype)]).rrsets.get((name, rdtype))
        return sorted(rrset.values) if rrset else []

    def planned(self, domains: list[Any], snapshot: Snapshot | None = None, **params: Any) -> Run:
        """Read the parameters of ``mail_domains``; the run is executed by the test."""
        order = read_order({"dns": self.ours.dns_option, "domains": domains, **params})
        return Run(order, self.resolver_option, snapshot=snapshot)

    def refused(self, act: Callable[[], object]) -> Refused:
        """What is refused when a test does something; nothing of ours may have been written then."""
        before = self.ours.contents()
        with pytest.raises(Refused) as caught:
            act()
        assert self.ours.contents() == before
        return caught.value
