# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tenant's directory: what is in it, and what a reader sees of it while a write is on its way to every replica."""

from __future__ import annotations

import base64
import copy
import datetime
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.tests.servers.entra.shapes import Json

GRAPH = "00000003-0000-0000-c000-000000000000"
EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
PUBLISHER = "99999999-8888-7777-6666-555555555555"
"""The tenant of a vendor, whose application asks for consent."""
MICROSOFT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
"""The tenant that owns Microsoft's own applications."""

GRAPH_ROLES = {
    "Mail.Send": "b633e1c5-b582-4048-a93e-9f11b44c7e96",
    "Mail.ReadWrite": "e2a3a72e-5f79-4c64-b1b1-878b674786c9",
    "Mail.Read": "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
    "MailboxSettings.Read": "40f97065-369a-49f4-947c-6a255697ae91",
    "Policy.Read.All": "246dd0d5-5bd0-4def-940b-0421030a5b68",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "Domain.Read.All": "dbb9058a-0e50-45d7-ae91-66909b5d4664",
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "DelegatedPermissionGrant.ReadWrite.All": "8e8e4742-1d95-4f68-9d56-6ee75648c72a",
    "RoleManagement.Read.Exchange": "c769435f-f061-4d0b-8ff1-3d39870e5f85",
    "RoleManagement.ReadWrite.Exchange": "025d3225-3f02-4882-b4c0-cd5b541a4e80",
    "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    "AdministrativeUnit.Read.All": "134fd756-38ce-4afd-ba33-e9623dbe66c2",
}
"""Application permissions of Microsoft Graph with their real ids [Microsoft Graph permissions reference]."""

EXCHANGE_ROLES = {
    "SMTP.SendAsApp": "7146a1f0-8703-45b3-9eae-527a64c00995",
    "IMAP.AccessAsApp": "5e5addcd-3e8d-4e90-baf5-964efab2b20a",
    "full_access_as_app": "dc890d15-9560-4a4c-9b7f-a736ec74ec40",
}
"""Application permissions of Office 365 Exchange Online, with the ids that they have in public code."""

GRAPH_SCOPES = {
    "Mail.Send": "e383f46e-2787-4529-855e-0e479a3ffac0",
    "SMTP.Send": "258f6531-6087-4cc4-bb90-092c5fb3ed3f",
    "User.Read": "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
    "offline_access": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
}
"""Delegated permissions of Microsoft Graph."""

MANAGEMENT_ROLES = {
    "Address Lists": "7224da60-d8e2-4f45-9380-8e4fda64e133",
    "Application Exchange Full Access": "0a5c8e0e-0000-4000-8000-000000000001",
    "Application Mail Full Access": "0a5c8e0e-0000-4000-8000-000000000002",
    "Application Mail.Read": "0a5c8e0e-0000-4000-8000-000000000003",
    "Application Mail.ReadWrite": "0a5c8e0e-0000-4000-8000-000000000004",
    "Application Mail.Send": "0a5c8e0e-0000-4000-8000-000000000005",
    "Application SMTP.SendAsApp": "0a5c8e0e-0000-4000-8000-000000000006",
}
"""Some roles of Exchange Online [Role Based Access Control for Applications in Exchange Online]. Only the first id is
Microsoft's, from the page "List roleDefinitions"; the others are in no description."""

TABLES = (
    "applications",
    "servicePrincipals",
    "appRoleAssignments",
    "oauth2PermissionGrants",
    "users",
    "domains",
    "federated",
    "deletedApplications",
    "deletedServicePrincipals",
    "groups",
    "administrativeUnits",
    "roleDefinitions",
    "roleAssignments",
    "customAppScopes",
)


def now() -> str:
    """The present time as Graph writes it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class State:
    """Everything that can change: one table per kind of object, each from object id to its properties.

    ``owners`` is application id to the ids of its owners; federated credentials carry the id of their application in
    ``_application``, groups and units the ids of their direct members in ``_members``.
    """

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Json]] = {name: {} for name in TABLES}
        self.owners: dict[str, list[str]] = {}

    def __getitem__(self, table: str) -> dict[str, Json]:
        return self.tables[table]

    def find(self, table: str, **properties: Any) -> list[Json]:
        """The objects whose properties have these values, letter case aside."""
        wanted = {name: folded(value) for name, value in properties.items()}
        return [
            one
            for one in self.tables[table].values()
            if all(folded(one.get(name)) == value for name, value in wanted.items())
        ]


class Directory:
    """The truth of one tenant, and older states of it for readers that lag behind."""

    def __init__(self, tenant_id: str, domains: Iterable[str] = ("acme.example",)) -> None:
        self.tenant_id = tenant_id
        self.truth = State()
        self.secrets: dict[str, str] = {}
        """The values of client secrets, by keyId. Nothing reads them but the sign-in."""
        self.sent: list[bytes] = []
        """The messages that sendMail has taken, the oldest first."""
        self.deliver: Callable[[bytes], None] = lambda content: None
        """What carries them on, as Exchange would."""
        self.vendors: dict[str, Json] = {}
        self.default_policy: Json = {}
        """What differs from an app management policy that is off."""
        self.own_policies: dict[str, list[Json]] = {}
        """App management policies of single applications, by object id."""
        """Applications of other tenants, by appId, which a service principal may be made of."""
        for app_id, name, roles, scopes in (
            (GRAPH, "Microsoft Graph", GRAPH_ROLES, GRAPH_SCOPES),
            (EXCHANGE, "Office 365 Exchange Online", EXCHANGE_ROLES, {}),
        ):
            self._add_principal({"appId": app_id, "displayName": name, "tenant": MICROSOFT}, roles, scopes)
        for name, role_id in MANAGEMENT_ROLES.items():
            self.truth["roleDefinitions"][role_id] = _management_role(name, role_id)
        for number, name in enumerate(["acme.onmicrosoft.example", *domains]):
            self.add_domain(name, initial=number == 0)
        self.minutes = 0.0
        """The time of this tenant, which passes only when a test says so."""
        self.effect_minutes = 0.0
        """How long Exchange goes on with what it knew before a role was assigned."""
        self._versions: list[tuple[int, State]] = [(-(10**9), copy.deepcopy(self.truth))]

    def commit(self, tick: int) -> None:
        """Keep the present truth as the state that readers see once it has reached them.

        :param tick: the number of the request that wrote
        """
        self._versions.append((tick, copy.deepcopy(self.truth)))

    def seen(self, tick: int, lag: int) -> State:
        """What a reader sees.

        :param tick: the number of the request that reads
        :param lag: by how many requests reads are behind writes
        """
        return next(state for written, state in reversed(self._versions) if written + lag <= tick)

    def settle(self) -> None:
        """Let readers see the truth, also what a test has just put into it."""
        self._versions = [(-(10**9), copy.deepcopy(self.truth))]

    # --- what tests put into it ---

    def add_domain(self, name: str, *, verified: bool = True, initial: bool = False) -> None:
        properties = {
            "isInitial": initial,
            "isDefault": initial,
            "isVerified": verified,
            "supportedServices": ["Email"],
        }
        self.truth["domains"][name] = {"id": name, **properties}

    def add_user(self, address: str, *aliases: str, purpose: str | None = "user", enabled: bool = True) -> Json:
        """A person or a mailbox.

        :param aliases: more addresses of it
        :param purpose: ``mailboxSettings.userPurpose``; None for an account without a mailbox
        :param enabled: whether it may sign in; a shared mailbox usually may not
        """
        addresses = [f"SMTP:{address}", *(f"smtp:{alias}" for alias in aliases)] if purpose else []
        user: Json = {
            "id": str(uuid.uuid4()),
            "accountEnabled": enabled,
            "displayName": address.partition("@")[0],
            "mail": address if purpose else None,
            "proxyAddresses": addresses,
            "userPrincipalName": address,
            "mailboxSettings": {"userPurpose": purpose} if purpose else None,
        }
        self.truth["users"][user["id"]] = user
        return user

    def add_group(self, name: str, *members: Json, mail: bool = True, unified: bool = False) -> Json:
        """A group of Entra.

        :param members: users, groups and so on, as the other ``add_`` functions give them
        :param mail: whether it has an address; a security group alone has none
        :param unified: whether it is a group of Microsoft 365
        """
        group: Json = {
            "id": str(uuid.uuid4()),
            "displayName": name,
            "groupTypes": ["Unified"] if unified else [],
            "mail": f"{name}@acme.example" if mail else None,
            "mailEnabled": mail,
            "securityEnabled": not unified,
            "_members": [one["id"] for one in members],
        }
        self.truth["groups"][group["id"]] = group
        return group

    def add_unit(self, name: str, *members: Json) -> Json:
        """An administrative unit with these members."""
        unit: Json = {"id": str(uuid.uuid4()), "displayName": name, "description": None}
        unit["_members"] = [one["id"] for one in members]
        self.truth["administrativeUnits"][unit["id"]] = unit
        return unit

    def add_custom_scope(self, name: str, recipients: str, *, exclusive: bool = False) -> Json:
        """A management scope of Exchange.

        :param recipients: its filter
        """
        attributes = {"Exclusive": exclusive, "RecipientFilter": recipients}
        scope: Json = {"id": str(uuid.uuid4()), "displayName": name, "type": "RecipientScope"}
        scope["customAttributes"] = attributes
        self.truth["customAppScopes"][scope["id"]] = scope
        return scope

    def add_vendor(self, name: str, tenant_id: str, *, verified: str | None = None, app_id: str | None = None) -> str:
        """An application of another company, known to Entra but not yet to this tenant.

        :param verified: the display name of its verified publisher
        :param app_id: a new one unless given
        :returns: its appId
        """
        app_id = app_id or str(uuid.uuid4())
        publisher = {"displayName": verified, "verifiedPublisherId": "7654321" if verified else None}
        self.vendors[app_id] = {"appId": app_id, "displayName": name, "tenant": tenant_id, "publisher": publisher}
        return app_id

    def add_client(self, name: str, roles: Iterable[str]) -> tuple[str, str]:
        """An application with a service principal, a secret, and application permissions of Microsoft Graph.

        :returns: its appId and its secret
        """
        application = self.new_application({"displayName": name}, None, [])
        principal = self.new_principal(application["appId"])
        graph = self.truth.find("servicePrincipals", appId=GRAPH)[0]
        for role in roles:
            self.assign(principal, graph, GRAPH_ROLES[role])
        _credential, value = self.new_secret(application["id"], {"displayName": "first"})
        self.settle()
        return application["appId"], value

    # --- what the service makes ---

    def new_application(self, body: Mapping[str, Any], unique_name: str | None, owners: list[str]) -> Json:
        application: Json = {
            "id": str(uuid.uuid4()),
            "deletedDateTime": None,
            "appId": str(uuid.uuid4()),
            "createdDateTime": now(),
            "displayName": None,
            "notes": None,
            "signInAudience": "AzureADMyOrg",
            "uniqueName": unique_name,
            "requiredResourceAccess": [],
            "keyCredentials": [],
            "passwordCredentials": [],
            "tags": [],
            **body,
        }
        self.truth["applications"][application["id"]] = application
        self.truth.owners[application["id"]] = owners
        return application

    def new_principal(self, app_id: str) -> Json:
        """:raises KeyError: there is no such application"""
        found = self.truth.find("applications", appId=app_id)
        own = {**found[0], "tenant": self.tenant_id} if found else self.vendors[app_id]
        return self._add_principal(own, {}, {})

    def assign(self, principal: Json, resource: Json, role_id: str) -> Json:
        assignment: Json = {
            "id": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="),
            "deletedDateTime": None,
            "appRoleId": role_id,
            "createdDateTime": now(),
            "principalDisplayName": principal["displayName"],
            "principalId": principal["id"],
            "principalType": "ServicePrincipal",
            "resourceDisplayName": resource["displayName"],
            "resourceId": resource["id"],
        }
        self.truth["appRoleAssignments"][assignment["id"]] = assignment
        return assignment

    def assign_role(self, principal_id: str, role_id: str, directory_scope: str | None, app_scope: str | None) -> Json:
        """An assignment of a role of Exchange to a service principal."""
        assignment: Json = {
            "id": str(uuid.uuid4()),
            "appScopeId": app_scope,
            "directoryScopeId": directory_scope,
            "principalId": f"/ServicePrincipals/{principal_id}",
            "roleDefinitionId": role_id,
            "_made": self.minutes,
        }
        self.truth["roleAssignments"][assignment["id"]] = assignment
        return assignment

    def assign_mailbox(self, principal: Json, address: str) -> None:
        """Let an application send from a mailbox, by Exchange's role."""
        (user,) = [one for one in self.truth["users"].values() if one["userPrincipalName"] == address]
        role_id = MANAGEMENT_ROLES["Application Mail.Send"]
        self.assign_role(principal["id"], role_id, f"/Users/{user['id']}", None)

    def may_act(self, app_id: str, user: Json, permission: str = "Mail.Send") -> bool:
        """Whether an application may do something in a mailbox: what the tenant has granted and what Exchange has
        assigned add up; the latter only when it is as old as ``effect_minutes``."""
        truth = self.truth
        for principal in truth.find("servicePrincipals", appId=app_id):
            names = {
                role["id"]: role["value"] for one in truth["servicePrincipals"].values() for role in one["appRoles"]
            }
            held = truth.find("appRoleAssignments", principalId=principal["id"])
            role_id = MANAGEMENT_ROLES[f"Application {permission}"]
            assigned = truth.find(
                "roleAssignments", principalId=f"/ServicePrincipals/{principal['id']}", roleDefinitionId=role_id
            )
            old = [one for one in assigned if self.minutes - one["_made"] >= self.effect_minutes]
            if permission in [names[one["appRoleId"]] for one in held] or any(self._covers(one, user) for one in old):
                return True
        return False

    def _covers(self, assignment: Json, user: Json) -> bool:
        scope = str(assignment["directoryScopeId"]).casefold()
        places = [one for table in ("groups", "administrativeUnits") for one in self.truth[table].values()]
        holders = [one["id"] for one in places if user["id"] in one["_members"]]
        return scope == "/" or scope.rpartition("/")[2] in [user["id"], *holders]

    def new_secret(self, object_id: str, given: Mapping[str, Any]) -> tuple[Json, str]:
        """A client secret; without dates it is valid for two years, as Graph makes it."""
        value = secrets.token_urlsafe(30)
        start = given.get("startDateTime") or now()
        end = datetime.datetime.fromisoformat(start) + datetime.timedelta(days=730)
        credential: Json = {
            "customKeyIdentifier": None,
            "displayName": given.get("displayName"),
            "startDateTime": start,
            "endDateTime": given.get("endDateTime") or end.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "hint": value[:3],
            "keyId": str(uuid.uuid4()),
            "secretText": None,
        }
        self.truth["applications"][object_id]["passwordCredentials"].append(credential)
        self.secrets[credential["keyId"]] = value
        return credential, value

    def delete_application(self, object_id: str) -> None:
        """Both the application and its service principal can be restored for 30 days."""
        truth = self.truth
        application = truth["applications"].pop(object_id)
        truth["deletedApplications"][object_id] = {**application, "deletedDateTime": now()}
        for principal in truth.find("servicePrincipals", appId=application["appId"]):
            self.delete_principal(principal["id"])

    def delete_principal(self, object_id: str) -> None:
        principal = self.truth["servicePrincipals"].pop(object_id)
        self.truth["deletedServicePrincipals"][object_id] = {**principal, "deletedDateTime": now()}
        for assignment in self.truth.find("roleAssignments", principalId=f"/ServicePrincipals/{object_id}"):
            del self.truth["roleAssignments"][assignment["id"]]

    def restore(self, object_id: str) -> tuple[str, Json]:
        """:returns: the kind of the object and the object
        :raises KeyError: nothing of this id has been deleted"""
        for kind, table in (("application", "applications"), ("servicePrincipal", "servicePrincipals")):
            deleted = self.truth[f"deleted{table[0].upper()}{table[1:]}"]
            if object_id in deleted:
                self.truth[table][object_id] = {**deleted.pop(object_id), "deletedDateTime": None}
                return kind, self.truth[table][object_id]
        raise KeyError(object_id)

    def _add_principal(self, of: Mapping[str, Any], roles: Mapping[str, str], scopes: Mapping[str, str]) -> Json:
        principal: Json = {
            "id": str(uuid.uuid4()),
            "deletedDateTime": None,
            "accountEnabled": True,
            "appId": of["appId"],
            "appOwnerOrganizationId": of["tenant"],
            "displayName": of["displayName"],
            "servicePrincipalType": "Application",
            "verifiedPublisher": of.get("publisher") or {"displayName": None, "verifiedPublisherId": None},
            "appRoles": [_role(name, role_id) for name, role_id in roles.items()],
            "oauth2PermissionScopes": [_scope(name, scope_id) for name, scope_id in scopes.items()],
        }
        self.truth["servicePrincipals"][principal["id"]] = principal
        return principal


def _role(name: str, role_id: str) -> Json:
    return {"id": role_id, "value": name, "displayName": name, "isEnabled": True, "allowedMemberTypes": ["Application"]}


def _management_role(name: str, role_id: str) -> Json:
    told = {"description": f"This role enables {name}.", "isBuiltIn": True, "isEnabled": True, "templateId": None}
    return {"id": role_id, "displayName": name, "version": "0.12 (14.0.451.0)", **told}


def _scope(name: str, scope_id: str) -> Json:
    return {"id": scope_id, "value": name, "adminConsentDisplayName": name, "isEnabled": True, "type": "User"}


def folded(value: object) -> object:
    """A value as Graph compares it: text without case."""
    return value.casefold() if isinstance(value, str) else value
