# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decision about a policy: each condition is needed, and less evidence never makes a stricter step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.day_evidence import SenderDay
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dmarc import POLICIES, parse_dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.policy_levels import advanced, retreated
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_conditions import (
    StepThresholds,
    seasonal_groups,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_decision import (
    StepDecision,
    decide_retreat,
    decide_step,
)
from ansible_collections.mailroom.erp.tests.unit.policy_steps.conftest import (
    PAYSLIPS,
    REPORTERS,
    SHOP,
    Seen,
    day_name,
    group,
    month,
    question,
)
from hypothesis import given
from hypothesis import strategies as st

NONE, QUARANTINE = "v=DMARC1; p=none", "v=DMARC1; p=quarantine"
Days = list[Seen]


def decided(days: Days, record: str = NONE, **more: Any) -> StepDecision:
    """What comes of evidence."""
    return decide_step(parse_dmarc(record), question(days, **more))


def conditions(decision: StepDecision) -> set[str]:
    """The names of what is missing; a step is the empty set."""
    assert (decision.outcome == "step") is (not decision.missing)
    return {one.condition for one in decision.missing}


def test_a_month_of_good_evidence_carries_one_step_and_no_more() -> None:
    found = decided(month())
    assert (found.outcome, dict(found.changes)) == ("step", {"p": "quarantine"})
    after = decide_step(parse_dmarc(QUARANTINE), question(month()))
    assert conditions(after) == {"days", "unseen"}, "after the step the days begin anew"
    second = decided(month(told={"p": "quarantine"}), QUARANTINE)
    assert (second.outcome, dict(second.changes)) == ("step", {"p": "reject"})
    assert decided(month(told={"p": "reject"}), "v=DMARC1; p=reject").outcome == "reached"


def middle(**what: Any) -> Callable[[Days], Days]:
    """Change what is seen on a day in the middle of the month."""
    return lambda days: [replace(one, **what) if one.ago == 15 else one for one in days]


def every(**what: Any) -> Callable[[Days], Days]:
    """Change what is seen on all days."""
    return lambda days: [replace(one, **what) for one in days]


def both(first: SenderDay, second: SenderDay) -> dict[str, Any]:
    return {"senders": {0: first, 1: second}}


GOOD = SenderDay(100, 100, 100)

TAKEN_AWAY: dict[str, tuple[Callable[[Days], Days], set[str]]] = {
    "no reports at all": (lambda _days: [], {"days", "unseen"}),
    "one day": (lambda days: days[1:], {"days"}),
    "a day in the middle without reports": (lambda days: [one for one in days if one.ago != 15], {"days"}),
    "the newest seven days": (
        lambda days: [replace(one, ago=one.ago + 7) for one in days],
        {"newest"},
    ),
    "a day on which one report saw another policy": (middle(also={"p": "quarantine"}), {"days"}),
    "the policy that reports saw": (every(told={}), {"days", "unseen"}),
    "the present policy: they saw the one before": (every(told={"p": "quarantine"}), {"days", "unseen"}),
    "the third reporter": (every(reporters=REPORTERS[:2]), {"reporters"}),
    "one declared sender": (every(senders={0: GOOD}), {"unseen"}),
    "what tells a sender from another": (every(**both(GOOD, SenderDay(shared=100))), {"unseen"}),
    "a pass of a declared sender": (middle(**both(GOOD, SenderDay(100, 99, 99, 1))), {"failing"}),
    "a pass of one of two senders": (middle(shared_failed={0: 1, 1: 1}), {"failing"}),
    "the declaration of a source, by its share": (every(unknown=3), {"unknown"}),
    "the declaration of a source, by its number": (middle(unknown=101), {"unknown"}),
    "one record of one report": (middle(left_out=1), {"left_out"}),
    "days that have been: all are in the future": (
        lambda days: [replace(one, ago=one.ago - 40) for one in days],
        {"days", "unseen"},
    ),
}


@pytest.mark.parametrize("name", TAKEN_AWAY)
def test_without_one_condition_nothing_moves(name: str) -> None:
    take, missing = TAKEN_AWAY[name]
    assert conditions(decided(month())) == set()
    found = decided(take(month()))
    assert conditions(found) == missing
    assert found.outcome == "wait"
    assert decided(take(month(told={"p": "none"})), "v=DMARC1; p=none; sp=none").outcome == "wait"


@pytest.mark.parametrize(
    ("record", "condition"),
    [
        ("v=DMARC1; p=none; t=y", "testing"),
        ("v=DMARC1; p=none; pct=50", "testing"),
        ("v=DMARC1; p=none; pct=0", "testing"),
    ],
)
def test_a_record_that_is_not_applied_in_full_says_nothing(record: str, condition: str) -> None:
    assert conditions(decided(month(), record)) == {condition}


def test_no_record_is_no_step() -> None:
    assert conditions(decide_step(None, question(month()))) == {"record"}


def test_reject_needs_aligned_dkim_of_every_declared_sender() -> None:
    by_spf = SenderDay(100, 99, 100)
    quarantined = month(told={"p": "quarantine"}, **both(GOOD, by_spf))
    found = decided(quarantined, QUARANTINE)
    assert conditions(found) == {"unsigned"}
    assert "RFC 9989 section 7.4" in found.missing[0].text
    assert conditions(decided(quarantined, QUARANTINE, accepts_unsigned=True)) == set()
    assert conditions(decided(month(**both(GOOD, by_spf)))) == set(), "quarantine does not need it"
    subdomains = month(told={"p": "quarantine", "sp": "quarantine"}, **both(GOOD, by_spf))
    assert conditions(decided(subdomains, "v=DMARC1; p=reject; sp=quarantine")) == {"days", "unseen"}
    rejecting = month(told={"p": "reject", "sp": "quarantine"}, **both(GOOD, by_spf))
    assert conditions(decided(rejecting, "v=DMARC1; p=reject; sp=quarantine")) == {"unsigned"}


def test_what_is_seasonal_need_not_be_seen_but_must_pass_when_it_is() -> None:
    unseen = month(senders={0: GOOD})
    assert conditions(decided(unseen, seasonal=frozenset({1}))) == set()
    assert conditions(decided(unseen, seasonal=frozenset({0}))) == {"unseen"}
    failing = month(**both(GOOD, SenderDay(1, 0, 0, 1)))
    assert conditions(decided(failing, seasonal=frozenset({1}))) == {"failing"}


def test_a_sender_that_was_seen_before_the_last_thirty_days_was_seen_at_the_present_step() -> None:
    early = [Seen(ago) for ago in range(90, 60, -1)]
    late = month(senders={0: GOOD})
    assert conditions(decided([*early, *late])) == set()
    failed_then = [replace(one, **both(GOOD, SenderDay(5, 0, 0, 5))) for one in early]
    assert conditions(decided([*failed_then, *late])) == {"failing"}, "the newest that is known of it is that it failed"
    assert conditions(decided([*failed_then, *month()])) == set(), "it was put right since"


def test_unknown_sources_are_named_and_may_be_let_fail() -> None:
    found = decided(month(unknown=50))
    assert [one.condition for one in found.missing] == ["unknown"]
    assert "203.0.113.0/24" in found.missing[0].text and found.missing[0].since == day_name(30)
    assert found.unknown[0]["messages"] == 30 * 50
    allowed = decided(month(unknown=50), let_fail=True)
    assert conditions(allowed) == set()
    assert (allowed.evidence["unknown"], allowed.evidence["let_fail"]) == (1500, 1500)
    lenient = StepThresholds(unknown_share=0.5, unknown_messages=1500)
    assert conditions(decided(month(unknown=50), thresholds=lenient)) == set()


def test_it_is_told_what_is_missing_and_since_when() -> None:
    since = {one.condition: one.since for one in decided(middle(also={"p": "reject"})(month())).missing}
    assert since == {"days": day_name(14)}
    text = decided(middle(also={"p": "reject"})(month())).missing[0].text
    assert text == (
        f"reports saw the present policy on 14 of 30 days; on {day_name(15)} they saw p=reject (late.example), "
        "and the days begin anew"
    )
    failing = decided(middle(**both(GOOD, SenderDay(100, 99, 99, 1)))(month())).missing[0]
    assert (failing.since, failing.subject) == (day_name(15), "payslips (acme.example)")
    gone = decided([*month()[:10], *month(senders={0: GOOD}, told={"p": "quarantine"})[10:]], QUARANTINE)
    unseen = next(one for one in gone.missing if one.condition == "unseen")
    assert f"last seen on {day_name(21)}" in unseen.text and unseen.since == day_name(20)


def test_the_evidence_is_told_in_counts_with_a_digest_of_what_it_rests_on() -> None:
    first, other = decided(month()), decided(middle(unknown=1)(month()))
    told = first.evidence
    assert (told["days"], told["first_day"], told["last_day"]) == (30, day_name(30), day_name(1))
    assert (told["reports"], told["reporters"], told["messages"]) == (90, list(REPORTERS), 6000)
    assert told["senders"][0] == {
        "sender": "shop (acme.example)", "seen": 3000, "dkim": 3000, "spf": 3000, "failed": 0, "shared": 0,
    }  # fmt: skip
    assert len(told["digest"]) == 64 and told["digest"] != other.evidence["digest"]
    assert told["digest"] == decided(month()).evidence["digest"]
    renamed = month(reporters=("alpha.example", "beta.example", "delta.example"))
    assert decided(renamed).evidence["digest"] != told["digest"]
    assert "192.0.2" not in str(told)


def test_only_senders_that_the_policy_is_applied_to_count() -> None:
    elsewhere = group("news", "news.acme.example")
    days = month()
    asked = question(days, groups=(SHOP, PAYSLIPS, elsewhere))
    assert conditions(decide_step(parse_dmarc(NONE), asked)) == {"unseen"}
    own = replace(asked, governed=frozenset({0, 1}))
    assert conditions(decide_step(parse_dmarc(NONE), own)) == set()


BAD = SenderDay(5, 0, 0, 5)

DOUBTFUL: dict[str, tuple[Seen, str, str]] = {
    "a sender that fails": (Seen(15, senders={1: BAD}), "failing", "payslips (acme.example): 5 of 3005 messages"),
    "a source that nobody declared": (Seen(15, unknown=101), "unknown", "203.0.113.0/24"),
    "a message that is one of two senders'": (Seen(15, shared_failed={0: 1, 1: 1}), "failing", "or another one's"),
    "a record that was left out": (Seen(15, left_out=1), "left_out", "1 record of reports"),
    "another policy": (
        Seen(15, told={"p": "reject"}),
        "doubtful",
        f"another policy, p=reject (alpha.example, beta.example, gamma.example), was seen on {day_name(15)}",
    ),
    "a sender that fails on a day without other reports": (Seen(0, senders={1: BAD}), "failing", "the last on"),
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_doubtful_evidence_speaks_against_a_step(name: str) -> None:
    day, condition, text = DOUBTFUL[name]
    found = decided(month(), doubtful=[day])
    assert conditions(found) == {condition}
    assert text in found.missing[0].text
    if condition in ("failing", "doubtful") and not day.shared_failed:
        assert "in reports that name far.acme.example, of which nobody can tell" in found.missing[0].text
        assert "(SERVFAIL)" in found.missing[0].text
    before = decided(month(), doubtful=[replace(day, ago=40)])
    assert conditions(before) == set(), "before the days that count it says nothing"


def test_before_reject_a_doubtful_message_without_aligned_dkim_counts() -> None:
    by_spf = Seen(15, told={"p": "quarantine"}, senders={0: SenderDay(5, 4, 5)})
    quarantined = month(told={"p": "quarantine"})
    assert conditions(decided(quarantined, QUARANTINE, doubtful=[by_spf])) == {"unsigned"}
    assert conditions(decided(month(), doubtful=[replace(by_spf, told={"p": "none"})])) == set()


@pytest.mark.parametrize(
    ("days", "missing"),
    [
        ([], {"days", "unseen"}),
        (month()[1:], {"days"}),
        (month(reporters=REPORTERS[:2]), {"reporters"}),
        (month(senders={0: GOOD}), {"unseen"}),
        ([replace(one, ago=one.ago + 7) for one in month()], {"newest"}),
        (month(**both(GOOD, SenderDay(1000, 999, 999, 1))), {"failing"}),
        (month(unknown=3), {"unknown"}),
    ],
)
def test_doubtful_evidence_speaks_for_nothing(days: Days, missing: set[str]) -> None:
    """Neither days, reporters and senders, nor messages beside which those that fail would be few."""
    much = month(senders={0: SenderDay(10_000, 10_000, 10_000), 1: SenderDay(10_000, 10_000, 10_000)})
    doubtful = [*[replace(one, ago=31) for one in much[:1]], *much]
    limits = StepThresholds(failing_share=0.0005)
    assert conditions(decided(days, thresholds=limits)) == missing
    found = decided(days, doubtful=doubtful, thresholds=limits)
    assert conditions(found) == missing
    assert found.evidence["messages"] == sum(one.evidence().messages for one in days[-30:] if one.told)


def test_a_sender_that_only_doubtful_reports_saw_is_told_as_that() -> None:
    found = decided(month(senders={0: GOOD}), doubtful=month())
    assert conditions(found) == {"unseen"}
    assert "was not seen for certain, but only in reports that name far.acme.example" in found.missing[0].text


def test_a_seasonal_sender_that_fails_in_doubtful_reports_waits() -> None:
    found = decided(month(senders={0: GOOD}), seasonal=frozenset({1}), doubtful=[Seen(15, senders={1: BAD})])
    assert conditions(found) == {"failing"}


def test_what_is_doubtful_is_told_with_the_evidence() -> None:
    told = decided(month(), doubtful=[Seen(15, senders={0: GOOD})]).evidence
    assert told["doubtful"] == {"subdomains": {"far.acme.example": "SERVFAIL"}, "messages": 100, "failed": 0}
    assert decided(month()).evidence["doubtful"] == {"subdomains": {}, "messages": 0, "failed": 0}


# --- levels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policies", "target", "changes"),
    [
        ({"p": "none"}, "none", {}),
        ({"p": "none"}, "quarantine", {"p": "quarantine"}),
        ({"p": "none"}, "reject", {"p": "quarantine"}),
        ({"p": "quarantine"}, "quarantine", {}),
        ({"p": "reject"}, "quarantine", {}),
        (
            {"p": "none", "sp": "none", "np": "none"},
            "reject",
            {"p": "quarantine", "sp": "quarantine", "np": "quarantine"},
        ),
        ({"p": "none", "sp": "reject"}, "reject", {"p": "quarantine"}),
        ({"p": "quarantine", "sp": "none"}, "reject", {"p": "reject", "sp": "quarantine"}),
        ({"p": "reject", "sp": "none"}, "reject", {"sp": "quarantine"}),
        ({"p": "reject", "np": "quarantine"}, "reject", {"np": "reject"}),
        ({"p": "reject", "sp": "none"}, "quarantine", {}),
    ],
)
def test_one_step_forward(policies: dict[str, str], target: str, changes: dict[str, str]) -> None:
    assert advanced(policies, target) == changes


@pytest.mark.parametrize(
    ("policies", "changes"),
    [
        ({"p": "none"}, {}),
        ({"p": "quarantine"}, {"p": "none"}),
        ({"p": "reject"}, {"p": "quarantine"}),
        ({"p": "reject", "sp": "reject", "np": "none"}, {"p": "quarantine", "sp": "quarantine"}),
        ({"p": "none", "sp": "reject"}, {"sp": "quarantine"}),
    ],
)
def test_one_step_back(policies: dict[str, str], changes: dict[str, str]) -> None:
    assert retreated(policies) == changes


def test_a_step_back_needs_no_evidence_and_may_name_where_it_begins() -> None:
    record = parse_dmarc("v=DMARC1; p=reject; sp=reject")
    assert dict(decide_retreat(record).changes) == {"p": "quarantine", "sp": "quarantine"}
    assert decide_retreat(record, "reject").outcome == "back"
    assert decide_retreat(record, "quarantine").outcome == "reached"
    assert decide_retreat(None).outcome == "reached"


policies = st.fixed_dictionaries(
    {"p": st.sampled_from(POLICIES)}, optional={"sp": st.sampled_from(POLICIES), "np": st.sampled_from(POLICIES)}
)


@given(policies, st.sampled_from(POLICIES))
def test_steps_are_single_go_forward_only_and_end_at_the_target(found: dict[str, str], target: str) -> None:
    strength = POLICIES.index
    for _step in range(10):
        changes = advanced(found, target)
        for tag, value in changes.items():
            assert strength(value) == strength(found[tag]) + 1
            assert strength(value) <= strength(target)
        if not changes:
            break
        found = found | changes
    else:
        raise AssertionError("it does not end")
    assert strength(found["p"]) >= strength(target)


# --- less evidence never makes a stricter step -----------------------------------------------------------------------

counts = st.integers(0, 3)
sender_days = st.builds(
    lambda seen, dkim, failed, shared: SenderDay(
        seen, min(dkim, seen), seen - min(failed, seen), min(failed, seen), shared
    ),
    st.integers(0, 50), st.integers(0, 50), st.sampled_from([0, 0, 0, 1]), counts,
)  # fmt: skip
seen_days = st.builds(
    Seen,
    ago=st.just(0),
    reporters=st.sampled_from([REPORTERS, REPORTERS[:1], REPORTERS[1:]]),
    told=st.sampled_from([{"p": "none"}, {"p": "none"}, {"p": "none", "sp": "none"}, {"p": "quarantine"}, {}]),
    senders=st.dictionaries(st.integers(0, 1), sender_days),
    unknown=st.sampled_from([0, 0, 0, 1]),
    left_out=st.sampled_from([0, 0, 0, 0, 1]),
)
few = StepThresholds(minimum_days=3, minimum_reporters=2, failing_share=0.2, unknown_share=0.5, unknown_messages=5)


def is_good(day: Seen) -> bool:
    return day.told.get("p") == "none" and not day.unknown and not day.left_out and not any(
        one.failed or one.dkim < one.seen for one in day.senders.values()
    )  # fmt: skip


OLDER: dict[str, tuple[dict[str, Any], dict[str, Any], set[str]]] = {
    "whose mail would make the share of unknown sources smaller": (
        {"senders": {0: SenderDay(99, 99, 99), 1: SenderDay(99, 99, 99)}},
        {"unknown": 2, "senders": {0: SenderDay(1, 1, 1)}},
        {"unknown"},
    ),
    "whose mail would make the share of failures smaller": (
        {},
        {"senders": {0: SenderDay(2, 1, 1, 1), 1: SenderDay(1, 1, 1)}},
        {"failing"},
    ),
    "on which there was another reporter": ({"reporters": REPORTERS[1:2]}, {"reporters": REPORTERS[:1]}, {"reporters"}),
}


@pytest.mark.parametrize("name", OLDER)
def test_a_lost_day_brings_in_no_older_one(name: str) -> None:
    older, newer, missing = OLDER[name]
    days = [replace(Seen(4), **older), *(replace(Seen(ago), **newer) for ago in (3, 1))]
    quiet = replace(Seen(2, reporters=REPORTERS[:1], senders={}))
    assert conditions(decided([*days[:2], quiet, days[2]], thresholds=few)) == missing
    assert conditions(decided(days, thresholds=few)) == missing


def test_a_sender_that_was_seen_before_these_days_may_not_have_failed_then() -> None:
    failing = Seen(9, senders={0: SenderDay(100, 99, 99, 1), 1: GOOD})
    days = [failing, Seen(4), *(Seen(ago, senders={1: GOOD}) for ago in (3, 1))]
    assert conditions(decided([*days[:3], Seen(2, senders={1: GOOD}), days[3]], thresholds=few)) == {"failing"}
    assert conditions(decided(days, thresholds=few)) == {"failing"}
    assert conditions(decided([*days[:2], Seen(3), *days[3:]], thresholds=few)) == set()


@given(st.lists(seen_days, max_size=9), st.data())
def test_less_good_evidence_never_makes_a_step(days: Days, data: st.DataObject) -> None:
    dated = [replace(day, ago=len(days) - number) for number, day in enumerate(days)]
    if decided(dated, thresholds=few).outcome == "step":
        return
    good = [number for number, day in enumerate(dated) if is_good(day)]
    if good:
        gone = data.draw(st.sampled_from(good))
        kept = data.draw(st.sampled_from([(), dated[gone].reporters[:1]]))
        fewer = [replace(dated[gone], reporters=kept, senders={})] if kept else []
        less = [*dated[:gone], *fewer, *dated[gone + 1 :]]
        assert decided(less, thresholds=few).outcome == "wait"


@given(st.lists(seen_days, min_size=1, max_size=9), st.data())
def test_more_bad_evidence_never_makes_a_step(days: Days, data: st.DataObject) -> None:
    dated = [replace(day, ago=len(days) - number) for number, day in enumerate(days)]
    if decided(dated, thresholds=few).outcome == "step":
        return
    place = data.draw(st.integers(0, len(dated) - 1))
    day = dated[place]
    worse = data.draw(
        st.sampled_from([
            replace(day, also={"p": "reject"}),
            replace(day, unknown=day.unknown + 1),
            replace(day, left_out=day.left_out + 1),
            replace(day, shared_failed={0: 1}),
        ])
    )  # fmt: skip
    # behind another policy the days begin anew, and what was bad before is forgotten: so it is put last there
    rest = [] if worse.also else dated[place + 1 :]
    assert decided([*dated[:place], worse, *rest], thresholds=few).outcome == "wait"


@given(st.lists(seen_days, max_size=9), st.lists(st.tuples(st.integers(-2, 12), seen_days), max_size=5), st.booleans())
def test_what_is_doubtful_never_makes_a_step(days: Days, doubtful: list[tuple[int, Seen]], seasonal: bool) -> None:
    dated = [replace(day, ago=len(days) - number) for number, day in enumerate(days)]
    more: dict[str, Any] = {"thresholds": few, "seasonal": frozenset({1}) if seasonal else frozenset()}
    without = decided(dated, **more)
    ordered = sorted({ago: replace(day, ago=ago) for ago, day in doubtful}.values(), key=lambda one: -one.ago)
    found = decided(dated, doubtful=ordered, **more)
    assert conditions(found) >= conditions(without)


@given(st.lists(seen_days, max_size=40), st.sampled_from([NONE, QUARANTINE, "v=DMARC1; p=none; sp=none; np=none"]))
def test_any_evidence_ends_in_a_decision_with_its_reasons(days: Days, record: str) -> None:
    dated = [replace(day, ago=len(days) - number) for number, day in enumerate(days)]
    found = decided(dated, record)
    assert found.outcome in ("step", "wait")
    assert bool(found.missing) is (found.outcome == "wait")
    if found.outcome == "step":
        assert len(dated) >= 30


def test_a_group_is_seasonal_when_all_in_it_are() -> None:
    def sender(address: str, environment: str) -> Sender:
        return Sender(address, "acme.example", "acme.example", None, ("192.0.2.10",), SHOP.signature,
                      environment=environment)  # fmt: skip

    senders = [sender("a@acme.example", "shop"), sender("b@acme.example", "payslips")]
    assert seasonal_groups([SHOP], senders, ["shop"]) == frozenset()
    assert seasonal_groups([SHOP], senders, ["shop", "b@acme.example"]) == {0}
    assert seasonal_groups([PAYSLIPS], senders[:1], []) == {0}, "nobody is left who must be seen"
