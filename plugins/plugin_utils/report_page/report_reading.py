# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A report read from its file, every part of it checked by the dataclasses of ``report_model``."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.typed_parts import typed_part
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.previous_report import read_previous
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import REPORT_SCHEMA, VerifyReport

SCHEMA_FILE = "docs/schema/report-1.json"


def read_report_file(file: Path) -> VerifyReport:
    """Read one report.

    :param file: JSON of the schema ``mailroom.erp/report/1``
    :raises Refused: there is none, it cannot be read, or it is something else
    """
    found = read_previous(file)
    if found.problem:
        raise Refused(report_problem(file, found.problem.removeprefix(f"{file} ")))
    if not found.data:
        raise Refused(report_problem(file, "there is no such report"))
    try:
        return report_from_data(found.data)
    except ValueError as error:
        raise Refused(report_problem(file, str(error))) from None


def report_problem(file: Path, rule: str) -> Problem:
    """What is wrong with a report.

    :param file: where it is
    :param rule: a sentence
    """
    way_out = "Make it anew with the playbook verify, or name another folder in mail_report_dir."
    return Problem("mail_report", "report", str(file), rule, SCHEMA_FILE, way_out)


def report_from_data(data: object) -> VerifyReport:
    """Make a report of plain data.

    :param data: as ``report_data`` gave it; more than the model has is passed over
    :raises ValueError: a part is missing or has another shape; the message says which
    """
    report = typed_part(VerifyReport, data)
    if report.schema != REPORT_SCHEMA:
        raise ValueError(f"schema: wanted is {REPORT_SCHEMA}")
    return report
