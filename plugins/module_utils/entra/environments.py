# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The ERP environments of one tenant, all with one sign-in: application, secret, consent and senders of each."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

from ansible_collections.mailroom.erp.plugins.module_utils.entra import (
    consent,
    consent_run,
    credential,
    mail_scope,
    mail_scope_run,
    registration,
    registration_plan,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.credential_run import CredentialOutcome, Keeper
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_module import difference
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import (
    ENTRA_RULES,
    ENVIRONMENT_PARTS,
    SCOPED_ROLES,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.grants import Permission
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import AnswerLost, Graph, Json, NotSeen
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.plugins.module_utils.entra.people import SenderState, read_sender_addresses
from ansible_collections.mailroom.erp.plugins.module_utils.entra.secret_policy import SecretPolicies
from ansible_collections.mailroom.erp.plugins.module_utils.entra.token import Token
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused

_Read = TypeVar("_Read")
_FAILURES = (Refused, GraphError, NotSeen, AnswerLost)


@dataclass(frozen=True, slots=True)
class DeclaredEnvironment:
    """What one environment needs of the tenant, checked; None for a part that it does not need."""

    name: str
    application: registration_plan.WantedRegistration | None
    credential: credential.WantedCredential | None
    consent: consent.WantedConsent | None
    scope: mail_scope.WantedScope | None
    senders: tuple[str, ...]


@dataclass(slots=True)
class Done:
    """What came of one environment. ``secret`` is the value of a new secret, which exists nowhere else; ``due`` says
    why a secret is to be made that was not made, None when none is. ``problems`` is what went wrong, the rest is done.
    """

    application: registration.RegistrationOutcome | None = None
    app_id: str | None = None
    key: Json = field(default_factory=dict)
    secret: str | None = field(default=None, repr=False)
    due: str | None = None
    lost: list[str] = field(default_factory=list)
    retiring: list[Json] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    confirmed: bool = False
    consent: consent.ConsentPlan | None = None
    consent_missing: bool = False
    scope: Json | None = None
    senders: list[Json] = field(default_factory=list)
    changed: bool = False
    differences: list[tuple[str, Json, Json]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def as_dict(self, tenant_id: str) -> Json:
        """One item of the return value ``environments``, without the value of a secret.

        :param tenant_id: of the tenant, as it was declared
        """
        grants = self.application.plan if self.application else None
        return {
            "directory_id": tenant_id,
            "app_id": self.app_id,
            "key_id": self.key.get("keyId"),
            "end_date_time": self.key.get("endDateTime"),
            "secret_due": self.due,
            "lost": self.lost,
            "retiring": self.retiring,
            "removed": self.removed,
            "confirmed": self.confirmed,
            "missing_grants": grants.missing if grants else [],
            "unknown_grants": grants.unknown if grants else [],
            "consent": self.consent.after if self.consent else {},
            "consent_missing": self.consent_missing,
            "scope": self.scope,
            "senders": self.senders,
            "changed": self.changed,
            "diff": [part for parts in self.differences for part in difference(*parts)],
            "problems": self.problems,
        }


def read_declared(
    entries: Iterable[Mapping[str, Any]], listed: Any, client_id: str | None, now: datetime.datetime
) -> list[DeclaredEnvironment]:
    """The environments as they were declared.

    :param entries: the option ``environments``
    :param listed: the option ``catalogue_permissions``
    :param client_id: of the automation, which must not change itself
    :param now: the time of the run
    :raises Refused: with everything that is wrong with any of them
    """
    reader = _Reader(listed, client_id, now)
    found = [reader.environment(entry) for entry in entries]
    if reader.problems:
        raise Refused(reader.problems)
    return found


class _Reader:
    """Reads declared environments, and gathers what is wrong with them."""

    def __init__(self, listed: Any, client_id: str | None, now: datetime.datetime) -> None:
        self._listed, self._client_id, self._now = listed, client_id, now
        self.problems: list[Problem] = []

    def environment(self, entry: Mapping[str, Any]) -> DeclaredEnvironment:
        name, senders = entry["environment"], tuple(entry.get("senders") or ())
        application = self._part(self._application, entry, "application")
        key = self._part(self._credential, entry, "credential")
        consented = self._part(_consent, entry, "consent")
        scope = self._part(self._scope, entry, "scope")
        return DeclaredEnvironment(name, application, key, consented, scope, senders)

    def _part(self, read: Callable[[Mapping[str, Any]], _Read], entry: Mapping[str, Any], part: str) -> _Read | None:
        try:
            return read(entry) if entry.get(part) else None
        except Refused as refused:
            self.problems += refused.problems
        return None

    def _application(self, entry: Mapping[str, Any]) -> registration_plan.WantedRegistration:
        # what this sign-in may not grant is told, not refused: the rest can be made all the same
        given = {**entry["application"], "consent": "report", "catalogue_permissions": self._listed}
        given["leave_tenant_grants"] = bool(entry.get("scope"))
        return registration_plan.read_wanted_registration(given, self._client_id)

    def _scope(self, entry: Mapping[str, Any]) -> mail_scope.WantedScope | None:
        """The mailboxes are granted for each permission that Exchange can limit; None when it can limit none."""
        application = entry.get("application") or {}
        asked = {(one["resource"], one["role"]) for one in application.get("permissions") or []}
        roles = [role for role in SCOPED_ROLES if _pair(mail_scope.permission_of(role)) in asked]
        if not roles or application.get("state") == "absent":
            return None
        given = {**entry["scope"], "unique_name": application.get("unique_name"), "roles": roles}
        return mail_scope.read_wanted_scope(given, self._client_id)

    def _credential(self, entry: Mapping[str, Any]) -> credential.WantedCredential:
        """One whose value was lost on its way is always made anew."""
        name = (entry.get("application") or {}).get("unique_name")
        given = {**entry["credential"], "unique_name": name, "kind": "secret", "replace_lost": True}
        return credential.read_wanted_credential(given, self._now)


def _pair(permission: Permission) -> tuple[str, str]:
    return permission.resource, permission.role


def _consent(entry: Mapping[str, Any]) -> consent.WantedConsent:
    return consent.read_wanted_consent(entry["consent"])


def _present() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class HandOver(Protocol):
    """Takes secrets out of the module's hands while it still runs."""

    def is_heard(self) -> bool:
        """Whether somebody is there to take a secret; without, none is to be made."""

    def give(self, environment: str, outcome: CredentialOutcome) -> None:
        """Hand over a secret that was made a moment ago."""


@dataclass(slots=True)
class TenantWork:
    """The work in one tenant. ``make_secrets`` names the environments whose secrets have a place to go; ``write`` is
    False in check mode."""

    graph: Graph
    token: Token
    now: datetime.datetime
    write: bool
    make_secrets: frozenset[str] = frozenset()
    clock: mail_scope_run.Now = _present
    shared: mail_scope_run.SharedLooks = field(default_factory=mail_scope_run.SharedLooks)
    """What is looked up once for all environments."""
    hand_over: HandOver | None = None
    """Who is told of a secret as soon as it is made; it is in what came of the environment all the same."""
    parts: frozenset[str] = frozenset(ENVIRONMENT_PARTS)
    """Which parts are brought to what was declared; the others are left as they are."""
    policies: SecretPolicies = field(init=False)
    _consents: list[tuple[Done, consent.WantedConsent, consent_run.ConsentOutcome]] = field(init=False)

    def __post_init__(self) -> None:
        self.policies = SecretPolicies(self.graph, self.now)
        self._consents = []

    def bring(self, declared: Iterable[DeclaredEnvironment]) -> dict[str, Done]:
        """Bring all environments to what was declared, one after the other.

        What fails for one environment is its problem; the others go on, and a secret that was made is given back.

        :param declared: the environments, each once
        :returns: what came of each, by name
        """
        declared = list(declared)
        if "scope" in self.parts:
            self._look_up_mailboxes(one.scope.mailboxes for one in declared if one.scope is not None)
        done = {one.name: self._one(one) for one in declared}
        self._warn_of_consents()
        return done

    def withdraw(self, declared: Iterable[DeclaredEnvironment], keys: Mapping[str, str]) -> None:
        """Remove secrets whose values could not be stored.

        :param declared: the environments, as they were declared when the secrets were made
        :param keys: environment to key id
        :raises GraphError: Graph refuses
        :raises NotSeen: an application does not look the same for long enough
        """
        for one in declared:
            if one.name in keys and one.credential is not None:
                Keeper(self.graph, one.credential, self.now).withdraw(keys[one.name])

    def _look_up_mailboxes(self, mailboxes: Iterable[Iterable[str]]) -> None:
        """Look up the mailboxes of all scopes together; where that fails, each environment tells its own trouble."""
        addresses = [address for some in mailboxes for address in some]
        if addresses:
            with contextlib.suppress(Refused, GraphError):
                found = read_sender_addresses(self.graph, addresses)
                self.shared.mailboxes |= {state.address: state for state in found}

    def _one(self, one: DeclaredEnvironment) -> Done:
        done = Done()
        work = (self._application, self._credential, self._consent, self._scope)
        for name, part in zip(ENVIRONMENT_PARTS, work, strict=True):
            try:
                if name in self.parts:
                    part(one, done)
            except _FAILURES as error:
                done.problems.append(str(error))
                break
        return done

    def _application(self, one: DeclaredEnvironment, done: Done) -> None:
        if one.application is None:
            return
        outcome = registration.register(self.graph, one.application, self.token, self.write)
        done.application, done.changed = outcome, outcome.plan.changes
        done.app_id = (outcome.found.application or {}).get("appId")
        done.warnings += outcome.plan.warnings
        subject = f"{one.application.subject} (application)"
        done.differences.append((subject, outcome.plan.before, outcome.plan.after))

    def _credential(self, one: DeclaredEnvironment, done: Done) -> None:
        if one.credential is None:
            return
        may_create = one.name in self.make_secrets and (self.hand_over is None or self.hand_over.is_heard())
        keeper = Keeper(self.graph, one.credential, self.now, may_create, self.policies, self._giver(one.name))
        outcome = keeper.keep(self.write)
        made = outcome.secret is not None
        done.key, done.secret = outcome.current or {}, outcome.secret
        done.app_id = done.app_id or outcome.app_id
        done.due = outcome.plan.why if outcome.plan.create and not made else None
        done.lost = [key["keyId"] for key in outcome.plan.lost]
        done.retiring = [one.as_dict() for one in outcome.plan.retiring]
        done.removed = [key["keyId"] for key in outcome.plan.remove]
        done.confirmed = outcome.plan.is_confirmed
        done.changed = done.changed or outcome.plan.changes
        done.warnings += outcome.warnings
        gone = {key["keyId"] for key in outcome.plan.remove}
        before = {key["keyId"]: f"{key['displayName']}, until {key['endDateTime'][:10]}" for key in outcome.held}
        after = {key_id: text for key_id, text in before.items() if key_id not in gone}
        new = {"(new)": f"{one.credential.label}, until {keeper.new_end()}"} if outcome.plan.create else {}
        done.differences.append((one.credential.subject, before, {**after, **new}))

    def _giver(self, name: str) -> Callable[[CredentialOutcome], None] | None:
        return None if self.hand_over is None else partial(self.hand_over.give, name)

    def _consent(self, one: DeclaredEnvironment, done: Done) -> None:
        """Consent is given where this sign-in may; else it is told, for it is a person's work."""
        if one.consent is None:
            return
        try:
            outcome = consent_run.consent(self.graph, one.consent, self.token, self.write)
        except (Refused, GraphError) as error:
            if not self._is_a_person_s_work(error):
                raise
            done.consent_missing = True
            rule = "this sign-in cannot see or give consent, so whether it is there is not known"
            way_out = "A person consents once: docs/entra.md, Once per ERP."
            done.warnings.append(str(ENTRA_RULES.problem(one.name, "consent", one.consent.app_id, rule, way_out)))
            return
        done.consent, done.changed = outcome.plan, done.changed or outcome.plan.changes
        self._consents.append((done, one.consent, outcome))
        done.differences.append((f"{one.consent.app_id} (consent)", outcome.plan.before, outcome.plan.after))

    def _warn_of_consents(self) -> None:
        """Each environment consents for its own user, so a permission of one is nothing strange to another."""
        users: dict[str, set[str]] = {}
        for _done, wanted, outcome in self._consents:
            users.setdefault(wanted.app_id, set()).update(outcome.found.users.values())
        for done, wanted, outcome in self._consents:
            done.warnings += consent_run.consent_warnings(wanted, outcome.plan, self.write, users[wanted.app_id])

    def _scope(self, one: DeclaredEnvironment, done: Done) -> None:
        """Mailboxes are granted where this sign-in may. What stands in the way is told, and stops nothing else: the
        application then sends from what was granted before."""
        if one.scope is None:
            return
        try:
            outcome = mail_scope_run.bring_scope(self.graph, one.scope, self.token, self.write, self.clock, self.shared)
        except (Refused, GraphError) as error:
            if isinstance(error, GraphError) and error.status != 403:
                raise
            told = str(error).split("\n")
            done.scope = {"state": None, "effective_at": None, "open": told}
            done.warnings += told
            return
        done.scope = {**outcome.as_dict(), "open": [finding.warning for finding in outcome.failures]}
        done.changed = done.changed or outcome.changed
        done.warnings += [f"{one.scope.subject}: {text}" for text in done.scope["open"]]
        difference = (f"{one.scope.subject} (mailboxes)", outcome.plan.before, outcome.end.after)
        done.differences.append(difference)

    def _is_a_person_s_work(self, error: Exception) -> bool:
        return self.token.lacks(consent.CONSENT_RIGHT) and (
            error.status == 403 if isinstance(error, GraphError) else _speaks_of(error, consent.CONSENT_RIGHT)
        )


def _speaks_of(error: Exception, right: str) -> bool:
    return right in str(error)


def find_senders(
    graph: Graph,
    declared: Iterable[DeclaredEnvironment],
    done: Mapping[str, Done],
    known: Mapping[str, SenderState] | None = None,
) -> Iterator[str]:
    """Look up the senders of all environments together, and put them into ``done``.

    :param graph: the tenant's Microsoft Graph
    :param declared: the environments
    :param done: what came of each, by name; takes the state of its senders
    :param known: addresses that were looked up before
    :returns: what is wrong with them, one sentence each
    :raises Refused: an address is none
    :raises GraphError: Graph fails
    """
    wanted = {one.name: one.senders for one in declared if one.senders}
    found = {address: state.as_dict() for address, state in (known or {}).items()}
    addresses = [address for senders in wanted.values() for address in senders]
    found |= _states(graph, [address for address in addresses if address not in found])
    for name, senders in wanted.items():
        done[name].senders = [found[address] for address in dict.fromkeys(senders)]
        for state in done[name].senders:
            if state["result"] != "pass":
                way_out = str(state["next_step"] or "Look at it in Microsoft 365.")
                yield str(ENTRA_RULES.problem(name, "sender", state["address"], state["reason"], way_out))


def _states(graph: Graph, addresses: list[str]) -> dict[str, Json]:
    if not addresses:
        return {}
    try:
        return {state.address: state.as_dict() for state in read_sender_addresses(graph, addresses)}
    except GraphError as error:
        if error.status != 403:
            raise
    unseen = {"result": "unknown", "reason": "the people of the tenant cannot be read"}
    step = "Grant the automation User.Read.All, Domain.Read.All and MailboxSettings.Read."
    return {address: {"address": address, **unseen, "next_step": step} for address in addresses}
