# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The first message of a TLS handshake in both directions, as bytes: which version would a server take? Pure.

A hello of our own asks for any version, whether or not the TLS library of this machine still speaks it.
"""

from __future__ import annotations

import ipaddress
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass

TLS_VERSIONS = {"1.0": 0x0301, "1.1": 0x0302, "1.2": 0x0303, "1.3": 0x0304}
"""The versions of TLS, oldest first, with their numbers on the wire."""
TLS_NAMES = {number: name for name, number in TLS_VERSIONS.items()}

PROTOCOL_VERSION = 70
NO_COMMON_CIPHERS = (40, 71)
"""Alerts handshake_failure and insufficient_security (RFC 8446 section 6)."""

CLOSE_NOTIFY = b"\x15\x03\x01\x00\x02\x01\x00"
"""The alert of a client that goes (RFC 8446 section 6.1), as one record."""

_ALERT, _HANDSHAKE = 21, 22
_WARNING = 1
_SERVER_HELLO = 2
_LONGEST_RECORD = 2**14 + 2048
_SERVER_NAME, _GROUPS, _POINTS, _SIGNATURES, _SUPPORTED = 0, 10, 11, 13, 43
_RENEGOTIATION = 0xFF01

# What servers of the last twenty years take, for any key: ECDHE, DHE and RSA with AES, ChaCha20, Camellia and 3DES.
_CIPHERS = (
    *(0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xCCAA, 0x009E, 0x009F, 0x009C, 0x009D),
    *(0xC023, 0xC027, 0xC024, 0xC028, 0x0067, 0x006B, 0x003C, 0x003D),
    *(0xC009, 0xC013, 0xC00A, 0xC014, 0x0033, 0x0039, 0x0032, 0x0038, 0x002F, 0x0035),
    *(0xC008, 0xC012, 0x0016, 0x0013, 0x000A, 0x0041, 0x0084, 0x0045, 0x0088, 0x0005),
)
_GROUP_LIST = (0x001D, 0x0017, 0x0018, 0x0019, 0x001E, 0x0100, 0x0101)
_SIGNATURE_LIST = (
    *(0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601),
    *(0x0402, 0x0303, 0x0301, 0x0203, 0x0201, 0x0202),
)


@dataclass(frozen=True, slots=True)
class HelloAnswer:
    """What a server answers to a hello: the number of the version that it takes, or of its alert; neither: no TLS."""

    version: int | None = None
    alert: int | None = None

    @property
    def is_tls(self) -> bool:
        """Whether the answer is TLS at all."""
        return self.version is not None or self.alert is not None


def client_hello(host: str, newest: int) -> bytes:
    """Write the hello of a client that speaks all versions up to 1.2 or an older one.

    :param host: the name of the server, for SNI (RFC 6066 section 3); an address is not sent
    :param newest: the number of the newest version, at most that of 1.2
    :returns: one record
    """
    extensions = b"".join(_extensions(host, newest))
    body = struct.pack("!H", newest) + os.urandom(32) + b"\0" + _numbers(_CIPHERS) + b"\x01\x00"
    message = body + _sized(extensions, 2)
    handshake = b"\x01" + _sized(message, 3)
    return struct.pack("!BH", _HANDSHAKE, TLS_VERSIONS["1.0"]) + _sized(handshake, 2)


def hello_answer(data: bytes) -> HelloAnswer | None:
    """Read the version, or the alert, of a server's first records.

    :param data: all that came so far
    :returns: None when more is needed to tell
    """
    handshake = b""
    while len(data) >= 5:
        kind, major, length = data[0], data[1], int.from_bytes(data[3:5], "big")
        # The version of a record means nothing (RFC 8446 section 5.1): GnuTLS writes that of DTLS before an alert.
        is_record = length == 2 if kind == _ALERT else (kind, major) == (_HANDSHAKE, 3)
        if not is_record or not 0 < length <= _LONGEST_RECORD:
            return HelloAnswer()
        record, data = data[5 : 5 + length], data[5 + length :]
        if kind == _ALERT and len(record) < 2:
            return None
        if kind == _ALERT and record[0] != _WARNING:
            return HelloAnswer(alert=record[1])
        handshake += record if kind == _HANDSHAKE else b""
        found = _hello_version(handshake)
        if found is not None:
            return found
    return None if not data or data[0] in (_ALERT, _HANDSHAKE) else HelloAnswer()


def _hello_version(message: bytes) -> HelloAnswer | None:
    """The version of a ServerHello (RFC 8446 section 4.1.3): that of its extension, else the one in front."""
    if message and message[0] != _SERVER_HELLO:
        return HelloAnswer()
    length = int.from_bytes(message[1:4], "big")
    if len(message) < 4 or len(message) - 4 < length:
        return None
    body = message[4 : 4 + length]
    if len(body) < 38:
        return HelloAnswer()
    rest = body[35 + body[34] + 3 :]
    selected = _extension(rest[2:], _SUPPORTED)
    number = int.from_bytes(selected if selected else body[:2], "big")
    return HelloAnswer(version=number) if number in TLS_NAMES or number == 0x0300 else HelloAnswer()


def _extension(data: bytes, wanted: int) -> bytes | None:
    while len(data) >= 4:
        kind, length = struct.unpack("!HH", data[:4])
        if kind == wanted:
            return data[4 : 4 + length]
        data = data[4 + length :]
    return None


def _extensions(host: str, newest: int) -> list[bytes]:
    found = [] if _is_address(host) else [_named(_SERVER_NAME, _sized(b"\0" + _sized(host.encode("ascii"), 2), 2))]
    found += [_named(_GROUPS, _numbers(_GROUP_LIST)), _named(_POINTS, b"\x01\x00"), _named(_RENEGOTIATION, b"\0")]
    if newest >= TLS_VERSIONS["1.2"]:
        found.append(_named(_SIGNATURES, _numbers(_SIGNATURE_LIST)))
    return found


def _named(kind: int, content: bytes) -> bytes:
    return struct.pack("!H", kind) + _sized(content, 2)


def _numbers(numbers: Sequence[int]) -> bytes:
    return _sized(b"".join(struct.pack("!H", number) for number in numbers), 2)


def _sized(content: bytes, width: int) -> bytes:
    return len(content).to_bytes(width, "big") + content


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
