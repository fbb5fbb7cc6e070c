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
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.customer_reports import customer_file_stem
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import VerifyReport


def report_pages(folder: Path, language: str) -> dict[str, str]:
    """Make all pages of one run.

    :param folder: with report.json, and customers/ when the inventory names customers
    :param language: of the pages
    :returns: the pages by their path in the folder
    :raises Refused: a report is missing, is none, or is of another run or customer; all that is wrong is told together
    """
    report = read_report_file(folder / "report.json")
    pages, problems = {"index.html": html_report(report, language)}, []
    for one in report.customers:
        path = f"customers/{customer_file_stem(one.name)}"
        file = folder / f"{path}.json"
        try:
            own = read_report_file(file)
        except Refused as refused:
            problems += refused.problems
            continue
        problems += _strange(file, own, report, one.name)
        pages[f"{path}.html"] = html_report(own, language)
    if problems:
        raise Refused(problems)
    return pages


def _strange(file: Path, own: VerifyReport, report: VerifyReport, customer: str) -> Iterator[Problem]:
    """A page with a wrong name on it would go to the wrong people."""
    if own.customer != customer:
        yield report_problem(file, f"it is not the report of the customer {customer}")
    if own.made != report.made:
        yield report_problem(file, f"it was made on {own.made}, and the report on all on {report.made}")
