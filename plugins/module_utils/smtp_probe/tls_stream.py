# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""TLS over a bounded stream: the handshake runs in memory, so that every byte of it can be counted and looked at."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.bounded_stream import (
    CLOSED,
    NO_TLS,
    ByteStream,
    StreamEnded,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_reply import reply_line
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_hello import (
    TLS_VERSIONS,
    HelloAnswer,
    hello_answer,
)

MODERN, WIDE, OPEN, HELLO = "modern", "wide", "open", "hello"
"""How a connection is made: as a client of today does, which checks the certificate; with all versions and ciphers,
and the check; the same without the check; with a hello only."""
_LONGEST_HELLO = 64 * 1024
_LEGACY_SERVER = 0x4
"""SSL_OP_LEGACY_SERVER_CONNECT; a constant of ssl since Python 3.12."""


class NoTrustStore(Exception):
    """There are no authorities to check certificates by; the message says why."""


@dataclass(frozen=True, slots=True)
class HandshakeError:
    """What the TLS library says: ``verify_code`` is OpenSSL's number of what is wrong with the chain, else None."""

    words: str
    verify_code: int | None = None


@dataclass(frozen=True, slots=True)
class TlsPeer:
    """What a finished handshake agreed on: version (1.0 to 1.3), cipher, and the server's certificate (DER)."""

    version: str
    cipher: str
    certificate: bytes | None


class TlsContexts:
    """The settings of the connections of a run, which its threads share.

    :param ca_file: authorities to trust instead of the system's (PEM), None for the system's
    :raises NoTrustStore: the file cannot be used
    """

    def __init__(self, ca_file: str | None) -> None:
        self.has_authorities = ca_file is not None or _has_system_store()
        self._modern = _checking(ca_file)
        self._wide = _widened(_checking(ca_file))
        self._open = {newest: _widened(_unchecking(newest)) for newest in (TLS_VERSIONS["1.2"], TLS_VERSIONS["1.3"])}

    def of(self, kind: str, newest: int) -> ssl.SSLContext:
        """The context of an attempt.

        :param kind: ``MODERN``, ``WIDE`` or ``OPEN``
        :param newest: the number of the newest version, for ``OPEN``
        """
        return {MODERN: self._modern, WIDE: self._wide}.get(kind) or self._open[newest]


class TlsStream:
    """TLS over a stream; :meth:`handshake` comes first.

    :param stream: what carries it
    :param context: the settings
    :param host: for SNI; the name is not compared here
    """

    def __init__(self, stream: ByteStream, context: ssl.SSLContext, host: str) -> None:
        self._stream = stream
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=host)
        self._seen = b""
        self.answer: HelloAnswer | None = None
        self.error: HandshakeError | None = None

    @property
    def begins_in_clear(self) -> bool:
        """Whether the first bytes of the server are those of a reply."""
        return reply_line(self._seen[:4]) is not None

    def handshake(self) -> TlsPeer:
        """Set TLS up; ``answer`` has what the server said to the hello, whatever comes of it.

        :raises StreamEnded: there is no TLS; ``error`` says why where the TLS library knows
        """
        self._driven(self._tls.do_handshake)
        cipher = self._tls.cipher()
        version = str(self._tls.version()).removeprefix("TLSv")
        return TlsPeer(version if "." in version else f"{version}.0", cipher[0] if cipher else "", self._certificate())

    def receive(self) -> bytes:
        """Some bytes of the server, deciphered.

        :raises StreamEnded: there are no more
        """
        data: bytes = self._driven(lambda: self._tls.read(16 * 1024))
        if not data:
            raise StreamEnded(CLOSED)
        return data

    def send(self, data: bytes) -> None:
        """Send all of it, enciphered.

        :raises StreamEnded: the connection has ended
        """
        self._driven(lambda: self._tls.write(data))

    def _certificate(self) -> bytes | None:
        return self._tls.getpeercert(True)

    def _driven(self, do: Callable[[], object]) -> bytes:
        """Do something, and carry bytes both ways for as long as it wants more."""
        while True:
            try:
                done = do()
                self._flush()
                return done if isinstance(done, bytes) else b""
            except ssl.SSLWantReadError:
                self._flush()
                self._take(self._stream.receive())
            except ssl.SSLZeroReturnError:
                raise StreamEnded(CLOSED) from None
            except ssl.SSLError as error:
                self._note(error)
                self._say_why()
                raise StreamEnded(NO_TLS, self.error.words if self.error else "") from None

    def _take(self, data: bytes) -> None:
        self._in.write(data)
        if self.answer is None and len(self._seen) < _LONGEST_HELLO:
            self._seen += data
            self.answer = hello_answer(self._seen)

    def _flush(self) -> None:
        waiting = self._out.read()
        if waiting:
            self._stream.send(waiting)

    def _say_why(self) -> None:
        """The alert, for the server's log; a server that is gone needs none."""
        try:
            self._flush()
        except StreamEnded:
            return

    def _note(self, error: ssl.SSLError) -> None:
        if isinstance(error, ssl.SSLCertVerificationError):
            self.error = HandshakeError(str(error.verify_message), int(error.verify_code))
        else:
            words = (error.reason or type(error).__name__).lower().replace("_", " ")
            self.error = HandshakeError(words)


def _checking(ca_file: str | None) -> ssl.SSLContext:
    """The chain is checked as most clients do; the name is compared by ourselves, so that both faults are told."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if ca_file is None:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise NoTrustStore(error.strerror or "it holds no certificate in PEM form") from None
    return context


def _unchecking(newest: int) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if newest < TLS_VERSIONS["1.3"]:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def _widened(context: ssl.SSLContext) -> ssl.SSLContext:
    """Speak to old servers, too: nothing secret is ever sent."""
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", _LEGACY_SERVER)
    return context


def _has_system_store() -> bool:
    """Whether the system has authorities where OpenSSL looks for them."""
    paths = ssl.get_default_verify_paths()
    try:
        has_folder = paths.capath is not None and bool(os.listdir(paths.capath))
        return has_folder or (paths.cafile is not None and os.path.getsize(paths.cafile) > 0)
    except OSError:
        return False
