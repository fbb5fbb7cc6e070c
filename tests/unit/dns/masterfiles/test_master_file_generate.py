# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A line that makes more records than a zone can use is refused before any of them is made."""

from __future__ import annotations

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles.master_file import MasterFile
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.tests.servers.server import zone_text

ZONE = "acme.example"


@pytest.mark.parametrize(
    "lines",
    [
        "$GENERATE 1-4294967295 host$ A 192.0.2.1",
        "$generate 0-99999999999999 host$ A 192.0.2.1",
        "\n".join(["$GENERATE 1-40000 a$ A 192.0.2.1", "$GENERATE 1-40000 b$ A 192.0.2.1"]),
    ],
    ids=["one line", "in small letters", "two lines"],
)
def test_too_many_generated_records_are_refused(lines: str) -> None:
    with pytest.raises(ProviderError, match=r"\$GENERATE lines make [0-9]+ records, and more than 65536 are not read"):
        MasterFile(zone_text(ZONE, lines).encode(), ZONE, "file")


def test_a_few_generated_records_are_read() -> None:
    master = MasterFile(zone_text(ZONE, "$GENERATE 1-254 host$ A 192.0.2.$").encode(), ZONE, "file")
    assert master.rrset(("host254.acme.example", "A")) is not None
