# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stateful Microsoft Entra tenant over HTTPS, with a certificate authority of its own, and everything that goes wrong
with the real one: reads behind writes, throttling, misleading answers, answers that get lost."""

from __future__ import annotations

import itertools
import json
import socket
import ssl
import tempfile
import threading
import urllib.parse
import uuid
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from ansible_collections.mailroom.erp.tests.servers.entra import graph, mail, odata
from ansible_collections.mailroom.erp.tests.servers.entra.call import Call
from ansible_collections.mailroom.erp.tests.servers.entra.directory import Directory, State
from ansible_collections.mailroom.erp.tests.servers.entra.odata import GraphFault
from ansible_collections.mailroom.erp.tests.servers.entra.shapes import Json
from ansible_collections.mailroom.erp.tests.servers.entra.tokens import Authority, SignInError, signer
from ansible_collections.mailroom.erp.tests.servers.stoppable import Stoppable

TENANT = "11111111-2222-3333-4444-555555555555"

LOST, DROPPED = "lost", "dropped"
"""Faults of the connection: done but never answered; never arrived."""

FAULTS: dict[str, GraphFault] = {
    "429": GraphFault(429, "TooManyRequests", "Too many requests", retry_after=1),
    "429-silent": GraphFault(429, "TooManyRequests", "Too many requests"),
    "503": GraphFault(503, "ServiceUnavailable", "The service is unavailable.", retry_after=1),
    "504": GraphFault(504, "GatewayTimeout", "The gateway timed out."),
    "403": odata.forbidden(),
}

Hook = Callable[[int, str], None]


class _Broken(Exception):
    """The connection ends without an answer."""


class EntraServer(Stoppable):
    """Sign-in and Graph of one tenant at one address; a context manager that stops it.

    The fields may be changed while it runs. Requests to Graph are numbered from 1, in the order of arrival.
    """

    def __init__(self, tenant_id: str = TENANT) -> None:
        self.directory = Directory(tenant_id)
        self.authority = Authority(self.directory)
        self.lag = 0
        """By how many requests to Graph reads are behind writes."""
        self.flapping = False
        """Whether every other request is answered by a replica that does not lag."""
        self.unseen = 404
        """How a write to an object that has not arrived yet is answered: 404, or a misleading 403."""
        self.page_size = 100
        self.faults: dict[int, str] = {}
        """Number of a request to what happens to it: one of ``FAULTS``, ``LOST`` or ``DROPPED``."""
        self.hook: Hook = lambda number, moment: None
        """Called with each request's number, ``before`` it is done and ``after``, before it is answered."""
        self.requests: list[tuple[str, str]] = []
        """Method and path of every request to Graph."""
        self.sign_ins = 0
        self.faults_of_ours: list[BaseException] = []
        """What went wrong in the server itself; raised when it stops, for a client would only try again."""
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="mailroom-entra-")
        self.folder = Path(self._folder.name)
        self._serve()

    def plan(self, **faults: Any) -> None:
        """Set fields, and count requests from 1 again."""
        with self._lock:
            self.requests = []
            self.directory.settle()
            for name, value in {"faults": {}, "lag": 0, "flapping": False, "unseen": 404, **faults}.items():
                setattr(self, name, value)

    @property
    def url(self) -> str:
        return self.authority.base

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.pem")

    @property
    def truth(self) -> State:
        """What is really there."""
        return self.directory.truth

    def tenant_option(self, client: tuple[str, str], **more: Any) -> Json:
        """The option ``tenant`` of the modules that reaches this server.

        :param client: appId and secret, as ``Directory.add_client`` gives them
        """
        place = {"tenant_id": self.directory.tenant_id, "authority": self.url, "graph_url": self.url}
        pace = {"ca_file": self.ca_file, "timeout": 20.0, "poll_interval": 0.01}
        return {**place, **pace, "client_id": client[0], "client_secret": client[1], **more}

    def signs_in(self, app_id: str, secret: str) -> bool:
        """Whether a client gets a token with this secret."""
        form = {"grant_type": "client_credentials", "scope": f"{self.url}/.default", "client_id": app_id}
        try:
            self.authority.token({**form, "client_secret": secret})
        except SignInError:
            return False
        return True

    def stop(self) -> None:
        """Stop the server.

        :raises BaseException: the first fault of its own
        """
        self._http.shutdown()
        self._http.server_close()
        self._folder.cleanup()
        for fault in self.faults_of_ours:
            raise fault

    def handle(
        self, method: str, target: str, headers: Mapping[str, str], data: bytes
    ) -> tuple[int, Json | None, Json]:
        """Answer one request.

        :returns: status, body and headers
        :raises _Broken: there is no answer
        """
        path = urllib.parse.urlsplit(target).path
        if path.startswith(("/v1.0/", "/beta/")):
            with self._lock:
                return self._graph(method, target, headers, data)
        if path == f"/{self.directory.tenant_id}/v2.0/.well-known/openid-configuration":
            return 200, self.authority.discovery(), {}
        if path == f"/{self.directory.tenant_id}/oauth2/v2.0/token":
            return self._token(data)
        return 400, {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."}, {}

    def _token(self, data: bytes) -> tuple[int, Json, Json]:
        self.sign_ins += 1
        try:
            return 200, self.authority.token(dict(urllib.parse.parse_qsl(data.decode()))), {}
        except SignInError as error:
            return error.status, {"error": error.error, "error_description": str(error)}, {}

    def _graph(
        self, method: str, target: str, headers: Mapping[str, str], data: bytes
    ) -> tuple[int, Json | None, Json]:
        parts = urllib.parse.urlsplit(target)
        version, _slash, below = parts.path.removeprefix("/").partition("/")
        path = urllib.parse.unquote(below)
        self.requests.append((method, path))
        number = len(self.requests)
        request_id = str(uuid.uuid4())
        fault = self.faults.get(number, "")
        self.hook(number, "before")
        try:
            if fault == DROPPED:
                raise _Broken
            if fault in FAULTS:
                raise FAULTS[fault]
            query = dict(urllib.parse.parse_qsl(parts.query))
            call = self._call(number, query, headers, data, target)
            status, body = graph.answer(call, method, path, beta=version == "beta")
            if call.wrote:
                self.directory.commit(number)
        except GraphFault as error:
            self.hook(number, "after")
            body = odata.fault_body(error, request_id, headers.get("client-request-id", ""))
            wait = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
            return error.status, body, {"request-id": request_id, **wait}
        self.hook(number, "after")
        if fault == LOST:
            raise _Broken
        return status, body, {"request-id": request_id}

    def _call(
        self, number: int, query: Mapping[str, str], headers: Mapping[str, str], data: bytes, target: str
    ) -> Call:
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            claims = self.authority.claims(token)
        except jwt.PyJWTError as error:
            message = f"Access token validation failure: {error}"
            raise GraphFault(401, "InvalidAuthenticationToken", message) from error
        lag = 0 if self.flapping and number % 2 == 0 else self.lag
        return Call(
            directory=self.directory,
            state=self.directory.seen(number, lag),
            rights={*claims.get("roles", []), *claims.get("scp", "").split()},
            caller=claims.get("oid"),
            query=query,
            body=mail.body_of(headers, data),
            headers=headers,
            url=f"{self.url}{target.partition('&$skiptoken')[0].partition('?$skiptoken')[0]}",
            page_size=self.page_size,
            unseen=self.unseen,
        )

    def _serve(self) -> None:
        ca = signer("mailroom test authority")
        (self.folder / "ca.pem").write_text(ca.certificate_pem, encoding="ascii")
        certificate, key = signer("127.0.0.1", ca).write(self.folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._http = _Listener(("127.0.0.1", 0), _handler(self))
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        self.authority.base = f"https://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about clients that go away, or do not trust the certificate."""


def _handler(server: EntraServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:
            """Print nothing."""

        def _answer(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                status, body, headers = server.handle(self.command, self.path, dict(self.headers), data)
            except _Broken:
                self._break_off()
                return
            except Exception as error:
                server.faults_of_ours.append(error)
                self._break_off()
                return
            text = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _break_off(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer

    return Handler


def every_fault(requests: int) -> list[tuple[int, str]]:
    """Each fault at each request, for tests that try them all."""
    return list(itertools.product(range(1, requests + 1), [*FAULTS, LOST, DROPPED]))
