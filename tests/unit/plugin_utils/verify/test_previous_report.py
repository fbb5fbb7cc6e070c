# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last report is data from a file: whatever stands there, the run goes on, and says why nothing is compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.previous_report import read_previous
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_changes import report_changes
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import (
    REPORT_SCHEMA,
    ReportChange,
    report_data,
)
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.verify.sample_report import sample_report
from hypothesis import given
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "records", "live"]), inner),
    max_leaves=8,
)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"schema": "mailroom.erp/report/9"}', "[" * 100_000])
def test_what_is_no_report_is_told_and_compared_with_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "report.json"
    file.write_text(text, encoding="utf-8")
    found = read_previous(file)
    assert found.problem is not None and str(file) in found.problem and found.data == {}
    assert report_changes(found.data, sample_report()) == ()


def test_a_folder_a_link_to_nothing_and_no_file_at_all(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert "cannot be read" in (read_previous(tmp_path / "folder").problem or "")
    assert read_previous(tmp_path / "missing").problem is None


def test_a_report_comes_back_and_nothing_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report_data(sample_report())), encoding="utf-8")
    found = read_previous(file)
    assert found.made == sample_report().made and next(iter(found.domains)) == "jansen.example"
    assert report_changes(found.data, sample_report()) == ()


@given(st.dictionaries(st.sampled_from(["environments", "domains", "todo", "unknown", "made"]), JSON))
def test_a_report_of_another_shape_is_compared_without_an_error(parts: dict[str, Any]) -> None:
    report_changes({"schema": REPORT_SCHEMA, **parts}, sample_report())


CHANGES: dict[str, tuple[list[Any], Any, ReportChange]] = {
    "record": (
        ["domains", 0, "records", 0, "state"],
        "declared",
        ReportChange(
            "record", "jansen.example TXT (SPF)", "declared", "drifted: a term was removed: include:spf.afas.online"
        ),
    ),
    "name servers": (
        ["domains", 0, "delegation", "name_servers"],
        ["ns9.example"],
        ReportChange("name servers", "jansen.example", "ns9.example", "ns1.other.example"),
    ),
    "key": (
        ["domains", 1, "dkim", 1, "digest"],
        "000000000000",
        ReportChange("DKIM key", "s2._domainkey.vries.example", "key 000000000000", "key 9d2c41aa07b6"),
    ),
    "permission": (
        ["environments", 1, "tenant", "grants_unknown"],
        [],
        ReportChange("grants unknown", "vries_profit", "none", "Mail.ReadWrite"),
    ),
    "a thing that was to be done": (
        ["todo", 0, "id"],
        "000000",
        ReportChange("to do", "vries.example, vries_profit (3fa91c)", None, sample_report().todo[0].text),
    ),
}


@pytest.mark.parametrize(("path", "before", "change"), CHANGES.values(), ids=CHANGES)
def test_each_change_is_told(path: list[Any], before: Any, change: ReportChange) -> None:
    data = report_data(sample_report())
    part = data
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = before
    assert change in report_changes(data, sample_report())


def test_what_is_not_known_now_is_no_change_of_what_was_known() -> None:
    data = report_data(sample_report())
    data["domains"][2]["delegation"]["name_servers"] = ["ns1.host.example"]
    data["domains"][2]["spf"]["lookups"] = 3
    assert report_changes(data, sample_report()) == ()
