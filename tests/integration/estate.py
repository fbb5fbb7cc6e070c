# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the roles erp_mail and mail_dns share: an inventory, its zones, and what a run left of them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.integration.playbook import Result

SITE = "mailroom.erp.site"
SECRET = "hunter2hunter2"
ZONE = """\
$ORIGIN {zone}.
$TTL 3600
@ IN SOA ns.{zone}. hostmaster.{zone}. 1 7200 3600 1209600 3600
@ IN NS ns.{zone}.
ns IN A 192.0.2.53
"""
OURS = {
    "acme.example": '@ IN TXT "google-site-verification=abc"\n@ IN TXT "v=spf1 mx ip4:192.0.2.1 ~all"\n@ IN MX 10 ns\n',
    "mijnbakkerij.example": "",
}
WORLD = {
    "afas.online": 'spf IN TXT "v=spf1 ip4:198.51.100.0/24 -all"\n',
    "outlook.com": 'spf.protection IN TXT "v=spf1 ip4:203.0.113.0/24 -all"\n',
}
ALL: dict[str, Any] = {
    "ansible_connection": "local",
    "mail_dns_account": {"provider": "zonefile", "path": "{{ inventory_dir }}/zones"},
    "mail_dns_resolver": {"zonefiles": ["{{ inventory_dir }}/zones", "{{ inventory_dir }}/world"]},
    "mail_dns_domains": {
        "acme.example": {
            "services": ["microsoft365"],
            "dmarc": {"policy": "none", "rua": ["dmarc@acme.example"]},
        },
        "mijnbakkerij.example": {"services": []},
    },
}
PROFIT: dict[str, Any] = {
    "erp_mail_system": "afas_profit",
    "erp_mail_transport": "afas_online",
    "erp_mail_senders": {
        "environment": "erp@acme.example",
        "administrations": {"1": "finance@acme.example", "2": "sales@acme.example"},
        "employers": {"100": "payroll@acme.example"},
        "templates": {"reminder": "collections@acme.example"},
    },
}
RELAY: dict[str, Any] = {
    "erp_mail_system": "afas_profit",
    "erp_mail_transport": "smtp",
    "erp_mail_service": "own_relay",
    "erp_mail_senders": {"environment": "erp@acme.example", "administrations": {"1": "finance@acme.example"}},
    "erp_mail_settings": {"server": "relay.acme.example", "username": "erp"},
    "erp_mail_spf_terms": ["ip4:192.0.2.10"],
    "erp_mail_password": "{{ vault_relay_password }}",
}
BAKERY: dict[str, Any] = {
    "erp_mail_system": "compad_bakkerij",
    "erp_mail_service": "ziggo",
    "erp_mail_senders": {"environment": "mijnbakkerij@ziggo.nl"},
    "erp_mail_settings": {"ordernow": True, "cc": "info@mijnbakkerij.example"},
}
HOSTS: dict[str, Any] = {"acme_profit": PROFIT, "acme_relay": RELAY, "jansen_bakery": BAKERY, "printer": {}}


def inventory(hosts: dict[str, Any] | None = None, **shared: Any) -> dict[str, Any]:
    return {"all": {"vars": {**ALL, **shared}, "hosts": HOSTS if hosts is None else hosts}}


def make_estate(folder: Path) -> None:
    """Write the zones of two companies, and those of the services they use."""
    for part, zones in (("zones", OURS), ("world", WORLD)):
        (folder / part).mkdir()
        for zone, records in zones.items():
            (folder / part / f"{zone}.zone").write_text(ZONE.format(zone=zone) + records, encoding="utf-8")


def contents(folder: Path) -> dict[str, str]:
    """All that a run may have written: each file with its hash. What it keeps of a failure is no part of it."""
    found = [file for part in ("zones", "mailroom") for file in (folder / part).rglob("*") if file.is_file()]
    files = [file for file in found if file.name != "failed_run.json"]
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def spf(folder: Path, domain: str) -> list[str]:
    text = (folder / "zones" / f"{domain}.zone").read_text(encoding="utf-8")
    return [line.split('"')[1] for line in text.splitlines() if "v=spf1" in line]


def differences(result: Result) -> list[str]:
    """The lines of the diffs, in any order: hosts of one task end in any order."""
    lines = (line.rstrip() for line in result.output.splitlines())
    return sorted(line for line in lines if line.startswith(("+", "-", "@@")))
