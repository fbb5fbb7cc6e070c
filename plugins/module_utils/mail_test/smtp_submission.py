# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One message over SMTP, as an ERP hands it in: greeting, TLS, sign-in, envelope, message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_options import SIGNED_IN, SmtpSettings
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.sasl import (
    LONGEST_LINE,
    SaslExchange,
    challenge_text,
    sasl_exchange,
    spellings,
)
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.service_answer import (
    ACCEPTED,
    NOT_SENT,
    REFUSED,
    UNDECIDED,
    SecretMask,
    ServiceAnswer,
    Submitted,
    enhanced_code,
)
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.smtp_connection import (
    BoundedSmtp,
    NoSmtpAnswer,
    UntrustedServer,
)

Reply = tuple[int, str]


class _Stop(Exception):
    """The dialogue ends here; it carries what came of it."""

    def __init__(self, submitted: Submitted) -> None:
        super().__init__()
        self.submitted = submitted


class SmtpDialogue:
    """A conversation with one server about one message.

    :param settings: how to hand it in
    :param token: the access token, for XOAUTH2
    :param mask: takes secrets out of answers; those of the sign-in are added here
    """

    def __init__(self, settings: SmtpSettings, token: str | None, mask: SecretMask) -> None:
        self._settings, self._token, self._mask = settings, token, mask
        for secret in (settings.password, token):
            for spelling in spellings(secret):
                mask.add(spelling)
        self._stage = "connect"
        self._signed_in = False
        self._challenge = ""
        self._connection: BoundedSmtp | None = None

    def submit(self, recipient: str, content: bytes, before: Callable[[], None]) -> Submitted:
        """Hand the message in.

        :param recipient: the one address
        :param content: the message, with CRLF
        :param before: called once, just before the message itself goes; what it raises ends everything
        :returns: what came of it; everything that a server may do is one of its cases
        """
        try:
            self._open()
            size = self._checked_size(len(content))
            if self._settings.auth != "none":
                self._sign_in(self._settings.user)
            return self._hand_in(recipient, content, size, before)
        except _Stop as stop:
            return stop.submitted
        except UntrustedServer as error:
            return self._lost("tls", str(error))
        except NoSmtpAnswer as error:
            return self._lost("no_answer", str(error))

    def try_sign_in(self, user: str) -> Submitted:
        """Sign in as somebody and do nothing else.

        :param user: who signs in, with the same password or token
        :returns: ``signed_in`` tells whether the server took it
        """
        try:
            self._open()
            self._sign_in(user)
        except _Stop as stop:
            return stop.submitted
        except UntrustedServer as error:
            return self._lost("tls", str(error))
        except NoSmtpAnswer as error:
            return self._lost("no_answer", str(error))
        return self._ended(SIGNED_IN, (235, ""), False)

    def leave(self) -> None:
        """Say goodbye; what came of the message is known by then."""
        if self._connection is not None:
            self._connection.leave()
            self._connection = None

    @property
    def _smtp(self) -> BoundedSmtp:
        if self._connection is None:
            raise NoSmtpAnswer("the connection is closed")
        return self._connection

    def _open(self) -> None:
        self._connection = BoundedSmtp(self._settings)
        self._expect(self._smtp.open(), (220,))
        self._greet()
        if self._settings.security == "starttls":
            self._stage = "starttls"
            if not self._smtp.has_extn("starttls"):
                self._stop("starttls_not_offered", "the server does not offer STARTTLS")
            self._expect(self._smtp.secure(), (220,))
            self._greet()

    def _greet(self) -> None:
        self._stage = "ehlo"
        self._expect(self._smtp.greet(), (250,))

    def _sign_in(self, user: str) -> None:
        self._stage = "sign_in"
        exchange = sasl_exchange(self._settings, user, self._token, self._offered)
        for line in exchange.lines:
            for spelling in (line, *spellings(line)):
                self._mask.add(spelling)
        self._check_offered(exchange)
        reply = self._smtp.say(f"AUTH {exchange.mechanism} {exchange.initial}".strip())
        for answer in exchange.answers:
            if reply[0] != 334:
                break
            reply = self._smtp.say(answer)
        if reply[0] == 334:
            # The words of an error; an empty line ends them, and then comes the code [Google, XOAUTH2 protocol].
            self._challenge = challenge_text(reply[1])
            reply = self._smtp.say("")
        self._expect(reply, (235,))
        self._signed_in, self._challenge = True, ""

    @property
    def _offered(self) -> list[str]:
        return self._smtp.esmtp_features.get("auth", "").upper().split()

    def _check_offered(self, exchange: SaslExchange) -> None:
        offered = self._offered
        if not offered:
            if self._settings.security == "none" and self._smtp.has_extn("starttls"):
                self._stop("auth_after_tls", "the server offers AUTH only after STARTTLS")
            self._stop("auth_not_offered", "the server does not offer AUTH")
        if exchange.mechanism not in offered:
            self._stop("mechanism_not_offered", f"the server offers AUTH {' '.join(offered)}")
        if len(exchange.initial) + 32 > LONGEST_LINE:
            self._stop("token_too_long", f"the token makes a line of more than {LONGEST_LINE} octets")

    def _hand_in(self, recipient: str, content: bytes, size: str, before: Callable[[], None]) -> Submitted:
        self._stage = "mail_from"
        self._expect(self._smtp.say(f"MAIL FROM:<{self._settings.envelope_from}>{size}"), (250,))
        self._stage = "rcpt_to"
        self._expect(self._smtp.say(f"RCPT TO:<{recipient}>"), (250, 251))
        before()
        self._stage = "data"
        self._expect(self._smtp.say("DATA"), (354,))
        self._stage = "message"
        reply = self._smtp.message(content)
        self._expect(reply, (250,))
        return self._ended(ACCEPTED, reply, True)

    def _checked_size(self, length: int) -> str:
        """The parameter of MAIL (RFC 1870 section 6), once it is known that the message is not too long."""
        if not self._smtp.has_extn("size"):
            return ""
        limit = self._smtp.esmtp_features["size"].partition(" ")[0]
        # 0 says that there is no fixed limit (RFC 1870 section 4).
        if limit.isascii() and limit.isdigit() and len(limit) < 20 and 0 < int(limit) < length:
            self._stop("over_size", f"the server takes messages of {int(limit)} bytes, this one has {length}")
        return f" SIZE={length}"

    def _expect(self, reply: Reply, good: tuple[int, ...]) -> None:
        if reply[0] in good:
            return
        outcome = REFUSED if 500 <= reply[0] < 600 else UNDECIDED
        # A code that is no refusal, behind the message, may still have taken it.
        sent = None if self._stage == "message" and not 400 <= reply[0] < 600 else False
        raise _Stop(self._ended(outcome, reply, sent))

    def _stop(self, name: str, words: str) -> None:
        answer = ServiceAnswer(self._stage, None, None, self._mask.clean(words))
        raise _Stop(Submitted(NOT_SENT, False, answer, name, self._signed_in))

    def _lost(self, name: str, words: str) -> Submitted:
        """Without an answer; once the message is on its way, nobody can tell whether it was taken."""
        if self._connection is not None:
            self._connection.close()  # no goodbye to a server that does not answer
            self._connection = None
        on_its_way = self._stage == "message"
        answer = ServiceAnswer(self._stage, None, None, self._mask.clean(words))
        outcome, sent = (UNDECIDED, None) if on_its_way else (NOT_SENT, False)
        return Submitted(outcome, sent, answer, name, self._signed_in)

    def _ended(self, outcome: str, reply: Reply, sent: bool | None) -> Submitted:
        enhanced, text = enhanced_code(reply[1])
        # Each line of a reply begins with the code again (RFC 2034 section 4).
        words = " ".join(text.replace(f" {enhanced} ", " ").split()) if enhanced else text
        told = f"{words} ({' '.join(self._challenge.split())})" if self._challenge else words
        answer = ServiceAnswer(self._stage, reply[0], enhanced, self._mask.clean(told), told)
        return Submitted(outcome, sent, answer, None, self._signed_in)


@contextmanager
def smtp_dialogue(settings: SmtpSettings, token: str | None, mask: SecretMask) -> Iterator[SmtpDialogue]:
    """A dialogue that ends politely: the goodbye comes after whatever is done with what came of the message.

    :param settings: how to hand it in
    :param token: the access token, for XOAUTH2
    :param mask: takes secrets out of answers
    """
    dialogue = SmtpDialogue(settings, token, mask)
    try:
        yield dialogue
    finally:
        dialogue.leave()
