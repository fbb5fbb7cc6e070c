# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``make fuzz`` has found in the DNS is mended for good."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.fuzz.hostile_dns import FOUND, LONGEST, one_case


@pytest.mark.parametrize("found", sorted(FOUND.iterdir()), ids=lambda file: file.name)
def test_what_broke_something_once_is_read(found: Path) -> None:
    assert found.stat().st_size <= LONGEST
    one_case(found.read_bytes())
