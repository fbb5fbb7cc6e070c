# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A zone that is read whole, by a transfer (AXFR, RFC 5936)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ansible_collections.mailroom.erp.plugins.module_utils.dns import values
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import WHOLE_TYPES
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key

with contextlib.suppress(ImportError):
    import dns.message
    import dns.rdatatype
    import dns.zone

if TYPE_CHECKING:
    from dns.rdataset import Rdataset
    from dns.tsig import Key as TsigKey


def transferred(zone: str, address: str, port: int, seconds: float, key: TsigKey | None) -> dict[Key, Rdataset]:
    """Ask for a whole zone, and keep the RRsets of one of ``WHOLE_TYPES``.

    :param zone: its apex
    :param seconds: to wait for each message; the whole zone may take ten times as long
    :param key: signs the question, None for none
    :raises dns.exception.DNSException: the server does not transfer it to us
    :raises OSError: no connection
    """
    # it loads what DNS over HTTPS needs, and few zones come here
    from dns.query import inbound_xfr

    origin = values.name_of(zone)
    found = dns.zone.Zone(origin, relativize=False)
    question = dns.message.make_query(origin, "AXFR")
    if key:
        question.use_tsig(key)
    inbound_xfr(address, found, question, port=port, timeout=seconds, lifetime=seconds * 10)
    all_types = ((name, dns.rdatatype.to_text(one.rdtype), one) for name, one in found.iterate_rdatasets())
    return {(values.text_of(name), rdtype): one for name, rdtype, one in all_types if rdtype in WHOLE_TYPES}
