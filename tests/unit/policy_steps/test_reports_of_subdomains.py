# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports that name a subdomain: evidence of the domain whose policy it is, or only against it where none can tell."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.message
import dns.rcode
import pytest
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import DAY, report_text
from ansible_collections.mailroom.erp.tests.unit.policy_steps.conftest import SHOP_SENDER, Estate

SIGNED = {"dkim": [{"domain": "acme.example", "selector": "s1", "result": "pass"}]}
SHOP_ROW = {"source": "192.0.2.10", "count": 20, **SIGNED}
BELOW = {**SHOP_SENDER, "from": "shop@sub.acme.example", "environment": "webshop"}
BELOW_ROW = {**SHOP_ROW, "header_from": "sub.acme.example"}
FAILED = {"source": "192.0.2.10", "count": 9, "passed": (False, False), "header_from": "sub.acme.example"}
STRANGE = {"source": "198.51.100.7", "count": 200, "passed": (False, False)}


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    """A domain at p=none whose only sender passes, and a month of reports on it."""
    found = Estate(tmp_path)
    found.report(SHOP_ROW)
    return found


@pytest.fixture
def silent_below(estate: Estate) -> Iterator[dict[str, Any]]:
    """The option ``resolver`` with which sub.acme.example, a zone of its own, gets no answer but SERVFAIL."""
    zone = estate.zones / "acme.example.zone"
    zone.write_text(zone.read_text() + "sub IN NS ns.elsewhere.example.\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while (received := server.recvfrom(4096))[0] != b"end":
                response = dns.message.make_response(dns.message.from_wire(received[0]))
                response.set_rcode(dns.rcode.SERVFAIL)
                server.sendto(response.to_wire(), received[1])

        thread = threading.Thread(target=serve)
        thread.start()
        address = server.getsockname()
        yield {"zonefiles": [str(estate.zones)], "nameservers": [address[0]], "port": address[1], "timeout": 1}
        server.sendto(b"end", address)
        thread.join()


def told(estate: Estate, **options: Any) -> tuple[dict[str, Any], set[str]]:
    """The decision on acme.example, and what is missing for a step."""
    estate.read()
    result = estate.run(**options)
    assert not result.get("failed"), result
    decision = result["domains"][0]["decision"]
    return decision, {one["condition"] for one in decision["missing"]}


def test_a_sender_that_fails_there_is_missed_no_more(estate: Estate) -> None:
    estate.report(FAILED, domain="sub.acme.example")
    decision, missing = told(estate, senders=[SHOP_SENDER, BELOW])
    assert missing == {"failing"}
    assert "webshop (sub.acme.example): 810 of 810 messages failed" in decision["missing"][0]["text"]
    assert decision["evidence"]["subdomains"] == ["sub.acme.example"]


def test_a_domain_of_another_customer_below_is_no_evidence_and_is_not_named(estate: Estate) -> None:
    estate.report(FAILED, domain="sub.acme.example")
    decision, missing = told(estate, senders=[SHOP_SENDER], not_domains=["SUB.acme.example."])
    assert (decision["outcome"], missing) == ("step", set())
    assert "sub.acme.example" not in str(decision)


def test_a_sender_that_was_not_seen_is_seen_there(estate: Estate) -> None:
    assert told(estate, senders=[SHOP_SENDER, BELOW])[1] == {"unseen"}
    estate.report(BELOW_ROW, domain="sub.acme.example")
    decision, missing = told(estate, senders=[SHOP_SENDER, BELOW])
    assert (decision["outcome"], missing) == ("step", set())
    assert [one["seen"] for one in decision["evidence"]["senders"]] == [30 * 3 * 20] * 2


def test_days_and_reporters_that_named_the_subdomain_count(tmp_path: Path) -> None:
    estate = Estate(tmp_path)
    estate.report(BELOW_ROW, SHOP_ROW, domain="sub.acme.example")
    decision, _missing = told(estate, senders=[SHOP_SENDER, BELOW])
    assert decision["outcome"] == "step"
    assert (decision["evidence"]["days"], len(decision["evidence"]["reporters"])) == (31, 3)


def test_a_subdomain_with_a_policy_of_its_own_stays_its_own(estate: Estate) -> None:
    estate.zone("sub.acme.example", "v=DMARC1; p=none")
    estate.report(FAILED, STRANGE, domain="sub.acme.example", policy="reject")
    decision, _missing = told(estate, senders=[SHOP_SENDER, BELOW])
    assert decision["outcome"] == "step" and decision["evidence"]["subdomains"] == []


def test_a_policy_between_the_two_is_another_one(estate: Estate) -> None:
    estate.zone("sub.acme.example", "v=DMARC1; p=none")
    estate.report({**FAILED, "header_from": "far.sub.acme.example"}, STRANGE, domain="far.sub.acme.example")
    assert told(estate)[0]["outcome"] == "step"


def test_a_subdomain_that_is_declared_stays_its_own(estate: Estate) -> None:
    estate.report(FAILED, STRANGE, domain="sub.acme.example")
    entries = ["acme.example", {"domain": "sub.acme.example", "dmarc": {"policy": "none"}}]
    estate.read()
    assert estate.run(domains=entries)["domains"][0]["decision"]["outcome"] == "step"


# --- nobody can tell -------------------------------------------------------------------------------------------------


def test_where_the_look_up_fails_a_sender_that_fails_counts(estate: Estate, silent_below: dict[str, Any]) -> None:
    estate.report(SHOP_ROW, {**FAILED, "header_from": "acme.example"}, domain="sub.acme.example")
    decision, missing = told(estate, resolver=silent_below)
    assert missing == {"failing"}
    (one,) = decision["missing"]
    assert one["text"].startswith("shop (acme.example): 810 of ")
    assert "810 of them in reports that name sub.acme.example, of which nobody can tell" in one["text"]
    assert "SERVFAIL" in one["text"] and one["subject"] == "shop (acme.example)"
    doubtful = decision["evidence"]["doubtful"]
    assert (list(doubtful["subdomains"]), doubtful["failed"]) == (["sub.acme.example"], 30 * 3 * 9)


def test_where_the_look_up_fails_an_unknown_source_counts_and_is_named(
    estate: Estate, silent_below: dict[str, Any]
) -> None:
    estate.report(STRANGE, domain="sub.acme.example", days=range(3, 0, -1))
    decision, missing = told(estate, resolver=silent_below)
    assert missing == {"unknown"} and "198.51.100.0/24" in decision["missing"][0]["text"]
    result = estate.run(resolver=silent_below)
    assert [(one["name"], one["messages"]) for one in result["domains"][0]["unknown"]] == [("198.51.100.0/24", 1800)]
    assert told(estate, resolver=silent_below, let_fail=["198.51.100.0/24"])[0]["outcome"] == "step"


def test_where_the_look_up_fails_another_policy_is_no_policy_of_the_domain(
    estate: Estate, silent_below: dict[str, Any]
) -> None:
    estate.report(SHOP_ROW, domain="sub.acme.example", policy="reject", days=range(5, 4, -1))
    assert told(estate, resolver=silent_below)[1] == {"doubtful"}


def test_where_the_look_up_fails_nobody_is_seen(estate: Estate, silent_below: dict[str, Any]) -> None:
    estate.report(BELOW_ROW, domain="sub.acme.example")
    decision, missing = told(estate, senders=[SHOP_SENDER, BELOW], resolver=silent_below)
    assert missing == {"unseen"}
    assert "was not seen for certain, but only in reports that name sub.acme.example" in decision["missing"][0]["text"]
    assert decision["evidence"]["messages"] == 30 * 3 * 20


def test_where_the_look_up_fails_no_day_and_no_reporter_counts(tmp_path: Path) -> None:
    estate = Estate(tmp_path)
    zone = estate.zones / "acme.example.zone"
    zone.write_text(zone.read_text() + "sub IN NS ns.elsewhere.example.\n")
    estate.report(SHOP_ROW, domain="sub.acme.example")
    decision, missing = told(estate)
    assert missing == {"days", "unseen"} and decision["evidence"]["reporters"] == []
    assert "no master file answers for it" in decision["evidence"]["doubtful"]["subdomains"]["sub.acme.example"]


def report_once(estate: Estate, name: str, *rows: dict[str, Any]) -> None:
    """One report of yesterday on a name, as anybody can cause it by a message in this name."""
    begin = int(time.time()) // DAY * DAY - DAY
    text = report_text(*rows, org="alpha.example", report_id=name, domain=name, begin=begin, end=begin + DAY - 1)
    (estate.reports / f"{name}.xml").write_text(text, encoding="utf-8")


def test_past_a_thousand_subdomains_reports_count_against_a_step_only(estate: Estate) -> None:
    passing = {**SHOP_ROW, "header_from": "acme.example"}
    for number in range(1000):
        report_once(estate, f"s{number:04}.acme.example", passing)
    decision, _missing = told(estate)
    assert decision["outcome"] == "step" and decision["evidence"]["doubtful"]["subdomains"] == {}
    assert decision["evidence"]["messages"] == 30 * 3 * 20 + 1000 * 20

    estate.zone()
    report_once(estate, "s1000.acme.example", passing, STRANGE)
    decision, missing = told(estate)
    assert missing == {"unknown"}, "what is strange counts"
    assert decision["evidence"]["messages"] == 30 * 3 * 20 + 1000 * 20, "what is good does not"
    (why,) = decision["evidence"]["doubtful"]["subdomains"].values()
    assert why == "more than 1000 subdomains were reported, and this one was not looked up"

    declared = {**BELOW, "from": "shop@s1000.acme.example"}
    report_once(estate, "s1000.acme.example", {**passing, "header_from": "s1000.acme.example"})
    (estate.folder / "archive" / "dmarc_reports.sqlite").unlink()
    decision, missing = told(estate, senders=[SHOP_SENDER, declared])
    assert missing == set(), "a name that somebody is declared to send as is looked up first"
    assert list(decision["evidence"]["doubtful"]["subdomains"]) == ["s0999.acme.example"]
