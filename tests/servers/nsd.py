# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real NSD for tests: it serves zones and takes no updates at all."""

from __future__ import annotations

from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS
from ansible_collections.mailroom.erp.tests.servers.server import KEY_NAME, KEY_SECRET, Server

_HEAD = f"""
server:
    ip-address: {ADDRESS}@%(port)d
    username: ""
    zonesdir: "%(folder)s"
    database: ""
    pidfile: ""
    xfrdfile: ""
    xfrdir: "%(folder)s"
    zonelistfile: "%(folder)s/zone.list"
    server-count: 1
remote-control:
    control-enable: no
key:
    name: "{KEY_NAME}"
    algorithm: hmac-sha256
    secret: "{KEY_SECRET}"
"""


class Nsd(Server):
    """NSD; it has no ``updates``."""

    PROGRAM = "nsd"
    PACKAGE = "nsd"
    OPEN = CLOSED = ""

    def configure(self) -> None:
        text = _HEAD % {"folder": self.folder, "port": self.port}
        for zone, file in self.write_zones().items():
            text += f'zone:\n    name: "{zone}"\n    zonefile: "{file}"\n'
        (self.folder / "nsd.conf").write_text(text)

    def command(self) -> list[str]:
        return ["-d", "-c", str(self.folder / "nsd.conf")]
