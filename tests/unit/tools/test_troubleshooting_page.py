# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/troubleshooting.md is what its tool makes of the source, and has a row for every error that the tests can make
of a declaration.
"""

import re
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, rule_and_source
from ansible_collections.mailroom.erp.tests.tools.source_problems import (
    OPEN,
    SourceProblem,
    source_problems,
    stated_rules,
)
from ansible_collections.mailroom.erp.tests.tools.troubleshooting_page import FILE, page
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.systems.declarations import BASES, judged
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.systems.test_judgement import WARNED, WRONG

ANSIBLES_OWN = re.compile(r"(.*: )?(value of \w+ must be one of|argument '\w+' is of type)")


@pytest.fixture(scope="module")
def problems() -> tuple[SourceProblem, ...]:
    return source_problems()


@pytest.fixture(scope="module")
def patterns() -> list[re.Pattern[str]]:
    """Each row of the page, as an expression that the texts match for which it stands."""
    rows = [line[2:].split(" | ")[0] for line in FILE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    texts = {row.replace("\\|", "|").replace("&lt;", "<") for row in rows if row.strip(f"{OPEN} :,;.()-")}
    return [re.compile("(.*: )?" + ".*?".join(map(re.escape, text.split(OPEN)))) for text in texts]


def told_by(case: dict[str, Any]) -> list[Problem]:
    _environment, findings = judged(BASES[case["base"]], **case["changes"])
    return [*findings.errors, *findings.warnings]


def test_page_is_what_the_tool_makes_of_the_source() -> None:
    hint = "write it anew: python -m ansible_collections.mailroom.erp.tests.tools.troubleshooting_page"
    assert FILE.read_text(encoding="utf-8") == page(), hint


def test_walk_finds_the_problems(problems: tuple[SourceProblem, ...]) -> None:
    assert len(problems) > 350
    assert len(stated_rules()) > 250


def test_walk_tells_each_branch_with_its_own_way_out(problems: tuple[SourceProblem, ...]) -> None:
    told = {(one.rule, one.way_out) for one in problems if one.file.endswith("systems/from_rules.py")}
    done = "… puts the account's address in the place of another one, which receivers then judge"
    assert (f"this account signs in, and needs the right to send as …: {done}", "Send as the account.") in told
    assert not any(way_out.startswith("Declare") for rule, way_out in told if rule.startswith("this account"))


def test_walk_names_the_place_that_a_function_was_given(problems: tuple[SourceProblem, ...]) -> None:
    assert not {one.rule for one in problems if one.rule.strip(f"{OPEN} ") == ""}
    assert {one.where for one in problems} > {"erp_mail_service", "erp_mail_senders", "erp_mail_settings.…"}


def test_every_error_of_a_declaration_has_a_row(patterns: list[re.Pattern[str]]) -> None:
    told = [problem for case in [*WRONG, *WARNED] for problem in told_by(case)]
    rules = {problem.rule for problem in told if not ANSIBLES_OWN.match(problem.rule)}
    missing = [
        rule
        for rule in sorted(rules)
        if not any(one.fullmatch(rule) or one.fullmatch(rule_and_source(rule, "")[0]) for one in patterns)
    ]
    assert len(rules) > 150
    assert missing == []
