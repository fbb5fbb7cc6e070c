# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets of the tests' name servers: one free port for UDP and TCP, and DNS messages over TCP."""

from __future__ import annotations

import contextlib
import socket

ADDRESS = "127.0.0.1"


def bound_sockets() -> tuple[socket.socket, socket.socket]:
    """Bind a socket for TCP and one for UDP to the same free port of 127.0.0.1.

    :returns: the one for TCP, which does not listen yet, and the one for UDP
    """
    while True:
        tcp, udp = socket.socket(type=socket.SOCK_STREAM), socket.socket(type=socket.SOCK_DGRAM)
        tcp.bind((ADDRESS, 0))
        with contextlib.suppress(OSError):
            udp.bind(tcp.getsockname())
            return tcp, udp
        tcp.close()
        udp.close()


def free_port() -> int:
    """A port that is free for TCP and UDP alike, as a name server needs it."""
    tcp, udp = bound_sockets()
    with tcp, udp:
        return int(tcp.getsockname()[1])


def read_message(connection: socket.socket) -> bytes:
    """Read one message over TCP, which has its length in front (RFC 1035 section 4.2.2).

    :returns: the message without its length
    :raises ConnectionError: the connection ended before the message did
    """
    return _read_bytes(connection, int.from_bytes(_read_bytes(connection, 2)))


def framed(message: bytes) -> bytes:
    """The message with its length in front, as it goes over TCP (RFC 1035 section 4.2.2)."""
    return len(message).to_bytes(2) + message


def _read_bytes(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise ConnectionError("the connection was closed")
        data += part
    return data
