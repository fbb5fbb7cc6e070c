# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One conversation with a mail server, as far as a hello, a handshake or the offer behind TLS; no mail is sent."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.bounded_stream import (
    ANSWERED,
    CLOSED,
    ENDLESS,
    NO_TLS,
    NOT_SMTP,
    BoundedSocket,
    ByteStream,
    ProbeStop,
    StreamEnded,
    connected,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_facts import Attempt, ConversationFacts
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_reply import (
    LONGEST_REPLY_LINE,
    MOST_REPLY_LINES,
    SmtpOffer,
    SmtpReply,
    reply_line,
    smtp_offer,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_hello import (
    CLOSE_NOTIFY,
    client_hello,
    hello_answer,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_stream import HELLO, TlsContexts, TlsStream

_LONGEST_HELLO_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """Where to connect, whether TLS comes first, and what this machine calls itself."""

    host: str
    port: int
    implicit: bool
    ehlo_name: str


class SmtpConversation:
    """One connection; :meth:`held` gives what it showed.

    :param target: the server
    :param attempt: what the connection is for
    :param contexts: the settings of TLS
    :param deadline: of ``time.monotonic()``, for all of it
    :param banner_deadline: the same for the banner
    """

    def __init__(
        self, target: ProbeTarget, attempt: Attempt, contexts: TlsContexts, deadline: float, banner_deadline: float
    ) -> None:
        self._target, self._attempt, self._contexts = target, attempt, contexts
        self._deadline, self._banner_deadline = deadline, banner_deadline
        self._facts = ConversationFacts(attempt)
        self._stage = "connect"
        self._buffer = b""

    def held(self) -> ConversationFacts:
        """Hold the conversation; whatever the server does is in what it gives."""
        try:
            connection, self._facts.address = connected(self._target.host, self._target.port, self._banner_deadline)
            stream = BoundedSocket(connection, self._deadline)
            try:
                self._talk(stream)
            finally:
                stream.close()
        except StreamEnded as ended:
            self._facts.stop = ProbeStop(self._stage, ended.kind, ended.words)
        return self._facts

    def _talk(self, stream: BoundedSocket) -> None:
        secured: ByteStream = stream
        if self._target.implicit:
            secured = self._secured(stream)
            if self._attempt.kind == HELLO:
                return
        if not self._greeted(stream, secured):
            return
        if self._target.implicit:
            self._facts.secure = self._offer(secured, "ehlo_tls")
        else:
            self._facts.clear = self._offer(stream, "ehlo")
            secured = self._upgraded(stream)
        if self._facts.stop is None:
            _say_last(secured, b"QUIT\r\n")

    def _greeted(self, stream: BoundedSocket, secured: ByteStream) -> bool:
        """Wait for the banner, which may take long: a server may look at the client's name first."""
        self._stage, start = "banner", time.monotonic()
        stream.deadline = self._banner_deadline
        reply = self._facts.banner = self._reply(secured)
        self._facts.banner_seconds = time.monotonic() - start
        stream.deadline = self._deadline
        return self._is_good(reply, 220)

    def _offer(self, stream: ByteStream, stage: str) -> SmtpOffer | None:
        self._stage = stage
        stream.send(f"EHLO {self._target.ehlo_name}\r\n".encode("ascii"))
        reply = self._reply(stream)
        return smtp_offer(reply) if self._is_good(reply, 250) else None

    def _upgraded(self, stream: BoundedSocket) -> ByteStream:
        """STARTTLS where it is offered (RFC 3207)."""
        if self._facts.clear is None or not self._facts.clear.starttls:
            return stream
        self._stage = "starttls"
        stream.send(b"STARTTLS\r\n")
        reply = self._facts.starttls = self._reply(stream)
        if not self._is_good(reply, 220):
            return stream
        # Somebody in between would have it taken for the server's words inside of TLS (RFC 3207 section 6).
        self._facts.injected = bool(self._buffer)
        if self._facts.injected:
            self._facts.stop = ProbeStop("starttls", ANSWERED)
            return stream
        secured = self._secured(stream)
        if self._facts.stop is None and self._attempt.kind != HELLO:
            self._facts.secure = self._offer(secured, "ehlo_tls")
        return secured

    def _secured(self, stream: BoundedSocket) -> ByteStream:
        self._stage = "tls"
        if self._attempt.kind == HELLO:
            self._say_hello(stream)
            return stream
        context = self._contexts.of(self._attempt.kind, self._attempt.newest)
        tls = TlsStream(stream, context, self._target.host)
        try:
            self._facts.tls = tls.handshake()
        finally:
            self._facts.hello, self._facts.error = tls.answer, tls.error
            self._facts.speaks_clear = tls.begins_in_clear
        return tls

    def _say_hello(self, stream: BoundedSocket) -> None:
        """Ask for a version, and go when the server has answered."""
        stream.send(client_hello(self._target.host, self._attempt.newest))
        data = b""
        while self._facts.hello is None:
            if len(data) > _LONGEST_HELLO_ANSWER:
                raise StreamEnded(NO_TLS)
            data += stream.receive()
            self._facts.hello = hello_answer(data)
        self._facts.stop = ProbeStop("tls", ANSWERED)
        _say_last(stream, CLOSE_NOTIFY)

    def _is_good(self, reply: SmtpReply, code: int) -> bool:
        """Whether the reply has the code; with any other one the conversation is over."""
        if reply.code != code:
            self._facts.stop = ProbeStop(self._stage, ANSWERED, reply.words, reply.code)
        return reply.code == code

    def _reply(self, stream: ByteStream) -> SmtpReply:
        """Read one reply (RFC 5321 section 4.2.1)."""
        lines: list[str] = []
        while len(lines) < MOST_REPLY_LINES:
            read = reply_line(self._line(stream))
            if read is None:
                raise StreamEnded(NOT_SMTP)
            code, is_last, text = read
            lines.append(text)
            if is_last:
                return SmtpReply(code, tuple(lines))
        raise StreamEnded(ENDLESS)

    def _line(self, stream: ByteStream) -> bytes:
        while b"\n" not in self._buffer:
            if len(self._buffer) > LONGEST_REPLY_LINE:
                raise StreamEnded(ENDLESS)
            if self._buffer and not self._buffer[:1].isdigit():
                raise StreamEnded(NOT_SMTP)
            self._buffer += self._more(stream)
        line, _end, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def _more(self, stream: ByteStream) -> bytes:
        """More of a reply; TLS that fails in the middle of it is a connection that has ended."""
        try:
            return stream.receive()
        except StreamEnded as ended:
            kind = CLOSED if ended.kind == NO_TLS else ended.kind
            raise StreamEnded(kind, ended.words) from None


def _say_last(stream: ByteStream, data: bytes) -> None:
    """Say goodbye and wait for nothing: all is seen."""
    try:
        stream.send(data)
    except StreamEnded:
        return
