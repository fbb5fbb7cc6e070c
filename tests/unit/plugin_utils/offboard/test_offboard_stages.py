# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages in which an environment leaves: what permits which, and that less evidence never permits more."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.last_mail import SeenSender
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.offboard_stages import (
    DONE,
    OFFBOARD_STAGES,
    READY,
    WAITING,
    StageFacts,
    looked_at,
    part_states,
    stages_of,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.stop_evidence import StopFinding, stop_of
from hypothesis import given
from hypothesis import strategies as st

TODAY = datetime.date(2026, 11, 30)
WORD = StopFinding(datetime.date(2026, 11, 20), "a person's word")
NOT_STOPPED = StopFinding(None, missing=("reports show mail",), until=datetime.date(2026, 12, 20))


def day(ago: int) -> str:
    return str(TODAY - datetime.timedelta(days=ago))


def facts(stop: StopFinding = WORD, ago: int = 10, selector_days: int = 14, final: bool = False) -> StageFacts:
    shifted = StopFinding(TODAY - datetime.timedelta(days=ago), stop.proof) if stop.day else stop
    return StageFacts(shifted, TODAY, selector_days, final)


@pytest.mark.parametrize(
    ("known", "states"),
    [
        (facts(NOT_STOPPED, final=True), [WAITING] * 5),
        (facts(ago=0), [DONE, READY, WAITING, WAITING, WAITING]),
        (facts(ago=13), [DONE, READY, WAITING, WAITING, WAITING]),
        (facts(ago=13, final=True), [DONE, READY, WAITING, WAITING, WAITING]),
        (facts(ago=14), [DONE, READY, READY, READY, WAITING]),
        (facts(ago=14, final=True), [DONE, READY, READY, READY, READY]),
        (facts(ago=0, selector_days=0, final=True), [DONE, READY, READY, READY, READY]),
    ],
)
def test_each_stage_waits_for_what_it_needs(known: StageFacts, states: list[str]) -> None:
    found = stages_of(known)
    assert [one.name for one in found] == list(OFFBOARD_STAGES)
    assert [one.state for one in found] == states


def test_what_is_waited_for_is_told_with_its_day() -> None:
    stopped, tenant, selectors, terms, policy = stages_of(facts(NOT_STOPPED))
    assert stopped.reason == "reports show mail" and stopped.until == datetime.date(2026, 12, 20)
    assert tenant.reason == "the stage before: stopped" and tenant.until == stopped.until
    selectors, terms, policy = stages_of(facts(ago=10))[2:]
    assert selectors.until == terms.until == TODAY + datetime.timedelta(days=4)
    assert "14 days" in selectors.reason and policy.until == selectors.until
    assert "mail_offboard_final" in stages_of(facts(ago=20))[-1].reason


def test_parts_of_stages_that_wait_stay_as_they_are() -> None:
    assert set(part_states(stages_of(facts(NOT_STOPPED))).values()) == {"leaving"}
    found = part_states(stages_of(facts(ago=3)))
    assert found == {
        "senders": "absent", "tenant": "absent", "dkim": "leaving", "spf": "leaving", "cnames": "leaving",
    }  # fmt: skip
    assert set(part_states(stages_of(facts(ago=14, final=True))).values()) == {"absent"}


def test_what_nothing_is_left_of_is_done() -> None:
    found = looked_at(stages_of(facts(ago=14)), {"tenant": False, "dkim": True, "spf": False})
    assert [one.state for one in found] == [DONE, DONE, READY, DONE, WAITING]


# --- evidence --------------------------------------------------------------------------------------------------------


def seen(
    mail_until: int = 60,
    reported: tuple[int, int] = (59, 1),
    reporters: tuple[str, ...] = ("a.example", "b.example"),
    shared_at: int | None = None,
    unresolved: tuple[str, ...] = (),
) -> SeenSender:
    """A sender whose mail was seen from 90 days ago, and reports on its domain from and until some days ago."""
    own = {(day(ago), name): 3 for ago in range(90, mail_until - 1, -1) for name in reporters}
    days = frozenset(day(ago) for ago in range(reported[0], reported[1] - 1, -1))
    shared = {} if shared_at is None else {(day(shared_at), "a.example"): 2}
    others = () if shared_at is None else ("relay",)
    return SeenSender("payroll (acme.example)", own, shared, others, dict.fromkeys(reporters, days), unresolved)


def test_reports_of_those_who_saw_its_mail_show_that_it_has_stopped() -> None:
    stop = stop_of([seen()], None, TODAY)
    assert stop.day == TODAY - datetime.timedelta(days=60) and stop.missing == ()


@pytest.mark.parametrize(
    ("sender", "words"),
    [
        (seen(mail_until=10), f"reports show 156 messages, the last on {day(10)}"),
        (seen(reported=(59, 20)), "too few have reported"),
        (seen(reported=(15, 1)), "too few have reported"),
        (seen(reported=(1, 2)), "too few have reported"),
        (seen(shared_at=5), "2 messages, the last on 2026-11-25, reported by a.example may be its own or of relay"),
        (seen(unresolved=("include:x: no answer",)), "could not be looked up: include:x: no answer"),
        (seen(reporters=()), "no report ever showed its mail"),
    ],
)
def test_what_is_no_evidence_is_said(sender: SeenSender, words: str) -> None:
    stop = stop_of([sender], None, TODAY)
    assert stop.day is None and any(words in text for text in stop.missing), stop.missing
    both = stop_of([seen(), sender], None, TODAY)
    assert both.day is None, "every sender of an environment must have stopped"


def test_no_reports_is_no_evidence() -> None:
    for stop in (stop_of(None, None, TODAY), stop_of([], None, TODAY)):
        assert stop.day is None and "no reports is no evidence" in stop.missing[0]


def test_one_reporter_of_many_is_no_witness_for_all() -> None:
    few, many = {(day(60), "a.example"): 1}, {(day(60), "b.example"): 99}
    days = frozenset(day(ago) for ago in range(1, 36))
    quiet = SeenSender("payroll", {**few, **many}, reported={"a.example": days})
    assert stop_of([quiet], None, TODAY).day is None
    quiet.reported = {"b.example": days}
    assert stop_of([quiet], None, TODAY).day == TODAY - datetime.timedelta(days=60)


def test_reports_that_show_mail_after_a_persons_word_speak_against_it() -> None:
    word = TODAY - datetime.timedelta(days=20)
    stop = stop_of([seen(mail_until=10)], word, TODAY)
    assert (
        stop.against
        == f"reports show 60 messages, the last on {day(10)}, reported by a.example, b.example after that day"
    )
    assert stop_of([seen(mail_until=20)], word, TODAY).against is None
    assert stop_of([seen(shared_at=5)], word, TODAY).against is None, "it may be of somebody else"
    assert stop_of([], word, TODAY).day == word


def test_until_when_reports_are_waited_for() -> None:
    stop = stop_of([seen(mail_until=10)], None, TODAY, quiet_days=35)
    assert stop.until == TODAY + datetime.timedelta(days=26)
    day_before = stop_of([seen(mail_until=35)], None, TODAY, quiet_days=35)
    assert day_before.day is None and day_before.until == TODAY + datetime.timedelta(days=1)
    assert stop_of([seen(mail_until=36)], None, TODAY, quiet_days=35).day is not None


EVIDENCE = st.fixed_dictionaries(
    {
        "mail": st.lists(st.integers(0, 80), max_size=4),
        "reports": st.sets(st.integers(1, 60)),
        "reporters": st.integers(0, 3),
        "shared": st.lists(st.integers(0, 60), max_size=2),
        "word": st.none() | st.integers(0, 40),
        "final": st.booleans(),
    }
)


def permitted(given_facts: dict[str, object], **less: object) -> int:
    """How many stages evidence permits."""
    known = {**given_facts, **less}
    names = [f"r{number}" for number in range(int(str(known["reporters"])))]
    reports = frozenset(day(ago) for ago in known["reports"])  # type: ignore[attr-defined]
    sender = SeenSender(
        "payroll",
        own={(day(ago), name): 1 for ago in known["mail"] for name in ("r0", "r1", "r2")},  # type: ignore[attr-defined]
        shared={(day(ago), "r0"): 1 for ago in known["shared"]},  # type: ignore[attr-defined]
        reported=dict.fromkeys(names, reports),
    )
    word = None if known["word"] is None else TODAY - datetime.timedelta(days=int(str(known["word"])))
    stop = stop_of([sender], word, TODAY)
    stages = stages_of(StageFacts(stop, TODAY, 14, bool(known["final"])))
    states = [one.is_permitted for one in stages]
    assert states == sorted(states, reverse=True), "none is permitted behind one that is not"
    return sum(states)


@given(EVIDENCE, st.data())
def test_less_evidence_never_permits_a_later_stage(known: dict[str, object], data: st.DataObject) -> None:
    most = permitted(known)
    fewer = data.draw(st.sets(st.sampled_from(sorted(known["reports"])))) if known["reports"] else set()  # type: ignore[call-overload]
    assert permitted(known, reports=fewer) <= most
    assert permitted(known, reporters=max(0, int(str(known["reporters"])) - 1)) <= most
    assert permitted(known, final=False) <= most
    if known["word"] is None:
        more = [*known["mail"], data.draw(st.integers(0, 34))]  # type: ignore[misc]
        assert permitted(known, mail=more) <= most
        assert permitted(known, shared=[*known["shared"], 3]) == 0  # type: ignore[misc]
        assert permitted(known, mail=[]) == 0
    else:
        later = max(0, int(str(known["word"])) - data.draw(st.integers(0, 20)))
        assert permitted(known, word=later) <= most, "a later day of the last mail"
    assert permitted({**known, "mail": [], "reports": set(), "word": None}) == 0
