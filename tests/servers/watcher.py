# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands between a module and a name server, and tells the test of each UPDATE before the server sees it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

from ansible_collections.mailroom.erp.tests.servers.dns_sockets import framed, read_message
from ansible_collections.mailroom.erp.tests.servers.relay import Relay

_UPDATE = 5
"""The opcode of an UPDATE (RFC 2136 section 1.3)."""
_SECONDS = 30.0


class Watcher(Relay):
    """Passes queries and UPDATEs on."""

    def __init__(self, port: int, on_update: Callable[[str], None]) -> None:
        """Watch from now on.

        :param port: of the name server on 127.0.0.1
        :param on_update: called with the zone of each UPDATE, in a thread of its own; the UPDATE waits for it
        """
        self.on_update = on_update
        super().__init__(port)

    def relay_tcp(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(_SECONDS)
            message = read_message(client)
            if message and message[2] >> 3 & 0xF == _UPDATE:
                self.on_update(_zone(message))
            with socket.create_connection(self.server, _SECONDS) as server:
                server.sendall(framed(message))
                client.sendall(framed(read_message(server)))

    def relay_udp(self, message: bytes, client: tuple[str, int]) -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as server, contextlib.suppress(OSError):
            server.settimeout(_SECONDS)
            server.connect(self.server)
            server.send(message)
            self.udp.sendto(server.recv(65535), client)


def _zone(message: bytes) -> str:
    """The zone of an UPDATE: the first name in it (RFC 2136 section 2.3)."""
    labels, position = [], 12
    while message[position]:
        start = position + 1
        position = start + message[position]
        labels.append(message[start:position].decode())
    return ".".join(labels)
