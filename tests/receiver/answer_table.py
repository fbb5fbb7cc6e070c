# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table that a person looks at: every case with what the receiver found, what it answered, and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.mailroom.erp.tests.receiver.answer import Answer
from ansible_collections.mailroom.erp.tests.receiver.case import Case, Outcome

_HEADINGS = ("case", "SPF", "DKIM", "DMARC", "becomes", "reply", "verdict before: SPF/DKIM/DMARC/disposition", "")
_REPLY_WIDTH = 9
"""Characters of a reply: its code and enhanced status code."""


def table(cases: Iterable[Case], answers: Mapping[str, Answer], verdicts: Mapping[str, Outcome]) -> str:
    """Write the table down.

    :param answers: by case, for those that were sent
    :param verdicts: by case
    :returns: lines; a case whose verdict is meant to differ is followed by the reason
    """
    sent = [case for case in cases if case.name in answers]
    rows = [_HEADINGS, *(_row(case, answers[case.name], verdicts[case.name]) for case in sent)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    labels = [f"  {case.name}: {case.label}." for case in sent if case.label]
    same = sum(answers[case.name].outcome == verdicts[case.name] for case in sent)
    figures = f"{len(sent)} messages; {same} answers equal the verdict, {len(sent) - same} differ as foretold (*):"
    return "\n".join(["", *lines, "", figures, *labels])


def _row(case: Case, answer: Answer, verdict: Outcome) -> tuple[str, ...]:
    found = answer.outcome
    reply = f"{answer.reply.code} {answer.reply.text}"[:_REPLY_WIDTH]
    told = "/".join((verdict.spf, verdict.dkim, verdict.dmarc, verdict.disposition))
    mark = "*" if found != verdict else "label" if case.label else ""
    return (case.name, found.spf, found.dkim, found.dmarc, found.disposition, reply, told, mark)
