# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What was read of one domain, as the controller gets it from ``mail_adopt_info``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key, RRset, ZoneState, values_of


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """One domain: ``account`` says where its zone is served, None where only public DNS was asked; ``listed``: all
    names of its zone are known; ``elsewhere`` maps delegated names to their holders."""

    domain: str
    account: str | None
    zone: str | None
    listed: bool
    rrsets: Mapping[Key, RRset]
    elsewhere: Mapping[str, str]
    problem: str | None = None

    @property
    def is_ours(self) -> bool:
        """Whether an account of ours serves its zone, so that records can be declared for it."""
        return self.account is not None and self.zone is not None

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT values at a name.

        :param name: as A-labels
        """
        return values_of(self.rrsets.get((name, "TXT")))

    def alias(self, name: str) -> str | None:
        """What a name is an alias of.

        :param name: as A-labels
        """
        return next(iter(values_of(self.rrsets.get((name, "CNAME")))), None)

    def holder(self, name: str) -> str | None:
        """Who manages a name instead of the zone, for a person.

        :param name: as A-labels
        """
        alias = self.alias(name)
        return f"alias of {alias}" if alias else self.elsewhere.get(name)

    def state(self) -> ZoneState:
        """The same as a provider would give it, for what plans changes."""
        return ZoneState(self.zone or self.domain, self.rrsets, None, self.elsewhere)


def domain_facts(found: Mapping[str, Any]) -> DomainFacts:
    """Read one of ``domains`` of ``mail_adopt_info``.

    :param found: as the module documents it
    """
    rrsets = [RRset(one["name"], one["type"], one["ttl"], tuple(one["values"])) for one in found["records"]]
    return DomainFacts(
        found["domain"],
        found["account"],
        found["zone"],
        found["listed"],
        {one.key: one for one in rrsets},
        found["elsewhere"],
        found["problem"],
    )
