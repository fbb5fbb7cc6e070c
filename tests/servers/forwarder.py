# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A way to a name server that loses, delays, repeats or breaks off one message (or all from there on), TCP and UDP."""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import time
from collections.abc import Callable

from ansible_collections.mailroom.erp.tests.servers.dns_sockets import framed, read_message
from ansible_collections.mailroom.erp.tests.servers.relay import Relay

DROP, DELAY, DUPLICATE, CUT = FAULTS = ("drop", "delay", "duplicate", "cut")
"""``CUT`` sends half of the message, and over TCP closes both connections."""

_Send = Callable[[bytes], object]


class Cut(Exception):
    """The connection ends here."""


class Forwarder(Relay):
    """Passes messages on in both directions.

    Messages are numbered from 1 in the order in which they arrive here, questions and answers alike.
    """

    def __init__(self, port: int) -> None:
        """Forward to a port on 127.0.0.1."""
        self.plan("", 0)
        super().__init__(port)

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

    def relay_udp(self, message: bytes, client: tuple[str, int]) -> None:
        """Ask as somebody else of the server, and bring back whatever it answers."""
        with contextlib.suppress(OSError, Cut), socket.socket(type=socket.SOCK_DGRAM) as ask:
            ask.connect(self.server)
            ask.settimeout(2)
            with contextlib.suppress(Cut):
                self._pass_on(message, ask.send, bytes)
            while True:
                self._pass_on(ask.recv(65535), lambda answer: self.udp.sendto(answer, client), bytes)

    def relay_tcp(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, Cut), client, socket.create_connection(self.server) as server:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    other = server if ready is client else client
                    self._pass_on(read_message(ready), other.sendall, framed)

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
