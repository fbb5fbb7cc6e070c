# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a person reads of ``dmarc_advance``: what moved, what is missing and since when, and whom nobody declared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.grouped_messages import Message, grouped, listed
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.policy_levels import policies_text
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_decision import StepDecision
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.so_many import so_many

_MOST_SOURCES = 20
_WAYS_OUT = (
    (
        "days",
        "Days come with time, where receivers report to an address in rua that the archive reads. To be content with "
        "less",
        "thresholds.minimum_days: 14",
    ),
    (
        "reporters",
        "Few receivers report where there is little mail, and which ones is told above. To be content with less",
        "thresholds.minimum_reporters: 2",
    ),
    (
        "left_out",
        "The run that read these reports tells which they are (files.incomplete). So many records may be left out",
        "thresholds.left_out: 10",
    ),
    (
        "failing",
        "Mail of declared senders fails: mend what sends it, and the days after that count. A share that may fail, "
        "such as that of others who use the same servers",
        "thresholds.failing_share: 0.001",
    ),
    (
        "unsigned",
        "Mail of declared senders is not signed as the domain: let all of them sign. A share that may be without",
        "thresholds.failing_share: 0.001",
    ),
    (
        "unsigned",
        "Or accept that mail of senders that do not sign is lost where others pass it on",
        "dmarc.accept_lost_forwarded_mail: true",
    ),
    ("unseen", "Senders that are used at certain times only need not be seen, where they are named in", "seasonal"),
    ("unknown", "Mail of unknown sources: declare them, or name those that may fail in", "let_fail"),
)
"""For conditions that a person can do something about: what, and the option."""


@dataclass(frozen=True, slots=True)
class MovedDomain:
    """What became of one domain. ``decision`` is None where its record was not read; ``failure`` says why it failed."""

    domain: str
    decision: StepDecision | None
    changed: bool
    failure: str | None


def advance_report(
    domains: Sequence[MovedDomain], check_mode: bool, named: Callable[[str, str], str] = lambda _domain, option: option
) -> list[str]:
    """Write the report.

    :param domains: in the order of the task
    :param check_mode: nothing was written
    :param named: names an option, of a domain, as whoever asked does
    :returns: its lines
    """
    sections = [
        _failed(domains),
        _moved(domains, check_mode),
        _waiting(domains, named),
        _elsewhere(domains),
        _unknown(domains),
    ]
    told = [line for section in sections if section for line in ("", *section)]
    return [escape_controls(line) for line in [*told[1:], *([""] if told else []), _last(domains)]]


def _failed(domains: Iterable[MovedDomain]) -> list[str]:
    messages = [
        Message(one.domain, line if line.startswith(one.domain) else f"{one.domain}: {line}")
        for one in domains
        if one.failure
        for line in one.failure.splitlines()
    ]
    return _section("PROBLEMS: the policies of these domains stay as they are", messages)


def _moved(domains: Iterable[MovedDomain], check_mode: bool) -> list[str]:
    messages = []
    for one in domains:
        if one.decision is None or not one.changed:
            continue
        after = {**one.decision.policies, **one.decision.changes}
        text = f"{one.domain}: {policies_text(one.decision.policies)} -> {policies_text(after)}"
        messages.append(Message(one.domain, f"{text}{_carried(one.decision)}"))
    return _section("WOULD MOVE" if check_mode else "MOVED", messages)


def _carried(decision: StepDecision) -> str:
    told = decision.evidence
    if not told:
        return " (a step back)"
    return (
        f" ({so_many(told['days'], 'day')}, {so_many(len(told['reporters']), 'reporter')}, "
        f"{so_many(told['messages'], 'message')}, {so_many(len(told['senders']), 'declared sender')})"
    )


def _waiting(domains: Iterable[MovedDomain], named: Callable[[str, str], str]) -> list[str]:
    """What is missing, and the ways out of it, each once."""
    missing = [
        (one.domain, each)
        for one in domains
        if one.decision is not None and one.decision.outcome == "wait" and not one.failure
        for each in one.decision.missing
    ]
    messages = [
        Message(domain, f"{domain}: {one.text}{f' (since {one.since})' if one.since else ''}")
        for domain, one in missing
    ]
    whose: dict[str, set[str]] = {}
    for domain, one in missing:
        whose.setdefault(one.condition, set()).add(domain)
    ways = [
        f"  {text}: {named(next(iter(whose[name])) if len(whose[name]) == 1 else '<domain>', option)}"
        for name, text, option in _WAYS_OUT
        if name in whose
    ]
    return [*_section("MISSING: these policies wait", messages), *ways]


def _elsewhere(domains: Iterable[MovedDomain]) -> list[str]:
    messages = [
        Message(one.domain, f"{one.domain}: its policy record is managed elsewhere, and does not move here")
        for one in domains
        if one.decision is not None and one.decision.outcome == "elsewhere"
    ]
    return _section("MANAGED ELSEWHERE", messages)


def _section(head: str, messages: Sequence[Message]) -> list[str]:
    return [head, *(f"  - {line}" for line in grouped(messages))] if messages else []


def _unknown(domains: Iterable[MovedDomain]) -> list[str]:
    """All unknown sources of all domains, by name, the largest first."""
    found: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for one in domains:
        for source in one.decision.unknown if one.decision is not None else ():
            if not source["let_fail"]:
                found.setdefault(source["name"], []).append((one.domain, source))
    if not found:
        return []
    ordered = sorted(found.items(), key=lambda item: (-_messages(item[1]), item[0]))
    lines = ["UNKNOWN SOURCES: nobody is declared to send this mail"]
    for name, told in ordered[:_MOST_SOURCES]:
        lines += _source(name, told)
    more = len(ordered) - _MOST_SOURCES
    return [*lines, *([f"  and {more} more sources"] if more > 0 else [])]


def _messages(told: Iterable[tuple[str, Mapping[str, Any]]]) -> int:
    return sum(source["messages"] for _domain, source in told)


def _source(name: str, told: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    guess = next((source["guess"] for _domain, source in told if source["guess"]), None)
    names = (
        ("signed by", "dkim_domains"),
        ("envelope", "envelope_domains"),
        ("reverse name", "reverse_names"),
        ("network", "networks"),
    )
    known = [
        f"{title} {listed(found)}"
        for title, key in names
        if (found := list(dict.fromkeys(one for _domain, source in told for one in source[key])))
    ]
    called = f"{name}{f' (a guess: {guess})' if guess else ''}"
    return [
        f"  - {called}: {so_many(_messages(told), 'message')} as {listed([domain for domain, _source in told])}",
        *(f"      {line}" for line in known),
        f"      Who in your company uses {guess or name}? Declare it, or let it fail.",
    ]


def _last(domains: Sequence[MovedDomain]) -> str:
    moved = sum(one.changed for one in domains)
    failed = sum(one.failure is not None for one in domains)
    reached = sum(one.decision is not None and one.decision.outcome == "reached" for one in domains)
    waiting = len(domains) - moved - failed - reached
    return (
        f"{so_many(len(domains), 'domain')}: {moved} moved, {waiting} waiting, {reached} need no step, {failed} failed"
    )
