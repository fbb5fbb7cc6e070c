# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A TCP connection to a server that may say anything, as slowly as it likes: every wait and all bytes are bounded."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any, Protocol

MOST_BYTES = 512 * 1024
"""Of one connection, with TLS and certificates; a usual one has less than 10 KiB."""
MOST_ADDRESSES = 4
_READ = 16 * 1024

# Why a conversation ended: how it is told is the business of the findings.
NO_NAME, NAME_UNKNOWN, UNREACHABLE, REFUSED_TCP = "no_name", "name_unknown", "unreachable", "refused"
TIMED_OUT, CLOSED, ENDLESS, NOT_SMTP, NO_TLS = "timed_out", "closed", "endless", "not_smtp", "no_tls"
ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class ProbeStop:
    """Why a conversation ended before all was seen: ``stage`` is connect, banner, ehlo, starttls, tls or ehlo_tls,
    ``kind`` one of the constants of this file, ``code`` that of the reply that ended it, ``words`` what was said."""

    stage: str
    kind: str
    words: str = ""
    code: int | None = None


class StreamEnded(Exception):
    """Nothing more can be read or written.

    :param kind: one of the constants of this file
    :param words: what the system says of it
    """

    def __init__(self, kind: str, words: str = "") -> None:
        super().__init__(kind)
        self.kind, self.words = kind, words


class ByteStream(Protocol):
    """What replies are read from: a socket, or TLS over it."""

    def receive(self) -> bytes:
        """Some bytes, at least one; raises :class:`StreamEnded`."""

    def send(self, data: bytes) -> None:
        """Send all of it; raises :class:`StreamEnded`."""


class BoundedSocket:
    """A connected socket.

    :param connection: as :func:`connected` gives it
    :param deadline: of ``time.monotonic()``, in seconds; it may be set anew
    """

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._socket, self.deadline = connection, deadline
        self._left = MOST_BYTES

    def receive(self) -> bytes:
        """Read what is there, or wait for it.

        :raises StreamEnded: the time or the bytes are used up, or the connection has ended
        """
        if self._left <= 0:
            raise StreamEnded(ENDLESS)
        data: bytes = self._bounded(self._socket.recv, _READ)
        if not data:
            raise StreamEnded(CLOSED)
        self._left -= len(data)
        return data

    def send(self, data: bytes) -> None:
        """Send all of it.

        :raises StreamEnded: the time is used up, or the connection has ended
        """
        self._bounded(self._socket.sendall, data)

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def _bounded(self, do: Any, argument: Any) -> Any:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise StreamEnded(TIMED_OUT)
        try:
            self._socket.settimeout(left)
            return do(argument)
        except TimeoutError:
            raise StreamEnded(TIMED_OUT) from None
        except OSError as error:
            raise StreamEnded(CLOSED, error.strerror or type(error).__name__) from None


def connected(host: str, port: int, deadline: float) -> tuple[socket.socket, str]:
    """Connect to a server, its addresses one after the other.

    :param host: its name or address
    :param port: its port
    :param deadline: of ``time.monotonic()``
    :returns: the connection, and the address that it goes to
    :raises StreamEnded: there is no address, or none takes the connection
    """
    found = _addresses(host, port, deadline)[:MOST_ADDRESSES]
    ended = StreamEnded(NO_NAME)
    for number, (family, address) in enumerate(found):
        seconds = (deadline - time.monotonic()) / (len(found) - number)
        if seconds <= 0:
            raise StreamEnded(TIMED_OUT)
        try:
            return _connected(family, address, seconds), str(address[0])
        except TimeoutError:
            ended = StreamEnded(TIMED_OUT)
        except ConnectionRefusedError:
            ended = StreamEnded(REFUSED_TCP)
        except ConnectionResetError:
            ended = StreamEnded(CLOSED)
        except OSError as error:
            ended = StreamEnded(UNREACHABLE, error.strerror or type(error).__name__)
    raise ended


def _connected(family: socket.AddressFamily, address: Any, seconds: float) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    with contextlib.suppress(OSError):  # it may have ended already, which the next read tells
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _addresses(host: str, port: int, deadline: float) -> list[tuple[socket.AddressFamily, Any]]:
    """Ask the system's resolver, which has no time-out that could be set, in a thread that may be left behind."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=max(deadline - time.monotonic(), 0.01))
    except queue.Empty:
        raise StreamEnded(NAME_UNKNOWN, "the resolver did not answer in time") from None
    if isinstance(answer, Exception):
        raise _no_addresses(answer)
    return [(family, address) for family, _kind, _protocol, _name, address in answer]


def _no_addresses(error: Exception) -> StreamEnded:
    """A name that does not exist is another thing than a resolver that cannot tell."""
    missing = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
    kind = NO_NAME if isinstance(error, socket.gaierror) and error.errno in missing else NAME_UNKNOWN
    return StreamEnded(kind, getattr(error, "strerror", None) or type(error).__name__)
