# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Looks for a message over IMAP, read-only: lines, bytes and time of all answers are bounded."""

from __future__ import annotations

import contextlib
import imaplib
import socket
import ssl
import time
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_options import ImapSettings
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.observation import (
    CannotFetch,
    header_of,
    is_test,
)
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.service_answer import SecretMask

_LONGEST_HEADER = 256 * 1024
_MOST_BYTES = 1024 * 1024
"""Of everything that the server says in one look."""
_READ = 4096
_SECONDS = 30.0
"""One look may take."""


class ImapLook:
    """Looks into one mailbox, with a new connection for each look.

    :param settings: which mailbox
    :param mask: takes secrets out of what the server says
    """

    def __init__(self, settings: ImapSettings, mask: SecretMask) -> None:
        self._settings, self._mask = settings, mask
        mask.add(settings.password)

    def __call__(self, test_id: str) -> bytes | None:
        """Look once.

        :param test_id: of the message
        :returns: its header; None when it is not there
        :raises CannotFetch: the mailbox cannot be looked into
        """
        where = f"fetch.imap {self._settings.host}:{self._settings.port}"
        try:
            connection = _BoundedImap(self._settings)
            try:
                return self._look(connection, test_id)
            finally:
                with contextlib.suppress(OSError):
                    connection.shutdown()
        except ssl.SSLCertVerificationError as error:
            raise CannotFetch(f"{where}: its certificate is not trusted: {error.verify_message}") from None
        except imaplib.IMAP4.error as error:
            raise CannotFetch(f"{where}: {self._mask.clean(str(error))}") from None
        except UnicodeEncodeError:
            raise CannotFetch(f"{where}: user, password and folder must be ASCII (RFC 9051 section 6.2.3)") from None
        except OSError as error:
            raise CannotFetch(f"{where}: {error.strerror or type(error).__name__}") from None

    def _look(self, connection: imaplib.IMAP4, test_id: str) -> bytes | None:
        if self._settings.security == "starttls":
            connection.starttls(_context(self._settings))
        connection.login(self._settings.user, self._settings.password)
        folder = self._settings.folder.replace("\\", "\\\\").replace('"', '\\"')
        status, said = connection.select(f'"{folder}"', readonly=True)
        if status != "OK":
            raise CannotFetch(f"fetch.imap.folder: {self._mask.clean(str(said[0]))}")
        for number in reversed(_numbers(connection.search(None, "SUBJECT", test_id)[1])):
            header = _literal(connection.fetch(number, f"(BODY.PEEK[HEADER]<0.{_LONGEST_HEADER}>)")[1])
            if is_test(header, test_id):
                return header_of(header)
        return None


class _BoundedImap(imaplib.IMAP4):
    """imaplib's client, with a limit of bytes and time for all that the server says."""

    def __init__(self, settings: ImapSettings) -> None:
        self._settings = settings
        self._left, self._deadline = _MOST_BYTES, time.monotonic() + _SECONDS
        self._buffer = b""
        self._source: socket.socket | None = None
        super().__init__(settings.host, settings.port, timeout=_SECONDS)

    def read(self, size: int) -> bytes:
        """Read so many bytes.

        :param size: as the server announced it
        """
        if size > self._left:
            raise self.abort("the server's answer is too long")
        data = bytearray()
        while len(data) < size:
            data += self._more(size - len(data))
        return bytes(data)

    def readline(self) -> bytes:
        """Read a line, its end included."""
        line = bytearray()
        while not line.endswith(b"\n"):
            line += self._more(1)
        return bytes(line)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        plain = socket.create_connection((self.host or None, self.port), timeout)
        if self._settings.security != "implicit":
            return plain
        return _context(self._settings).wrap_socket(plain, server_hostname=self._settings.host)

    def _more(self, size: int) -> bytes:
        if self._source is not self.sock:
            # What came in clear text before TLS counts no more (RFC 9051 section 6.2.1).
            self._source, self._buffer = self.sock, b""
        if not self._buffer:
            self._fill()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _fill(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self.abort(f"the server did not answer in {_SECONDS:g} seconds")
        if self._left <= 0:
            raise self.abort("the server's answer is too long")
        self.sock.settimeout(left)
        self._buffer = self.sock.recv(_READ)
        self._left -= len(self._buffer)
        if not self._buffer:
            raise self.abort("the server closed the connection")


def _context(settings: ImapSettings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings.ca_file)


def _numbers(found: list[Any]) -> list[str]:
    words = (found[0] or b"").split() if found else []
    return [word.decode() for word in words if word.isdigit()][-10:]


def _literal(found: list[Any]) -> bytes:
    return b"".join(part[1] for part in found if isinstance(part, tuple) and len(part) > 1)
