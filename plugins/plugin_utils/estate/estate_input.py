# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a run knows before it adds anything up: the part of each host, and what the run may do."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

LEAVING = "leaving"
"""The state of an environment that the playbook offboard takes away, part after part: what it has stays as it is."""

SENDERS, TENANT, SELECTORS, TERMS, ALIASES = "senders", "tenant", "dkim", "spf", "cnames"
LEAVING_PARTS = (SENDERS, TENANT, SELECTORS, TERMS, ALIASES)
"""What an environment has outside of its files; each may have a state of its own while the environment leaves."""


def part_state(needs: Mapping[str, Any], part: str) -> str:
    """The state of one part of an environment: present (it is made), leaving (it stays as it is, and nothing else takes
    it away) or absent (it goes, unless others need it).

    :param needs: what ``environment_needs`` gave; ``parts`` has the parts whose state is another than that of the whole
    :param part: one of :data:`LEAVING_PARTS`
    """
    return str((needs.get("parts") or {}).get(part, needs["state"]))


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
        """Whether its environment is to go, or a part of what it has in the DNS, so that this may be taken away."""
        return any(self.needs and part_state(self.needs, part) == "absent" for part in (SELECTORS, TERMS, ALIASES))

    def terms(self, domain: str, state: str) -> list[dict[str, Any]]:
        """The SPF terms that its environment needs, or needed, at a domain.

        :param domain: the name as A-labels
        :param state: present, leaving or absent; an environment of another state has none
        :returns: terms as ``environment_needs`` lists them: {term, service, source, date, given}
        """
        if not self.needs or part_state(self.needs, TERMS) != state:
            return []
        found: list[dict[str, Any]] = self.needs["domains"].get(domain, [])
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


def host_needs(host: str, needs: Mapping[str, Any] | None, read: Callable[[str], Any]) -> HostNeeds:
    """One host's part.

    :param host: its name
    :param needs: what ``environment_needs`` gave for it, None for a host without an environment
    :param read: gives a variable of the host, None when there is none
    """
    return HostNeeds(
        host=host,
        declares=bool(read("erp_mail_system")),
        needs=needs,
        account=read("mail_dns_account"),
        domains=read("mail_dns_domains"),
        services=read("erp_mail_catalogue_services") or {},
    )


def uncovered_environments(hostvars: Mapping[str, Any], hosts: Collection[str]) -> list[str]:
    """The environments of the inventory that a play does not cover, sorted.

    :param hostvars: the variable of that name
    :param hosts: those of the play
    """
    others = sorted(set(map(str, hostvars)) - set(hosts))
    return [name for name in others if "erp_mail_system" in hostvars[name]]


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
