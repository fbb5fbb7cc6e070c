# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema of a plan, made from its dataclasses.

``python -m ansible_collections.mailroom.erp.tests.tools.plan_schema`` writes it anew; a test compares.
"""

from __future__ import annotations

from pathlib import Path

from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_model import PLAN_SCHEMA, ChangePlan
from ansible_collections.mailroom.erp.tests.tools.dataclass_schema import dataclass_schema

FILE = Path(__file__).parents[2] / "docs" / "schema" / "plan-1.json"


def schema_text() -> str:
    """The schema as it stands in its file."""
    return dataclass_schema(ChangePlan, PLAN_SCHEMA, "A plan of mailroom.erp.site, offboard or restore")


if __name__ == "__main__":
    FILE.write_text(schema_text())
