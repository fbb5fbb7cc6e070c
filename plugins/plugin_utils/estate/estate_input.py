# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a run knows before it adds anything up: the part of each host, and what the run may do."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class HostNeeds:
    """One host's part. ``needs`` is the fact that role erp_mail published (None: it did not); ``account`` and
    ``domains`` are its mail_dns_account and mail_dns_domains; ``declares`` tells that it has an erp_mail_system."""

    host: str
    declares: bool
    needs: Mapping[str, Any] | None
    account: Any
    domains: Any
    services: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_decommissioned(self) -> bool:
        """Whether its environment is to go, so that what it needed may be taken away."""
        return (self.needs or {}).get("state") == "absent"

    def terms(self, domain: str, state: str) -> list[dict[str, Any]]:
        """The SPF terms that its environment needs, or needed, at a domain.

        :param domain: the name as A-labels
        :param state: present or absent; an environment of the other state has none
        :returns: terms as ``environment_needs`` lists them: {term, service, source, date, given}
        """
        needs = self.needs or {}
        found: list[dict[str, Any]] = needs["domains"].get(domain, []) if needs.get("state") == state else []
        return found

    def needs_domain(self, domain: str) -> bool:
        """Whether its environment needs, or needed, SPF terms or DKIM selectors at a domain.

        :param domain: the name as A-labels
        """
        return domain in self.needed_domains

    @property
    def needed_domains(self) -> set[str]:
        """The domains at which its environment needs, or needed, SPF terms or DKIM selectors."""
        needs = self.needs or {}
        return {*needs.get("domains", {}), *needs.get("dkim", {})}


@dataclass(frozen=True, slots=True)
class EstateOptions:
    """What the run may do. ``complete``: the inventory holds every sender of the domains; ``limit``: the run has a
    --limit; ``accept_stale``: the services whose addresses are published although they are old; ``today`` decides which
    addresses are; ``left_out``: environments of the inventory that are not in the play, so that what they need is not
    known."""

    complete: bool
    limit: bool
    accept_stale: frozenset[str]
    today: datetime.date
    left_out: tuple[str, ...] = ()

    @property
    def knows_every_sender(self) -> bool:
        """Whether this run holds every sender of the domains, so that it may remove records and tighten policies."""
        return self.complete and not self.limit and not self.left_out
