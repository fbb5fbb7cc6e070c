# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The mailboxes that an application may use: read from the tenant, and brought to what was declared, step by step."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field

from ansible_collections.mailroom.erp.plugins.module_utils.entra.application import (
    missing_application,
    read_application,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.exchange_roles import (
    assign_role,
    principal_path,
    read_role_assignments,
    read_role_ids,
    read_role_names,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.grants import (
    EXCHANGE_APP_ID,
    GRAPH_APP_ID,
    Resources,
    read_principals,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Json
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError, graph_time
from ansible_collections.mailroom.erp.plugins.module_utils.entra.mail_scope import (
    FAIL,
    MAKE,
    REMEMBER,
    REVOKE,
    SCOPE_RIGHT,
    STAGES,
    TIDY,
    FoundScope,
    RolePlan,
    ScopeFinding,
    ScopePlace,
    ScopePlan,
    WantedScope,
    assignment_path,
    plan_scope,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.people import NOT_KNOWN, SenderState
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration_plan import ASSIGN_RIGHT
from ansible_collections.mailroom.erp.plugins.module_utils.entra.scope_findings import scope_findings
from ansible_collections.mailroom.erp.plugins.module_utils.entra.scope_places import read_scope_places
from ansible_collections.mailroom.erp.plugins.module_utils.entra.service_principal import read_assignments
from ansible_collections.mailroom.erp.plugins.module_utils.entra.token import Token
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused

Now = Callable[[], datetime.datetime]
_QUERY = {"$select": "id,appId,displayName,createdDateTime,requiredResourceAccess,tags"}
_YOUNG = datetime.timedelta(hours=1)
_AWAY = (REVOKE, REMEMBER)
_CHANGE_RIGHTS = ("Application.ReadWrite.OwnedBy", "Application.ReadWrite.All")
_POLICY = ScopeFinding(
    "access_policy",
    "application access policy",
    NOT_KNOWN,
    "an old policy for this application cannot be seen over Graph; it limits only what the whole tenant has granted",
    "Look with Get-ApplicationAccessPolicy in Exchange Online PowerShell, and remove it when the scope is effective.",
)
"""[https://learn.microsoft.com/exchange/permissions-exo/application-rbac, How does RBAC for Applications work alongside
Application Access Policies; read on 2026-11-29]"""


@dataclass(slots=True)
class SharedLooks:
    """What the applications of a tenant have in common, so that it is looked up once: ids of roles, and mailboxes by
    address. Takes what is read."""

    role_ids: dict[str, str] = field(default_factory=dict)
    mailboxes: dict[str, SenderState] = field(default_factory=dict)


@dataclass(slots=True)
class ScopeOutcome:
    """What came of a run: the plan that was carried out (or would be in check mode), where the roles stand after it
    (``end``), and what is there now."""

    plan: ScopePlan
    end: ScopePlan
    found: FoundScope
    places: list[ScopePlace]
    changed: bool
    findings: list[ScopeFinding] = field(default_factory=list)

    def as_dict(self) -> Json:
        """The return value ``scope``."""
        times = [one.effective_at for one in self.end.roles if one.effective_at]
        return {"state": self.end.state, "effective_at": max(times, default=None)}

    @property
    def failures(self) -> list[ScopeFinding]:
        """What a person should be warned of."""
        return [one for one in self.findings if one.result == FAIL]


def bring_scope(
    graph: Graph, wanted: WantedScope, token: Token, write: bool, now: Now, shared: SharedLooks | None = None
) -> ScopeOutcome:
    """Bring the scope of an application to what was declared.

    Killed anywhere, the next run goes on; at every moment the application has the right, from the tenant or for the
    mailboxes.

    :param graph: the tenant's Microsoft Graph
    :param wanted: the scope as it was declared
    :param token: what Graph was opened with
    :param write: False in check mode, where the application may be only planned
    :param now: tells the time
    :param shared: what was looked up for other applications of the tenant
    :raises Refused: nothing has been written
    :raises GraphError: Graph refuses something
    :raises AnswerLost: no try to assign a role was answered
    :raises NotSeen: it was written, but is not seen everywhere in time
    """
    return _Scoper(graph, wanted, token, now, shared or SharedLooks()).bring(write)


@dataclass(slots=True)
class _Scoper:
    graph: Graph
    wanted: WantedScope
    token: Token
    now: Now
    shared: SharedLooks
    places: list[ScopePlace] = field(default_factory=list)
    may_remember: bool = True
    last: FoundScope = field(default_factory=FoundScope)
    current: ScopePlan = field(default_factory=ScopePlan)
    """What is left to do, by the last look."""

    def bring(self, write: bool) -> ScopeOutcome:
        self.places, about_places = read_scope_places(self.graph, self.wanted, self.shared.mailboxes)
        self._read_role_ids()
        planned = self._plan()
        self._check(planned, write)
        changed = planned.changes
        if write and changed:
            done = [self._carry_out(stage) for stage in (STAGES if self.wanted.present else _AWAY)]
            changed = any(done)
        end = self.current
        policy = [_POLICY] if self.wanted.present else []
        findings = [*about_places, *scope_findings(self.wanted, self.last, end), *policy]
        return ScopeOutcome(planned, end, self.last, self.places, changed, findings)

    @property
    def role_ids(self) -> dict[str, str]:
        return self.shared.role_ids

    def _read_role_ids(self) -> None:
        try:
            unread = [role for role in self.wanted.roles if role not in self.role_ids]
            self.role_ids.update(read_role_ids(self.graph, unread))
        except GraphError as error:
            if error.status != 403:
                raise
            rule = "this sign-in may not read the roles of Exchange"
            raise Refused(self.wanted.problem("roles", None, rule, f"Grant the sign-in {SCOPE_RIGHT}.")) from None
        rule = "Exchange Online of this tenant has no such role"
        way_out = "Correct it, or wait until Microsoft has rolled it out to the tenant."
        missing = [role for role in self.wanted.roles if role not in self.role_ids]
        if missing:
            raise Refused(self.wanted.problem("roles", role, rule, way_out) for role in missing)

    def _read(self) -> FoundScope:
        found = FoundScope(self.role_ids, read_application(self.graph, self.wanted, _QUERY))
        if found.application is not None:
            own = found.application["appId"]
            principals = read_principals(self.graph, appId=[own, GRAPH_APP_ID, EXCHANGE_APP_ID])
            found.resources = Resources(one for one in principals if one["appId"] != own)
            found.principal = next((one for one in principals if one["appId"] == own), None)
        if found.principal is not None:
            found.grants = read_assignments(self.graph, found.principal["id"])
            found.assignments = read_role_assignments(self.graph, found.principal["id"])
            known = {one.casefold() for one in self.role_ids.values()}
            others = {one["roleDefinitionId"] for one in found.assignments}
            found.other_roles = read_role_names(
                self.graph, sorted(one for one in others if one.casefold() not in known)
            )
        self.last = found
        return found

    def _plan(self) -> ScopePlan:
        may = self.may_remember and not all(self.token.lacks(right) for right in _CHANGE_RIGHTS)
        self.current = plan_scope(self.wanted, self._read(), self.places, self.now(), may_remember=may)
        return self.current

    def _check(self, planned: ScopePlan, write: bool) -> None:
        """See that the plan can be carried out before anything is written."""
        problems = []
        application, token = self.last.application, self.token
        if application is not None and token.app_id and application["appId"].lower() == token.app_id.lower():
            rule = "this is the application that the automation signs in with, and it never changes itself"
            problems.append(self.wanted.problem("app_id", None, rule, "Declare the ERP's own application."))
        if write and self.wanted.present and application is None:
            problems.append(missing_application(self.wanted))
        elif write and self.wanted.present and self.last.principal is None:
            rule = "it has no service principal in this tenant"
            way_out = "Run entra_app_registration for it first, or again if it was made a short time ago."
            problems.append(self.wanted.problem("unique_name", self.wanted.unique_name, rule, way_out))
        problems += [self.wanted.problem(*missing) for missing in self._missing_rights(planned)]
        if problems:
            raise Refused(problems)

    def _missing_rights(self, planned: ScopePlan) -> list[tuple[str, None, str, str]]:
        paths = [path for one in planned.roles for path in one.revoke]
        in_exchange = planned.has(MAKE) or planned.has(TIDY) or any(path.startswith("role") for path in paths)
        in_entra = any(path.startswith("servicePrincipals/") for path in paths)
        missing = []
        if in_exchange and self.token.lacks(SCOPE_RIGHT):
            rule = (
                f"roles of Exchange would have to be given or taken away, and this sign-in does not have {SCOPE_RIGHT}"
            )
            missing.append(("roles", None, rule, "Let a person run this task once, with a sign-in that has it."))
        if in_entra and self.token.lacks(ASSIGN_RIGHT):
            rule = f"the tenant's own grant would have to be taken away, and this sign-in does not have {ASSIGN_RIGHT}"
            missing.append(("roles", None, rule, "Let a person run this task once, with a sign-in that has it."))
        return missing

    def _carry_out(self, stage: str) -> bool:
        """Do one stage and wait until it is seen; gives whether anything was written."""
        if stage == REVOKE and self.wanted.present and (self.current.has(REVOKE) or self.current.has(MAKE)):
            # one old answer must not let the right be taken away
            self.graph.wait_for(self._what(MAKE), lambda: not self._plan().has(MAKE))
        if not self.current.has(stage):
            return False
        if stage == REMEMBER and not self._remember():
            return False
        for one in self.current.roles:
            self._write(stage, one)
        self.graph.wait_for(self._what(stage), lambda: not self._plan().has(stage))
        return True

    def _write(self, stage: str, one: RolePlan) -> None:
        if stage == MAKE:
            for place in one.make:
                self._assign(one.role, place)
        for path in map(assignment_path, one.twice) if stage == TIDY else one.revoke if stage == REVOKE else ():
            self.graph.remove(path)

    def _assign(self, role: str, place: ScopePlace) -> None:
        principal, application = self.last.principal or {}, self.last.application or {}
        body = {
            "principalId": principal_path(principal["id"]),
            "roleDefinitionId": self.role_ids[role],
            "directoryScopeId": place.directory_scope,
            "appScopeId": place.app_scope,
        }
        assign_role(self.graph, body, fresh=_is_young(application, self.now()))

    def _remember(self) -> bool:
        """Write down when assignments were first seen. Where this may not be written, only a confirmation helps; gives
        whether it was."""
        application = self.last.application or {}
        try:
            self.graph.change(f"applications/{application['id']}", {"tags": self.current.tags})
        except GraphError as error:
            if error.status != 403:
                raise
            self.may_remember = False
            self._plan()
            return False
        return True

    def _what(self, stage: str) -> str:
        return f"the scope of {self.wanted.subject} ({stage})"


def _is_young(application: Json, now: datetime.datetime) -> bool:
    made = graph_time(application.get("createdDateTime"))
    return made is not None and now - made < _YOUNG
