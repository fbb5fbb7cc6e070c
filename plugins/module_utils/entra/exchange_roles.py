# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Application roles of Exchange Online over Microsoft Graph beta: what they are called, to whom and for what they are
assigned.

Shapes and permissions are those of Microsoft's pages rbacapplication-list-roledefinitions, -list-roleassignments and
-post-roleassignments, unifiedroleassignment-delete (https://learn.microsoft.com/graph/api/, view=graph-rest-beta, read
on 2026-11-29). No description says whether Exchange takes the same assignment twice, so it is sent once and looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import (
    SEEN_IN_A_ROW,
    AnswerLost,
    Graph,
    Json,
    odata_literal,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError

_TRIES = 3
_ROOT = "roleManagement/exchange"


def read_role_ids(graph: Graph, roles: Iterable[str]) -> dict[str, str]:
    """The ids of roles, one request for each: a filter with several clauses is not documented for Exchange.

    :param graph: the tenant's Microsoft Graph
    :param roles: as Exchange calls them, e.g. Application Mail.Send
    :returns: role to id; those that the tenant has not are left out
    :raises GraphError: they cannot be read
    """
    found: dict[str, str] = {}
    for role in roles:
        query = {"$filter": f"displayName eq {odata_literal(role)}", "$select": "id,displayName"}
        held = graph.get_all(f"{_ROOT}/roleDefinitions", query)
        same = [one["id"] for one in held if str(one["displayName"]).casefold() == role.casefold()]
        found |= {role: same[0]} if same else {}
    return found


def read_role_names(graph: Graph, ids: Iterable[str]) -> dict[str, str]:
    """What roles are called, one request for each.

    :param graph: the tenant's Microsoft Graph
    :param ids: of roles
    :returns: id to name; one that is gone is left out
    :raises GraphError: one cannot be read
    """
    read = ((one, graph.find(f"{_ROOT}/roleDefinitions/{one}", {"$select": "id,displayName"})) for one in ids)
    return {one: str(found["displayName"]) for one, found in read if found}


def read_role_assignments(graph: Graph, principal: str) -> list[Json]:
    """What Exchange has assigned to an application.

    :param graph: the tenant's Microsoft Graph
    :param principal: the object id of its service principal
    :returns: each with ``id``, ``roleDefinitionId``, ``directoryScopeId`` and ``appScopeId``
    :raises GraphError: they cannot be read
    """
    named = principal_path(principal)
    found = graph.get_all(f"{_ROOT}/roleAssignments", {"$filter": f"principalId eq {odata_literal(named)}"})
    own = (named.casefold(), principal.casefold())
    return [one for one in found if str(one.get("principalId")).casefold() in own]


def principal_path(principal: str) -> str:
    """How Exchange names a service principal.

    :param principal: its object id
    """
    return f"/ServicePrincipals/{principal}"


def assign_role(graph: Graph, body: Mapping[str, str | None], *, fresh: bool) -> None:
    """Assign a role. When an answer is lost, the assignment is looked for before it is sent again; should there be two
    in the end, they are alike, and one is taken away later.

    :param graph: the tenant's Microsoft Graph
    :param body: ``principalId`` as :func:`principal_path` gives it, ``roleDefinitionId``, ``directoryScopeId`` and
        ``appScopeId``, one of the last two None
    :param fresh: the application was made a short time ago, so that Exchange may not know it yet
    :raises GraphError: Exchange refuses
    :raises AnswerLost: no try was answered, and the assignment is not seen
    """
    for attempt in range(_TRIES):
        try:
            graph.post_once(f"{_ROOT}/roleAssignments", dict(body), fresh=fresh, needs=("id",))
        except AnswerLost:
            if _appears(graph, body):
                return
            if attempt + 1 == _TRIES:
                raise
        except GraphError as error:
            if not error.exists:
                raise
            return
        else:
            return


def _appears(graph: Graph, body: Mapping[str, str | None]) -> bool:
    principal = str(body["principalId"]).rpartition("/")[2]
    for _look in range(SEEN_IN_A_ROW):
        graph.pace.sleep(graph.pace.poll_interval)
        if any(_is(one, body) for one in read_role_assignments(graph, principal)):
            return True
    return False


def _is(assignment: Json, body: Mapping[str, str | None]) -> bool:
    names = ("roleDefinitionId", "directoryScopeId", "appScopeId")
    return all((assignment.get(name) or "").casefold() == (body[name] or "").casefold() for name in names)
