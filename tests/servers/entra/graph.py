# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph of the test tenant, v1.0 and the one part of beta that is used: which request is answered by what."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ansible_collections.mailroom.erp.tests.servers.entra import (
    applications,
    exchange,
    mail,
    odata,
    people,
    principals,
)
from ansible_collections.mailroom.erp.tests.servers.entra.call import Answer, Call

_ID = r"([\w.-]+)"
_KEY = r"'((?:[^']|'')+)'"
ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", rf"applications\((uniqueName|appId)={_KEY}\)", applications.get_application_by),
    ("PATCH", rf"applications\(uniqueName={_KEY}\)", applications.upsert_application),
    ("GET", "applications", applications.list_applications),
    ("GET", rf"applications/{_ID}", applications.get_application),
    ("PATCH", rf"applications/{_ID}", applications.patch_application),
    ("DELETE", rf"applications/{_ID}", applications.delete_application),
    ("POST", rf"applications/{_ID}/addPassword", applications.add_password),
    ("POST", rf"applications/{_ID}/removePassword", applications.remove_password),
    ("GET", rf"applications/{_ID}/owners", applications.list_owners),
    ("POST", rf"applications/{_ID}/owners/\$ref", applications.add_owner),
    ("DELETE", rf"applications/{_ID}/owners/{_ID}/\$ref", applications.remove_owner),
    ("GET", rf"applications/{_ID}/federatedIdentityCredentials", applications.list_federated),
    ("POST", rf"applications/{_ID}/federatedIdentityCredentials", applications.add_federated),
    ("PATCH", rf"applications/{_ID}/federatedIdentityCredentials/{_ID}", applications.patch_federated),
    ("DELETE", rf"applications/{_ID}/federatedIdentityCredentials/{_ID}", applications.delete_federated),
    ("GET", rf"applications/{_ID}/appManagementPolicies", applications.list_policies),
    ("GET", "policies/defaultAppManagementPolicy", applications.get_default_policy),
    ("GET", "servicePrincipals", principals.list_principals),
    ("POST", "servicePrincipals", principals.add_principal),
    ("GET", rf"servicePrincipals/{_ID}", principals.get_principal),
    ("DELETE", rf"servicePrincipals/{_ID}", principals.delete_principal),
    ("GET", rf"servicePrincipals/{_ID}/appRoleAssignments", principals.list_assignments),
    ("POST", rf"servicePrincipals/{_ID}/appRoleAssignments", principals.add_assignment),
    ("GET", rf"servicePrincipals/{_ID}/appRoleAssignedTo", principals.list_assigned),
    ("DELETE", rf"servicePrincipals/{_ID}/appRoleAssignments/{_ID}", principals.delete_assignment),
    ("GET", "oauth2PermissionGrants", principals.list_grants),
    ("POST", "oauth2PermissionGrants", principals.add_grant),
    ("PATCH", rf"oauth2PermissionGrants/{_ID}", principals.patch_grant),
    ("DELETE", rf"oauth2PermissionGrants/{_ID}", principals.delete_grant),
    ("GET", "users", people.list_users),
    ("GET", rf"users/{_ID}/mailboxSettings", people.get_mailbox_settings),
    ("POST", r"users/([\w.@+-]+)/sendMail", mail.send_mail),
    ("GET", "domains", people.list_domains),
    ("GET", "organization", people.get_organization),
    ("GET", r"directory/deletedItems/microsoft\.graph\.(application|servicePrincipal)", people.list_deleted),
    ("POST", rf"directory/deletedItems/{_ID}/restore", people.restore),
    ("GET", "groups", exchange.list_groups),
    ("GET", rf"groups/{_ID}", exchange.get_group),
    ("GET", rf"groups/{_ID}/members", exchange.list_group_members),
    ("GET", "directory/administrativeUnits", exchange.list_units),
    ("GET", rf"directory/administrativeUnits/{_ID}", exchange.get_unit),
    ("GET", rf"directory/administrativeUnits/{_ID}/members", exchange.list_unit_members),
)

_ROLES = "roleManagement/exchange"
BETA_ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", f"{_ROLES}/roleDefinitions", exchange.list_definitions),
    ("GET", rf"{_ROLES}/roleDefinitions/{_ID}", exchange.get_definition),
    ("GET", f"{_ROLES}/roleAssignments", exchange.list_assignments),
    ("POST", f"{_ROLES}/roleAssignments", exchange.add_assignment),
    ("DELETE", rf"{_ROLES}/roleAssignments/{_ID}", exchange.delete_assignment),
    ("GET", f"{_ROLES}/customAppScopes", exchange.list_custom_scopes),
    ("GET", rf"{_ROLES}/customAppScopes/{_ID}", exchange.get_custom_scope),
)
"""What is in Graph beta alone; nothing else of beta is answered, so that nothing else can come to be used."""


def answer(call: Call, method: str, path: str, *, beta: bool = False) -> Answer:
    """Do what one request asks for.

    :param path: without the version and without the query, decoded
    :param beta: whether it came to Graph beta
    :returns: the status and the body
    :raises GraphFault: the answer is an error
    """
    for verb, pattern, handler in BETA_ROUTES if beta else ROUTES:
        found = re.fullmatch(pattern, path)
        if verb == method and found:
            arguments: list[Any] = [one.replace("''", "'") for one in found.groups()]
            return handler(call, *arguments)
    raise odata.GraphFault(400, "BadRequest", f"Resource not found for the segment '{path}'.")
