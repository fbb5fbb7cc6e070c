# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A plan as a file: its bytes, its digest, where it lies, and reading it back so that not one byte may differ."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused, RuleSource
from ansible_collections.mailroom.erp.plugins.module_utils.version import VERSION
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_model import PLAN_SCHEMA, ChangePlan
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_page import plan_page
from ansible_collections.mailroom.erp.plugins.plugin_utils.typed_parts import typed_part
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import report_data

PLAN_NAME = "plan.json"
PLAN_RULES = RuleSource("docs/plan.md")
_LARGEST = 256 * 1024 * 1024
_CLOCKS = timedelta(minutes=5)
"""By how much the clocks of two machines may differ."""
_ANEW = "Make a new plan with the playbook that made it, and have it signed."


def plan_file_of(place: str) -> Path:
    """Where the plan is that ``mail_plan`` names.

    :param place: a folder, which holds ``plan.json``; or a file whose name ends in ``.json``
    """
    path = Path(place).absolute()
    return path if path.suffix == ".json" else path / PLAN_NAME


def page_file_of(file: Path) -> Path:
    """Where the page of a plan is: beside it, as ``.md``.

    :param file: the plan
    """
    return file.with_suffix(".md")


def sealed(plan: ChangePlan) -> ChangePlan:
    """The plan with its digest.

    :param plan: with any digest
    """
    return replace(plan, digest=_digest(report_data(plan)))


def plan_bytes(plan: ChangePlan) -> bytes:
    """The file of a plan; the same plan gives the same bytes.

    :param plan: with its digest
    """
    return _bytes(report_data(plan))


def digest_of(value: object) -> str:
    """The SHA-256 of plain data, in hexadecimal digits.

    :param value: what JSON has; anything else counts as its text
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def read_plan(file: Path) -> tuple[ChangePlan, bytes]:
    """Read a plan that nobody has edited, and the bytes that a signature is of.

    :param file: as ``mail_plan`` names it
    :raises Refused: it cannot be read, is no plan, or differs by one byte from what was written; or its page does
    """
    data = _content(file)
    try:
        plain: Any = json.loads(data)
        plan = typed_part(ChangePlan, plain)
    except (ValueError, RecursionError) as error:
        raise Refused(plan_problem(file, f"it is no plan: {error}")) from None
    if plan.schema != PLAN_SCHEMA:
        raise Refused(plan_problem(file, f"its schema is not {PLAN_SCHEMA}"))
    if plan.digest != _digest(report_data(plan)) or plan_bytes(plan) != data:
        raise Refused(plan_problem(file, "it was edited after it was made: its digest is another one"))
    if plan.collection == VERSION:  # another version writes another page, and is refused for that
        _check_page(file, plan)
    return plan, data


def check_time(file: Path, plan: ChangePlan, now: datetime) -> None:
    """See that a plan is valid now.

    :param file: for the message
    :param now: in UTC
    :raises Refused: it has expired, or is of a time to come
    """
    try:
        made, end = (datetime.fromisoformat(one) for one in (plan.made, plan.valid_until))
        expired, early = now > end, now + _CLOCKS < made
    except (TypeError, ValueError):
        raise Refused(plan_problem(file, "its times are none")) from None
    if expired:
        raise Refused(plan_problem(file, f"it was valid until {plan.valid_until}"))
    if early:
        way_out = "Set the clock of this machine."
        rule = f"it was made at {plan.made}, which is still to come on this machine"
        raise Refused(PLAN_RULES.problem("apply", "mail_plan", str(file), rule, way_out))


def plan_problem(file: Path, rule: str) -> Problem:
    """What is wrong with the file of a plan.

    :param file: where it is
    :param rule: a sentence
    """
    return PLAN_RULES.problem("apply", "mail_plan", str(file), rule, _ANEW)


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST + 1)
    except OSError as error:
        raise Refused(plan_problem(file, f"it cannot be read: {error.strerror or error}")) from None
    if len(data) > _LARGEST:
        raise Refused(plan_problem(file, f"it is larger than {_LARGEST} bytes"))
    return data


def _check_page(file: Path, plan: ChangePlan) -> None:
    """Who signs has read the page, so it must say what the plan says, if it is there."""
    page = page_file_of(file)
    try:
        text = page.read_bytes() if page.exists() else None
    except OSError as error:
        raise Refused(plan_problem(page, f"it cannot be read: {error.strerror or error}")) from None
    if text is not None and text != plan_page(plan):
        raise Refused(plan_problem(page, "it does not say what the plan beside it says"))


def _digest(plain: dict[str, Any]) -> str:
    return hashlib.sha256(_bytes({**plain, "digest": ""})).hexdigest()


def _bytes(plain: dict[str, Any]) -> bytes:
    return (json.dumps(plain, indent=1, sort_keys=True) + "\n").encode()
