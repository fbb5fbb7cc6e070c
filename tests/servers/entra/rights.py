# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The application permissions of Microsoft Graph that an automation may have in a test."""

from __future__ import annotations

MANAGE_OWN = "Application.ReadWrite.OwnedBy"
READ_APPLICATIONS = "Application.Read.All"
GRANT = ("AppRoleAssignment.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All")
"""To grant other applications their permissions, which a person does once."""
SEE_SENDERS = ("User.Read.All", "Domain.Read.All", "MailboxSettings.Read")
SCOPE = ("RoleManagement.ReadWrite.Exchange",)
"""To say which mailboxes an application may use."""
SEE_SCOPES = (
    "User.Read.All",
    "Domain.Read.All",
    "MailboxSettings.Read",
    "GroupMember.Read.All",
    "AdministrativeUnit.Read.All",
)
"""To see the mailboxes, groups and units that an application may be limited to."""
