# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Graph test server takes and gives: names and types of properties, as Microsoft Graph v1.0 declares them.

A test holds this table against the vendor's own description (CSDL). A request with a property that is not in it is
answered as Graph does, with 400; an answer that does not fit it is a fault of the server, and ends the test.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import uuid
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
Shape = dict[str, str]

COMPLEX: dict[str, Shape] = {
    "appRole": {
        "allowedMemberTypes": "Collection(Edm.String)",
        "description": "Edm.String",
        "displayName": "Edm.String",
        "id": "Edm.Guid",
        "isEnabled": "Edm.Boolean",
        "origin": "Edm.String",
        "value": "Edm.String",
    },
    "permissionScope": {
        "adminConsentDescription": "Edm.String",
        "adminConsentDisplayName": "Edm.String",
        "id": "Edm.Guid",
        "isEnabled": "Edm.Boolean",
        "type": "Edm.String",
        "value": "Edm.String",
    },
    "keyCredential": {
        "customKeyIdentifier": "Edm.Binary",
        "displayName": "Edm.String",
        "endDateTime": "Edm.DateTimeOffset",
        "key": "Edm.Binary",
        "keyId": "Edm.Guid",
        "startDateTime": "Edm.DateTimeOffset",
        "type": "Edm.String",
        "usage": "Edm.String",
    },
    "passwordCredential": {
        "customKeyIdentifier": "Edm.Binary",
        "displayName": "Edm.String",
        "endDateTime": "Edm.DateTimeOffset",
        "hint": "Edm.String",
        "keyId": "Edm.Guid",
        "secretText": "Edm.String",
        "startDateTime": "Edm.DateTimeOffset",
    },
    "requiredResourceAccess": {
        "resourceAccess": "Collection(graph.resourceAccess)",
        "resourceAppId": "Edm.String",
    },
    "resourceAccess": {"id": "Edm.Guid", "type": "Edm.String"},
    "verifiedPublisher": {
        "addedDateTime": "Edm.DateTimeOffset",
        "displayName": "Edm.String",
        "verifiedPublisherId": "Edm.String",
    },
    "mailboxSettings": {"userPurpose": "graph.userPurpose"},
    "customAppScopeAttributesDictionary": {"Exclusive": "Edm.Boolean", "RecipientFilter": "Edm.String"},
}
"""The complex types, in the part that is used."""

ENTITIES: dict[str, Shape] = {
    "application": {
        "id": "Edm.String",
        "deletedDateTime": "Edm.DateTimeOffset",
        "appId": "Edm.String",
        "createdDateTime": "Edm.DateTimeOffset",
        "displayName": "Edm.String",
        "keyCredentials": "Collection(graph.keyCredential)",
        "notes": "Edm.String",
        "passwordCredentials": "Collection(graph.passwordCredential)",
        "requiredResourceAccess": "Collection(graph.requiredResourceAccess)",
        "signInAudience": "Edm.String",
        "tags": "Collection(Edm.String)",
        "uniqueName": "Edm.String",
    },
    "servicePrincipal": {
        "id": "Edm.String",
        "deletedDateTime": "Edm.DateTimeOffset",
        "accountEnabled": "Edm.Boolean",
        "appId": "Edm.String",
        "appOwnerOrganizationId": "Edm.Guid",
        "appRoles": "Collection(graph.appRole)",
        "displayName": "Edm.String",
        "oauth2PermissionScopes": "Collection(graph.permissionScope)",
        "servicePrincipalType": "Edm.String",
        "verifiedPublisher": "graph.verifiedPublisher",
    },
    "appRoleAssignment": {
        "id": "Edm.String",
        "deletedDateTime": "Edm.DateTimeOffset",
        "appRoleId": "Edm.Guid",
        "createdDateTime": "Edm.DateTimeOffset",
        "principalDisplayName": "Edm.String",
        "principalId": "Edm.Guid",
        "principalType": "Edm.String",
        "resourceDisplayName": "Edm.String",
        "resourceId": "Edm.Guid",
    },
    "oAuth2PermissionGrant": {
        "id": "Edm.String",
        "clientId": "Edm.String",
        "consentType": "Edm.String",
        "principalId": "Edm.String",
        "resourceId": "Edm.String",
        "scope": "Edm.String",
    },
    "user": {
        "id": "Edm.String",
        "accountEnabled": "Edm.Boolean",
        "displayName": "Edm.String",
        "mail": "Edm.String",
        "mailboxSettings": "graph.mailboxSettings",
        "proxyAddresses": "Collection(Edm.String)",
        "userPrincipalName": "Edm.String",
    },
    "domain": {
        "id": "Edm.String",
        "isDefault": "Edm.Boolean",
        "isInitial": "Edm.Boolean",
        "isVerified": "Edm.Boolean",
        "supportedServices": "Collection(Edm.String)",
    },
    "organization": {"id": "Edm.String", "displayName": "Edm.String"},
    "federatedIdentityCredential": {
        "id": "Edm.String",
        "audiences": "Collection(Edm.String)",
        "description": "Edm.String",
        "issuer": "Edm.String",
        "name": "Edm.String",
        "subject": "Edm.String",
    },
    "group": {
        "id": "Edm.String",
        "displayName": "Edm.String",
        "groupTypes": "Collection(Edm.String)",
        "mail": "Edm.String",
        "mailEnabled": "Edm.Boolean",
        "securityEnabled": "Edm.Boolean",
    },
    "administrativeUnit": {"id": "Edm.String", "description": "Edm.String", "displayName": "Edm.String"},
    "unifiedRoleDefinition": {
        "id": "Edm.String",
        "description": "Edm.String",
        "displayName": "Edm.String",
        "isBuiltIn": "Edm.Boolean",
        "isEnabled": "Edm.Boolean",
        "templateId": "Edm.String",
        "version": "Edm.String",
    },
    "unifiedRoleAssignment": {
        "id": "Edm.String",
        "appScopeId": "Edm.String",
        "directoryScopeId": "Edm.String",
        "principalId": "Edm.String",
        "roleDefinitionId": "Edm.String",
    },
    "customAppScope": {
        "id": "Edm.String",
        "customAttributes": "graph.customAppScopeAttributesDictionary",
        "displayName": "Edm.String",
        "type": "Edm.String",
    },
}
"""The entity types with what they inherit, in the part that is used."""

NOT_IN_SLICE = frozenset(
    {
        "administrativeUnit",
        "customAppScope",
        "customAppScopeAttributesDictionary",
        "federatedIdentityCredential",
        "group",
        "unifiedRoleAssignment",
        "unifiedRoleDefinition",
    }
)
"""What the vendor's description, as it is at hand, leaves out. Those of roles are as Microsoft's pages of Graph beta
show them in their examples of the Exchange Online provider (List and Create unifiedRoleAssignments, List
roleDefinitions, Create customAppScope; read on 2026-11-29)."""

ENUMS = {"userPurpose": ("user", "linked", "shared", "room", "equipment", "others", "unknownFutureValue")}

WRITABLE: dict[str, frozenset[str]] = {
    "application": frozenset(
        {"displayName", "keyCredentials", "notes", "requiredResourceAccess", "signInAudience", "tags"}
    ),
    "servicePrincipal": frozenset({"appId"}),
    "appRoleAssignment": frozenset({"appRoleId", "principalId", "resourceId"}),
    "oAuth2PermissionGrant": frozenset({"clientId", "consentType", "principalId", "resourceId", "scope"}),
    "federatedIdentityCredential": frozenset({"audiences", "description", "issuer", "name", "subject"}),
    "unifiedRoleAssignment": frozenset({"appScopeId", "directoryScopeId", "principalId", "roleDefinitionId"}),
}
"""What a request may set; ``passwordCredentials`` and ``uniqueName`` cannot be set in a body."""


class ShapeError(Exception):
    """A value does not fit the declared shape; the message says where."""


def check_request(kind: str, body: object) -> Json:
    """Judge the body of a request that creates or changes an entity.

    :param kind: one of ``WRITABLE``
    :param body: the decoded JSON
    :returns: the same body
    :raises ShapeError: it is no object, names a property that cannot be set, or a value has the wrong type
    """
    if not isinstance(body, dict):
        raise ShapeError("a JSON object is expected")
    for name in body:
        if name not in WRITABLE[kind]:
            raise ShapeError(f"{kind}.{name} does not exist or cannot be set")
    check_entity(kind, body)
    return body


def check_entity(kind: str, value: Mapping[str, Any]) -> None:
    """Judge an entity, whole or in part; annotations (``@odata...``) and expanded ``owners`` are left aside.

    :raises ShapeError: a property is not declared, or a value has the wrong type
    """
    own = {name: one for name, one in value.items() if "@" not in name and name != "owners"}
    _check_properties(kind, ENTITIES[kind], own)


def check_complex(kind: str, value: object) -> None:
    """Judge a value of a complex type.

    :raises ShapeError: a property is not declared, or a value has the wrong type
    """
    if not isinstance(value, Mapping):
        raise ShapeError(f"{kind}: an object is expected")
    _check_properties(kind, COMPLEX[kind], value)


def _check_properties(kind: str, shape: Shape, value: Mapping[str, Any]) -> None:
    for name, one in value.items():
        if name not in shape:
            raise ShapeError(f"{kind} has no property {name}")
        if one is not None:
            _check_value(f"{kind}.{name}", shape[name], one)


def _check_value(where: str, edm: str, value: Any) -> None:
    if edm.startswith("Collection("):
        if not isinstance(value, list):
            raise ShapeError(f"{where}: a list is expected")
        for one in value:
            _check_value(where, edm.removeprefix("Collection(").removesuffix(")"), one)
    elif edm.startswith("graph."):
        name = edm.removeprefix("graph.")
        if name in ENUMS:
            _demand(where, edm, value in ENUMS[name])
        else:
            check_complex(name, value)
    else:
        _demand(where, edm, _PRIMITIVE[edm](value))


def _demand(where: str, edm: str, fits: bool) -> None:
    if not fits:
        raise ShapeError(f"{where}: {edm} is expected")


def _is_guid(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_binary(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(base64.b64decode(value, validate=True))
    except binascii.Error:
        return False


_PRIMITIVE = {
    "Edm.String": lambda value: isinstance(value, str),
    "Edm.Boolean": lambda value: isinstance(value, bool),
    "Edm.Guid": _is_guid,
    "Edm.DateTimeOffset": _is_time,
    "Edm.Binary": _is_binary,
}
