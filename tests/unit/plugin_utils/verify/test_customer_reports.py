# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of one customer has what is its own, and nothing of another one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.declared_customers import customer_file_stem
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.customer_reports import (
    customer_report,
    only_report,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import (
    VerifyReport,
    report_data,
)
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.verify.sample_report import sample_report

NAMES = {
    "Bakkerij Jansen": ("jansen_compad", "jansen.example"),
    "De Vries": ("vries_profit", "vries_shop", "vries.example", "vries-shop.example"),
    "Klaas & Co": ("klaas_profit", "klaas.example"),
}


def gossip() -> VerifyReport:
    """A report in which every text names every customer."""
    report = sample_report()
    every = " ".join(
        f"{name}, {' and '.join(f'erp@{own}, sub.{own}.' for own in names)}" for name, names in NAMES.items()
    )
    todo = tuple(replace(one, text=f"{one.text}: {every}", step=every, ask=every) for one in report.todo)
    domains = tuple(replace(one, failure=every) for one in report.domains)
    hosts = tuple(replace(one, refused=(every,), confirmations=(every,)) for one in report.environments)
    shared = replace(report.calendar[0], environments=tuple(one.name for one in hosts))
    return replace(report, todo=todo, domains=domains, environments=hosts, calendar=(shared, *report.calendar))


@pytest.mark.parametrize("customer", NAMES)
@pytest.mark.parametrize("report", [sample_report(), gossip()], ids=["as it is", "gossip"])
def test_a_customer_reads_no_name_of_another(report: VerifyReport, customer: str) -> None:
    text = json.dumps(report_data(customer_report(report, customer, {})), ensure_ascii=False)
    assert all(own in text for own in NAMES[customer])
    others = [name for other, names in NAMES.items() if other != customer for name in (other, *names)]
    assert [name for name in others if name in text] == []


def test_a_customer_gets_no_command_and_no_figures_of_all() -> None:
    found = customer_report(sample_report(), "Bakkerij Jansen", {})
    assert [one.command for one in found.todo] == [None, None] and found.customers == ()
    assert found.domains[0].records[0].restore is None and found.state == "attention"


def test_what_changed_is_what_changed_for_this_customer() -> None:
    before = report_data(customer_report(sample_report(), "De Vries", {}))
    before["environments"][0]["senders"][0]["verdict"] = "pass"
    found = customer_report(sample_report(), "De Vries", before)
    (only,) = found.changed
    assert (only.what, only.before, only.after) == ("sender", "pass", "fail") and found.previous == before["made"]


def test_two_names_never_share_a_file() -> None:
    names = [
        "acme",
        "Acme",
        "acme!",
        "../acme",
        "acme/..",
        "",
        "  ",
        "é",
        "è",
        "a" * 200,
        "a" * 201,
        "\ud800",
        "\\ud800",
    ]
    stems = [customer_file_stem(name) for name in names]
    assert len(set(stems)) == len(names) and stems[0] == "acme"
    assert all(stem and set(stem) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for stem in stems)


def test_a_run_for_one_customer_keeps_what_could_not_be_found_out() -> None:
    sample = sample_report()
    found = only_report(sample, "De Vries", {"made": "2026-11-01T00:00:00Z"})
    assert (found.customer, found.customers, found.unknown) == ("De Vries", (), sample.unknown)
    assert {one.customers for one in found.domains} == {("De Vries",)}
    assert {one.command for one in found.todo} == {None}
    assert {record.restore for one in found.domains for record in one.records} == {None}
