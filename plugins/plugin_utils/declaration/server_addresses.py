# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Mail servers as they stand in an ERP's screen."""

from __future__ import annotations

import ipaddress
import re

from ansible_collections.mailroom.erp.plugins.module_utils.policy.address import BadAddress, mail_domain


def split_endpoint(text: str) -> tuple[str, int | None]:
    """Take ``host`` or ``host,port`` apart, as Exalt writes a server.

    :param text: what stands in the field
    :returns: the host, and the port, None when none is given
    :raises BadAddress: it is neither (S4, Exalt: "Use a comma to separate the port number")
    """
    host, comma, port = text.partition(",")
    if ":" in host and "::" not in host:
        raise BadAddress("a port stands behind a comma: host,port")
    check_server(host.strip())
    if not comma:
        return host, None
    if not port.strip().isdecimal() or not 1 <= int(port) <= 65535:
        raise BadAddress("behind the comma stands a port, a number from 1 to 65535")
    return host.strip(), int(port)


def check_server(host: str) -> None:
    """Check the name of a mail server: a host name or an IP address, without a scheme and without a port.

    :param host: what stands in the field
    :raises BadAddress: it is neither (RFC 1035 section 2.3.1)
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if "." in host:
            mail_domain(host)
        elif not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", host):
            raise BadAddress(
                "a server is a host name or an IP address, without a scheme and without a port (RFC 1035 section 2.3.1)"
            ) from None
