# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications of the test tenant: found, made, changed, deleted; their secrets, keys and owners."""

from __future__ import annotations

import uuid

from ansible_collections.mailroom.erp.tests.servers.entra import odata
from ansible_collections.mailroom.erp.tests.servers.entra.call import (
    OWN_APPLICATIONS,
    READ_APPLICATIONS,
    READ_POLICIES,
    Answer,
    Call,
)
from ansible_collections.mailroom.erp.tests.servers.entra.odata import absent, bad, taken
from ansible_collections.mailroom.erp.tests.servers.entra.shapes import Json, ShapeError, check_complex


def readable(application: Json, *, with_keys: bool = False) -> Json:
    """An application as it is read: public keys are shown only when one application's are asked for by name."""
    keys = []
    for one in application["keyCredentials"]:
        shown = {name: value for name, value in one.items() if not name.startswith("_")}
        keys.append({**shown, "key": one["_key"] if with_keys else None})
    return {**application, "keyCredentials": keys}


def _one_application(call: Call, one: Json | None, name: str) -> Answer:
    call.need(READ_APPLICATIONS)
    if one is None:
        raise absent(name)
    with_keys = "keyCredentials" in call.query.get("$select", "")
    status, shown = call.entity("application", readable(one, with_keys=with_keys))
    if call.query.get("$expand") == "owners" and shown is not None:
        shown["owners"] = [
            {"@odata.type": "#microsoft.graph.servicePrincipal", "id": owner}
            for owner in call.state.owners.get(one["id"], [])[:20]
        ]
    return status, shown


def get_application(call: Call, object_id: str) -> Answer:
    return _one_application(call, call.state["applications"].get(object_id), object_id)


def get_application_by(call: Call, key: str, value: str) -> Answer:
    found = call.state.find("applications", **{key: value})
    return _one_application(call, found[0] if found else None, value)


def list_applications(call: Call) -> Answer:
    call.need(READ_APPLICATIONS)
    return call.collection("application", [readable(one) for one in call.state["applications"].values()])


def get_default_policy(call: Call) -> Answer:
    """The policy of the tenant always exists, and is off unless somebody turned it on."""
    call.need(READ_POLICIES)
    return 200, {"id": "0" * 8, "isEnabled": False, **call.directory.default_policy}


def list_policies(call: Call, object_id: str) -> Answer:
    """The policies of an application, instead of the tenant's; at most one."""
    call.need(READ_POLICIES)
    return 200, {"value": list(call.directory.own_policies.get(object_id, []))}


def upsert_application(call: Call, name: str) -> Answer:
    call.need(OWN_APPLICATIONS)
    body = call.request("application")
    found = call.truth.find("applications", uniqueName=name)
    if found:
        call.application(found[0]["id"])
        return _change_application(call, found[0], body)
    if call.headers.get("Prefer") != "create-if-missing":
        raise absent(name)
    if not body.get("displayName"):
        raise bad("Property 'displayName' is required.")
    if call.truth.find("deletedApplications", uniqueName=name):
        raise taken("uniqueName is held by a deleted object.")
    call.wrote = True
    made = call.directory.new_application({}, name, [call.caller] if call.caller else [])
    _change_application(call, made, body)
    return call.entity("application", readable(made), 201)


def patch_application(call: Call, object_id: str) -> Answer:
    application = call.application(object_id)
    return _change_application(call, application, call.request("application"))


def _change_application(call: Call, application: Json, body: Json) -> Answer:
    call.wrote = True
    if "keyCredentials" in body:
        body = {**body, "keyCredentials": _new_keys(application["keyCredentials"], body["keyCredentials"])}
    application.update(body)
    for principal in call.truth.find("servicePrincipals", appId=application["appId"]):
        principal["displayName"] = application["displayName"]
    return 204, None


def _new_keys(held: list[Json], given: list[Json]) -> list[Json]:
    """The whole list is replaced: one with a key is new, one without must be there already."""
    known = {one["keyId"]: one for one in held}
    result = []
    for one in given:
        if one.get("key"):
            if one.get("keyId") in known:
                raise bad("Update to existing credential with KeyId is not allowed.")
            if one.get("usage") not in ("Sign", "Verify"):
                raise bad("The value for the property usage in one of your credentials is invalid.")
            kept = {name: value for name, value in one.items() if name != "key"}
            result.append({"keyId": str(uuid.uuid4()), **kept, "_key": one["key"]})
        elif one.get("keyId") in known:
            result.append(known[one["keyId"]])
        else:
            raise bad("New key credentials must have their key.")
    return result


def delete_application(call: Call, object_id: str) -> Answer:
    call.application(object_id)
    call.wrote = True
    call.directory.delete_application(object_id)
    return 204, None


def add_password(call: Call, object_id: str) -> Answer:
    call.application(object_id)
    given = (call.body or {}).get("passwordCredential") or {} if isinstance(call.body, dict) else {}
    try:
        check_complex("passwordCredential", given)
    except ShapeError as error:
        raise bad(str(error)) from error
    call.wrote = True
    credential, value = call.directory.new_secret(object_id, given)
    return 200, {**credential, "secretText": value}


def remove_password(call: Call, object_id: str) -> Answer:
    application = call.application(object_id)
    key_id = call.body.get("keyId") if isinstance(call.body, dict) else None
    left = [one for one in application["passwordCredentials"] if one["keyId"] != key_id]
    if len(left) == len(application["passwordCredentials"]):
        raise bad("No password credential found with keyId.")
    call.wrote = True
    application["passwordCredentials"] = left
    return 204, None


def list_owners(call: Call, object_id: str) -> Answer:
    call.need(READ_APPLICATIONS)
    call.seen("applications", object_id)
    owners = [{"id": owner} for owner in call.state.owners.get(object_id, [])]
    return 200, odata.page(owners, call.query, call.page_size, call.url)


def add_owner(call: Call, object_id: str) -> Answer:
    call.application(object_id)
    reference = str((call.body or {}).get("@odata.id", "")) if isinstance(call.body, dict) else ""
    owner = reference.rpartition("/")[2]
    if owner not in call.truth["users"] and owner not in call.truth["servicePrincipals"]:
        raise absent(owner)
    if owner in call.truth.owners[object_id]:
        raise bad("One or more added object references already exist for the following modified properties: 'owners'.")
    call.wrote = True
    call.truth.owners[object_id].append(owner)
    return 204, None


def remove_owner(call: Call, object_id: str, owner: str) -> Answer:
    call.application(object_id)
    if owner not in call.truth.owners[object_id]:
        raise absent(owner)
    call.wrote = True
    call.truth.owners[object_id].remove(owner)
    return 204, None


def list_federated(call: Call, object_id: str) -> Answer:
    call.need(READ_APPLICATIONS)
    call.seen("applications", object_id)
    return call.collection("federatedIdentityCredential", call.state.find("federated", _application=object_id))


def add_federated(call: Call, object_id: str) -> Answer:
    call.application(object_id)
    body = call.request("federatedIdentityCredential")
    if call.truth.find("federated", _application=object_id, name=body.get("name")):
        raise taken("FederatedIdentityCredential name exists.")
    same = call.truth.find("federated", _application=object_id, issuer=body.get("issuer"), subject=body.get("subject"))
    if same:
        raise taken("Issuer and subject must be unique.")
    call.wrote = True
    made: Json = {"id": str(uuid.uuid4()), "description": None, **body, "_application": object_id}
    call.truth["federated"][made["id"]] = made
    return call.entity("federatedIdentityCredential", made, 201)


def patch_federated(call: Call, object_id: str, credential: str) -> Answer:
    call.application(object_id)
    body = call.request("federatedIdentityCredential")
    changed = call.held("federated", credential)
    if "name" in body:
        raise bad("Property 'name' is read-only.")
    call.wrote = True
    changed.update(body)
    return 204, None


def delete_federated(call: Call, object_id: str, credential: str) -> Answer:
    call.application(object_id)
    return call.delete("federated", credential)
