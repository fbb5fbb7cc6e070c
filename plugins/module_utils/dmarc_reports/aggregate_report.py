# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Aggregate reports of DMARC (RFC 9990, RFC 7489 appendix C, the drafts before), from what XML holds to typed parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Union

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import (
    LONGEST_TEXT,
    AggregateHead,
    AggregateRow,
    DkimResult,
    LeftOut,
    ReportPart,
    ReportSeries,
    SpfCheck,
    Treatment,
    UnreadableReport,
    packed,
    policy_json,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_values import (
    report_address,
    report_count,
    report_domain,
    report_name,
    report_period,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_xml import Fields, Section
from ansible_collections.mailroom.erp.plugins.module_utils.problem import shown

POLICY_TAGS = ("p", "sp", "np", "pct", "adkim", "aspf", "fo", "testing", "discovery_method")
"""What reports tell of the published policy (RFC 9990 section 3.1.1.5, RFC 7489 appendix C)."""

_MOST_BEFORE_HEAD = 1000
_MOST_RESULTS = 100
"""Results of one check in one record: RFC 9990 section 3.1.3 asks for at most 100 signatures."""

_Value = Union[str, Fields]


def aggregate_parts(sections: Iterable[Section]) -> Iterator[ReportPart]:
    """Read an aggregate report.

    :param sections: what ``feedback`` holds, in any order
    :returns: one head, then a row for each record, or why it is left out
    :raises UnreadableReport: it is not one whole report; what came so far does not count
    """
    found: dict[str, _Value] = {}
    waiting: list[ReportPart] = []
    head: AggregateHead | None = None
    for name, value in sections:
        if name == "record":
            part = _row(value)
            if head is not None:
                yield part
            elif len(waiting) < _MOST_BEFORE_HEAD:
                waiting.append(part)
            else:
                raise UnreadableReport(f"more than {_MOST_BEFORE_HEAD} records stand before its head")
        elif name in ("report_metadata", "policy_published"):
            if name in found and name == "report_metadata":
                raise UnreadableReport("it holds more than one report_metadata, so it is not one report")
            found.setdefault(name, value)
            if len(found) == 2:
                head = head or _head(found["report_metadata"], found["policy_published"])
                yield head
                yield from waiting
                waiting = []
    if head is None:
        missing = "policy_published" if "report_metadata" in found else "report_metadata"
        raise UnreadableReport(f"it has no {missing} (RFC 9990 section 3.1.1.2)")


def report_org(org: str, contact: str) -> str:
    """Tell who reports; one that does not say is known by the domain of its address.

    :raises UnreadableReport: neither is told
    """
    name = (org or contact.rpartition("@")[2].strip("<> ")).strip()
    if not name:
        raise UnreadableReport("it does not say who reports (org_name, email)")
    return name[:LONGEST_TEXT]


def _head(metadata: _Value, published: _Value) -> AggregateHead:
    told, policy = _texts(metadata), _texts(published)
    times = _texts(dict(_inside(metadata)).get("date_range", ""))
    begin, end = report_period(times.get("begin", ""), times.get("end", ""))
    report_id = told.get("report_id", "")
    if not report_id:
        raise UnreadableReport("it has no report_id, so that nobody can tell whether it was sent twice")
    contact = told.get("email", "")[:LONGEST_TEXT]
    org = report_org(told.get("org_name", ""), contact)
    tags = policy_json({tag: policy[tag][:LONGEST_TEXT].lower() for tag in POLICY_TAGS if policy.get(tag)})
    domain = report_domain(policy.get("domain", ""))
    return AggregateHead(ReportSeries(org, contact, domain, tags), report_id[:LONGEST_TEXT], begin, end)


def _row(record: _Value) -> AggregateRow | LeftOut:
    """One record; what cannot be told makes it no row."""
    row: _Value = ""
    identifiers: _Value = ""
    results: _Value = ""
    for name, value in _inside(record):
        if name == "row":
            row = value
        elif name in ("identifiers", "identities"):
            identifiers = value
        elif name == "auth_results":
            results = value
    try:
        return _joined(row, _texts(identifiers), *_results(results))
    except ValueError as error:
        return LeftOut(str(error))


def _joined(
    row: _Value, names: dict[str, str], signatures: tuple[DkimResult, ...], checks: tuple[SpfCheck, ...]
) -> AggregateRow:
    source = count = ""
    evaluated: dict[str, str] = {}
    for name, value in _inside(row):
        if name == "policy_evaluated":
            evaluated = _texts(value)
        elif isinstance(value, str):
            source, count = (value, count) if name == "source_ip" else (source, value if name == "count" else count)
    dkim, spf = aligned_results(evaluated.get("dkim", ""), evaluated.get("spf", ""))
    treatment = Treatment(
        evaluated.get("disposition", "").lower()[:20] or "none",
        dkim,
        spf,
        report_name(names.get("header_from", "")),
        report_name(names.get("envelope_from", "") or spf_envelope(checks)),
        packed(signatures),
        packed(checks),
    )
    return AggregateRow(report_address(source), report_count(count), treatment)


def aligned_results(dkim: str, spf: str) -> tuple[str, str]:
    """Read the aligned results of a record; a result that is missing can be told only if the other one passed.

    :returns: each pass or fail
    :raises ValueError: whether the messages passed cannot be told; the message is the reason
    """
    dkim, spf = dkim.lower(), spf.lower()
    if not (dkim and spf) and "pass" not in (dkim, spf):
        raise ValueError(f"policy_evaluated does not tell both results: dkim {shown(dkim)}, spf {shown(spf)}")
    return "pass" if dkim == "pass" else "fail", "pass" if spf == "pass" else "fail"


def spf_envelope(checks: Iterable[SpfCheck]) -> str:
    """The domain of the envelope as SPF saw it, for reports that tell it there only; empty when they do not."""
    return next((one.domain for one in checks if one.scope != "helo"), "")


def _results(auth_results: _Value) -> tuple[tuple[DkimResult, ...], tuple[SpfCheck, ...]]:
    signatures: list[DkimResult] = []
    checks: list[SpfCheck] = []
    for name, value in _inside(auth_results):
        told = _texts(value) if name in ("dkim", "spf") else {}
        domain = told.get("domain")
        if not domain:
            continue
        result = told.get("result", "").lower()[:20] or "none"
        if name == "dkim":
            signatures.append(DkimResult(report_name(domain), told.get("selector", "").lower()[:LONGEST_TEXT], result))
        else:
            checks.append(SpfCheck(report_name(domain), told.get("scope", "").lower()[:20], result))
    return tuple(signatures[:_MOST_RESULTS]), tuple(checks[:_MOST_RESULTS])


def _inside(value: _Value) -> Fields:
    return [] if isinstance(value, str) else value


def _texts(value: _Value) -> dict[str, str]:
    """The texts that an element holds, by name; of two with one name the first."""
    found: dict[str, str] = {}
    for name, inner in _inside(value):
        if isinstance(inner, str) and name not in found:
            found[name] = inner
    return found
