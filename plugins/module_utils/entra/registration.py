# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""An app registration with its service principal and grants: read from the tenant, and brought to what was declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.module_utils.entra.application import (
    find_application,
    find_deleted,
    find_namesakes,
    upsert,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.grants import Resources, read_principals
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Json, Seen
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration_plan import (
    ASSIGN_RIGHT,
    FoundRegistration,
    RegistrationPlan,
    WantedRegistration,
    name_held_problem,
    own_application_problem,
    plan_registration,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.scoped_access import check_scoped
from ansible_collections.mailroom.erp.plugins.module_utils.entra.service_principal import (
    make_principal,
    read_assignments,
    restore_principal,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.token import Token
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused


@dataclass(frozen=True, slots=True)
class RegistrationOutcome:
    """What came of a run: the plan that was carried out (or would be in check mode), and what is there now."""

    plan: RegistrationPlan
    found: FoundRegistration


def register(graph: Graph, wanted: WantedRegistration, token: Token, write: bool) -> RegistrationOutcome:
    """Bring an application to what was declared.

    :param graph: the tenant's Microsoft Graph
    :param wanted: the application as it was declared
    :param token: what Graph was opened with; it says who the automation is and what it may do
    :param write: False in check mode
    :returns: the plan, and what the tenant has now
    :raises Refused: nothing has been written
    :raises GraphError: Graph refuses something
    :raises NotSeen: it was written, but is not seen everywhere in time
    """
    found = read_found_registration(graph, wanted)
    if found.base is not None and token.app_id and found.base["appId"].lower() == token.app_id.lower():
        raise Refused(own_application_problem(wanted))
    may_grant = not token.lacks(ASSIGN_RIGHT)
    planned = plan_registration(wanted, found, may_grant)
    if planned.unlimited and found.principal is not None:
        planned.warnings += check_scoped(graph, wanted, found.principal, planned.unlimited)
    if not write or not planned.changes:
        return RegistrationOutcome(planned, found)
    if planned.delete and found.application is not None:
        graph.remove(f"applications/{found.application['id']}")
        graph.wait_for(f"{wanted.subject} deleted", lambda: find_application(graph, wanted) is None)
        return RegistrationOutcome(planned, FoundRegistration(found.resources))
    _Work(graph, wanted, token).carry_out(planned, found)
    return RegistrationOutcome(planned, _settled(graph, wanted, may_grant))


def read_found_registration(graph: Graph, wanted: WantedRegistration, *, look_around: bool = True) -> FoundRegistration:
    """What the tenant has of an application: three requests when it is there and has no unknown grants.

    :param graph: the tenant's Microsoft Graph
    :param wanted: the application as it was declared
    :param look_around: whether to look for deleted ones and namesakes when there is none
    :raises Refused: it is named by a display name that several have, or none
    :raises GraphError: something cannot be read
    """
    application = find_application(graph, wanted)
    deleted = find_deleted(graph, wanted) if look_around and application is None and wanted.present else None
    base = application or deleted
    known = {one.app_id for one in wanted.permissions if one.app_id} | _required_apis(base)
    names = {one.resource for one in wanted.permissions if not one.app_id}
    own = [base["appId"]] if base else []
    principals = read_principals(graph, appId=[*own, *sorted(known - set(own))], displayName=sorted(names))
    found = FoundRegistration(Resources(one for one in principals if one["appId"] not in own), application, deleted)
    if application is not None:
        found.principal = next((one for one in principals if one["appId"] == application["appId"]), None)
    if found.principal is not None:
        found.assignments = read_assignments(graph, found.principal["id"])
        _name_resources(graph, found)
    if look_around and base is None and wanted.present:
        found.namesakes = find_namesakes(graph, wanted)
    return found


def _required_apis(application: Json | None) -> set[str]:
    return {entry["resourceAppId"] for entry in (application or {}).get("requiredResourceAccess") or []}


def _name_resources(graph: Graph, found: FoundRegistration) -> None:
    """Read the APIs of grants that nobody declared, so that they can be told by name."""
    ids = {one["resourceId"] for one in found.assignments if not found.resources.by_object_id(one["resourceId"])}
    found.resources.add(read_principals(graph, id=sorted(ids)))


def _settled(graph: Graph, wanted: WantedRegistration, may_grant: bool) -> FoundRegistration:
    """Wait until what was written is seen, by planning again until nothing is left to do."""
    last: list[FoundRegistration] = []

    def is_done() -> bool:
        last[:] = [read_found_registration(graph, wanted, look_around=False)]
        return last[0].application is not None and not plan_registration(wanted, last[0], may_grant).changes

    graph.wait_for(f"the application {wanted.subject}", is_done)
    return last[0]


@dataclass(slots=True)
class _Work:
    """Carries out one plan. Every step can be done again without harm, so a run that died is simply run again."""

    graph: Graph
    wanted: WantedRegistration
    token: Token

    def carry_out(self, planned: RegistrationPlan, found: FoundRegistration) -> None:
        if planned.restore and found.deleted is not None:
            self._restore(found.deleted)
            found = self._until("restored", self._live)
            planned = plan_registration(self.wanted, found, not self.token.lacks(ASSIGN_RIGHT))
        application, fresh = found.application, False
        if application is None:
            application, fresh = self._create(planned.body), True
        elif planned.body:
            self.graph.change(f"applications/{application['id']}", planned.body)
        principal = found.principal or make_principal(self.graph, application["appId"], fresh=fresh)
        self._grant(planned, principal, fresh=fresh or found.principal is None)
        for owner in planned.add_owners:
            reference = {"@odata.id": self.graph.address(f"directoryObjects/{owner}")}
            self.graph.create(f"applications/{application['id']}/owners/$ref", reference, fresh=fresh)

    def _grant(self, planned: RegistrationPlan, principal: Json, *, fresh: bool) -> None:
        path = f"servicePrincipals/{principal['id']}/appRoleAssignments"
        for resource, role_id in planned.grant:
            body = {"principalId": principal["id"], "resourceId": resource.object_id, "appRoleId": role_id}
            self.graph.create(path, body, fresh=fresh)
        for assignment in planned.revoke:
            self.graph.remove(f"{path}/{assignment}")

    def _create(self, body: Json) -> Json:
        known_right = self.token.holds("Application.ReadWrite.OwnedBy", "Application.ReadWrite.All")
        try:
            made = upsert(self.graph, str(self.wanted.unique_name), body, fresh=known_right)
        except GraphError as error:
            if not error.exists:
                raise
            # Another run may have made it meanwhile; otherwise a deleted one has the name, which nobody saw.
            if (live := find_application(self.graph, self.wanted)) is None:
                raise Refused(name_held_problem(self.wanted, error)) from None
            return live
        # An earlier run may have made it, so that only its change is answered, without the object.
        return made or self._until("made", lambda: find_application(self.graph, self.wanted))

    def _restore(self, deleted: Json) -> None:
        self.graph.restore(deleted["id"])
        restore_principal(self.graph, deleted["appId"])

    def _live(self) -> FoundRegistration | None:
        found = read_found_registration(self.graph, self.wanted, look_around=False)
        return found if found.application is not None else None

    def _until(self, what: str, look: Callable[[], Seen | None]) -> Seen:
        return self.graph.until(f"the application {self.wanted.subject} {what}", look)
