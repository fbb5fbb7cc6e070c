# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whose policy reports are about that name a subdomain: that of the domain above it, its own, or nobody can tell.

RFC 9990 sections 3.1.1.5 and 3.1.2 have reporters name the domain whose policy was found, with a record for each domain
in From. OpenDMARC names the domain in From instead.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from ansible_collections.mailroom.erp.plugins.module_utils.domains.threads import each
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dmarc import select_dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.discovery import walk_names
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import is_inside, longest_match

MOST_LOOKED_UP = 1_000
"""So many reported subdomains are looked up: anybody can send as invented ones. Of the others nobody can tell."""
_THREADS = 16

_TOO_MANY = f"more than {MOST_LOOKED_UP} subdomains were reported, and this one was not looked up"

HasOwnPolicy = Callable[[str, str], bool]
"""Tells whether the DNS has a policy at a name or between it and the domain above that is given next.

Raises ``Unresolved`` where a name cannot be looked up.
"""


@dataclass(frozen=True, slots=True)
class ReportedBelow:
    """Names below a domain that reports give as the domain of the policy. Those that are ``governed`` have no policy of
    their own, so that it is the domain's; of ``doubtful`` ones nobody can tell, by name and why."""

    governed: tuple[str, ...] = ()
    doubtful: Mapping[str, str] = field(default_factory=dict)


def policy_finder(lookup: Lookup) -> HasOwnPolicy:
    """What tells whether subdomains have a policy of their own; each question is asked once, failures included.

    :param lookup: asks the DNS
    """

    @cache
    def has_policy(name: str) -> bool | Unresolved:
        try:
            return bool(select_dmarc(lookup(f"_dmarc.{name}", "TXT")))
        except Unresolved as error:
            return error

    def has_own_policy(subdomain: str, domain: str) -> bool:
        """As receivers walk up (RFC 9989 section 4.10): a name past eight labels is skipped to its last seven."""
        between = (name for name in walk_names(subdomain) if name != domain and is_inside(name, domain))
        for found in map(has_policy, between):
            if isinstance(found, Unresolved):
                raise found
            if found:
                return True
        return False

    return has_own_policy


def reported_below(
    connection: sqlite3.Connection,
    domains: Collection[str],
    has_own_policy: HasOwnPolicy,
    wanted_first: Collection[str] = (),
    others: Collection[str] = (),
) -> dict[str, ReportedBelow]:
    """Find the reported names below domains, each for the nearest domain only.

    :param connection: an archive
    :param domains: as A-labels
    :param has_own_policy: as :func:`policy_finder` makes it
    :param wanted_first: names that are looked up before all others, which come by the number of their reports
    :param others: further domains, whose names below are neither these domains' nor looked up
    :returns: by domain; one without reported names below is missing
    """
    zones = {*domains, *others}
    nearest = {name: longest_match(name, zones) for name in (_reported(connection) if domains else ())}
    below = {name: domain for name, domain in nearest.items() if domain and domain != name and domain in domains}
    ordered = sorted(below, key=lambda name: name not in wanted_first)

    def verdict(name: str) -> bool | str:
        try:
            return has_own_policy(name, below[name])
        except Unresolved as error:
            return str(error)

    verdicts = each(verdict, ordered[:MOST_LOOKED_UP], _THREADS)
    verdicts += [_TOO_MANY] * (len(ordered) - len(verdicts))
    return _by_domain(zip(ordered, verdicts, strict=True), below)


def _reported(connection: sqlite3.Connection) -> list[str]:
    """The names that reports give as the domain of the policy, those with the most reports first."""
    query = "SELECT domain FROM reports WHERE kind = 'dmarc' GROUP BY domain ORDER BY count(*) DESC, domain"
    return [name for (name,) in connection.execute(query)]


def _by_domain(verdicts: Iterable[tuple[str, bool | str]], below: Mapping[str, str]) -> dict[str, ReportedBelow]:
    governed: dict[str, list[str]] = {}
    doubtful: dict[str, dict[str, str]] = {}
    for name, verdict in verdicts:
        if isinstance(verdict, str):
            doubtful.setdefault(below[name], {})[name] = verdict
        elif not verdict:
            governed.setdefault(below[name], []).append(name)
    return {
        domain: ReportedBelow(tuple(governed.get(domain, ())), doubtful.get(domain, {}))
        for domain in {**governed, **doubtful}
    }
