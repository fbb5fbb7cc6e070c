# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide has a row for each finding that the source can make and for no other one, and the bounds of the source."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe import server_probe
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.bounded_stream import MOST_ADDRESSES, MOST_BYTES
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_facts import MOST_CONNECTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_reply import (
    LONGEST_REPLY_LINE,
    MOST_REPLY_LINES,
)

ROOM = Path(server_probe.__file__).parent
GUIDE = (ROOM.parents[2] / "docs" / "smtp_probe.md").read_text(encoding="utf-8")
NAME = re.compile(r"[a-z]+(?:_[a-z]+)+|busy|dropped|unreachable")
VARIABLE = {"no_connection", "no_banner", "no_answer"}
"""Names that are not written where the finding is made."""


def made() -> set[str]:
    """The names in the source: the first argument of a finding, and of a row that becomes one."""
    found = set(VARIABLE)
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ServerFinding":
                first: ast.AST = node.args[0]
            elif isinstance(node, ast.Tuple) and len(node.elts) == 4 and isinstance(node.elts[1], ast.Name):
                first = node.elts[0]
            else:
                continue
            if isinstance(first, ast.Constant) and NAME.fullmatch(str(first.value)):
                found.add(str(first.value))
    return found


def test_the_guide_has_all_findings_and_no_other() -> None:
    told = re.findall(r"^\| `(\w+)` \| (?:fail|unknown|warning)\b.*\|.*\|.*\|$", GUIDE, re.MULTILINE)
    assert len(told) == len(set(told)) and set(told) - {"fail", "unknown", "pass"} == made()


def test_the_bounds_of_the_guide_are_those_of_the_source() -> None:
    assert f"| connections to one server | {MOST_CONNECTIONS} |" in GUIDE
    assert f"| addresses of one name that are tried, until one takes the connection | {MOST_ADDRESSES} |" in GUIDE
    line = f"A line may have {LONGEST_REPLY_LINE:,} bytes, a reply {MOST_REPLY_LINES} lines"
    assert f"{line}, a connection {MOST_BYTES // 1024} KiB" in GUIDE
