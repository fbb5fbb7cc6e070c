# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Which RRsets tell of a domain's mail."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key
from ansible_collections.mailroom.erp.plugins.module_utils.policy import dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dmarc import DmarcError
from ansible_collections.mailroom.erp.plugins.module_utils.policy.mta_sts import mta_sts_name
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import is_inside
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tls_rpt import tls_rpt_name

_MOST_ALIASES = 200
"""CNAMEs of one domain that are looked at for return paths."""


def domain_keys(domain: str) -> tuple[Key, ...]:
    """What is read of every domain.

    :param domain: as A-labels
    """
    policies = (f"_dmarc.{domain}", mta_sts_name(domain), tls_rpt_name(domain))
    return ((domain, "TXT"), (domain, "MX"), *((name, "TXT") for name in policies))


def selector_keys(domain: str, selectors: Iterable[str]) -> Iterator[Key]:
    """Where DKIM keys of these selectors would be.

    :param domain: as A-labels
    """
    for selector in dict.fromkeys(selectors):
        yield from ((f"{selector}._domainkey.{domain}", rdtype) for rdtype in ("CNAME", "TXT"))


def listed_keys(domain: str, listed: Collection[Key]) -> Iterator[Key]:
    """The selectors of a domain, and the aliases below it, among the RRsets of its zone.

    :param domain: as A-labels
    :param listed: all RRsets of the zone
    """
    suffix = f"._domainkey.{domain}"
    here = sorted(key for key in listed if is_inside(key[0], domain))
    yield from (key for key in here if key[0].endswith(suffix) and key[1] in ("TXT", "CNAME"))
    aliases = [key for key in here if key[1] == "CNAME" and "._domainkey." not in key[0] and key[0] != domain]
    yield from aliases[:_MOST_ALIASES]


def agreement_names(domain: str, policies: Iterable[str]) -> list[str]:
    """Where the destinations of a domain's DMARC reports agree to get them (RFC 9990 section 4).

    :param domain: as A-labels
    :param policies: the TXT values at ``_dmarc``
    """
    found = []
    for text in dmarc.select_dmarc(policies):
        try:
            found += dmarc.destinations(dmarc.parse_dmarc(text), domain)
        except DmarcError:
            continue
    return [dmarc.authorisation_name(domain, host) for host in dict.fromkeys(found)]
