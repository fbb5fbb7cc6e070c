# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Signing in over SMTP (RFC 4954): what PLAIN, LOGIN and XOAUTH2 send, for the server and for the mask of answers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Container
from dataclasses import dataclass, field

from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_options import SmtpSettings

LONGEST_LINE = 12288
"""Octets of a line while signing in, its end included (RFC 4954 section 4)."""


@dataclass(frozen=True, slots=True)
class SaslExchange:
    """What is sent to sign in: the mechanism with its initial response, if any, and one line for each challenge.

    :ivar mechanism: as the server lists it
    :ivar initial: base64, empty for none
    :ivar answers: base64; after the last one another challenge is an error, which an empty line ends
    """

    mechanism: str
    initial: str = field(repr=False)
    answers: tuple[str, ...] = field(default=(), repr=False)

    @property
    def lines(self) -> tuple[str, ...]:
        """Everything that is sent and holds the secret."""
        return (self.initial, *self.answers)


def sasl_exchange(smtp: SmtpSettings, user: str, token: str | None, offered: Container[str] = ()) -> SaslExchange:
    """What to send.

    :param smtp: how to sign in; not without authentication
    :param user: who signs in
    :param token: the access token, for XOAUTH2
    :param offered: the mechanisms of the server, which decide between those that take a password
    """
    if smtp.auth == "xoauth2":
        # As Microsoft and Google write it: an older form of OAUTHBEARER (RFC 7628 section 3.1).
        return SaslExchange("XOAUTH2", _encoded(f"user={user}\1auth=Bearer {token}\1\1"))
    if smtp.auth == "plain" or (smtp.auth == "password" and "PLAIN" in offered):
        return SaslExchange("PLAIN", _encoded(f"\0{user}\0{smtp.password}"))
    return SaslExchange("LOGIN", "", (_encoded(user), _encoded(smtp.password or "")))


def spellings(secret: str | None) -> tuple[str, ...]:
    """A secret, and its base64 forms wherever it may stand in a longer text.

    :param secret: None gives nothing
    """
    if not secret:
        return ()
    data = secret.encode()
    # The characters of the bytes before it are left out; the last ones depend on what follows.
    shifted = [base64.b64encode(b"\0" * shift + data).decode()[(0, 2, 3)[shift] : -4] for shift in range(3)]
    return (secret, _encoded(secret), *shifted)


def challenge_text(text: str) -> str:
    """A challenge as a person may read it: XOAUTH2 tells an error as base64 of JSON.

    :param text: what stands behind 334
    :returns: the decoded text, or what was given when it is no base64
    """
    try:
        return base64.b64decode(text.strip(), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return text


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
