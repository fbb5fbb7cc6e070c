# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What must hold before a policy becomes one step stricter: each condition on its own, with since when it does not.

What is not known counts against the step. Source of the conditions: docs/reports.md; of the aligned signature before
reject: RFC 9989 section 7.4.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.day_evidence import DayEvidence, SenderDay
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import SenderGroup
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.policy_levels import STEP_TAGS, rejects
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_evidence import StepEvidence
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.unknown_sources import UnknownSource
from ansible_collections.mailroom.erp.plugins.module_utils.so_many import so_many

_NAMES_TOLD = 5


@dataclass(frozen=True, slots=True)
class StepThresholds:
    """How much evidence a step needs. Shares are of messages, from 0 to 1; ``newest_days`` is how old the newest
    report may be; ``left_out`` how many records of reports may be unusable; of unknown sources neither the share nor
    the number of messages may be passed."""

    minimum_days: int = 30
    minimum_reporters: int = 3
    newest_days: int = 7
    failing_share: float = 0.0
    unknown_share: float = 0.01
    unknown_messages: int = 100
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Missing:
    """One condition that does not hold: ``condition`` is its name, ``text`` a sentence without the domain, ``since``
    the day from which it has not held, as far as reports tell; ``subject`` the sender or source that it is about."""

    condition: str
    text: str
    since: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class StepQuestion:
    """All that a decision rests on but the live record. ``governed`` are the indices of the sender groups that the
    domain's policy is applied to; ``seasonal`` are those that need not be seen;
    ``accepts_unsigned``: a person accepts that forwarded mail of senders that do not sign is lost."""

    evidence: StepEvidence
    governed: frozenset[int]
    target: str
    today: datetime.date
    seasonal: frozenset[int] = frozenset()
    thresholds: StepThresholds = field(default_factory=StepThresholds)
    accepts_unsigned: bool = False

    @property
    def groups(self) -> list[tuple[int, SenderGroup]]:
        """The declared senders, with their indices."""
        return [(index, self.evidence.days.groups[index]) for index in sorted(self.governed)]


def seasonal_groups(groups: Sequence[SenderGroup], senders: Iterable[Sender], names: Collection[str]) -> frozenset[int]:
    """The indices of the sender groups that need not be seen, because all senders in them are seasonal.

    :param groups: as ``sender_groups`` makes them of the senders
    :param names: environments, services or addresses that are seasonal
    """
    others = {_traits(one) for one in senders if not set(names).intersection(sender_names(one))}
    return frozenset(index for index, group in enumerate(groups) if _traits(group) not in others)


def sender_names(sender: Sender) -> list[str]:
    """What a person may call a sender: its environment, its service, its address."""
    return [name for name in (sender.environment, sender.service, sender.address) if name]


def _traits(one: Sender | SenderGroup) -> tuple[object, ...]:
    """What reports tell senders by."""
    return (one.domain, one.envelope_domain, one.sources, one.signature)


@dataclass(frozen=True, slots=True)
class StepWindow:
    """The days that count: ``present`` are all since reports last saw another policy, ``days`` the newest of them, as
    many as a step needs, and ``recent`` those of them that are no longer ago than so many days. Reporters and the
    messages that a share is of are counted on ``recent`` days: where a day is missing, an older one is among ``days``
    instead, and its good mail must not make a step that the whole evidence would not. ``other`` tells when another
    policy was last seen, which, and by whom. ``doubtful`` are the days of the doubtful evidence since the first of
    ``present``, and ``doubted`` as ``other`` by that."""

    present: tuple[DayEvidence, ...]
    days: tuple[DayEvidence, ...]
    recent: tuple[DayEvidence, ...]
    other: tuple[str, str] | None
    doubtful: tuple[DayEvidence, ...] = ()
    doubted: tuple[str, str] | None = None

    @property
    def against(self) -> frozenset[str]:
        """The days on which something may speak against a step: those and the doubtful ones among and after them."""
        return self._among_and_after(self.days)

    @property
    def recent_against(self) -> frozenset[str]:
        """The same of the recent days; of all of them where none is recent."""
        return self._among_and_after(self.recent or self.days)

    def _among_and_after(self, days: Sequence[DayEvidence]) -> frozenset[str]:
        return frozenset(one.day for one in (*days, *self.doubtful_since(days)))

    def doubtful_since(self, days: Sequence[DayEvidence]) -> tuple[DayEvidence, ...]:
        """The doubtful days since the first of some."""
        return tuple(one for one in self.doubtful if days and one.day >= days[0].day)

    @property
    def reporters(self) -> set[str]:
        """All that reported on the recent days."""
        return set().union(*(one.reporters for one in self.recent))


def step_window(question: StepQuestion, policies: Mapping[str, str], changes: Mapping[str, str]) -> StepWindow:
    """Find the days of the present step: on them, reports saw the policies that stand in the record, and no other.

    :param policies: of the live record
    :param changes: of the step; a day counts when a report tells the present value of the first tag that moves
    """
    lead = next(tag for tag in STEP_TAGS if tag in changes)
    present: list[DayEvidence] = []
    other: tuple[str, str] | None = None
    for day in question.evidence.days.days:
        if day.day > question.today.isoformat():
            continue  # no report can tell of it
        told = question.evidence.published.get(day.day, {})
        others = [(tag, value) for tag, value in told if policies.get(tag, value) != value]
        if others:
            present, other = [], (day.day, _other_text(others, told))
        elif (lead, policies[lead]) in told:
            present.append(day)
    needed = question.thresholds.minimum_days
    first = (question.today - datetime.timedelta(days=needed)).isoformat()
    days = tuple(present[-needed:])
    window = StepWindow(tuple(present), days, tuple(one for one in days if one.day >= first), other)
    return _with_doubtful(question, policies, window)


def _with_doubtful(question: StepQuestion, policies: Mapping[str, str], window: StepWindow) -> StepWindow:
    """What is doubtful adds no day, and takes none away either: then what was bad before would be forgotten."""
    evidence, today = question.evidence.doubtful, question.today.isoformat()
    first = window.present[0].day if window.present else today
    window = replace(window, doubtful=tuple(one for one in evidence.days if first <= one.day <= today))
    doubted: tuple[str, str] | None = None
    for day in window.doubtful_since(window.days):
        told = evidence.published.get(day.day, {})
        others = [(tag, value) for tag, value in told if policies.get(tag, value) != value]
        doubted = (day.day, _other_text(others, told)) if others else doubted
    return replace(window, doubted=doubted)


def _other_text(others: Iterable[tuple[str, str]], told: Mapping[tuple[str, str], frozenset[str]]) -> str:
    return " and ".join(f"{tag}={value} ({_listed(sorted(told[tag, value]))})" for tag, value in sorted(others))


def missing_of(question: StepQuestion, window: StepWindow, changes: Mapping[str, str]) -> list[Missing]:
    """Everything that is missing for a step; empty when the evidence carries it.

    :param changes: of the step
    """
    found = [*_days(question, window), *_doubted(question, window), *_newest(question)]
    found += [*_reporters(question, window), *_left_out(question, window)]
    for index, group in question.groups:
        found += _sender(question, window, index, group, rejects(changes))
    return [*found, *_unknown(question, window)]


def _days(question: StepQuestion, window: StepWindow) -> list[Missing]:
    needed, counted = question.thresholds.minimum_days, len(window.present)
    if counted >= needed:
        return []
    if not question.evidence.days.days:
        return [Missing("days", "there are no reports, and no reports is no evidence")]
    since = window.present[0].day if window.present else None
    text = f"reports saw the present policy on {counted} of {needed} days"
    if window.other:
        text += f"; on {window.other[0]} they saw {window.other[1]}, and the days begin anew"
    return [Missing("days", text, since or (window.other[0] if window.other else None))]


def _doubted(question: StepQuestion, window: StepWindow) -> list[Missing]:
    if window.doubted is None:
        return []
    day, seen = window.doubted
    return [Missing("doubtful", f"another policy, {seen}, was seen on {day} {_doubt(question)}", day)]


def _doubt(question: StepQuestion) -> str:
    """Where doubtful evidence comes from, and why it is doubtful."""
    subdomains = question.evidence.doubtful.subdomains
    names = _listed(sorted(subdomains))
    why = next(iter(subdomains.values()), "")
    return f"in reports that name {names}, of which nobody can tell whether it has a policy of its own ({why})"


def _newest(question: StepQuestion) -> list[Missing]:
    days = [one.day for one in question.evidence.days.days if one.day <= question.today.isoformat()]
    if not days:
        return []  # told as days
    age = (question.today - datetime.date.fromisoformat(days[-1])).days
    if age <= question.thresholds.newest_days:
        return []
    rule = f"the newest report is of {days[-1]}, more than {question.thresholds.newest_days} days ago"
    return [Missing("newest", f"{rule}; what came after is not known", days[-1])]


def _reporters(question: StepQuestion, window: StepWindow) -> list[Missing]:
    needed, found = question.thresholds.minimum_reporters, sorted(window.reporters)
    if len(found) >= needed or not window.days:
        return []
    text = f"{len(found)} of {needed} reporters in the last {question.thresholds.minimum_days} days: {_listed(found)}"
    return [Missing("reporters", text, window.days[0].day)]


def _left_out(question: StepQuestion, window: StepWindow) -> list[Missing]:
    days = [one for one in (*window.days, *window.doubtful_since(window.days)) if one.records_left_out]
    count = sum(one.records_left_out for one in days)
    if count <= question.thresholds.left_out:
        return []
    text = f"{so_many(count, 'record')} of reports could not be used, and may be of any sender"
    return [Missing("left_out", text, min(one.day for one in days))]


# --- declared senders ------------------------------------------------------------------------------------------------


def _sender(
    question: StepQuestion, window: StepWindow, index: int, group: SenderGroup, rejecting: bool
) -> list[Missing]:
    # what was not seen lately may have been seen before, at the present step
    recent = _of_sender(window.recent, index)
    looked_at = window.days if recent else window.present
    days, doubtful = _of_sender(looked_at, index), _of_sender(window.doubtful_since(looked_at), index)
    lost = question.evidence.shared_failed.get(index, {})
    found = _shared_failing(group, {day: count for day, count in lost.items() if day in window.against})
    if not days and index not in question.seasonal:
        found.append(_unseen(question, window, index, group))
    seen = _Seen(group, days, doubtful, sum(one.seen for one in recent.values()))
    found += _short(question, seen, "failing", lambda one: one.failed)
    if rejecting and not question.accepts_unsigned:
        found += _short(question, seen, "unsigned", lambda one: one.seen - one.dkim)
    return found


def _of_sender(days: Iterable[DayEvidence], index: int) -> dict[str, SenderDay]:
    """What was seen of a sender as itself, by day."""
    return {one.day: one.senders[index] for one in days if index in one.senders and one.senders[index].seen}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen of a sender, by day, and how many of its messages in the recent days."""

    group: SenderGroup
    days: Mapping[str, SenderDay]
    doubtful: Mapping[str, SenderDay]
    recent: int


def _short(question: StepQuestion, seen: _Seen, name: str, count: Callable[[SenderDay], int]) -> list[Missing]:
    """A sender more of whose messages do not pass than may. Doubtful ones that pass make the share no smaller."""
    days, doubtful, label = seen.days, seen.doubtful, seen.group.label
    unsure = sum(count(one) for one in doubtful.values())
    bad = sum(count(one) for one in days.values()) + unsure
    if bad <= question.thresholds.failing_share * seen.recent:
        return []
    on = sorted(day for found in (days, doubtful) for day, one in found.items() if count(one))
    rules = {
        "failing": "failed DMARC",
        "unsigned": "had no aligned DKIM pass, which reject needs (RFC 9989 section 7.4)",
    }
    total = sum(one.seen for one in (*days.values(), *doubtful.values()))
    text = f"{label}: {bad} of {total} messages {rules[name]}, the last on {on[-1]}"
    if unsure:
        text += f"; {unsure} of them {_doubt(question)}"
    return [Missing(name, text, on[0], label)]


def _shared_failing(group: SenderGroup, failed: Mapping[str, int]) -> list[Missing]:
    if not failed:
        return []
    lost = so_many(sum(failed.values()), "message")
    text = f"{group.label}: {lost} failed DMARC that may be this sender's or another one's"
    return [Missing("failing", f"{text}, the last on {max(failed)}", min(failed), group.label)]


def _unseen(question: StepQuestion, window: StepWindow, index: int, group: SenderGroup) -> Missing:
    last = question.evidence.days.last_seen.get(index)
    text = f"{group.label} was not seen at the present policy"
    if any(index in one.senders and one.senders[index].shared for one in window.present):
        text = f"{group.label} was not seen as itself: reports cannot tell its messages from another sender's"
    elif _of_sender(window.doubtful, index):
        text = f"{group.label} was not seen for certain, but only {_doubt(question)}"
    text += f"; it was last seen on {last}" if last else "; reports never saw it"
    since = window.present[0].day if window.present else last
    return Missing("unseen", text, since, group.label)


# --- unknown sources -------------------------------------------------------------------------------------------------


def _unknown(question: StepQuestion, window: StepWindow) -> list[Missing]:
    sources, days = unknown_sources(question, window), window.recent_against
    count, total = sum(one.messages(days) for one in sources), sum(one.messages for one in window.recent)
    limits = question.thresholds
    if count <= limits.unknown_messages and count <= limits.unknown_share * total:
        return []
    text = (
        f"nobody is declared to send {count} of {total} messages, where {limits.unknown_messages} and "
        f"{limits.unknown_share:.3%} may be: {_listed([one.name for one in sources])}"
    )
    return [Missing("unknown", text, min(day for one in sources for day in one.by_day if day in days))]


def unknown_sources(question: StepQuestion, window: StepWindow) -> list[UnknownSource]:
    """The sources of the recent days that nobody declared and nobody lets fail, the largest first."""
    days = window.recent_against
    found = [one for one in question.evidence.unknown if not one.let_fail and one.messages(days)]
    return sorted(found, key=lambda one: (-one.messages(days), one.name))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMES_TOLD
    return ", ".join(names[:_NAMES_TOLD]) + (f" and {more} more" if more > 0 else "")
