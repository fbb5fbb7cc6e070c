# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks dmarc_advance and park_domains as a user runs them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.estate import RELAY, SECRET, SITE, contents, inventory
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import DAY, packed_message, report_text

ADVANCE, PARK = "mailroom.erp.dmarc_advance", "mailroom.erp.park_domains"
MANAGED = {"services": [], "dmarc": {"mode": "managed", "target": "reject", "rua": ["dmarc@acme.example"]}}
SHARED: dict[str, Any] = {
    "mail_dns_complete": True,
    "mail_dns_domains": {"acme.example": MANAGED, "mijnbakkerij.example": {"services": []}},
    "mail_reports_archive": "{{ inventory_dir }}/archive",
    "mail_reports_paths": ["{{ inventory_dir }}/reports"],
    "vault_relay_password": SECRET,
}
HOSTS: dict[str, Any] = {"acme_relay": {**RELAY, "erp_mail_dkim": {"acme.example": []}}}
DECIDED = {**SHARED, "mail_reports_let_fail": ["203.0.113.0/24"]}
UNKNOWN = {"source": "203.0.113.9", "count": 1, "passed": (False, False), "envelope_from": "news.example"}
GOOD = {"source": "192.0.2.10", "count": 20, "passed": (False, True)}


def make_reports(folder: Path, policy: str, *rows: dict[str, Any]) -> None:
    """A month of reports of three receivers."""
    (folder / "reports").mkdir(exist_ok=True)
    today = int(time.time()) // DAY * DAY
    for ago in range(31, 0, -1):
        for org in ("alpha.example", "beta.example", "gamma.example"):
            begin = today - ago * DAY
            text = report_text(*(rows or [GOOD]), org=org, report_id=f"{ago}-{policy}", begin=begin,
                               end=begin + DAY - 1, policy=policy)  # fmt: skip
            (folder / "reports" / f"{org}-{ago}-{policy}.xml").write_text(text, encoding="utf-8")


def mailed(folder: Path, server: str) -> None:
    """Make the reports messages whose DMARC this server found to pass, and add one that it says nothing of."""
    for file in sorted((folder / "reports").iterdir()):
        org, text = file.name.partition("-")[0], file.read_text(encoding="utf-8")
        head = f"Authentication-Results: {server}; dmarc=pass header.from={org}\n".encode()
        file.write_bytes(head + packed_message(text, org=org))
    forged = report_text({**GOOD, "count": 5000, "passed": (False, False)}, org="alpha.example", report_id="forged",
                         begin=int(time.time()) // DAY * DAY - DAY)  # fmt: skip
    (folder / "reports" / "forged{{6*7}}").write_bytes(packed_message(forged, org="alpha.example"))


def policy(folder: Path) -> str:
    text = (folder / "zones" / "acme.example.zone").read_text(encoding="utf-8")
    return text.partition("v=DMARC1")[2].partition('"')[0]


def flat(result: Result) -> str:
    return " ".join(result.output.replace('\\"', '"').split())


def test_the_loop_from_declaration_to_a_step_and_back(estate: Path) -> None:
    made = run_playbook(estate, SITE, inventory(HOSTS, **SHARED))
    assert made.rc == 0, made.output
    assert policy(estate).startswith("; p=none"), "a managed policy begins with none"
    make_reports(estate, "none", GOOD, UNKNOWN)
    mailed(estate, "mx.acme.example")  # a report that nobody vouches for would hold the step up
    waits = run_playbook(estate, ADVANCE, inventory(HOSTS, **SHARED, mail_reports_authserv_id="mx.acme.example"))
    assert waits.rc == 0, waits.output
    for words in (
        "MISSING: these policies wait",
        "nobody is declared to send 90 of 1890 messages",
        "203.0.113.0/24",
        "Declare it, or let it fail.",
        "1 file or message of reports was left out, whole or in part",
        'reports/forged{{6*7}}: its message has no result of DMARC by "mx.acme.example"',
        "1 domain: 0 moved, 1 waiting",
    ):
        assert words in flat(waits), waits.output
    assert "203.0.113.9" not in waits.output
    proven = {**DECIDED, "mail_reports_authserv_id": "mx.acme.example"}
    moved = run_playbook(estate, ADVANCE, inventory(HOSTS, **proven))
    assert moved.rc == 0 and moved.changed == 1, moved.output
    assert "acme.example: p=none -> p=quarantine (31 days, 3 reporters" in flat(moved)
    assert policy(estate) == "; p=quarantine; rua=mailto:dmarc@acme.example"
    again = run_playbook(estate, ADVANCE, inventory(HOSTS, **proven))
    assert (again.rc, again.changed) == (0, 0), again.output
    back = run_playbook(estate, ADVANCE, inventory(HOSTS, **DECIDED), "-e", "mail_policy_state=retreat",
                        "-e", "mail_policy_retreat_from=quarantine")  # fmt: skip
    assert back.rc == 0 and back.changed == 1 and policy(estate).startswith("; p=none"), back.output
    lines = (estate / "mailroom" / "snapshots" / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    steps = [one["decision"]["outcome"] for one in map(json.loads, lines) if "decision" in one]
    assert steps == ["wait", "step", "wait", "back"]


@pytest.mark.slow
def test_nothing_is_written_in_check_mode_or_by_a_run_that_may_not_know_every_sender(estate: Path) -> None:
    run_playbook(estate, SITE, inventory(HOSTS, **SHARED))
    nothing = run_playbook(estate, ADVANCE, inventory(HOSTS, **{**SHARED, "mail_reports_paths": []}))
    assert nothing.rc != 0 and "there is no archive" in flat(nothing)
    make_reports(estate, "none", GOOD, UNKNOWN)
    incomplete = run_playbook(estate, ADVANCE, inventory(HOSTS, **{**DECIDED, "mail_dns_complete": False}))
    assert incomplete.rc != 0 and "mail_dns_complete: true" in flat(incomplete)
    before = policy(estate)
    checked = run_playbook(estate, ADVANCE, inventory(HOSTS, **DECIDED), "--check", "--diff")
    assert checked.rc == 0 and "WOULD MOVE" in checked.output and policy(estate) == before
    assert any("p=quarantine" in line for line in checked.diff), checked.output
    limited = run_playbook(estate, ADVANCE, inventory({**HOSTS, "printer": {}}, **DECIDED), "--limit", "acme_relay")
    assert limited.rc != 0 and "mail_dns_complete: true, and run for all hosts" in flat(limited), limited.output
    assert policy(estate) == before
    assert run_playbook(estate, ADVANCE, inventory(HOSTS, **DECIDED)).changed == 1
    kept = run_playbook(estate, SITE, inventory(HOSTS, **DECIDED))
    assert (kept.rc, kept.changed) == (0, 0) and "p=quarantine" in policy(estate), "site does not move it"


@pytest.mark.slow
def test_what_the_inventory_says_wrongly_is_told_by_its_variables(estate: Path) -> None:
    make_reports(estate, "none")
    run_playbook(estate, SITE, inventory(HOSTS, **SHARED))
    for wrong, words in (
        ({"mail_reports_archive": None}, "mail_reports_archive is not given"),
        ({"mail_reports_seasonal": ["nobody"]}, "mail_reports_seasonal"),
        ({"mail_policy_domains": ["elsewhere.example"]}, "mail_policy_domains"),
        ({"mail_policy_domains": ["mijnbakkerij.example"]}, "mail_dns_domains.mijnbakkerij.example.dmarc.mode"),
        ({"mail_reports_thresholds": {"minimum_days": 0}}, "mail_reports_thresholds.minimum_days"),
    ):
        result = run_playbook(estate, ADVANCE, inventory(HOSTS, **{**SHARED, **wrong}))
        assert result.rc != 0 and words in flat(result), result.output


# --- parked domains --------------------------------------------------------------------------------------------------


def parked(**more: Any) -> dict[str, Any]:
    """An inventory with an old domain that nobody sends as."""
    domains = {"acme.example": MANAGED, "mijnbakkerij.example": {"parked": True, **more}}
    return {**SHARED, "mail_dns_domains": domains, "mail_reports_archive": None}


def bakery(folder: Path) -> str:
    return (folder / "zones" / "mijnbakkerij.example.zone").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_parked_domain_says_that_it_never_sends_and_site_leaves_it_so(estate: Path) -> None:
    before = bakery(estate)
    done = run_playbook(estate, PARK, inventory(HOSTS, **parked()))
    assert done.rc == 0 and done.changed == 1, done.output
    text = " ".join(bakery(estate).split())
    for part in ('"v=spf1 -all"', "MX 0 .", '"v=DMARC1; p=reject; sp=reject"', '*._domainkey IN TXT "v=DKIM1; p="'):
        assert part in text, text
    assert "no reports were asked whether anybody sends as it" in flat(done)
    site = run_playbook(estate, SITE, inventory(HOSTS, **parked()))
    assert site.rc == 0 and '"v=spf1 -all"' in bakery(estate), site.output
    snapshot = min((estate / "mailroom" / "snapshots").glob("*.yml"))
    back = run_playbook(estate, "mailroom.erp.restore", inventory(HOSTS, **parked()),
                        "-e", f"mail_restore_snapshot={snapshot}")  # fmt: skip
    assert back.rc == 0, back.output
    assert [line for line in bakery(estate).splitlines() if "SOA" not in line] == [
        line for line in before.splitlines() if "SOA" not in line
    ]


@pytest.mark.slow
def test_a_domain_that_an_environment_uses_is_not_parked(estate: Path) -> None:
    before = contents(estate)
    used = {"bakery": {**RELAY, "erp_mail_senders": {"environment": "shop@mijnbakkerij.example"},
                       "erp_mail_dkim": {"mijnbakkerij.example": []}}}  # fmt: skip
    for hosts, shared, arguments, words in (
        (used, parked(), [], "bakery is declared to send with it"),
        (HOSTS, parked(services=["microsoft365"]), [], "a parked domain never sends"),
        (HOSTS, {**parked(), "mail_dns_complete": False}, [], "mail_dns_complete: true, and run for all hosts"),
        (HOSTS, SHARED, [], "No domain is declared to be parked"),
    ):
        refused = run_playbook(estate, PARK, inventory(hosts, **shared), *arguments)
        assert refused.rc != 0 and words in flat(refused), refused.output
        assert contents(estate) == before
