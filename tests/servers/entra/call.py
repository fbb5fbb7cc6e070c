# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to Graph: who asks, with which rights, and what of the directory the request sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.mailroom.erp.tests.servers.entra import odata
from ansible_collections.mailroom.erp.tests.servers.entra.directory import Directory, State
from ansible_collections.mailroom.erp.tests.servers.entra.odata import absent, bad, forbidden
from ansible_collections.mailroom.erp.tests.servers.entra.shapes import Json, ShapeError, check_entity, check_request

Answer = tuple[int, Json | None]

READ_DELETED = {"Application.Read.All", "Application.ReadWrite.All"}
READ_APPLICATIONS = {"Application.Read.All", "Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"}
READ_POLICIES = {"Policy.Read.All", "Policy.Read.ApplicationConfiguration"}
OWN_APPLICATIONS = {"Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"}
ALL_APPLICATIONS = {"Application.ReadWrite.All"}
ASSIGN = {"AppRoleAssignment.ReadWrite.All"}
CONSENT = {"DelegatedPermissionGrant.ReadWrite.All"}
READ_CONSENT = CONSENT | {"Directory.Read.All"}
USER_DEFAULTS = ("displayName", "mail", "userPrincipalName")


@dataclass
class Call:
    """One request to Graph."""

    directory: Directory
    state: State
    """What this request sees."""
    rights: set[str]
    caller: str | None
    """The id of the service principal or of the person who calls."""
    query: Mapping[str, str]
    body: object
    headers: Mapping[str, str]
    url: str
    page_size: int
    unseen: int = 404
    """How Graph answers a write to an object that has not reached the replica yet."""
    wrote: bool = field(default=False)

    @property
    def truth(self) -> State:
        return self.directory.truth

    def need(self, rights: set[str]) -> None:
        if not self.rights & rights:
            raise forbidden()

    def request(self, kind: str) -> Json:
        try:
            return check_request(kind, self.body)
        except ShapeError as error:
            raise bad(f"Invalid property: {error}") from error

    def seen(self, table: str, object_id: str) -> Json:
        """An object that a read is for, as this request sees it.

        :raises GraphFault: there is none
        """
        return _found(self.state, table, object_id)

    def held(self, table: str, object_id: str) -> Json:
        """An object as it really is, which a write may change.

        :raises GraphFault: there is none
        """
        return _found(self.truth, table, object_id)

    def delete(self, table: str, object_id: str) -> Answer:
        """Take an object away.

        :raises GraphFault: there is none
        """
        self.held(table, object_id)
        self.wrote = True
        del self.truth[table][object_id]
        return 204, None

    def application(self, object_id: str) -> Json:
        """The application that a write is for, once it has reached the replica and if the caller may change it."""
        found = self.held("applications", object_id)
        if object_id not in self.state["applications"]:
            raise forbidden() if self.unseen == 403 else absent(object_id)
        self.need(OWN_APPLICATIONS)
        if not self.rights & ALL_APPLICATIONS and self.caller not in self.truth.owners.get(object_id, []):
            raise forbidden()
        return found

    def principal(self, object_id: str) -> Json:
        """The service principal that a write is for, once it has reached the replica."""
        self.seen("servicePrincipals", object_id)
        return self.held("servicePrincipals", object_id)

    def collection(self, kind: str, items: list[Json], default: tuple[str, ...] = ()) -> Answer:
        if "$filter" in self.query:
            items = [one for one in items if odata.matches(self.query["$filter"], one)]
        shown = [odata.chosen(one, self.query, default) for one in items]
        for one in shown:
            check_entity(kind, one)
        return self.page(shown)

    def page(self, shown: list[Json]) -> Answer:
        """One page of what is shown."""
        return 200, odata.page(shown, self.query, self.page_size, self.url)

    def entity(self, kind: str, one: Json, status: int = 200) -> Answer:
        shown = odata.chosen(one, self.query if status == 200 else {})
        check_entity(kind, shown)
        return status, shown


def _found(state: State, table: str, object_id: str) -> Json:
    if object_id not in state[table]:
        raise absent(object_id)
    return state[table][object_id]
