# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module park_domains on a zone and an archive of reports: what it publishes, and whom it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.dkim_kind import DKIM_KIND
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.modules import mail_records_restore, park_domains
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.parked_domains import wrong_parking
from ansible_collections.mailroom.erp.tests.unit.policy_steps.conftest import Estate

HEAD = """$ORIGIN old.example.
$TTL 3600
@ IN SOA ns1 hostmaster 1 7200 3600 1209600 300
@ IN NS ns1
ns1 IN A 192.0.2.53
@ IN TXT "site-verification=1"
"""
BEFORE = """@ IN TXT "v=spf1 include:spf.relay.example ~all"
_dmarc IN TXT "v=DMARC1; p=none; rua=mailto:d@old.example"
"""


@pytest.fixture
def parking(tmp_path: Path) -> Estate:
    """An old domain, which nobody is declared to send as."""
    found = Estate(tmp_path)
    (found.zones / "old.example.zone").write_text(HEAD + BEFORE, encoding="utf-8")
    return found


def park(estate: Estate, check: bool = False, **options: Any) -> dict[str, Any]:
    given = {"domains": ["old.example"], "senders": [], **options}
    return estate.run_module(park_domains, check, **given)


def records(estate: Estate) -> str:
    return (estate.zones / "old.example.zone").read_text(encoding="utf-8").replace("old.example.", "@")


def test_a_domain_that_never_sends_says_so_and_restore_brings_back_what_was(parking: Estate) -> None:
    checked = park(parking, check=True)
    assert checked["changed"] and "~all" in records(parking)
    done = park(parking)
    assert not done.get("failed"), done
    text = records(parking)
    for part in (
        '"v=spf1 -all"',
        '"v=DMARC1; p=reject; rua=mailto:d@old.example; sp=reject"',
        "*._domainkey",
        '"v=DKIM1; p="',
        "site-verification=1",
    ):
        assert part in text, text
    assert "~all" not in text
    assert "MX 0 ." in " ".join(text.split())
    (domain,) = done["domains"]
    assert domain["dkim"][0]["record"]["after"] == "v=DKIM1; p="
    assert domain["warnings"] == ["old.example: no reports were asked whether anybody sends as it"]
    assert not park(parking)["changed"]
    back = parking.run_module(mail_records_restore, False, snapshot=done["snapshot"], resolver=None)
    assert back["changed"], back
    text = records(parking)
    assert "v=spf1 include:spf.relay.example ~all" in text and "p=none" in text
    assert "_domainkey" not in text and "MX" not in text


def test_report_addresses_stay_with_their_limits(parking: Estate) -> None:
    zone, kept = parking.zones / "old.example.zone", "rua=mailto:d@old.example!10m,mailto:r@reader.example"
    zone.write_text(zone.read_text().replace("rua=mailto:d@old.example", kept))
    assert park(parking)["changed"] and f'"v=DMARC1; p=reject; {kept}; sp=reject"' in records(parking)


def test_where_mail_is_received_the_mx_stays(parking: Estate) -> None:
    zone = parking.zones / "old.example.zone"
    zone.write_text(zone.read_text() + "@ IN MX 10 ns1\n")
    done = park(parking)
    assert not done.get("failed"), done
    assert "MX 10 ns1" in records(parking) and "MX 0" not in records(parking)
    assert "old.example: it receives mail, so its MX stays" in done["domains"][0]["warnings"]


@pytest.mark.parametrize(
    "sender",
    [
        {"from": "a@old.example", "environment": "shop"},
        {"from": "a@acme.example", "environment": "shop", "envelope_domain": "old.example"},
        {"from": "a@acme.example", "environment": "shop", "dkim": {"domain": "old.example", "selectors": ["s1"]}},
    ],
)
def test_a_domain_that_a_declared_sender_uses_is_refused(parking: Estate, sender: dict[str, Any]) -> None:
    told = park(parking, senders=[sender])
    assert told["failed"] and "shop is declared to send with it" in told["msg"]
    assert "~all" in records(parking)


def test_a_domain_that_reports_show_in_use_is_refused_and_stops_the_others_or_not(parking: Estate) -> None:
    (parking.zones / "older.example.zone").write_text((HEAD + BEFORE).replace("old.example", "older.example"))
    parking.report({"source": "192.0.2.99", "count": 2, "header_from": "old.example"}, days=range(6, 4, -1),
                   domain="old.example")  # fmt: skip
    spoofed = {"source": "192.0.2.99", "header_from": "older.example", "passed": (False, False)}
    parking.report(spoofed, days=range(6, 4, -1), domain="older.example")
    parking.read()
    both: dict[str, Any] = {"domains": ["old.example", "older.example"], "archive": str(parking.folder / "archive")}
    told = park(parking, **both)
    assert told["failed"] and "12 messages passed DMARC as it" in told["msg"]
    assert "~all" in (parking.zones / "older.example.zone").read_text()
    skipped = park(parking, **both, on_refused="skip")
    assert skipped["failed"] and [one["domain"] for one in skipped["failures"]] == ["old.example"]
    assert "~all" in records(parking)
    assert '"v=spf1 -all"' in (parking.zones / "older.example.zone").read_text()
    assert not next(one for one in skipped["domains"] if one["domain"] == "older.example")["warnings"]
    later = park(parking, archive=str(parking.folder / "archive"), quiet_days=3)
    assert later["changed"] and later["domains"][0]["warnings"] == [
        "old.example: no report tells whether anybody sends as it"
    ]


@pytest.mark.parametrize(
    ("row", "in_use"),
    [
        ({"spf": [{"domain": "old.example", "scope": "mfrom", "result": "pass"}]}, True),
        ({"spf": [{"domain": "old.example", "result": "pass"}], "passed": (False, False)}, True),
        ({"dkim": [{"domain": "old.example", "selector": "s", "result": "pass"}], "passed": (False, False)}, True),
        ({"spf": [{"domain": "old.example", "scope": "helo", "result": "pass"}]}, False),
        ({"spf": [{"domain": "old.example", "scope": "mfrom", "result": "softfail"}]}, False),
        ({"dkim": [{"domain": "old.example", "selector": "s", "result": "fail"}]}, False),
    ],
)
def test_a_domain_that_is_in_the_envelope_or_signs_for_another_is_in_use(
    parking: Estate, row: dict[str, Any], in_use: bool
) -> None:
    parking.report({"source": "192.0.2.99", "count": 2, **row}, days=range(6, 4, -1))
    parking.read()
    told = park(parking, archive=str(parking.folder / "archive"))
    assert bool(told.get("failed")) is in_use, told
    assert not in_use or "12 messages passed DMARC as it, or SPF or DKIM with it" in told["msg"]


def test_a_run_that_may_not_know_every_sender_parks_nothing(parking: Estate) -> None:
    told = park(parking, tighten=False)
    assert told["failed"] and "may not know every sender" in told["msg"]
    assert "~all" in records(parking)


# --- the empty key ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"selector": "*", "public_key": "x"}, "a selector is made of labels"),
        ({"selector": "*", "target": "x.example"}, "a selector is made of labels"),
        ({"selector": "s1", "target": "x.example", "revoked": True}, "Give one of the three"),
        ({"selector": "*.s1", "revoked": True}, "a selector is made of labels"),
    ],
)
def test_only_an_empty_key_stands_for_all_selectors(options: dict[str, Any], said: str) -> None:
    problems: list[Problem] = []
    defaults = {"state": "present", "validate": "warn", "near_miss": "refuse"}
    assert DKIM_KIND.read("acme.example", "acme.example", None, {**defaults, **options}, problems) == []
    assert any(said in str(problem) for problem in problems), problems


# --- the declaration -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "wrong"),
    [
        ({}, []),
        ({"parked": True}, []),
        ({"parked": False, "spf": {}}, []),
        ({"parked": True, "services": [], "null_mx": {}, "dmarc": {"policy": "reject"}}, []),
        ({"parked": "yes"}, ["parked"]),
        ({"parked": True, "services": ["microsoft365"]}, ["services"]),
        ({"parked": True, "spf": {"all": "~all"}, "dkim": []}, ["spf", "dkim"]),
        ({"parked": True, "dmarc": {"policy": "none"}}, ["dmarc"]),
        ({"parked": True, "dmarc": {"mode": "managed", "target": "reject"}}, ["dmarc"]),
    ],
)
def test_what_cannot_be_said_of_a_parked_domain(declared: dict[str, Any], wrong: list[str]) -> None:
    found = [problem.where.rpartition(".")[2] for problem in wrong_parking("old.example", declared)]
    assert found == wrong
