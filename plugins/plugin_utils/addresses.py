# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail addresses and host names as they stand in an ERP's screen."""

from __future__ import annotations

import ipaddress
import re

from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, to_alabels

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")


class BadAddress(ValueError):
    """The text is no mail address or no host name; the message is the broken rule with its source."""


def domain_of(address: object) -> str:
    """Check a mail address and give its domain.

    :param address: what the user gave, e.g. ``erp@acme.example``
    :returns: the domain as lower-case A-labels
    :raises BadAddress: it is no address of the form local-part@domain (RFC 5321 section 4.1.2)
    """
    if not isinstance(address, str):
        raise BadAddress(
            f"an address is text of the form name@domain, not a {type(address).__name__} (RFC 5321 section 4.1.2)"
        )
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local):
        raise BadAddress("an address is name@domain: no spaces, no display name (RFC 5321 section 4.1.2)")
    if len(local) > 64 or len(address) > 254:
        raise BadAddress("the part before the @ has at most 64 bytes, the address 254 (RFC 5321 section 4.5.3.1)")
    return _domain(domain)


def _domain(domain: str) -> str:
    try:
        name = to_alabels(domain)
    except BadName as error:
        raise BadAddress(str(error)) from None
    if "_" in name:
        raise BadAddress("the domain of an address holds no underscore (RFC 5321 section 4.1.2)")
    return name


def endpoint(text: str) -> tuple[str, int | None]:
    """Take ``host`` or ``host,port`` apart, as Exalt writes a server.

    :returns: the host, and the port, None when none is given
    :raises BadAddress: it is neither (S4, Exalt: "Use a comma to separate the port number")
    """
    host, comma, port = text.partition(",")
    if ":" in host and "::" not in host:
        raise BadAddress("a port stands behind a comma: host,port")
    check_host(host.strip())
    if not comma:
        return host, None
    if not port.strip().isdecimal() or not 1 <= int(port) <= 65535:
        raise BadAddress("behind the comma stands a port, a number from 1 to 65535")
    return host.strip(), int(port)


def check_host(host: str) -> None:
    """Check the name of a mail server: a host name or an IP address, without a scheme and without a port.

    :raises BadAddress: it is neither (RFC 1035 section 2.3.1)
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if "." in host:
            _domain(host)
        elif not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", host):
            raise BadAddress(
                "a server is a host name or an IP address, without a scheme and without a port (RFC 1035 section 2.3.1)"
            ) from None
