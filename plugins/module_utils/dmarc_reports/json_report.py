# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Reports that are JSON: TLS reports (RFC 8460), and what parsedmarc has made of reports."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.aggregate_report import (
    POLICY_TAGS,
    aligned_results,
    report_org,
    spf_envelope,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import (
    LONGEST_TEXT,
    AggregateHead,
    AggregateRow,
    DkimResult,
    LeftOut,
    ReportPart,
    ReportSeries,
    SpfCheck,
    TlsFailure,
    TlsHead,
    TlsPolicyResult,
    Treatment,
    UnreadableReport,
    packed,
    policy_json,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_values import (
    check_period,
    report_address,
    report_count,
    report_domain,
    report_name,
)
from ansible_collections.mailroom.erp.plugins.module_utils.problem import shown

_NO_ZONE = "parsedmarc tells its times without a time zone; they were taken as UTC"
_MOST_PARTS = 100_000


def json_reports(item: object) -> Iterator[Iterator[ReportPart]]:
    """Find the reports in one value of JSON.

    :param item: one TLS report, one report as parsedmarc writes it, or the results of a run of parsedmarc
    :returns: each report as a stream of parts, which may raise :class:`UnreadableReport` while it is read
    :raises UnreadableReport: it is none of these
    """
    if isinstance(item, Mapping):
        if "report_metadata" in item:
            return iter([_safely(_parsedmarc_parts(item))])
        if "organization-name" in item or "organization_name" in item:
            return iter([_safely(_tls_parts({key.replace("_", "-"): value for key, value in item.items()}))])
        kinds = [item.get(kind) for kind in ("aggregate_reports", "smtp_tls_reports")]
        if any(isinstance(kind, list) for kind in kinds):
            return (one for kind in kinds if isinstance(kind, list) for inner in kind for one in json_reports(inner))
    raise UnreadableReport("it is JSON, but neither a TLS report (RFC 8460) nor a report as parsedmarc writes it")


def _safely(parts: Iterator[ReportPart]) -> Iterator[ReportPart]:
    """Whatever has another shape than it should is a reason."""
    try:
        yield from parts
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise UnreadableReport(f"a part of it is missing or is not of its type: {str(error)[:100]}") from None


# --- TLS reports -----------------------------------------------------------------------------------------------------


def _tls_parts(report: Mapping[str, Any]) -> Iterator[ReportPart]:
    dates = report.get("date-range")
    begin, end = (
        (dates["start-datetime"], dates["end-datetime"])
        if isinstance(dates, Mapping)
        else (report["begin-date"], report["end-date"])
    )
    start, stop = _seconds(begin), _seconds(end)
    check_period(start, stop)
    contact = _text(report.get("contact-info"))
    org, report_id = report_org(_text(report["organization-name"]), contact), _text(report.get("report-id"))
    if not report_id:
        raise UnreadableReport("it has no report-id, so that nobody can tell whether it was sent twice")
    yield TlsHead(org, contact, report_id, start, stop)
    for policy in _listed(report["policies"]):
        yield _tls_policy({key.replace("_", "-"): value for key, value in policy.items()})


def _tls_policy(policy: Mapping[str, Any]) -> TlsPolicyResult | LeftOut:
    # parsedmarc has laid the inner dictionaries of the standard flat
    named, counts = policy.get("policy", policy), policy.get("summary", policy)
    try:
        return TlsPolicyResult(
            report_domain(_text(named.get("policy-domain"))),
            _text(named.get("policy-type")).lower(),
            _sessions(counts, "total-successful-session-count", "successful-session-count"),
            _sessions(counts, "total-failure-session-count", "failed-session-count"),
            tuple(_tls_failure(one) for one in _listed(policy.get("failure-details") or [])),
        )
    except (UnreadableReport, ValueError) as error:
        return LeftOut(str(error))


def _tls_failure(given: Mapping[str, Any]) -> TlsFailure:
    details = {key.replace("_", "-"): value for key, value in given.items()}
    return TlsFailure(
        _text(details.get("result-type")).lower(),
        report_name(_text(details.get("receiving-mx-hostname"))),
        _text(details.get("failure-reason-code")),
        _sessions(details, "failed-session-count", "failed-session-count"),
    )


def _sessions(counts: Mapping[str, Any], name: str, other: str) -> int:
    return report_count(_number(counts[name] if name in counts else counts[other]))


# --- what parsedmarc writes ------------------------------------------------------------------------------------------


def _parsedmarc_parts(report: Mapping[str, Any]) -> Iterator[ReportPart]:
    told, published, records = report["report_metadata"], report["policy_published"], _listed(report["records"])
    begin, end, note = _parsedmarc_period(told, records)
    check_period(begin, end)
    contact = _text(told.get("org_email"))
    org, report_id = report_org(_text(told.get("org_name")), contact), _text(told.get("report_id"))
    if not report_id:
        raise UnreadableReport("it has no report_id, so that nobody can tell whether it was sent twice")
    policy = policy_json({tag: _text(published[tag]).lower() for tag in POLICY_TAGS if published.get(tag)})
    domain = report_domain(_text(published.get("domain")))
    yield AggregateHead(ReportSeries(org, contact, domain, policy), report_id, begin, end, note)
    for record in records:
        try:
            yield _parsedmarc_row(record)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            yield LeftOut(f"a part of it is missing or wrong: {str(error)[:100]}")


def _parsedmarc_period(told: Mapping[str, Any], records: Iterable[Mapping[str, Any]]) -> tuple[int, int, str]:
    """The period of a report. parsedmarc gives the times of records in UTC, those of the report as its machine has
    them; records of long reports it cuts at days, so that theirs are no longer the reporter's."""
    first = next(iter(records), {})
    if first.get("interval_begin") and first.get("normalized_timespan") is False:
        return _seconds(first["interval_begin"]), _seconds(first["interval_end"]), ""
    return _seconds(told["begin_date"]), _seconds(told["end_date"]), _NO_ZONE


def _parsedmarc_row(record: Mapping[str, Any]) -> AggregateRow:
    evaluated, names, results = record["policy_evaluated"], record["identifiers"], record["auth_results"]
    checks = tuple(
        SpfCheck(report_name(_text(one["domain"])), _text(one.get("scope")), _text(one.get("result")))
        for one in _listed(results.get("spf") or [])
    )
    dkim, spf = aligned_results(_text(evaluated.get("dkim")), _text(evaluated.get("spf")))
    treatment = Treatment(
        _text(evaluated.get("disposition")).lower() or "none",
        dkim,
        spf,
        report_name(_text(names.get("header_from"))),
        report_name(_text(names.get("envelope_from")) or spf_envelope(checks)),
        packed(_signature(one) for one in _listed(results.get("dkim") or [])),
        packed(checks),
    )
    source, count = _text(record["source"]["ip_address"]), _number(record["count"])
    return AggregateRow(report_address(source), report_count(count), treatment)


def _signature(result: Mapping[str, Any]) -> DkimResult:
    # parsedmarc writes "none" where the report has no selector
    selector = _text(result.get("selector")).lower()
    return DkimResult(
        report_name(_text(result["domain"])), "" if selector == "none" else selector, _text(result.get("result"))
    )


# --- values ----------------------------------------------------------------------------------------------------------


def _seconds(value: object) -> int:
    """A time as ISO 8601, or as parsedmarc writes it; one without a time zone is taken as UTC."""
    try:
        text = _text(value)
        found = datetime.datetime.fromisoformat(text[:-1] + "+00:00" if text[-1:] in ("Z", "z") else text)
        aware = found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
        return int(aware.timestamp())
    except (ValueError, OverflowError):
        raise UnreadableReport(f"{shown(str(value)[:LONGEST_TEXT])} is no time (RFC 8460 section 4.4)") from None


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"{json.dumps(value, default=str)[:50]} is no text")
    return "".join(filter(str.isprintable, value[:LONGEST_TEXT])).strip()


def _number(value: object) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)


def _listed(value: object) -> list[Any]:
    if not isinstance(value, list) or len(value) > _MOST_PARTS or not all(isinstance(one, Mapping) for one in value):
        raise TypeError("a list of objects is something else, or too long")
    return value
