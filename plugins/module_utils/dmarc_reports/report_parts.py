# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What receivers report, as data: aggregate reports of DMARC and reports of TLS. Times are seconds since 1970, UTC."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple, Union

LONGEST_TEXT = 300
"""Longer texts of a report are cut: a domain name has 253 bytes (RFC 1035 section 2.3.4)."""

_FIELD, _ITEM = "\x1f", "\x1e"
"""ASCII's own separators, which no text of a report holds."""


class UnreadableReport(Exception):
    """A report cannot be used; the message is the reason, for people."""


class UnprovenReport(UnreadableReport):
    """The server that took the message of a report did not find that its author sent it."""


class DkimResult(NamedTuple):
    """One signature that a receiver saw; ``selector`` is empty when the report does not tell it."""

    domain: str
    selector: str
    result: str


class SpfCheck(NamedTuple):
    """One SPF check of a receiver; ``scope`` is mfrom or helo, empty when the report does not tell it."""

    domain: str
    scope: str
    result: str


class ReportSeries(NamedTuple):
    """What the reports of one reporter on one domain have in common while nothing of it changes. ``policy`` is the
    published policy as :func:`policy_json` writes it. ``mailed_by`` is the domain in From of the message that a report
    came in, empty when it came in none."""

    org: str
    contact: str
    domain: str
    policy: str
    mailed_by: str = ""


class AggregateHead(NamedTuple):
    """Who reports on which domain and period. ``note`` is what a person should know of the times, else empty."""

    series: ReportSeries
    report_id: str
    begin: int
    end: int
    note: str = ""


class Treatment(NamedTuple):
    """What a receiver saw of messages and did with them, which is the same for many. ``dkim`` and ``spf`` are the
    aligned results, pass or fail; ``signatures`` and ``spf_checks`` are as :func:`packed` writes them. All are texts:
    Python works out once which place a text has in a table, but that of a tuple each time."""

    disposition: str
    dkim: str
    spf: str
    header_from: str
    envelope_from: str
    signatures: str
    spf_checks: str


class AggregateRow(NamedTuple):
    """Messages of one source that were treated alike."""

    source: str
    messages: int
    treatment: Treatment


class LeftOut(NamedTuple):
    """A record of a report that cannot be used, and why."""

    reason: str


class TlsHead(NamedTuple):
    """Who reports on TLS, and on which period (RFC 8460 section 4.4)."""

    org: str
    contact: str
    report_id: str
    begin: int
    end: int


class TlsFailure(NamedTuple):
    """Sessions that failed in one way."""

    result_type: str
    mx: str
    reason: str
    sessions: int


class TlsPolicyResult(NamedTuple):
    """What a reporter saw of the sessions under one policy of one domain."""

    domain: str
    policy_type: str
    successful: int
    failed: int
    failures: tuple[TlsFailure, ...]


def policy_json(policy: Mapping[str, str]) -> str:
    """A published policy as an archive keeps it: JSON of its tags and values, what was not told left out."""
    return json.dumps(policy)


def packed(results: Iterable[DkimResult] | Iterable[SpfCheck]) -> str:
    """Make one text of the results of a check, as an archive keeps them."""
    return _ITEM.join([_FIELD.join(one) for one in results])


@lru_cache(maxsize=4096)
def unpacked_signatures(text: str) -> tuple[DkimResult, ...]:
    """The signatures in what :func:`packed` made."""
    return tuple(DkimResult(*one.split(_FIELD)) for one in text.split(_ITEM)) if text else ()


@lru_cache(maxsize=4096)
def unpacked_checks(text: str) -> tuple[SpfCheck, ...]:
    """The SPF checks in what :func:`packed` made."""
    return tuple(SpfCheck(*one.split(_FIELD)) for one in text.split(_ITEM)) if text else ()


ReportPart = Union[AggregateHead, AggregateRow, LeftOut, TlsHead, TlsPolicyResult]
"""Reports are read as streams of parts: a head, then what it reports."""
