# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole loop on real programs: declaration, records, messages, OpenDMARC's reports, evidence, and one step."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.estate import SITE
from ansible_collections.mailroom.erp.tests.integration.playbook import (
    Result,
    keep,
    module_task,
    run_play,
    run_playbook,
)
from ansible_collections.mailroom.erp.tests.receiver import namespace
from ansible_collections.mailroom.erp.tests.receiver.aggregate_reporter import AggregateReporter, ReportsDatabase
from ansible_collections.mailroom.erp.tests.receiver.conftest import Receiver
from ansible_collections.mailroom.erp.tests.receiver.postfix import REPORTS
from ansible_collections.mailroom.erp.tests.receiver.report_loop import BROKEN, MESSAGES, SOUND, loop_inventory
from ansible_collections.mailroom.erp.tests.receiver.services import LISTED, MAILER
from ansible_collections.mailroom.erp.tests.receiver.world import World

ADVANCE = "mailroom.erp.dmarc_advance"
ORGS = ("alpha.example", "beta.example", "gamma.example")
TODAY = datetime.datetime.now(datetime.UTC).date()
DAYS = [TODAY - datetime.timedelta(days=ago) for ago in range(31, 0, -1)]
"""Each organisation reports on every third of them."""
SENT = "v=DMARC1; p=none; rua=mailto:" + REPORTS
STEPPED = SENT.replace("p=none", "p=quarantine")
_SECONDS = 30.0
Decide = Callable[..., Result]


@pytest.fixture(scope="module")
def company(dns: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an inventory whose records ``site`` has published."""
    folder = tmp_path_factory.mktemp("loop")
    made = run_playbook(folder, SITE, loop_inventory(dns.dns_option))
    assert made.rc == 0, made.output
    return folder


@pytest.fixture(scope="module")
def history(company: Path, receiver: Receiver) -> str:
    """What OpenDMARC notes of the messages, once they were treated as they must be."""
    before = len(receiver.opendmarc.history())
    answers = [receiver.answer(case).outcome for case in MESSAGES]
    assert answers == [case.answer for case in MESSAGES]
    return receiver.opendmarc.history()[before:]


@pytest.fixture(scope="module")
def mailbox(history: str, receiver: Receiver) -> Path:
    """The Maildir to which a month of reports was mailed."""
    folder = namespace.folder() / "reporters"
    folder.mkdir()
    with ReportsDatabase(folder / "database", ORGS), ThreadPoolExecutor(len(ORGS)) as at_once:
        list(at_once.map(lambda org: _report(org, folder, history), ORGS))
    deadline = time.monotonic() + _SECONDS
    while len(list((receiver.postfix.reports / "new").glob("*"))) < 2 * len(DAYS):
        assert time.monotonic() < deadline, receiver.postfix.log()
        time.sleep(0.05)
    return receiver.postfix.reports


def _report(org: str, folder: Path, history: str) -> None:
    (folder / org).mkdir()
    days = DAYS[ORGS.index(org) :: len(ORGS)]
    reporter = AggregateReporter(org, folder / org)
    reporter.receive(history, days)
    for day in days:
        reporter.report(day)


@pytest.fixture(scope="module")
def told(mailbox: Path, company: Path) -> dict[str, Any]:
    """What ``dmarc_report_info`` tells of them, whose archive is kept."""
    senders = [case.declaration() for case in MESSAGES if case.name != "newsletter"]
    options = {"paths": [str(mailbox)], "archive": str(company / "archive"), "senders": senders, "services": []}
    tasks = [module_task("dmarc_report_info", **options, include_records=True), keep("done", company / "told.json")]
    result = run_play(company, tasks)
    assert result.rc == 0, result.output
    found: dict[str, Any] = json.loads((company / "told.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def decide(told: dict[str, Any], company: Path, dns: World) -> Decide:
    """Lets ``dmarc_advance`` decide upon the archive; takes more variables of the inventory."""
    assert told["changed"]

    def run(**more: Any) -> Result:
        return run_playbook(company, ADVANCE, loop_inventory(dns.dns_option, **more))

    return run


def policies(dns: World) -> list[str]:
    """The records of both companies."""
    return [text.strip('"') for domain in (SOUND, BROKEN) for text in dns.values(f"_dmarc.{domain}", "TXT")]


def test_the_declaration_asks_for_reports(company: Path, dns: World) -> None:
    assert policies(dns) == [SENT, SENT]
    agreements = [dns.values(f"{domain}._report._dmarc.receiver.example", "TXT") for domain in (SOUND, BROKEN)]
    assert agreements == [['"v=DMARC1"']] * 2


def test_reports_arrive_as_mail_and_all_of_them_are_read(told: dict[str, Any]) -> None:
    files = told["files"]
    assert (files["read"], files["reports"], files["duplicates"]) == (2 * len(DAYS), 2 * len(DAYS), 0)
    assert (files["skipped"], files["incomplete"], files["notes"]) == ([], [], [])
    for domain in (SOUND, BROKEN):
        of_domain = told["domains"][domain]
        assert (of_domain["reporter_names"], of_domain["overlaps"]) == (sorted(ORGS), []), of_domain
        assert {name: of_domain["policy_published"][name] for name in ("p", "adkim")} == {"p": "none", "adkim": "r"}


def test_each_source_is_named_with_its_messages(told: dict[str, Any]) -> None:
    all_pass, none_pass = {"pass": len(DAYS), "fail": 0}, {"pass": 0, "fail": len(DAYS)}
    found = {
        (domain, one["source"]): (one["who"]["kind"], one["who"]["environments"], one["spf"], one["dkim"], one["dmarc"])
        for domain, sources in told["sources"].items()
        for one in sources
    }
    assert found == {
        (SOUND, LISTED): ("declared", ["sound"], all_pass, all_pass, all_pass),
        (SOUND, MAILER): ("unknown", [], none_pass, none_pass, none_pass),
        (BROKEN, LISTED): ("declared", ["broken"], none_pass, none_pass, none_pass),
    }
    reasons = {one["source"]: one["who"]["reason"] for one in told["sources"][SOUND]}
    assert "its signature of mailer.example passed" in reasons[MAILER]


def test_each_record_is_a_message_of_its_day(told: dict[str, Any]) -> None:
    found = {(one["header_from"], one["source_ip"], one["org"], one["begin"][:10]) for one in told["records"]}
    senders = {(case.domain, case.ip) for case in MESSAGES}
    days = {(ORGS[number % len(ORGS)], day.isoformat()) for number, day in enumerate(DAYS)}
    assert found == {(*sender, *day) for sender in senders for day in days}
    assert {one["count"] for one in told["records"]} == {1} and len(told["records"]) == len(found)


def test_no_step_before_a_person_said_what_an_unknown_source_is(decide: Decide, dns: World) -> None:
    waits = decide()
    assert (waits.rc, waits.changed) == (0, 0) and policies(dns) == [SENT, SENT], waits.output
    for words in (
        f"{SOUND}: nobody is declared to send 30 of 60 messages",
        f"{BROKEN}: broken_profit ({BROKEN}): 30 of 30 messages failed DMARC, the last on {DAYS[-1]}",
        "Who in your company uses mailer.example? Declare it, or let it fail.",
        "2 domains: 0 moved, 2 waiting",
    ):
        assert words in waits.flat, waits.output


def test_one_step_and_none_where_a_declared_sender_fails(decide: Decide, dns: World) -> None:
    moved = decide(mail_reports_let_fail=["mailer.example"])
    assert (moved.rc, moved.changed) == (0, 1), moved.output
    assert f"{SOUND}: p=none -> p=quarantine (31 days, 3 reporters, 60 messages, 1 declared sender)" in moved.flat
    assert f"{BROKEN}: broken_profit ({BROKEN}): 30 of 30 messages failed DMARC" in moved.flat
    assert policies(dns) == [STEPPED, SENT]
