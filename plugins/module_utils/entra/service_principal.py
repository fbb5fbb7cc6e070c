# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Service principals: what an application is in one tenant, and what was granted to it there."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Json, odata_literal

_SELECT = {"$select": "id,appId,displayName"}


def find_principal(graph: Graph, app_id: str) -> Json | None:
    """The service principal of an application, or None.

    :param graph: the tenant's Microsoft Graph
    :param app_id: the application's id
    :returns: id, appId and displayName; None when there is none
    :raises GraphError: it cannot be read
    """
    query = {"$filter": f"appId eq {odata_literal(app_id)}", **_SELECT}
    return next(iter(graph.get_all("servicePrincipals", query)), None)


def make_principal(graph: Graph, app_id: str, *, fresh: bool) -> Json:
    """Make the service principal of an application, which can have only one in a tenant.

    :param graph: the tenant's Microsoft Graph
    :param app_id: the application's id
    :param fresh: the application was made in this run
    :returns: the service principal, also when it was there already
    :raises GraphError: Graph refuses
    :raises NotSeen: there is one, but it is not seen in time
    """
    made = graph.create("servicePrincipals", {"appId": app_id}, fresh=fresh)
    return made or graph.until(f"the service principal of {app_id}", lambda: find_principal(graph, app_id))


def restore_principal(graph: Graph, app_id: str) -> None:
    """Restore the deleted service principal of an application, if there is one: restoring the application does not
    [Microsoft Graph, restore deleted item].

    :param graph: the tenant's Microsoft Graph
    :param app_id: the application's id
    :raises GraphError: Graph refuses
    """
    deleted = graph.get_all("directory/deletedItems/microsoft.graph.servicePrincipal", _SELECT)
    for one in deleted:
        if one["appId"] == app_id:
            graph.restore(one["id"])


def read_assignments(graph: Graph, object_id: str) -> list[Json]:
    """The application permissions that were granted to a service principal.

    :param graph: the tenant's Microsoft Graph
    :param object_id: of the service principal
    :returns: what Graph calls appRoleAssignments, one for each permission
    :raises GraphError: they cannot be read
    """
    return graph.get_all(f"servicePrincipals/{object_id}/appRoleAssignments")
