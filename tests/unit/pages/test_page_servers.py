# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/providers.md shows of accounts and of name servers: real servers take both."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import check_dns, with_defaults
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
from ansible_collections.mailroom.erp.tests.servers.cloudflare import TOKEN, Cloudflare
from ansible_collections.mailroom.erp.tests.servers.powerdns import PowerDns
from ansible_collections.mailroom.erp.tests.servers.server import KEY_SECRET, program, zone_text
from ansible_collections.mailroom.erp.tests.servers.transip import READING, Transip, private_key_pem
from ansible_collections.mailroom.erp.tests.tools.page_blocks import Block, blocks

SHOWN = [one for one in blocks() if one.page == "docs/providers.md"]
ZONES = {"acme.example": zone_text("acme.example", '@ TXT "v=spf1 -all"')}
SECRETS = {"api_token": TOKEN, "private_key": private_key_pem(), "token": READING}


def shown(begins: str) -> Block:
    (found,) = [one for one in SHOWN if one.text.startswith(begins)]
    return found


def accounts() -> list[dict[str, Any]]:
    return [one.value["mail_dns_account"] for one in SHOWN if one.kind == "variables"]


def test_every_account_is_of_the_right_shape() -> None:
    assert len(accounts()) >= 4
    assert [told for account in accounts() for told in check_dns(account)] == []


@pytest.mark.parametrize(("provider", "server"), [("cloudflare", Cloudflare), ("transip", Transip)])
def test_an_account_reads_at_its_service(provider: str, server: type[Cloudflare] | type[Transip]) -> None:
    found = [account for account in accounts() if account["provider"] == provider]
    assert found
    with server(ZONES) as started:
        for account in found:
            secrets = {name: SECRETS[name] for name, value in account.items() if "{{" in str(value)}
            opened = open_provider(with_defaults({**account, **secrets, "base_url": started.base_url}))
            assert opened.zone_of("acme.example") == "acme.example"


def test_the_lines_for_bind(tmp_path: Path) -> None:
    (tmp_path / "acme.example.zone").write_text(ZONES["acme.example"], encoding="utf-8")
    text = shown("# BIND").text.replace("...", KEY_SECRET).replace("/var/lib/bind", str(tmp_path))
    (tmp_path / "named.conf").write_text(text, encoding="utf-8")
    check = [program("named-checkconf", "bind9-utils"), "-z", str(tmp_path / "named.conf")]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("knotc") is None, reason="knotc is not installed")
def test_the_lines_for_knot(tmp_path: Path) -> None:
    text = shown("# Knot").text.replace("...", KEY_SECRET)
    (tmp_path / "knot.conf").write_text(text, encoding="utf-8")
    check = [program("knotc", "knot"), "-c", str(tmp_path / "knot.conf"), "conf-check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_commands_for_powerdns() -> None:
    text = shown("# PowerDNS").text
    with PowerDns(ZONES) as server:
        pdnsutil = f"{program('pdnsutil', 'pdns-server')} --config-dir={server.folder}"
        commands = re.sub("^pdnsutil", pdnsutil, text, flags=re.MULTILINE).replace("...", KEY_SECRET)
        subprocess.run(["sh", "-ec", commands], check=True, capture_output=True)
        kept = [*pdnsutil.split(), "get-meta", "acme.example", "TSIG-ALLOW-DNSUPDATE"]
        assert "mailroom" in subprocess.run(kept, check=True, capture_output=True, text=True).stdout
