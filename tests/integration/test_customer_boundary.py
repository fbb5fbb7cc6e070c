# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks in a run for one customer: what was asked, written, read and told is that customer's, and nobody else's.

Three customers share a name server, an account at Cloudflare and the folders of the provider. The secrets of the others
are encrypted with a password that no run is given, in single values and in a whole file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.declared_customers import customer_file_stem
from ansible_collections.mailroom.erp.tests.integration.customer_world import (
    ACME,
    CLOSED,
    FOR_ACME,
    JANSEN,
    OTHER_TENANT,
    OTHERS,
    OUTLOOK,
    PASSWORD,
    SMIT,
    AskedBind,
    closed_text,
    files_of_others,
    profit_of,
)
from ansible_collections.mailroom.erp.tests.integration.entra_site import RIGHTS
from ansible_collections.mailroom.erp.tests.integration.estate import SITE
from ansible_collections.mailroom.erp.tests.integration.playbook import LOCALHOST, Result, run_playbook
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.cloudflare import TOKEN, Cloudflare
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

VERIFY, APPLY, RESTORE = (f"mailroom.erp.{name}" for name in ("verify", "apply", "restore"))
CUSTOMERS = {"acme": ACME, "jansen": JANSEN, "smit": SMIT}
SPF = '@ TXT "v=spf1 mx ~all"\n@ MX 10 ns1\n'


@dataclass(frozen=True, slots=True)
class World:
    """All that a run may reach."""

    folder: Path
    bind: AskedBind
    cloudflare: Cloudflare
    tenants: dict[str, EntraServer]
    sign_ins: dict[str, dict[str, Any]]

    def run(self, playbook: str, *arguments: str) -> Result:
        password = self.folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        return run_playbook(self.folder, playbook, self.inventory(), *arguments, f"--vault-id=own@{password}")

    def inventory(self) -> dict[str, Any]:
        children = {
            name: {"hosts": {f"{name}_profit": profit_of(name)}, "vars": self._vars(name)} for name in CUSTOMERS
        }
        return {"all": {"children": children}}

    def _vars(self, name: str) -> dict[str, Any]:
        server = self.tenants.get(name)
        found: dict[str, Any] = {"mail_customer": CUSTOMERS[name], "mail_entra_customer": name}
        if server is None:
            return found
        # the others' sign-in refers to a file that is encrypted as a whole
        option = self.sign_ins[name]
        return {
            **found,
            "mail_entra_tenant": option if name == "acme" else {**option, "client_secret": "{{ vault_x }}"},
        }

    def contents(self) -> dict[str, str]:
        return files_of_others(self.folder)


def _group_vars(folder: Path, bind: Bind, cloudflare: Cloudflare) -> None:
    """What is declared for all, with values of others that this run cannot decrypt; and a whole file that it cannot."""
    shared = {
        "ansible_connection": "local",
        "erp_mail_output_dir": "{{ inventory_dir }}/mailroom",
        "mail_dns_account": dict(bind.dns_option),
        "mail_dns_resolver": dict(bind.resolver_option),
        "mail_shared_accounts": ["{{ cloudflare_account }}"],
        "cloudflare_account": dict(cloudflare.dns_option),
        "mail_dns_accept_undelegated": ["acme-cloud.example", "jansen-cloud.example"],
        "mail_report_pages": True,
        "mail_reports_paths": ["{{ inventory_dir }}/reports"],
        "mail_report_prometheus": "{{ inventory_dir }}/mailroom/figures.prom",
    }
    domains = {
        "acme.example": {"customer": ACME, "services": []},
        "acme-cloud.example": {
            "customer": ACME,
            "services": [],
            "dmarc": {"policy": "none"},
            "dns": "{{ cloudflare_account }}",
        },
        "jansen.example": {"customer": JANSEN, "services": []},
        "jansen-cloud.example": {
            "customer": JANSEN,
            "services": [],
            "dmarc": {"policy": "none"},
            "dns": "{{ cloudflare_account }}",
        },
        "smit.example": {"customer": SMIT, "services": [], "dns": {"provider": "cloudflare", "api_token": "SECRET"}},
    }
    text = yaml.safe_dump({**shared, "mail_dns_domains": domains}, sort_keys=False)
    (folder / "group_vars" / "jansen").mkdir(parents=True)
    (folder / "group_vars" / "all.yml").write_text(
        text.replace("SECRET", closed_text("token-of-smit", 10)), encoding="utf-8"
    )
    (folder / "group_vars" / "jansen" / "vault.yml").write_bytes(CLOSED.encrypt(b"vault_x: secret-of-jansen\n"))
    # a report of another's domain, which cannot be read without being noticed
    (folder / "reports").mkdir()
    (folder / "reports" / "jansen.xml").mkdir()


def _leave_what_others_have(folder: Path) -> None:
    """What runs for all and for others left in the folders of the provider; to read any of it would fail."""
    for place in ("secrets", "report/customers", "jansen_profit", "snapshots"):
        (folder / "mailroom" / place).mkdir(parents=True)
    for file in (
        "secrets/jansen.yml",
        "report/report.json",
        "report/index.html",
        "figures.prom",
        "failed_run.json",
        "jansen_profit/settings.yml",
    ):
        (folder / "mailroom" / file).write_text("of all, or of jansen: not to be touched\n", encoding="utf-8")
    (folder / "mailroom" / "report" / "customers" / "bakkerij-jansen-0.json").mkdir()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    names = [f"{name}.example" for name in CUSTOMERS]
    clouds = [f"{name}-cloud.example" for name in ("acme", "jansen")]
    zones = {name: zone_text(name, SPF) for name in [*names, *clouds]}
    outlook = zone_text("outlook.com", 'spf.protection TXT "v=spf1 ip4:203.0.113.0/24 -all"')
    zones |= {"example": zone_text("example"), "outlook.com": outlook}
    with (
        AskedBind(zones) as bind,
        Cloudflare({name: zones[name] for name in clouds}) as cloudflare,
        EntraServer() as own,
        EntraServer(OTHER_TENANT) as other,
    ):
        _group_vars(tmp_path, bind, cloudflare)
        _leave_what_others_have(tmp_path)
        own.directory.add_user("erp@acme.example", purpose="shared", enabled=False)
        tenants = {"acme": own, "jansen": other}
        sign_ins = {
            name: one.tenant_option(one.directory.add_client("automation", RIGHTS)) for name, one in tenants.items()
        }
        own.plan()
        other.plan()
        yield World(tmp_path, bind, cloudflare, tenants, sign_ins)


def nothing_of_others(world: World, run: Result, before: dict[str, str]) -> None:
    """Neither asked, nor written, nor told."""
    assert world.bind.asked() == []
    zone = world.cloudflare.zones["jansen-cloud.example"]
    assert [path for _method, path in world.cloudflare.requests if zone.id in path or OTHERS.search(path)] == []
    assert world.tenants["jansen"].requests == [] and world.tenants["jansen"].sign_ins == 0
    assert world.contents() == before
    assert OTHERS.findall(run.output) == []
    assert TOKEN not in run.unbroken


def test_site_and_verify_for_one_customer_meet_nobody_else(world: World) -> None:
    before = world.contents()
    made = world.run(SITE, *FOR_ACME)
    assert made.rc == 0, made.output
    nothing_of_others(world, made, before)
    assert f"This run is for one customer ({ACME}). Left out: 2 hosts; 3 domains." in made.flat
    assert world.bind.values("acme.example", "TXT") == [f'"v=spf1 mx {OUTLOOK} ~all"']
    assert world.cloudflare.values("_dmarc.acme-cloud.example", "TXT") == ['"v=DMARC1; p=none"']
    assert (world.folder / "mailroom" / "acme_profit" / "sheet.md").is_file()
    assert len(world.tenants["acme"].truth.find("applications", uniqueName="mailroom-acme_profit")) == 1
    assert (world.folder / "mailroom" / "secrets" / "acme.yml").is_file()
    (snapshot,) = (world.folder / "mailroom" / "snapshots").glob("*.yml")
    assert OTHERS.findall(snapshot.read_text(encoding="utf-8")) == []

    reports = world.folder / "mailroom" / "report" / "customers"
    last = {"schema": "mailroom.erp/report/1", "made": "2026-01-01T00:00:00Z"}
    (reports / f"{customer_file_stem(ACME)}.json").write_text(json.dumps(last), encoding="utf-8")
    looked = world.run(VERIFY, *FOR_ACME)
    assert looked.rc == 0, looked.output
    nothing_of_others(world, looked, before)
    (report,) = reports.glob("acme*.json")
    found = json.loads(report.read_text(encoding="utf-8"))
    assert (found["customer"], found["customers"], found["previous"]) == (ACME, [], last["made"])
    assert sorted(one["name"] for one in found["domains"]) == ["acme-cloud.example", "acme.example"]
    for page in (report, report.with_suffix(".html")):
        assert OTHERS.findall(page.read_text(encoding="utf-8")) == []
    world.bind.values("jansen.example", "TXT")
    assert len(world.bind.asked()) == 1, "who asks is seen"


@pytest.mark.slow
def test_a_plan_and_a_snapshot_of_one_customer_serve_no_other_run(world: World) -> None:
    before, place = world.contents(), ("-e", f"mail_plan={world.folder / 'acme-plan'}")
    planned = world.run(SITE, *FOR_ACME, *place)
    assert planned.rc == 0, planned.output
    nothing_of_others(world, planned, before)
    page = (world.folder / "acme-plan" / "plan.md").read_text(encoding="utf-8")
    assert f"It is for the customer {ACME}" in page and not OTHERS.search(page)
    for_smit = ("-e", json.dumps({"mail_run_customer": SMIT}))
    serial = world.bind.serial("acme.example")
    another = world.run(APPLY, *for_smit, *place)
    assert another.rc != 0 and "the plan was made for another customer than this run" in another.flat
    assert ACME not in another.output
    over = world.run(SITE, *for_smit, *place)
    assert over.rc != 0
    assert world.bind.serial("acme.example") == serial

    applied = world.run(APPLY, *FOR_ACME, *place)
    assert applied.rc == 0, applied.output
    assert world.bind.values("acme.example", "TXT") == [f'"v=spf1 mx {OUTLOOK} ~all"']
    (snapshot,) = (world.folder / "mailroom" / "snapshots").glob("*.yml")
    back = ("-e", f"mail_restore_snapshot={snapshot}")
    refused = world.run(RESTORE, *for_smit, *back)
    assert refused.rc != 0 and "this snapshot holds no record of these domains" in refused.flat
    restored = world.run(RESTORE, *FOR_ACME, *back)
    assert restored.rc == 0, restored.output
    assert world.bind.values("acme.example", "TXT") == ['"v=spf1 mx ~all"']
    assert world.cloudflare.values("_dmarc.acme-cloud.example", "TXT") == []


def test_a_crossing_stops_every_playbook_before_anything_is_asked(world: World) -> None:
    skip = ("-e", "mail_on_refused=skip", "-e", '{"erp_mail_senders": {"environment": "erp@jansen.example"}}')
    sends = world.run(SITE, *FOR_ACME, *skip)
    assert sends.rc != 0
    assert (
        f"acme_profit needs jansen.example, which is not its customer's: it is declared as that of {JANSEN}"
        in sends.flat
    )
    unknown = world.run(VERIFY, "-e", "mail_run_customer=Acme-BV")
    assert unknown.rc != 0 and f"Did you mean {ACME}?" in unknown.flat
    assert OTHERS.findall(unknown.output) == []
    limited = world.run(SITE, *FOR_ACME, "--limit", "smit")
    assert limited.rc != 0 and "no host of this run is this customer's" in limited.flat
    assert world.bind.serial("acme.example") == 1
    assert world.cloudflare.requests == [] and world.tenants["acme"].requests == []


def test_adopt_for_one_customer_writes_into_no_folder_with_domains_of_others(tmp_path: Path) -> None:
    zones = ZoneFolder(tmp_path / "zones", {f"{name}.example": zone_text(f"{name}.example", SPF) for name in CUSTOMERS})
    variables = {
        "mail_adopt_domains": {f"{name}.example": {"customer": customer} for name, customer in CUSTOMERS.items()},
        "mail_adopt_dir": str(tmp_path / "inv"),
        "mail_dns_account": zones.dns_option,
        "mail_dns_resolver": zones.resolver_option,
    }
    (tmp_path / "adopt.json").write_text(json.dumps(variables), encoding="utf-8")

    def adopt(name: str) -> Result:
        customer = json.dumps({"mail_run_customer": name})
        return run_playbook(tmp_path, "mailroom.erp.adopt", LOCALHOST, "-e", "@adopt.json", "-e", customer)

    first = adopt(ACME)
    assert first.rc == 0, first.output
    written = {file: file.read_text(encoding="utf-8") for file in (tmp_path / "inv").iterdir()}
    assert "acme.example" in "".join(written.values())
    assert OTHERS.findall(first.output + "".join(written.values())) == []
    other = adopt(JANSEN)
    assert other.rc != 0 and "which is not declared as that of Bakkerij Jansen" in other.flat
    assert {file: file.read_text(encoding="utf-8") for file in (tmp_path / "inv").iterdir()} == written


def test_roles_in_a_play_of_ones_own_refuse_hosts_of_others(tmp_path: Path) -> None:
    hosts = {f"{name}_printer": {"mail_customer": customer} for name, customer in CUSTOMERS.items()}
    inventory = {"all": {"vars": {"ansible_connection": "local"}, "hosts": hosts}}
    play = "- hosts: {}\n  gather_facts: false\n  roles: [mailroom.erp.erp_mail, mailroom.erp.mail_dns]\n"
    whole = run_playbook(tmp_path, play.format("all"), inventory, *FOR_ACME)
    assert whole.rc != 0 and "the play has hosts that are not those of Acme B.V." in whole.flat
    own = '"{{ hostvars | default(none) | mailroom.erp.mail_customer_hosts(mail_run_customer) }}"'
    alone = run_playbook(tmp_path, play.format(own), inventory, *FOR_ACME)
    assert alone.rc == 0, alone.output
    assert [*alone.stats] == ["acme_printer"]
