# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service principals of the test tenant, and what has been granted to them."""

from __future__ import annotations

import uuid

from ansible_collections.mailroom.erp.tests.servers.entra.call import (
    ASSIGN,
    CONSENT,
    OWN_APPLICATIONS,
    READ_APPLICATIONS,
    READ_CONSENT,
    Answer,
    Call,
)
from ansible_collections.mailroom.erp.tests.servers.entra.odata import absent, bad, taken
from ansible_collections.mailroom.erp.tests.servers.entra.shapes import Json


def list_principals(call: Call) -> Answer:
    call.need(READ_APPLICATIONS)
    return call.collection("servicePrincipal", list(call.state["servicePrincipals"].values()))


def get_principal(call: Call, object_id: str) -> Answer:
    call.need(READ_APPLICATIONS)
    return call.entity("servicePrincipal", call.seen("servicePrincipals", object_id))


def add_principal(call: Call) -> Answer:
    call.need(OWN_APPLICATIONS)
    app_id = str(call.request("servicePrincipal").get("appId"))
    known = call.state.find("applications", appId=app_id) or app_id in call.directory.vendors
    if not known:
        raise bad(f"The appId '{app_id}' of the service principal does not reference a valid application object.")
    if call.truth.find("servicePrincipals", appId=app_id):
        raise taken(
            f"The service principal cannot be created because the service principal name {app_id} is already in use."
        )
    call.wrote = True
    return call.entity("servicePrincipal", call.directory.new_principal(app_id), 201)


def delete_principal(call: Call, object_id: str) -> Answer:
    call.need(OWN_APPLICATIONS)
    call.principal(object_id)
    call.wrote = True
    call.directory.delete_principal(object_id)
    return 204, None


def list_assignments(call: Call, object_id: str) -> Answer:
    call.need(READ_APPLICATIONS)
    call.seen("servicePrincipals", object_id)
    return call.collection("appRoleAssignment", call.state.find("appRoleAssignments", principalId=object_id))


def list_assigned(call: Call, object_id: str) -> Answer:
    """What an API has granted, to whom."""
    call.need(READ_APPLICATIONS)
    call.seen("servicePrincipals", object_id)
    return call.collection("appRoleAssignment", call.state.find("appRoleAssignments", resourceId=object_id))


def add_assignment(call: Call, object_id: str) -> Answer:
    call.need(ASSIGN)
    principal = call.principal(object_id)
    body = call.request("appRoleAssignment")
    resource = call.truth["servicePrincipals"].get(str(body.get("resourceId")))
    if resource is None or body.get("principalId") != object_id:
        raise bad("Not a valid reference update.")
    if body.get("appRoleId") not in [role["id"] for role in resource["appRoles"]]:
        raise bad("Permission being assigned was not found on application.")
    wanted = {"principalId": object_id, "resourceId": resource["id"], "appRoleId": body["appRoleId"]}
    if call.truth.find("appRoleAssignments", **wanted):
        raise bad("Permission being assigned already exists on the object")
    call.wrote = True
    return call.entity("appRoleAssignment", call.directory.assign(principal, resource, body["appRoleId"]), 201)


def delete_assignment(call: Call, object_id: str, assignment: str) -> Answer:
    call.need(ASSIGN)
    call.principal(object_id)
    return call.delete("appRoleAssignments", assignment)


def list_grants(call: Call) -> Answer:
    call.need(READ_CONSENT)
    return call.collection("oAuth2PermissionGrant", list(call.state["oauth2PermissionGrants"].values()))


def add_grant(call: Call) -> Answer:
    call.need(CONSENT)
    body = call.request("oAuth2PermissionGrant")
    call.principal(str(body.get("clientId")))
    call.principal(str(body.get("resourceId")))
    if (body.get("consentType") == "Principal") != bool(body.get("principalId")):
        raise bad("principalId must be set exactly when consentType is Principal.")
    if body.get("principalId") and body["principalId"] not in call.truth["users"]:
        raise absent(str(body["principalId"]))
    key = {name: body.get(name) for name in ("clientId", "consentType", "principalId", "resourceId")}
    if call.truth.find("oauth2PermissionGrants", **key):
        raise taken("Permission entry already exists.")
    call.wrote = True
    made: Json = {"id": uuid.uuid4().hex, **key, "scope": body.get("scope")}
    call.truth["oauth2PermissionGrants"][made["id"]] = made
    return call.entity("oAuth2PermissionGrant", made, 201)


def patch_grant(call: Call, object_id: str) -> Answer:
    call.need(CONSENT)
    body = call.request("oAuth2PermissionGrant")
    call.seen("oauth2PermissionGrants", object_id)
    changed = call.held("oauth2PermissionGrants", object_id)
    if set(body) != {"scope"}:
        raise bad("Only scope can be changed.")
    call.wrote = True
    changed.update(body)
    return 204, None


def delete_grant(call: Call, object_id: str) -> Answer:
    call.need(CONSENT)
    return call.delete("oauth2PermissionGrants", object_id)
