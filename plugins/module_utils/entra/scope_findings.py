# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a person must know of a planned scope: what still reaches every mailbox, and what nobody declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import ENTRA_GUIDE
from ansible_collections.mailroom.erp.plugins.module_utils.entra.mail_scope import (
    FAIL,
    GRANTED,
    FoundScope,
    RolePlan,
    ScopeFinding,
    ScopePlan,
    WantedScope,
    assignment_path,
    permission_of,
    scope_of,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.people import NOT_KNOWN


def scope_findings(wanted: WantedScope, found: FoundScope, plan: ScopePlan) -> Iterator[ScopeFinding]:
    """What stands in the way of a scope, or will be there when the plan is carried out.

    :param wanted: the scope as it was declared
    :param found: what the tenant has
    :param plan: what is to be done about it
    """
    for one in plan.roles:
        yield from _role_findings(one, wanted)
    yield from _requested(wanted, found)
    if plan.forgotten:
        reason = "when the assignments were first seen may not be written to the application, so their age is unknown"
        step = "Name them in confirmed_assignments when they are more than two hours old."
        yield ScopeFinding("not_remembered", wanted.subject, NOT_KNOWN, reason, step)


def _role_findings(made: RolePlan, wanted: WantedScope) -> Iterable[ScopeFinding]:
    left = [name for name, path in made.wide.items() if path not in made.revoke]
    for name in left:
        yield _wide_finding(made, wanted, name)
    for name in made.wider:
        reason = f"this grant of the whole tenant contains {made.role}, so the scope limits nothing"
        yield ScopeFinding("wider_right", name, FAIL, reason, "Take it away in Entra or Exchange, if nothing needs it.")
    kept = [one for one in made.undeclared if assignment_path(one["id"]) not in made.revoke]
    for name in [*(f"{made.role}: {scope_of(one)}" for one in kept), *made.others]:
        reason = "nobody declared this scope, and the application has it, too"
        step = "Declare it, or set exclusive: true to have it taken away."
        yield ScopeFinding("undeclared_scope", name, FAIL, reason, step)
    if made.state == GRANTED:
        reason = f"granted, not yet effective: Exchange may go on with what it knew until {made.effective_at}"
        yield ScopeFinding("not_effective", made.role, NOT_KNOWN, reason, "Wait; until then a refusal is no fault.")


def _wide_finding(made: RolePlan, wanted: WantedScope, name: str) -> ScopeFinding:
    if not wanted.present:
        reason = "the whole tenant grants it, and that is left alone"
        return ScopeFinding("tenant_wide", name, FAIL, reason, "Take it away with entra_app_registration.")
    reason = (
        "the whole tenant still grants it, so every mailbox can be used; it is taken away when Exchange must have seen "
        f"the assignments, from {made.effective_at} on"
    )
    step = "Run again then."
    return ScopeFinding("tenant_wide", name, FAIL, reason, step)


def _requested(wanted: WantedScope, found: FoundScope) -> Iterable[ScopeFinding]:
    """Permissions that the application still asks for: a button in the portal would grant them to the whole tenant."""
    asked = {
        (entry["resourceAppId"], access["id"])
        for entry in (found.application or {}).get("requiredResourceAccess") or []
        for access in entry["resourceAccess"]
    }
    for role in wanted.roles if wanted.present else ():
        right = permission_of(role)
        for resource in found.resources.named(right.resource):
            if (resource.app_id, resource.roles.get(right.role)) in asked:
                reason = (
                    'the application asks for it, and the button "Grant admin consent" would grant it to all mailboxes'
                )
                step = f"Run entra_app_registration with access: scoped ({ENTRA_GUIDE})."
                yield ScopeFinding("requested", str(right), FAIL, reason, step)
