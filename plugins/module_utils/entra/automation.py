# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The application that the automation signs in with: what it may do, and who may make it."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.entra.grants import Permission
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration_plan import WantedRegistration
from ansible_collections.mailroom.erp.plugins.module_utils.entra.token import Token
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused

_API = "Microsoft Graph"
RUN_TIME_RIGHTS = ("Application.ReadWrite.OwnedBy", "Application.Read.All")
"""What the automation needs: change what it has made itself, and see deleted applications."""

READ_SENDER_RIGHTS = ("User.Read.All", "Domain.Read.All", "MailboxSettings.Read")
"""What it needs to see whether senders are mailboxes of the tenant."""


READ_SCOPE_RIGHTS = ("RoleManagement.Read.Exchange",)
"""What it needs to see which mailboxes applications may use; to say which is a person's."""


def automation(
    unique_name: str, display_name: str, *, read_senders: bool, read_scopes: bool = False
) -> WantedRegistration:
    """The automation's own application, with these rights and no others.

    :param unique_name: what Graph knows it by
    :param display_name: what people call it
    :param read_senders: whether it may look at the senders' mailboxes
    :param read_scopes: whether it may look at the roles that Exchange has assigned
    """
    roles = (*RUN_TIME_RIGHTS, *(READ_SENDER_RIGHTS if read_senders else ()))
    roles += READ_SCOPE_RIGHTS if read_scopes else ()
    return WantedRegistration(
        unique_name=unique_name,
        app_id=None,
        display_name=display_name,
        permissions=tuple(Permission(_API, role) for role in roles),
        access="tenant",
        owners=(),
        notes=None,
        exclusive=False,
        accept_unknown=frozenset(),
        consent="grant",
        revoke_tenant_grants=False,
        present=True,
    )


def check_person(wanted: WantedRegistration, token: Token) -> None:
    """See that a person has signed in: an application must never give rights to itself or another one.

    :param wanted: the application that is to be made
    :param token: what the sign-in gave
    :raises Refused: the token is an application's
    """
    if token.rights is not None:
        rule = "this sign-in is an application's, and only a person gives an automation its rights"
        way_out = "Run az login as an administrator, and give tenant.azure_cli: true instead of the other sign-in."
        raise Refused(wanted.problem("tenant", None, rule, way_out))
