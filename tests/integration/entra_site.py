# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbook site on a test tenant: what environments declare for Microsoft Entra, and what a run left behind."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.mailroom.erp.tests.integration.estate import SITE, inventory
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook
from ansible_collections.mailroom.erp.tests.servers.entra.directory import PUBLISHER
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import (
    GRANT,
    MANAGE_OWN,
    READ_APPLICATIONS,
    SEE_SENDERS,
)

PASSWORD = "correct horse battery staple"
READ = [READ_APPLICATIONS, *SEE_SENDERS]
RIGHTS = [MANAGE_OWN, *GRANT, *READ]
VAULT = VaultLib([("default", VaultSecret(PASSWORD.encode()))])


def profit(sender: str, **more: Any) -> dict[str, Any]:
    declared = {"erp_mail_system": "afas_profit", "erp_mail_transport": "exchange", "mail_entra_access": "tenant"}
    return {**declared, "erp_mail_senders": {"environment": f"{sender}@acme.example"}, **more}


def king(server: EntraServer) -> dict[str, Any]:
    app_id = server.directory.add_vendor("KING Software - SendEmail", PUBLISHER)
    server.directory.settle()
    return {
        "erp_mail_system": "king_erp",
        "erp_mail_transport": "graph_oauth2",
        "erp_mail_senders": {"environment": "office@acme.example"},
        "erp_mail_settings": {"username": "office@acme.example"},
        "erp_mail_consent": {"app_id": app_id, "publisher_tenant_id": PUBLISHER, "scopes": ["SMTP.Send"]},
    }


def estate_of(server: EntraServer, hosts: dict[str, Any], *rights: str, **shared: Any) -> dict[str, Any]:
    """An inventory whose environments share one tenant."""
    tenant = server.tenant_option(server.directory.add_client("automation", rights or RIGHTS))
    return inventory(hosts, mail_entra_tenant=tenant, mail_entra_customer="acme", **shared)


def site(folder: Path, hosts: dict[str, Any], *arguments: str) -> Result:
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    return run_playbook(folder, SITE, hosts, *arguments, f"--vault-password-file={folder / 'password'}")


def stored(folder: Path, customer: str = "acme") -> dict[str, Any]:
    """The entries of a vault file; none while a run has only proved that it can write there."""
    data = (folder / "mailroom" / "secrets" / f"{customer}.yml").read_bytes()
    found: dict[str, Any] = yaml.safe_load(VAULT.decrypt(data)).get("mail_entra_secrets", {})
    return found


def kill_the_run(depth: int = 1) -> None:
    """Kill the playbook that this process has started, and all that it has started.

    :param depth: how far below this process the killing begins; 2 spares the process that makes the copies
    """
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    found = {os.getpid(): 0}
    while new := {pid: found[parent] + 1 for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= new
    for pid, below in found.items():
        if below >= depth:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
