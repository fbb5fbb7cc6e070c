# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Mail addresses: name@domain, nothing around it."""

from __future__ import annotations

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
    return mail_domain(domain)


def mail_domain(domain: str) -> str:
    """Check the domain of an address.

    :returns: lower-case A-labels
    :raises BadAddress: it is none (RFC 5321 section 4.1.2)
    """
    try:
        name = to_alabels(domain)
    except BadName as error:
        raise BadAddress(str(error)) from None
    if "_" in name:
        raise BadAddress("the domain of an address holds no underscore (RFC 5321 section 4.1.2)")
    return name
