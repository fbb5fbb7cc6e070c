# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook site with mail_probe: each server once, the verdicts, the sheets, and a look that cannot be done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.estate import SECRET, SITE, contents, inventory
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook
from ansible_collections.mailroom.erp.tests.servers.mail_server import MailServer

OFFICES = 29


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A server with STARTTLS, and AUTH after it."""
    with MailServer() as started:
        yield started


def king(server: MailServer, **more: Any) -> dict[str, Any]:
    """An office that sends through a server; Exalt's alerts of the company go through it, too."""
    return {
        "erp_mail_system": "king_erp",
        "erp_mail_transport": "smtp_basic",
        "erp_mail_service": "own_relay",
        "erp_mail_senders": {"environment": "office@acme.example"},
        "erp_mail_settings": {
            "server": "localhost",
            "port": server.port,
            "security": "Explicit-TLS",
            "authentication": True,
            "username": "office",
        },
        "erp_mail_spf_terms": ["ip4:192.0.2.1"],
        "erp_mail_password": "{{ vault_relay_password }}",
        "erp_mail_probe_from": "here",
        **more,
    }


def exalt(server: MailServer) -> dict[str, Any]:
    settings = {
        "server_name": f"localhost,{server.port}",
        "authentication": "none",
        "notification_mailbox": "system@acme.example",
        "bounced_mailbox": "bounces@acme.example",
    }
    return {
        "erp_mail_system": "exalt",
        "erp_mail_service": "own_relay",
        "erp_mail_senders": {"environment": "alerts@acme.example"},
        "erp_mail_settings": settings,
        "erp_mail_spf_terms": ["ip4:192.0.2.1"],
    }


def site(folder: Path, server: MailServer, hosts: dict[str, Any], *arguments: str, **shared: Any) -> Result:
    probe = {"mail_probe": True, "mail_probe_ca_file": server.ca_file, "mail_probe_timeout": 10}
    secrets = {"vault_relay_password": SECRET}
    return run_playbook(folder, SITE, inventory(hosts, **{**probe, **secrets, **shared}), *arguments)


def test_verify_looks_too_and_its_report_names_the_server(estate: Path) -> None:
    with MailServer("none") as server:
        shared = {"mail_probe": True, "mail_probe_timeout": 10, "vault_relay_password": SECRET}
        played = run_playbook(estate, "mailroom.erp.verify", inventory({"office": king(server)}, **shared))
        assert (played.rc, server.connections) == (2, 1), played.output
    report = json.loads((estate / "mailroom" / "report" / "report.json").read_text(encoding="utf-8"))
    texts = json.dumps([report["environments"], report["todo"]])
    assert f"localhost port {server.port}" in texts and "STARTTLS" in texts, texts


def sheet(folder: Path, host: str) -> str:
    return (folder / "mailroom" / host / "sheet.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_thirty_environments_on_one_server_make_three_connections(estate: Path, server: MailServer) -> None:
    hosts = {f"office_{number:02}": king(server) for number in range(OFFICES)} | {"cases": exalt(server)}
    played = site(estate, server, hosts)
    assert (played.rc, server.connections) == (0, 3), played.output
    assert "PASS 1 server for 29 environments" in played.flat, played.output
    assert "SEEN nothing wrong with 1 server, but 1 environment (cases) send" in played.flat
    text, told = sheet(estate, "office_00"), sheet(estate, "cases")
    assert (
        f"| Poort | `{server.port}` (poort {server.port}: bereikbaar vanaf deze controller, STARTTLS, TLS 1.3, " in text
    )
    assert "certificaat geldig tot en met 20" in text and "Test-NetConnection" not in text
    command = f"Test-NetConnection -ComputerName localhost -Port {server.port}"
    assert "## The mail server, seen from Exalt" in told and command in told
    before = contents(estate)
    again = site(estate, server, hosts)
    assert (again.rc, again.changed, server.connections, contents(estate)) == (0, 0, 6, before), again.output


def test_check_mode_looks_too_and_no_output_has_a_secret(estate: Path, server: MailServer) -> None:
    before = contents(estate)
    played = site(estate, server, {"office": king(server)}, "--check", "--diff", "-vvvv")
    assert (played.rc, server.connections, contents(estate)) == (0, 3, before), played.output
    assert "PASS 1 server for 1 environment" in played.flat
    assert SECRET not in played.unbroken and server.heard == []


def test_a_broken_server_fails_the_verdict_where_the_erp_is_here(estate: Path) -> None:
    place = "{{ '{{' }} 7 * 191 }} | **x**"
    with MailServer("none") as server:
        senders = {"environment": "away@acme.example"}
        away = king(server, erp_mail_probe_from=place, erp_mail_senders=senders)
        played = site(estate, server, {"office": king(server), "away": away})
        assert (played.rc, server.connections) == (0, 1), played.output
    flat = played.flat
    assert f"FAIL localhost port {server.port}: reachable" in flat and "UNKNOWN localhost" in flat
    assert (
        "office, office@acme.example by own_relay: FAIL SPF unknown, DKIM unknown, DMARC unknown, transport fail"
        in flat
    )
    assert "away, away@acme.example by own_relay: UNKNOWN" in flat and "transport unknown" in flat
    assert "seen from here: the server does not offer STARTTLS" in flat
    assert "**Zo kan het ERP niet versturen:** de server biedt geen STARTTLS aan." in sheet(estate, "office")
    assert "**Niet zeker:** de server biedt geen STARTTLS aan." in sheet(estate, "away")
    assert r"({{ 7 \* 191 }} | \*\*x\*\*)" in sheet(estate, "away")


def test_a_look_that_cannot_be_done_is_unknown_and_stops_nothing(estate: Path, server: MailServer) -> None:
    played = site(estate, server, {"office": king(server)}, mail_probe_ca_file="/nowhere/ca.pem")
    assert (played.rc, server.connections) == (0, 0), played.output
    assert "transport unknown" in played.flat and "/nowhere/ca.pem" in played.flat
    assert "**Niet zeker:** vanaf de controller kon niemand kijken" in sheet(estate, "office")


def test_a_choice_that_is_none_is_told_before_anything_is_written(estate: Path, server: MailServer) -> None:
    before = contents(estate)
    played = site(estate, server, {"office": king(server)}, mail_probe="maybe")
    assert (played.rc != 0, server.connections, contents(estate)) == (True, 0, before), played.output
    assert "mail_probe" in played.flat and "it is true or false" in played.flat
