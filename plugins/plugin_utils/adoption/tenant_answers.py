# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What tenants add to an ERP environment that a person named: the ids of its application, or the consent for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.erp_answers import AnsweredEnvironment
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.tenant_facts import LiveApplication, TenantFacts
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Transport
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue

_SETTINGS, _CONSENT = "erp_mail_settings", "erp_mail_consent"
_TENANT = "mail_entra_tenant"


@dataclass(slots=True)
class CompletedAnswer:
    """The variables of an environment with what tenants know of it; ``notes`` say where that is from. ``reason`` says
    why it may not be declared."""

    variables: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    reason: str | None = None


def completed_answer(
    environment: AnsweredEnvironment, tenants: Sequence[TenantFacts], catalogue: Catalogue
) -> CompletedAnswer:
    """Add what tenants know of an environment. Only what was read is added, and nothing that was answered is changed.

    :param environment: as it was answered
    :param tenants: what was read
    :param catalogue: the systems that exist
    """
    found = CompletedAnswer(environment.variables)
    transport = _transport(found.variables, catalogue)
    if transport is None or transport.entra is None:
        if environment.application and transport is not None:
            found.reason = "an application is named, and this transport signs in with none."
        return found
    settings = dict(found.variables.get(_SETTINGS) or {}) if _is_dict(found.variables.get(_SETTINGS)) else {}
    wanted = environment.application or settings.get("application_id") or transport.entra.application
    near = [one for one in tenants if environment.domain in one.domains] or list(tenants)
    known = [(tenant, one) for tenant in near for one in tenant.applications if wanted and one.is_called(str(wanted))]
    if len(known) == 1:
        tenant, application = known[0]
        found.notes.append(f"tenant {tenant.tenant_id}: {application.told}")
        if transport.entra.kind == "application":
            _take_application(found, settings, transport, tenant, application)
        else:
            _take_consent(found, settings, str(transport.entra.user), tenant, application)
    elif environment.application:
        count = f"{len(known)} applications that may send have" if known else "no application that may send has"
        found.reason = f"in the tenants that were read, {count} the name {environment.application}."
    return found


def _transport(variables: Mapping[str, Any], catalogue: Catalogue) -> Transport | None:
    """The transport that was answered; None where the judgement will tell what is wrong."""
    try:
        system = catalogue.system(str(variables.get("erp_mail_system")))
    except (KeyError, Refused):
        return None
    given = variables.get("erp_mail_transport")
    fitting = [one for one in system.transports if one.id == given or (given is None and len(system.transports) == 1)]
    return fitting[0] if fitting else None


def _take_application(
    found: CompletedAnswer,
    settings: dict[str, Any],
    transport: Transport,
    tenant: TenantFacts,
    application: LiveApplication,
) -> None:
    """The ids, so that the inventory names it as one that was made by hand: site leaves it alone."""
    known = {"directory_id": tenant.tenant_id, "application_id": application.app_id}
    more = {one.id: known[one.fact] for one in transport.fields if one.fact in known}
    found.variables[_SETTINGS] = {**more, **settings}
    _take_tenant(found, tenant)


def _take_consent(
    found: CompletedAnswer, settings: dict[str, Any], field_id: str, tenant: TenantFacts, application: LiveApplication
) -> None:
    """The consent, where a user gave it for this environment: site then changes nothing."""
    users = sorted({str(one["user"]) for one in application.consent if one["user"]})
    if field_id not in settings and len(users) == 1:
        settings[field_id] = users[0]
        found.variables[_SETTINGS] = settings
        found.notes.append(f"{field_id}: who consented")
    given = application.consent_of(str(settings.get(field_id)))
    if given is None:
        found.notes.append("not declared, because site would ask for it: a consent of this user alone")
        if _CONSENT in found.variables:
            found.reason = (
                f"{application.name} has no consent of {settings.get(field_id)} alone, so site would ask for it."
            )
        return
    consent = {"app_id": application.app_id, "publisher_tenant_id": application.publisher_tenant_id}
    found.variables.setdefault(_CONSENT, {**consent, "scopes": list(given["scopes"])})
    _take_tenant(found, tenant)


def _take_tenant(found: CompletedAnswer, tenant: TenantFacts) -> None:
    if tenant.account is not None:
        found.variables[_TENANT] = tenant.account


def _is_dict(value: Any) -> bool:
    return isinstance(value, Mapping)
