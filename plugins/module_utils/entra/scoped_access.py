# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whether an application keeps its rights for some mailboxes when the whole tenant no longer grants them."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import SCOPED_ROLES
from ansible_collections.mailroom.erp.plugins.module_utils.entra.exchange_roles import (
    read_role_assignments,
    read_role_ids,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.grants import Permission
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Json
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.plugins.module_utils.entra.mail_scope import permission_of
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration_plan import WantedRegistration
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused


def check_scoped(
    graph: Graph, wanted: WantedRegistration, principal: Json, permissions: Iterable[Permission]
) -> list[str]:
    """See that Exchange has granted for some mailboxes what is about to be taken away from the whole tenant.

    :param graph: the tenant's Microsoft Graph
    :param wanted: the application as it was declared
    :param principal: its service principal
    :param permissions: what is about to be taken away
    :returns: a warning when this sign-in cannot see it
    :raises Refused: Exchange has granted none for a permission, so the application would send from no mailbox
    :raises GraphError: it cannot be read for another reason than a missing right
    """
    roles = {role: one for role in SCOPED_ROLES for one in permissions if _is(permission_of(role), one)}
    try:
        ids = read_role_ids(graph, roles)
        held = {one["roleDefinitionId"].casefold() for one in read_role_assignments(graph, principal["id"])}
    except GraphError as error:
        if error.status != 403:
            raise
        text = "which mailboxes Exchange has granted cannot be seen without RoleManagement.Read.Exchange"
        return [f"{wanted.subject}: {text}; the grant of the whole tenant goes, as revoke_tenant_grants says"]
    rule = "Exchange has granted it for no mailbox, so the application could send from none"
    way_out = "Run mailroom.erp.entra_mail_scope first, which also takes the tenant's grant away when that is safe."
    if missing := [
        wanted.problem("revoke_tenant_grants", str(one), rule, way_out)
        for role, one in roles.items()
        if ids.get(role, "").casefold() not in held
    ]:
        raise Refused(missing)
    return []


def _is(right: Permission, permission: Permission) -> bool:
    return (right.app_id, right.role) == (permission.app_id, permission.role)
