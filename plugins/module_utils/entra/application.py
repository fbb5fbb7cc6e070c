# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Applications: found by what was declared, made by their unique name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import ENTRA_RULES
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Json, odata_key, odata_literal
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused

_SELECT = "id,appId,displayName,uniqueName,notes,createdDateTime,requiredResourceAccess"
_MOST_EXPANDED = 20
"""Graph expands no more of a relationship."""


class NamedApplication(Protocol):
    """What says which application is meant; the first that is given decides."""

    @property
    def app_id(self) -> str | None:
        """Its application id."""

    @property
    def unique_name(self) -> str | None:
        """The name that we gave it when it was made; Graph keeps it unique."""

    @property
    def display_name(self) -> str | None:
        """What people call it; several may have the same."""

    @property
    def subject(self) -> str:
        """What it is called in messages."""


def find_application(graph: Graph, named: NamedApplication) -> Json | None:
    """Find one application, with its owners.

    :param graph: the tenant's Microsoft Graph
    :param named: says which application is meant
    :returns: the application, None when there is none
    :raises Refused: it is named by its display name alone, which several have
    :raises GraphError: it cannot be read
    """
    found = read_application(graph, named, {"$select": _SELECT, "$expand": "owners"})
    if found is not None and len(found.get("owners") or []) >= _MOST_EXPANDED:
        found["owners"] = graph.get_all(f"applications/{found['id']}/owners", {"$select": "id"})
    return found


def read_application(graph: Graph, named: NamedApplication, query: Mapping[str, str]) -> Json | None:
    """Read the application that is meant.

    :param graph: the tenant's Microsoft Graph
    :param named: says which application is meant
    :param query: which properties, e.g. ``{"$select": "id"}``
    :returns: the application, None when there is none
    :raises Refused: it is named by its display name alone, which several have
    :raises GraphError: it cannot be read
    """
    if named.app_id:
        return graph.find(f"applications(appId={odata_key(named.app_id)})", query)
    if named.unique_name:
        return graph.find(f"applications(uniqueName={odata_key(named.unique_name)})", query)
    found = find_namesakes(graph, named)
    if len(found) > 1:
        raise Refused(_several(named, found))
    return graph.find(f"applications/{found[0]['id']}", query) if found else None


def find_namesakes(graph: Graph, named: NamedApplication) -> list[Json]:
    """All applications with the display name that is declared, or would be given.

    :param graph: the tenant's Microsoft Graph
    :param named: says which application is meant
    :returns: id, appId, displayName and createdDateTime of each
    :raises GraphError: they cannot be read
    """
    name = named.display_name or named.unique_name or ""
    query = {"$filter": f"displayName eq {odata_literal(name)}", "$select": "id,appId,displayName,createdDateTime"}
    return graph.get_all("applications", query)


def find_deleted(graph: Graph, named: NamedApplication) -> Json | None:
    """The application among those that were deleted in the last 30 days.

    The whole list is read: that Graph could filter deleted objects by unique name is not documented.

    :param graph: the tenant's Microsoft Graph
    :param named: says which application is meant
    :returns: the one deleted last; None when there is none, and when this sign-in may not read the list
        (Application.Read.All)
    :raises GraphError: the list cannot be read for another reason
    """
    query = {"$select": f"{_SELECT},deletedDateTime"}
    try:
        deleted = graph.get_all("directory/deletedItems/microsoft.graph.application", query)
    except GraphError as error:
        if error.status != 403:
            raise
        return None
    wanted = ("appId", named.app_id) if named.app_id else ("uniqueName", named.unique_name)
    matching = [one for one in deleted if one.get(wanted[0]) == wanted[1] and wanted[1]]
    return max(matching, key=lambda one: str(one["deletedDateTime"]), default=None)


def upsert(graph: Graph, unique_name: str, body: Json, *, fresh: bool) -> Json:
    """Make an application, or change the one of this unique name.

    :param graph: the tenant's Microsoft Graph
    :param unique_name: what Graph keeps unique among the applications of a tenant
    :param body: its properties, ``displayName`` among them
    :param fresh: whether a refusal can only mean that an earlier run has just made it
    :returns: the application; empty when it was there already
    :raises GraphError: Graph refuses
    """
    path = f"applications(uniqueName={odata_key(unique_name)})"
    return graph.change(path, body, fresh=fresh, headers={"Prefer": "create-if-missing"})


def missing_application(named: NamedApplication) -> Problem:
    """What is wrong when an application is not there that must be.

    :param named: says which application is meant
    """
    rule = "there is no such application in the tenant"
    way_out = "Correct it, or let mailroom.erp.entra_app_registration make the application by a unique_name."
    given = {"app_id": named.app_id, "unique_name": named.unique_name, "display_name": named.display_name}
    where = next(name for name, value in given.items() if value)
    return ENTRA_RULES.problem(named.subject, where, given[where], rule, way_out)


def _several(named: NamedApplication, found: list[Json]) -> Problem:
    candidates = "; ".join(f"{one['appId']} of {one.get('createdDateTime')}" for one in found)
    rule = f"{len(found)} applications have this display name: {candidates}"
    return ENTRA_RULES.problem(named.subject, "display_name", named.display_name, rule, "Name it by app_id.")
