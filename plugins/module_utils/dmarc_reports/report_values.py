# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The values of reports, one by one: addresses, counts, times, names. What cannot be read is told, never guessed."""

from __future__ import annotations

import datetime
import ipaddress
import re
import socket
from functools import lru_cache

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import (
    LONGEST_TEXT,
    UnreadableReport,
)
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, to_alabels
from ansible_collections.mailroom.erp.plugins.module_utils.problem import shown

_MOST_DIGITS = 12
_SECONDS = re.compile(r"([0-9]{1,11})(?:\.[0-9]*)?", re.ASCII)
_USUAL_DIGITS = 10
_MOST_SECONDS = 253402300799
"""The last second of the year 9999, after which there are no dates."""


def report_address(text: str) -> str:
    """Normalise the address of a source.

    :returns: as IPv4 or IPv6 is written; an IPv4-mapped address as IPv4 (RFC 7208 section 5)
    :raises ValueError: it is none; the message is the reason
    """
    try:
        socket.inet_pton(socket.AF_INET, text)
        return text
    except (OSError, ValueError):
        pass
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"source_ip {shown(text)} is no IP address") from None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        raise ValueError(f"source_ip {shown(text)} names an interface of another machine")
    return str(mapped or address)


@lru_cache(maxsize=4096)
def shortened_address(address: str) -> str:
    """Shorten an address to its network, /24 for IPv4 and /48 for IPv6; a network stays as it is.

    :param address: as :func:`report_address` gives it
    """
    if "/" in address:
        return address
    bits = 48 if ":" in address else 24
    return str(ipaddress.ip_network((address, bits), strict=False))


@lru_cache(maxsize=4096)
def report_count(text: str) -> int:
    """Read a number of messages or sessions.

    :raises ValueError: it is none; the message is the reason
    """
    if text.isdigit() and text.isascii() and len(text) <= _MOST_DIGITS:
        return int(text)
    raise ValueError(f"count {shown(text)} is no number of messages")


def report_time(text: str, where: str) -> int:
    """Read a time in seconds since 1970; parts of a second are dropped.

    :param where: the name of the element
    :raises UnreadableReport: it is none
    """
    if len(text) == _USUAL_DIGITS and text.isdigit() and text.isascii():
        return int(text)
    found = _SECONDS.fullmatch(text)
    if not found or int(found[1]) > _MOST_SECONDS:
        raise UnreadableReport(f"{where} {shown(text)} is no time in seconds since 1970 (RFC 9990 section 3.1.1.4)")
    return int(found[1])


@lru_cache(maxsize=4096)
def report_period(begin: str, end: str) -> tuple[int, int]:
    """Read a period, which many reports have in common.

    :param begin: in seconds since 1970, as ``end``
    :raises UnreadableReport: it is none
    """
    period = report_time(begin.strip(), "begin"), report_time(end.strip(), "end")
    check_period(*period)
    return period


def check_period(begin: int, end: int) -> None:
    """Refuse a period that ends before it begins.

    :raises UnreadableReport: it does
    """
    if end < begin:
        raise UnreadableReport(f"its period ends before it begins: {iso_time(begin)} to {iso_time(end)}")


@lru_cache(maxsize=4096)
def report_domain(text: str) -> str:
    """Normalise the domain that a report is about.

    :returns: A-labels
    :raises UnreadableReport: it is no domain name
    """
    if not text:
        raise UnreadableReport("it does not say which domain it is about (policy_published, domain)")
    try:
        return to_alabels(text)
    except (BadName, MissingLibrary) as error:
        raise UnreadableReport(f"the domain that it is about, {shown(text)}, is none: {error}") from None


@lru_cache(maxsize=4096)
def report_name(text: str) -> str:
    """Normalise a name inside a record; one that is no domain name stays as it is, in lower case and cut.

    :param text: for example of header_from
    """
    plain = text.lower().rstrip(".")
    if plain.isascii():
        return plain[:LONGEST_TEXT]
    try:
        return to_alabels(plain)
    except (BadName, MissingLibrary):
        return plain[:LONGEST_TEXT]


def iso_time(seconds: int) -> str:
    """Tell a time as ISO 8601 in UTC, for example 2026-11-29T00:00:00Z."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=4096)
def period_day(begin: int, end: int) -> str:
    """Tell on which day, in UTC, a period counts: that of its middle, since reporters begin their days where they are.

    :returns: for example 2026-11-29
    """
    middle = begin + (end - begin) // 2
    return datetime.datetime.fromtimestamp(middle, datetime.UTC).date().isoformat()
