# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real BIND 9 for tests, with no system files and no rndc.

with Bind({"acme.example": zone_text("acme.example", '@ TXT "v=spf1 mx -all"')}) as server:
    provider = open_provider(server.dns_option)
    server.values("acme.example", "TXT")
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS
from ansible_collections.mailroom.erp.tests.servers.server import KEY_NAME, KEY_SECRET, Server

UPDATES_WITH_KEY = f'allow-update {{ key "{KEY_NAME}"; }};'
UPDATES_REFUSED = "allow-update { none; };"
UPDATES_OF_TXT_ONLY = f'update-policy {{ grant "{KEY_NAME}" zonesub TXT; }};'
"""Statements of a zone: who may update it. The last lets the key change TXT records and nothing else."""

SIGNED = f"{UPDATES_WITH_KEY} dnssec-policy default; inline-signing %s; "
"""The same for a zone that the server signs: fill in ``yes`` (beside the zone) or ``no`` (in the zone)."""

_OPTIONS = f"""
key "{KEY_NAME}" {{ algorithm hmac-sha256; secret "{KEY_SECRET}"; }};
options {{
    directory "%(folder)s";
    key-directory "%(folder)s";
    listen-on port %(port)d {{ {ADDRESS}; }};
    listen-on-v6 {{ none; }};
    pid-file none;
    lock-file none;
    session-keyfile none;
    recursion %(recursion)s;
    allow-transfer {{ key "{KEY_NAME}"; }};
    transfers-out 100;
    dnssec-validation no;
    empty-zones-enable no;
    notify no;
    tcp-clients 500;
}};
controls {{ }};
"""


class Bind(Server):
    """BIND 9; ``updates`` is the statement of a zone that says who may update it."""

    PROGRAM = "named"
    PACKAGE = "bind9"
    OPEN = UPDATES_WITH_KEY
    CLOSED = UPDATES_REFUSED
    RECURSION: ClassVar[str] = "no"
    """Whether it follows an alias into another zone, as the resolver of a mail server does."""

    def configure(self) -> None:
        text = _OPTIONS % {"folder": self.folder, "port": self.port, "recursion": self.RECURSION}
        for zone, file in self.write_zones().items():
            text += f'zone "{zone}" {{ type primary; file "{file}"; {self._updates[zone]} }};\n'
        (self.folder / "named.conf").write_text(text)

    def command(self) -> list[str]:
        return ["-g", "-n", "1", "-c", str(self.folder / "named.conf")]

    def ready(self) -> bool:
        return "running" in self.log()


StartBind = Callable[..., Bind]
"""Starts a server and leaves it to a fixture to stop it."""
