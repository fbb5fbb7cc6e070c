# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains that break rules at different steps of a run: told together, or left out while the others are done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.zone_records import DomainOutcome
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.unit.domains.our_zones import OurZones

TERM = "ip4:192.0.2.77"
WISH: dict[str, Any] = {"spf": {"terms": [TERM]}}
ELEVEN = " ".join(f"exists:e{number}.ok.example" for number in range(11))
TROUBLE = {
    "misspelled.example": "no such option",
    "no-zone.example": "zones there holds",
    "two-records.example": "on_duplicate",
    "eleven.example": "lookup",
    "elsewhere.example": "accept_undelegated",
}
"""Domains with something that a rule forbids, and a word of what is said of each; in the order of the steps."""


@pytest.fixture
def zones(tmp_path: Path) -> OurZones:
    found = OurZones(tmp_path)
    for name in ("ok.example", "misspelled.example"):
        found.zone(name)
    found.zone("two-records.example", '@ IN TXT "v=spf1 mx ~all"', '@ IN TXT "v=spf1 a ~all"')
    found.zone("eleven.example", f'@ IN TXT "v=spf1 {ELEVEN} ~all"')
    found.zone("elsewhere.example")
    text = "$TTL 60\n@ IN SOA ns.other.example. h.other.example. 1 7200 900 1209600 300\n@ IN NS ns.other.example.\n"
    found.world.write("elsewhere.example", text)
    return found


def asked(*more: str) -> list[Any]:
    listed: list[Any] = [*more, *(name for name in TROUBLE if name != "misspelled.example")]
    return [*listed, {"domain": "misspelled.example", "dmarc": {"polcy": "none"}}]


def run(zones: OurZones, domains: list[Any], write: bool = True, **more: Any) -> dict[str, DomainOutcome]:
    """The outcomes by domain; of two answers of the world to one zone the first folder's counts."""
    planned = zones.planned(domains, **WISH, **more)
    return {outcome.request.domain: outcome for outcome in planned.execute(write)}


@pytest.fixture(autouse=True)
def _world_first(monkeypatch: pytest.MonkeyPatch) -> None:
    option = property(lambda self: {"zonefiles": [str(self.world.folder), str(self.ours.folder)]})
    monkeypatch.setattr(OurZones, "resolver_option", option)


def test_all_that_is_refused_at_any_step_is_told_together(zones: OurZones) -> None:
    readable = [name for name in asked("ok.example") if isinstance(name, str)]
    refused = zones.refused(lambda: run(zones, readable))
    assert {problem.subject for problem in refused.problems} == set(TROUBLE) - {"misspelled.example"}
    for name in set(TROUBLE) - {"misspelled.example"}:
        told = " ".join(str(problem) for problem in refused.problems if problem.subject == name)
        assert TROUBLE[name] in told.lower(), told


@pytest.mark.parametrize("write", [False, True])
def test_refused_domains_are_left_out_and_the_others_are_done(zones: OurZones, write: bool) -> None:
    before = zones.ours.contents()
    found = run(zones, asked("ok.example"), write, on_refused="skip")
    assert found["ok.example"].changed
    assert zones.read("ok.example") == ([f"v=spf1 {TERM} ~all"] if write else [])
    for name, word in TROUBLE.items():
        told = found[name].refusal
        assert told is not None
        assert word in told.lower(), told
        assert (found[name].changed, found[name].failure) == (False, told)
    after = zones.ours.contents()
    assert {name for name in before if before[name] != after[name]} == ({"ok.example"} if write else set())


def test_nothing_is_written_when_one_is_left_out_and_the_run_is_to_hold(zones: OurZones) -> None:
    before = zones.ours.contents()
    planned = zones.planned(asked("ok.example"), **WISH, on_refused="hold")
    found = {outcome.request.domain: outcome for outcome in planned.execute(write=True)}
    assert not planned.wrote
    assert zones.ours.contents() == before
    assert found["ok.example"].failure is None
    assert {name for name, outcome in found.items() if outcome.refusal} == set(TROUBLE)


def test_nothing_is_written_when_a_zone_cannot_be_read_and_the_run_is_to_hold(zones: OurZones) -> None:
    (zones.ours.folder / "misspelled.example.zone").write_text("this is no zone")
    before = zones.ours.contents()
    planned = zones.planned(["ok.example", "misspelled.example"], **WISH, on_refused="hold")
    found = {outcome.request.domain: outcome for outcome in planned.execute(write=True)}
    assert not planned.wrote
    assert zones.ours.contents() == before
    assert "misspelled.example" in str(found["misspelled.example"].failure)
    assert found["misspelled.example"].refusal is None


def test_a_run_that_is_to_hold_writes_where_all_are_sound_and_judges_what_came_of_it(zones: OurZones) -> None:
    planned = zones.planned(["ok.example"], **WISH, on_refused="hold", senders=[sender("ok.example", sources=[TERM])])
    planned.execute(write=True)
    assert planned.wrote
    assert zones.read("ok.example") == [f"v=spf1 {TERM} ~all"]
    assert [verdict.spf.result for verdict in planned.guard.before] == ["none"]
    assert [verdict.spf.result for verdict in planned.judge_live()] == ["pass"]


def test_a_domain_of_the_same_zone_is_done_without_the_refused_one(zones: OurZones) -> None:
    zones.zone("acme.example", '@ IN TXT "v=spf1 mx ~all"', '@ IN TXT "v=spf1 a ~all"')
    found = run(zones, ["acme.example", "shop.acme.example"], on_refused="skip")
    assert found["acme.example"].refusal
    assert found["shop.acme.example"].changed
    assert zones.read("shop.acme.example") == [f"v=spf1 {TERM} ~all"]
    assert len(zones.read("acme.example")) == 2


def test_the_others_are_judged_without_what_is_left_out(zones: OurZones) -> None:
    """first.example includes a record that this run would have made, were its domain not refused."""
    zones.zone("made.example", f'_x IN TXT "v=spf1 {TERM} ~all"')
    zones.zone("first.example")
    zones.zone("second.example")
    domains = [
        {"domain": "first.example", "spf": {"terms": ["include:second.example"]}},
        {"domain": "second.example", "spf": {"terms": ["include:eleven.example"]}},
    ]
    found = {one.request.domain: one for one in zones.planned(domains, on_refused="skip").execute(write=True)}
    assert "second.example" in str(found["second.example"].refusal)
    assert "second.example" in str(found["first.example"].refusal)
    assert (zones.read("first.example"), zones.read("second.example")) == ([], [])


def sender(domain: str, **more: Any) -> dict[str, Any]:
    return {"from": f"erp@{domain}", "envelope_domain": domain, "sources": ["ip4:192.0.2.1"], **more}


HARM = {"domain": "harmed.example", "spf": {"terms": [], "absent_terms": ["ip4:192.0.2.1"], "all": "-all"}}


def test_a_domain_whose_sender_would_be_harmed_is_left_out(zones: OurZones) -> None:
    zones.zone("harmed.example", '@ IN TXT "v=spf1 ip4:192.0.2.1 ~all"', '_dmarc IN TXT "v=DMARC1; p=reject"')
    senders = [sender("harmed.example", environment="acme_profit"), sender("ok.example", sources=[TERM])]
    planned = zones.planned([HARM, "ok.example"], spf=WISH["spf"], senders=senders, on_refused="skip")
    found = {one.request.domain: one for one in planned.execute(write=True)}
    assert "erp@harmed.example" in str(found["harmed.example"].refusal)
    assert zones.read("harmed.example") == ["v=spf1 ip4:192.0.2.1 ~all"]
    assert found["ok.example"].changed
    after = {verdict.sender.address: verdict.result for verdict in planned.guard.after}
    assert after["erp@harmed.example"] == "pass"


def test_harm_that_no_domain_of_the_sender_causes_stops_the_run(zones: OurZones) -> None:
    """The sender's own domain includes ours, and is not among the domains of the run."""
    zones.zone("harmed.example", '@ IN TXT "v=spf1 ip4:192.0.2.1 ~all"')
    zones.world.write(
        "customer.example",
        "$TTL 60\n@ IN SOA n. h. 1 7200 900 1209600 300\n@ IN NS n.\n"
        '@ IN TXT "v=spf1 include:harmed.example -all"\n_dmarc IN TXT "v=DMARC1; p=reject"\n',
    )
    params: dict[str, Any] = {"senders": [sender("customer.example")], "on_refused": "skip"}
    refused = zones.refused(lambda: zones.planned([HARM, "ok.example"], spf=WISH["spf"], **params).execute(write=True))
    assert "erp@customer.example" in str(refused)


def test_a_rule_of_the_whole_run_is_never_skipped(zones: OurZones) -> None:
    with pytest.raises(Refused, match="no declared sender"):
        zones.planned(["ok.example"], **WISH, on_refused="skip", allow_failing_senders=["nobody@ok.example"])
