# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sending services of the tests: what domains must include, and the zones that make it resolve."""

from __future__ import annotations

from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import ED25519_RECORD

AFAS_TERM = "include:spf.afas.online"
AFAS_ZONES = {"afas.online": zone_text("afas.online", 'spf TXT "v=spf1 ip4:192.0.2.0/24 ~all"')}
"""Texts of master files by apex, for a name server or a folder."""

SERVICE = "service.example"
"""A service that is nobody's: the record to include at spf, the keys of two selectors at s1.dkim and s2.dkim."""
SERVICE_TERM = f"include:spf.{SERVICE}"
SERVICE_SELECTORS = ("s1", "s2")
SERVICE_ZONES = {
    SERVICE: zone_text(
        SERVICE,
        "\n".join(
            ['spf TXT "v=spf1 ip4:192.0.2.0/24 ~all"', *(f'{s}.dkim TXT "{ED25519_RECORD}"' for s in SERVICE_SELECTORS)]
        ),
    )
}
