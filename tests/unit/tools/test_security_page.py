# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of what is protected names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def test_every_test_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(test_[a-z_*]+)`", (REPOSITORY / "docs" / "security.md").read_text()))
    assert len(named) > 8
    assert [name for name in named if not any((REPOSITORY / "tests").rglob(f"{name}.py"))] == []
