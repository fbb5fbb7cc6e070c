# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook with dmarc_report_info, as a user writes it: the nightly run, check mode, and options that are wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.integration.playbook import Result, keep, module_task, run_play
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import packed_message, report_text


def run(folder: Path, task: dict[str, Any], *arguments: str) -> tuple[Result, dict[str, Any]]:
    """Run one task; gives its result, too."""
    kept = [{**task, "ignore_errors": True}, keep("done", folder / "result.json")]
    result = run_play(folder, kept, *arguments)
    found: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return result, found


def make_reports(folder: Path) -> None:
    for name in ("new", "cur", "tmp"):
        (folder / "mail" / name).mkdir(parents=True)
    text = report_text({"source": "192.0.2.10", "count": 7}, {"source": "203.0.113.9", "passed": (False, False)})
    (folder / "mail" / "new" / "1").write_bytes(packed_message(text))
    (folder / "mail" / "new" / "2").write_bytes(packed_message(text, to="other@acme.example"))
    (folder / "mail" / "cur" / "3").write_bytes(b"Subject: \x1b[31mhello\n\nno report\n")


def test_the_nightly_run(tmp_path: Path) -> None:
    make_reports(tmp_path)
    senders = [{"from": "shop@acme.example", "environment": "shop", "sources": ["192.0.2.10"]}]
    own = {"name": "relay", "spf_terms": ["ip4:203.0.113.0/24"], "title": "Our relay"}
    options = {"paths": [str(tmp_path / "mail")], "archive": str(tmp_path / "archive"), "senders": senders}
    task = module_task("dmarc_report_info", **options, services=["ziggo", own], retention=3650, include_records=True)
    checked, told = run(tmp_path, task, "--check")
    assert (checked.rc, checked.changed, (tmp_path / "archive").exists()) == (0, 1, False), checked.output
    first, done = run(tmp_path, task)
    assert (first.rc, first.changed) == (0, 1), first.output
    assert {name: done[name] for name in ("files", "domains", "sources", "records")} == {
        name: told[name] for name in ("files", "domains", "sources", "records")
    }
    assert (done["files"]["reports"], done["files"]["duplicates"], len(done["records"])) == (1, 1, 2)
    assert [one["reason"] for one in done["files"]["skipped"]] == ["it is a message without a report"]
    shop, relay = (one["who"] for one in done["sources"]["acme.example"])
    assert (shop["environments"], relay["service"]) == (["shop"], "relay")
    again, done = run(tmp_path, task)
    assert (again.rc, again.changed, done["files"]["known"]) == (0, 0, 3), again.output


def test_without_services_the_whole_catalogue_is_asked(tmp_path: Path) -> None:
    make_reports(tmp_path)
    zones = tmp_path / "zones"
    zones.mkdir()
    task = module_task("dmarc_report_info", paths=[str(tmp_path / "mail")], resolver={"zonefiles": [str(zones)]})
    result, done = run(tmp_path, task)
    assert result.rc == 0, result.output
    reason = done["sources"]["acme.example"][0]["who"]["reason"]
    assert "include:spf.protection.outlook.com" in reason and "could not be looked up" in reason


def test_what_is_wrong_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    make_reports(tmp_path)
    archive, given = tmp_path / "archive", {"paths": [str(tmp_path / "mail")]}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({**given, "archive": str(archive), "secert": "hunter2"}, "there is no such option: secert"),
        ({**given, "archive": str(archive), "services": ["zigo"]}, "the catalogue has no such service"),
        ({**given, "archive": str(archive), "retention": "yes"}, "it is no number"),
        ({"paths": [str(tmp_path / "nowhere")], "archive": str(archive)}, "No such file or directory"),
    ]
    tasks: list[dict[str, Any]] = []
    for number, (options, _rule) in enumerate(wrong):
        one = {**module_task("dmarc_report_info", **options), "ignore_errors": True}
        tasks += [one, keep("done", tmp_path / f"result-{number}.json")]
    run_play(tmp_path, tasks)
    for number, (_options, rule) in enumerate(wrong):
        done = json.loads((tmp_path / f"result-{number}.json").read_text(encoding="utf-8"))
        assert done["failed"] and rule in done["msg"], done
    assert not archive.exists()
