# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of a run for one customer share: names, a vault that stays closed, and servers that are watched."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.mailroom.erp.tests.servers.bind import Bind

ACME, JANSEN, SMIT = "Acme B.V.", "Bakkerij Jansen", "Slagerij Smit"
FOR_ACME = ("-e", json.dumps({"mail_run_customer": ACME}))
OTHERS = re.compile("jansen|smit", re.IGNORECASE)
OTHER_TENANT = "99999999-8888-7777-6666-555555555555"
CLOSED = VaultLib([("closed", VaultSecret(b"a password that no run is given"))])
OUTLOOK = "include:spf.protection.outlook.com"
PASSWORD = "correct horse battery staple"


class AskedBind(Bind):
    """A name server that writes down each question."""

    def configure(self) -> None:
        super().configure()
        file = self.folder / "named.conf"
        file.write_text(file.read_text().replace("    notify no;\n", "    notify no;\n    querylog yes;\n"))

    def asked(self) -> list[str]:
        """The questions and updates that name others than Acme."""
        lines = [line for line in self.log().splitlines() if "query:" in line or "updat" in line]
        return [line for line in lines if OTHERS.search(line)]


def closed_text(value: str, indent: int) -> str:
    """A value as YAML has it that is encrypted by itself, with a password that no run is given.

    :param indent: of its lines
    """
    lines = CLOSED.encrypt(value).decode().strip().splitlines()
    return "!vault |\n" + "\n".join(f"{' ' * indent}{line}" for line in lines)


def files_of_others(folder: Path) -> dict[str, str]:
    """The files of the provider's folders that are not Acme's, each with its hash and time.

    :param folder: of the inventory
    """
    found = [file for file in (folder / "mailroom").rglob("*") if file.is_file()]
    others = [file for file in found if "acme" not in str(file.relative_to(folder))]
    return {
        str(file): f"{hashlib.sha256(file.read_bytes()).hexdigest()} {file.stat().st_mtime_ns}"
        for file in others
        if file.parent.name != "snapshots" and file.name != ".lock"
    }


def profit_of(name: str) -> dict[str, Any]:
    """The declaration of a customer's AFAS Profit, which has an application in the tenant.

    :param name: of the customer's domain, without ``.example``
    """
    return {
        "erp_mail_system": "afas_profit",
        "erp_mail_transport": "exchange",
        "mail_entra_access": "tenant",
        "erp_mail_senders": {"environment": f"erp@{name}.example"},
    }
