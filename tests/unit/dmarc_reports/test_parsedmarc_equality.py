# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our reader of reports and parsedmarc's, number by number: on reports of these tests, and on parsedmarc's own samples.

parsedmarc brings some fifty packages, so it has a Python of its own, which PARSEDMARC_PYTHON names; ``make
benchmark-reports`` makes one. Its samples are in no package: PARSEDMARC_SAMPLES names the folder of a checkout.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_files import ReportItem, report_items
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_intake import report_key
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import (
    AggregateHead,
    AggregateRow,
    TlsHead,
    TlsPolicyResult,
    UnreadableReport,
    unpacked_checks,
    unpacked_signatures,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_values import iso_time
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import (
    BEGIN,
    DAY,
    TLS_REPORT,
    packed_message,
    report_text,
)
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.test_report_contents import FULL

SIDE = Path(__file__).parents[2] / "benchmarks" / "parsedmarc_side.py"
PYTHON, SAMPLES = os.environ.get("PARSEDMARC_PYTHON", ""), os.environ.get("PARSEDMARC_SAMPLES", "")

needs_parsedmarc = pytest.mark.skipif(not PYTHON, reason="PARSEDMARC_PYTHON names no Python that has parsedmarc")

Figures = dict[str, Any]

_FULL = {
    "source": "parsedmarc keeps an IPv6 address as it is spelled, and an IPv4 address inside of one",
    "together": "so do these",
    "envelope_from": "parsedmarc takes the name of a greeting (scope helo) for an envelope",
}
DIFFERENCES = {
    **dict.fromkeys(("full.xml", "message.eml", "namespace.xml"), _FULL),
    "invalid_utf_8.xml": {"header_from": "parsedmarc leaves a byte out, which makes another name of it; ours shows it"},
    "invalid_xml.xml": {"header_from": "parsedmarc loses the name; ours takes the < in it for text"},
}
"""Where the two differ, by sample and field, and why."""
NO_REPORTS = {"LICENSE", "README.md"}


def theirs(files: list[Path]) -> list[Any]:
    """What parsedmarc makes of files."""
    command = [PYTHON, str(SIDE), "parse", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "TZ": "UTC"})
    found: list[Any] = json.loads(done.stdout)
    return found


def figures_of_theirs(report: Any) -> Figures:
    """The figures of a report as parsedmarc has it; what it has cut at days is put together again."""
    if "policies" in report:
        return {
            "begin": report["begin_date"],
            "end": report["end_date"],
            "sessions": [
                (one["policy_domain"], one["policy_type"], one["successful_session_count"], one["failed_session_count"])
                for one in report["policies"]
            ],
            "failures": sorted(
                (one["result_type"], one["failed_session_count"])
                for policy in report["policies"]
                for one in policy.get("failure_details", [])
            ),
        }
    head, policy = report["report_metadata"], report["policy_published"]
    figures: Figures = {
        "report_id": head["report_id"],
        "begin": head["begin_date"].replace(" ", "T") + "Z",
        "end": head["end_date"].replace(" ", "T") + "Z",
        "domain": policy["domain"].lower(),
        "policy": [policy["p"], policy["sp"], policy["np"], policy["pct"], policy["fo"], policy["testing"]],
    }
    return figures | columns(
        (
            one["source"]["ip_address"],
            one["count"],
            one["policy_evaluated"]["disposition"],
            one["alignment"]["dkim"],
            one["alignment"]["spf"],
            one["identifiers"]["header_from"].rstrip("."),
            (one["identifiers"]["envelope_from"] or "").lower(),
            [
                (result["domain"], result["selector"].replace("none", ""), result["result"])
                for result in one["auth_results"]["dkim"]
            ],
            [(result["domain"], result["result"]) for result in one["auth_results"]["spf"]],
        )
        for one in report["records"]
    )


def figures_of_ours(file: Path) -> Figures | None:
    """The same of ours; None when there is no report."""
    (item,) = report_items([str(file)])
    assert isinstance(item, ReportItem)
    try:
        ((_label, parts),) = item.reports()
        head, *rows = parts
    except UnreadableReport:
        return None
    assert isinstance(head, (AggregateHead, TlsHead))
    period = {"begin": iso_time(head.begin), "end": iso_time(head.end)}
    if isinstance(head, TlsHead):
        policies = [one for one in rows if isinstance(one, TlsPolicyResult)]
        return period | {
            "sessions": [(one.domain, one.policy_type, one.successful, one.failed) for one in policies],
            "failures": sorted((one.result_type, one.sessions) for policy in policies for one in policy.failures),
        }
    tags = json.loads(head.series.policy)
    sp = tags.get("sp", tags.get("p"))  # parsedmarc fills it in
    policy = [tags.get("p"), sp, *map(tags.get, ("np", "pct", "fo", "testing"))]
    figures = {"report_id": report_key(head.report_id), **period, "domain": head.series.domain, "policy": policy}
    return figures | columns(
        (
            one.source,
            one.messages,
            one.treatment.disposition,
            one.treatment.dkim == "pass",
            one.treatment.spf == "pass",
            one.treatment.header_from,
            one.treatment.envelope_from,
            list(unpacked_signatures(one.treatment.signatures)),
            [(result.domain, result.result) for result in unpacked_checks(one.treatment.spf_checks)],
        )
        for one in rows
        if isinstance(one, AggregateRow)
    )


COLUMNS = ("source", "disposition", "dkim", "spf", "header_from", "envelope_from", "signatures", "checks")


def columns(rows: Any) -> Figures:
    """The messages of rows by each of their columns, and by all together."""
    counted: dict[str, Counter[str]] = {name: Counter() for name in (*COLUMNS, "together")}
    for source, messages, *values in rows:
        row = [source, *values]
        for name, value in zip(COLUMNS, row, strict=True):
            counted[name][str(list(map(tuple, value)) if isinstance(value, list) else value)] += messages
        counted["together"][str(row[:4])] += messages
    return {name: dict(sorted(counter.items())) for name, counter in counted.items()}


def compare(files: list[Path]) -> int:
    """Compare all files; gives how many reports there were."""
    reports = 0
    for file, report in zip(files, theirs(files), strict=True):
        ours = figures_of_ours(file)
        if report is None:
            assert ours is None, file.name
            continue
        expected = figures_of_theirs(report)
        assert ours is not None, file.name
        apart = {name for name in expected if ours[name] != expected[name]}
        assert apart == set(DIFFERENCES.get(file.name, {})), (
            file.name,
            {one: (ours[one], expected[one]) for one in apart},
        )
        reports += 1
    return reports


@needs_parsedmarc
def test_reports_of_these_tests_have_the_same_figures(tmp_path: Path) -> None:
    rows = [{"source": f"192.0.2.{number}", "count": number, "passed": (number % 2 == 0, number % 3 == 0)}
            for number in range(1, 200)]  # fmt: skip
    texts: dict[str, str | bytes] = {
        "full.xml": FULL,
        "many.xml": report_text(*rows),
        "long.xml": report_text({"count": 17}, begin=BEGIN, end=BEGIN + 5 * DAY),
        "packed.xml.gz": gzip.compress(report_text(*rows).encode()),
        "message.eml": packed_message(FULL),
        "namespace.xml": FULL.replace("<feedback>", '<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">'),
        "tls.json": json.dumps(TLS_REPORT),
        "cut.xml.gz": gzip.compress(FULL.encode())[:-30],
        "empty.xml": "",
        "html.xml": "<html/>",
    }
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    assert compare(sorted(tmp_path.iterdir())) == 7


@needs_parsedmarc
@pytest.mark.skipif(not SAMPLES, reason="PARSEDMARC_SAMPLES names no folder of parsedmarc's samples")
def test_samples_of_parsedmarc_have_the_same_figures() -> None:
    files = sorted(file for file in Path(SAMPLES).rglob("*") if file.is_file() and file.name not in NO_REPORTS)
    wanted = [
        file for file in files if file.parent.name in ("aggregate", "aggregate_invalid", "extract_report", "smtp_tls")
    ]
    assert compare(wanted) >= 20
