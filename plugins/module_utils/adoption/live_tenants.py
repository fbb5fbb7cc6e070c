# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What is live of mail in Microsoft Entra tenants: which applications may send, from which mailboxes, and until when
their secrets last. Reads only, and never a secret."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Module, Result
from ansible_collections.mailroom.erp.plugins.module_utils.domains.threads import each
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_module import TASK_FAILURES, Task
from ansible_collections.mailroom.erp.plugins.module_utils.entra.exchange_roles import read_role_ids
from ansible_collections.mailroom.erp.plugins.module_utils.entra.grants import (
    EXCHANGE_APP_ID,
    GRAPH_APP_ID,
    Resource,
    Resources,
    read_any,
    read_principals,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Json, odata_literal
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.plugins.module_utils.entra.people import read_sender_addresses
from ansible_collections.mailroom.erp.plugins.module_utils.policy.address import BadAddress, domain_of

_SENDING = frozenset({"Mail.Send", "Mail.Send.Shared", "SMTP.Send", "SMTP.SendAsApp", "full_access_as_app"})
"""Permissions of Microsoft Graph and Exchange Online that let an application send, by itself or for a user."""
_OF_MAIL = ("Mail.", "SMTP.", "full_access_as_app")
"""How the permissions begin that are told of an application that may send."""
_SENDING_ROLES = ("Application Mail.Send", "Application SMTP.SendAsApp", "Application Mail Full Access")
_ROLE_ASSIGNMENTS = "roleManagement/exchange/roleAssignments"
_APPLICATION = "appId,uniqueName,passwordCredentials,keyCredentials"
_DOMAIN = {"$select": "id,isVerified"}
_PRINCIPAL = ",appOwnerOrganizationId,verifiedPublisher"
_MICROSOFT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
"""The tenant that owns Microsoft's own applications, which people use and nobody declares."""
_MOST_AT_ONCE = 16


@dataclass(slots=True)
class _Sending:
    """One application while it is read: what the tenant grants, what Exchange assigns, and what people consented to."""

    granted: set[str] = field(default_factory=set)
    assigned: list[Json] = field(default_factory=list)
    delegated: list[Json] = field(default_factory=list)


def read_tenants(module: Module) -> list[Result]:
    """Read all tenants of a task, many at a time. What fails in one is told there.

    :param module: the AnsibleModule
    :returns: ``tenants`` as ``entra_adopt_info`` documents them
    """
    options = module.params["tenants"] or [module.params["tenant"]]
    threads = max(1, min(_MOST_AT_ONCE, len(options)))
    return each(lambda option: _tenant(module, option), options, threads)


def _tenant(module: Module, option: Mapping[str, Any]) -> Result:
    found: Result = {
        "tenant_id": str(option.get("tenant_id")).lower(),
        "problem": None,
        "unread": {},
        "domains": [],
        "applications": [],
        "senders": [],
        "requests": 0,
    }
    try:
        task = Task(module, option)
        with task.connected() as (graph, _token):
            try:
                _LiveTenant(graph, task.tenant.client_id, found).read(module.params["senders"])
            finally:
                found["requests"] = graph.requests
    except TASK_FAILURES as error:
        found["problem"] = str(error)
    return found


class _LiveTenant:
    """Reads one tenant into its result."""

    def __init__(self, graph: Graph, client_id: str | None, found: Result) -> None:
        self._graph, self._client_id, self._found = graph, (client_id or "").lower(), found
        self._sending: dict[str, _Sending] = {}

    def read(self, senders: Sequence[str]) -> None:
        domains = self._part("domains", "Domain.Read.All", lambda: self._graph.get_all("domains", _DOMAIN))
        self._found["domains"] = sorted(str(one["id"]).lower() for one in domains if one["isVerified"])
        resources = Resources(read_principals(self._graph, appId=[GRAPH_APP_ID, EXCHANGE_APP_ID]))
        for app_id in (GRAPH_APP_ID, EXCHANGE_APP_ID):
            resource = resources.by_app_id(app_id)
            if resource is not None:
                self._granted(resource)
        self._part("scopes", "RoleManagement.Read.Exchange", self._assigned)
        self._part("consent", "Directory.Read.All", lambda: self._delegated(resources))
        self._found["applications"] = self._applications()
        own = [one for one in senders if _domain(one) in self._found["domains"]]
        if own:
            self._found["senders"] = [
                one.as_dict() for one in self._part("senders", "User.Read.All", self._states(own))
            ]

    def _part(self, name: str, right: str, read: Callable[[], Iterable[Any]]) -> list[Any]:
        """Read a part; one that this sign-in may not read, or that a tenant does not have, is told."""
        try:
            return list(read())
        except GraphError as error:
            missing = f"this sign-in may not read it without {right}"
            self._found["unread"][name] = missing if error.status == 403 else str(error)
        return []

    def _of(self, principal: str) -> _Sending:
        return self._sending.setdefault(principal.lower(), _Sending())

    def _granted(self, resource: Resource) -> None:
        for one in self._graph.get_all(f"servicePrincipals/{resource.object_id}/appRoleAssignedTo"):
            role = resource.role_value(one["appRoleId"])
            if one.get("principalType") == "ServicePrincipal" and role.startswith(_OF_MAIL):
                self._of(one["principalId"]).granted.add(f"{resource.name}/{role}")

    def _assigned(self) -> tuple[()]:
        roles = read_role_ids(self._graph, _SENDING_ROLES)
        for role, role_id in roles.items():
            query = {"$filter": f"roleDefinitionId eq {odata_literal(role_id)}"}
            for one in self._graph.get_all(_ROLE_ASSIGNMENTS, query):
                kind, _slash, principal = str(one.get("principalId")).rpartition("/")
                if kind.lower() in ("", "/serviceprincipals"):
                    self._of(principal).assigned.append({**one, "role": role})
        return ()

    def _delegated(self, resources: Resources) -> tuple[()]:
        for one in self._graph.get_all("oauth2PermissionGrants"):
            resource = resources.by_object_id(one["resourceId"])
            scopes = sorted(scope for scope in (one.get("scope") or "").split() if scope.startswith(_OF_MAIL))
            if resource is not None and scopes:
                grant = {"resource": resource.name, "scopes": scopes, "user": one.get("principalId")}
                self._of(one["clientId"]).delegated.append(grant)
        return ()

    def _states(self, senders: Sequence[str]) -> Callable[[], Iterable[Any]]:
        return lambda: read_sender_addresses(self._graph, senders)

    def _applications(self) -> list[Json]:
        """Those that may send, but for Microsoft's own and the one that this sign-in is."""
        sending = {principal: one for principal, one in self._sending.items() if _may_send(one)}
        principals = [
            one
            for one in read_principals(self._graph, more=_PRINCIPAL, id=sending)
            if str(one.get("appOwnerOrganizationId")).lower() != _MICROSOFT and one["appId"].lower() != self._client_id
        ]
        own = [one["appId"] for one in principals if self._is_own(one)]
        details = {one["appId"]: one for one in read_any(self._graph, "applications", {"appId": own}, _APPLICATION)}
        users = self._users([sending[one["id"].lower()] for one in principals])
        told = [self._told(one, sending[one["id"].lower()], details.get(one["appId"]), users) for one in principals]
        return sorted(told, key=lambda one: (str(one["display_name"]), one["app_id"]))

    def _is_own(self, principal: Json) -> bool:
        return bool(str(principal.get("appOwnerOrganizationId")).lower() == self._found["tenant_id"])

    def _users(self, sending: Iterable[_Sending]) -> dict[str, str]:
        """What people and mailboxes are called, by their ids; those that cannot be read keep theirs."""
        ids = {str(grant["user"]).lower() for one in sending for grant in one.delegated if grant["user"]}
        scopes = [str(one.get("directoryScopeId")).lower() for some in sending for one in some.assigned]
        ids |= {scope.removeprefix("/users/") for scope in scopes if scope.startswith("/users/")}
        if not ids:
            return {}
        query = "id,mail,userPrincipalName"
        users = self._part(
            "people", "User.Read.All", lambda: read_any(self._graph, "users", {"id": sorted(ids)}, query)
        )
        return {one["id"].lower(): str(one.get("mail") or one["userPrincipalName"]) for one in users}

    def _told(self, principal: Json, sending: _Sending, application: Json | None, users: Mapping[str, str]) -> Json:
        everybody = bool(_SENDING & {one.rpartition("/")[2] for one in sending.granted})
        scopes = sorted({(one["role"], _place(one, users)) for one in sending.assigned})
        return {
            "app_id": principal["appId"],
            "display_name": principal.get("displayName"),
            "unique_name": (application or {}).get("uniqueName"),
            "own": self._is_own(principal),
            "publisher_tenant_id": principal.get("appOwnerOrganizationId"),
            "publisher": (principal.get("verifiedPublisher") or {}).get("displayName"),
            "permissions": sorted(sending.granted),
            "every_mailbox": everybody or any(place == "/" for _role, place in scopes),
            "scopes": [{"role": role, "place": place} for role, place in scopes],
            "consent": [{**one, "user": _name(one["user"], users)} for one in sending.delegated],
            "credentials": list(_credentials(application or {})),
        }


def _may_send(one: _Sending) -> bool:
    rights = {name.rpartition("/")[2] for name in one.granted}
    rights |= {scope for grant in one.delegated for scope in grant["scopes"]}
    return bool(_SENDING & rights or one.assigned)


def _place(assignment: Json, users: Mapping[str, str]) -> str:
    """What an assignment is limited to: a mailbox where that is known; ``/`` for all of them."""
    scope = str(assignment.get("appScopeId") or assignment.get("directoryScopeId") or "/")
    kind, _slash, one = scope.rpartition("/")
    return users.get(one.lower(), scope) if kind.lower() == "/users" else scope


def _name(user: str | None, users: Mapping[str, str]) -> str | None:
    return None if user is None else users.get(user.lower(), user)


def _credentials(application: Json) -> Iterator[Json]:
    """When secrets and certificates end; their values are not in what Graph tells."""
    for name, kind in (("passwordCredentials", "secret"), ("keyCredentials", "certificate")):
        for one in application.get(name) or []:
            yield {"kind": kind, "name": one.get("displayName"), "ends": one.get("endDateTime")}


def _domain(address: str) -> str | None:
    try:
        return domain_of(address)
    except BadAddress:
        return None
