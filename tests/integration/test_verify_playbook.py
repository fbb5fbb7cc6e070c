# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook verify: drift of every kind is found and named, what cannot be told is none, and nothing is written."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_archive import ARCHIVE_NAME
from ansible_collections.mailroom.erp.tests.integration.drift_lab import (
    DRIFTS,
    Drift,
    lab_inventory,
    let_drift,
    make_lab,
)
from ansible_collections.mailroom.erp.tests.integration.estate import SITE, ZONE, contents
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, module_task, run_play, run_playbook
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.dns_sockets import framed, read_message
from ansible_collections.mailroom.erp.tests.servers.relay import Relay
from ansible_collections.mailroom.erp.tests.tools import report_schema
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import report_text
from jsonschema import Draft202012Validator

VERIFY = "mailroom.erp.verify"
Report = dict[str, Any]


def report(folder: Path, name: str = "report") -> Report:
    found: Report = json.loads((folder / "mailroom" / "report" / f"{name}.json").read_text(encoding="utf-8"))
    schema = json.loads(report_schema.FILE.read_text(encoding="utf-8"))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(found)] == []
    return found


def written(folder: Path) -> dict[str, str]:
    """All that is there but the report, the archive of other reports included."""
    archive = folder / "archive" / ARCHIVE_NAME
    found = {"archive": archive.read_bytes().hex()} if archive.exists() else {}
    return {**found, **{name: text for name, text in contents(folder).items() if "mailroom/report/" not in name}}


def told_lines(result: Result) -> list[str]:
    """The lines that the task of the report printed."""
    after = result.output.partition("TASK [Tell what differs, and write the report]")[2].splitlines()[1:]
    lines = [line for line in after if line.strip()]
    return lines[: next(index for index, line in enumerate(lines) if line.startswith("ok: ["))]


# --- every kind of drift ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Report, Result]:
    """What verify told before and after somebody changed every domain but one, and the run after that."""
    folder = tmp_path_factory.mktemp("lab")
    make_lab(folder)
    assert run_playbook(folder, SITE, lab_inventory()).rc == 0
    _send_report(folder)
    sound = run_playbook(folder, VERIFY, lab_inventory())
    assert sound.rc == 0, sound.output
    before = report(folder)
    let_drift(folder)
    files = written(folder)
    result = run_playbook(folder, VERIFY, lab_inventory(), "-e", '{"mail_report_fail_on": ["drift", "fail", "due"]}')
    assert written(folder) == files, "verify wrote something"
    return before, report(folder), result


def news(lab: tuple[Report, Report, Result], drift: Drift) -> list[dict[str, Any]]:
    """What is to be done for one domain, and was not before the drift."""
    before, after, _result = lab
    known, environment = {one["text"] for one in before["todo"]}, f"erp_{drift.name}"
    return [
        one
        for one in after["todo"]
        if (drift.domain in one["domains"] or environment in one["environments"]) and one["text"] not in known
    ]


@pytest.mark.slow
@pytest.mark.parametrize("drift", DRIFTS, ids=lambda drift: drift.name)
def test_each_kind_of_drift_is_found_and_named_and_nothing_else_is(
    lab: tuple[Report, Report, Result], drift: Drift
) -> None:
    found = news(lab, drift)
    if not drift.cause:
        assert found == []
        return
    (only,) = found
    assert drift.cause in only["text"], only
    assert only["risk"] == (drift.risk or "confirm")
    assert (only["command"] or "").rpartition(" ")[2] == (drift.command or "")


@pytest.mark.slow
def test_the_run_fails_and_says_why(lab: tuple[Report, Report, Result]) -> None:
    _before, after, result = lab
    assert result.rc != 0
    assert "verify found: fail (" in result.flat and "drift (" in result.flat and "unknown" not in after["state"]
    states = {one["name"]: one["state"] for one in after["domains"]}
    assert states["untouched.example"] == "fine"
    assert states["policy-loosened.example"] == "attention" and states["spf-gone.example"] == "failing"


@pytest.mark.slow
def test_since_when_is_told_by_the_journal_and_by_the_last_report(lab: tuple[Report, Report, Result]) -> None:
    before, after, _result = lab
    records = {one["name"]: one["records"] for one in after["domains"]}
    (spf, _dmarc) = records["term-removed.example"]
    assert spf["last_written"] < before["made"] and spf["seen_right"] == before["made"]
    (untouched, _dmarc) = records["untouched.example"]
    assert untouched["seen_right"] == after["made"]


@pytest.mark.slow
def test_what_receivers_reported_is_told_by_day(lab: tuple[Report, Report, Result]) -> None:
    _before, after, _result = lab
    (domain,) = [one for one in after["domains"] if one["name"] == "untouched.example"]
    _reports_are_told(domain)


# --- what cannot be told, and customers, on BIND ---------------------------------------------------------------------

CUSTOMERS = {"jansen": "Bakkerij Jansen", "devries": "De Vries", "klaas": "Klaas & Co"}


class ServfailServer(Relay):
    """Answers every question with SERVFAIL."""

    def relay_udp(self, message: bytes, client: tuple[str, int]) -> None:
        if message:  # the last one, at the end, is empty
            self.udp.sendto(_servfail(message), client)

    def relay_tcp(self, client: socket.socket) -> None:
        with client:
            client.sendall(framed(_servfail(read_message(client))))


def _servfail(message: bytes) -> bytes:
    asked = dns.message.from_wire(message, keyring=False, continue_on_error=True)
    answer = dns.message.make_response(asked)
    answer.set_rcode(dns.rcode.SERVFAIL)
    answer.flags |= dns.flags.RA
    return answer.to_wire()


def served(server: Bind, port: int | None = None) -> dict[str, Any]:
    """An inventory of three customers whose zones are on a server."""
    account, resolver = dict(server.dns_option), dict(server.resolver_option)
    if port is not None:
        account["port"] = port
        resolver["port"] = port
    hosts = {
        f"{name}_profit": {
            "erp_mail_system": "afas_profit",
            "erp_mail_transport": "afas_online",
            "erp_mail_senders": {"environment": f"erp@{name}.example"},
            "mail_customer": customer,
        }
        for name, customer in CUSTOMERS.items()
    }
    domains: dict[str, Any] = {f"{name}.example": {"services": []} for name in CUSTOMERS}
    domains["klaas.example"]["customer"] = CUSTOMERS["klaas"]
    shared = {
        "ansible_connection": "local",
        "mail_dns_account": account,
        "mail_dns_resolver": resolver,
        "mail_dns_domains": domains,
        "mail_report_prometheus": "{{ inventory_dir }}/mailroom.prom",
        "mail_report_pages": True,
    }
    return {"all": {"vars": shared, "hosts": hosts}}


def test_nothing_changed_is_one_line_and_a_server_that_fails_is_unknown_and_no_drift(tmp_path: Path) -> None:
    zones = {
        f"{name}.example": ZONE.format(zone=f"{name}.example") + '@ IN TXT "v=spf1 mx ~all"\n' for name in CUSTOMERS
    }
    zones["example"] = ZONE.format(zone="example")
    zones["afas.online"] = ZONE.format(zone="afas.online") + 'spf IN TXT "v=spf1 ip4:198.51.100.0/24 -all"\n'
    with Bind(zones) as server, ServfailServer(server.port) as silent:
        inventory = served(server)
        made = run_playbook(tmp_path, SITE, inventory)
        assert made.rc == 0, made.output
        first = run_playbook(tmp_path, VERIFY, inventory)
        assert first.rc == 0, first.output
        second = run_playbook(tmp_path, VERIFY, inventory)
        (line,) = told_lines(second)
        assert line.startswith("nothing changed since ") and second.rc == 0
        _customers_are_apart(tmp_path)
        assert "mailroom_todo" in (tmp_path / "mailroom.prom").read_text(encoding="utf-8")
        _a_part_is_no_report_on_all(tmp_path, inventory)
        failed = run_playbook(tmp_path, VERIFY, served(server, silent.port))
        _is_unknown(tmp_path, failed)
        update = server.update("jansen.example")
        update.replace("jansen.example.", 3600, "TXT", '"v=spf1 mx ~all"')
        server.send(update)
        drifted = run_playbook(tmp_path, VERIFY, inventory, "-e", '{"mail_report_fail_on": ["drift"]}')
        assert drifted.rc != 0 and "verify found: drift (1)" in drifted.flat
        (record,) = [one for one in report(tmp_path)["domains"][1]["records"] if one["state"] != "declared"]
        assert record["cause"] == "a term was removed: include:spf.afas.online"


def _send_report(folder: Path) -> None:
    """What a receiver saw yesterday: three messages from the declared service, two from somebody else."""
    noon = int(time.time()) // 86400 * 86400 - 43200
    text = report_text(
        {"source": "198.51.100.7", "count": 3},
        {"source": "203.0.113.9", "count": 2, "passed": (False, False), "header_from": "untouched.example"},
        domain="untouched.example",
        begin=noon - 3600,
        end=noon + 3600,
    )
    (folder / "reports").mkdir()
    (folder / "reports" / "one.xml").write_text(text, encoding="utf-8")
    paths, archive = [str(folder / "reports")], str(folder / "archive")
    taken = run_play(folder, [module_task("dmarc_report_info", paths=paths, archive=archive)])
    assert taken.rc == 0, taken.output
    (folder / "reports" / "two.xml").write_text(text.replace("<report_id>1<", "<report_id>2<"), encoding="utf-8")


def _reports_are_told(domain: dict[str, Any]) -> None:
    (day,) = domain["dmarc"]["days"]
    assert (day["pass"], day["fail"]) == (6, 4) and domain["reports"]["messages"] == 10, (
        "that of the archive and a new one"
    )
    assert [one["source"] for one in domain["reports"]["unknown_sources"]] == ["203.0.113.9"]
    assert (domain["dmarc"]["mode"], domain["dmarc"]["target"]) == ("managed", "reject")
    assert domain["dmarc"]["next_missing"], "an archive of one day carries no step"


def _a_part_is_no_report_on_all(folder: Path, inventory: dict[str, Any]) -> None:
    whole = (folder / "mailroom" / "report" / "report.json").read_bytes()
    assert run_playbook(folder, VERIFY, inventory, "--check").rc == 0
    limited = run_playbook(folder, VERIFY, inventory, "--limit", "jansen_profit")
    assert limited.rc == 0, limited.output
    assert (folder / "mailroom" / "report" / "report.json").read_bytes() == whole
    part = json.loads((folder / "mailroom" / "report-limited" / "report.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in part["environments"]] == ["jansen_profit"]


def _is_unknown(folder: Path, failed: Result) -> None:
    found = report(folder)
    assert failed.rc != 0 and "verify found: unknown (" in failed.flat
    assert {one["risk"] for one in found["todo"]} <= {"unknown", "confirm"}, found["todo"]
    assert {record["state"] for one in found["domains"] for record in one["records"]} == {"unknown"}
    assert {one["state"] for one in found["domains"]} == {"unknown"} and found["state"] == "unknown"


def _customers_are_apart(folder: Path) -> None:
    place = folder / "mailroom" / "report" / "customers"
    for name in CUSTOMERS:
        texts = [
            next(place.glob(f"*{name.removeprefix('de')}*.{kind}")).read_text(encoding="utf-8")
            for kind in ("json", "html")
        ]
        assert json.loads(texts[0])["customer"] == CUSTOMERS[name]
        for text in texts:
            assert f"{name}.example" in text
            assert not [one for one in set(CUSTOMERS) - {name} if one in text.lower() or CUSTOMERS[one] in text]
    assert (place.parent / "index.html").is_file()
    assert {one["name"] for one in report(folder)["customers"]} == set(CUSTOMERS.values())
    assert {file.stat().st_mode & 0o777 for file in place.iterdir()} == {0o600}
