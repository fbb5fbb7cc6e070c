# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three hundred customers, twelve with trouble: told in one report, and with ``skip`` nobody else waits for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.integration.playbook import Result
from ansible_collections.mailroom.erp.tests.integration.trouble import (
    TROUBLE,
    TroubledEstate,
    customers,
    troubled_estate,
)

GOLDEN = Path(__file__).parent / "golden"
SOUND = 288
REFUSED = sorted(TROUBLE)
AFAS = '"v=spf1 include:spf.afas.online ~all"'


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[TroubledEstate]:
    with troubled_estate(tmp_path, SOUND) as started:
        yield started


def same_as_golden(name: str, text: str) -> None:
    """Compare with what a person has read and found good; UPDATE_GOLDEN=1 writes it anew."""
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def failed(result: Result) -> list[str]:
    return sorted(host for host, numbers in result.stats.items() if numbers["failures"])


def longest_fatal(result: Result) -> int:
    return max(len(line) for line in result.output.splitlines() if line.startswith("fatal:"))


def test_one_report_tells_all_trouble_before_anything_is_written(estate: TroubledEstate) -> None:
    before = {name: estate.world.serial(name) for name in estate.world.zones}
    stopped = estate.site()
    assert stopped.rc != 0
    assert failed(stopped) == REFUSED
    assert longest_fatal(stopped) < 2500
    assert {name: estate.world.serial(name) for name in estate.world.zones} == before
    assert sorted(path.name for path in (estate.folder / "mailroom").iterdir()) == ["failed_run.json", "secrets"]
    same_as_golden("trouble-stop.txt", estate.report(stopped))


@pytest.mark.slow
def test_the_others_are_done_and_the_next_run_changes_nothing(estate: TroubledEstate) -> None:
    checked = estate.site("--check", mail_on_refused="skip")
    assert failed(checked) == REFUSED
    first = estate.site(mail_on_refused="skip")
    assert first.rc != 0
    assert failed(first) == REFUSED
    assert longest_fatal(first) < 2500
    same_as_golden("trouble-skip.txt", estate.report(first))
    for name in customers(SOUND):
        assert (estate.folder / "mailroom" / name / "settings.yml").is_file()
        assert estate.world.serial(f"{name}.example") > 1
    assert estate.world.values("customer000.example", "TXT") == [AFAS]
    for name in REFUSED:
        assert estate.world.serial(f"{name}.example") == 1
        files = sorted(path.name for path in (estate.folder / "mailroom" / name).iterdir())
        assert files == ["sheet.html", "sheet.md"]
        assert "Do not type in anything yet" in (estate.folder / "mailroom" / name / "sheet.md").read_text("utf-8") or (
            "Voer nog niets in" in (estate.folder / "mailroom" / name / "sheet.md").read_text("utf-8")
        )
    assert estate.elsewhere.serial("elsewhere.example") == 1
    second = estate.site(mail_on_refused="skip")
    assert (second.changed, failed(second)) == (0, REFUSED)
    same_as_golden("trouble-skip-again.txt", estate.report(second))
