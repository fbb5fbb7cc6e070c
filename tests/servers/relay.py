# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between a client and a name server, on a port of its own for UDP and TCP."""

from __future__ import annotations

import abc
import contextlib
import socket
import threading

from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS, bound_sockets
from ansible_collections.mailroom.erp.tests.servers.stoppable import Stoppable


class Relay(Stoppable):
    """Listens, and hands each datagram and each connection to a thread of its own; a context manager that stops it."""

    def __init__(self, port: int) -> None:
        """Listen from now on; a class that adds fields sets them before it calls this.

        :param port: of the name server on 127.0.0.1
        """
        self.server = (ADDRESS, port)
        self._tcp, self.udp = bound_sockets()
        self._tcp.listen(100)
        self.port = int(self._tcp.getsockname()[1])
        for serve in (self._serve_tcp, self._serve_udp):
            threading.Thread(target=serve, daemon=True).start()

    @abc.abstractmethod
    def relay_tcp(self, client: socket.socket) -> None:
        """Serve one connection, and close it."""

    @abc.abstractmethod
    def relay_udp(self, message: bytes, client: tuple[str, int]) -> None:
        """Serve one message; the answer goes to the client by ``udp``."""

    def stop(self) -> None:
        """Listen no more; what is under way goes on."""
        for listening in (self._tcp, self.udp):
            with contextlib.suppress(OSError):
                # A thread that waits in accept does not notice a close.
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()

    def _serve_tcp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._tcp.accept()
                threading.Thread(target=self.relay_tcp, args=(client,), daemon=True).start()

    def _serve_udp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                message, client = self.udp.recvfrom(65535)
                threading.Thread(target=self.relay_udp, args=(message, client), daemon=True).start()
