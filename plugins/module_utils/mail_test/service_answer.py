# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a service answered to a message: in its own words, bounded, on one line, and without what was sent to it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls

LONGEST_WORDS = 1000
"""Characters of an answer that are kept."""

ACCEPTED, REFUSED, UNDECIDED, NOT_SENT = "accepted", "refused", "unknown", "not_sent"

_PIECE = 8
"""Characters of a secret that give it away; a secret is never shorter (see ``secret_rules``)."""
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?!\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """The answer that decided about a message.

    ``code`` is the reply code of SMTP or the status of HTTP, None when there was no answer; ``enhanced`` the enhanced
    status code (RFC 3463) or the code of Graph's error; ``text`` the words; ``stage`` what was answered, such as
    ``connect``, ``sign_in``, ``mail_from``, ``rcpt_to``, ``data``, ``message`` or ``send_mail``. ``unmasked`` is for
    the table of refusals alone: a password may have a word of the answer in it.
    """

    stage: str
    code: int | None
    enhanced: str | None
    text: str
    unmasked: str = field(default="", repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """The return value ``answer``."""
        return {"stage": self.stage, "code": self.code, "enhanced": self.enhanced, "text": self.text}

    def __str__(self) -> str:
        shown = " ".join(str(part) for part in (self.code, self.enhanced, self.text) if part)
        return shown or "no answer"


@dataclass(frozen=True, slots=True)
class Submitted:
    """What came of handing in a message.

    ``outcome`` is one of :data:`ACCEPTED`, :data:`REFUSED`, :data:`UNDECIDED`, :data:`NOT_SENT`, and ``signed_in`` for
    a sign-in alone. ``sent`` is None when nobody can tell. ``stopped`` names why this side went no further, see the
    table of refusals; ``signed_in`` tells whether the service had taken the sign-in.
    """

    outcome: str
    sent: bool | None
    answer: ServiceAnswer
    stopped: str | None = None
    signed_in: bool = False


def enhanced_code(text: str) -> tuple[str | None, str]:
    """Take the enhanced status code off the beginning of a reply (RFC 2034 section 4).

    :param text: without the reply code
    :returns: the enhanced code, None when there is none; and the rest
    """
    found = _ENHANCED.match(text)
    return (found[0], text[found.end() :].strip()) if found else (None, text.strip())


class SecretMask:
    """Takes out of any text what was a secret of the task, and what was made of it, such as its base64 form.

    A server may give back what it was sent, as a whole or in part, in its answers and even encoded.
    """

    def __init__(self, secrets: Iterable[str | None]) -> None:
        """Prepare.

        :param secrets: everything that may be shown nowhere; None is passed over
        """
        self._pieces: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str | None) -> None:
        """Mask one more text."""
        text = escape_controls(secret or "").casefold()
        self._pieces |= {text[start : start + _PIECE] for start in range(len(text) - _PIECE + 1)}

    def clean(self, text: str) -> str:
        """Mask a text, escape its control characters, and cut it.

        :param text: of any length
        :returns: one line of at most ``LONGEST_WORDS`` characters and the mark of a cut
        """
        line = escape_controls(text[: 4 * LONGEST_WORDS])
        folded = line.casefold()
        if len(folded) != len(line):
            # folding that changes the length would move the places; what folds so is in no code or token
            folded = line.lower() if len(line.lower()) == len(line) else line
        hidden = [False] * len(line)
        for start in range(len(folded) - _PIECE + 1):
            if folded[start : start + _PIECE] in self._pieces:
                hidden[start : start + _PIECE] = [True] * _PIECE
        shown = "".join("\0" if hide else character for character, hide in zip(line, hidden, strict=True))
        shown = re.sub("\0+", "********", shown)
        return shown if len(shown) <= LONGEST_WORDS else f"{shown[:LONGEST_WORDS]}..."
