# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a service asks to wait: what is a number or a date, and what Python only takes for one."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.retry_after import read_retry_after
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("7", 7), (" 7 ", 7), ("7\x1f", 7), ("2.5", 2.5), ("999999999", 999999999)],
)
def test_a_number_is_taken(text: str, seconds: float) -> None:
    assert read_retry_after(text) == seconds


def test_a_date_is_taken_as_the_time_until_then() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    found = read_retry_after(soon)
    assert found is not None and 85 < found <= 91
    assert read_retry_after("Sun, 06 Nov 1994 08:49:37 GMT") == 0


@pytest.mark.parametrize("text", [None, "", "nan", "inf", "-1", "1e3", "1_0", "٣٠", "²", "soon", "9" * 400, "+5", "1."])
def test_what_is_neither_says_nothing(text: str | None) -> None:
    assert read_retry_after(text) is None


@given(st.text())
def test_every_text_has_a_finite_answer(text: str) -> None:
    found = read_retry_after(text)
    assert found is None or (math.isfinite(found) and found >= 0)
