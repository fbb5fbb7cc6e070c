# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What one SMTP connection tells a receiver: the client's address, MAIL FROM and HELO."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Union

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

_LONGEST_PART = 256
"""A longer path or greeting is no SMTP (RFC 5321 section 4.5.3.1): macros see its beginning only."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """MAIL FROM and HELO as macros see them.

    ``local`` and ``domain`` are the parts of MAIL FROM, "postmaster" stands in for a missing local part (RFC 7208
    section 4.3).
    """

    local: str
    domain: str
    helo: str

    @classmethod
    def of(cls, sender: str, domain: str, helo: str | None) -> Envelope:
        """Take MAIL FROM apart.

        :param sender: an address, a bare domain, or "" for the null reverse-path
        :param domain: stands in when the sender names no domain
        :param helo: the greeting; None when it is not known
        """
        local, _at, host = sender.rpartition("@")
        return cls(
            (local or "postmaster")[:_LONGEST_PART],
            (host or domain)[:_LONGEST_PART],
            (helo or "unknown")[:_LONGEST_PART],
        )


@dataclass(frozen=True)
class Client:
    """The client's address: ``number`` is the address as a number, ``version`` 4 or 6.

    Use :func:`client_at`: one server sends for many, and its texts are made once.
    """

    number: int
    version: int

    @classmethod
    def of(cls, ip: str | Address) -> Client:
        """Read an address; an IPv4-mapped one counts as IPv4 (RFC 7208 section 5).

        :raises ValueError: it is no IP address
        """
        return _client(str(ip))

    @cached_property
    def rdtype(self) -> str:
        """The type of record that its addresses stand in."""
        return "A" if self.version == 4 else "AAAA"

    @cached_property
    def address(self) -> Address:
        """The address itself."""
        return ipaddress.IPv4Address(self.number) if self.version == 4 else ipaddress.IPv6Address(self.number)

    @cached_property
    def text(self) -> str:
        """The address as people write it."""
        return str(self.address)

    @cached_property
    def dotted(self) -> str:
        """The macro ``%{i}``: IPv6 as 32 nibbles with dots between them (RFC 7208 section 7.3)."""
        return self.text if self.version == 4 else ".".join(f"{self.number:032X}")

    @cached_property
    def reverse_name(self) -> str:
        """Where its PTR records are, in lower case (RFC 1035 section 3.5, RFC 3596 section 2.5)."""
        return self.address.reverse_pointer


@lru_cache(maxsize=4096)
def _client(text: str) -> Client:
    address = ipaddress.ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return client_at(int(mapped or address), 4 if mapped else address.version)


@lru_cache(maxsize=4096)
def client_at(number: int, version: int) -> Client:
    """The client at an address.

    :param number: the address as a number
    :param version: 4 or 6
    """
    return Client(number, version)
