# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A connection to an SMTP server that may say anything, as slowly as it likes: lines, bytes and time are bounded.

smtplib bounds the length of a line and the time of each read only, so a server that goes on and on would hold a run for
ever, and fill its memory.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_options import SmtpSettings

_MOST_LINES = 200
_MOST_BYTES = 64 * 1024
"""Of one reply; smtplib's own limit for a single line is 8,192 octets."""
_READ = 4096
_FINAL = 10
"""Times the time-out, for the answer that takes the message: with 60 seconds the ten minutes of RFC 5321 section
4.5.3.2.6. Without it nobody can tell whether the message was sent."""
_LAST_WORDS = 5.0
"""Seconds that the answer to QUIT may take: it decides nothing."""


class NoSmtpAnswer(Exception):
    """There is no connection, or no usable answer; the message says what happened, and quotes nothing that was sent."""


class UntrustedServer(NoSmtpAnswer):
    """TLS cannot be set up, or the certificate is not trusted."""


class BoundedSmtp(smtplib.SMTP):
    """smtplib's client, with bounded replies.

    :param settings: where to connect, and how long one reply may take
    """

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._buffer = b""
        self._deadline: float | None = None
        super().__init__(local_hostname=settings.ehlo_name, timeout=settings.timeout)

    def open(self) -> tuple[int, str]:
        """Connect, with TLS where it is implicit.

        :returns: reply code and text of the greeting
        :raises NoSmtpAnswer: nobody answers there, or not as SMTP
        """
        return self._told(lambda: self.connect(self._settings.host, self._settings.port))

    def say(self, line: str) -> tuple[int, str]:
        """Send a line and wait for its reply.

        :param line: without its end, ASCII
        :returns: reply code and text, whose lines are joined by blanks
        :raises NoSmtpAnswer: the connection is gone, or the reply is none
        """
        return self._told(lambda: self.docmd(line))

    def greet(self) -> tuple[int, str]:
        """Say EHLO; ``esmtp_features`` has what the server offers.

        :raises NoSmtpAnswer: the connection is gone, or the reply is none
        """
        return self._told(self.ehlo)

    def secure(self) -> tuple[int, str]:
        """Say STARTTLS and set TLS up.

        :returns: the reply to STARTTLS; without 220 there is no TLS
        :raises UntrustedServer: TLS cannot be set up, or something came in clear behind the reply
        :raises NoSmtpAnswer: the connection is gone, or the reply is none
        """
        code, text = self.say("STARTTLS")
        if code != 220:
            return code, text
        if self._buffer:
            # Somebody in between would have it taken for the server's words inside of TLS (RFC 3207 section 6).
            raise UntrustedServer("the server went on in clear text after its answer to STARTTLS")
        self._told(self._start_tls)
        return code, text

    def message(self, content: bytes) -> tuple[int, str]:
        """Send the message after 354, and wait for the reply that takes it.

        :param content: with CRLF at the end of each line
        :raises NoSmtpAnswer: there is no reply: the server may have taken the message all the same
        """
        return self._told(lambda: self._send_message(content))

    def leave(self) -> None:
        """Say goodbye, briefly; whatever comes of it decides nothing."""
        try:
            self._deadline = time.monotonic() + _LAST_WORDS
            self.quit()
        except (OSError, ValueError, NoSmtpAnswer):
            pass
        finally:
            self.close()

    def getreply(self) -> tuple[int, bytes]:
        """Read one reply, for smtplib's own methods: the bounded one.

        :raises NoSmtpAnswer: it is no reply, too long, or too slow
        """
        deadline, self._deadline = self._deadline or time.monotonic() + self._settings.timeout, None
        lines: list[bytes] = []
        size = 0
        while True:
            line = self._line(deadline, _MOST_BYTES - size)
            size += len(line)
            if not line[:3].isdigit() or line[3:4] not in (b"", b" ", b"-"):
                raise NoSmtpAnswer("the server answers, but not as an SMTP server does (RFC 5321 section 4.2)")
            lines.append(line[4:].strip())
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)
            if len(lines) == _MOST_LINES:
                raise NoSmtpAnswer(f"the server's answer has more than {_MOST_LINES} lines")

    def _get_socket(self, host: Any, port: Any, timeout: Any) -> socket.socket:
        plain = socket.create_connection((host, port), timeout)
        if self._settings.security != "implicit":
            return plain
        return self._secured(plain)

    def _start_tls(self) -> tuple[int, bytes]:
        if self.sock is None:
            raise NoSmtpAnswer("the connection is closed")
        self.sock = self._secured(self.sock)
        self.file = None
        # What was offered in clear text may have been forged (RFC 3207 section 4.2).
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features, self.does_esmtp = {}, False
        return 220, b""

    def _secured(self, plain: socket.socket) -> ssl.SSLSocket:
        try:
            return _tls_context(self._settings.ca_file).wrap_socket(plain, server_hostname=self._settings.host)
        except BaseException:
            plain.close()
            raise

    def _send_message(self, content: bytes) -> tuple[int, bytes]:
        self.send(b"".join(_dotted(line) for line in content.splitlines(keepends=True)) + b".\r\n")
        self._deadline = time.monotonic() + _FINAL * self._settings.timeout
        return self.getreply()

    def _line(self, deadline: float, most: int) -> bytes:
        while b"\n" not in self._buffer:
            if len(self._buffer) > most:
                raise NoSmtpAnswer(f"the server's answer is longer than {_MOST_BYTES} bytes")
            self._buffer += self._more(deadline)
        line, _end, self._buffer = self._buffer.partition(b"\n")
        return line

    def _more(self, deadline: float) -> bytes:
        if self.sock is None:
            raise NoSmtpAnswer("the connection is closed")
        left = deadline - time.monotonic()
        if left <= 0:
            raise NoSmtpAnswer("the server did not finish its answer in time")
        self.sock.settimeout(left)
        try:
            data = self.sock.recv(_READ)
        finally:
            self.sock.settimeout(self._settings.timeout)
        if not data:
            raise NoSmtpAnswer("the server closed the connection")
        return data

    def _told(self, do: Any) -> tuple[int, str]:
        """Do something, and tell all that goes wrong in one kind of error, without quoting what was sent."""
        try:
            code, said = do()
        except NoSmtpAnswer:
            raise
        except ssl.SSLCertVerificationError as error:
            raise UntrustedServer(f"its certificate is not trusted: {error.verify_message}") from None
        except ssl.SSLError as error:
            raise UntrustedServer(f"TLS cannot be set up: {error.reason or type(error).__name__}") from None
        except TimeoutError:
            raise NoSmtpAnswer("there was no whole answer in time, see smtp.timeout") from None
        except smtplib.SMTPServerDisconnected:
            raise NoSmtpAnswer("the connection ended while something was sent") from None
        except (OSError, ValueError) as error:
            raise NoSmtpAnswer(getattr(error, "strerror", None) or type(error).__name__) from None
        return code, " ".join(said.decode("utf-8", "surrogateescape").split("\n"))


def _tls_context(ca_file: str | None) -> ssl.SSLContext:
    """The system's authorities, or those of the file instead.

    :raises UntrustedServer: the file cannot be read, or holds no certificate
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise UntrustedServer(f"smtp.ca_file cannot be used: {error.strerror or type(error).__name__}") from None


def _dotted(line: bytes) -> bytes:
    """RFC 5321 section 4.5.2."""
    return b"." + line if line.startswith(b".") else line
