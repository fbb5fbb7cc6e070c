# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What was read of a Microsoft Entra tenant, as the controller gets it from ``entra_adopt_info``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_GRAPH = "Microsoft Graph"


@dataclass(frozen=True, slots=True)
class LiveApplication:
    """An application that may send; see the return values of ``entra_adopt_info``."""

    app_id: str
    name: str
    own: bool
    publisher_tenant_id: str
    publisher: str | None
    permissions: tuple[str, ...]
    every_mailbox: bool
    scopes: Sequence[Mapping[str, str]]
    consent: Sequence[Mapping[str, Any]]
    credentials: Sequence[Mapping[str, Any]]

    def is_called(self, name: str) -> bool:
        """Whether this is its id or its name.

        :param name: as a person wrote it
        """
        return name.casefold() in (self.app_id.casefold(), self.name.casefold())

    @property
    def rights(self) -> set[str]:
        """What it may do with mail by itself, whether the tenant granted it or Exchange assigned it."""
        granted = {one.rpartition("/")[2] for one in self.permissions}
        return granted | {one["role"].removeprefix("Application ") for one in self.scopes}

    @property
    def addresses(self) -> list[str]:
        """The mailboxes and users that it is known to be for."""
        places = [one["place"] for one in self.scopes] + [str(one["user"]) for one in self.consent]
        return sorted({one for one in places if "@" in one})

    def consent_of(self, user: str) -> Mapping[str, Any] | None:
        """What a user consented to, of Microsoft Graph.

        :param user: the address
        """
        own = [one for one in self.consent if str(one["user"]).casefold() == user.casefold()]
        return next((one for one in own if one["resource"] == _GRAPH), None)

    @property
    def told(self) -> str:
        """What it is and what it may do, for a person."""
        whose = (
            "application" if self.own else f"enterprise application of {self.publisher or self.publisher_tenant_id},"
        )
        return f"{whose} {self.name} ({self.app_id}) {'; '.join(self._told())}"

    def _told(self) -> Iterator[str]:
        if self.every_mailbox:
            yield f"may send as every mailbox ({', '.join(self.permissions) or 'by a role of Exchange'})"
        elif self.scopes:
            yield f"may send from {', '.join(sorted({one['place'] for one in self.scopes}))}"
        for one in self.consent:
            who = one["user"] or "everybody who signs in"
            yield f"may send for {who} ({', '.join(one['scopes'])})"
        if self.own:
            ends = sorted(str(one["ends"])[:10] for one in self.credentials)
            yield f"its last secret or certificate ends {ends[-1]}" if ends else "it has no secret and no certificate"


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """One tenant. ``account`` is the sign-in as it may stand in an inventory, None where it cannot."""

    tenant_id: str
    problem: str | None = None
    unread: Mapping[str, str] = field(default_factory=dict)
    domains: tuple[str, ...] = ()
    applications: tuple[LiveApplication, ...] = ()
    senders: Sequence[Mapping[str, Any]] = ()
    account: Any = None


def tenant_facts(found: Mapping[str, Any], accounts: Mapping[str, Any]) -> TenantFacts:
    """Read one of ``tenants`` of ``entra_adopt_info``.

    :param found: as the module documents it
    :param accounts: the sign-ins as they may stand in an inventory, by the tenant's id
    """
    return TenantFacts(
        found["tenant_id"],
        found["problem"],
        found["unread"],
        tuple(found["domains"]),
        tuple(map(_application, found["applications"])),
        found["senders"],
        accounts.get(found["tenant_id"]),
    )


def _application(found: Mapping[str, Any]) -> LiveApplication:
    return LiveApplication(
        found["app_id"],
        str(found["display_name"] or found["app_id"]),
        found["own"],
        str(found["publisher_tenant_id"]),
        found["publisher"],
        tuple(found["permissions"]),
        found["every_mailbox"],
        found["scopes"],
        found["consent"],
        found["credentials"],
    )
