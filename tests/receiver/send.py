# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends a message over SMTP as a sender of a case would: from its address, signed or not, with what went wrong."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate

import dkim
from ansible_collections.mailroom.erp.tests.receiver.case import Case, Signing
from ansible_collections.mailroom.erp.tests.receiver.keys import private_pem
from ansible_collections.mailroom.erp.tests.receiver.postfix import RECIPIENT, Postfix


@dataclass(frozen=True, slots=True)
class Reply:
    """The last answer of the server: to the message itself, unless it refused something before."""

    code: int
    text: str


def message(case: Case) -> bytes:
    """The message of a case as it leaves its last server, with CRLF."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = case.address, RECIPIENT, f"Factuur 2026-001 ({case.name})"
    mail["Date"], mail["Message-ID"] = formatdate(), f"<{case.name}@{case.domain}>"
    mail.set_content("Geachte heer, mevrouw,\n\nbijgaand de factuur.\n")
    text = mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))
    return _signed(text, case.signing) if case.signing else text


def _signed(text: bytes, signing: Signing) -> bytes:
    domain, selector = signing.domain.encode(), signing.selector.encode()
    header: bytes = dkim.sign(text, selector, domain, private_pem(signing.key))
    return header + text + (b"Een regel die er onderweg bij kwam.\r\n" if signing.altered else b"")


def send(case: Case) -> Reply:
    """Hand the message of a case to the receiver."""
    host, port = Postfix.ADDRESS
    with smtplib.SMTP(host, port, case.helo, timeout=60, source_address=(case.ip, 0)) as client:
        client.ehlo()
        code, text = client.mail(case.envelope or case.address)
        if code == 250:
            code, text = client.rcpt(RECIPIENT)
        if code == 250:
            code, text = client.data(message(case))
    return Reply(code, text.decode())
