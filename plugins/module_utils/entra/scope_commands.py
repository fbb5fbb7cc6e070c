# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The same in Exchange Online PowerShell: what to type where Graph beta does not do it, and what Graph cannot see."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.mailroom.erp.plugins.module_utils.entra.mail_scope import ScopePlace, WantedScope

_MOST_TESTED = 10
_GROUP, _UNIT, _CUSTOM = "-RecipientGroupScope", "-RecipientAdministrativeUnitScope", "-CustomResourceScope"


def scope_commands(wanted: WantedScope, app_id: str, principal: str, places: Iterable[ScopePlace]) -> list[str]:
    """What a person types to assign the roles by hand [https://learn.microsoft.com/exchange/permissions-exo/
    application-rbac, read on 2026-11-29].

    :param wanted: the scope as it was declared
    :param app_id: of the application
    :param principal: the object id of its service principal
    :param places: what the roles are limited to
    """
    commands = [f"New-ServicePrincipal -AppId {app_id} -ObjectId {principal} -DisplayName {_quoted(wanted.subject)}"]
    for place in places:
        scope, before = _scope(wanted, place)
        commands += before
        commands += [
            f"New-ManagementRoleAssignment -App {principal} -Role {_quoted(role)} {scope}" for role in wanted.roles
        ]
    return commands


def check_commands(principal: str, places: Iterable[ScopePlace]) -> list[str]:
    """What shows whether mailboxes are in scope. It leaves out what the whole tenant has granted, and what Exchange
    still remembers; no message can show as much while that grant stands [the same page, Testing Authorization].

    :param principal: the object id of the service principal
    :param places: what the roles are limited to
    """
    addresses = [address for place in places for address in place.addresses]
    return [
        f"Test-ServicePrincipalAuthorization -Identity {principal} -Resource {_quoted(address)}"
        for address in addresses[:_MOST_TESTED]
    ]


def _scope(wanted: WantedScope, place: ScopePlace) -> tuple[str, list[str]]:
    object_id = (place.directory_scope or "").rpartition("/")[2]
    if place.kind == "mailbox":
        name = _quoted(f"{wanted.subject} {place.name}")
        chosen = _quoted(f"PrimarySmtpAddress -eq {_quoted(place.name)}")
        return f"{_CUSTOM} {name}", [f"New-ManagementScope -Name {name} -RecipientRestrictionFilter {chosen}"]
    if place.kind == "group":
        return f"{_GROUP} {object_id}", []
    if place.kind == "administrative unit":
        return f"{_UNIT} {object_id}", []
    return f"{_CUSTOM} {_quoted(place.name)}", []


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
