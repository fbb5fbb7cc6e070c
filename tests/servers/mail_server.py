# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail server for submission (aiosmtpd): TLS, accounts, XOAUTH2, who may send as whom, and answers of a test."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import ssl
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from ansible_collections.mailroom.erp.tests.servers.entra.tokens import signer
from ansible_collections.mailroom.erp.tests.servers.stoppable import Stoppable

LOST, DROPPED = "lost", "dropped"
"""Answers that never come: after the message was taken, and before."""
UNSUCCESSFUL = "535 5.7.3 Authentication unsuccessful [AM0PR01CA0001.eurprd01.prod.exchangelabs.com]"
SEND_AS = "550 5.7.60 SMTP; Client does not have permissions to send as this sender"

Hook = Callable[[str, str], None]

# It warns of an attribute that it sets itself.
logging.getLogger("mail.log").setLevel(logging.ERROR)


class MailServer(Stoppable):
    """A server on 127.0.0.1; the fields may be changed while it runs."""

    def __init__(self, security: str = "starttls", size: int | None = 36_700_160) -> None:
        """Start it.

        :param security: none, starttls or implicit
        :param size: the largest message that it says it takes; None says nothing
        """
        self.accounts: dict[str, str] = {}
        self.send_as: dict[str, set[str]] = {}
        """Whom a user may send as, beside himself; without accounts everybody may."""
        self.takes_token: Callable[[str, str], bool] = lambda token, user: False
        """Whether a token is good for a mailbox."""
        self.answers: dict[str, str] = {}
        """What is answered at a stage instead: auth, mail, rcpt, message; ``LOST`` and ``DROPPED`` are no answers."""
        self.mechanisms = {"PLAIN", "LOGIN", "XOAUTH2"}
        self.hook: Hook = lambda stage, moment: None
        """Called at each stage ``before`` something is done, and with the message also ``after`` it was taken."""
        self.connections = 0
        self.messages: list[bytes] = []
        self.recipients: list[list[str]] = []
        self.commands: list[str] = []
        self.said: list[str] = []
        """What the last client sent to sign in, and what it means."""
        self.heard: list[str] = []
        """The same of all clients."""
        self.maildir: Path | None = None
        self.adds = ""
        """Lines of header that are put on top of messages in the Maildir."""
        self.security, self.size = security, size
        self._folder = tempfile.TemporaryDirectory(prefix="mailroom-mail-")
        self.ca_file = str(Path(self._folder.name) / "ca.pem")
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._server = self._start()
        self.port: int = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Stop it."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._folder.cleanup()

    def smtp_option(self, **more: Any) -> dict[str, Any]:
        """The option ``smtp`` of ``mail_test`` that reaches this server."""
        place = {"host": "localhost", "port": self.port, "security": self.security, "timeout": 10.0}
        return {**place, **({} if self.security == "none" else {"ca_file": self.ca_file}), **more}

    async def _end(self) -> None:
        self._server.close()
        talking = asyncio.all_tasks() - {asyncio.current_task()}
        for one in talking:
            one.cancel()
        await asyncio.gather(*talking, return_exceptions=True)

    def _start(self) -> asyncio.Server:
        ca = signer("mailroom test authority")
        Path(self.ca_file).write_text(ca.certificate_pem, encoding="ascii")
        certificate, key = signer("127.0.0.1", ca).write(Path(self._folder.name))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        kept: dict[str, Any] = {"data_size_limit": 10 * 2**20, "auth_require_tls": self.security == "starttls"}
        if self.security == "starttls":
            kept["tls_context"] = context

        def session() -> SMTP:
            self.connections += 1
            return _Smtp(_Handler(self), hostname="mx.test", authenticator=self._authenticate, loop=self._loop, **kept)

        outer = context if self.security == "implicit" else None
        # A client that goes away is no news.
        self._loop.set_exception_handler(lambda loop, context: None)
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        made = self._loop.create_server(session, "127.0.0.1", 0, ssl=outer)
        return asyncio.run_coroutine_threadsafe(made, self._loop).result(10)

    def step(self, stage: str, server: SMTP) -> str | None:
        """Note that a stage was reached, and give the answer that a test wrote for it."""
        with self._lock:
            self.commands.append(stage)
        self.hook(stage, "before")
        answer = self.answers.get(stage)
        if answer == DROPPED:
            _abort(server)
        return answer.format(said=" ".join(self.said)) if answer and answer != LOST else None

    def _authenticate(
        self, server: SMTP, session: Any, envelope: Any, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        user, password = data.login.decode(), data.password.decode()
        self.note(password, base64.b64encode(data.password).decode())
        answer = self.step("auth", server)
        if answer is None and self.accounts.get(user) == password:
            return AuthResult(success=True, auth_data=data)
        return AuthResult(success=False, handled=False, message=answer or UNSUCCESSFUL)

    def note(self, *words: str) -> None:
        """Remember what a client sent to sign in."""
        self.said += words
        self.heard += words

    def take(self, content: bytes, recipients: list[str]) -> None:
        """Take a message."""
        with self._lock:
            self.messages.append(content)
            self.recipients.append(recipients)
            if self.maildir is not None:
                name = f"{len(self.messages)}.test"
                (self.maildir / "tmp" / name).write_bytes(self.adds.encode() + content)
                (self.maildir / "tmp" / name).rename(self.maildir / "new" / name)


def make_maildir(folder: Path) -> Path:
    """Make an empty Maildir."""
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True)
    return folder


class _Smtp(SMTP):
    line_length_limit = 12288


class _Handler:
    """What aiosmtpd asks while a client talks."""

    def __init__(self, outer: MailServer) -> None:
        self._outer = outer

    async def handle_EHLO(
        self, server: SMTP, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self._outer.step("ehlo", server)
        self._outer.said = []
        session.host_name = hostname
        # A line with a token is longer than others (RFC 4954 section 4).
        server.command_size_limits["AUTH"] = server.line_length_limit
        size = [] if self._outer.size is None else [f"250-SIZE {self._outer.size}"]
        kept = [line for line in responses if not line.startswith(("250-SIZE", "250-AUTH"))]
        offered = [line for line in responses if line.startswith("250-AUTH")]
        mechanisms = " ".join(sorted(self._outer.mechanisms))
        auth = [f"250-AUTH {mechanisms}"] if offered and mechanisms else []
        return [kept[0], *size, *auth, *kept[1:]]

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        """As Microsoft and Google write it; a refusal is a challenge with JSON, an empty line, and then 535."""
        given = args[1] if len(args) > 1 else ""
        user, token = _read_xoauth2(given)
        self._outer.note(given, token)
        answer = self._outer.step("auth", server)
        if answer is None and token and self._outer.takes_token(token, user):
            return AuthResult(success=True, auth_data=LoginPassword(user.encode(), b""))
        error = {"status": "401", "schemes": "bearer", "scope": "https://outlook.office365.com/.default", "echo": token}
        challenge = base64.b64encode(json.dumps(error).encode()).decode()
        reply = await server.challenge_auth(challenge, encode_to_b64=False)
        assert reply == b"", "the client ends the error with an empty line"
        return AuthResult(success=False, handled=False, message=answer or UNSUCCESSFUL)

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        answer = self._outer.step("mail", server)
        if answer:
            return answer
        if self._outer.accounts or session.authenticated:
            if not session.authenticated:
                return (
                    "530 5.7.57 Client not authenticated to send mail. [AM0PR01CA0001.eurprd01.prod.exchangelabs.com]"
                )
            user = session.auth_data.login.decode()
            if address not in {user, *self._outer.send_as.get(user, set())}:
                return SEND_AS
        envelope.mail_from = address
        return "250 2.1.0 Sender OK"

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        answer = self._outer.step("rcpt", server)
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        answer = self._outer.step("message", server)
        if answer or self._outer.answers.get("message") == DROPPED:
            return answer or "250 never sent"
        self._outer.take(envelope.original_content, list(envelope.rcpt_tos))
        self._outer.hook("message", "after")
        if self._outer.answers.get("message") == LOST:
            _abort(server)
        return "250 2.0.0 OK <1@mx.test> Queued mail for delivery"


def _abort(server: SMTP) -> None:
    """End a connection without a word."""
    assert isinstance(server.transport, asyncio.WriteTransport)
    server.transport.abort()


def _read_xoauth2(text: str) -> tuple[str, str]:
    try:
        fields = base64.b64decode(text).decode().split("\1")
    except ValueError:
        return "", ""
    if len(fields) != 4 or not fields[0].startswith("user=") or not fields[1].startswith("auth=Bearer "):
        return "", ""
    return fields[0].removeprefix("user="), fields[1].removeprefix("auth=Bearer ")
