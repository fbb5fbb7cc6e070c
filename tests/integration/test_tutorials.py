# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each tutorial (start.md, afas_profit.md, king_erp.md, compad_bakkerij.md, a2000erp.md, exalt.md) works as it is
written, from an empty folder, and what it quotes is what the run prints."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.tools.page_blocks import REPOSITORY
from ansible_collections.mailroom.erp.tests.tools.quoted_pages import NoSuchLine, followed, quoted

TUTORIALS = REPOSITORY / "docs" / "tutorials"
QUICK = "afas_profit"
SYSTEMS = [
    pytest.param(file.stem, marks=() if file.stem == QUICK else pytest.mark.slow)
    for file in sorted(TUTORIALS.glob("*.md"))
    if file.stem != "start"
]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_tutorial_works_as_it_is_written(system: str, tmp_path: Path) -> None:
    start = (TUTORIALS / "start.md").read_text(encoding="utf-8")
    assert followed(start, tmp_path) == start
    page = (TUTORIALS / f"{system}.md").read_text(encoding="utf-8")
    again = (
        f"python -m ansible_collections.mailroom.erp.tests.tools.quoted_pages docs/tutorials/{system}.md writes it anew"
    )
    assert followed(page, tmp_path) == page, again
    zone = (tmp_path / "zones" / "acme.example.zone").read_text(encoding="utf-8")
    assert "ip4:192.0.2.10" in zone and "v=spf1 mx ip4:192.0.2.10 ~all" not in zone, (
        "its own term stands beside the shop's"
    )


def test_there_is_a_tutorial_for_each_of_the_five_systems() -> None:
    systems = {file.stem for file in (REPOSITORY / "plugins/plugin_utils/catalogue/systems").glob("*.yml")}
    assert {param.values[0] for param in SYSTEMS} == systems - {"tryton"}
    start = (TUTORIALS / "start.md").read_text(encoding="utf-8")
    assert all(f"]({param.values[0]}.md)" in start for param in SYSTEMS)


PRINTED = "a\nb\nc\nd\ne\n"


def test_a_quotation_is_written_anew_between_its_first_and_last_lines() -> None:
    assert quoted("b\nx\nd\n", PRINTED) == "b\nc\nd\n"
    assert quoted("a\n...\nd\ne\n", PRINTED) == "a\n...\nd\ne\n"
    assert quoted("a\ny\nz\n", "a\nx\nz\ny\nz\n") == "a\nx\nz\ny\nz\n", "a last line may stand there twice"


@pytest.mark.parametrize("quotation", ["x\nd\n", "b\nx\n", "d\nb\n", "a\n...\nx\n"])
def test_a_quotation_of_something_else_is_seen(quotation: str) -> None:
    with pytest.raises(NoSuchLine):
        quoted(quotation, PRINTED)
