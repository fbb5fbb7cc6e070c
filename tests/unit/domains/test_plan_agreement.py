# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is given an agreed plan does that and nothing else, however the world has moved since."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, zip_longest
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailroom.erp.plugins.module_utils.domains.plan_agreement import disagreements
from ansible_collections.mailroom.erp.plugins.module_utils.domains.planned_records import (
    AGREED_PLAN_OPTIONS,
    PlannedRecord,
    PlannedRrset,
    RecordsPlan,
    read_records_plan,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.tests.unit.domains.misbehaving import misbehave, once_before_write
from ansible_collections.mailroom.erp.tests.unit.domains.our_zones import OurZones
from hypothesis import given
from hypothesis import strategies as st

ACME, BAKERY = "acme.example", "bakery.example"
SPF = '@ IN TXT "v=spf1 mx ~all"'
OTHER = '@ IN TXT "some-verification=1"'
DMARC = '_dmarc IN TXT "v=DMARC1; p=none"'
MX = "@ IN MX 10 mail"
TERM = "ip4:192.0.2.9"
DONE = f"v=spf1 mx {TERM} ~all"


@dataclass
class World:
    """Two domains of ours, and what a run is to make of them."""

    zones: OurZones
    folder: Path

    def run(self, agreed: RecordsPlan | None = None, **params: Any) -> Run:
        given: dict[str, Any] = {"agreed_plan": agreed.as_dict()} if agreed else {}
        sts = {"mode": "testing", "policy_dir": str(self.folder / "policies")}
        acme: dict[str, Any] = {"domain": ACME, "spf": {"terms": [TERM]}, "dmarc": {"policy": "none"}, "mta_sts": sts}
        acme["dkim"] = [{"selector": "s1", "target": "s1.keys.example", "validate": "ignore"}]
        bakery = {"domain": BAKERY, "spf": {"terms": [TERM]}}
        return self.zones.planned([acme, bakery], tell_plan=True, **given, **params)

    def plan(self) -> RecordsPlan:
        run = self.run()
        run.execute(False)
        return run.plan

    def edit(self, old: str, new: str, zone: str = ACME) -> None:
        file = self.zones.ours.file(zone)
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    @property
    def policy(self) -> Path:
        return self.folder / "policies" / f"mta-sts.{ACME}" / ".well-known" / "mta-sts.txt"


@pytest.fixture
def world(tmp_path: Path) -> World:
    zones = OurZones(tmp_path, {"keys.example": "@ 60 IN SOA a. b. 1 1 1 1 1\n@ IN NS a.\n"})
    zones.zone(ACME, SPF, OTHER, DMARC, MX, "mail IN A 192.0.2.25")
    zones.zone(BAKERY, '@ IN TXT "v=spf1 -all"')
    found = World(zones, tmp_path)
    found.policy.parent.mkdir(parents=True)
    found.policy.write_text("version: STSv1\n")
    return found


def add(line: str, zone: str = ACME) -> Callable[[World], None]:
    return lambda world: world.edit(OTHER if zone == ACME else "@ IN TXT", f"{line}\n{OTHER}" if zone == ACME else line)


def change(old: str, new: str) -> Callable[[World], None]:
    return lambda world: world.edit(old, new)


MOVES: dict[str, tuple[Callable[[World], Any], tuple[str, ...]]] = {
    "the record got another term": (change("mx ~all", "mx a ~all"), (f"{ACME}: TXT", "v=spf1 mx a ~all")),
    "the record is gone": (change(f"{SPF}\n", ""), (f"{ACME}: TXT", "v=spf1 mx ~all")),
    "a value came beside it": (add('@ IN TXT "new-verification=2"'), (f"{ACME}: TXT", "new-verification=2")),
    "a value beside it went": (change(f"{OTHER}\n", ""), (f"{ACME}: TXT", "some-verification=1")),
    "its TTL": (change("$TTL 3600", "$TTL 60"), (f"{ACME}: TXT", "the TTL was")),
    "a record that stays as it is": (change("p=none", "p=none; pct=50"), (f"_dmarc.{ACME}: TXT", "pct=50")),
    "a record that did not change would": (change(DMARC, ""), (f"_dmarc.{ACME}: TXT", "is not there now")),
    "a name that was free": (
        add('s1._domainkey IN TXT "v=DKIM1; p="'),
        (f"s1._domainkey.{ACME}: TXT", "not there when the plan was made"),
    ),
    "an alias that was free": (add("_mta-sts IN CNAME x.keys.example."), (f"_mta-sts.{ACME}", "x.keys.example")),
    "a name is delegated": (add("_dmarc IN NS ns.other.example."), (f"_dmarc.{ACME}: TXT", "who has this name")),
    "the hosts of its mail": (change("MX 10 mail", "MX 10 other"), (f"_mta-sts.{ACME}: TXT", "the plan says")),
    "its policy file": (lambda world: world.policy.write_text("version: x\n"), ("file", "mta-sts.txt", "another one")),
    "the zone is gone": (lambda world: world.zones.ours.file(BAKERY).unlink(), (BAKERY,)),
    "another domain": (lambda world: world.edit("-all", "~all", BAKERY), (f"{BAKERY}: TXT", "v=spf1 ~all")),
    "somebody did the half of it": (change("mx ~all", f"{TERM} mx ~all"), (f"{ACME}: TXT", f"{TERM} mx")),
}


@pytest.mark.parametrize("name", MOVES)
def test_a_world_that_moved_is_refused_with_the_record_and_how(world: World, name: str) -> None:
    move, words = MOVES[name]
    agreed = world.plan()
    move(world)
    for act in (lambda: world.run(agreed).execute(True), lambda: world.run(agreed).execute(False)):
        told = str(world.zones.refused(act))
        assert [word for word in words if word not in told] == [], told
    assert world.policy.read_text() != "", "no file is written either"


def test_what_was_planned_is_done_once_and_again_nothing(world: World) -> None:
    agreed = world.plan()
    assert agreed == world.plan(), "the same world is the same plan"
    run = world.run(agreed)
    assert [(outcome.changed, outcome.failure) for outcome in run.execute(True)] == [(True, None)] * 2
    assert run.plan == agreed
    assert world.zones.read(ACME) == ["some-verification=1", DONE]
    after = world.zones.ours.contents()
    assert not any(outcome.changed for outcome in world.run(agreed).execute(True))
    assert world.zones.ours.contents() == after


def test_a_run_that_was_cut_off_goes_on(world: World) -> None:
    agreed = world.plan()
    world.edit("v=spf1 -all", f"v=spf1 {TERM} -all", BAKERY)
    acme, bakery = world.run(agreed).execute(True)
    assert acme.changed and not bakery.changed
    assert world.zones.read(ACME) == ["some-verification=1", DONE]


class Killed(BaseException):
    """The run dies here, as by a signal: nothing may catch it."""


def dies_at(call: int) -> Callable[[str, str], None]:
    """Let a run die before its so-manieth call of a service, reads and writes alike."""
    calls = count()

    def fault(_call: str, _zone: str) -> None:
        if next(calls) == call:
            raise Killed

    return fault


def test_wherever_a_run_dies_the_plan_is_gone_on_with(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    start, agreed = world.zones.ours.contents(), world.plan()
    deaths = 0
    for call in count():
        for zone, data in start.items():
            world.zones.ours.file(zone).write_bytes(data)
        world.policy.write_text("version: STSv1\n")
        misbehave(monkeypatch, dies_at(call))
        try:
            world.run(agreed).execute(True)
        except Killed:
            deaths += 1
        else:
            break
        misbehave(monkeypatch, lambda _call, _zone: None)
        assert [outcome.failure for outcome in world.run(agreed).execute(True)] == [None, None]
        assert world.zones.read(ACME) == ["some-verification=1", DONE]
        assert world.zones.read(BAKERY) == [f"v=spf1 {TERM} -all"]
    assert deaths >= 6, "two zones are read, written and read back"


def test_check_mode_writes_nothing(world: World) -> None:
    before = world.zones.ours.contents()
    assert all(outcome.changed for outcome in world.run(world.plan()).execute(False))
    assert world.zones.ours.contents() == before


@pytest.mark.parametrize("on_refused", ["stop", "skip", "hold"])
def test_another_wish_than_the_planned_one_is_refused(world: World, on_refused: str) -> None:
    agreed = world.plan()
    more = {"dkim": [{"selector": "s2", "target": "s2.keys.example", "validate": "ignore"}]}
    told = world.zones.refused(lambda: world.run(agreed, on_refused=on_refused, ttl=60).execute(True))
    assert "the plan says" in str(told) and "TTL 60" in str(told)
    wanted = [{"domain": ACME, "spf": {"terms": [TERM]}, **more}]
    planned = world.zones.planned(wanted, agreed_plan=agreed.as_dict(), on_refused=on_refused)
    told = world.zones.refused(lambda: planned.execute(True))
    assert f"{BAKERY}: TXT" in str(told) and "has not read it" in str(told)


def test_a_domain_that_is_refused_now_refuses_the_whole_plan(world: World) -> None:
    agreed = world.plan()
    world.edit("@ IN TXT", '@ IN TXT "v=spf1 a -all"\n@ IN TXT', BAKERY)
    told = world.zones.refused(lambda: world.run(agreed, on_refused="skip").execute(True))
    assert "2 SPF records" in str(told) and BAKERY in str(told)


def test_whoever_writes_in_between_stops_that_zone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    agreed = world.plan()
    misbehave(monkeypatch, once_before_write(ACME, lambda: world.edit("mx ~all", "mx a ~all")))
    acme, bakery = world.run(agreed).execute(True)
    assert acme.failure is not None and "v=spf1 mx a ~all" in acme.failure and "make a new plan" in acme.failure
    assert world.zones.read(ACME) == ["some-verification=1", "v=spf1 mx a ~all"]
    assert bakery.changed and not bakery.failure, "the other zone is done as planned"


def test_whoever_does_the_same_in_between_harms_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    agreed = world.plan()
    misbehave(monkeypatch, once_before_write(BAKERY, lambda: world.edit("-all", f"{TERM} -all", BAKERY)))
    assert [outcome.failure for outcome in world.run(agreed).execute(True)] == [None, None]


def test_bytes_that_are_no_text_move_too(world: World) -> None:
    world.edit(OTHER, '@ IN TXT "x\\255"')
    agreed = world.plan()
    world.edit('"x\\255"', '"x\\\\255"')
    assert 'before "x\\255"' in str(world.zones.refused(lambda: world.run(agreed).execute(True)))


def test_two_accounts_with_the_same_zone_are_two(world: World, tmp_path: Path) -> None:
    inside = OurZones(tmp_path / "inside")
    inside.zone(ACME, '@ IN TXT "v=spf1 a ~all"')
    wanted = [{"domain": ACME, "spf": {"terms": [TERM]}}, {"domain": f"sub.{ACME}", "dns": inside.ours.dns_option}]
    wanted[1]["spf"] = {"terms": [TERM]}
    run = world.zones.planned(wanted, tell_plan=True, accept_undelegated=[ACME])
    run.execute(False)
    assert {(one.zone, one.view) for one in run.plan.records} == {(ACME, 0), (ACME, 1)}


def test_a_plan_travels_as_an_option(world: World) -> None:
    agreed = world.plan()
    checked = ArgumentSpecValidator(AGREED_PLAN_OPTIONS).validate(json.loads(json.dumps(agreed.as_dict())))
    assert checked.error_messages == []
    assert read_records_plan(checked.validated_parameters) == agreed


_RRSETS = st.none() | st.builds(
    PlannedRrset, st.sampled_from([60, 3600]), st.lists(st.sampled_from("abc"), max_size=2).map(tuple)
)


def _plan_from(sides: list[tuple[PlannedRrset | None, PlannedRrset | None]]) -> RecordsPlan:
    return RecordsPlan(
        tuple(
            PlannedRecord("z", 0, f"n{number}.z", "TXT", before, after, None, ("z",), ("spf",))
            for number, (before, after) in enumerate(sides)
        ),
        (),
    )


@given(
    agreed=st.lists(st.tuples(_RRSETS, _RRSETS), max_size=4),
    now=st.lists(st.tuples(_RRSETS, _RRSETS), max_size=4),
)
def test_only_what_leads_to_the_agreed_end_from_an_agreed_state_is_agreed(
    agreed: list[tuple[PlannedRrset | None, PlannedRrset | None]],
    now: list[tuple[PlannedRrset | None, PlannedRrset | None]],
) -> None:
    nothing = (None, None)
    pairs = list(zip_longest(agreed, now))
    leads = all(
        other is not None and other[0] in known and other[1] == known[1] if known is not None else other == nothing
        for known, other in pairs
    )
    assert (disagreements(_plan_from(agreed), _plan_from(now)) == []) == leads


@given(sides=st.lists(st.tuples(_RRSETS, _RRSETS), min_size=1, max_size=4), done=st.sets(st.integers(0, 3)))
def test_any_part_of_a_plan_may_be_done_already(
    sides: list[tuple[PlannedRrset | None, PlannedRrset | None]], done: set[int]
) -> None:
    now = [(after, after) if number in done else (before, after) for number, (before, after) in enumerate(sides)]
    assert disagreements(_plan_from(sides), _plan_from(now)) == []
