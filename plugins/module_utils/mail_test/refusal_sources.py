# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The pages that describe refusals, with the day on which each was read for this table."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.known_refusal import RefusalSource

_LEARN = "https://learn.microsoft.com/en-us"
BOUNCES = RefusalSource(
    'Microsoft Learn, "Email non-delivery reports and SMTP errors in Exchange Online"',
    f"{_LEARN}/exchange/troubleshoot/email-delivery/ndr/non-delivery-reports-in-exchange-online",
)
DEVICES_PAGE = RefusalSource(
    'Microsoft Learn, "Fix issues with printers, scanners, and LOB applications that send email using Microsoft 365"',
    f"{_LEARN}/exchange/troubleshoot/email-delivery/"
    "fix-issues-with-printers-scanners-and-lob-applications-that-send-email-using-off",
)
SMTP_AUTH_PAGE = RefusalSource(
    'Microsoft Learn, "Enable or disable authenticated client SMTP submission (SMTP AUTH) in Exchange Online"',
    f"{_LEARN}/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission",
)
OAUTH_PAGE = RefusalSource(
    'Microsoft Learn, "Authenticate an IMAP, POP or SMTP connection using OAuth"',
    f"{_LEARN}/exchange/client-developer/legacy-protocols/"
    "how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth",
)
NOT_AUTHENTICATED_PAGE = RefusalSource(
    'Microsoft Learn, "Fix email delivery issues for error code 5.7.57 in Exchange Online"',
    f"{_LEARN}/exchange/troubleshoot/email-delivery/ndr/fix-error-code-5-7-57-in-exchange-online",
)
ATTRIBUTION_PAGE = RefusalSource(
    'Microsoft Learn, "550 5.7.64 TenantAttribution when sending mail externally in Microsoft 365"',
    f"{_LEARN}/exchange/troubleshoot/email-delivery/ndr/relay-access-denied-smtp",
)
OUTLOOK_PAGE = RefusalSource(
    'Microsoft Support, "Fix NDR error 550 5.7.515 in Outlook.com"',
    "https://support.microsoft.com/en-us/topic/"
    "fix-ndr-error-550-5-7-515-in-outlook-com-34cfe8f8-6fbf-457e-9e8b-9e4dbaf4e0ef",
)
ONMICROSOFT_PAGE = RefusalSource(
    'Exchange Team Blog, "Limiting Onmicrosoft Domain Usage for Sending Emails"',
    "https://techcommunity.microsoft.com/blog/exchange/limiting-onmicrosoft-domain-usage-for-sending-emails/4446167",
    "2026-11",
)
GMAIL_PAGE = RefusalSource(
    'Google Workspace Admin Help, "Gmail SMTP errors and codes"', "https://support.google.com/a/answer/3726730"
)
SEND_MAIL_PAGE = RefusalSource('Microsoft Graph, "user: sendMail"', f"{_LEARN}/graph/api/user-sendmail")
SEND_AS_PAGE = RefusalSource(
    'Microsoft Graph, "Send Outlook messages from another user"', f"{_LEARN}/graph/outlook-send-mail-from-other-user"
)
RBAC_FOR_APPLICATIONS = RefusalSource(
    'Microsoft Learn, "Role Based Access Control for Applications in Exchange Online"',
    f"{_LEARN}/exchange/permissions-exo/application-rbac",
    "2026-11",
)
REST_PAGE = RefusalSource(
    'Microsoft Learn, "REST API is not yet supported for this mailbox error"',
    f"{_LEARN}/exchange/troubleshoot/user-and-shared-mailboxes/rest-api-is-not-yet-supported-for-this-mailbox-error",
)
GRAPH_ERRORS_PAGE = RefusalSource(
    'Microsoft Graph, "Error responses and resource types"', f"{_LEARN}/graph/errors", "2026-11"
)
THROTTLING_PAGE = RefusalSource('Microsoft Graph, "Throttling guidance"', f"{_LEARN}/graph/throttling", "2026-11")


def rfc_source(number: int, section: str) -> RefusalSource:
    """A section of an RFC.

    :param number: of the RFC
    :param section: e.g. ``4.2``
    """
    return RefusalSource(f"RFC {number} section {section}", f"https://www.rfc-editor.org/rfc/rfc{number}")


OWN_GUIDE = RefusalSource("mailroom.erp", "docs/mail_test.md")
