# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All playbooks but those of test_customer_boundary.py in a run for one customer: nobody else is met.

Two customers have the same: an environment in a tenant, one that leaves, a managed policy, a domain that never sends.
They share a name server, an account at Cloudflare, the archive of reports and the folders of the provider.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_archive import archive_file
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_options import REPORT_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_run import inform_of_reports
from ansible_collections.mailroom.erp.tests.integration.customer_world import (
    ACME,
    CLOSED,
    FOR_ACME,
    JANSEN,
    OTHER_TENANT,
    OTHERS,
    OUTLOOK,
    PASSWORD,
    AskedBind,
    closed_text,
    files_of_others,
    profit_of,
)
from ansible_collections.mailroom.erp.tests.integration.entra_site import RIGHTS, stored
from ansible_collections.mailroom.erp.tests.integration.estate import SITE
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook
from ansible_collections.mailroom.erp.tests.servers.cloudflare import TOKEN, Cloudflare
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import DAY, report_text

CUSTOMERS = {"acme": ACME, "jansen": JANSEN}
TODAY = datetime.datetime.now(datetime.UTC).date()
PERSON = (
    "User.Read.All Application.ReadWrite.All AppRoleAssignment.ReadWrite.All DelegatedPermissionGrant.ReadWrite.All"
)
BROKEN = "a signature of jansen that nobody can take apart"
LEAVING = "ip4:192.0.2.77"


@dataclass(slots=True)
class Estate:
    """Two customers, and all that a run for one of them may reach."""

    folder: Path
    bind: AskedBind
    cloudflare: Cloudflare
    tenants: dict[str, EntraServer]
    inventory: dict[str, Any] = field(default_factory=dict)

    def run(self, playbook: str, *arguments: str, environment: dict[str, str] | None = None) -> Result:
        """Run for Acme, with what each task returned, and see that nobody else was met."""
        before = self.of_others()
        done = self.run_anything(playbook, *arguments, environment=environment)
        assert OTHERS.findall(done.output) == [], done.output
        assert self.of_others() == before
        assert TOKEN not in done.unbroken
        return done

    def run_anything(self, playbook: str, *arguments: str, environment: dict[str, str] | None = None) -> Result:
        (self.folder / "password").write_text(PASSWORD, encoding="utf-8")
        opened = f"--vault-id=own@{self.folder / 'password'}"
        name = playbook if playbook == SITE else f"mailroom.erp.{playbook}"
        return run_playbook(
            self.folder, name, self.inventory, *FOR_ACME, "-v", *arguments, opened, environment=environment
        )

    def of_others(self) -> tuple[Any, ...]:
        """All that Jansen's things show of a visit."""
        tenant, zone = self.tenants["jansen"], self.cloudflare.zones["jansen-old.example"]
        asked = [path for _method, path in self.cloudflare.requests if zone.id in path or OTHERS.search(path)]
        archive = hashed_rows(self.folder / "archive")
        return self.bind.asked(), asked, tenant.requests, tenant.sign_ins, files_of_others(self.folder), archive

    def asked(self) -> tuple[int, int, int]:
        """How often each service was asked anything at all."""
        questions = [line for line in self.bind.log().splitlines() if "query:" in line or "updat" in line]
        tenant = self.tenants["acme"]
        return len(questions), len(self.cloudflare.requests), len(tenant.requests) + tenant.sign_ins


def hashed_rows(archive: Path) -> list[tuple[Any, ...]]:
    """What the archive has of Jansen."""
    with contextlib.closing(sqlite3.connect(archive_file(str(archive)))) as connection:
        query = "SELECT domain, day, source, signatures, count FROM reports JOIN rows ON report = reports.id"
        return sorted(row for row in connection.execute(query) if "jansen" in row[0])


def profit(name: str) -> dict[str, Any]:
    return {**profit_of(name), "mail_test_to": f"tests@{name}.example"}


def leaver(name: str) -> dict[str, Any]:
    return {
        "erp_mail_system": "tryton",
        "erp_mail_service": "own_relay",
        "erp_mail_state": "leaving",
        "erp_mail_spf_terms": [LEAVING],
        "erp_mail_senders": {"environment": f"shop@{name}-shop.example"},
        "erp_mail_settings": {"host": "relay.invalid", "port": 587, "security": "smtp+tls", "username": name},
        "erp_mail_password": f"{{{{ vault_{name} }}}}",
    }


def group(name: str, tenant: dict[str, Any]) -> dict[str, Any]:
    own = {
        "mail_customer": CUSTOMERS[name],
        "mail_entra_customer": name,
        "mail_entra_tenant": f"{{{{ {name}_tenant }}}}",
        # Jansen's secrets are in a file that is encrypted as a whole
        **({"acme_tenant": tenant, "vault_acme": "password-of-acme"} if name == "acme" else {}),
    }
    return {"hosts": {f"{name}_profit": profit(name), f"{name}_leaver": leaver(name)}, "vars": own}


def declared_domains(name: str) -> dict[str, Any]:
    managed = {"mode": "managed", "target": "reject", "rua": [f"dmarc@{name}.example"]}
    return {
        f"{name}.example": {"customer": CUSTOMERS[name], "services": [], "dmarc": managed},
        f"{name}-shop.example": {"customer": CUSTOMERS[name], "services": []},
        f"{name}-old.example": {"customer": CUSTOMERS[name], "parked": True, "dns": "{{ cloudflare_account }}"},
    }


def write_group_vars(folder: Path, bind: AskedBind, cloudflare: Cloudflare) -> None:
    """What is declared for all; a value of Jansen's is encrypted with another password, and so is a whole file."""
    shared = {
        "ansible_connection": "local",
        "mail_dns_account": dict(bind.dns_option),
        "mail_dns_resolver": dict(bind.resolver_option),
        "mail_shared_accounts": ["{{ cloudflare_account }}"],
        "cloudflare_account": dict(cloudflare.dns_option),
        "mail_dns_complete": True,
        "mail_dns_accept_undelegated": ["acme-old.example"],
        "mail_reports_archive": "{{ inventory_dir }}/archive",
        # of all customers: to read it fails
        "mail_reports_paths": ["{{ inventory_dir }}/reports"],
        "mail_rotate_credentials": [{"name": "of jansen", "tenant": {"tenant_id": OTHER_TENANT}}],
        "mail_rotate_delay": 0,
        "mail_offboard_selector_days": 0,
    }
    domains = {**declared_domains("acme"), **declared_domains("jansen")}
    domains["jansen-shop.example"]["dns"] = {"provider": "cloudflare", "api_token": "SECRET"}
    text = yaml.safe_dump({**shared, "mail_dns_domains": domains}, sort_keys=False)
    text = text.replace("SECRET", closed_text("token-of-jansen", 10))
    (folder / "group_vars" / "jansen").mkdir(parents=True)
    (folder / "group_vars" / "all.yml").write_text(text, encoding="utf-8")
    closed = b"vault_jansen: x\njansen_tenant: {tenant_id: x}\n"
    (folder / "group_vars" / "jansen" / "vault.yml").write_bytes(CLOSED.encrypt(closed))
    (folder / "reports" / "jansen.xml").mkdir(parents=True)


def leave_what_others_have(folder: Path) -> None:
    """What runs for Jansen left in the folders of the provider."""
    for file in (
        "secrets/jansen.yml",
        "jansen_profit/settings.yml",
        "handback/jansen_leaver/handback.md",
        "failed_run.json",
    ):
        place = folder / "mailroom" / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("of jansen: not to be touched\n", encoding="utf-8")
    line = {"time": "2026-01-01T00:00:00Z", "zone": "jansen.example", "why": "offboard", "snapshot": "jansen.yml"}
    (folder / "mailroom" / "snapshots").mkdir()
    (folder / "mailroom" / "snapshots" / "journal.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")


def fill_archive(folder: Path) -> None:
    """A month of reports of three receivers on each customer; then what is kept of Jansen's is broken."""
    reports = folder / "first_reports"
    reports.mkdir()
    midnight = int(datetime.datetime.combine(TODAY, datetime.time(), datetime.UTC).timestamp())
    for name in CUSTOMERS:
        for days in range(31, 0, -1):
            for org in ("alpha.example", "beta.example", "gamma.example"):
                begin = midnight - days * DAY
                row = {"source": "203.0.113.5", "count": 20, "passed": (False, True), "header_from": f"{name}.example"}
                text = report_text(row, org=org, report_id=f"{name}-{days}", domain=f"{name}.example", begin=begin,
                                   end=begin + DAY - 1)  # fmt: skip
                (reports / f"{name}-{org}-{days}.xml").write_text(text, encoding="utf-8")
    given = {"paths": [str(reports)], "archive": str(folder / "archive"), "services": [], "resolver": {"zonefiles": []}}
    inform_of_reports(ArgumentSpecValidator(REPORT_OPTIONS).validate(given).validated_parameters, write=True)
    with contextlib.closing(sqlite3.connect(archive_file(str(folder / "archive")))) as archive:
        archive.execute("UPDATE treatments SET signatures = ? WHERE header_from LIKE 'jansen%'", (BROKEN,))
        archive.commit()


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    folder = tmp_path_factory.mktemp("customers")
    zones = {"example": zone_text("example")}
    zones["outlook.com"] = zone_text("outlook.com", 'spf.protection TXT "v=spf1 ip4:203.0.113.0/24 -all"')
    for name in CUSTOMERS:
        policy = f'_dmarc TXT "v=DMARC1; p=none; rua=mailto:dmarc@{name}.example"\n'
        zones[f"{name}.example"] = zone_text(f"{name}.example", f'@ TXT "v=spf1 {OUTLOOK} ~all"\n@ MX 10 ns1\n{policy}')
        zones[f"{name}-shop.example"] = zone_text(
            f"{name}-shop.example", f'@ TXT "v=spf1 mx {LEAVING} ~all"\n@ MX 10 ns1\n'
        )
    clouds = {f"{name}-old.example": zone_text(f"{name}-old.example") for name in CUSTOMERS}
    with (
        AskedBind({**zones, **clouds}) as bind,
        Cloudflare(clouds) as cloudflare,
        EntraServer() as own,
        EntraServer(OTHER_TENANT) as other,
    ):
        write_group_vars(folder, bind, cloudflare)
        leave_what_others_have(folder)
        fill_archive(folder)
        for name in ("erp", "tests"):
            own.directory.add_user(f"{name}@acme.example", purpose="shared", enabled=False)
        tenant = own.tenant_option(own.directory.add_client("automation", RIGHTS))
        own.plan()
        children = {name: group(name, tenant) for name in CUSTOMERS}
        yield Estate(folder, bind, cloudflare, {"acme": own, "jansen": other}, {"all": {"children": children}})


@pytest.fixture(scope="module")
def made(estate: Estate) -> Estate:
    """The same with what site makes of it."""
    first = estate.run(SITE)
    assert first.rc == 0, first.output
    return estate


@pytest.mark.slow
def test_rotate_secrets_of_one_customer(made: Estate) -> None:
    tenant, first = made.tenants["acme"], stored(made.folder)
    (application,) = tenant.truth.find("applications", uniqueName="mailroom-acme_profit")
    for one in application["passwordCredentials"]:
        one["endDateTime"] = f"{TODAY + datetime.timedelta(days=5)}T00:00:00Z"
    tenant.plan()
    rotated = made.run("rotate_secrets", "-vv")
    assert rotated.rc == 0, rotated.output
    assert "Left to a run for all: mail_reports_paths, mail_rotate_credentials" in rotated.flat
    assert stored(made.folder)["acme_profit"]["key_id"] != first["acme_profit"]["key_id"]


@pytest.mark.slow
def test_mail_test_of_one_customer(made: Estate) -> None:
    tenant = made.tenants["acme"]
    sent = len(tenant.directory.sent)
    tested = made.run("mail_test", environment={"XDG_STATE_HOME": str(made.folder / "state")})
    assert len(tenant.directory.sent) == sent + 1, tested.output
    assert b"erp@acme.example" in tenant.directory.sent[-1]
    assert OTHERS.findall("".join(map(str, (made.folder / "state").rglob("*")))) == []


def test_dmarc_advance_of_one_customer(estate: Estate) -> None:
    moved = estate.run("dmarc_advance")
    assert moved.rc == 0, moved.output
    assert estate.bind.values("_dmarc.acme.example", "TXT") == [
        '"v=DMARC1; p=quarantine; rua=mailto:dmarc@acme.example"'
    ]


def test_park_domains_of_one_customer(estate: Estate) -> None:
    parked = estate.run("park_domains")
    assert parked.rc == 0, parked.output
    assert estate.cloudflare.values("acme-old.example", "TXT") == ['"v=spf1 -all"']
    assert "no report tells whether anybody sends as it" in parked.flat


@pytest.mark.slow
def test_offboard_of_one_customer(estate: Estate) -> None:
    stopped = ("-e", json.dumps({"mail_offboard_stopped": {"acme_leaver": str(TODAY)}, "mail_offboard_final": True}))
    left = estate.run("offboard", *stopped)
    assert left.rc == 0, left.output
    assert estate.bind.values("acme-shop.example", "TXT") == ['"v=spf1 mx ~all"']
    handback = estate.folder / "mailroom" / "handback"
    for file in (handback / "acme_leaver").iterdir():
        assert OTHERS.findall(file.read_text(encoding="utf-8")) == []
    wishes = {
        "mail_offboard_stopped": {"jansen_leaver": str(TODAY)},
        "mail_offboard_customers": [JANSEN],
        "mail_offboard_domains": ["jansen-shop.example"],
    }
    others = estate.run_anything("offboard", "-e", json.dumps(wishes))
    assert others.rc != 0 and all(variable in others.flat for variable in wishes), others.output


PLAYBOOKS = ("rotate_secrets", "mail_test", "dmarc_advance", "park_domains", "offboard", "entra_bootstrap")


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_breach_is_refused_before_anything_is_asked(playbook: str, estate: Estate) -> None:
    """Of no service: what is looked at before could be another's."""
    before, others = estate.asked(), estate.of_others()
    sends = {"mail_on_refused": "skip", "erp_mail_senders": {"environment": "erp@jansen.example"}}
    refused = estate.run_anything(playbook, "-e", json.dumps(sends))
    assert refused.rc != 0, refused.output
    told = f"acme_profit needs jansen.example, which is not its customer's: it is declared as that of {JANSEN}"
    assert told in refused.flat, refused.output
    assert (estate.asked(), estate.of_others()) == (before, others)


def test_entra_bootstrap_of_one_customer(estate: Estate) -> None:
    tenant = estate.tenants["acme"]
    token = tenant.authority.person_token(tenant.directory.add_user("admin@acme.example"), PERSON)
    tenant.directory.settle()
    program = estate.folder / "bin" / "az"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{json.dumps({'accessToken': token})}'\n", encoding="utf-8")
    program.chmod(0o755)
    option = {**tenant.tenant_option(("", "")), "azure_cli": True}
    person = {name: value for name, value in option.items() if name not in ("client_id", "client_secret")}
    path = {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    made = estate.run("entra_bootstrap", "-e", json.dumps({"acme_tenant": person}), environment=path)
    assert made.rc == 0, made.output
    assert len(tenant.truth.find("applications", uniqueName="mailroom-automation")) == 1
