# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Which mailboxes an application may use: what was declared, what the tenant has, and what lies between. Asks nobody.

Grants add up: what the whole tenant has granted (Entra) and what Exchange has assigned for some mailboxes are a union,
so a scope limits nothing while the same right is granted to the whole tenant. Exchange goes on with what it knew for 30
minutes to 2 hours [https://learn.microsoft.com/exchange/permissions-exo/application-rbac, read on 2026-11-29]. So the
assignment comes first, and the tenant's grant goes when Exchange must have seen the assignment, never before.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import (
    ENTRA_RULES,
    is_guid,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.grants import (
    EXCHANGE_APP_ID,
    GRAPH_APP_ID,
    Permission,
    Resources,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Json
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import graph_time
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused, escape_controls, shown

SCOPE_RIGHT = "RoleManagement.ReadWrite.Exchange"
ABSENT, GRANTED, EFFECTIVE, TENANT_WIDE = "absent", "granted", "effective", "tenant_wide"
FAIL, NOTE = "fail", "note"
MAKE, TIDY, REMEMBER, REVOKE = "make", "tidy", "remember", "revoke"
STAGES = (MAKE, TIDY, REMEMBER, REVOKE)
"""In this order, each seen before the next: assignments are made; of the same one made twice, one stays; when they were
first seen is written down; what they replace goes."""

_RANK = (EFFECTIVE, GRANTED, ABSENT, TENANT_WIDE)
_WHOLE_TENANT = "/"
_KINDS = ("mailboxes", "groups", "administrative_unit", "custom_scope")
_API = {"SMTP.SendAsApp": ("Office 365 Exchange Online", EXCHANGE_APP_ID)}
_GRAPH_API = ("Microsoft Graph", GRAPH_APP_ID)
_MAIL = frozenset({"Mail.ReadWrite", "Mail.Send"})
_WIDER_ROLES = {
    "Application Mail Full Access": _MAIL,
    "Application Exchange Full Access": _MAIL,
    "Application EWS.AccessAsApp": _MAIL,
}
"""Roles that contain others [the page named above, Supported Application Roles]."""
_WIDER_GRANTS = {(EXCHANGE_APP_ID, "full_access_as_app"): _MAIL}
_TAG = re.compile(r"mailroom\.erp scope ([A-Za-z0-9._~-]{1,256}) since (\S+)")


@dataclass(frozen=True, slots=True)
class WantedScope:
    """One scope as it was declared; see the documentation of ``entra_mail_scope``."""

    unique_name: str | None
    app_id: str | None
    roles: tuple[str, ...]
    mailboxes: tuple[str, ...]
    groups: tuple[str, ...]
    administrative_unit: str | None
    custom_scope: str | None
    settle: datetime.timedelta
    confirmed: frozenset[str]
    exclusive: bool
    present: bool

    @property
    def display_name(self) -> str | None:
        """An application is never found by what people call it here."""
        return None

    @property
    def subject(self) -> str:
        """What the application is called in messages."""
        return self.unique_name or self.app_id or ""

    def problem(self, where: str, value: str | None, rule: str, way_out: str) -> Problem:
        """A broken rule of this scope. The parameters are the fields of :class:`Problem`."""
        return ENTRA_RULES.problem(self.subject, where, value, rule, way_out)


@dataclass(frozen=True, slots=True)
class ScopePlace:
    """What a role is limited to: ``directory_scope`` or ``app_scope``, as Graph writes it.

    ``kind`` and ``name`` are for people; ``addresses`` are the mailboxes that are known to be in it."""

    kind: str
    name: str
    directory_scope: str | None = None
    app_scope: str | None = None
    addresses: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others, letter case aside: Graph writes C(/Users/) and takes C(/users/)."""
        return (self.directory_scope or "").casefold(), (self.app_scope or "").casefold()

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class ScopeFinding:
    """Something that a person must know: ``result`` is fail, unknown or note."""

    kind: str
    subject: str
    result: str
    reason: str
    next_step: str | None = None

    @property
    def warning(self) -> str:
        """The finding as one sentence or two, on one line."""
        return escape_controls(f"{shown(self.subject)}: {self.reason}. {self.next_step or ''}").rstrip()

    def as_dict(self) -> Json:
        """One item of the return value ``findings``."""
        return {
            "kind": self.kind,
            "subject": self.subject,
            "result": self.result,
            "reason": self.reason,
            "next_step": self.next_step,
        }


@dataclass(slots=True)
class FoundScope:
    """What the tenant has. ``assignments`` are Exchange's for this application, ``grants`` the whole tenant's;
    ``other_roles`` names the roles of assignments that are not among ``role_ids``."""

    role_ids: Mapping[str, str] = field(default_factory=dict)
    application: Json | None = None
    principal: Json | None = None
    resources: Resources = field(default_factory=lambda: Resources(()))
    grants: list[Json] = field(default_factory=list)
    assignments: list[Json] = field(default_factory=list)
    other_roles: Mapping[str, str] = field(default_factory=dict)

    @property
    def tags(self) -> list[str]:
        """The application's tags, of which some are ours."""
        return list((self.application or {}).get("tags") or [])

    def since(self) -> dict[str, datetime.datetime]:
        """When assignments were first seen, by their ids; of two times, the later."""
        seen: dict[str, datetime.datetime] = {}
        for found in filter(None, map(_TAG.fullmatch, self.tags)):
            time = graph_time(found[2])
            if time is not None:
                seen[found[1]] = max(time, seen.get(found[1], time))
        return seen


@dataclass(slots=True)
class RolePlan:
    """What is to be done for one role, and where it then stands.

    ``kept`` is the assignment of each place that has one; ``wide`` names the tenant-wide grants of the same right,
    ``wider`` those of a right that contains it, ``others`` scopes of such a right; ``revoke`` holds paths of grants and
    assignments to take away.
    """

    role: str
    make: list[ScopePlace] = field(default_factory=list)
    kept: list[tuple[ScopePlace, Json]] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    undeclared: list[Json] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    wide: dict[str, str] = field(default_factory=dict)
    wider: list[str] = field(default_factory=list)
    revoke: list[str] = field(default_factory=list)
    state: str = ABSENT
    effective_by: str | None = None
    effective_at: str | None = None

    @property
    def still_wide(self) -> list[str]:
        """The tenant-wide grants that stay, of this right and of those that contain it."""
        return [*(name for name, path in self.wide.items() if path not in self.revoke), *self.wider]


@dataclass(slots=True)
class ScopePlan:
    """What is to be done for all roles. ``tags`` are the application's new ones, None when they stay;
    ``forgotten`` says that they cannot be written. ``before`` and ``after`` are for people to read."""

    roles: list[RolePlan] = field(default_factory=list)
    tags: list[str] | None = None
    forgotten: bool = False
    before: Json = field(default_factory=dict)
    after: Json = field(default_factory=dict)

    def has(self, stage: str) -> bool:
        """Whether there is anything to write in a stage.

        :param stage: one of ``STAGES``
        """
        if stage == REMEMBER:
            return self.tags is not None
        return any({MAKE: one.make, TIDY: one.twice, REVOKE: one.revoke}[stage] for one in self.roles)

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        return any(self.has(stage) for stage in STAGES)

    @property
    def state(self) -> str:
        """Where the application stands: the worst of its roles."""
        return max((one.state for one in self.roles), key=_RANK.index, default=ABSENT)


def permission_of(role: str) -> Permission:
    """The permission of the whole tenant that is the same right.

    :param role: of Exchange, e.g. Application Mail.Send
    """
    name = role.removeprefix("Application ")
    return Permission(_API.get(name, _GRAPH_API)[0], name)


def is_sending_role(role: str) -> bool:
    """Tell whether a role lets an application send, by itself or because it contains one that does.

    :param role: of Exchange, e.g. Application Mail.Send
    """
    right = permission_of(role).role
    return right in ("Mail.Send", "SMTP.SendAsApp") or "Mail.Send" in _WIDER_ROLES.get(role, ())


def read_wanted_scope(params: Mapping[str, Any], client_id: str | None) -> WantedScope:
    """The declared scope.

    :param params: the parameters of ``entra_mail_scope``
    :param client_id: of the automation, which must not change itself
    :raises Refused: with everything that is wrong with them
    """
    wanted = WantedScope(
        unique_name=params.get("unique_name"),
        app_id=params["app_id"].lower() if params.get("app_id") else None,
        roles=tuple(dict.fromkeys(params.get("roles") or [])),
        mailboxes=_texts(params.get("mailboxes")),
        groups=_texts(params.get("groups")),
        administrative_unit=params.get("administrative_unit"),
        custom_scope=params.get("custom_scope"),
        settle=datetime.timedelta(minutes=params["settle"] if params.get("settle") is not None else 120),
        confirmed=frozenset(str(one).lower() for one in params.get("confirmed_assignments") or []),
        exclusive=bool(params.get("exclusive")),
        present=params.get("state") != "absent",
    )
    problems = [wanted.problem(*rule) for rule in _broken_rules(wanted, client_id)]
    if problems:
        raise Refused(problems)
    return wanted


def _texts(values: Iterable[Any] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(one) for one in values or ()))


def _broken_rules(wanted: WantedScope, client_id: str | None) -> Iterable[tuple[str, str | None, str, str]]:
    if wanted.app_id and not is_guid(wanted.app_id):
        yield "app_id", wanted.app_id, "it is no GUID", "Take the Application ID from Entra."
    if wanted.app_id and client_id and wanted.app_id == client_id.lower():
        rule = "this is the application that the automation signs in with, and it never changes itself"
        yield "app_id", wanted.app_id, rule, "Declare the ERP's own application."
    if not wanted.roles:
        yield "roles", None, "no role is named", "Name one, such as Application Mail.Send."
    given = [kind for kind in _KINDS if getattr(wanted, kind)]
    if wanted.present and len(given) != 1:
        rule = f"a scope is of one kind, and {', '.join(given) or 'none'} is given"
        yield "mailboxes", None, rule, f"Give one of: {', '.join(_KINDS)}."
    if not wanted.present and given:
        yield given[0], None, "with state: absent, every scope of these roles is taken away", "Leave it out."
    if wanted.settle < datetime.timedelta(0):
        yield "settle", None, "it is less than nothing", "Give minutes; Exchange needs 120 at most."
    for one in sorted(wanted.confirmed):
        if not is_guid(one):
            yield "confirmed_assignments", one, "it is no GUID", "Take the id from roles[].assignments[].id."


def plan_scope(
    wanted: WantedScope,
    found: FoundScope,
    places: Iterable[ScopePlace],
    now: datetime.datetime,
    *,
    may_remember: bool = True,
) -> ScopePlan:
    """Compare what is declared with what is there.

    :param wanted: the scope as it was declared
    :param found: what the tenant has; without an application when that is only planned
    :param places: what the roles are to be limited to; none with state: absent
    :param now: the time of this look
    :param may_remember: whether the application's tags may be written
    :returns: what is to be done; without changes when nothing is
    """
    since = found.since()
    plan = ScopePlan([_plan_role(wanted, found, role, list(places), since, now) for role in wanted.roles])
    _plan_tags(plan, wanted, found, now)
    if not may_remember and plan.tags is not None:
        plan.tags, plan.forgotten = None, True
    for one in plan.roles:
        plan.before[one.role], plan.after[one.role] = _described(one, wanted)
    return plan


def _plan_role(
    wanted: WantedScope,
    found: FoundScope,
    role: str,
    places: list[ScopePlace],
    since: Mapping[str, datetime.datetime],
    now: datetime.datetime,
) -> RolePlan:
    made = RolePlan(role)
    held: dict[tuple[str, str], list[Json]] = {}
    for one in sorted(found.assignments, key=lambda one: str(one["id"])):
        if one["roleDefinitionId"].casefold() == found.role_ids.get(role, "").casefold():
            held.setdefault(_key(one), []).append(one)
    for place in places:
        # Every run keeps the first by id, so that two runs at the same time never take away each other's.
        same = held.pop(place.key, [])
        made.twice += [one["id"] for one in same[1:]]
        if same:
            made.kept.append((place, same[0]))
        else:
            made.make.append(place)
    whole = held.pop((_WHOLE_TENANT, ""), [])
    made.undeclared = [one for some in held.values() for one in some]
    _find_wide(made, found, whole)
    _judge_role(made, wanted, since, now)
    return made


def _key(assignment: Json) -> tuple[str, str]:
    """What tells the scope of an assignment from others; one without any limit is for the whole tenant."""
    scopes = [str(assignment.get(name) or "").casefold() for name in ("directoryScopeId", "appScopeId")]
    directory, app = ("" if one == _WHOLE_TENANT else one for one in scopes)
    return (directory, app) if directory or app else (_WHOLE_TENANT, "")


def _find_wide(made: RolePlan, found: FoundScope, whole: list[Json]) -> None:
    """The tenant-wide grants of the same right, with the paths that take them away; and of rights that contain it."""
    right = permission_of(made.role)
    for one in found.grants:
        resource = found.resources.by_object_id(one["resourceId"])
        if resource is None:
            continue
        name, value = resource.role_name(one["appRoleId"]), resource.role_value(one["appRoleId"])
        if (resource.app_id, value) == (right.app_id, right.role):
            made.wide[name] = f"servicePrincipals/{one['principalId']}/appRoleAssignments/{one['id']}"
        elif right.role in _WIDER_GRANTS.get((resource.app_id, value), ()):
            made.wider.append(name)
    for one in whole:
        made.wide[f"Exchange: {made.role} ({one['id']})"] = assignment_path(one["id"])
    for one in found.assignments:
        name = found.other_roles.get(one["roleDefinitionId"], "")
        if right.role in _WIDER_ROLES.get(name, ()):
            if _key(one)[0] == _WHOLE_TENANT:
                made.wider.append(f"Exchange: {name}")
            else:
                made.others.append(f"{name}: {scope_of(one)}")


def assignment_path(assignment: str) -> str:
    """Where an assignment of Exchange is.

    :param assignment: its id
    """
    return f"roleManagement/exchange/roleAssignments/{assignment}"


def _judge_role(
    made: RolePlan, wanted: WantedScope, since: Mapping[str, datetime.datetime], now: datetime.datetime
) -> None:
    undeclared = [assignment_path(one["id"]) for one in made.undeclared]
    if not wanted.present:
        made.revoke = undeclared
        made.state = TENANT_WIDE if made.wide or made.wider else ABSENT
        return
    vouched = [one for one in made.kept if _is_vouched_for(one[1], wanted, since)]
    times = [since.get(one["id"], now) for place, one in made.kept if (place, one) not in vouched]
    times += [now for _place in made.make]
    ready = max(times) + wanted.settle if times else now
    made.effective_at = _written(ready) if times else None
    proved = ready <= now
    if proved:
        made.revoke = [*made.wide.values(), *(undeclared if wanted.exclusive else [])]
    made.effective_by = ("confirmed" if vouched else "time") if proved else None
    if made.wider or (made.wide and not proved):
        made.state = TENANT_WIDE
    else:
        made.state = EFFECTIVE if proved else GRANTED


def _is_vouched_for(assignment: Json, wanted: WantedScope, since: Mapping[str, datetime.datetime]) -> bool:
    """Whether somebody says that Exchange acts on it. That counts where its age is not known: one that is known to be
    young is in no cache of Exchange's yet, whatever was seen of it."""
    return assignment["id"] not in since and assignment["id"].lower() in wanted.confirmed


def _written(time: datetime.datetime) -> str:
    return time.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plan_tags(plan: ScopePlan, wanted: WantedScope, found: FoundScope, now: datetime.datetime) -> None:
    """When an assignment was first seen is in no answer of Graph, so it is written down as a tag of the application."""
    since = found.since()
    kept = [one["id"] for made in plan.roles for _place, one in made.kept]
    new = [one for one in kept if one not in since and one.lower() not in wanted.confirmed]
    there = {one["id"] for one in found.assignments}
    ours = {tag: match[1] for tag in found.tags if (match := _TAG.fullmatch(tag))}
    gone = not wanted.present and any(one not in there for one in ours.values())
    if new or gone:
        plan.tags = [tag for tag in found.tags if ours.get(tag) in (None, *there)]
        plan.tags += [f"mailroom.erp scope {one} since {_written(now)}" for one in new]


def _described(made: RolePlan, wanted: WantedScope) -> tuple[list[str], list[str]]:
    held = {str(place): one["id"] for place, one in made.kept}
    held |= {f"undeclared {scope_of(one)}": one["id"] for one in made.undeclared}
    paths = {name: assignment_path(one) for name, one in held.items()} | {
        f"the whole tenant: {name}": path for name, path in made.wide.items()
    }
    after = [name for name, path in paths.items() if path not in made.revoke]
    return sorted(paths), sorted([*after, *map(str, made.make)] if wanted.present else after)


def scope_of(assignment: Json) -> str:
    """What an assignment is limited to, as Graph writes it.

    :param assignment: of Exchange
    """
    return str(assignment.get("directoryScopeId") or assignment.get("appScopeId"))
