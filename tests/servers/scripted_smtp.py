# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail servers of a few lines, for clients that look at them: any words, at any stage, with or without TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence

from ansible_collections.mailroom.erp.tests.servers.scripted import Script

GREETING = b"220 mx.test ESMTP\r\n"
SLOW_TO_END = 5.0


def smtp_script(
    context: ssl.SSLContext | None = None,
    *,
    implicit: bool = False,
    banner: bytes = GREETING,
    clear: Sequence[str] = ("SIZE 1000000",),
    secure: Sequence[str] = ("SIZE 1000000", "AUTH PLAIN LOGIN"),
    starttls: bytes = b"220 go\r\n",
) -> Script:
    """A server that does what a right one does, but for the words that are given.

    :param context: the settings of TLS; STARTTLS is offered with one
    :param implicit: TLS comes first
    :param banner: the greeting
    :param clear: what EHLO offers before TLS, beside STARTTLS
    :param secure: what it offers after TLS
    :param starttls: the answer to STARTTLS; TLS begins only behind one with 220
    """

    def script(connection: socket.socket) -> None:
        connection.settimeout(SLOW_TO_END)
        channel: socket.socket = connection
        if implicit and context is not None:
            channel = _secured(connection, context)
        channel.sendall(banner)
        offers = secure if implicit else [*clear, *(["STARTTLS"] if context is not None else [])]
        while command := _command(channel):
            if command == b"EHLO":
                channel.sendall(_reply(offers))
            elif command == b"STARTTLS":
                channel.sendall(starttls)
                if starttls.startswith(b"220") and context is not None:
                    channel, offers = _secured(connection, context), secure
            else:
                channel.sendall(b"221 bye\r\n")
                return

    return script


def _secured(connection: socket.socket, context: ssl.SSLContext) -> socket.socket:
    """Raises OSError where the handshake fails, once the alert is sent."""
    return context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=True)


def _command(channel: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        read = channel.recv(1)
        if not read:
            return b""
        line += read
    return line.split(b" ")[0].strip().upper()


def _reply(offers: Sequence[str]) -> bytes:
    lines = ["mx.test", *offers]
    return "".join(f"250{'-' if one is not lines[-1] else ' '}{one}\r\n" for one in lines).encode()
