# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Why this side goes no further, although no server has refused anything."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.known_refusal import (
    MESSAGE,
    SENDER,
    SERVICE,
    SIGN_IN,
    TRANSPORT,
    KnownRefusal,
)
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.refusal_sources import (
    GRAPH_ERRORS_PAGE,
    OAUTH_PAGE,
    OWN_GUIDE,
    RBAC_FOR_APPLICATIONS,
    rfc_source,
)

OWN_STOPS: tuple[KnownRefusal, ...] = (
    KnownRefusal(
        "starttls_not_offered",
        TRANSPORT,
        "The server does not offer STARTTLS on this port.",
        "Correct smtp.port; or set smtp.security: implicit where the port is one with TLS from the start.",
        rfc_source(3207, "4"),
        ours=True,
    ),
    KnownRefusal(
        "auth_after_tls",
        SIGN_IN,
        "The server lets nobody sign in before TLS.",
        "Set smtp.security: starttls, as the ERP has it.",
        rfc_source(4954, "4"),
        ours=True,
    ),
    KnownRefusal(
        "auth_not_offered",
        SIGN_IN,
        "The server lets nobody sign in on this port; a submission port does (587, or 465 with implicit TLS).",
        "Correct smtp.port, or set smtp.auth: none for a server that knows this machine by its address.",
        rfc_source(4954, "3"),
        ours=True,
    ),
    KnownRefusal(
        "mechanism_not_offered",
        SIGN_IN,
        "The server does not offer this way to sign in.",
        "Choose an smtp.auth that the server offers, if the ERP knows it.",
        rfc_source(4954, "3"),
        ours=True,
    ),
    KnownRefusal(
        "token_too_long",
        SIGN_IN,
        "The token does not fit into a line of SMTP.",
        "Give a shorter token: one with fewer rights in it.",
        rfc_source(4954, "4"),
        ours=True,
    ),
    KnownRefusal(
        "over_size",
        MESSAGE,
        "The message is larger than the server says it takes.",
        "Raise the server's limit: a test message is smaller than any invoice.",
        rfc_source(1870, "6"),
        ours=True,
    ),
    KnownRefusal(
        "over_limit",
        SERVICE,
        "This message would be one more than limits allows the account.",
        "Run again later, or correct limits.",
        OWN_GUIDE,
        ours=True,
    ),
    KnownRefusal(
        "no_answer",
        TRANSPORT,
        "The server gave no answer that can be used.",
        "Check smtp.host, smtp.port and smtp.security, and whether this machine may connect there.",
        rfc_source(5321, "4.5.3.2"),
        ours=True,
    ),
    KnownRefusal(
        "tls",
        TRANSPORT,
        "TLS cannot be set up with the server, so nothing was sent to it.",
        "Check smtp.host (the certificate must have that name), smtp.port and smtp.security; for a server with an "
        "authority of its own give smtp.ca_file.",
        rfc_source(8314, "3"),
        ours=True,
    ),
    KnownRefusal(
        "token_not_given",
        SIGN_IN,
        "Entra gave no token, so nothing was sent.",
        "Correct the sign-in in tenant; a secret that was just made takes some seconds.",
        OAUTH_PAGE,
        ours=True,
    ),
    KnownRefusal(
        "graph_unreachable",
        TRANSPORT,
        "Graph cannot be reached, or did not answer.",
        "Check tenant.graph_url and the way to it. Where the answer was lost, look for the message first.",
        GRAPH_ERRORS_PAGE,
        submission="graph",
        ours=True,
    ),
    KnownRefusal(
        "scope_not_in_force",
        SENDER,
        "The message from {mailbox} was taken, although this mailbox is outside the scope: the scope is not in force.",
        "Look at the assignments of the application in Exchange. A change takes up to two hours to be in force.",
        RBAC_FOR_APPLICATIONS,
        ours=True,
    ),
    KnownRefusal(
        "tenant_wide_right",
        SENDER,
        "The message from {mailbox} was taken: the token carries the right for the whole tenant, and rights add up.",
        "Remove the tenant-wide grant of Mail.Send or SMTP.SendAsApp from the application; the scoped one stays.",
        RBAC_FOR_APPLICATIONS,
        ours=True,
    ),
    KnownRefusal(
        "may_have_been_sent",
        SERVICE,
        "An earlier run ended while this message was on its way, so nobody can tell whether it was sent.",
        "Look for it at {recipient}. Then give another once_per, or accept_second_message: true to send again.",
        OWN_GUIDE,
        ours=True,
    ),
)
