# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report's data, its schema and its sample."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.tools import report_schema
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.verify import sample_report
from jsonschema import Draft202012Validator


def _errors(data: Any) -> list[str]:
    validator = Draft202012Validator(json.loads(report_schema.FILE.read_text()))
    return [error.message for error in validator.iter_errors(data)]


def test_the_schema_in_docs_is_that_of_the_dataclasses() -> None:
    assert report_schema.FILE.read_text() == report_schema.schema_text()


def test_the_sample_in_its_file_is_what_the_code_makes_and_keeps_the_schema() -> None:
    assert sample_report.FILE.read_text() == sample_report.sample_text()
    assert _errors(json.loads(sample_report.sample_text())) == []


@pytest.mark.parametrize(("name", "value"), [("schema", "mailroom.erp/report/2"), ("state", "good"), ("todo", None)])
def test_what_is_no_report_breaks_the_schema(name: str, value: object) -> None:
    assert _errors({**json.loads(sample_report.sample_text()), name: value})


def test_the_words_of_python_do_not_show() -> None:
    data = json.loads(sample_report.sample_text())
    assert data["domains"][0]["dmarc"]["days"][0] == {"day": "2026-11-01", "pass": 41, "fail": 1}
