# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Permissions by name: which API a name means, which roles it has, and which of them may ever be granted."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import is_guid
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Json, odata_literal

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
EXCHANGE_APP_ID = "00000002-0000-0ff1-ce00-000000000000"

KNOWN_APIS = {"Microsoft Graph": GRAPH_APP_ID, "Office 365 Exchange Online": EXCHANGE_APP_ID}
"""Application ids of Microsoft's APIs, the same in every tenant; their display names could be taken by others too."""

ALLOWED_PERMISSIONS = frozenset(
    {(GRAPH_APP_ID, "Mail.Send"), (GRAPH_APP_ID, "Mail.ReadWrite"), (EXCHANGE_APP_ID, "SMTP.SendAsApp")}
)
"""What may be granted without an ERP's catalogue file that lists it. Another role can be a way to all others: with
AppRoleAssignment.ReadWrite.All an application gives itself any permission there is."""

MOST_CLAUSES = 15
"""Graph takes no filter with more clauses joined by ``or``."""

_SELECT = "id,appId,displayName,appRoles,oauth2PermissionScopes"


@dataclass(frozen=True, slots=True)
class Permission:
    """An application permission as it was declared: the API's name or application id, and the role's value."""

    resource: str
    role: str

    @property
    def app_id(self) -> str | None:
        """The API's application id; None when only the tenant knows it."""
        return app_id_of(self.resource)

    def __str__(self) -> str:
        return f"{self.resource}/{self.role}"


def app_id_of(resource: str) -> str | None:
    """The application id of an API given by name or id; None when only the tenant knows it.

    :param resource: the API, e.g. Microsoft Graph
    """
    return KNOWN_APIS.get(resource) or (resource.lower() if is_guid(resource) else None)


@dataclass(frozen=True, slots=True)
class Resource:
    """An API as this tenant has it: the object id of its service principal, and its roles and scopes, value to id."""

    object_id: str
    app_id: str
    name: str
    roles: Mapping[str, str]
    scopes: Mapping[str, str]

    def role_name(self, role_id: str) -> str:
        """``API/role`` for people to read; the id of a role that the API does not have any more.

        :param role_id: the id of an application role, as a grant holds it
        """
        return f"{self.name}/{self.role_value(role_id)}"

    def role_value(self, role_id: str) -> str:
        """The name of a role, such as Mail.Send; the id of one that the API does not have any more.

        :param role_id: the id of an application role, as a grant holds it
        """
        return next((name for name, one in self.roles.items() if one == role_id), role_id)


class Resources:
    """The APIs that a task is about."""

    def __init__(self, principals: Iterable[Json]) -> None:
        self._all = [_resource(one) for one in principals]

    def named(self, resource: str) -> list[Resource]:
        """The APIs that a declared name or application id means: none, one, or several with the same name.

        :param resource: e.g. Microsoft Graph, or a GUID
        """
        app_id = app_id_of(resource)
        return [one for one in self._all if (one.app_id == app_id if app_id else one.name == resource)]

    def by_object_id(self, object_id: str) -> Resource | None:
        """The API whose service principal this is.

        :param object_id: of the service principal
        :returns: None when it is not among them
        """
        return next((one for one in self._all if one.object_id == object_id), None)

    def by_app_id(self, app_id: str) -> Resource | None:
        """The API with this application id.

        :param app_id: in small letters, as Graph shows it
        :returns: None when it is not among them
        """
        return next((one for one in self._all if one.app_id == app_id), None)

    def add(self, principals: Iterable[Json]) -> None:
        """Add APIs to those that are known.

        :param principals: service principals, as :func:`read_principals` gives them
        """
        self._all += [_resource(one) for one in principals]

    def broken_rule(self, resource: str, value: str, *, scope: bool = False) -> str | None:
        """Why a permission cannot be had in this tenant; None when it can.

        :param resource: the API's name or application id, as declared
        :param value: the name of the role or scope, e.g. Mail.Send
        :param scope: whether it is a delegated scope rather than an application role
        """
        found = self.named(resource)
        if len(found) != 1:
            return f"{len(found) or 'no'} APIs in the tenant are called {resource}; the application id tells them apart"
        held = found[0].scopes if scope else found[0].roles
        if value in held:
            return None
        close = difflib.get_close_matches(value, held, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        return f"{found[0].name} has no {'delegated permission' if scope else 'application permission'} {value}{hint}"


def read_principals(graph: Graph, *, more: str = "", **wanted: Iterable[str]) -> list[Json]:
    """Service principals with their roles and scopes, in one request for every 15 of them.

    :param graph: the tenant's Microsoft Graph
    :param more: further properties to read, each with a comma before it
    :param wanted: values of the properties ``appId``, ``displayName`` and ``id``; one that fits is enough
    :raises GraphError: they cannot be read
    """
    return read_any(graph, "servicePrincipals", wanted, _SELECT + more)


def read_any(graph: Graph, path: str, wanted: Mapping[str, Iterable[str]], select: str) -> list[Json]:
    """Objects with any of some values, in one request for every 15 of them.

    :param graph: the tenant's Microsoft Graph
    :param path: of the collection
    :param wanted: values by property; one that fits is enough
    :param select: the properties to read
    :raises GraphError: they cannot be read
    """
    clauses = [f"{name} eq {odata_literal(value)}" for name, values in wanted.items() for value in values]
    found: list[Json] = []
    while clauses:
        some, clauses = clauses[:MOST_CLAUSES], clauses[MOST_CLAUSES:]
        found += graph.get_all(path, {"$filter": " or ".join(some), "$select": select})
    return found


def read_permissions(entries: Iterable[Mapping[str, Any]]) -> tuple[Permission, ...]:
    """The declared permissions, each once, in the order given.

    :param entries: the option ``permissions``: {resource, role}
    """
    return tuple(dict.fromkeys(Permission(str(one["resource"]), str(one["role"])) for one in entries))


def may_be_granted(permission: Permission, listed: Iterable[Permission]) -> bool:
    """Whether a permission is on the allow list.

    :param permission: as it was declared
    :param listed: what the catalogue's ERP systems list
    """
    allowed = ALLOWED_PERMISSIONS | {(one.app_id, one.role) for one in listed}
    return permission.app_id is not None and (permission.app_id, permission.role) in allowed


def _resource(principal: Json) -> Resource:
    roles = {role["value"]: role["id"] for role in principal.get("appRoles") or [] if _is_usable_role(role)}
    scopes = principal.get("oauth2PermissionScopes") or []
    return Resource(
        object_id=principal["id"],
        app_id=principal["appId"],
        name=principal["displayName"],
        roles=roles,
        scopes={scope["value"]: scope["id"] for scope in scopes if scope.get("isEnabled", True)},
    )


def _is_usable_role(role: Json) -> bool:
    return bool(role.get("value") and role.get("isEnabled", True) and "Application" in role["allowedMemberTypes"])
