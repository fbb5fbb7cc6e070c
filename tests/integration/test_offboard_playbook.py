# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook offboard as a user runs it: one environment leaves beside others that share what it has."""

from __future__ import annotations

import datetime
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.entra_site import (
    PASSWORD,
    estate_of,
    kill_the_run,
    profit,
    site,
    stored,
)
from ansible_collections.mailroom.erp.tests.integration.estate import RELAY, SECRET, SITE, inventory
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.server import KEY_SECRET, zone_text
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import DAY, report_text

OFFBOARD = "mailroom.erp.offboard"
TODAY = datetime.datetime.now(datetime.UTC).date()
ACME = '@ IN TXT "google-site-verification=abc"\n@ IN TXT "v=spf1 mx ~all"\n@ IN MX 10 ns\n'
OUTLOOK = 'spf.protection IN TXT "v=spf1 ip4:203.0.113.0/24 -all"\n'
SHARED, OWN = "include:spf.protection.outlook.com", "ip4:192.0.2.77"
PAYROLL = profit(
    "payroll",
    erp_mail_spf_terms=[SHARED, OWN],
    erp_mail_dkim={
        "acme.example": [
            {"selector": "pay1", "target": "pay1.keys.example"},
            {"selector": "both", "target": "both.keys.example"},
        ]
    },
)
HOSTS: dict[str, Any] = {
    "profit": profit("erp", erp_mail_dkim={"acme.example": [{"selector": "both", "target": "both.keys.example"}]}),
    "payroll": PAYROLL,
    "relay": {**RELAY, "erp_mail_dkim": {"acme.example": []}},
}


def ago(days: int) -> str:
    return str(TODAY - datetime.timedelta(days=days))


class Company:
    """A company with three environments, one of which leaves, on a BIND and a test tenant."""

    def __init__(self, folder: Path, bind: Bind, tenant: EntraServer) -> None:
        self.folder, self.bind, self.tenant = folder, bind, tenant
        self.declared = estate_of(
            tenant,
            {name: dict(host) for name, host in HOSTS.items()},
            mail_dns_account=bind.dns_option,
            mail_dns_resolver=bind.resolver_option,
            mail_dns_complete=True,
            mail_dns_domains={"acme.example": {"services": [], "dmarc": {"policy": "none"}}},
            vault_relay_password=SECRET,
        )

    @property
    def shared(self) -> dict[str, Any]:
        variables: dict[str, Any] = self.declared["all"]["vars"]
        return variables

    def site(self, *arguments: str) -> Result:
        return site(self.folder, self.declared, *arguments)

    def leave(self, state: str = "leaving") -> None:
        self.declared["all"]["hosts"]["payroll"]["erp_mail_state"] = state

    def offboard(self, *arguments: str, **variables: Any) -> Result:
        self.shared.update({f"mail_offboard_{name}": value for name, value in variables.items()})
        done = self.run(OFFBOARD, *arguments)
        secrets = (SECRET, KEY_SECRET, *self.tenant.directory.secrets.values())
        assert not [one for one in secrets if one in done.unbroken]
        return done

    def run(self, playbook: str, *arguments: str) -> Result:
        (self.folder / "password").write_text(PASSWORD, encoding="utf-8")
        vault = f"--vault-password-file={self.folder / 'password'}"
        return run_playbook(self.folder, playbook, self.declared, *arguments, vault)

    def reports(self, last_of_payroll: int, first: int = 60, witnesses: tuple[str, ...] = ("alpha", "beta")) -> None:
        """Two months of reports of two receivers; the environment that leaves is in them until some days ago."""
        folder = self.folder / "reports"
        folder.mkdir(exist_ok=True)
        midnight = int(datetime.datetime.combine(TODAY, datetime.time(), datetime.UTC).timestamp())
        others = {"source": "192.0.2.10", "count": 20, "passed": (False, True)}
        signed = {"domain": "acme.example", "selector": "pay1", "result": "pass"}
        own = {"source": "192.0.2.77", "count": 3, "passed": (True, True), "dkim": [signed]}
        for days in range(first, 0, -1):
            for name in witnesses:
                rows = [others, own] if days >= last_of_payroll else [others]
                begin, org = midnight - days * DAY, f"{name}.example"
                text = report_text(*rows, org=org, report_id=str(days), begin=begin, end=begin + DAY - 1)
                (folder / f"{org}-{days}.xml").write_text(text, encoding="utf-8")
        self.shared.update(
            {
                "mail_reports_archive": "{{ inventory_dir }}/archive",
                "mail_reports_paths": ["{{ inventory_dir }}/reports"],
            }
        )

    def spf(self) -> str:
        (record,) = [one for one in self.bind.values("acme.example", "TXT") if "v=spf1" in one]
        return record

    def selectors(self) -> list[str]:
        return [one for one in ("pay1", "both") if self.bind.values(f"{one}._domainkey.acme.example", "CNAME")]

    def applications(self) -> list[str]:
        found = self.tenant.truth["applications"].values()
        return sorted(one["uniqueName"] for one in found if one["uniqueName"])

    def state(self) -> tuple[str, list[str], list[str]]:
        return self.spf(), self.selectors(), self.applications()

    def files(self) -> dict[str, bytes]:
        return {str(one): one.read_bytes() for one in (self.folder / "mailroom").rglob("*") if one.is_file()}

    @property
    def handback(self) -> Path:
        return self.folder / "mailroom" / "handback" / "payroll"


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    zones = {"acme.example": ACME, "outlook.com": OUTLOOK, "keys.example": ""}
    texts = {zone: zone_text(zone, records) for zone, records in zones.items()}
    with Bind(texts) as bind, EntraServer() as tenant:
        for name in ("erp", "payroll"):
            tenant.directory.add_user(f"{name}@acme.example", purpose="shared", enabled=False)
        made = Company(tmp_path, bind, tenant)
        first = made.site()
        assert first.rc == 0, first.output
        assert made.selectors() == ["pay1", "both"] and OWN in made.spf() and len(made.applications()) == 2
        yield made


def test_one_environment_leaves_stage_by_stage_and_comes_back_whole(company: Company) -> None:
    before = company.state()
    company.leave()
    assert company.site().changed == 0, "site leaves one that leaves alone"
    company.shared["mail_dns_domains"]["acme.example"]["tls_rpt"] = {"rua": ["tls@acme.example"]}
    company.declared["all"]["hosts"]["profit"]["mail_entra_display_name"] = "Another name"
    silent = company.offboard("-vvvv")
    assert silent.rc == 0 and "no reports is no evidence" in silent.flat, silent.output
    assert company.state() == before

    company.tenant.plan()
    files = company.files()
    check = company.offboard("--check", "--diff", stopped={"payroll": ago(5)})
    assert check.rc == 0 and "tenant would be done by this run" in check.flat, check.output
    assert company.files() == files and {method for method, _path in company.tenant.requests} == {"GET"}

    tenant = company.offboard("--diff")
    assert tenant.rc == 0, tenant.output
    until = TODAY + datetime.timedelta(days=9)
    assert f"dkim waits until {until}" in tenant.flat, tenant.output
    assert company.state() == (*before[:2], ["mailroom-profit"]) and set(stored(company.folder)) == {"profit"}
    again = company.offboard()
    assert (again.rc, again.changed) == (0, 0), again.output

    records = company.offboard("--diff", selector_days=3)
    assert records.rc == 0, records.output
    assert f"stays: SPF {SHARED} at acme.example, needed by profit" in records.flat
    assert "stays: DKIM selector both at acme.example, needed by profit" in records.flat
    assert company.selectors() == ["both"] and OWN not in company.spf() and SHARED in company.spf()
    assert (company.folder / "mailroom" / "payroll" / "settings.yml").exists(), "until the last stage"

    page = (company.handback / "handback.md").read_text(encoding="utf-8")
    assert ago(5) in page and f"`{OWN}`" in page and "pay1" in page and "offboard" in page
    zone = company.handback / "acme.example.zone"
    checked = subprocess.run(
        ["named-checkzone", "acme.example", str(zone)], stdout=subprocess.PIPE, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
    text = zone.read_text(encoding="utf-8")
    assert OWN in text and "pay1._domainkey" in text, "as it was before it left"
    assert not company.bind.values("_smtp._tls.acme.example", "TXT"), "offboard makes nothing"
    names = [one["displayName"] for one in company.tenant.truth["applications"].values()]
    assert "Another name" not in names

    comes_back(company, before)


def comes_back(company: Company, before: tuple[str, list[str], list[str]]) -> None:
    """Undone by restore and site, with the same application."""
    company.leave("present")
    snapshot = max((company.folder / "mailroom" / "snapshots").glob("*.yml"))
    back = company.run("mailroom.erp.restore", "-e", f"mail_restore_snapshot={snapshot}")
    assert back.rc == 0, back.output
    company.shared.pop("mail_offboard_stopped")
    company.shared["mail_dns_domains"]["acme.example"].pop("tls_rpt")
    made = company.site()
    assert made.rc == 0, made.output
    assert company.state() == before
    assert set(stored(company.folder)) == {"profit", "payroll"}, "with a new secret"


@pytest.mark.slow
def test_reports_decide_where_nobody_gives_a_word(company: Company) -> None:
    company.leave()
    company.reports(last_of_payroll=10)
    before = company.state()
    waits = company.offboard()
    assert waits.rc == 0 and company.state() == before, waits.output
    until = TODAY + datetime.timedelta(days=26)
    assert f"stopped waits until {until}" in waits.flat
    assert f"reports show 156 messages, the last on {ago(10)}, reported by alpha.example, beta.example" in waits.flat
    refused = company.offboard(stopped={"payroll": ago(20)})
    assert refused.rc != 0 and company.state() == before
    assert "payroll: mail_offboard_stopped" in refused.flat and f"the last on {ago(10)}" in refused.flat

    company.shared.pop("mail_offboard_stopped")
    done = company.offboard("--diff", quiet_days=9, final=["payroll"])
    assert done.rc == 0, done.output
    assert f"stopped done: reports: the last mail was on {ago(10)}" in done.flat
    assert company.applications() == ["mailroom-profit"] and company.selectors() == ["pay1", "both"]
    assert company.offboard(selector_days=10).rc == 0
    assert company.selectors() == ["both"] and OWN not in company.spf()
    assert not (company.folder / "mailroom" / "payroll" / "settings.yml").exists(), "the last stage, with consent"
    last = company.offboard()
    assert (last.rc, last.changed) == (0, 0) and "payroll has left: take it out of the inventory" in last.flat
    looks_at_one_that_left(company)


def looks_at_one_that_left(company: Company) -> None:
    """A night of verify tells that it is leaving, and fails once somebody's word and the reports contradict."""
    company.shared["mail_report_pages"] = True
    company.run("mailroom.erp.verify")
    text = (company.folder / "mailroom" / "report" / "report.json").read_text(encoding="utf-8")
    report = json.loads(text)
    (payroll,) = [one for one in report["environments"] if one["name"] == "payroll"]
    assert [one["verdict"] for one in payroll["senders"]] == ["leaving"], text
    # the key of the selector that both share was never published
    own = [one for one in report["todo"] if one["environments"] == ["payroll"]]
    assert {one["risk"] for one in own} == {"confirm"}, own
    gone = payroll["leaving"]["gone"]
    assert gone == [f"the SPF term {OWN} of acme.example", "the DKIM selector pay1 of acme.example"]
    assert payroll["leaving"]["stands"] == [
        f"the SPF term {SHARED} of acme.example",
        "the DKIM selector both of acme.example",
    ]
    assert payroll["leaving"]["mail"].startswith(f"reports: the last mail was on {ago(10)}")
    page = (company.folder / "mailroom" / "report" / "index.html").read_text(encoding="utf-8")
    assert f"Gone of its records: {gone[0]}" in page
    company.shared["mail_offboard_stopped"] = {"payroll": ago(20)}
    sends = company.run("mailroom.erp.verify")
    assert sends.rc != 0 and f"it still sends: reports show 60 messages, the last on {ago(10)}" in sends.flat, (
        sends.output
    )


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_and_wrong_input_writes_nothing(company: Company) -> None:
    company.leave()
    files, before = company.files(), company.state()
    refused = company.offboard(stopped={"payrol": ago(1)})
    assert refused.rc != 0 and "payrol: mail_offboard_stopped: this play has no such environment" in refused.flat
    assert company.state() == before and company.files() == files

    def die(number: int, moment: str) -> None:
        method, path = company.tenant.requests[number - 1]
        if moment == "after" and method == "DELETE" and "applications" in path:
            kill_the_run(2)  # spares the name server

    company.tenant.plan()
    company.tenant.hook = die
    killed = company.offboard(stopped={"payroll": ago(30)})
    assert killed.rc != 0 and company.applications() == ["mailroom-profit"]
    assert company.state()[:2] == before[:2], "the DNS comes after the tenant"
    company.tenant.hook = lambda number, moment: None
    goes_on = company.offboard()
    assert goes_on.rc == 0, goes_on.output
    assert company.selectors() == ["both"] and OWN not in company.spf() and set(stored(company.folder)) == {"profit"}


@pytest.mark.slow
def test_offboarding_can_be_planned_and_applied(company: Company) -> None:
    company.leave()
    before, files = company.state(), company.files()
    plan = ("-e", f"mail_plan={company.folder / 'out'}")
    planned = company.offboard(*plan, stopped={"payroll": ago(30)})
    assert planned.rc == 0, planned.output
    assert company.state() == before and company.files() == files, "a plan changes nothing"
    made = json.loads((company.folder / "out" / "plan.json").read_text(encoding="utf-8"))
    assert made["playbook"] == "offboard" and made["tenants"]
    moved = company.run("mailroom.erp.apply", *plan, "-e", json.dumps({"mail_offboard_stopped": {"payroll": ago(29)}}))
    assert moved.rc != 0 and "the run: declaration: it is declared otherwise" in moved.flat
    assert company.state() == before
    done = company.run("mailroom.erp.apply", *plan)
    assert done.rc == 0, done.output
    assert company.applications() == ["mailroom-profit"] and company.selectors() == ["both"]
    assert OWN not in company.spf() and (company.handback / "acme.example.zone").exists()
    again = company.run("mailroom.erp.apply", *plan)
    assert (again.rc, again.changed) == (0, 0), again.output


def test_a_customer_leaves_with_its_domain_and_return_path(estate: Path) -> None:
    alias = {"name": "em1", "target": "u1.wl.sendgrid.net"}
    keys = [{"selector": "s1", "target": "s1.domainkey.u1.wl.sendgrid.net"}, alias]
    leaves = {**RELAY, "erp_mail_dkim": {"acme.example": keys}, "mail_customer": "Acme"}
    policies = {"dmarc": {"policy": "none"}, "tls_rpt": {"rua": ["tls@acme.example"]}}
    shared: dict[str, Any] = {
        "mail_dns_complete": True,
        "mail_dns_domains": {
            "acme.example": {"services": [], "customer": "Acme", **policies},
            "mijnbakkerij.example": {"services": [], "dmarc": {"policy": "none"}},
        },
        "vault_relay_password": SECRET,
    }
    assert run_playbook(estate, SITE, inventory({"acme_relay": leaves}, **shared)).rc == 0
    zone = estate / "zones" / "acme.example.zone"
    before = zone.read_text(encoding="utf-8")
    assert "em1" in before and "_smtp._tls" in before
    gone = inventory({"acme_relay": {**leaves, "erp_mail_state": "leaving"}}, **shared)
    words = {"mail_offboard_stopped": {"acme_relay": ago(20)}, "mail_offboard_customers": ["Acme"]}
    waits = run_playbook(estate, OFFBOARD, gone, "-e", json.dumps(words))
    assert waits.rc == 0 and "the policies of acme.example stay: acme_relay still needs it" in waits.flat, waits.output
    kept = zone.read_text(encoding="utf-8")
    assert "em1" in kept and "_dmarc" in kept and "_smtp._tls" in kept and "s1._domainkey" not in kept
    final = ("-e", json.dumps({**words, "mail_offboard_final": ["acme_relay"]}))
    done = run_playbook(estate, OFFBOARD, gone, *final)
    assert done.rc == 0 and "the policies of acme.example go" in done.flat, done.output
    left = zone.read_text(encoding="utf-8")
    assert not [name for name in ("em1", "_dmarc", "_smtp._tls", "192.0.2.10") if name in left] and "v=spf1 mx" in left
    assert not (estate / "mailroom" / "acme_relay" / "settings.yml").exists()
    assert "_dmarc" in (estate / "zones" / "mijnbakkerij.example.zone").read_text(encoding="utf-8")
    again = run_playbook(estate, OFFBOARD, gone, *final)
    assert (again.rc, again.changed) == (0, 0) and "acme_relay has left" in again.flat, again.output
