# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a network adds: a forwarder that brings each message to a name server, and its answer back, some time later.

Run as a program: ``latency.py <port of the server> <milliseconds each way>``. It prints its own port and serves UDP and
TCP on 127.0.0.1 until it is killed. One thread and a heap of what is due, so that it costs the machine little.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import resource
import selectors
import socket
import sys
import time
from collections.abc import Callable
from functools import partial

from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS, free_port

_IDLE_SECONDS = 1.0
"""An asker that has been silent for so long is forgotten."""
_BUFFER = 4 * 1024 * 1024
_Address = tuple[str, int]


class DelayingForwarder:
    """Passes on all that it gets, ``delay`` seconds later."""

    def __init__(self, port: int, delay: float) -> None:
        self._server, self._delay = (ADDRESS, port), delay
        self._selector = selectors.DefaultSelector()
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._number = itertools.count()
        self._askers: dict[_Address, tuple[socket.socket, float]] = {}
        self.port = free_port()
        self._udp = _udp_socket()
        self._udp.bind((ADDRESS, self.port))
        listening = socket.create_server((ADDRESS, self.port), backlog=1000)
        self._watch(self._udp, self._from_askers)
        self._watch(listening, lambda: self._accept(listening))

    def serve(self) -> None:
        """Run until the process ends."""
        while True:
            for key, _events in self._selector.select(self._wait()):
                with contextlib.suppress(OSError):
                    key.data()
            while self._due and self._due[0][0] <= time.monotonic():
                with contextlib.suppress(OSError):
                    heapq.heappop(self._due)[2]()

    def _wait(self) -> float | None:
        return max(0.0, self._due[0][0] - time.monotonic()) if self._due else None

    def _later(self, action: Callable[[], object], start: float = 0.0) -> None:
        """Do something one way later, counted from now or from a later start."""
        due = max(start, time.monotonic()) + self._delay
        heapq.heappush(self._due, (due, next(self._number), action))

    def _watch(self, one: socket.socket, ready: Callable[[], None]) -> None:
        one.setblocking(False)
        self._selector.register(one, selectors.EVENT_READ, ready)

    def _from_askers(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                message, asker = self._udp.recvfrom(65535)
                self._later(partial(self._upstream(asker).send, message))

    def _upstream(self, asker: _Address) -> socket.socket:
        """The socket that asks the server for one asker."""
        now = time.monotonic()
        if asker in self._askers:
            upstream = self._askers[asker][0]
        else:
            self._forget(now)
            upstream = _udp_socket()
            upstream.connect(self._server)
            self._watch(upstream, partial(self._from_server, upstream, asker))
        self._askers[asker] = (upstream, now)
        return upstream

    def _forget(self, now: float) -> None:
        if len(self._askers) % 500 != 499:
            return
        for asker, (upstream, last) in list(self._askers.items()):
            if now - last > _IDLE_SECONDS:
                del self._askers[asker]
                self._selector.unregister(upstream)
                upstream.close()

    def _from_server(self, upstream: socket.socket, asker: _Address) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                self._later(partial(self._udp.sendto, upstream.recv(65535), asker))

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                asker, server = listening.accept()[0], socket.create_connection(self._server)
                open_ways = {asker, server}
                # The kernel completes the handshake at once; over a network it would take one way there and back.
                established = time.monotonic() + 2 * self._delay
                self._watch(asker, partial(self._pass_on, asker, server, open_ways, established))
                self._watch(server, partial(self._pass_on, server, asker, open_ways, 0.0))

    def _pass_on(
        self, source: socket.socket, target: socket.socket, open_ways: set[socket.socket], start: float
    ) -> None:
        """Pass on what has come in one direction of a connection, or its end."""
        data = source.recv(65535)
        if data:
            self._later(partial(target.sendall, data), start)
        else:
            self._selector.unregister(source)
            self._later(partial(_end, source, target, open_ways), start)


def _end(source: socket.socket, target: socket.socket, open_ways: set[socket.socket]) -> None:
    """End one direction; the second end closes the connection."""
    open_ways.discard(source)
    if open_ways:
        target.shutdown(socket.SHUT_WR)
    else:
        source.close()
        target.close()


def _udp_socket() -> socket.socket:
    udp = socket.socket(type=socket.SOCK_DGRAM)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        udp.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
    return udp


def main() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    forwarder = DelayingForwarder(int(sys.argv[1]), float(sys.argv[2]) / 1000)
    print(forwarder.port, flush=True)
    forwarder.serve()


if __name__ == "__main__":
    main()
