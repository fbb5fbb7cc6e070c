# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive of reports: new files only, duplicates once, retention, shortened addresses, and what it refuses."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.day_evidence import domain_evidence
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_archive import (
    ARCHIVE_NAME,
    reading_archive,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_options import wrong_report_arguments
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import (
    SourceIdentifier,
    sender_groups,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.sender_option import read_senders
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import (
    BEGIN,
    DAY,
    Inform,
    packed_message,
    report_text,
)

Put = Callable[[str, "str | bytes"], Path]


def counts(told: dict[str, Any]) -> tuple[int, int, int, int]:
    """Files read and known, reports and duplicates."""
    files = told["files"]
    return files["read"], files["known"], files["reports"], files["duplicates"]


def content(archive: Path) -> bytes:
    """The bytes of an archive, for comparing."""
    return (archive / ARCHIVE_NAME).read_bytes()


# --- once ------------------------------------------------------------------------------------------------------------


def test_a_report_that_comes_in_several_ways_counts_once(inform: Inform, put: Put) -> None:
    text = report_text({"count": 3})
    put("a.xml", text)
    put("copy.xml", text)
    put("one.eml", packed_message(text, "reports@acme.example"))
    put("other.eml", packed_message(text, "archive@acme.example"))
    put("brackets.xml", text.replace("<report_id>1<", "<report_id>&lt;1@receiver.example&gt;<"))
    put("case.xml", text.replace("receiver.example</org", "Receiver.example</org"))
    told = inform()
    assert counts(told) == (6, 0, 1, 5)
    assert told["domains"]["acme.example"]["messages"] == 3


def test_another_reporter_id_or_domain_is_another_report(inform: Inform, put: Put) -> None:
    put("a.xml", report_text())
    put("id.xml", report_text(report_id="2"))
    put("org.xml", report_text(org="other.example"))
    put("domain.xml", report_text(domain="acme-shop.example"))
    told = inform()
    assert counts(told) == (4, 0, 4, 0)
    domain = told["domains"]["acme.example"]
    assert (domain["reporters"], domain["reporter_names"]) == (2, ["other.example", "receiver.example"])


def test_overlapping_periods_are_told_and_those_that_touch_are_not(inform: Inform, put: Put) -> None:
    for number, (begin, end) in enumerate([(0, DAY), (DAY, 2 * DAY), (2 * DAY - 3600, 3 * DAY)]):
        put(f"{number}.xml", report_text(report_id=str(number), begin=BEGIN + begin, end=BEGIN + end))
        put(f"other-{number}.xml", report_text(org="touch.example", report_id=str(number), begin=BEGIN + number * DAY,
                                               end=BEGIN + (number + 1) * DAY))  # fmt: skip
    overlaps = inform()["domains"]["acme.example"]["overlaps"]
    assert overlaps == [{"org": "receiver.example", "reports": 1, "first": "2026-10-02T23:00:00Z"}]


# --- between runs ----------------------------------------------------------------------------------------------------


def test_the_next_run_reads_new_files_only_and_tells_all(inform: Inform, put: Put, tmp_path: Path) -> None:
    archive = str(tmp_path / "archive")
    put("a.xml", report_text())
    put("bad.xml", "nothing")
    first = inform(archive=archive)
    assert (counts(first), first["changed"]) == ((2, 0, 1, 0), True)
    kept = content(tmp_path / "archive")
    again = inform(archive=archive)
    assert (counts(again), again["changed"]) == ((0, 2, 0, 0), False)
    assert content(tmp_path / "archive") == kept
    assert again["files"]["skipped"] == first["files"]["skipped"] != []
    assert (again["domains"], again["sources"]) == (first["domains"], first["sources"])
    put("b.xml", report_text(report_id="2"))
    put("c.eml", packed_message(report_text(report_id="2")))
    third = inform(archive=archive)
    assert (counts(third), third["changed"]) == ((2, 2, 1, 1), True)
    assert third["domains"]["acme.example"]["reports"] == 2


def test_an_archive_tells_without_paths(inform: Inform, put: Put, tmp_path: Path) -> None:
    put("a.xml", report_text())
    first = inform(archive=str(tmp_path / "archive"))
    assert inform(archive=str(tmp_path / "archive"), paths=[])["sources"] == first["sources"]


def test_a_file_that_moved_is_known(inform: Inform, put: Put, tmp_path: Path) -> None:
    file = put("mail/new/1", packed_message(report_text()))
    put("mail/cur/.keep", "")
    inform(archive=str(tmp_path / "archive"))
    file.rename(file.parents[1] / "cur" / "1:2,S")
    assert counts(inform(archive=str(tmp_path / "archive"))) == (0, 1, 0, 0)


def test_check_mode_tells_the_same_and_writes_nothing(inform: Inform, put: Put, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    put("a.xml", report_text())
    checked = inform(check=True, archive=str(archive))
    assert not archive.exists()
    assert checked == inform(archive=str(archive))
    put("b.xml", report_text(report_id="2", end=BEGIN + DAY))
    kept, times = content(archive), {file: file.stat().st_mtime_ns for file in archive.iterdir()}
    checked = inform(check=True, archive=str(archive), shorten_addresses=True)
    assert (content(archive), {file: file.stat().st_mtime_ns for file in archive.iterdir()}) == (kept, times)
    assert checked == inform(archive=str(archive), shorten_addresses=True)
    assert inform(check=True, archive=str(archive))["changed"] is False


def test_nobody_else_can_read_it(inform: Inform, put: Put, tmp_path: Path) -> None:
    put("a.xml", report_text())
    before = os.umask(0)
    try:
        inform(archive=str(tmp_path / "archive"))
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "archive").iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "archive").stat().st_mode) == 0o700


def test_runs_at_the_same_time_count_each_report_once(put: Put, tmp_path: Path) -> None:
    for number in range(60):
        put(f"{number}.xml", report_text(report_id=str(number)))
    program = (
        "import sys, json\n"
        "from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_run import inform_of_reports\n"
        "given = json.loads(sys.argv[1])\n"
        "print(json.dumps(inform_of_reports(given, True)['files']))\n"
    )
    given = dict.fromkeys(("since", "retention", "services", "resolver"))
    given |= dict.fromkeys(("include_days", "include_records", "shorten_addresses", "reverse_names"), False)
    given |= {"paths": [str(tmp_path / "reports")], "domains": [], "senders": [], "archive": str(tmp_path / "archive")}
    command = [sys.executable, "-c", program, json.dumps(given)]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _run in range(2)]
    told = [json.loads(run.communicate(timeout=60)[0]) for run in runs]
    assert sorted(one["reports"] for one in told) == [0, 60]
    assert sorted(one["known"] for one in told) == [0, 60]


# --- less ------------------------------------------------------------------------------------------------------------


def test_retention_deletes_what_is_older_and_does_not_read_it_again(
    inform: Inform, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = str(tmp_path / "archive")
    put("old.xml", report_text({"source": "198.51.100.77"}, org="gone.example"))
    put("gone.xml", report_text(org="gone.example", domain="sold.example"))
    put("new.xml", report_text(report_id="2", begin=BEGIN + 30 * DAY, end=BEGIN + 31 * DAY))
    inform(archive=archive)
    monkeypatch.setattr(time, "time", lambda: float(BEGIN + 40 * DAY))
    told = inform(archive=archive, retention=20)
    assert (told["changed"], told["domains"]["acme.example"]["reports"]) == (True, 1)
    for left in (b"198.51.100.77", b"gone.example", b"sold.example"):
        assert left not in content(tmp_path / "archive")
    put("old-too.xml", report_text(report_id="3"))
    again = inform(archive=archive, retention=20)
    assert (again["files"]["known"], again["files"]["expired"], again["files"]["reports"]) == (3, 1, 0)
    assert inform(archive=archive, retention=20)["changed"] is False


def test_shortened_addresses_are_all_that_is_kept(inform: Inform, put: Put, tmp_path: Path) -> None:
    archive = str(tmp_path / "archive")
    put(
        "a.xml", report_text({"source": "198.51.100.77"}, {"source": "2001:db8:1:2:3::77"}, {"source": "198.51.100.78"})
    )
    whole = inform(archive=archive)
    assert {one["source"] for one in whole["sources"]["acme.example"]} >= {"198.51.100.77", "198.51.100.78"}
    told = inform(archive=archive, shorten_addresses=True, include_records=True)
    sources = {one["source"]: one["messages"] for one in told["sources"]["acme.example"]}
    assert (sources, told["changed"]) == ({"198.51.100.0/24": 2, "2001:db8:1::/48": 1}, True)
    assert {one["source_ip"] for one in told["records"]} == set(sources)
    assert b"198.51.100.7" not in content(tmp_path / "archive")
    assert inform(archive=archive, shorten_addresses=True)["changed"] is False
    assert {one["source"] for one in inform(shorten_addresses=True)["sources"]["acme.example"]} == set(sources)


def test_a_shortened_source_is_ours_only_where_all_of_it_is(inform: Inform, put: Put) -> None:
    put("a.xml", report_text({"source": "192.0.2.77"}, {"source": "198.51.100.1"}))
    senders = [{"from": "a@acme.example", "environment": "shop", "sources": ["192.0.2.0/24", "198.51.100.1"]}]
    found = inform(senders=senders, shorten_addresses=True)["sources"]["acme.example"]
    assert {one["source"]: one["who"]["kind"] for one in found} == {
        "192.0.2.0/24": "declared",
        "198.51.100.0/24": "unknown",
    }


@pytest.mark.parametrize("days", [0, -1, 10**6])
def test_a_retention_that_is_none_is_refused(inform: Inform, tmp_path: Path, days: int) -> None:
    with pytest.raises(Refused, match="a retention period has 1 to"):
        inform(archive=str(tmp_path / "archive"), retention=days)
    assert not (tmp_path / "archive").exists()


def test_what_else_is_wrong_is_told_together(inform: Inform) -> None:
    with pytest.raises(Refused) as refused:
        inform(retention=5, since="yesterday", domains=["a b"], services=["ziggo", {"name": "x", "spf_terms": ["y z"]}],
               senders=[{"from": "nobody"}])  # fmt: skip
    wheres = [problem.where for problem in refused.value.problems]
    assert wheres == ["senders.from", "domains", "since", "retention", "services", "services.x.spf_terms"]


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({}, "paths, archive: give one of them, or both"),
        ({"paths": ["/a"], "pahts": "hunter2"}, "there is no such option: pahts; did you mean paths?"),
        ({"paths": ["/a"], "services": "ziggo"}, "services must be a list of names and dictionaries"),
        ({"paths": ["/a"], "services": [{"title": "x"}]}, "services[0].name is required"),
        ({"paths": ["/a"], "services": [["ziggo"]]}, "services[0] must be the name of a service, or a dictionary"),
        ({"paths": ["/a"], "services": [{"name": "x", "terms": []}]}, "there is no such option: services[0].terms"),
        ({"paths": ["/a"], "senders": [{"form": "hunter2"}]}, "there is no such option: senders[0].form"),
    ],
)
def test_options_are_checked_before_the_module_starts(given: dict[str, Any], rule: str) -> None:
    (problem,) = wrong_report_arguments(given)
    assert problem.startswith(rule) and "hunter2" not in problem


# --- refused ---------------------------------------------------------------------------------------------------------


def _other_version(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def _other_database(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE files (x)")
    connection.close()


def _torn(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


def _scribbled(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096:] = bytes((one + 1) % 256 for one in data[4096:])
    file.write_bytes(data)


def _no_database(file: Path) -> None:
    file.write_bytes(b"<feedback/>" * 1000)


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("harm", "rule"),
    [
        (_other_version, "is of version 99, this collection reads version 5"),
        (_other_database, "is a database, but no archive of reports"),
        (_torn, "may be damaged"),
        (_scribbled, "may be damaged"),
        (_no_database, "may be damaged: file is not a database"),
    ],
)
def test_an_archive_that_cannot_be_relied_on_is_refused_as_it_is(
    inform: Inform, put: Put, tmp_path: Path, harm: Callable[[Path], None], rule: str, check: bool
) -> None:
    for number in range(50):
        put(f"{number}.xml", report_text(report_id=str(number)))
    inform(archive=str(tmp_path / "archive"))
    harm(tmp_path / "archive" / ARCHIVE_NAME)
    harmed = content(tmp_path / "archive")
    put("new.xml", report_text(report_id="new"))
    with pytest.raises(Refused, match=rule):
        inform(check=check, archive=str(tmp_path / "archive"))
    assert content(tmp_path / "archive") == harmed


def test_an_archive_at_a_place_that_is_none_is_refused(inform: Inform, put: Put, tmp_path: Path) -> None:
    file = put("a.xml", report_text())
    with pytest.raises(Refused, match="cannot be written"):
        inform(archive=str(file))
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / ARCHIVE_NAME).symlink_to(file)
    for check in (True, False):
        with pytest.raises(Refused, match="cannot be"):
            inform(check=check, archive=str(tmp_path / "archive"))


def test_a_run_that_dies_leaves_nothing_half(
    inform: Inform, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = str(tmp_path / "archive")
    inform(archive=archive)
    put("a.xml", report_text())
    with monkeypatch.context() as patch:
        patch.setattr("ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_run._told",
                      lambda *_arguments: 1 / 0)  # fmt: skip
        with pytest.raises(ZeroDivisionError):
            inform(archive=archive)
    assert counts(inform(archive=archive)) == (1, 0, 1, 0)


# --- evidence --------------------------------------------------------------------------------------------------------


def identifier(*senders: dict[str, Any]) -> SourceIdentifier:
    """Of declared senders without the DNS."""
    problems: list[Any] = []
    found = read_senders(senders, problems)
    assert not problems

    def lookup(name: str, rdtype: str) -> tuple[str, ...]:
        raise AssertionError(f"{name} {rdtype} was asked for")

    return SourceIdentifier(sender_groups(found), (), lookup)


def test_evidence_by_day_and_sender(inform: Inform, put: Put, tmp_path: Path) -> None:
    signed = {"dkim": [{"domain": "acme.example", "selector": "s1", "result": "pass"}]}
    shop, unknown = {"source": "192.0.2.10", "count": 10, **signed}, {"source": "203.0.113.9", "passed": (False, False)}
    failing = {"source": "192.0.2.10", "count": 2, "passed": (False, False)}
    put("1.xml", report_text(shop, unknown))
    put("2.xml", report_text(shop, failing, org="other.example", policy="quarantine"))
    # a day that begins at 22:00 is the day that most of it is on
    put(
        "3.xml",
        report_text(shop, {"count": "x"}, report_id="3", begin=BEGIN + 2 * DAY - 7200, end=BEGIN + 3 * DAY - 7200),
    )
    archive = str(tmp_path / "archive")
    inform(archive=archive)
    senders = identifier(
        {"from": "a@acme.example", "environment": "shop", "sources": ["192.0.2.10"],
         "dkim": {"domain": "acme.example", "selectors": ["s1"]}},
        {"from": "b@acme.example", "environment": "payslips", "sources": ["192.0.2.11"]},
    )  # fmt: skip
    with reading_archive(archive) as connection:
        found = domain_evidence(connection, "acme.example", senders)
        later = domain_evidence(connection, "acme.example", senders, first_day="2026-10-02")
        nothing = domain_evidence(connection, "other.example", senders)
    first, last = found.days
    assert [day.day for day in found.days] == ["2026-10-01", "2026-10-03"]
    assert (first.reports, first.reporters) == (2, {"receiver.example", "other.example"})
    assert first.policies == {"none", "quarantine"}
    assert (first.messages, first.passed, first.failed, first.unknown) == (23, 20, 3, 1)
    shop_day = first.senders[0]
    assert (shop_day.seen, shop_day.dkim, shop_day.spf, shop_day.failed, shop_day.shared) == (22, 20, 20, 2, 0)
    assert (last.messages, last.records_left_out) == (10, 1)
    assert found.last_seen == {0: "2026-10-03"}
    assert [group.environments for group in found.groups] == [("shop",), ("payslips",)]
    assert [day.day for day in later.days] == ["2026-10-03"]
    assert (nothing.days, nothing.reporters) == ((), set())


def test_senders_that_reports_cannot_tell_apart_are_not_seen_as_themselves(
    inform: Inform, put: Put, tmp_path: Path
) -> None:
    put("1.xml", report_text({"source": "192.0.2.10", "count": 4}))
    archive = str(tmp_path / "archive")
    inform(archive=archive)
    senders = identifier(
        {"from": "a@acme.example", "environment": "shop", "sources": ["192.0.2.10"]},
        {"from": "b@acme.example", "environment": "payslips", "sources": ["192.0.2.10", "192.0.2.11"]},
    )
    with reading_archive(archive) as connection:
        (day,) = domain_evidence(connection, "acme.example", senders).days
    assert {index: (one.seen, one.shared) for index, one in day.senders.items()} == {0: (0, 4), 1: (0, 4)}


def test_evidence_without_an_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is no archive"), reading_archive(str(tmp_path)):
        pass
    assert list(tmp_path.iterdir()) == []
