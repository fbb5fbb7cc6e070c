# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles of Exchange Online in the test tenant, over Graph beta, and the places that a role may be limited to.

Requests and answers are as Microsoft's pages show them (graph/api/rbacapplication-post-roleassignments,
rbacapplication-list-roleassignments, rbacapplication-list-roledefinitions, unifiedrbacapplication-post-customappscope,
all view=graph-rest-beta, read on 2026-11-29). How Exchange refuses, and whether it takes the same assignment twice, is
in no description: this is the worse of what may be.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ansible_collections.mailroom.erp.tests.servers.entra.call import Answer, Call
from ansible_collections.mailroom.erp.tests.servers.entra.odata import bad
from ansible_collections.mailroom.erp.tests.servers.entra.shapes import Json

READ_ROLES = {"RoleManagement.Read.Exchange", "RoleManagement.ReadWrite.Exchange"}
WRITE_ROLES = {"RoleManagement.ReadWrite.Exchange"}
READ_GROUPS = {"GroupMember.Read.All", "Group.Read.All"}
READ_UNITS = {"AdministrativeUnit.Read.All"}
_MEMBER = ("displayName", "mail", "userPrincipalName")
_SCOPE = re.compile(r"/(Users|Groups|AdministrativeUnits)/([0-9a-f-]{36})", re.IGNORECASE)
_TABLES = {"users": "users", "groups": "groups", "administrativeunits": "administrativeUnits"}


def _listing(rights: set[str], kind: str, table: str) -> Callable[[Call], Answer]:
    """Lists a table, for who has one of the rights."""

    def listed(call: Call) -> Answer:
        call.need(rights)
        return call.collection(kind, list(call.state[table].values()))

    return listed


def _getting(rights: set[str], kind: str, table: str) -> Callable[[Call, str], Answer]:
    """Gives one object of a table, for who has one of the rights."""

    def got(call: Call, object_id: str) -> Answer:
        call.need(rights)
        return call.entity(kind, call.seen(table, object_id))

    return got


list_definitions = _listing(READ_ROLES, "unifiedRoleDefinition", "roleDefinitions")
get_definition = _getting(READ_ROLES, "unifiedRoleDefinition", "roleDefinitions")
list_assignments = _listing(READ_ROLES, "unifiedRoleAssignment", "roleAssignments")


def add_assignment(call: Call) -> Answer:
    call.need(WRITE_ROLES)
    body = call.request("unifiedRoleAssignment")
    kind, _slash, principal_id = str(body.get("principalId")).rpartition("/")
    if kind.lower() != "/serviceprincipals":
        raise bad("Application roles can only be assigned to service principals.")
    call.seen("servicePrincipals", principal_id)
    role_id = str(body.get("roleDefinitionId"))
    if role_id not in call.truth["roleDefinitions"]:
        raise bad(f"The role '{role_id}' was not found.")
    directory_scope, app_scope = body.get("directoryScopeId"), body.get("appScopeId")
    _check_scope(call, directory_scope, app_scope)
    call.wrote = True
    made = call.directory.assign_role(principal_id, role_id, directory_scope, app_scope)
    return call.entity("unifiedRoleAssignment", made, 201)


def _check_scope(call: Call, directory_scope: str | None, app_scope: str | None) -> None:
    if (directory_scope is None) == (app_scope is None):
        raise bad("Either appScopeId or directoryScopeId must be specified.")
    if app_scope is not None:
        call.held("customAppScopes", app_scope)
    elif directory_scope != "/":
        found = _SCOPE.fullmatch(str(directory_scope))
        if found is None:
            raise bad(f"The scope '{directory_scope}' is not supported.")
        call.held(_TABLES[found[1].lower()], found[2].lower())


def delete_assignment(call: Call, object_id: str) -> Answer:
    call.need(WRITE_ROLES)
    return call.delete("roleAssignments", object_id)


list_custom_scopes = _listing(READ_ROLES, "customAppScope", "customAppScopes")
get_custom_scope = _getting(READ_ROLES, "customAppScope", "customAppScopes")
list_groups = _listing(READ_GROUPS, "group", "groups")
get_group = _getting(READ_GROUPS, "group", "groups")


def list_group_members(call: Call, object_id: str) -> Answer:
    call.need(READ_GROUPS)
    return _members(call, call.seen("groups", object_id))


list_units = _listing(READ_UNITS, "administrativeUnit", "administrativeUnits")
get_unit = _getting(READ_UNITS, "administrativeUnit", "administrativeUnits")


def list_unit_members(call: Call, object_id: str) -> Answer:
    call.need(READ_UNITS)
    return _members(call, call.seen("administrativeUnits", object_id))


def _members(call: Call, holder: Json) -> Answer:
    """Direct members, whatever they are. Without the right to read users, everything about one but its id is null
    [Microsoft Graph, limited information returned for inaccessible member objects]."""
    shown: list[Json] = []
    for object_id in holder["_members"]:
        for table, kind in (("users", "user"), ("groups", "group"), ("servicePrincipals", "servicePrincipal")):
            if object_id in call.state[table]:
                one = call.state[table][object_id]
                told = kind != "user" or "User.Read.All" in call.rights
                values = {name: one.get(name) if told else None for name in _MEMBER}
                shown.append({"@odata.type": f"#microsoft.graph.{kind}", "id": object_id, **values})
    return call.page(shown)
