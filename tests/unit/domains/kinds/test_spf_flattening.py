# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flattened includes on the whole path: made, left alone, renewed, moved out and in, taken away, and reported."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.audit_run import inform
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds import spf_flattening
from ansible_collections.mailroom.erp.plugins.module_utils.domains.restore import read_restore, restore
from ansible_collections.mailroom.erp.plugins.module_utils.domains.zone_records import RecordStep
from ansible_collections.mailroom.erp.plugins.module_utils.policy import txt
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot import Snapshot
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.unit.domains.spf_estate import Estate

ZONE = "acme.example"
SMALL, LARGE, QUIET = "small.service.example", "large.service.example", "quiet.service.example"
MANY = [f"ip4:10.{number}.0.1" for number in range(60)]
FOREIGN = "google-site-verification=abc"


class Company(Estate):
    """One domain of ours, and services whose records the test may change."""

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path)
        self.serve("ip4:192.0.2.1 ip4:198.51.100.0/24")
        self.zone(ZONE, f'@ TXT "v=spf1 mx include:{SMALL} ~all"', f'@ TXT "{FOREIGN}"', "@ MX 10 ns1")

    def serve(self, small: str, large: str = " ".join(MANY)) -> None:
        """Say what the services publish."""
        records = {"small": small, "large": large, "quiet": "-all", "deep": "exists:%{i}.service.example"}
        lines = [f"{label} TXT {txt.encode(f'v=spf1 {terms} ~all')}" for label, terms in records.items()]
        self.world.write("service.example", zone_text("service.example", "\n".join(lines)))

    def publish(self, record: str) -> None:
        """Write the record of our domain by hand; its chained records stay."""
        file = self.ours.file(ZONE)
        kept = [line for line in file.read_text().splitlines() if "v=spf1" not in line or line.startswith("_spf")]
        file.write_text("\n".join([*kept, f"@ TXT {txt.encode(record)}"]) + "\n")

    def step(self, *includes: str, write: bool = True, **spf: Any) -> RecordStep:
        (step,) = self.run(ZONE, write=write, flatten=list(includes), **spf)
        return step

    def record(self) -> str:
        (spf,) = [text for text in self.read(ZONE) if text.startswith("v=spf1")]
        assert FOREIGN in self.read(ZONE)
        return spf

    def chain(self) -> dict[int, list[str]]:
        found = {number: self.read(f"_spf{number}.{ZONE}") for number in range(1, 9)}
        return {number: texts for number, texts in found.items() if texts}


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def set_day(day: int) -> None:
        noon = datetime(2026, 11, day, 12, tzinfo=UTC)
        monkeypatch.setattr(spf_flattening, "datetime", Mock(now=Mock(return_value=noon)))

    set_day(1)
    return set_day


def test_an_include_becomes_addresses_and_a_second_run_changes_nothing(company: Company, on: Any) -> None:
    before = company.ours.contents()
    check = company.step(SMALL, write=False)
    assert company.ours.contents() == before
    done = company.step(SMALL)
    assert (done.change, done.plan.after, done.changed) == (check.change, check.plan.after, True)
    assert company.record().startswith(
        "v=spf1 mx ip4:192.0.2.1 ip4:198.51.100.0/24 flattened=small.service.example/2026-"
    )
    assert done.plan.details["lookups"]["total"] == 1
    facts = {"include": SMALL, "when": "2026-11-01", "refresh": 7, "stale": False, "records": [ZONE]}
    assert done.plan.details["flattened"] == [facts]
    before = company.ours.contents()
    assert not company.step(SMALL).changed
    assert not company.step(terms=[f"include:{SMALL}"]).changed, "it is there, in another form"
    assert company.ours.contents() == before


def test_the_next_run_renews_the_addresses_and_keeps_those_of_the_user(company: Company, on: Any) -> None:
    company.step(SMALL)
    company.step(terms=["ip4:192.0.2.1"])
    company.serve("ip4:198.51.100.0/24 ip4:203.0.113.5")
    on(3)
    step = company.step(SMALL)
    words = company.record().split(" ")
    assert words[:5] == ["v=spf1", "mx", "ip4:198.51.100.0/24", "ip4:203.0.113.5", words[4]]
    assert words[4].startswith("flattened=small.service.example/2026-11-03/7/2/")
    assert words[5:] == ["ip4:192.0.2.1", "~all"], "what the user stated himself stays"
    assert step.changed and not company.step(SMALL).changed


def test_the_day_is_noted_again_only_when_it_is_time(company: Company, on: Any) -> None:
    company.step(SMALL)
    for day, changed in [(2, False), (7, False), (8, True), (8, False)]:
        on(day)
        assert company.step(SMALL).changed == changed, day
    assert "/2026-11-08/7/" in company.record()
    assert company.step(SMALL, flatten_refresh=30).changed
    assert "/2026-11-08/30/" in company.record()


def test_qualifiers_are_kept(company: Company, on: Any) -> None:
    company.publish(f"v=spf1 ?include:{SMALL} mx ~all")
    company.step(SMALL)
    assert company.record().startswith("v=spf1 ?ip4:192.0.2.1 ?ip4:198.51.100.0/24 flattened=")
    with pytest.raises(Refused, match="another result"):
        company.step(SMALL, terms=[f"include:{SMALL}"])


def test_terms_that_are_asked_for_are_flattened_at_once(company: Company, on: Any) -> None:
    company.publish("v=spf1 mx ~all")
    company.step(SMALL, terms=[f"include:{SMALL}", "a:ns1.acme.example"])
    assert company.record().startswith("v=spf1 mx ip4:192.0.2.1 ")
    assert company.record().endswith(" a:ns1.acme.example ~all")


def test_what_the_record_does_not_include_is_not_looked_at(company: Company, on: Any) -> None:
    assert not company.step("never.service.example", "deep.service.example").changed


def test_addresses_too_many_for_the_record_go_into_others(company: Company, on: Any) -> None:
    step = company.step(LARGE, terms=[f"include:{LARGE}"])
    assert company.record() == (
        f"v=spf1 mx include:{SMALL} include:_spf1.{ZONE} flattened={LARGE}/2026-11-01/7/1,2,3 ~all"
    )
    assert sorted(company.chain()) == [1, 2, 3]
    assert len(step.plan.beside) == 3
    assert step.plan.details["lookups"]["total"] == 5
    assert step.plan.details["flattened"][0]["records"] == [f"_spf{number}.{ZONE}" for number in (1, 2, 3)]
    before = company.ours.contents()
    assert not company.step(LARGE).changed
    assert company.ours.contents() == before


def test_chained_records_are_renewed_alone_while_the_day_is_the_same(company: Company, on: Any) -> None:
    company.step(LARGE, terms=[f"include:{LARGE}"])
    record = company.record()
    company.serve("ip4:192.0.2.1", " ".join(MANY[1:]))
    step = company.step(LARGE)
    assert (step.plan.change, step.changed, len(step.plan.beside)) == (None, True, 3)
    assert company.record() == record
    assert "ip4:10.0.0.1 " not in company.chain()[1][0]


def test_addresses_move_back_into_the_record_when_they_fit_again(company: Company, on: Any) -> None:
    company.step(LARGE, terms=[f"include:{LARGE}"])
    company.serve("ip4:192.0.2.1", "ip4:10.0.0.1")
    company.step(LARGE)
    assert f" ip4:10.0.0.1 flattened={LARGE}/2026-11-01/7/1/" in company.record()
    assert company.chain() == {}


@pytest.mark.parametrize(
    "spf",
    [
        {"state": "absent", "terms": [f"include:{LARGE}"]},
        {"state": "absent", "flatten": [LARGE]},
        {"terms": ["mx", f"include:{SMALL}"], "exclusive": True},
        {"absent_terms": [f"include:{LARGE}"], "terms": ["mx"]},
    ],
)
def test_a_flattened_include_is_taken_away_as_any_other(company: Company, on: Any, spf: dict[str, Any]) -> None:
    company.step(LARGE, terms=[f"include:{LARGE}"])
    company.run(ZONE, **spf)
    assert (company.record(), company.chain()) == (f"v=spf1 mx include:{SMALL} ~all", {})
    assert not company.run(ZONE, **spf)[0].changed


def test_the_whole_record_goes_with_its_chain(company: Company, on: Any) -> None:
    company.step(LARGE, terms=[f"include:{LARGE}"])
    company.run(ZONE, state="absent")
    assert (company.read(ZONE), company.chain()) == ([FOREIGN], {})


def test_names_of_others_are_passed_over_and_kept(company: Company, on: Any) -> None:
    file = company.ours.file(ZONE)
    others = '_spf1 TXT "v=spf1 ip4:203.0.113.1 -all"\n_spf2 CNAME ns1\n_spf4 TXT "hello"\n'
    file.write_text(file.read_text() + others)
    company.step(LARGE, terms=[f"include:{LARGE}"])
    assert f"include:_spf3.{ZONE} flattened={LARGE}/2026-11-01/7/3,5,6 " in company.record()
    company.step(state="absent")
    assert company.chain() == {1: ["v=spf1 ip4:203.0.113.1 -all"], 4: ["hello"]}


@pytest.mark.parametrize(
    ("include", "term", "rule"),
    [
        ("deep.service.example", "exists:%{i}.service.example", "exists depends on the message"),
        (QUIET, f"include:{QUIET}", "it gives no addresses"),
        ("never.service.example", "include:never.service.example", "has no SPF record"),
        ("x.nowhere.example", "include:x.nowhere.example", "cannot be resolved"),
    ],
)
def test_what_cannot_be_flattened_is_refused_and_named(
    company: Company, on: Any, include: str, term: str, rule: str
) -> None:
    company.publish(f"v=spf1 include:{include} include:{SMALL} ~all")
    before = company.ours.contents()
    with pytest.raises(Refused, match=rule) as caught:
        company.step(include, SMALL)
    assert term in str(caught.value) and "Take it out of `flatten`" in str(caught.value)
    assert company.ours.contents() == before


def test_an_include_that_fails_later_leaves_the_live_record(company: Company, on: Any) -> None:
    company.step(SMALL)
    before = company.ours.contents()
    company.serve("exists:%{i}.service.example")
    with pytest.raises(Refused, match="exists depends on the message"):
        company.step(SMALL)
    assert company.ours.contents() == before


def test_addresses_that_somebody_changed_are_told(company: Company, on: Any) -> None:
    company.step(SMALL)
    company.publish(company.record().replace("ip4:192.0.2.1 ", ""))
    for wish in ({"flatten": [SMALL]}, {"state": "absent", "terms": [f"include:{SMALL}"]}):
        with pytest.raises(Refused, match="somebody changed addresses before its modifier"):
            company.run(ZONE, **wish)
    assert company.step(terms=["a:ns1.acme.example"]).changed, "other work goes on"


def test_a_chain_that_somebody_broke_is_made_again(company: Company, on: Any) -> None:
    company.step(LARGE, terms=[f"include:{LARGE}"])
    before = company.chain()
    file = company.ours.file(ZONE)
    file.write_text("\n".join(line for line in file.read_text().splitlines() if not line.startswith("_spf2")) + "\n")
    assert company.step(LARGE).changed
    assert company.chain() == before


def test_a_snapshot_brings_all_of_it_back(company: Company, on: Any, tmp_path: Path) -> None:
    before = company.record()
    snapshot = Snapshot(tmp_path / "state", "a test")
    wish = {"flatten": [LARGE], "terms": [f"include:{LARGE}"]}
    company.planned([ZONE], snapshot, spf=wish).execute(write=True)
    assert company.chain()
    works = read_restore({"snapshot": str(snapshot.path), "dns": company.ours.dns_option})
    restore(works, Snapshot(tmp_path / "state", "back"), True, 4)
    assert (company.record(), company.chain()) == (before, {})


def test_stale_addresses_are_reported(company: Company, on: Any) -> None:
    company.step(SMALL)
    for day, stale in [(8, False), (9, True)]:
        on(day)
        (audit,) = inform({"domains": [ZONE], "resolver": company.resolver_option})["domains"]
        (facts,) = audit["spf"]["flattened"]
        assert facts["stale"] == stale
        found = [one for one in audit["findings"] if one["value"] == SMALL]
        assert [one["level"] for one in found] == ["concern"] * stale
    assert "were looked up on 2026-11-01, and 7 days later they are stale" in found[0]["rule"]
    assert found[0]["next_step"] == f"Run spf_record with flatten: [{SMALL}] again."


@pytest.mark.parametrize(
    ("spf", "words"),
    [
        ({"flatten": [ZONE]}, "a record does not include itself"),
        ({"flatten": ["no name"]}, "flatten"),
        ({"flatten": [SMALL], "flatten_refresh": 0}, "a number of days from 1 to 365"),
    ],
)
def test_wrong_wishes_are_refused(company: Company, spf: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        company.run(ZONE, **spf)


def test_the_guard_sees_that_nobody_loses_by_it(company: Company, on: Any) -> None:
    sender = {
        "from": f"erp@{ZONE}",
        "environment": "acme_erp",
        "envelope_domain": ZONE,
        "sources": [f"include:{SMALL}"],
        "dkim": {"domain": ZONE, "selectors": []},
    }
    run = company.planned([ZONE], spf={"flatten": [SMALL]}, senders=[sender])
    run.execute(write=True)
    assert [verdict.as_dict()["spf"]["result"] for verdict in (*run.guard.before, *run.guard.after)] == ["pass", "pass"]
    assert "flattened=" in company.record()


def test_an_include_that_is_no_longer_listed_is_put_back(company: Company, on: Any) -> None:
    live = company.record()
    company.step(SMALL, LARGE, terms=[f"include:{LARGE}"])
    assert company.chain() != {}
    checked = company.step(SMALL, other_flattened="restore", write=False)
    assert checked.changed and company.chain() != {}
    company.step(SMALL, other_flattened="restore")
    assert company.record().endswith(f" include:{LARGE} ~all") and company.chain() == {}
    assert f"flattened={SMALL}/" in company.record()
    company.step(other_flattened="restore")
    assert company.record() == live.replace(" ~all", f" include:{LARGE} ~all")
    assert not company.step(other_flattened="restore").changed


def test_what_stays_flattened_is_told_with_the_way_back(company: Company, on: Any) -> None:
    company.step(SMALL)
    step = company.step(other_flattened="warn")
    assert not step.changed
    (warning,) = [one for one in step.plan.warnings if "stays flattened" in one]
    key = f"mail_dns_domains.{ZONE}.flatten"
    for word in (SMALL, "2026-11-01", f"{key}: [{SMALL}]", f"{key}: []"):
        assert word in warning
    assert [one for one in company.step(SMALL, other_flattened="warn").plan.warnings if "stays" in one] == []
    assert [one for one in company.step().plan.warnings if "stays" in one] == []


def test_an_include_whose_addresses_somebody_changed_is_not_put_back(company: Company, on: Any) -> None:
    company.step(SMALL)
    company.publish(company.record().replace("ip4:192.0.2.1 ", ""))
    with pytest.raises(Refused, match="somebody changed addresses before its modifier"):
        company.step(other_flattened="restore")
