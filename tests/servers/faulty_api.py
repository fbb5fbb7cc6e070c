# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the APIs of the tests share: real HTTP on this machine, requests counted, and faults on demand."""

from __future__ import annotations

import abc
import contextlib
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS
from ansible_collections.mailroom.erp.tests.servers.stoppable import Stoppable

LIMIT, ERROR_BEFORE, ERROR_AFTER, DROP_BEFORE, DROP_AFTER, GARBLED, SLOW = FAULTS = (
    "429",
    "500 before it is done",
    "500 after it is done",
    "connection dropped before it is done",
    "connection dropped after it is done",
    "done, and answered by somebody on the way",
    "slow answer",
)

Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back; bytes are sent as they are."""

    status: int
    body: Any
    headers: Mapping[str, str]


class FaultyApi(Stoppable, abc.ABC):
    """The running server; a context manager that stops it."""

    ROOT: ClassVar[str]
    """What all paths begin with."""

    def __init__(self) -> None:
        """Start it."""
        self.before: Callable[[str, str, Query], None] = lambda _method, _path, _query: None
        """Called before each request is done, with method, path and query."""
        self.limit: tuple[int, float] = (0, 0.0)
        """How many requests are answered in how many seconds; more are told to wait. 0: all are answered."""
        self._window = (0.0, 0)
        self._lock = threading.Lock()
        self.plan("", 0)
        self._http = _Http(self)
        self.port = int(self._http.server_address[1])
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def base_url(self) -> str:
        return f"http://{ADDRESS}:{self.port}{self.ROOT}"

    @abc.abstractmethod
    def handle(self, method: str, path: str, query: Query, headers: Mapping[str, str], data: bytes) -> Answer:
        """Do a request.

        :param headers: their names in lower case
        """

    @abc.abstractmethod
    def limited(self, seconds: float) -> Answer:
        """The answer to one request too many."""

    @abc.abstractmethod
    def broken(self) -> Answer:
        """The answer of a service that has a fault."""

    def shown(self, path: str) -> str:
        """A path as it is kept in ``requests``."""
        return path

    def plan(self, fault: str, number: int, seconds: float = 0.0, *, onwards: bool = False) -> None:
        """Say what goes wrong from now on, and count requests from 1 again.

        :param fault: one of ``FAULTS``, or nothing
        :param number: of the request that it happens to
        :param seconds: what a 429 says, or how long a slow answer takes
        :param onwards: whether it happens to all that follow, too
        """
        self._fault, self._number, self._seconds, self._onwards = fault, number, seconds, onwards
        self._counter = itertools.count(1)
        self.requests: list[tuple[str, str]] = []
        """Method and path of what came since."""

    def count(self, method: str, path: str = "") -> int:
        """How many requests came since :meth:`plan`, of a method and with a path that ends so."""
        return sum(one == method and asked.endswith(path) for one, asked in self.requests)

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def fault(self, method: str, path: str) -> tuple[str, float]:
        """Count a request, and say what goes wrong with it."""
        with self._lock:
            number = next(self._counter)
            self.requests.append((method, self.shown(path)))
            hit = number == self._number or (self._onwards and number > self._number)
            return (self._fault if hit else "", self._seconds)

    def full(self) -> float:
        """Seconds to wait when too many requests came, else 0."""
        most, seconds = self.limit
        if not most:
            return 0.0
        with self._lock:
            began, count = self._window
            if time.monotonic() - began > seconds:
                began, count = time.monotonic(), 0
            self._window = (began, count + 1)
            return began + seconds - time.monotonic() if count >= most else 0.0


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, service: FaultyApi) -> None:
        self.service = service
        super().__init__((ADDRESS, 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is killed on purpose is no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Http

    def do_GET(self) -> None:
        service, url = self.server.service, urlsplit(self.path)
        path = url.path.removeprefix(service.ROOT)
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        fault, seconds = service.fault(self.command, path)
        wait = seconds if fault == LIMIT else service.full()
        if wait:
            return self._send(service.limited(wait))
        if fault == DROP_BEFORE:
            return self._drop()
        if fault == ERROR_BEFORE:
            return self._send(service.broken())
        query = dict(parse_qsl(url.query))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = service.handle(self.command, path, query, headers, data)
        if fault == DROP_AFTER:
            return self._drop()
        if fault == GARBLED:
            return self._send_data(200, b"<html>Please log in</html>", {"content-type": "text/html"})
        return self._send(service.broken() if fault == ERROR_AFTER else answer, seconds if fault == SLOW else 0.0)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _send(self, answer: Answer, pause: float = 0.0) -> None:
        headers = {"content-type": "application/json", **answer.headers}
        data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self._send_data(answer.status, data, headers, pause)

    def _send_data(self, status: int, data: bytes, headers: Mapping[str, str], pause: float = 0.0) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        half = len(data) // 2 if pause else len(data)
        self.wfile.write(data[:half])
        self.wfile.flush()
        if pause:
            time.sleep(pause)
            self.wfile.write(data[half:])
            self.wfile.flush()

    def _drop(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""
