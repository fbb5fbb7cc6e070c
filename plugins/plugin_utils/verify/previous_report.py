# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The report of the last run, read back. Nothing in it is trusted: what has another shape counts as absent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.regular_file import read_regular
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import REPORT_SCHEMA

_LARGEST = 256_000_000
"""Bytes of a report that is read: thousands of domains make a tenth of it."""

ReportData = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PreviousReport:
    """The report as plain data, empty without one. ``problem``: why it cannot be used, None when nothing is wrong."""

    data: ReportData = field(default_factory=dict)
    problem: str | None = None

    @property
    def made(self) -> str | None:
        """When the last run was."""
        return text_in(self.data, "made")

    @property
    def domains(self) -> dict[str, ReportData]:
        """Its domains by name."""
        return {name: one for one in rows_in(self.data, "domains") if (name := text_in(one, "name"))}


def read_previous(file: Path) -> PreviousReport:
    """Read the report of the last run.

    :param file: it need not exist
    """
    try:
        if file.stat().st_size > _LARGEST:
            return PreviousReport(problem=f"{file} has more than {_LARGEST} bytes")
        data = json.loads(read_regular(file))
    except FileNotFoundError:
        return PreviousReport()
    except OSError as error:
        return PreviousReport(problem=f"{file} cannot be read: {error.strerror or error}")
    except (ValueError, RecursionError):
        return PreviousReport(problem=f"{file} is no JSON")
    if not isinstance(data, dict) or data.get("schema") != REPORT_SCHEMA:
        return PreviousReport(problem=f"{file} is no report of the schema {REPORT_SCHEMA}")
    return PreviousReport(data)


def rows_in(part: ReportData, name: str) -> Iterator[ReportData]:
    """The dictionaries of a list in a report.

    :param part: what has the list
    :param name: the key of the list
    """
    found = part.get(name)
    yield from (one for one in (found if isinstance(found, list) else []) if isinstance(one, dict))


def part_in(part: ReportData, name: str) -> ReportData:
    """A dictionary in a report, empty when there is none.

    :param part: what has it
    :param name: its key
    """
    found = part.get(name)
    return found if isinstance(found, dict) else {}


def text_in(part: ReportData, name: str) -> str | None:
    """A text in a report, None when there is none.

    :param part: what has it
    :param name: its key
    """
    found = part.get(name)
    return found if isinstance(found, str) else None


def texts_in(part: ReportData, name: str) -> tuple[str, ...]:
    """A list of texts in a report.

    :param part: what has it
    :param name: its key
    """
    found = part.get(name)
    return tuple(one for one in (found if isinstance(found, list) else []) if isinstance(one, str))
