# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A report read from its file, every part of it checked by the dataclasses of ``report_model``."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.previous_report import read_previous
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import REPORT_SCHEMA, VerifyReport

SCHEMA_FILE = "docs/schema/report-1.json"
_DEEPEST = 100
"""Steps from the top of a report to a value; one level of an SPF tree takes four."""
_LARGEST_NUMBER = 10**12
_NAMES: Mapping[Any, str] = {str: "text", int: "a whole number", bool: "true or false", types.NoneType: "null"}


class _WrongPart(Exception):
    """A part has another shape; the message says where, and what is wanted."""


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
    try:
        report: VerifyReport = _value(VerifyReport, data, ())
    except _WrongPart as error:
        raise ValueError(str(error)) from None
    if report.schema != REPORT_SCHEMA:
        raise ValueError(f"schema: wanted is {REPORT_SCHEMA}")
    return report


def _value(hint: Any, data: object, place: tuple[str, ...]) -> Any:
    if len(place) > _DEEPEST:
        raise _WrongPart(f"{'.'.join(place[:8])}...: it is nested too deeply")
    origin, inner = get_origin(hint), get_args(hint)
    if origin is tuple:
        return tuple(_items(inner[0], data, place))
    if origin is Literal:
        return _one_of(inner, data, place)
    if origin is not None:
        return None if data is None else _value(inner[0], data, place)
    if hint in _NAMES:
        return _plain(hint, data, place)
    return _object(hint, data, place)


def _object(kind: type, data: object, place: tuple[str, ...]) -> Any:
    if not isinstance(data, Mapping):
        raise _wrong(place, "an object")
    hints = _hints(kind)
    # report_data takes the underline off a name that is a word of Python
    keys = {one.name: one.name.rstrip("_") for one in fields(kind)}
    missing = [key for key in keys.values() if key not in data]
    if missing:
        raise _WrongPart(f"{'.'.join((*place, missing[0]))}: it is missing")
    return kind(**{name: _value(hints[name], data[key], (*place, key)) for name, key in keys.items()})


def _items(hint: Any, data: object, place: tuple[str, ...]) -> Iterator[Any]:
    if not isinstance(data, list):
        raise _wrong(place, "a list")
    for number, one in enumerate(data):
        yield _value(hint, one, (*place, str(number)))


def _one_of(choices: tuple[Any, ...], data: object, place: tuple[str, ...]) -> Any:
    if not isinstance(data, str) or data not in choices:
        raise _wrong(place, f"one of {', '.join(choices)}")
    return data


def _plain(hint: Any, data: object, place: tuple[str, ...]) -> Any:
    is_other = isinstance(data, bool) and hint is not bool
    if is_other or not isinstance(data, hint):
        raise _wrong(place, _NAMES[hint])
    if hint is int and isinstance(data, int) and abs(data) > _LARGEST_NUMBER:
        raise _wrong(place, f"a number of at most {_LARGEST_NUMBER}")
    return data


def _wrong(place: tuple[str, ...], wanted: str) -> _WrongPart:
    return _WrongPart(f"{'.'.join(place) or 'the report'}: wanted is {wanted}")


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
