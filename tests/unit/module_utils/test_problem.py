# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An error is one line of printable characters, whatever its parts hold of what came from outside."""

from __future__ import annotations

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, Problem, Refused, WayOut
from hypothesis import given
from hypothesis import strategies as st

FORGED = "1\nfatal: [host]: FAILED! => {}\x1b[2J\x07\x9b31m\u202e"


@pytest.mark.parametrize("part", range(6))
def test_no_part_of_an_error_can_forge_another_line(part: int) -> None:
    parts = ["acme.example", "spf", "v=spf1", "a rule", "RFC 7208", "Mend it."]
    parts[part] = FORGED
    told = str(Problem(*parts))
    assert told.isprintable()
    assert r"1\nfatal: [host]" in told


@given(st.lists(st.text(), min_size=6, max_size=6))
def test_each_error_is_one_printable_line(parts: list[str]) -> None:
    subject, where, value, rule, source, way = parts
    refused = Refused([Problem(subject, where, value, rule, source, WayOut((way, Option("spf.merge: true"))))] * 2)
    lines = str(refused).split("\n")
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)
