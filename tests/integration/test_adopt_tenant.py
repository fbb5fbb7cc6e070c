# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adopt with a BIND, a tenant and reports: ERP environments come in by answers, and site leaves all as it is."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.entra_site import RIGHTS
from ansible_collections.mailroom.erp.tests.integration.playbook import LOCALHOST, Result, run_playbook
from ansible_collections.mailroom.erp.tests.integration.test_adopt_playbook import ADOPT, NOBODY, SITE, answer, files
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.server import KEY_SECRET, zone_text
from ansible_collections.mailroom.erp.tests.unit.adoption.test_live_tenants import application, server, vendor
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import report_text

__all__ = ["server"]
ZONES = {
    "acme.example": zone_text(
        "acme.example",
        '@ TXT "v=spf1 include:spf.protection.outlook.com include:spf.afas.example ~all"\n'
        '@ MX 10 acme-example.mail.protection.outlook.com.\n_dmarc TXT "v=DMARC1; p=none; rua=mailto:d@acme.example"',
    ),
    "afas.example": zone_text("afas.example", 'spf TXT "v=spf1 ip4:192.0.2.0/28 -all"'),
}
AFAS = {"spf": {"terms": {"value": ["include:spf.afas.example"], "source": "test"}}}


def adopt(tmp_path: Path, variables: dict[str, Any], *args: str) -> Result:
    (tmp_path / "adopt.json").write_text(json.dumps(variables))
    return run_playbook(tmp_path, ADOPT, LOCALHOST, "-e", "@adopt.json", *args)


@pytest.mark.slow
def test_environments_of_a_tenant_come_in_and_site_leaves_them_alone(tmp_path: Path, server: EntraServer) -> None:
    with Bind(ZONES) as bind:
        _come_in(tmp_path, bind, server)


def _come_in(tmp_path: Path, bind: Bind, server: EntraServer) -> None:
    office = server.directory.add_user("office@acme.example", purpose="shared", enabled=False)
    server.directory.add_user("erp@acme.example", purpose="shared", enabled=False)
    profit = application(server, "Profit email", "Mail.Send", "Mail.ReadWrite")
    unknown = application(server, "Who knows", "Mail.Send")
    king = vendor(server, "KING Software - SendEmail", office)
    tenant = server.tenant_option(server.directory.add_client("automation", RIGHTS))
    now = int(time.time())
    (tmp_path / "report.xml").write_text(
        report_text({"source": "192.0.2.7", "count": 7}, begin=now - 90000, end=now - 3600)
    )
    variables = {
        "mail_adopt_domains": {"acme.example": {"customer": "Acme"}},
        "mail_adopt_dir": str(tmp_path / "inv"),
        "mail_adopt_tenants": [tenant],
        "mail_dns_account": bind.dns_option,
        "mail_dns_resolver": bind.resolver_option,
        "mail_reports_paths": [str(tmp_path / "report.xml")],
    }
    server.plan()
    first = adopt(tmp_path, variables)
    assert (first.rc, first.changed) == (0, 1), first.output[-3000:]
    text = files(tmp_path)["acme.yml"]
    assert f"what: entra {profit['appId']}" in text and f"what: entra {unknown['appId']}" in text
    assert "Profit email" in text and "may send as every mailbox" in text and "ends 2027-01-31" in text
    assert "reported in 30 days: 7 messages from 192.0.2.7" in text
    asked = files(tmp_path)["questions.yml"]
    assert f"transport: exchange, application: {profit['appId']}, sender: erp@acme.example" in asked

    said = (
        "{acme_profit: {system: afas_profit, transport: exchange, application: Profit email, "
        "sender: erp@acme.example}, "
        "acme_king: {system: king_erp, transport: graph_oauth2, sender: office@acme.example}}"
    )
    answer(tmp_path, "erp acme.example", said)
    second = adopt(tmp_path, variables, "-vvvv", "--diff")
    assert (second.rc, second.changed) == (0, 1), second.output[-3000:]
    assert "New ERP environments: acme_profit, acme_king" in second.flat
    text = files(tmp_path)["acme.yml"]
    assert f"application_id: {profit['appId']}" in text and f"app_id: {king}" in text
    assert "username: who consented" in text and "username: office@acme.example" in text
    assert (
        f"entra {profit['appId']}" not in text and f"entra {king}" not in text and f"entra {unknown['appId']}" in text
    )
    shown = first.output + second.output + "".join(files(tmp_path).values())
    assert tenant["client_secret"] not in shown and KEY_SECRET not in shown

    secrets = {
        "vault_mailroom_tenant_11111111_client_secret": tenant["client_secret"],
        "vault_mailroom_acme_profit_password": "not asked for",
        "vault_mailroom_dns_key_secret": KEY_SECRET,
    }
    assert all(name in second.flat for name in secrets)
    (tmp_path / "vault.json").write_text(json.dumps(secrets))
    server.plan()
    before = bind.values("acme.example", "SOA")
    site = run_playbook(tmp_path, SITE, NOBODY, "-i", "inv", "-e", "@vault.json", "--diff")
    assert site.rc == 0 and {method for method, _path in server.requests} == {"GET"}, site.output[-4000:]
    # the files of the environments are all that is new
    changed = {line.rpartition("/")[2] for line in site.diff if line.startswith("+++")}
    assert changed == {"settings.yml", "sheet.md"} and bind.values("acme.example", "SOA") == before
    check = run_playbook(tmp_path, SITE, NOBODY, "-i", "inv", "-e", "@vault.json", "--check", "--diff")
    assert (check.rc, check.changed, check.diff) == (0, 0, []), check.output[-3000:]
    assert "2 environments, 0 would change, 0 failed" in check.flat and bind.values("acme.example", "SOA") == before
