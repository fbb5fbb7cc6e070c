# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What all environments need from Microsoft Entra, added up by tenant, or the reasons why that cannot be done.

Nothing here depends on the order of the hosts. Source of the rules: docs/inventory.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import TENANT_SECRETS, check_tenant
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import CONSENT_KEYS, INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import LEAVING, TENANT, part_state
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import canonical_json, untemplated

ACCESS_KINDS = ("scoped", "tenant")
_DAYS = ("lifetime", "renew_before", "overlap")
_END = "end_unconfirmed"
_SECRET = "mail"
_SIGNS_IN = (*TENANT_SECRETS, "azure_cli", "client_id")
TENANT_VARIABLES = (
    "tenant",
    "access",
    "unique_name",
    "display_name",
    "owners",
    "secret",
    "secret_made_before",
    "confirmed_key_id",
    "confirmed_assignments",
    "customer",
)
"""What a host declares of its tenant: variables that begin with ``mail_entra_``."""


@dataclass(frozen=True, slots=True)
class HostTenant:
    """One host's part. ``needs`` is the fact that role erp_mail published (None: it did not); the others are its
    variables of the same names with ``mail_entra_`` before them, None when not given."""

    host: str
    needs: Mapping[str, Any] | None
    tenant: Any = None
    access: Any = None
    unique_name: Any = None
    display_name: Any = None
    owners: Any = None
    secret: Any = None
    secret_made_before: Any = None
    confirmed_key_id: Any = None
    confirmed_assignments: Any = None
    customer: Any = None

    @property
    def entra(self) -> Mapping[str, Any]:
        """What the environment needs from Entra; empty when nothing."""
        return (self.needs or {}).get("entra") or {}

    @property
    def is_present(self) -> bool:
        """Whether its part of the tenant is to be as declared."""
        return self._state == "present"

    @property
    def is_leaving(self) -> bool:
        """Whether its part of the tenant stays as it is, because the environment still needs it and will go."""
        return self._state == LEAVING

    @property
    def _state(self) -> str:
        return part_state(self.needs, TENANT) if self.needs else ""

    @property
    def name(self) -> str:
        """The unique name of its application."""
        return str(self.unique_name or f"mailroom-{self.host}")

    def problem(self, where: str, value: str | None, rule: str, way_out: str) -> Problem:
        """A broken rule of this host's declaration. The parameters are the fields of :class:`Problem`."""
        return INVENTORY_RULES.problem(self.host, where, value, rule, way_out)


def host_tenant(name: str, needs: Mapping[str, Any] | None, read: Callable[[str], Any]) -> HostTenant:
    """One host's part.

    :param name: the host's
    :param needs: what ``environment_needs`` gave for it, None for a host without an environment
    :param read: gives a variable of the host, None when there is none
    """
    if not (needs or {}).get("entra"):
        return HostTenant(name, needs)
    return HostTenant(name, needs, **{variable: read(f"mail_entra_{variable}") for variable in TENANT_VARIABLES})


def needs_ahead(needs: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The needs of an environment with what the tenant will need once a password is replaced, so that it can be made
    before; as they are where no password ends.

    :param needs: what ``environment_needs`` gave for it
    """
    way = way_ahead(needs)
    return needs if way is None or needs is None else {**needs, "entra": way["entra"]}


def way_ahead(needs: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The transport that takes over from a password and needs something of the tenant; None when there is none. Of
    several the first is taken: an ERP has one application.

    :param needs: what ``environment_needs`` gave for it
    """
    end = (needs or {}).get("password_end") or {"ways": ()}
    return next((way for way in end["ways"] if way["entra"] is not None), None)


@dataclass(slots=True)
class TenantPlan:
    """For each tenant id how to sign in (``tenant``, with secrets) and the option ``environments`` of the module."""

    tenants: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def tenants_of(hosts: Iterable[HostTenant]) -> TenantPlan:
    """Add up what all hosts need from Entra.

    :param hosts: each host of the play once
    :returns: the plan; when it has problems nothing may be written
    """
    asking = [host for host in sorted(hosts, key=lambda one: one.host) if host.entra and host.tenant is not None]
    plan = TenantPlan(problems=[problem for host in asking for problem in _wrong(host)])
    wrong = {problem.subject for problem in plan.problems}
    sound = [host for host in asking if host.host not in wrong]
    for tenant_id, group in _by_tenant(sound).items():
        plan.problems += [*_two_sign_ins(group), *_shared_names(group)]
        entries = [_entry(host, group) for host in group]
        entries = [one for one in entries if set(one) - {"environment", "customer"}]
        if entries:
            plan.tenants[tenant_id] = {"tenant": group[0].tenant, "environments": entries}
    return plan


def as_application(tenant: Mapping[str, Any], app_id: str) -> dict[str, Any]:
    """How an application of a tenant signs in: the option ``tenant`` of the modules, without its secret.

    :param tenant: how the automation signs in there
    :param app_id: the application's
    """
    return {**{name: value for name, value in tenant.items() if name not in _SIGNS_IN}, "client_id": app_id}


def made_environments(results: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What the tenants hold for each environment, by host.

    :param results: as :func:`tenant_failures` takes them
    """
    return {host: one for result in results for host, one in (result.get("environments") or {}).items()}


def tenant_failures(results: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """What failed in the tenants, by host; a tenant that cannot be reached fails all its environments.

    :param results: those of ``entra_environments``, one per tenant, each with the hosts that were asked for (``asked``)
    :returns: for each host that failed the reasons, which begin with its name
    """
    failed: dict[str, list[str]] = {}
    for result in results:
        found = result.get("environments")
        own = {host: one["problems"] for host, one in (found or {}).items() if one["problems"]}
        if not own and (found is None or "msg" in result):
            told = result.get("msg") or "its tenant could not be looked at"
            own = {host: [told] for host in result["asked"]}
        failed |= {host: [f"{host}: {problem}" for problem in problems] for host, problems in own.items()}
    return failed


def for_bootstrap(environments: Iterable[Mapping[str, Any]], owner: str | None) -> list[dict[str, Any]]:
    """What a person does for an automation: applications that it will own, and consent. Secrets are left to it.

    :param environments: the option ``environments`` of the module
    :param owner: the object id of the automation's service principal; None in check mode, while there is none
    """
    found = []
    for one in environments:
        entry = {key: value for key, value in one.items() if key not in ("credential", "senders")}
        if (entry.get("application") or {}).get("state") == "absent":
            continue
        if "application" in entry and owner:
            application = entry["application"]
            entry["application"] = {**application, "owners": [*application["owners"], owner]}
        found.append(entry)
    return found


def _by_tenant(hosts: Iterable[HostTenant]) -> dict[str, list[HostTenant]]:
    groups: dict[str, list[HostTenant]] = {}
    for host in hosts:
        groups.setdefault(str(host.tenant["tenant_id"]).lower(), []).append(host)
    return groups


def _wrong(host: HostTenant) -> Iterator[Problem]:
    rules = check_tenant(host.tenant) or untemplated("tenant", host.tenant)
    for rule in rules:
        yield host.problem("mail_entra_tenant", None, rule, "docs/entra.md shows how to sign in.")
    if not host.entra.get("managed"):
        return
    if host.access not in ACCESS_KINDS and host.is_present:
        rule = "it says whether the application may send as every mailbox: tenant, or only as those granted: scoped"
        value = None if host.access is None else str(host.access)
        yield host.problem("mail_entra_access", value, rule, "Declare one of the two.")
    if not _is_secret(host.secret):
        rule = f"it is a dictionary of days: {', '.join(_DAYS)}; and {_END}: true or false"
        yield host.problem("mail_entra_secret", None, rule, "Write e.g. {lifetime: 180, renew_before: 30}.")


def _is_secret(given: Any) -> bool:
    if given is None:
        return True
    if not isinstance(given, Mapping) or set(given) - {*_DAYS, _END}:
        return False
    days = [value for name, value in given.items() if name != _END]
    return isinstance(given.get(_END, False), bool) and all(
        isinstance(one, int) and not isinstance(one, bool) for one in days
    )


def _two_sign_ins(group: list[HostTenant]) -> Iterator[Problem]:
    first = group[0]
    for host in group[1:]:
        if canonical_json(host.tenant) != canonical_json(first.tenant):
            rule = f"{first.host} and {host.host} sign in to this tenant differently"
            yield host.problem("mail_entra_tenant", None, rule, "Declare it once, e.g. in group_vars.")


def _shared_names(group: list[HostTenant]) -> Iterator[Problem]:
    first: dict[str, HostTenant] = {}
    for host in group:
        if host.entra.get("managed") and first.setdefault(host.name, host) is not host:
            rule = f"{first[host.name].host} and {host.host} would share one application and its secret"
            yield host.problem("mail_entra_unique_name", host.name, rule, "Give each environment its own.")


def _entry(host: HostTenant, group: list[HostTenant]) -> dict[str, Any]:
    """One of the module's ``environments``; without any part when the tenant has nothing to do with it."""
    entry: dict[str, Any] = {"environment": host.host}
    if host.is_leaving:
        pass
    elif host.entra["kind"] == "application" and host.entra["managed"]:
        entry |= _application(host)
    elif host.entra["kind"] == "consent":
        entry |= _consent(host, group)
    needs = host.needs or {}
    senders = sorted({one["from"] for one in needs.get("senders", []) if one["service"] == needs["service"]})
    if not (host.is_present or host.is_leaving) or not senders:
        return entry
    if entry.get("application") and host.access == "scoped":
        entry["scope"] = {"mailboxes": senders, "confirmed_assignments": list(host.confirmed_assignments or [])}
    return {**entry, "senders": senders}


def _application(host: HostTenant) -> dict[str, Any]:
    customer = {"customer": str(host.customer)} if host.customer else {}
    if not host.is_present:
        return {**customer, "application": {"unique_name": host.name, "state": "absent"}}
    application = {
        "unique_name": host.name,
        "display_name": str(host.display_name or f"{host.entra['title']} ({host.host})"),
        "permissions": host.entra["permissions"],
        "access": host.access,
        "owners": list(host.owners or []),
    }
    key = {"name": _SECRET, **(host.secret or {})}
    more = {"confirmed_key_id": host.confirmed_key_id, "made_before": host.secret_made_before}
    given = {name: str(value) for name, value in more.items() if value}
    return {**customer, "application": application, "credential": {**key, **given}}


def _consent(host: HostTenant, group: list[HostTenant]) -> dict[str, Any]:
    """The consent, when everything is known of it; what another environment still needs is not revoked."""
    wanted = {name: host.entra.get(name) for name in CONSENT_KEYS}
    user = host.entra.get("user")
    if user is None or None in wanted.values():
        return {}
    if host.is_present:
        return {"consent": {**wanted, "users": [user]}}
    same = [one for one in group if (one.is_present or one.is_leaving) and _is_same_consent(one.entra, host.entra)]
    return {} if same else {"consent": {**wanted, "users": [user], "state": "absent"}}


def _is_same_consent(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(str(one.get(name)).lower() == str(other.get(name)).lower() for name in ("kind", "app_id", "user"))
