# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Which mailboxes an application may send from, as far as Graph can tell."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.entra.grants import Permission
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Json
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration import read_found_registration
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration_plan import (
    FoundRegistration,
    read_wanted_registration,
)

_SENDING = (Permission("Microsoft Graph", "Mail.Send"), Permission("Office 365 Exchange Online", "SMTP.SendAsApp"))


def read_reach(graph: Graph, unique_name: str) -> Json:
    """Look at an application: three requests when it is there, two when it is not.

    :param graph: the tenant's Microsoft Graph
    :param unique_name: of the application, which may be only planned
    :returns: ``exists`` (bool), ``app_id`` (str or None), ``granted`` (what the whole tenant has granted,
        ``API/role``), and ``every_mailbox``: True when one of these lets it send as every mailbox, None when not: which
        mailboxes Exchange lets a scoped application send from is not in Graph v1.0
    :raises GraphError: it cannot be read
    """
    permissions = [{"resource": one.resource, "role": one.role} for one in _SENDING]
    wanted = read_wanted_registration(
        {"unique_name": unique_name, "permissions": permissions, "access": "tenant"}, None
    )
    found = read_found_registration(graph, wanted, look_around=False)
    granted = _granted(found)
    sends = any(str(one) in granted for one in _SENDING)
    app_id = (found.application or {}).get("appId")
    return {"exists": app_id is not None, "app_id": app_id, "granted": granted, "every_mailbox": sends or None}


def _granted(found: FoundRegistration) -> list[str]:
    resources = [(one, found.resources.by_object_id(one["resourceId"])) for one in found.assignments]
    return sorted(resource.role_name(one["appRoleId"]) for one, resource in resources if resource)
