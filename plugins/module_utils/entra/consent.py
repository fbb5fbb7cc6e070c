# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Consent for an application of somebody else: what it is to be, what it is, and what lies between. Asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import ENTRA_RULES, is_guid
from ansible_collections.mailroom.erp.plugins.module_utils.entra.grants import Resource, Resources
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Json
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused

CONSENT_RIGHT = "DelegatedPermissionGrant.ReadWrite.All"
_ALL, _ONE = "AllPrincipals", "Principal"
_EVERYBODY = "everybody"
_ASK = "Ask the vendor."
_LEFT = (
    " The tenant knows this application, and nobody has consented to it: where a run ended too early made it known, "
    "delete it in Entra (Enterprise applications)."
)


@dataclass(frozen=True, slots=True)
class WantedConsent:
    """One consent as it was declared; see the documentation of ``entra_consent``."""

    app_id: str
    publisher_tenant_id: str
    verified_publisher: str | None
    resource: str
    scopes: tuple[str, ...]
    users: tuple[str, ...]
    all_users: bool
    exclusive: bool
    present: bool

    def problem(self, where: str, value: str | None, rule: str, way_out: str) -> Problem:
        """A broken rule of this consent. The parameters are the fields of :class:`Problem`."""
        return ENTRA_RULES.problem(f"application {self.app_id}", where, value, rule, way_out)


@dataclass(slots=True)
class FoundConsent:
    """What the tenant has: the application's service principal, the API, who the users are (as declared, to object id),
    and all delegated permissions of the application."""

    resources: Resources
    principal: Json | None = None
    users: Mapping[str, str] = field(default_factory=dict)
    grants: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class ConsentPlan:
    """What is to be done: grants to make (bodies without ``clientId``), to change (id and scope) and to remove (ids).
    ``beyond`` is what was granted although this consent does not say so, ``beyond_of`` the same by the user's object id
    ("" for everybody); ``before`` and ``after`` are for people to read."""

    make_principal: bool = False
    make: list[Json] = field(default_factory=list)
    change: list[tuple[str, str]] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    beyond_of: dict[str, list[str]] = field(default_factory=dict)
    before: Json = field(default_factory=dict)
    after: Json = field(default_factory=dict)

    @property
    def beyond(self) -> list[str]:
        """See above."""
        return [text for texts in self.beyond_of.values() for text in texts]

    def note_beyond(self, user: str | None, name: str, scopes: Iterable[str]) -> None:
        """Note permissions that were granted although this consent does not say so.

        :param user: the object id, None for everybody
        :param name: whom and which API they are for
        :param scopes: the permissions
        """
        self.beyond_of.setdefault(user or "", []).extend(f"{name}: {scope}" for scope in scopes)

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        return self.make_principal or self.changes_grants

    @property
    def changes_grants(self) -> bool:
        """Whether delegated permissions are given or taken."""
        return bool(self.make or self.change or self.remove)


def read_wanted_consent(params: Mapping[str, Any]) -> WantedConsent:
    """The declared consent.

    :param params: the parameters of ``entra_consent``
    :raises Refused: with everything that is wrong with them
    """
    wanted = WantedConsent(
        app_id=params["app_id"].lower(),
        publisher_tenant_id=params["publisher_tenant_id"].lower(),
        verified_publisher=params.get("verified_publisher"),
        resource=params.get("resource") or "Microsoft Graph",
        scopes=tuple(dict.fromkeys(params.get("scopes") or [])),
        users=tuple(dict.fromkeys(str(user) for user in params.get("users") or [])),
        all_users=bool(params.get("all_users")),
        exclusive=bool(params.get("exclusive")),
        present=params.get("state") != "absent",
    )
    problems = [wanted.problem(*rule) for rule in _broken_rules(wanted)]
    if problems:
        raise Refused(problems)
    return wanted


def _broken_rules(wanted: WantedConsent) -> Iterable[tuple[str, str | None, str, str]]:
    for where in ("app_id", "publisher_tenant_id"):
        if not is_guid(getattr(wanted, where)):
            yield where, getattr(wanted, where), "it is no GUID", "Take it from Entra, or ask the vendor."
    if wanted.users and wanted.all_users:
        yield "all_users", None, "consent is for named users, or for everybody", "Leave one of the two out."
    if wanted.present and not wanted.users and not wanted.all_users:
        yield "users", None, "nobody is named", "Name the users, or set all_users: true."
    if wanted.present and not wanted.scopes:
        yield "scopes", None, "nothing is to be consented to", "List what the vendor asks for."
    for scope in wanted.scopes:
        if not scope or len(scope.split()) != 1:
            yield "scopes", scope, "a scope is one word, such as Mail.Send", "Make each scope an item of the list."


def check_publisher(wanted: WantedConsent, principal: Json, idle: bool = False) -> None:
    """Compare who publishes an application with who was declared.

    :param wanted: the consent as it was declared
    :param principal: the service principal of the application, with appOwnerOrganizationId and verifiedPublisher
    :param idle: it was there before, and nobody has consented to it: a run that died may have left it
    :raises Refused: it is somebody else's
    """
    problems, way_out = [], _ASK + (_LEFT if idle else "")
    owner = str(principal.get("appOwnerOrganizationId"))
    if owner.lower() != wanted.publisher_tenant_id:
        rule = f"the application belongs to tenant {owner}"
        problems.append(wanted.problem("publisher_tenant_id", wanted.publisher_tenant_id, rule, way_out))
    said = (principal.get("verifiedPublisher") or {}).get("displayName")
    if wanted.verified_publisher is not None and said != wanted.verified_publisher:
        rule = f"Microsoft has verified {said} as its publisher" if said else "its publisher is not verified"
        problems.append(wanted.problem("verified_publisher", wanted.verified_publisher, rule, way_out))
    if problems:
        raise Refused(problems)


def plan_consent(wanted: WantedConsent, found: FoundConsent) -> ConsentPlan:
    """Compare what is declared with what is there.

    :param wanted: the consent as it was declared
    :param found: what the tenant has
    :returns: what is to be done; without changes when nothing is
    :raises Refused: the declaration cannot be met
    """
    if found.principal is not None and wanted.present:
        check_publisher(wanted, found.principal, idle=not found.grants)
    _check(wanted, found)
    made = ConsentPlan(make_principal=wanted.present and found.principal is None)
    (resource,) = found.resources.named(wanted.resource)
    names = {object_id: user for user, object_id in found.users.items()}
    made.before = {_name(one, found, names): _sorted(one["scope"]) for one in found.grants}
    made.after = dict(made.before)
    targets = _targets(wanted, found)
    for target in targets:
        held = next((one for one in found.grants if _is(one, resource, target)), None)
        _plan_one(made, wanted, _Target(resource, target, held, _name_of(target, names, resource)))
    others = [one for one in found.grants if not any(_is(one, resource, target) for target in targets)]
    _plan_others(made, wanted, {_name(one, found, names): one for one in others})
    return made


def _check(wanted: WantedConsent, found: FoundConsent) -> None:
    way_out = "Correct the name, or ask the vendor."
    problems = []
    for scope in wanted.scopes:
        rule = found.resources.broken_rule(wanted.resource, scope, scope=True)
        if rule is not None:
            problems.append(wanted.problem("scopes", scope, rule, way_out))
    for user in wanted.users:
        if user not in found.users:
            rule = "the tenant has no such user"
            problems.append(
                wanted.problem("users", user, rule, "Give a user principal name, an address or an object id.")
            )
    if not wanted.scopes and len(found.resources.named(wanted.resource)) != 1:
        problems.append(wanted.problem("resource", wanted.resource, "the tenant has no such API", "Correct the name."))
    if problems:
        raise Refused(problems)


def _targets(wanted: WantedConsent, found: FoundConsent) -> list[str | None]:
    """Who the consent is for: object ids, or None for everybody. To revoke without naming anybody is to revoke all."""
    if wanted.all_users:
        return [None]
    if wanted.users or wanted.present:
        return [found.users[user] for user in wanted.users]
    return list(dict.fromkeys(one.get("principalId") for one in found.grants))


@dataclass(frozen=True, slots=True)
class _Target:
    resource: Resource
    user: str | None
    held: Json | None
    name: str


def _plan_one(made: ConsentPlan, wanted: WantedConsent, target: _Target) -> None:
    held = set(_sorted((target.held or {}).get("scope")))
    asked = set(wanted.scopes) or held
    extra = held - asked
    if wanted.present:
        after = asked if wanted.exclusive else asked | held
        made.note_beyond(target.user, target.name, sorted(extra))
    else:
        after = extra
    if after == held:
        return
    made.after[target.name] = sorted(after)
    if not after:
        del made.after[target.name]
    scope = " ".join(sorted(after))
    if target.held is None:
        kind = _ONE if target.user else _ALL
        body = {
            "consentType": kind,
            "principalId": target.user,
            "resourceId": target.resource.object_id,
            "scope": scope,
        }
        made.make.append({name: value for name, value in body.items() if value is not None})
    elif after:
        made.change.append((target.held["id"], scope))
    else:
        made.remove.append(target.held["id"])


def _plan_others(made: ConsentPlan, wanted: WantedConsent, others: Mapping[str, Json]) -> None:
    """Grants for other people, or of other APIs, that nobody declared."""
    if not wanted.present:
        return
    for name, one in others.items():
        made.note_beyond(one.get("principalId"), name, _sorted(one["scope"]))
    if wanted.exclusive:
        made.remove += [one["id"] for one in others.values()]
        made.after = {name: scopes for name, scopes in made.after.items() if name not in others}


def _is(grant: Json, resource: Resource, user: str | None) -> bool:
    kind = _ONE if user else _ALL
    return bool(
        grant["resourceId"] == resource.object_id and grant["consentType"] == kind and grant.get("principalId") == user
    )


def _name(grant: Json, found: FoundConsent, names: Mapping[str, str]) -> str:
    resource = found.resources.by_object_id(grant["resourceId"])
    user = grant.get("principalId") if grant["consentType"] == _ONE else None
    return _name_of(user, names, resource) if resource else f"{names.get(user or '', user)}: API {grant['resourceId']}"


def _name_of(user: str | None, names: Mapping[str, str], resource: Resource) -> str:
    return f"{names.get(user, user) if user else _EVERYBODY}: {resource.name}"


def _sorted(scope: str | None) -> list[str]:
    return sorted((scope or "").split())
