# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The pages of a folder of reports: index.html of report.json, customers/NAME.html of customers/NAME.json."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.html_page import html_report
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.report_reading import (
    read_report_file,
    report_problem,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.customer_reports import customer_report_file
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import VerifyReport


def report_pages(folder: Path, language: str, customer: str | None = None) -> dict[str, str]:
    """Make all pages of one run.

    :param folder: with report.json, and customers/ when the inventory names customers
    :param language: of the pages
    :param customer: for whom the run was: no other report is read, and no other page is made
    :returns: the pages by their path in the folder
    :raises Refused: a report is missing, is none, or is of another run or customer; all that is wrong is told together
    """
    if customer is not None:
        file = customer_report_file(folder, customer)
        own = read_report_file(file)
        if own.customer != customer:
            raise Refused(_not_of(file, customer))
        return {f"customers/{file.stem}.html": html_report(own, language)}
    report = read_report_file(folder / "report.json")
    pages, problems = {"index.html": html_report(report, language)}, []
    for one in report.customers:
        file = customer_report_file(folder, one.name)
        try:
            own = read_report_file(file)
        except Refused as refused:
            problems += refused.problems
            continue
        problems += _strange(file, own, report, one.name)
        pages[f"customers/{file.stem}.html"] = html_report(own, language)
    if problems:
        raise Refused(problems)
    return pages


def _strange(file: Path, own: VerifyReport, report: VerifyReport, customer: str) -> Iterator[Problem]:
    """A page with a wrong name on it would go to the wrong people."""
    if own.customer != customer:
        yield _not_of(file, customer)
    # a run for this customer alone may have come later
    if own.made < report.made:
        yield report_problem(file, f"it was made on {own.made}, and the report on all on {report.made}")


def _not_of(file: Path, customer: str) -> Problem:
    return report_problem(file, f"it is not the report of the customer {customer}")
