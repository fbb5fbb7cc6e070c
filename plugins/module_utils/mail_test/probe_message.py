# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The message of a test: small, plain ASCII, with a subject and a Message-ID of its own by which it is found again."""

from __future__ import annotations

import datetime
import email.utils
import uuid
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP

MARK = "X-Mailroom-Test"
"""The header that names the test: a service may give a message another Message-ID."""


@dataclass(frozen=True, slots=True)
class ProbeMessage:
    """One message that is ready to go: ``content`` has CRLF at the end of each line, at most 78 characters long."""

    test_id: str
    message_id: str
    content: bytes


def new_test_id() -> str:
    """The name of one test, which no other message has."""
    return uuid.uuid4().hex


def make_message(sender: str, recipient: str, test_id: str, now: datetime.datetime) -> ProbeMessage:
    """Write the message.

    :param sender: the address of its From
    :param recipient: the one address that it goes to
    :param test_id: see :func:`new_test_id`
    :param now: with its time zone
    """
    message = EmailMessage(policy=SMTP)
    message_id = f"<mailroom-test-{test_id}@{sender.rpartition('@')[2]}>"
    message["From"], message["To"] = sender, recipient
    message["Subject"] = f"Mail test {test_id}"
    message["Date"] = email.utils.format_datetime(now)
    message["Message-ID"] = message_id
    # No out-of-office reply (RFC 3834 section 5).
    message["Auto-Submitted"] = "auto-generated"
    message[MARK] = test_id
    message.set_content(
        "This message was sent by mailroom.erp to see whether mail of this sender is accepted.\n"
        f"Sender: {sender}\nTest: {test_id}\n\nNobody needs to answer; it may be deleted.\n"
    )
    return ProbeMessage(test_id, message_id, message.as_bytes())
