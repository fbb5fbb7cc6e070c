# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A way to a name server that loses, delays, repeats or breaks off one message (or all from there on), TCP and UDP."""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from types import TracebackType

from ansible_collections.mailroom.erp.tests.servers.server import ADDRESS, free_port

DROP, DELAY, DUPLICATE, CUT = FAULTS = ("drop", "delay", "duplicate", "cut")
"""``CUT`` sends half of the message, and over TCP closes both connections."""

_Send = Callable[[bytes], object]


class Cut(Exception):
    """The connection ends here."""


class Forwarder:
    """Listens on a port of its own, for UDP and TCP, and passes messages on in both directions.

    Messages are numbered from 1 in the order in which they arrive here, questions and answers alike.
    """

    def __init__(self, port: int) -> None:
        """Forward to a port on 127.0.0.1."""
        self._server = (ADDRESS, port)
        self.port = free_port()
        self._udp = socket.socket(type=socket.SOCK_DGRAM)
        self._udp.bind((ADDRESS, self.port))
        self._tcp = socket.create_server((ADDRESS, self.port), backlog=100)
        self.plan("", 0)
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def plan(self, fault: str, number: int, seconds: float = 0.0, *, onwards: bool = False) -> None:
        """Say what goes wrong from now on, and count from 1 again.

        :param fault: one of ``FAULTS``, or nothing
        :param number: of the message that it happens to
        :param seconds: how long a delay is
        :param onwards: whether it happens to all that follow, too
        """
        self._fault, self._number, self._seconds, self._onwards = fault, number, seconds, onwards
        self._counter = itertools.count(1)
        self.messages = 0

    def close(self) -> None:
        self._udp.close()
        self._tcp.close()

    def __enter__(self) -> Forwarder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _pass_on(self, message: bytes, send: _Send, frame: Callable[[bytes], bytes]) -> None:
        self.messages = number = next(self._counter)
        hit = number == self._number or (self._onwards and number > self._number)
        fault = self._fault if hit else ""
        if fault == DROP:
            return
        if fault == CUT:
            send(frame(message)[: len(frame(message)) // 2])
            raise Cut
        if fault == DELAY:
            time.sleep(self._seconds)
        for _time in range(2 if fault == DUPLICATE else 1):
            send(frame(message))

    def _serve_udp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                message, client = self._udp.recvfrom(65535)
                threading.Thread(target=self._answer_udp, args=(message, client), daemon=True).start()

    def _answer_udp(self, message: bytes, client: tuple[str, int]) -> None:
        """Ask as somebody else of the server, and bring back whatever it answers."""
        with contextlib.suppress(OSError, Cut), socket.socket(type=socket.SOCK_DGRAM) as ask:
            ask.connect(self._server)
            ask.settimeout(2)
            with contextlib.suppress(Cut):
                self._pass_on(message, ask.send, bytes)
            while True:
                self._pass_on(ask.recv(65535), lambda answer: self._udp.sendto(answer, client), bytes)

    def _serve_tcp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._tcp.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, Cut, EOFError), client, socket.create_connection(self._server) as server:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    other = server if ready is client else client
                    self._pass_on(_read(ready), other.sendall, lambda text: struct.pack("!H", len(text)) + text)


def _read(connection: socket.socket) -> bytes:
    (length,) = struct.unpack("!H", _read_bytes(connection, 2))
    return _read_bytes(connection, length)


def _read_bytes(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data
