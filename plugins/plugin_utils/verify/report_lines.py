# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a person reads at the end of ``verify``: what changed since the last run; nothing changed is one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused, escape_controls
from ansible_collections.mailroom.erp.plugins.plugin_utils.terminal_text import wrapped
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import (
    RISKS,
    ReportChange,
    TodoItem,
    VerifyReport,
)

_WIDTH = 100
_MOST = 40
"""So many changes and things to do are printed; the report has all."""
_FAIL_ON = ("drift", "fail", "unknown", "due")
_TOLD = ("fail", "drift", "due", "unknown")
_STATES = ("fine", "attention", "failing", "unknown")


def report_lines(report: VerifyReport) -> list[str]:
    """Write what is new.

    :param report: that on all
    :returns: lines of at most 100 characters unless a word is longer; one line when nothing changed
    """
    last = _last(report)
    if report.previous and not report.changed:
        return [escape_controls(f"nothing changed since {report.previous}: {last}")]
    lines = _changes(report.changed) if report.previous else _todo(report.todo)
    told = "\n".join([*lines, "", wrapped("", last, _WIDTH)]).split("\n")
    return [escape_controls(line) for line in told]


def check_fail_on(words: Sequence[str]) -> None:
    """Check the words of ``mail_report_fail_on``.

    :raises Refused: one of them is none of the risks
    """
    wrong = [word for word in words if word not in _FAIL_ON]
    if wrong:
        rule, way_out = f"it lists any of: {', '.join(_FAIL_ON)}", "Correct the words; [] never fails."
        raise Refused(Problem("verify", "mail_report_fail_on", wrong[0], rule, "docs/verify.md", way_out))


def failing_risks(report: VerifyReport, fail_on: Collection[str]) -> list[str]:
    """Which of the named risks were found.

    :param report: that on all
    :param fail_on: drift, fail, unknown, due
    """
    found = {one.risk for one in report.todo}
    if any(one.verdict == "fail" for one in report.senders):
        found.add("fail")
    if report.unknown:
        found.add("unknown")
    return [risk for risk in RISKS if risk in found and risk in fail_on]


def failing_text(report: VerifyReport, failing: Sequence[str], place: str) -> str:
    """Why the run fails, for its end.

    :param report: that on all
    :param failing: what was found
    :param place: the file of the report
    """
    counts: Counter[str] = Counter(one.risk for one in report.todo)
    told = [f"{risk} ({counts[risk]})" if counts[risk] else risk for risk in failing]
    first = next((f"; first: {one.text}" for one in report.todo if one.risk in failing), "")
    return escape_controls(f"verify found: {', '.join(told)}{first} - all of it is in {place}")


def _changes(changes: Sequence[ReportChange]) -> Iterator[str]:
    yield from ("", f"CHANGED since the last run: {len(changes)}")
    yield from (wrapped("  - ", _change(one), _WIDTH) for one in changes[:_MOST])
    yield from _rest(len(changes))


def _change(one: ReportChange) -> str:
    if one.before is None:
        return f"{one.what}, {one.subject}: new: {one.after}"
    if one.after is None:
        return f"{one.what}, {one.subject}: gone: {one.before}"
    return f"{one.what}, {one.subject}: {one.before} -> {one.after}"


def _todo(todo: Sequence[TodoItem]) -> Iterator[str]:
    """The first run has nothing to compare with, so it tells what is to be done."""
    items = [one for one in todo if one.risk in _TOLD]
    if items:
        yield from ("", f"TO DO: {len(items)}")
    for one in items[:_MOST]:
        yield wrapped(f"  {one.risk.upper():<9}", one.text, _WIDTH)
        yield wrapped("           next: ", one.step, _WIDTH)
        if one.command:
            yield f"           {one.command}"
    yield from _rest(len(items))


def _rest(count: int) -> list[str]:
    return [f"  ... and {count - _MOST} more, which the report has"] if count > _MOST else []


def _last(report: VerifyReport) -> str:
    hosts: Counter[str] = Counter(one.state for one in report.environments)
    domains: Counter[str] = Counter(one.state for one in report.domains)
    risks = Counter(one.risk for one in report.todo)
    things = ", ".join(f"{risks[risk]} {risk}" for risk in RISKS)
    return f"{report.state}; environments: {_counted(hosts)}; domains: {_counted(domains)}; to do: {things}"


def _counted(states: Counter[str]) -> str:
    return ", ".join(f"{states[state]} {state}" for state in _STATES if states[state]) or "none"
