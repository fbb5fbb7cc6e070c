# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person reads of an environment's mailboxes: limited or not, and what is still to be done."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.tenant_text import open_points, tenant_lines

MADE: dict[str, Any] = {
    "app_id": None,
    "key_id": None,
    "secret_due": None,
    "consent": {},
    "consent_missing": False,
    "missing_grants": [],
    "senders": [],
}


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("granted", "mailboxes:   granted, in force by 2026-11-29T14:00:00Z"),
        ("effective", "mailboxes:   granted, and no longer by the whole tenant"),
        ("tenant_wide", "mailboxes:   not limited: the whole tenant still lets the application send"),
        (None, "mailboxes:   not known"),
    ],
)
def test_where_the_mailboxes_stand_is_told(state: str | None, told: str) -> None:
    scope = {"state": state, "effective_at": "2026-11-29T14:00:00Z", "open": ["a right is missing"]}
    made = {**MADE, "scope": scope}
    assert tenant_lines(made, 120) == [f"  {told}", "  open:        a right is missing"]
    assert open_points(made) == ["a right is missing"]


@pytest.mark.parametrize("more", [{}, {"scope": None}])
def test_without_a_scope_nothing_is_told(more: dict[str, Any]) -> None:
    assert tenant_lines({**MADE, **more}, 120) == []
