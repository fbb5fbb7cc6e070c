# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whether an environment has stopped sending: by the dated word of a person, or by what receivers report. Pure.

No reports is no evidence: only receivers that saw its mail before, and that report on the domain still, can tell that
there is none any more. Source of the figures: docs/offboard.md.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.last_mail import SeenSender, Sightings
from ansible_collections.mailroom.erp.plugins.module_utils.so_many import so_many

QUIET_DAYS = 35
"""Days without a message, unless mail_offboard_quiet_days says another number: more than a month, so that what is sent
once a month would have been seen."""

NEWEST_DAYS = 7
"""How old the newest report of a receiver may be that is to tell of no mail."""

_HALF = 0.5
"""On this share of the quiet days a receiver must have reported, and those who have must have seen this share of the
mail."""


@dataclass(frozen=True, slots=True)
class StopFinding:
    """Whether an environment has stopped: ``day`` is that of its last mail, None while it is not known to be the last.

    ``proof`` says by what it is known, ``missing`` what there is not yet, ``until`` is the first day on which reports
    can show it; ``against``: reports show mail after the day that a person named."""

    day: datetime.date | None
    proof: str = ""
    missing: tuple[str, ...] = ()
    until: datetime.date | None = None
    against: str | None = None


def stop_of(
    seen: Sequence[SeenSender] | None, word: datetime.date | None, today: datetime.date, quiet_days: int = QUIET_DAYS
) -> StopFinding:
    """Judge whether an environment has stopped.

    :param seen: what reports tell of its senders; None where there is no archive of reports
    :param word: the day that a person named as that of the last mail
    :param today: the day of the run, UTC
    :param quiet_days: how many days without mail reports must show
    """
    if word is not None:
        return StopFinding(word, f"a person's word: the last mail was on {word}", against=_against(seen or (), word))
    if not seen:
        none = "no sender of it is at a domain of ours" if seen is not None else "there is no archive of reports"
        return StopFinding(None, missing=(f"{none}, and no reports is no evidence",))
    missing = [text for one in seen for text in _missing(one, today, quiet_days)]
    last = max((_last(one.own) or "" for one in seen), default="")
    if missing:
        return StopFinding(None, missing=tuple(missing), until=_until(seen, today, quiet_days))
    day = datetime.date.fromisoformat(last)
    return StopFinding(day, f"reports: the last mail was on {day}, and those who saw it have reported none since")


def later_mail(seen: Iterable[SeenSender], day: datetime.date) -> str | None:
    """What reports show of its mail after a day: how much, and who says so; None for nothing.

    :param seen: what reports tell of its senders
    :param day: the last one that does not count
    """
    later = _joined({key: count for key, count in one.own.items() if key[0] > day.isoformat()} for one in seen)
    return _told(later) if later else None


def _against(seen: Iterable[SeenSender], word: datetime.date) -> str | None:
    later = later_mail(seen, word)
    return f"reports show {later} after that day" if later else None


def _missing(one: SeenSender, today: datetime.date, quiet_days: int) -> Iterator[str]:
    """What speaks against it that one sender group has stopped, or does not speak for it."""
    first = (today - datetime.timedelta(days=quiet_days)).isoformat()
    recent, doubtful = _since(one.own, first), _since(one.shared, first)
    if one.unresolved:
        yield f"{one.label}: its servers could not be looked up: {'; '.join(one.unresolved)}"
    if recent:
        yield f"{one.label}: reports show {_told(recent)} within the last {quiet_days} days"
    if doubtful:
        yield f"{one.label}: {_told(doubtful)} may be its own or of {', '.join(one.others)}: reports cannot tell"
    if not one.own:
        yield f"{one.label}: no report ever showed its mail, so that none shows it now says nothing"
    elif not recent:
        yield from _few(one, first, today, quiet_days)


def _few(one: SeenSender, first: str, today: datetime.date, quiet_days: int) -> Iterator[str]:
    """Whether those who saw its mail have reported enough since to tell that there was none."""
    newest = (today - datetime.timedelta(days=NEWEST_DAYS)).isoformat()
    saw: dict[str, int] = {}
    for (_day, reporter), count in one.own.items():
        saw[reporter] = saw.get(reporter, 0) + count
    witness = 0
    for reporter, count in saw.items():
        days = [day for day in one.reported.get(reporter, ()) if first <= day < today.isoformat()]
        if len(days) >= quiet_days * _HALF and max(days) >= newest:
            witness += count
    if witness < sum(saw.values()) * _HALF or not witness:
        yield (
            f"{one.label}: of those who saw its mail ({', '.join(sorted(saw))}) too few have reported on at least half "
            f"of the last {quiet_days} days, so that they show none says little"
        )


def _until(seen: Iterable[SeenSender], today: datetime.date, quiet_days: int) -> datetime.date | None:
    """The day on which the last mail will have been long enough ago, where that is still to come."""
    last = max((day for one in seen for day, _reporter in (*one.own, *one.shared)), default=None)
    if last is None:
        return None
    found = datetime.date.fromisoformat(last) + datetime.timedelta(days=quiet_days + 1)
    return found if found > today else None


def _since(found: Sightings, first: str) -> Sightings:
    return {key: count for key, count in found.items() if key[0] >= first}


def _last(found: Sightings) -> str | None:
    return max((day for day, _reporter in found), default=None)


def _joined(parts: Iterable[Mapping[tuple[str, str], int]]) -> Sightings:
    found: Sightings = {}
    for part in parts:
        for key, count in part.items():
            found[key] = found.get(key, 0) + count
    return found


def _told(found: Mapping[tuple[str, str], int]) -> str:
    reporters = ", ".join(sorted({reporter for _day, reporter in found}))
    last = max(day for day, _reporter in found)
    return f"{so_many(sum(found.values()), 'message')}, the last on {last}, reported by {reporters}"
