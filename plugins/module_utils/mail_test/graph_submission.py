# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One message over Microsoft Graph: sendMail with the message as MIME, so that it keeps the Message-ID it was given."""

from __future__ import annotations

import base64
import time
import urllib.parse
import uuid
from collections.abc import Callable
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Pace
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import said_by_graph
from ansible_collections.mailroom.erp.plugins.module_utils.entra.http import ANSWER_TIMEOUT, Http
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import require
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.service_answer import (
    ACCEPTED,
    NOT_SENT,
    REFUSED,
    UNDECIDED,
    SecretMask,
    ServiceAnswer,
    Submitted,
)
from ansible_collections.mailroom.erp.plugins.module_utils.retry_after import read_retry_after

STAGE = "send_mail"
_MOST_BYTES = 64 * 1024
"""Of the body of an error."""
_MOST_TRIES = 20
_THROTTLED = 429
_NOT_THERE = frozenset({"ConnectTimeout", "NewConnectionError", "SSLError", "ProxyError", "NameResolutionError"})
"""Without a connection, nothing has been sent."""


class MailGraph:
    """sendMail of one tenant, with one token.

    :param http: what requests are sent with
    :param url: of Graph, without version
    :param token: the access token
    :param pace: how long throttling is waited for
    :param mask: takes secrets out of answers
    """

    def __init__(self, http: Http, url: str, token: str, pace: Pace, mask: SecretMask) -> None:
        self._http, self._root, self._token, self._pace, self._mask = http, f"{url}/v1.0/", token, pace, mask
        mask.add(token)
        self._no_answer: type[Exception] = require("requests").RequestException

    def submit(self, mailbox: str, content: bytes, before: Callable[[], None]) -> Submitted:
        """Hand the message in. Only throttling is waited for: that request was not done.

        :param mailbox: the address or the id of the user who sends
        :param content: the message, with CRLF
        :param before: called once, just before the first request; what it raises ends everything
        :returns: what came of it
        """
        before()
        deadline = self._pace.clock() + self._pace.timeout
        for attempt in range(_MOST_TRIES):
            try:
                answer = self._send(mailbox, content)
            except self._no_answer as reason:
                return self._lost(reason)
            wait = self._wait(answer, attempt)
            if wait is None or self._pace.clock() + wait > deadline or attempt + 1 == _MOST_TRIES:
                return self._told(answer)
            answer.close()
            self._pace.sleep(wait)
        raise AssertionError("unreachable")

    def _send(self, mailbox: str, content: bytes) -> Any:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "text/plain",
            "client-request-id": str(uuid.uuid4()),
        }
        url = f"{self._root}users/{urllib.parse.quote(mailbox, safe='@')}/sendMail"
        return self._http.begin("POST", url, data=base64.b64encode(content), headers=headers)

    def _wait(self, answer: Any, attempt: int) -> float | None:
        """Seconds until the next try; None for an answer that counts."""
        if answer.status_code != _THROTTLED:
            return None
        asked = read_retry_after(answer.headers.get("Retry-After"))
        return self._pace.poll_interval * min(2**attempt, 60) if asked is None else max(asked, self._pace.poll_interval)

    def _told(self, answer: Any) -> Submitted:
        status = answer.status_code
        code, message = said_by_graph(self._body(answer))
        words = message or str(answer.reason or "")
        told = ServiceAnswer(
            STAGE,
            status,
            self._mask.clean(code) if code else None,
            self._mask.clean(words),
            words,
        )
        if status == 202:
            return Submitted(ACCEPTED, True, told, signed_in=True)
        if 400 <= status < 500 and status not in (408, _THROTTLED):
            return Submitted(REFUSED, False, told, signed_in=True)
        # What is neither done nor refused may have been done all the same.
        return Submitted(UNDECIDED, False if status == _THROTTLED else None, told, signed_in=True)

    def _body(self, answer: Any) -> bytes:
        """The body of an answer, as far as it comes in time."""
        body, deadline = bytearray(), time.monotonic() + ANSWER_TIMEOUT
        try:
            for piece in answer.iter_content(1):
                body += piece
                if len(body) >= _MOST_BYTES or time.monotonic() > deadline:
                    break
        except self._no_answer:
            pass
        finally:
            answer.close()
        return bytes(body)

    def _lost(self, reason: Exception) -> Submitted:
        """There was no answer; the error's own words may quote what was sent, so only its kind is told."""
        kinds = {type(reason).__name__, *(type(inner).__name__ for inner in _reasons(reason))}
        answer = ServiceAnswer(STAGE, None, None, f"no answer: {type(reason).__name__}")
        if kinds & _NOT_THERE:
            return Submitted(NOT_SENT, False, answer, "graph_unreachable")
        return Submitted(UNDECIDED, None, answer, "graph_unreachable")


def _reasons(error: BaseException) -> list[BaseException]:
    found = [getattr(one, "reason", None) for one in error.args]
    return [one for one in found if isinstance(one, BaseException)]
