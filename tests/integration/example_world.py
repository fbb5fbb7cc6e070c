# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the examples of the documentation talk to: zones, a tenant, mail servers and folders, all on this machine.

An example runs as it stands; only accounts (which are variables in it), places of files and the addresses of servers
are other ones.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import report_data
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.entra.directory import PUBLISHER
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import GRANT, MANAGE_OWN, SCOPE, SEE_SCOPES
from ansible_collections.mailroom.erp.tests.servers.mail_server import MailServer, make_maildir
from ansible_collections.mailroom.erp.tests.servers.sending_service import AFAS_ZONES
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import new_public_key
from ansible_collections.mailroom.erp.tests.tools.page_blocks import blocks
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import report_text
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.verify.sample_report import sample_report

KEY = new_public_key(2048)
PEM = f"-----BEGIN PUBLIC KEY-----\n{KEY}\n-----END PUBLIC KEY-----\n"
OURS = {
    "acme.example": [
        '@ TXT "v=spf1 mx ip4:192.0.2.10 ~all"',
        "@ MX 10 ns1",
        '_dmarc TXT "v=DMARC1; p=none; rua=mailto:dmarc@acme.example"',
    ],
    "acme-shop.example": ['@ TXT "v=spf1 mx ~all"', "@ MX 10 ns1"],
    "acme-old.example": ['@ TXT "v=spf1 ~all"'],
    "acme-typo.example": [],
    "acme-parked.example": [],
    "jansen.example": ['@ TXT "v=spf1 mx ip4:192.0.2.9 ~all"', "@ MX 10 ns1"],
    "mijnbakkerij.example": [],
}
WORLD = {
    **AFAS_ZONES,
    "outlook.com": zone_text("outlook.com", 'spf.protection TXT "v=spf1 ip4:203.0.113.0/24 -all"'),
    "google.com": zone_text("google.com", '_spf TXT "v=spf1 ip4:203.0.113.128/25 ~all"'),
    "service.example": zone_text(
        "service.example",
        'spf TXT "v=spf1 ip4:192.0.2.1 include:a.service.example ~all"\na TXT "v=spf1 ip4:198.51.100.0/24 ~all"',
    ),
    "reports.example": zone_text("reports.example", 'acme.example._report._dmarc TXT "v=DMARC1"'),
    "sendgrid.net": zone_text("sendgrid.net", f's1.domainkey.u1234.wl TXT "v=DKIM1; p={KEY[:200]}" "{KEY[200:]}"'),
}
PERSON = (
    "User.Read.All Application.ReadWrite.All AppRoleAssignment.ReadWrite.All DelegatedPermissionGrant.ReadWrite.All "
    "RoleManagement.ReadWrite.Exchange Domain.Read.All MailboxSettings.Read"
)
MAILBOXES = ("erp", "payroll", "office", "invoices", "notifications", "director", "king-one")
BETA = "b0000000-0000-4000-8000-000000000001"
PASSWORD = "one-that-everybody-knows"
_PLACES = re.compile(r"(?<![\w/.~])(?:~|/(?:srv|etc|var))(?=/)")


class ExampleWorld:
    """The folder of the test with all that the examples name, and the servers that answer them."""

    def __init__(self, folder: Path, started: ExitStack) -> None:
        self.folder = folder
        self.tenant = started.enter_context(EntraServer())
        self.beta = started.enter_context(EntraServer(BETA))
        self.submission = started.enter_context(MailServer())
        self.relay = started.enter_context(MailServer("implicit"))
        self.bind = started.enter_context(Bind({zone: zone_text(zone, "\n".join(text)) for zone, text in OURS.items()}))
        self.authorities = folder / "authorities.pem"
        self.authorities.write_text("".join(Path(one.ca_file).read_text() for one in (self.submission, self.relay)))
        self.person: dict[str, Any] = {}
        self.variables: dict[str, Any] = {}

    def placed(self, text: str) -> str:
        """A text in which files lie below the folder of the test."""
        return _PLACES.sub(lambda found: f"{self.folder}/{found[0].strip('/~') or 'home'}", text)

    def placed_value(self, value: Any) -> Any:
        return json.loads(self.placed(json.dumps(value)))

    def reached(self, value: Any) -> Any:
        """A value in which mail servers, name servers and tenants are those of the test."""
        if isinstance(value, list):
            return [self.reached(one) for one in value]
        if not isinstance(value, dict):
            return value
        changed = {name: self.reached(inner) for name, inner in value.items()}
        if "azure_cli" in changed:
            return changed | self.person
        if changed.get("provider") == "rfc2136":
            return self.bind.dns_option
        return changed | (self._server(changed) if "host" in changed else {})

    def _server(self, place: dict[str, Any]) -> dict[str, Any]:
        server = self.relay if place.get("security") == "implicit" else self.submission
        signs_in = {"ca_file": server.ca_file} if "user" in place else {}
        return {"host": "localhost", "port": server.port, **signs_in}

    def tasks(self, text: str) -> list[dict[str, Any]]:
        """The tasks, or the plays, of an example."""
        found = yaml.safe_load(self.placed(text).replace("become: true", "become: false"))
        return [self.reached(one) for one in found]

    def zones(self, name: str) -> dict[str, Any]:
        """Zones of its own for an example: the variables that reach them, and what the resolver sees."""
        ours = ZoneFolder(
            self.folder / file_name(name), {zone: zone_text(zone, "\n".join(text)) for zone, text in OURS.items()}
        )
        return {"account": ours.dns_option, "resolver": {"zonefiles": [str(ours.folder), str(self.folder / "world")]}}


@contextmanager
def example_world(folder: Path) -> Iterator[ExampleWorld]:
    """All of it, for as long as the context lasts."""
    ZoneFolder(folder / "world", WORLD)
    with ExitStack() as started:
        world = ExampleWorld(folder, started)
        _furnish(world)
        world.variables = _variables(world)
        _files(world)
        yield world


def _furnish(world: ExampleWorld) -> None:
    """Who is in the tenant, and who may send."""
    directory = world.tenant.directory
    users = {name: directory.add_user(f"{name}@acme.example", purpose="shared") for name in MAILBOXES}
    directory.add_group("king-senders@acme.example", users["king-one"])
    for server in (world.submission, world.relay):
        server.accounts = {"mijnbakkerij": PASSWORD}
        server.takes_token = lambda _token, _user: True
        server.send_as = {"mijnbakkerij": {"mijnbakkerij@ziggo.example"}}
    world.submission.maildir = make_maildir(world.folder / "var" / "mail" / "tests")
    world.submission.adds = (
        "Authentication-Results: mx.acme.example; spf=pass smtp.mailfrom=ziggo.example; dmarc=pass\r\n"
    )


def _variables(world: ExampleWorld) -> dict[str, Any]:
    """What stands between the braces of the examples."""
    directory = world.tenant.directory
    rights = [MANAGE_OWN, "Application.Read.All", *GRANT, *SCOPE, *SEE_SCOPES]
    tenant = world.tenant.tenant_option(directory.add_client("automation", rights))
    king = directory.add_client("KING", [])
    (principal,) = directory.truth.find("servicePrincipals", appId=king[0])
    directory.assign_mailbox(principal, "invoices@acme.example")
    sender = {"from": "erp@acme.example", "envelope_domain": "acme.example", "sources": ["192.0.2.10"]}
    verdict = {"sender": sender, "spf": {"result": "pass", "reason": "x"}, "dmarc": {"result": "pass"}}
    beta = world.beta.tenant_option(world.beta.directory.add_client("automation", rights))
    vendor = directory.add_vendor("KING Software - SendEmail", PUBLISHER)
    directory.settle()
    return {
        "ansible_connection": "local",
        "acme_tenant": tenant,
        "beta_tenant": beta,
        "king_application": world.tenant.tenant_option(king),
        "king_key_id": "one",
        "king_scope_changed_on": "2026-11-29",
        "king_app_id": vendor,
        "king_publisher_tenant_id": PUBLISHER,
        "king_confirmed_assignments": [],
        "our_senders": [{**sender, "environment": "payslips"}],
        "checked": {"planned": []},
        "audit": {"verdicts": [verdict]},
        "made": {"verdicts": []},
        "vault_relay_password": PASSWORD,
        "vault_tryton_password": PASSWORD,
        "vault_bakery_password": PASSWORD,
        "vault_acme_tsig": "bWFpbHJvb20tdGVzdC1zZWNyZXQtb2YtMzItYnl0ZXM=",
    }


def _files(world: ExampleWorld) -> None:
    """Files and folders that the examples read."""
    folder = world.folder
    (folder / "mail2026.pub.pem").write_text(PEM, encoding="utf-8")
    (folder / "etc" / "tryton").mkdir(parents=True)
    (folder / "etc" / "tryton" / "trytond.conf").write_text("[database]\nuri = sqlite://\n", encoding="utf-8")
    make_maildir(folder / "var" / "mail" / "dmarc-reports")
    for below in ("srv/mta-sts", "var/lib/mailroom", "srv/mailroom/secrets"):
        (folder / below).mkdir(parents=True)
    ZoneFolder(
        folder / "etc" / "bind" / "zones",
        {"acme.example": zone_text("acme.example", '@ TXT "v=spf1 mx ip4:192.0.2.9 ~all"')},
    )
    (folder / "estate.yml").write_text(json.dumps(["acme.example", "acme-shop.example"]), encoding="utf-8")
    _az(world)
    _keys(folder)
    (folder / "mailroom" / "report").mkdir(parents=True)
    report = {**report_data(sample_report()), "customers": []}
    (folder / "mailroom" / "report" / "report.json").write_text(json.dumps(report), encoding="utf-8")
    _snapshots(folder)
    (folder / "report.xml").write_text(report_text({"count": 7}), encoding="utf-8")
    (folder / "vault-password").write_text(PASSWORD, encoding="utf-8")


def _keys(folder: Path) -> None:
    """The keys of the people who sign plans, where OpenSSH has them."""
    (folder / "home" / ".ssh").mkdir(parents=True)
    for name in ("id_ed25519", "bert"):
        file = folder / "home" / ".ssh" / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(file)], check=True)


def _az(world: ExampleWorld) -> None:
    """The Azure CLI of a person who has signed in."""
    admin = world.tenant.directory.add_user("admin@acme.example")
    world.tenant.directory.settle()
    token = world.tenant.authority.person_token(admin, f"{PERSON}")
    program = world.folder / "bin" / "az"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{json.dumps({'accessToken': token})}'\n", encoding="utf-8")
    program.chmod(0o755)
    option = world.tenant.tenant_option(("", ""))
    world.person = {name: value for name, value in option.items() if name not in ("client_id", "client_secret")}


def _snapshots(folder: Path) -> None:
    """The snapshot that docs/restore.md shows, of the zones of the examples of ``mail_records_restore``."""
    (shown,) = [one for one in blocks() if one.page == "docs/restore.md" and one.language == "yaml"]
    (example,) = [one for one in blocks() if one.page == "plugins/modules/mail_records_restore.py"]
    account = f"account: {{provider: 'zonefile', path: '{folder / file_name(example.name)}'}}"
    text = re.sub("account: .*", account, shown.text)
    for name, domain, was in (("home/.local/state/mailroom", "acme", "10"), ("mailroom/snapshots", "jansen", "9")):
        assert "v=spf1 mx ~all" in text
        own = text.replace("acme.example", f"{domain}.example").replace("mx ~all", f"mx ip4:192.0.2.{was} ~all")
        (folder / name).mkdir(parents=True)
        file = folder / name / "20261121T093000.123456Z-4711-0a1b2c3d.yml"
        file.write_text(own, encoding="utf-8")


def file_name(name: str) -> str:
    return name.replace("/", "_")
