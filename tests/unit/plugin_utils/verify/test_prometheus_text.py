# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures for Prometheus, read by the parser of its own client."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.prometheus_text import prometheus_text
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import VerifyReport
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.verify.sample_report import sample_report
from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(report: VerifyReport) -> Samples:
    families = list(text_string_to_metric_families(prometheus_text(report)))
    assert all(one.documentation and one.type == "gauge" for one in families)
    return {(one.name, tuple(one.labels.items())): one.value for family in families for one in family.samples}


def test_the_parser_reads_every_figure() -> None:
    found = read(sample_report())
    assert found["mailroom_todo", (("risk", "drift"),)] == 1
    assert found["mailroom_records", (("state", "refused"),)] == 0, "what is none is told too"
    assert found["mailroom_environments", (("state", "failing"),)] == 1
    assert found["mailroom_spf_lookups", (("domain", "vries.example"),)] == 11
    assert found["mailroom_domain_drifted_records", (("domain", "jansen.example"),)] == 1
    assert found["mailroom_last_run_timestamp_seconds", ()] == 1795922100
    (days,) = [value for (name, _labels), value in found.items() if name == "mailroom_secret_days_left"]
    assert days == 10


def test_odd_names_come_back_as_they_are() -> None:
    odd = 'a"b\\c\nd{}=, é'
    report = sample_report()
    domains = (replace(report.domains[0], name=odd),)
    assert ("mailroom_spf_lookups", (("domain", odd),)) in read(replace(report, domains=domains))


def test_an_empty_estate_is_read_too() -> None:
    report = replace(sample_report(), environments=(), domains=(), todo=())
    assert read(report)["mailroom_domains", (("state", "fine"),)] == 0
