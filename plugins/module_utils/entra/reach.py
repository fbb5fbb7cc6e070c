# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Which mailboxes an application may send from, as far as Graph can tell: what the whole tenant grants, and what
Exchange has assigned for some. That an assignment is in force is in no answer; ``mail_scope`` tells more of that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ansible_collections.mailroom.erp.plugins.module_utils.entra.exchange_roles import (
    read_role_assignments,
    read_role_names,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.grants import Permission
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Json
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.plugins.module_utils.entra.mail_scope import is_sending_role
from ansible_collections.mailroom.erp.plugins.module_utils.entra.people import SenderState
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration import read_found_registration
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration_plan import (
    FoundRegistration,
    read_wanted_registration,
)

_SENDING = (Permission("Microsoft Graph", "Mail.Send"), Permission("Office 365 Exchange Online", "SMTP.SendAsApp"))
_WIDER = Permission("Office 365 Exchange Online", "full_access_as_app")
_MEMBERS = {"groups": ("groups", "GroupMember.Read.All")}
_MEMBERS["administrativeunits"] = ("directory/administrativeUnits", "AdministrativeUnit.Read.All")
_NOT_SEEN = "whether the application may send from this mailbox cannot be seen"


@dataclass(slots=True)
class ApplicationReach:
    """An application, and the mailboxes that it may send from.

    ``granted`` is what the whole tenant has granted, ``API/role``. ``every_mailbox``: True when that lets it send as
    every mailbox, False when Exchange limits it, None when it is only planned or that cannot be seen. ``scopes`` are
    the places that Exchange has assigned, as Graph writes them; ``users`` the object ids that are known to be in them.
    ``unseen`` says why it is not known who else is, one sentence each.
    """

    app_id: str | None
    granted: list[str]
    every_mailbox: bool | None
    scopes: list[str] = field(default_factory=list)
    users: set[str] = field(default_factory=set)
    unseen: list[str] = field(default_factory=list)

    def as_dict(self) -> Json:
        """The return value ``application``."""
        exists = self.app_id is not None
        told = {"exists": exists, "app_id": self.app_id, "granted": self.granted, "every_mailbox": self.every_mailbox}
        return {**told, "scopes": self.scopes}

    def has(self, user: Json | None) -> bool | None:
        """Tell whether it may send from an account's mailbox; None when that is not known.

        :param user: the account, with its ``id``; None for an address that nobody has
        """
        if self.app_id is None or user is None:
            return None
        if self.every_mailbox or user["id"].casefold() in self.users:
            return True
        return None if self.unseen else False


def read_reach(graph: Graph, unique_name: str) -> ApplicationReach:
    """Look at an application: three requests when it is there, two when it is not. Where the tenant grants nothing, one
    more for what Exchange has assigned, one for each role of that, and one for each group or unit.

    :param graph: the tenant's Microsoft Graph
    :param unique_name: of the application, which may be only planned
    :raises GraphError: it cannot be read for another reason than a missing right
    """
    permissions = [{"resource": one.resource, "role": one.role} for one in _SENDING]
    wanted = read_wanted_registration(
        {"unique_name": unique_name, "permissions": permissions, "access": "tenant"}, None
    )
    found = read_found_registration(graph, wanted, look_around=False)
    granted = _granted(found)
    wide = any(str(one) in granted for one in (*_SENDING, _WIDER))
    reach = ApplicationReach((found.application or {}).get("appId"), granted, wide or None)
    if found.application is not None and not wide:
        _read_scopes(graph, reach, found.principal)
    return reach


def judged_by_reach(reach: ApplicationReach, sender: SenderState) -> SenderState:
    """A sender as the application can use it: one outside its mailboxes fails, and what is not known is no pass.

    :param reach: the application's
    :param sender: the address in the tenant
    """
    inside = reach.has(sender.user)
    if sender.result == "fail" or reach.app_id is None or inside:
        return sender
    if inside is False:
        step = "Add it to the mailboxes of entra_mail_scope, or declare a sender that is among them."
        return replace(sender, result="fail", reason="the application may not send from this mailbox", next_step=step)
    return replace(sender, result="unknown", reason=_NOT_SEEN, next_step=" ".join(reach.unseen) or None)


def _granted(found: FoundRegistration) -> list[str]:
    resources = [(one, found.resources.by_object_id(one["resourceId"])) for one in found.assignments]
    return sorted(resource.role_name(one["appRoleId"]) for one, resource in resources if resource)


def _read_scopes(graph: Graph, reach: ApplicationReach, principal: Json | None) -> None:
    """What Exchange has assigned; what this sign-in may not see is written down as unseen."""
    reach.every_mailbox = False
    if principal is None:
        return
    try:
        assignments = list(_sending_assignments(graph, principal))
    except GraphError as error:
        if error.status != 403:
            raise
        reach.every_mailbox = None
        reach.unseen.append("Grant the automation RoleManagement.Read.Exchange to know for sure.")
        return
    for one in assignments:
        _add_scope(graph, reach, one)


def _sending_assignments(graph: Graph, principal: Json) -> Iterator[Json]:
    held = read_role_assignments(graph, principal["id"])
    names = read_role_names(graph, sorted({one["roleDefinitionId"] for one in held}))
    return (one for one in held if is_sending_role(names.get(one["roleDefinitionId"], "")))


def _add_scope(graph: Graph, reach: ApplicationReach, assignment: Mapping[str, str | None]) -> None:
    directory, app = assignment.get("directoryScopeId") or "", assignment.get("appScopeId") or ""
    if app and app != "/":
        reach.scopes.append(app)
        reach.unseen.append(f"Which mailboxes the management scope {app} finds is seen in Exchange only.")
        return
    reach.scopes.append(directory or "/")
    kind, _slash, object_id = directory.strip("/").partition("/")
    if not kind:
        reach.every_mailbox = True
    elif kind.casefold() == "users":
        reach.users.add(object_id.casefold())
    elif kind.casefold() in _MEMBERS:
        _add_members(graph, reach, kind.casefold(), object_id)
    else:
        reach.unseen.append(f"Which mailboxes {directory} holds is not known.")


def _add_members(graph: Graph, reach: ApplicationReach, kind: str, object_id: str) -> None:
    """The direct members; a mailbox of a nested group is not reached."""
    path, right = _MEMBERS[kind]
    try:
        members: Iterable[Json] = graph.get_all(f"{path}/{object_id}/members", {"$select": "id"})
    except GraphError as error:
        if error.status not in (403, 404):
            raise
        members = ()
        if error.status == 403:
            reach.unseen.append(f"Grant the automation {right} to see the members of {path}/{object_id}.")
    reach.users |= {one["id"].casefold() for one in members}
