# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What an app registration is to be, what it is, and what lies between the two. Nothing here asks Graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.entra.application import missing_application
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import ENTRA_GUIDE, ENTRA_RULES, is_guid
from ansible_collections.mailroom.erp.plugins.module_utils.entra.grants import (
    ALLOWED_PERMISSIONS,
    Permission,
    Resource,
    Resources,
    may_be_granted,
    read_permissions,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Json
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused

ASSIGN_RIGHT = "AppRoleAssignment.ReadWrite.All"
_ROLE = "Role"


@dataclass(frozen=True, slots=True)
class WantedRegistration:
    """One application as it was declared; see the documentation of ``entra_app_registration``."""

    unique_name: str | None
    app_id: str | None
    display_name: str | None
    permissions: tuple[Permission, ...]
    access: str
    owners: tuple[str, ...]
    notes: str | None
    exclusive: bool
    accept_unknown: frozenset[str]
    consent: str
    revoke_tenant_grants: bool
    present: bool
    leave_tenant_grants: bool = False

    @property
    def subject(self) -> str:
        """What the application is called in messages."""
        return self.unique_name or self.display_name or self.app_id or ""

    @property
    def granted(self) -> tuple[Permission, ...]:
        """What the whole tenant is to grant: nothing with scoped access."""
        return self.permissions if self.access == "tenant" else ()

    def problem(self, where: str, value: str | None, rule: str, way_out: str) -> Problem:
        """A broken rule of this application. The parameters are the fields of :class:`Problem`."""
        return ENTRA_RULES.problem(self.subject, where, value, rule, way_out)


@dataclass(slots=True)
class FoundRegistration:
    """What the tenant has. ``deleted`` is looked for only when there is no ``application``, and so are ``namesakes``,
    other applications with the display name."""

    resources: Resources
    application: Json | None = None
    deleted: Json | None = None
    namesakes: list[Json] = field(default_factory=list)
    principal: Json | None = None
    assignments: list[Json] = field(default_factory=list)

    @property
    def base(self) -> Json | None:
        """The application that will be changed: the live one, or the deleted one that will be restored."""
        return self.application or self.deleted


@dataclass(slots=True)
class RegistrationPlan:
    """What is to be done. ``before`` and ``after`` are for people to read; ``missing`` are grants that a person has to
    give, ``unknown`` grants that nobody declared, ``unlimited`` permissions that the tenant is to grant no longer,
    because access is scoped."""

    body: Json = field(default_factory=dict)
    create: bool = False
    restore: bool = False
    delete: bool = False
    make_principal: bool = False
    grant: list[tuple[Resource, str]] = field(default_factory=list)
    revoke: list[str] = field(default_factory=list)
    add_owners: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    unlimited: list[Permission] = field(default_factory=list)
    before: Json = field(default_factory=dict)
    after: Json = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.body or self.create or self.restore or self.delete or self.make_principal) or bool(
            self.grant or self.revoke or self.add_owners
        )


def read_wanted_registration(params: Mapping[str, Any], client_id: str | None) -> WantedRegistration:
    """The declared application.

    :param params: the parameters of ``entra_app_registration``
    :param client_id: of the automation, which must not change itself
    :raises Refused: with everything that is wrong with them
    """
    wanted = WantedRegistration(
        unique_name=params.get("unique_name"),
        app_id=params["app_id"].lower() if params.get("app_id") else None,
        display_name=params.get("display_name"),
        permissions=read_permissions(params.get("permissions") or []),
        access=params.get("access") or "scoped",
        owners=tuple(dict.fromkeys(str(owner).lower() for owner in params.get("owners") or [])),
        notes=params.get("notes"),
        exclusive=bool(params.get("exclusive")),
        accept_unknown=frozenset(params.get("accept_unknown_grants") or []),
        consent=params.get("consent") or "grant",
        revoke_tenant_grants=bool(params.get("revoke_tenant_grants")),
        present=params.get("state") != "absent",
        leave_tenant_grants=bool(params.get("leave_tenant_grants")),
    )
    problems = _check(wanted, client_id, read_permissions(params.get("catalogue_permissions") or []))
    if problems:
        raise Refused(problems)
    return wanted


def _check(wanted: WantedRegistration, client_id: str | None, listed: tuple[Permission, ...]) -> list[Problem]:
    problems = []
    if wanted.leave_tenant_grants and (wanted.revoke_tenant_grants or wanted.access != "scoped"):
        rule = "it is about grants that stay with access: scoped until entra_mail_scope takes them away"
        way_out = "Leave it out, or revoke_tenant_grants."
        problems.append(wanted.problem("leave_tenant_grants", None, rule, way_out))
    if wanted.app_id and not is_guid(wanted.app_id):
        problems.append(wanted.problem("app_id", wanted.app_id, "it is no GUID", "Take the Application ID from Entra."))
    if wanted.app_id and client_id and wanted.app_id == client_id.lower():
        problems.append(own_application_problem(wanted))
    for owner in wanted.owners:
        if not is_guid(owner):
            way_out = "Take the Object ID from Entra."
            problems.append(wanted.problem("owners", owner, "an owner is named by its object id, a GUID", way_out))
    if wanted.accept_unknown and not wanted.exclusive:
        rule = "grants are taken away only with exclusive: true"
        problems.append(wanted.problem("accept_unknown_grants", None, rule, "Add it, or leave this option out."))
    return problems + [
        wanted.problem("permissions", str(one), _not_allowed(listed), "Let a person grant it in Entra.")
        for one in wanted.permissions
        if not may_be_granted(one, listed)
    ]


def name_held_problem(wanted: WantedRegistration, error: GraphError) -> Problem:
    """What is wrong when Graph says that the unique name is taken, and no live application has it.

    :param wanted: the application as it was declared
    :param error: what Graph said
    """
    rule = (
        "an application that was deleted in the last 30 days still holds this unique name, and this sign-in cannot see "
        f"it without the permission Application.Read.All; Graph says: {error.status} {error.code}: {error.message}"
    )
    way_out = (
        "Grant the automation Application.Read.All, and the next run restores it; or restore it in Entra (App "
        "registrations, Deleted applications); or delete it there for good, or wait 30 days until Entra does."
    )
    return wanted.problem("unique_name", wanted.unique_name, rule, way_out)


def own_application_problem(wanted: WantedRegistration) -> Problem:
    """What is wrong when the automation would change its own rights.

    :param wanted: the application as it was declared
    """
    rule = "this is the application that the automation signs in with, and it never changes itself"
    return wanted.problem("app_id", wanted.app_id, rule, "Declare the ERP's own application.")


def _not_allowed(listed: tuple[Permission, ...]) -> str:
    names = sorted({role for _app_id, role in ALLOWED_PERMISSIONS} | {one.role for one in listed})
    return f"only what an ERP needs to send mail is ever granted: {', '.join(names)}"


def plan_registration(wanted: WantedRegistration, found: FoundRegistration, may_grant: bool) -> RegistrationPlan:
    """Compare what is declared with what is there.

    :param wanted: the application as it was declared
    :param found: what the tenant has
    :param may_grant: whether the sign-in may give and take application permissions
    :returns: what is to be done; without changes when nothing is
    :raises Refused: the declaration cannot be met, or not without harm
    """
    if wanted.present and found.base is None and wanted.unique_name is None:
        raise Refused(missing_application(wanted))
    if not wanted.present:
        gone = found.application is not None
        return RegistrationPlan(delete=gone, before=_state(found, _grants(found), found.base) if gone else {})
    problems = [
        wanted.problem("permissions", str(one), rule, "Correct the name.")
        for one in wanted.permissions
        if (rule := found.resources.broken_rule(one.resource, one.role)) is not None
    ]
    if problems:
        raise Refused(problems)
    made = RegistrationPlan(create=found.base is None, restore=found.application is None and found.deleted is not None)
    made.make_principal = found.principal is None
    _plan_grants(made, wanted, found, may_grant)
    made.body = _changed(found.base or {}, _properties(wanted, found, made))
    owners = {owner["id"].lower() for owner in (found.base or {}).get("owners") or []}
    made.add_owners = [owner for owner in wanted.owners if owner not in owners]
    _describe(made, wanted, found)
    return made


def _grants(found: FoundRegistration) -> dict[str, Json]:
    """The grants that are there, by ``API/role``."""
    named = {}
    for one in found.assignments:
        resource = found.resources.by_object_id(one["resourceId"])
        name = resource.role_name(one["appRoleId"]) if resource else f"{one['resourceDisplayName']}/{one['appRoleId']}"
        named[name] = one
    return named


def _name(found: FoundRegistration, permission: Permission) -> str:
    return next(iter(_declared(found, [permission])))


def _declared(found: FoundRegistration, permissions: Iterable[Permission]) -> dict[str, tuple[Resource, str]]:
    """Declared permissions by ``API/role``, each with its API and the id of its role."""
    named = {}
    for one in permissions:
        (resource,) = found.resources.named(one.resource)
        named[f"{resource.name}/{one.role}"] = (resource, resource.roles[one.role])
    return named


def _plan_grants(made: RegistrationPlan, wanted: WantedRegistration, found: FoundRegistration, may_grant: bool) -> None:
    held, declared = _grants(found), _declared(found, wanted.permissions)
    due = _declared(found, wanted.granted)
    wide = [name for name in held if name in declared and name not in due]
    made.unknown = sorted({*held, *_required_names(found)} - set(declared))
    problems = _tenant_grants(wanted, wide) + _unknown_grants(wanted, made.unknown)
    given_up = set(made.unknown) if wanted.exclusive else set()
    absent = [name for name in due if name not in held]
    going = set() if wanted.leave_tenant_grants else set(wide)
    made.revoke = [held[name]["id"] for name in held if name in going or name in given_up]
    made.unlimited = [one for one in wanted.permissions if _name(found, one) in going]
    if wanted.leave_tenant_grants and wide:
        text = "the whole tenant still grants it, and entra_mail_scope takes it away when the mailboxes are effective"
        made.warnings.append(f"{wanted.subject}: {', '.join(wide)}: {text}")
    if (made.revoke or (absent and wanted.consent == "grant")) and not may_grant:
        problems.append(_no_right(wanted, absent, bool(made.revoke)))
    if problems:
        raise Refused(problems)
    if wanted.consent == "report" and not may_grant:
        made.missing = absent
    else:
        made.grant = [due[name] for name in absent]


def _tenant_grants(wanted: WantedRegistration, wide: list[str]) -> list[Problem]:
    if not wide or wanted.revoke_tenant_grants or wanted.leave_tenant_grants:
        return []
    rule = "access is scoped, but the whole tenant has granted it; grants add up, so the scope would limit nothing"
    way_out = (
        "Set leave_tenant_grants: true, and let mailroom.erp.entra_mail_scope grant the mailboxes and take this away; "
        "or see that the mailboxes are granted, and set revoke_tenant_grants: true."
    )
    return [wanted.problem("access", name, rule, way_out) for name in wide]


def _unknown_grants(wanted: WantedRegistration, unknown: list[str]) -> list[Problem]:
    if not wanted.exclusive:
        return []
    rule = "nobody declared this grant, and exclusive would take it away"
    way_out = "Declare it, or name it in accept_unknown_grants to have it taken away."
    return [wanted.problem("exclusive", name, rule, way_out) for name in unknown if name not in wanted.accept_unknown]


def _no_right(wanted: WantedRegistration, absent: list[str], revokes: bool) -> Problem:
    what = "grants would have to be taken away" if revokes else f"not granted yet: {', '.join(absent)}"
    rule = f"{what}; this sign-in does not have {ASSIGN_RIGHT}, as it should be at run time"
    way_out = "Let a person run this task once with tenant.azure_cli"
    return wanted.problem("permissions", None, rule, way_out + ("." if revokes else ", or set consent: report."))


def _required_names(found: FoundRegistration) -> list[str]:
    """The application permissions that the registration asks for, by ``API/role``."""
    entries = (found.base or {}).get("requiredResourceAccess") or []
    return [
        resource.role_name(access["id"]) if resource else f"{entry['resourceAppId']}/{access['id']}"
        for entry in entries
        for resource in [found.resources.by_app_id(entry["resourceAppId"])]
        for access in entry["resourceAccess"]
        if access["type"] == _ROLE
    ]


def _properties(wanted: WantedRegistration, found: FoundRegistration, made: RegistrationPlan) -> Json:
    """What the declaration says about the application's own properties."""
    base = found.base or {}
    properties: Json = {"displayName": wanted.display_name or base.get("displayName") or wanted.unique_name}
    if wanted.notes is not None:
        properties["notes"] = wanted.notes
    keep = set() if wanted.exclusive else set(made.unknown)
    properties["requiredResourceAccess"] = _required(wanted, found, base.get("requiredResourceAccess") or [], keep)
    return properties


def _required(wanted: WantedRegistration, found: FoundRegistration, held: list[Json], keep: set[str]) -> list[Json]:
    """The list of required permissions with those that are due and without those that are not; the rest as it is."""
    due = list(_declared(found, wanted.granted).values())
    entries: dict[str, list[Json]] = {}
    for entry in held:
        resource = found.resources.by_app_id(entry["resourceAppId"])
        left = [one for one in entry["resourceAccess"] if _stays(one, entry, resource, due, keep)]
        entries.setdefault(entry["resourceAppId"], []).extend(left)
    for resource, role_id in due:
        access = entries.setdefault(resource.app_id, [])
        if role_id not in [one["id"] for one in access]:
            access.append({"id": role_id, "type": _ROLE})
    return [{"resourceAppId": app_id, "resourceAccess": access} for app_id, access in entries.items() if access]


def _stays(
    access: Json, entry: Json, resource: Resource | None, due: list[tuple[Resource, str]], keep: set[str]
) -> bool:
    if access["type"] != _ROLE or (resource and (resource, access["id"]) in due):
        return True
    name = resource.role_name(access["id"]) if resource else f"{entry['resourceAppId']}/{access['id']}"
    return name in keep


def _changed(base: Json, properties: Json) -> Json:
    return {name: value for name, value in properties.items() if base.get(name) != value}


def _state(found: FoundRegistration, grants: Iterable[str], base: Json | None) -> Json:
    """An application for people to read."""
    base = base or {}
    return {
        "display_name": base.get("displayName"),
        "notes": base.get("notes"),
        "owners": sorted(owner["id"] for owner in base.get("owners") or []),
        "requested": sorted(_required_names(FoundRegistration(found.resources, application=base))),
        "granted": sorted(grants),
        "service_principal": found.principal is not None,
    }


def _describe(made: RegistrationPlan, wanted: WantedRegistration, found: FoundRegistration) -> None:
    held = _grants(found)
    if found.application is not None:
        made.before = _state(found, held, found.application)
    kept = [name for name, one in held.items() if one["id"] not in made.revoke]
    new = [resource.role_name(role_id) for resource, role_id in made.grant]
    owners = [*((found.base or {}).get("owners") or []), *({"id": owner} for owner in made.add_owners)]
    after = _state(found, [*kept, *new], {**(found.base or {}), **made.body, "owners": owners})
    made.after = {**after, "service_principal": True}
    if made.restore:
        made.warnings.append(f"{wanted.subject}: it had been deleted, and is restored instead of a new one made")
    if made.create and found.namesakes:
        ids = ", ".join(one["appId"] for one in found.namesakes)
        made.warnings.append(f"{wanted.subject}: others have the same display name and are left alone: {ids}")
    if made.missing:
        made.warnings.append(
            f"{wanted.subject}: a person still has to consent to {', '.join(made.missing)} ({ENTRA_GUIDE})"
        )
    if made.unknown and not wanted.exclusive:
        made.warnings.append(f"{wanted.subject}: it has permissions that nobody declared: {', '.join(made.unknown)}")
