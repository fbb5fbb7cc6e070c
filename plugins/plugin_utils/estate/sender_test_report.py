# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a person reads at the end of the playbook ``mail_test``: what was sent, refused, and found where it arrived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.grouped_messages import Message, grouped
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.so_many import so_many
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.sender_tests import (
    REFUSED_HERE,
    SCOPE_HOLDS,
    SENT_BEFORE,
    SENT_NOW,
    TEST_FAILED,
    WOULD_SEND,
    SenderTestRun,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_run import EnvironmentOutcome
from ansible_collections.mailroom.erp.plugins.plugin_utils.terminal_text import wrapped

_WIDTH = 100
_METHODS = ("spf", "dkim", "dmarc")
_WORDS = {
    SENT_NOW: "sent",
    WOULD_SEND: "would be sent",
    SENT_BEFORE: "sent before",
    REFUSED_HERE: "refused here",
    SCOPE_HOLDS: "refused as it must be",
    TEST_FAILED: "failed",
}


def sender_test_report(run: SenderTestRun, found: Mapping[str, EnvironmentOutcome]) -> list[str]:
    """Write the report.

    :param run: all that is known
    :param found: its ``sender_test_outcomes``
    :returns: its lines, each of at most 100 characters unless a single word is longer
    """
    sections = [
        _section("PROBLEMS", [_said(host, reason) for host, one in found.items() for reason in one.failed]),
        _section("THE RECEIVER FOUND OTHERWISE THAN THE VERDICT SAYS", _each(run, _otherwise)),
        _section("THE SCOPE HOLDS: a mailbox outside is refused", _each(run, _proved)),
        _section("WOULD SEND", _each(run, _planned)),
        _section("SENT", _each(run, _sent)),
        _section("SENT BY AN EARLIER RUN; another mail_test_once_per sends again", _each(run, _before)),
        _section(
            "REFUSED HERE, which says nothing of the place that the ERP hands its mail in from", _each(run, _away)
        ),
        _section("NOT TESTED", [_said(host, f"{host}: {reason}") for host, reason in run.untested.items()]),
    ]
    lines = [line for section in sections if section for line in ("", *section)]
    return [escape_controls(line) for line in "\n".join([*lines, "", _counted(run)]).split("\n")]


def _section(head: str, told: list[Message]) -> list[str]:
    lines = grouped(told)
    return [head, *(wrapped("  - ", " ".join(line.split()), _WIDTH) for line in lines)] if lines else []


def _said(host: str, text: str, others: Mapping[str, str] | None = None) -> Message:
    return Message(host, text, kind="environment", others=others or {})


def _each(run: SenderTestRun, told: Callable[[Mapping[str, Any], str], str | None]) -> list[Message]:
    """A sentence of each result that has one."""
    found = [(one, told(one, came)) for one, came in run.told]
    return [
        _said(one["item"]["environment"], f"{one['item']['environment']}: {text}", _own(one))
        for one, text in found
        if text is not None
    ]


def _own(result: Mapping[str, Any]) -> dict[str, str]:
    """What the sentence of another environment has its own of."""
    at = (result.get("earlier") or {}).get("at")
    return {str(result["item"]["from"]): "<sender>", **({str(at): "<time>"} if at else {})}


def _otherwise(result: Mapping[str, Any], _came: str) -> str | None:
    differences = (result.get("observed") or {}).get("differences")
    if not differences:
        return None
    told = "; ".join(f"{one['method']}: {one['observed']}, not {one['verdict']}" for one in differences)
    return f"{_way(result)}: {told}"


def _proved(result: Mapping[str, Any], came: str) -> str | None:
    at = (result.get("earlier") or {}).get("at")
    return f"{result['item']['from']}{f', {at}' if at else ''}" if came == SCOPE_HOLDS else None


def _planned(result: Mapping[str, Any], came: str) -> str | None:
    if came != WOULD_SEND:
        return None
    return _way(result) + (", which must be refused" if result["item"]["expect"] == "refused" else "")


def _sent(result: Mapping[str, Any], came: str) -> str | None:
    return f"{_way(result)}: {_arrival(result)}" if came == SENT_NOW else None


def _before(result: Mapping[str, Any], came: str) -> str | None:
    return f"{_way(result)}, {result['earlier']['at']}" if came == SENT_BEFORE else None


def _away(result: Mapping[str, Any], came: str) -> str | None:
    item, answer = result["item"], result.get("answer") or {}
    said = f"{answer.get('code')} {answer.get('text')}"
    return f"{_way(result)}: {said}; the ERP hands in from {item['place']}" if came == REFUSED_HERE else None


def _way(result: Mapping[str, Any]) -> str:
    return f"{result['item']['from']} to {result['item']['to']}"


def _arrival(result: Mapping[str, Any]) -> str:
    """How a message was seen where it arrived."""
    seen = result.get("observed")
    if seen is None:
        return "accepted; where it arrives was not looked at, which mail_test_fetch would do"
    if not seen["arrived"]:
        return f"accepted, and not seen where it arrives: {seen['reason']}"
    found = ", ".join(f"{name} {seen[name]['result']}" for name in _METHODS if seen[name]["result"])
    if seen["agrees"] is None:
        return (
            f"arrived with {found}; no verdict is known to compare it with" if found else f"arrived; {seen['reason']}"
        )
    return f"arrived with {found}" + (", as the verdict says" if seen["agrees"] else "")


def _counted(run: SenderTestRun) -> str:
    came = Counter(one for _result, one in run.told)
    return ", ".join([*_heads(run), *(f"{came[one]} {word}" for one, word in _WORDS.items() if came[one])])


def _heads(run: SenderTestRun) -> Iterator[str]:
    for count, name in ((len(run.environments), "environment"), (len(run.results), "sender")):
        yield so_many(count, name)
