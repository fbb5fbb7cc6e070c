# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Consent for an application of somebody else: read from the tenant, and brought to what was declared."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.module_utils.entra.consent import (
    CONSENT_RIGHT,
    ConsentPlan,
    FoundConsent,
    WantedConsent,
    check_publisher,
    plan_consent,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import is_guid
from ansible_collections.mailroom.erp.plugins.module_utils.entra.grants import (
    MOST_CLAUSES,
    Resources,
    app_id_of,
    read_principals,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Json, odata_literal
from ansible_collections.mailroom.erp.plugins.module_utils.entra.service_principal import find_principal
from ansible_collections.mailroom.erp.plugins.module_utils.entra.token import Token
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused

_OWNER = ",appOwnerOrganizationId,verifiedPublisher"


@dataclass(slots=True)
class ConsentOutcome:
    """What came of a run: the plan that was carried out (or would be in check mode), what is there now, and its
    warnings."""

    plan: ConsentPlan
    found: FoundConsent
    warnings: list[str]


def consent(graph: Graph, wanted: WantedConsent, token: Token, write: bool) -> ConsentOutcome:
    """Bring the consent to what was declared.

    :param graph: the tenant's Microsoft Graph
    :param wanted: the consent as it was declared
    :param token: what Graph was opened with
    :param write: False in check mode
    :returns: the plan, and what the tenant has now
    :raises Refused: no permission has been given or taken
    :raises GraphError: Graph refuses something
    :raises NotSeen: it was written, but is not seen everywhere in time
    """
    found = read_found_consent(graph, wanted)
    planned = plan_consent(wanted, found)
    if planned.changes_grants and token.lacks(CONSENT_RIGHT):
        rule = f"this sign-in does not have {CONSENT_RIGHT}, as it should be at run time"
        raise Refused(wanted.problem("scopes", None, rule, "Let a person run this task once with tenant.azure_cli."))
    outcome = ConsentOutcome(planned, found, consent_warnings(wanted, planned, write))
    if write and planned.changes:
        principal, fresh = found.principal, False
        if principal is None:
            principal, fresh = _make_checked_principal(graph, wanted), True
        _carry_out(graph, planned, principal, fresh)
        outcome.found = _settled(graph, wanted)
    return outcome


def read_found_consent(graph: Graph, wanted: WantedConsent) -> FoundConsent:
    """What the tenant has of the application: three requests, one more for every 7 users.

    :param graph: the tenant's Microsoft Graph
    :param wanted: the consent as it was declared
    :raises GraphError: something cannot be read
    """
    resource = app_id_of(wanted.resource)
    ids = [wanted.app_id, *([resource] if resource else [])]
    names = [] if resource else [wanted.resource]
    principals = read_principals(graph, more=_OWNER, appId=ids, displayName=names)
    principal = next((one for one in principals if one["appId"].lower() == wanted.app_id), None)
    found = FoundConsent(Resources(one for one in principals if one is not principal), principal)
    found.users = _read_users(graph, wanted.users)
    if principal is not None:
        query = {"$filter": f"clientId eq {odata_literal(principal['id'])}"}
        found.grants = graph.get_all("oauth2PermissionGrants", query)
    return found


def _read_users(graph: Graph, users: tuple[str, ...]) -> dict[str, str]:
    known = {user: user.lower() for user in users if is_guid(user)}
    names = [user for user in users if user not in known]
    size = MOST_CLAUSES // 2
    for start in range(0, len(names), size):
        end = start + size
        some = names[start:end]
        clauses = [f"{name} eq {odata_literal(user)}" for user in some for name in ("userPrincipalName", "mail")]
        query = {"$filter": " or ".join(clauses), "$select": "id,userPrincipalName,mail"}
        for one in graph.get_all("users", query):
            own = {str(one.get(name)).lower() for name in ("userPrincipalName", "mail")}
            known |= {user: one["id"] for user in some if user.lower() in own}
    return known


def consent_warnings(
    wanted: WantedConsent, planned: ConsentPlan, write: bool, declared: Collection[str] = ()
) -> list[str]:
    """What is told of a consent.

    :param wanted: the consent as it was declared
    :param planned: what was to be done
    :param write: False in check mode
    :param declared: object ids of users for whom others have declared consent to the same application
    """
    warnings = []
    beyond = [text for user, texts in planned.beyond_of.items() if user not in declared for text in texts]
    if planned.make_principal and not write:
        text = "its publisher can be compared only once the tenant knows it"
        warnings.append(f"application {wanted.app_id}: {text}; nothing is consented to if it is another one")
    if beyond and not wanted.exclusive:
        text = "it has permissions that nobody declared"
        warnings.append(f"application {wanted.app_id}: {text}: {', '.join(beyond)}")
    return warnings


def _make_checked_principal(graph: Graph, wanted: WantedConsent) -> Json:
    """Make the application known to the tenant; one of another publisher is taken back before it got anything."""
    made = graph.create("servicePrincipals", {"appId": wanted.app_id})
    what = f"the service principal of {wanted.app_id}"
    known = made or graph.until(what, lambda: find_principal(graph, wanted.app_id))
    path = f"servicePrincipals/{known['id']}"
    read = graph.until(what, lambda: graph.find(path))
    try:
        check_publisher(wanted, read)
    except Refused:
        # One that was there already is not ours to take away.
        if made is not None:
            graph.remove(path)
        raise
    return read


def _carry_out(graph: Graph, planned: ConsentPlan, principal: Json, fresh: bool) -> None:
    """Every step can be done again without harm, so a run that died is simply run again."""
    for body in planned.make:
        graph.create("oauth2PermissionGrants", {"clientId": principal["id"], **body}, fresh=fresh)
    for object_id, scope in planned.change:
        graph.change(f"oauth2PermissionGrants/{object_id}", {"scope": scope})
    for object_id in planned.remove:
        graph.remove(f"oauth2PermissionGrants/{object_id}")


def _settled(graph: Graph, wanted: WantedConsent) -> FoundConsent:
    last: list[FoundConsent] = []

    def is_done() -> bool:
        last[:] = [read_found_consent(graph, wanted)]
        return not plan_consent(wanted, last[0]).changes

    graph.wait_for(f"the consent for {wanted.app_id}", is_done)
    return last[0]
