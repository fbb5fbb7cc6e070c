# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The message as it arrived: fetched back from a Maildir or over IMAP, and what the receiver wrote into its header."""

from __future__ import annotations

import email
import email.policy
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Union

from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_options import (
    SHOWN_METHODS,
    FetchSettings,
)
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.probe_message import MARK
from ansible_collections.mailroom.erp.plugins.module_utils.policy.authentication_results import (
    MethodResult,
    trusted_results,
)
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls

_INTERVAL = 1.0
"""Seconds between two looks."""
_DOMAIN = {"spf": ("smtp.mailfrom", "smtp.helo"), "dkim": ("header.d", "header.i"), "dmarc": ("header.from",)}
_NOT_PASSED = ("fail", "neutral", "policy", "permerror")
"""Results of DKIM that are no pass: for DMARC they are all the same (RFC 8601 section 2.7.1)."""
_CANNOT_TELL = ("unknown", "temperror")

Look = Callable[[str], Union[bytes, None]]
"""Gives the header of the message with this test id; None when it is not there."""


class CannotFetch(Exception):
    """The mailbox cannot be looked into; the message says why, and quotes no secret."""


class NoMailboxYet(CannotFetch):
    """There is no such mailbox; the first message that arrives may make it."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen of a message at its receiver.

    :ivar arrived: False when it was not there in time, None when nobody could look
    :ivar reason: why nothing is known; None when the header was read
    :ivar results: by method, those of the trusted server
    """

    arrived: bool | None
    reason: str | None
    results: Mapping[str, MethodResult]

    def as_dict(self, verdict: Mapping[str, str]) -> dict[str, Any]:
        """The return value ``observed``.

        :param verdict: method to result, what was foretold
        """
        shown = {method: _shown(method, self.results.get(method)) for method in SHOWN_METHODS}
        agrees, differences = compare(verdict, self.results)
        return {"arrived": self.arrived, "reason": self.reason, **shown, "agrees": agrees, "differences": differences}


def observe(fetch: FetchSettings, test_id: str, look: Look, clock: Callable[[], float] = time.monotonic) -> Observed:
    """Wait for the message, and read what its receiver wrote.

    :param fetch: whose header is trusted, and how long to wait
    :param test_id: of the message
    :param look: looks once
    :param clock: exchanged by tests
    """
    deadline = clock() + fetch.timeout
    while True:
        last = clock() >= deadline
        try:
            header = look(test_id)
        except CannotFetch as error:
            if last or not isinstance(error, NoMailboxYet):
                return Observed(None, escape_controls(str(error)), {})
            header = None
        if header is not None:
            return _read(fetch, header)
        if last:
            return Observed(False, f"it was not there after {fetch.timeout:g} seconds", {})
        time.sleep(min(_INTERVAL, max(0.01, deadline - clock())))


def _read(fetch: FetchSettings, header: bytes) -> Observed:
    results = read_results(header, fetch.authserv_id)
    reason = None if results else f"its header has no Authentication-Results of {fetch.authserv_id!r}"
    return Observed(True, reason, results)


def is_test(header: bytes, test_id: str) -> bool:
    """Whether this is the header of the message with that test id.

    :param header: of any message
    """
    if test_id.encode() not in header:
        return False
    message = email.message_from_bytes(header, policy=email.policy.compat32)
    # A service may give a message another Message-ID, and drop headers that it does not know.
    kept = {MARK: test_id, "Subject": f"Mail test {test_id}"}
    if any(str(message.get(name, "")).strip() == value for name, value in kept.items()):
        return True
    return f"-{test_id}@" in str(message.get("Message-ID", ""))


def read_results(header: bytes, authserv_id: str) -> dict[str, MethodResult]:
    """One result for each method: of several signatures one that passes, if there is one.

    :param header: of the message, as bytes
    :param authserv_id: the trusted server
    """
    message = email.message_from_bytes(header, policy=email.policy.compat32)
    values = [str(value) for value in message.get_all("Authentication-Results") or []]
    found: dict[str, MethodResult] = {}
    for one in trusted_results(values, authserv_id):
        if one.method not in found or (one.method == "dkim" and one.result == "pass"):
            found[one.method] = one
    return found


def compare(
    verdict: Mapping[str, str], results: Mapping[str, MethodResult]
) -> tuple[bool | None, list[dict[str, str]]]:
    """Compare what was foretold with what was seen.

    :param verdict: method to result; what is unknown there is not compared
    :param results: by method
    :returns: whether they agree, None when nothing could be compared; and the methods that differ
    """
    compared, differences = 0, []
    for method, foretold in verdict.items():
        seen = results.get(method)
        if seen is None or foretold in _CANNOT_TELL or seen.result in _CANNOT_TELL:
            continue
        compared += 1
        if _alike(method, foretold) != _alike(method, seen.result):
            differences.append({"method": method, "verdict": foretold, "observed": seen.result})
    return (not differences if compared else None), differences


def header_of(data: bytes) -> bytes:
    """The header of a message.

    :param data: the message, or the beginning of it
    """
    ends = [place for place in (data.find(b"\r\n\r\n"), data.find(b"\n\n")) if place >= 0]
    return data[: min(ends)] if ends else data


def newest(found: Iterable[tuple[float, bytes]]) -> bytes | None:
    """The header that came last.

    :param found: time and header
    """
    return max(found, default=(0.0, None), key=lambda one: one[0])[1]


def _alike(method: str, result: str) -> str:
    if method == "dkim" and result in _NOT_PASSED:
        return "fail"
    return "fail" if (method, result) == ("spf", "hardfail") else result


def _shown(method: str, found: MethodResult | None) -> dict[str, str | None]:
    if found is None:
        return {"result": None, "domain": None}
    values = [found.properties[name] for name in _DOMAIN[method] if found.properties.get(name)]
    domain = values[0].rpartition("@")[2].lower() if values else None
    if domain == "none":
        domain = None  # Exchange Online's word for a message that is not signed
    return {"result": escape_controls(found.result)[:40], "domain": escape_controls(domain)[:255] if domain else None}
