# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands between a module and a name server, and tells the test of each UPDATE before the server sees it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType

from ansible_collections.mailroom.erp.tests.servers.bind import ADDRESS

_UPDATE = 5
"""The opcode of an UPDATE (RFC 2136 section 1.3)."""
_SECONDS = 30.0


class Watcher:
    """Passes queries and UPDATEs on; a context manager.

    :param port: of the name server on 127.0.0.1
    :param on_update: called with the zone of each UPDATE, in a thread of its own; the UPDATE waits for it
    """

    def __init__(self, port: int, on_update: Callable[[str], None]) -> None:
        self.on_update = on_update
        self._server = (ADDRESS, port)
        self._tcp, self._udp = _sockets()
        self.port = int(self._tcp.getsockname()[1])
        for serve in (self._serve_tcp, self._serve_udp):
            threading.Thread(target=serve, daemon=True).start()

    def __enter__(self) -> Watcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for listening in (self._tcp, self._udp):
            with contextlib.suppress(OSError):
                # a thread that waits in accept does not notice a close
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()

    def _serve_tcp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._tcp.accept()
                threading.Thread(target=self._pass_tcp, args=(client,), daemon=True).start()

    def _serve_udp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, address = self._udp.recvfrom(65535)
                threading.Thread(target=self._pass_udp, args=(data, address), daemon=True).start()

    def _pass_tcp(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(_SECONDS)
            message = _message(client)
            if message and message[2] >> 3 & 0xF == _UPDATE:
                self.on_update(_zone(message))
            with socket.create_connection(self._server, _SECONDS) as server:
                server.sendall(struct.pack("!H", len(message)) + message)
                answer = _message(server)
                client.sendall(struct.pack("!H", len(answer)) + answer)

    def _pass_udp(self, data: bytes, address: tuple[str, int]) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, contextlib.suppress(OSError):
            server.settimeout(_SECONDS)
            server.connect(self._server)
            server.send(data)
            self._udp.sendto(server.recv(65535), address)


def _sockets() -> tuple[socket.socket, socket.socket]:
    """The same free port for TCP and UDP."""
    while True:
        tcp, udp = socket.socket(type=socket.SOCK_STREAM), socket.socket(type=socket.SOCK_DGRAM)
        tcp.bind((ADDRESS, 0))
        with contextlib.suppress(OSError):
            udp.bind(tcp.getsockname())
            tcp.listen(100)
            return tcp, udp
        tcp.close()
        udp.close()


def _message(connection: socket.socket) -> bytes:
    """One message over TCP (RFC 1035 section 4.2.2).

    :raises OSError: the connection ended before
    """
    (length,) = struct.unpack("!H", _exactly(connection, 2))
    return _exactly(connection, length)


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise ConnectionError("the connection was closed")
        data += part
    return data


def _zone(message: bytes) -> str:
    """The zone of an UPDATE: the first name in it (RFC 2136 section 2.3)."""
    labels, position = [], 12
    while message[position]:
        start = position + 1
        position = start + message[position]
        labels.append(message[start:position].decode())
    return ".".join(labels)
