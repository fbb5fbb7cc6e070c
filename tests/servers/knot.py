# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Knot DNS for tests."""

from __future__ import annotations

from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS
from ansible_collections.mailroom.erp.tests.servers.server import KEY_NAME, KEY_SECRET, Server

_HEAD = f"""
server:
    listen: "{ADDRESS}@%(port)d"
    rundir: "%(folder)s"
    udp-workers: 1
    tcp-workers: 2
    background-workers: 1
database:
    storage: "%(folder)s"
log:
  - target: stderr
    any: info
key:
  - id: "{KEY_NAME}"
    algorithm: hmac-sha256
    secret: "{KEY_SECRET}"
acl:
  - id: with_key
    key: "{KEY_NAME}"
    action: [update, transfer]
  - id: nobody
    address: 192.0.2.1
    action: update
template:
  - id: default
    storage: "%(folder)s"
zone:
"""


class Knot(Server):
    """Knot DNS; ``updates`` are lines of a zone's section."""

    PROGRAM = "knotd"
    PACKAGE = "knot"
    OPEN = "acl: with_key"
    CLOSED = "acl: nobody"
    SIGNED = "acl: with_key\n    dnssec-signing: on"

    def configure(self) -> None:
        text = _HEAD % {"folder": self.folder, "port": self.port}
        for zone, file in self.write_zones().items():
            text += f'  - domain: "{zone}"\n    file: "{file}"\n    {self._updates[zone]}\n'
        (self.folder / "knot.conf").write_text(text)

    def command(self) -> list[str]:
        return ["-c", str(self.folder / "knot.conf")]
