# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The refusals of Microsoft Graph; the first that fits counts."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.known_refusal import (
    MESSAGE,
    RECIPIENT,
    SENDER,
    SERVICE,
    SIGN_IN,
    TEMPORARY,
    KnownRefusal,
)
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.refusal_sources import (
    BOUNCES,
    GRAPH_ERRORS_PAGE,
    RBAC_FOR_APPLICATIONS,
    REST_PAGE,
    SEND_AS_PAGE,
    SEND_MAIL_PAGE,
    THROTTLING_PAGE,
)

GRAPH_REFUSALS: tuple[KnownRefusal, ...] = (
    KnownRefusal(
        "access_policy",
        SENDER,
        "An application access policy of Exchange keeps the application away from the mailbox {mailbox}.",
        "Add the mailbox to the group of that policy, or replace the policy by RBAC for Applications.",
        RBAC_FOR_APPLICATIONS,
        submission="graph",
        codes=frozenset({403}),
        words=r"AppOnly AccessPolicy|RAOP",
    ),
    KnownRefusal(
        "mailbox_out_of_scope",
        SENDER,
        "The application may not send from the mailbox {mailbox}: it has no Mail.Send for the whole tenant, and no "
        "scope with this mailbox.",
        "Grant Application Mail.Send for a scope that has the mailbox (group scopes count direct members only). A new "
        "grant takes up to two hours.",
        RBAC_FOR_APPLICATIONS,
        submission="graph",
        codes=frozenset({403}),
        enhanced="ErrorAccessDenied",
    ),
    KnownRefusal(
        "graph_send_as_denied",
        SENDER,
        "The mailbox {mailbox} has no right to send as {sender}.",
        "Grant Send As for {sender} to {mailbox} in Exchange, or give the same mailbox as `from`.",
        SEND_AS_PAGE,
        submission="graph",
        codes=frozenset({403}),
        enhanced="ErrorSendAsDenied",
    ),
    KnownRefusal(
        "graph_right_missing",
        SIGN_IN,
        "The token lacks a right that Graph asks for.",
        "Grant the application Mail.Send, as a scope of mailboxes or for the tenant.",
        SEND_MAIL_PAGE,
        submission="graph",
        codes=frozenset({403}),
        enhanced="Authorization_RequestDenied",
    ),
    KnownRefusal(
        "graph_submission_blocked",
        SERVICE,
        "The mailbox is blocked for sending, or has reached its limit.",
        "Wait until the limit's 24 hours are over; see the Restricted entities in Microsoft Defender.",
        BOUNCES,
        submission="graph",
        enhanced="ErrorMessageSubmissionBlocked|ErrorExceededMessageLimit|ErrorQuotaExceeded",
    ),
    KnownRefusal(
        "no_such_mailbox",
        RECIPIENT,
        "The tenant has no user or mailbox {mailbox}.",
        "Correct `mailbox`, or make it.",
        SEND_MAIL_PAGE,
        submission="graph",
        codes=frozenset({404}),
        enhanced="ErrorInvalidUser|Request_ResourceNotFound|ResourceNotFound|ErrorItemNotFound",
    ),
    KnownRefusal(
        "mailbox_not_in_cloud",
        RECIPIENT,
        "The user {mailbox} has no mailbox in Exchange Online: none, one that was deleted, or one on the company's own "
        "Exchange.",
        "Give the user a licence with a mailbox, or make a shared mailbox.",
        REST_PAGE,
        submission="graph",
        enhanced="MailboxNotEnabledForRESTAPI|MailboxNotSupportedForRESTAPI",
    ),
    KnownRefusal(
        "graph_token_refused",
        SIGN_IN,
        "Graph does not take the token.",
        "Check tenant: the cloud, and the address of Graph.",
        GRAPH_ERRORS_PAGE,
        submission="graph",
        codes=frozenset({401}),
    ),
    KnownRefusal(
        "graph_message_too_long",
        MESSAGE,
        "The mailbox does not take messages of this size.",
        "Raise the mailbox's limit: a test message is smaller than any invoice.",
        SEND_MAIL_PAGE,
        submission="graph",
        enhanced="ErrorMessageSizeExceeded",
    ),
    KnownRefusal(
        "graph_throttled",
        SERVICE,
        f"Graph asks to wait longer than tenant.timeout. {TEMPORARY}",
        "Run again later.",
        THROTTLING_PAGE,
        submission="graph",
        codes=frozenset({429}),
    ),
    KnownRefusal(
        "graph_tired",
        SERVICE,
        f"Graph has trouble of its own; the message may have been sent all the same. {TEMPORARY}",
        "Look for the message before another one is sent.",
        GRAPH_ERRORS_PAGE,
        submission="graph",
        codes=frozenset({500, 502, 503, 504}),
    ),
)
