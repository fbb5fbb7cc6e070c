# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Signs the bytes of thousands of questions, and checks those of their answers (TSIG, RFC 8945).

dnspython signs and checks whole messages, which takes longer than all else about a short question. Here stands only the
plain case; whoever is told None gives the message to dnspython, which says what is wrong with it.
"""

from __future__ import annotations

import contextlib
import hmac
import struct
import time
from typing import TYPE_CHECKING, Any

with contextlib.suppress(ImportError):
    import dns.rdataclass
    import dns.rdatatype
    import dns.tsig

    _tsig: Any = dns.tsig  # get_context is not typed

if TYPE_CHECKING:
    from dns.tsig import Key

_FUDGE = 300
"""Seconds by which the clocks may differ (RFC 8945 section 10)."""
_NO_ERROR = bytes(4)
"""The end of a signature: no error, no other data."""
_HEADER, _COUNT = 12, 10
"""Length of a message's header, and where in it the number of additional records stands."""
_TIMES = 8
"""Length of the time and the fudge of a signature."""


class Signer:
    """One key, with what is the same in all its signatures."""

    def __init__(self, key: Key) -> None:
        self._key = key
        algorithm, size = key.algorithm.to_wire() or b"", dns.tsig.mac_sizes[key.algorithm]
        length = len(algorithm) + _TIMES + 2 + size + 2 + len(_NO_ERROR)
        frame = struct.pack("!HHIH", dns.rdatatype.TSIG, dns.rdataclass.ANY, 0, length)
        self._record = (key.name.to_wire() or b"") + frame + algorithm
        self._length = len(self._record) + length - len(algorithm)
        # The variables of section 4.3.3 before the times.
        named = key.name.to_digestable() + struct.pack("!HI", dns.rdataclass.ANY, 0)
        self._variables = named + key.algorithm.to_digestable()

    def signed(self, message: bytes) -> tuple[bytes, bytes]:
        """Sign a message.

        :returns: the message with its signature as last record, and the MAC, which the answer's depends on
        """
        when = struct.pack("!QH", int(time.time()), _FUDGE)[2:]
        mac = self._mac(message, when)
        return _counted(message, 1) + self._signature(when, mac, message), mac

    def unsigned(self, message: bytes, asked: bytes) -> bytes | None:
        """Check the signature of an answer.

        :param asked: the MAC of the question
        :returns: the message without its signature; None when that is not plainly right
        """
        start = len(message) - self._length
        if start < _HEADER or message[_COUNT:_HEADER] == b"\0\0":
            return None
        at = start + len(self._record)
        when = message[at:][:_TIMES]
        bare = _counted(message[:start], -1)
        mac = self._mac(struct.pack("!H", len(asked)) + asked + bare, when)
        right = hmac.compare_digest(message[start:], self._signature(when, mac, message))
        signed, fudge = struct.unpack("!QH", b"\0\0" + when)
        return bare if right and abs(time.time() - signed) <= fudge else None

    def _mac(self, message: bytes, when: bytes) -> bytes:
        context = _tsig.get_context(self._key)
        context.update(message + self._variables + when + _NO_ERROR)
        return bytes(context.sign())

    def _signature(self, when: bytes, mac: bytes, message: bytes) -> bytes:
        return b"".join((self._record, when, struct.pack("!H", len(mac)), mac, message[:2], _NO_ERROR))


def _counted(message: bytes, more: int) -> bytes:
    """The message with another number of additional records in its header."""
    (count,) = struct.unpack_from("!H", message, _COUNT)
    return message[:_COUNT] + struct.pack("!H", count + more) + message[_HEADER:]
