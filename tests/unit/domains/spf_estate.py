# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains of ours that include services, for the tests of SPF records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.zone_records import RecordStep
from ansible_collections.mailroom.erp.tests.servers.sending_service import AFAS_TERM, AFAS_ZONES
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.unit.domains.our_zones import OurZones

_COSTLY = {
    **{f"n{number}": "a:ns1.many.example a:ns1.many.example ~all" for number in range(3)},
    "six": " ".join(["a:ns1.many.example"] * 6) + " ~all",
    "four": " ".join(["a:ns1.many.example"] * 4) + " ~all",
    "loop": "include:loop.many.example",
}
"""Records of many.example by label, each named after its DNS lookups or what is wrong with it."""

WORLD = {
    **AFAS_ZONES,
    "many.example": zone_text("many.example", "\n".join(f'{n} TXT "v=spf1 {terms}"' for n, terms in _COSTLY.items())),
    "protection.outlook.com": zone_text("protection.outlook.com", 'spf TXT "v=spf1 ip4:198.51.100.0/24 -all"'),
}


class Estate(OurZones):
    """Our zones, and the services of ``WORLD``."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, WORLD)

    def run(self, *domains: object, write: bool = True, **spf: Any) -> list[RecordStep]:
        """Bring what is asked for, or the term of AFAS, into the SPF record of each domain."""
        outcomes = self.planned(list(domains), spf=spf or {"terms": [AFAS_TERM]}).execute(write)
        return [outcome.steps[0] for outcome in outcomes]
