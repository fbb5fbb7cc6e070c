# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command while the test tenant runs: ``python -m ...tests.servers.entra.demo FOLDER COMMAND ...``.

The folder gets ``tenant.json``, the option ``tenant`` that reaches it, and keeps what is in the tenant for the next
time.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.servers.entra.directory import Directory
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import (
    GRANT,
    MANAGE_OWN,
    READ_APPLICATIONS,
    SCOPE,
    SEE_SENDERS,
)

# A person's rights are among them, so that the demo shows everything; docs/entra.md tells who should have which.
RIGHTS = (MANAGE_OWN, READ_APPLICATIONS, *GRANT, *SCOPE, *SEE_SENDERS)
MAILBOXES = ("payroll", "hr", "office", "director")
KING = "5e9d4b1c-0000-4000-8000-00000000000a"
QUADRANT = "5e9d4b1c-0000-4000-8000-00000000000b"


def main(folder: Path, command: list[str]) -> int:
    """Run the command; gives its exit code."""
    with tenant_in(folder) as server:
        print(f"A test tenant runs on this machine, at {server.url}: nothing here talks to Microsoft.", flush=True)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(command, check=False, env=environment).returncode


@contextlib.contextmanager
def tenant_in(folder: Path) -> Iterator[EntraServer]:
    """The demo's tenant, for as long as the context lasts."""
    folder.mkdir(mode=0o700, exist_ok=True)
    with EntraServer() as server:
        client = _furnish(server.directory, folder / "state.json")
        _write(folder / "tenant.json", server.tenant_option(client))
        try:
            yield server
        finally:
            _write(folder / "state.json", {"client": client, **_state(server.directory)})


def _furnish(directory: Directory, file: Path) -> tuple[str, str]:
    """Put into the tenant what it had the last time, or else what the demo starts with; gives the client."""
    directory.add_vendor("KING Software - SendEmail", QUADRANT, verified="Quadrant Automatisering B.V.", app_id=KING)
    if not file.exists():
        for name in MAILBOXES:
            directory.add_user(f"{name}@acme.example", purpose="shared", enabled=False)
        return directory.add_client("Mailroom automation", RIGHTS)
    held = json.loads(file.read_text(encoding="utf-8"))
    directory.truth.tables = {**directory.truth.tables, **held["tables"]}
    directory.truth.owners = held["owners"]
    directory.secrets = held["secrets"]
    directory.settle()
    app_id, secret = held["client"]
    return app_id, secret


def _state(directory: Directory) -> dict[str, Any]:
    return {"tables": directory.truth.tables, "owners": directory.truth.owners, "secrets": directory.secrets}


def _write(file: Path, content: Any) -> None:
    file.touch(mode=0o600)
    file.write_text(json.dumps(content, indent=2), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
