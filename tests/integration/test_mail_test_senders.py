# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook mail_test: one real message of each sender of an inventory, and what its receiver found."""

from __future__ import annotations

import email
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.entra_site import (
    PASSWORD,
    estate_of,
    king,
    profit,
    site,
    stored,
)
from ansible_collections.mailroom.erp.tests.integration.estate import BAKERY, PROFIT, contents, inventory
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.mail_server import MailServer, make_maildir

SENDER, ALERTS, RECIPIENT = "erp@acme.example", "alerts@acme.example", "tests@acme.example"
SMTP_PASSWORD = "canary-7f3a9c1e5b-password"


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with MailServer() as started:
        started.accounts = {"erp": SMTP_PASSWORD, "alerts": SMTP_PASSWORD}
        started.send_as = {"erp": {SENDER}, "alerts": {ALERTS}}
        started.maildir = make_maildir(tmp_path_factory.mktemp("receiver") / "Maildir")
        yield started


@pytest.fixture
def tenant() -> Iterator[EntraServer]:
    with EntraServer() as started:
        for name in ("erp", "payroll", "office"):
            started.directory.add_user(f"{name}@acme.example", purpose="shared", enabled=False)
        yield started


def tryton(server: MailServer, **more: Any) -> dict[str, Any]:
    settings = {"host": "localhost", "port": server.port, "security": "smtp+tls", "username": "erp"}
    return {
        "erp_mail_system": "tryton",
        "erp_mail_service": "own_relay",
        "erp_mail_spf_terms": ["ip4:192.0.2.10"],
        "erp_mail_senders": {"environment": SENDER},
        "erp_mail_settings": settings,
        "erp_mail_password": "{{ vault_mail_password }}",
        **more,
    }


def exalt(server: MailServer) -> dict[str, Any]:
    settings = {"server_name": f"localhost,{server.port}", "authentication": "TLS", "username": "alerts"}
    mailboxes = {"notification_mailbox": "system@acme.example", "bounced_mailbox": "bounces@acme.example"}
    return {
        **tryton(server),
        "erp_mail_system": "exalt",
        "erp_mail_senders": {"environment": ALERTS},
        "erp_mail_settings": {**settings, **mailboxes},
    }


def run(folder: Path, declared: dict[str, Any], *arguments: str) -> Result:
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    (folder / "vault.json").write_text(json.dumps({"vault_mail_password": SMTP_PASSWORD}), encoding="utf-8")
    secrets = ("-e", f"@{folder / 'vault.json'}", f"--vault-password-file={folder / 'password'}")
    return run_playbook(folder, "mailroom.erp.mail_test", declared, *secrets, *arguments)


def declared_with(server: MailServer, hosts: dict[str, Any], **shared: Any) -> dict[str, Any]:
    fetch = {"authserv_id": "mx.test", "maildir": str(server.maildir), "timeout": 5.0}
    return inventory(hosts, mail_test_fetch=fetch, mail_test_ca_file=server.ca_file, **shared)


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def failed(result: Result) -> set[str]:
    return {host for host, one in result.stats.items() if one["failures"]}


def test_each_sender_sends_once_and_what_arrived_is_compared_with_its_verdict(estate: Path, server: MailServer) -> None:
    server.adds = "Authentication-Results: mx.test; spf=pass smtp.mailfrom=acme.example; dmarc=pass\r\n"
    hosts = {
        "works": tryton(server, mail_test_to=RECIPIENT),
        "cases": exalt(server),
        "online": PROFIT,
        "bakery": BAKERY,
    }
    declared = declared_with(server, hosts)
    checked = run(estate, declared, "--check")
    assert (checked.rc, server.messages) == (0, []), checked.output
    assert f"WOULD SEND - works: {SENDER} to {RECIPIENT}" in checked.flat, checked.output

    foreign = tryton(server, mail_test_to=RECIPIENT, erp_mail_senders={"environment": "finance@acme.example"})
    locked = tryton(server, mail_test_to=RECIPIENT, erp_mail_password="{{ vault_that_is_closed }}")
    hosts |= {"other": foreign, "locked": locked, "wrong": {**tryton(server), "erp_mail_system": "trytton"}}
    before = contents(estate)
    first = run(estate, declared, "-vvvv")
    assert (first.rc, first.changed, failed(first)) == (2, 2, {"other", "locked", "wrong"}), first.output
    assert "locked: smtp.password is required" in first.flat and "its vault is not open in this run" in first.flat
    assert sorted(server.recipients) == [["system@acme.example"], [RECIPIENT]], "Exalt has an address of its own"
    assert {email.message_from_bytes(one)["From"] for one in server.messages} == {SENDER, ALERTS}
    # the relay's address is in no record yet, so the verdict is softfail
    assert "THE RECEIVER FOUND OTHERWISE THAN THE VERDICT SAYS" in first.flat
    assert f"works: {SENDER} to {RECIPIENT}: spf: pass, not softfail" in first.flat, first.output
    assert f"{SENDER} to {RECIPIENT}: arrived with spf pass, dmarc pass" in first.flat
    assert "permissions to send as this sender" in first.flat and "trytton" in first.flat
    assert "NOT TESTED" in first.flat and "online: AFAS Online hands its mail in by itself" in first.flat
    assert "bakery: nobody says where its test messages go: declare mail_test_to" in first.flat
    assert SMTP_PASSWORD not in first.unbroken and contents(estate) == before

    del hosts["other"], hosts["locked"], hosts["wrong"]
    second = run(estate, declared)
    assert (second.rc, second.changed, len(server.messages)) == (0, 0, 2), second.output
    assert "SENT BY AN EARLIER RUN" in second.flat


@pytest.mark.slow
def test_an_application_sends_with_the_secret_of_its_vault_file(estate: Path, tenant: EntraServer) -> None:
    hosts = {"profit": profit("erp"), "office": king(tenant)}
    declared = estate_of(tenant, hosts, mail_test_to=RECIPIENT, mail_test_outside="payroll@acme.example")
    early = run(estate, declared)
    assert early.rc == 0 and "profit: its application has no secret yet: run site first" in early.flat, early.output
    assert site(estate, declared).rc == 0
    done = run(estate, declared, "-vvvv")
    assert (done.rc, done.changed, len(tenant.directory.sent)) == (0, 1, 1), done.output
    assert "office: KING ERP signs in as a user with an application of its vendor" in done.flat
    assert stored(estate)["profit"]["secret"] not in done.unbroken
    again = run(estate, declared)
    assert (again.rc, again.changed, len(tenant.directory.sent)) == (0, 0, 1), again.output
    other = run(estate, declared, "-e", "mail_test_once_per=2026-12")
    assert (other.rc, other.changed, len(tenant.directory.sent)) == (0, 1, 2), other.output
    # the inventory says that it is limited, and the whole tenant still lets it send
    hosts["profit"]["mail_entra_access"] = "scoped"
    wide = run(estate, declared)
    assert (wide.rc, failed(wide), len(tenant.directory.sent)) == (2, {"profit"}, 3), wide.output
    assert "the token carries the right for the whole tenant" in wide.flat
