# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A plan that may be carried out now: unedited, in time, and signed by as many people as the inventory demands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.numbers import is_number
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_file import (
    PLAN_RULES,
    check_time,
    plan_file_of,
    read_plan,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_model import ChangePlan
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_signatures import check_signatures

PROOF_OPTIONS: ArgumentSpec = {
    "path": {"type": "path", "required": True},
    "signatures": {"type": "raw", "default": 0},
    "allowed_signers": {"type": "path"},
}
"""What an action takes that needs a proved plan."""

_MOST_SIGNATURES = 20


@dataclass(frozen=True, slots=True)
class ProvedPlan:
    """A plan, where it is, and who signed it."""

    plan: ChangePlan
    file: Path
    signed_by: tuple[str, ...]


def proved_plan(options: Mapping[str, Any], now: datetime) -> ProvedPlan:
    """Read a plan and prove it.

    :param options: checked by :data:`PROOF_OPTIONS`
    :param now: in UTC
    :raises Refused: it may not be carried out
    """
    demanded = whole_number("mail_plan_signatures", options["signatures"], 0, _MOST_SIGNATURES)
    file, allowed = plan_file_of(options["path"]), options["allowed_signers"]
    plan, data = read_plan(file)
    check_time(file, plan, now)
    people = check_signatures(file, data, demanded, Path(allowed) if allowed else None)
    return ProvedPlan(plan, file, tuple(people))


def whole_number(variable: str, given: Any, least: int, most: int) -> int:
    """Read a variable that is a whole number; Ansible would take ``yes`` for one.

    :param variable: its name, for the message
    :raises Refused: it is none, or out of bounds
    """
    text = str(given).strip()
    if is_number(given) and text.isascii() and text.isdigit() and least <= int(text) <= most:
        return int(text)
    rule, way_out = f"it is a whole number from {least} to {most}", "Correct it, or leave it out."
    raise Refused(PLAN_RULES.problem("plan", variable, text, rule, way_out))
