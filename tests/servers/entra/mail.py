# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sendMail of the test tenant: messages as MIME, taken from the mailboxes that an application may use."""

from __future__ import annotations

import base64
import binascii
import email
import json
from collections.abc import Mapping

from ansible_collections.mailroom.erp.tests.servers.entra.call import Answer, Call
from ansible_collections.mailroom.erp.tests.servers.entra.odata import GraphFault
from ansible_collections.mailroom.erp.tests.servers.entra.shapes import Json


def body_of(headers: Mapping[str, str], data: bytes) -> object:
    """The body of a request: JSON, or bytes where it is said to be plain text.

    :raises GraphFault: it is no JSON
    """
    if not data:
        return None
    if headers.get("Content-Type", "").startswith("text/plain"):
        return data
    return json.loads(data)


def send_mail(call: Call, name: str) -> Answer:
    """Take a message, as MIME in base64 [Microsoft Graph, user: sendMail]."""
    user = _user(call, name)
    _check_right(call, user)
    if not isinstance(call.body, bytes):
        raise GraphFault(400, "ErrorInvalidRequest", "This server takes messages as MIME only.")
    try:
        content = base64.b64decode(call.body, validate=True)
    except binascii.Error as error:
        message = "Invalid base64 string for MIME content."
        raise GraphFault(400, "ErrorMimeContentInvalidBase64String", message) from error
    _check_sender(user, content)
    call.directory.sent.append(content)
    call.directory.deliver(content)
    return 202, None


def _user(call: Call, name: str) -> Json:
    found = [one for one in call.truth["users"].values() if name.casefold() in _names(one)]
    if not found:
        raise GraphFault(404, "ErrorInvalidUser", f"The requested user '{name}' is invalid.")
    if found[0]["mailboxSettings"] is None:
        message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
        raise GraphFault(404, "MailboxNotEnabledForRESTAPI", message)
    return found[0]


def _names(user: Json) -> set[str]:
    return {user["id"].casefold(), user["userPrincipalName"].casefold(), *_addresses(user)}


def _addresses(user: Json) -> set[str]:
    return {one.partition(":")[2].casefold() for one in user["proxyAddresses"]}


def _check_right(call: Call, user: Json) -> None:
    """The right for the whole tenant, or a scope with this mailbox: the two add up."""
    caller = call.truth["servicePrincipals"].get(str(call.caller), {})
    if not call.directory.may_act(caller.get("appId", ""), user):
        raise GraphFault(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def _check_sender(user: Json, content: bytes) -> None:
    if str(email.message_from_bytes(content)["From"]).casefold() not in _addresses(user):
        message = (
            "The user account which was used to submit this request does not have the right to send mail on behalf of"
        )
        raise GraphFault(403, "ErrorSendAsDenied", f"{message} the specified sending account.")
