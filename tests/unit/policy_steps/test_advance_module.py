# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module dmarc_advance on a zone and an archive of reports, as Ansible starts it: steps, waits, and steps back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.unit.policy_steps.conftest import SHOP_SENDER, Estate

SIGNED = {"dkim": [{"domain": "acme.example", "selector": "s1", "result": "pass"}]}
SHOP_ROW = {"source": "192.0.2.10", "count": 20, **SIGNED}


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    """A domain at p=none whose only sender passes, and a month of reports on it."""
    found = Estate(tmp_path)
    found.report(SHOP_ROW)
    found.read()
    return found


def missing(told: dict[str, Any]) -> set[str]:
    """What is missing for the first domain."""
    return {one["condition"] for one in told["domains"][0]["decision"]["missing"]}


def test_a_step_is_written_once_noted_and_needs_its_own_evidence_then(estate: Estate) -> None:
    checked = estate.run(check=True)
    assert checked["changed"] and estate.policy().startswith("v=DMARC1; p=none") and estate.journal() == []
    done = estate.run()
    assert not done.get("failed"), done
    assert done["changed"] and done["written"] and Path(done["snapshot"]).exists()
    assert estate.policy() == "v=DMARC1; p=quarantine; rua=mailto:d@acme.example"
    (domain,) = done["domains"]
    assert domain["decision"]["outcome"] == "step"
    assert checked["domains"][0]["decision"] == domain["decision"]
    assert checked["diff"] == done["diff"] and "p=quarantine" in done["diff"][0]["after"]
    (noted,) = estate.journal()
    assert noted["decision"] == domain["decision"] and noted["outcome"] == "moved" and noted["why"] == "a test"
    assert noted["snapshot"] == Path(done["snapshot"]).name
    assert noted["decision"]["evidence"]["senders"][0]["dkim"] == 30 * 3 * 20
    assert "192.0.2" not in json.dumps(noted)
    again = estate.run()
    assert not again["changed"] and again["domains"][0]["decision"]["outcome"] == "wait"
    assert missing(again) == {"days", "unseen"}
    assert estate.journal()[-1]["outcome"] == "not moved"


def test_the_loop_to_reject_and_back(estate: Estate) -> None:
    estate.run()
    estate.report(SHOP_ROW, policy="quarantine")
    for file in estate.reports.glob("*-none.xml"):
        file.unlink()
    (estate.folder / "archive" / "dmarc_reports.sqlite").unlink()
    estate.read()
    assert estate.run()["changed"] and "p=reject" in estate.policy()
    assert estate.run()["domains"][0]["decision"]["outcome"] == "reached"
    back = estate.run(state="retreat", archive=None, senders=None, retreat_from="reject")
    assert back["changed"] and "p=quarantine" in estate.policy()
    assert back["domains"][0]["decision"]["outcome"] == "back"
    assert not estate.run(state="retreat", retreat_from="reject")["changed"]
    assert estate.run(state="retreat")["changed"] and "p=none" in estate.policy()
    assert not estate.run(state="retreat")["changed"]


def test_report_addresses_stay_with_their_limits(estate: Estate) -> None:
    kept = "rua=mailto:d@acme.example!10m,mailto:r@reader.example ; ruf=mailto:f@acme.example!50k"
    estate.zone(policy=f"v=DMARC1; p=none; {kept}")
    assert estate.run()["changed"] and estate.policy() == f"v=DMARC1; p=quarantine; {kept}"
    assert estate.run(state="retreat")["changed"] and estate.policy() == f"v=DMARC1; p=none; {kept}"


def test_subdomains_move_along(estate: Estate) -> None:
    estate.zone(policy="v=DMARC1; p=none; sp=none; np=none")
    estate.run()
    assert estate.policy() == "v=DMARC1; p=quarantine; sp=quarantine; np=quarantine"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"domain": "acme.example", "dmarc": {"policy": "reject"}}, "its policy is not managed"),
        ({"domain": "acme.example", "dmarc": {"mode": "managed", "state": "absent"}}, "not managed"),
        ({"domain": "acme.example", "dmarc": {"mode": "managed"}}, "where the policy shall end"),
        ({"domain": "acme.example", "dmarc": {"mode": "managed", "target": "reject", "tighten": False}},
         "may not know every sender"),
        ({"domain": "acme..example"}, "acme..example"),
        ({"domain": "acme.example", "dmarc": {"mode": "managed", "policy": "none"}}, "only dmarc_advance moves it"),
        (7, "entry"),
    ],
)  # fmt: skip
def test_a_domain_that_may_not_be_moved_stops_nobody(estate: Estate, entry: Any, said: str) -> None:
    estate.zone("other.example", "v=DMARC1; p=none")
    estate.report({**SHOP_ROW, "header_from": "other.example"}, domain="other.example")
    estate.read()
    other = {**SHOP_SENDER, "from": "shop@other.example", "envelope_domain": "other.example"}
    before = estate.policy()
    told = estate.run(domains=[entry, "other.example"], senders=[SHOP_SENDER, other])
    assert told["failed"] and said in told["msg"], told
    assert estate.policy() == before
    assert estate.policy("other.example") == "v=DMARC1; p=quarantine"
    assert [one["refused"] for one in told["failures"]] == [True]
    assert told["report"][-1].startswith("2 domains: 1 moved, 0 waiting, 0 need no step, 1 failed")


@pytest.mark.parametrize("policy", ["v=DMARC1; p=none; p=reject", "v=DMARC1; p=nine", "v=DMARC1; p=none; t=y"])
def test_a_record_that_receivers_do_not_apply_does_not_move(estate: Estate, policy: str) -> None:
    estate.zone(policy=policy)
    told = estate.run()
    assert not told["changed"] and estate.policy() == policy
    assert told.get("failed") or missing(told) == {"testing"}


def test_no_record_and_a_record_elsewhere_wait(estate: Estate) -> None:
    estate.zone(policy="no policy")
    assert missing(estate.run()) == {"record"}
    zone = estate.zones / "acme.example.zone"
    zone.write_text(zone.read_text().replace('IN TXT "no policy"', "IN CNAME acme.reports.example."))
    told = estate.run()
    assert told["domains"][0]["decision"]["outcome"] == "elsewhere"
    assert "managed elsewhere" in "\n".join(told["report"])


def test_a_declared_sender_that_would_be_harmed_refuses_its_domain(estate: Estate) -> None:
    lost = {"from": "lost@acme.example", "environment": "lost", "sources": ["198.51.100.9"],
            "envelope_domain": "acme.example", "dkim": {"domain": "acme.example", "selectors": []}}  # fmt: skip
    told = estate.run(senders=[SHOP_SENDER, lost], seasonal=["lost"])
    assert told["failed"] and "receivers would treat this sender worse" in told["msg"]
    assert "p=none" in estate.policy()


FAILED = {"source": "192.0.2.10", "count": 1, "passed": (False, False)}
PASSED_ON = {**FAILED, "source": "203.0.113.9", "dkim": [{**SIGNED["dkim"][0], "result": "fail"}]}


def test_one_message_of_a_declared_sender_that_fails_waits_and_the_way_out_is_told(tmp_path: Path) -> None:
    estate = Estate(tmp_path)
    estate.report({**SHOP_ROW, "count": 2000}, FAILED)
    estate.read()
    told = estate.run(check=True)
    assert missing(told) == {"failing"}
    assert any(line.endswith(": thresholds.failing_share: 0.001") for line in told["report"]), told["report"]
    managed = {"domain": "acme.example", "dmarc": {"mode": "managed", "target": "reject"}}
    told = estate.run(check=True, domains=[managed], inventory_domains=["acme.example"])
    (way,) = [line for line in told["report"] if line.endswith(": mail_reports_thresholds.failing_share: 0.001")]
    assert not any("seasonal" in line or "let_fail" in line for line in told["report"]), "only what is missing"
    assert estate.run(check=True, thresholds={"failing_share": 0.001})["changed"], way


@pytest.mark.parametrize(
    ("rows", "days", "policy", "condition", "ways"),
    [
        ([SHOP_ROW], range(9, 0, -1), "none", "days", ["thresholds.minimum_days: 14"]),
        ([SHOP_ROW], range(31, 0, -1), "none", "reporters", ["thresholds.minimum_reporters: 2"]),
        ([SHOP_ROW, {"source": "nowhere"}], range(31, 0, -1), "none", "left_out", ["thresholds.left_out: 10"]),
        ([{"count": 20, "passed": (False, True)}], range(31, 0, -1), "quarantine", "unsigned",
         ["thresholds.failing_share: 0.001", "dmarc.accept_lost_forwarded_mail: true"]),
    ],
)  # fmt: skip
def test_the_way_out_of_each_condition_is_told_as_who_asks_writes_it(
    tmp_path: Path, rows: list[dict[str, Any]], days: range, policy: str, condition: str, ways: list[str]
) -> None:
    estate = Estate(tmp_path)
    estate.zone(policy=f"v=DMARC1; p={policy}")
    estate.report(*rows, days=days, policy=policy)
    for file in estate.reports.glob("gamma.example-*"):
        if condition == "reporters":
            file.unlink()
    estate.read()
    told = estate.run(check=True)
    assert missing(told) == {condition}
    said = [line for line in told["report"] if line.startswith("  ") and not line.startswith("  -")]
    assert [line.endswith(f": {way}") for line, way in zip(said, ways, strict=True)] == [True] * len(ways), said
    managed = {"domain": "acme.example", "dmarc": {"mode": "managed", "target": "reject"}}
    told = estate.run(check=True, domains=[managed], inventory_domains=["acme.example"])
    for way in ways:
        name = f"mail_reports_{way}" if way.startswith("thresholds.") else f"mail_dns_domains.acme.example.{way}"
        assert any(line.endswith(f": {name}") for line in told["report"]), told["report"]
    if condition == "unsigned":
        managed["dmarc"] |= {"accept_lost_forwarded_mail": True}  # type: ignore[operator]
        assert estate.run(check=True, domains=[managed])["changed"], "the way out leads out"


def test_forwarded_mail_that_fails_is_no_declared_senders(tmp_path: Path) -> None:
    estate = Estate(tmp_path)
    estate.report({**SHOP_ROW, "count": 200}, PASSED_ON)
    estate.read()
    told = estate.run(check=True)
    assert told["changed"] and told["domains"][0]["decision"]["evidence"]["unknown"] == 30 * 3


def test_unknown_sources_are_told_by_name_with_a_guess_and_a_question(estate: Estate) -> None:
    estate.report(
        {"source": "203.0.113.9", "count": 5, "passed": (False, False), "envelope_from": "bounce.news.example",
         "spf": [{"domain": "bounce.news.example", "scope": "mfrom", "result": "pass"}]},
        {"source": "198.51.100.77", "count": 4, "passed": (False, False)},
        days=range(9, 6, -1), policy="none ",
    )  # fmt: skip
    for file in estate.reports.glob("*-none .xml"):
        text = file.read_text().replace("<report_id>acme", "<report_id>more-acme").replace("none </p>", "none</p>")
        file.write_text(text)
    estate.read()
    told = estate.run(thresholds={"unknown_messages": 10})
    assert missing(told) == {"unknown"}
    first, second = told["domains"][0]["unknown"]
    assert (first["name"], first["known_by"], first["guess"]) == ("news.example", "envelope", "The Relay")
    assert (second["name"], second["messages"], second["guess"]) == ("198.51.100.0/24", 36, None)
    text = "\n".join(told["report"])
    for line in (
        "UNKNOWN SOURCES: nobody is declared to send this mail",
        "  - news.example (a guess: The Relay): 45 messages as acme.example",
        "      envelope bounce.news.example",
        "      Who in your company uses The Relay? Declare it, or let it fail.",
        "      Who in your company uses 198.51.100.0/24? Declare it, or let it fail.",
    ):
        assert line in text, text
    assert "198.51.100.77" not in json.dumps(told)
    let = estate.run(let_fail=["198.51.100.0/23", "news.example"])
    assert let["changed"], let


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"archive": None}, "archive"),
        ({"senders": None}, "senders"),
        ({"archive": "/nowhere/at/all"}, "there is no archive"),
        ({"seasonal": ["nobody"]}, "no declared sender has this address"),
        ({"let_fail": ["no..name"]}, "let_fail"),
        ({"thresholds": {"minimum_days": 0}}, "it is a whole number, 1 or more"),
        ({"thresholds": {"unknown_share": 7}}, "a share is a number from 0 to 1"),
        ({"services": ["a name"]}, "names of the catalogue are known on the controller only"),
        ({"domains": []}, "at least one domain must be given"),
    ],
)
def test_what_is_wrong_with_the_task_is_told_before_anything_is_written(
    estate: Estate, options: dict[str, Any], said: str
) -> None:
    told = estate.run(**options)
    assert told["failed"] and said in told["msg"], told
    assert "p=none" in estate.policy() and not (estate.folder / "snapshots").exists()


def test_a_damaged_archive_is_refused_in_words(estate: Estate) -> None:
    file = estate.folder / "archive" / "dmarc_reports.sqlite"
    file.write_bytes(file.read_bytes()[:3000])
    told = estate.run()
    assert told["failed"] and "may be damaged" in told["msg"]


def test_a_journal_that_cannot_be_written_is_told(estate: Estate) -> None:
    (estate.folder / "snapshots").mkdir(mode=0o700)
    (estate.folder / "snapshots" / "journal.jsonl").mkdir()
    told = estate.run()
    assert told["failed"] and "nothing is written to the DNS without a snapshot" in told["msg"]
    assert "p=none" in estate.policy()
    waiting = estate.run(target="quarantine", thresholds={"minimum_days": 40})
    assert waiting["failed"] and "journal.jsonl" in waiting["msg"]
