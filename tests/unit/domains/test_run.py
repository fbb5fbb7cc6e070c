# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole path on real master files: read, plan, guard, apply, read back; and a service that misbehaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.zonefile.zonefile_provider import (
    ZonefileProvider,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import World
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import BudgetCounter
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.servers.sending_service import AFAS_TERM
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder
from ansible_collections.mailroom.erp.tests.unit.domains.misbehaving import (
    Misbehaving,
    failing,
    misbehave,
    never_lands,
    once_before_write,
)
from ansible_collections.mailroom.erp.tests.unit.domains.spf_estate import Estate
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.table import Table


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return Estate(tmp_path)


def test_a_term_is_merged_and_everything_else_stays(estate: Estate) -> None:
    path = estate.zone(
        "acme.example", '@ IN TXT "v=spf1 mx ip4:192.0.2.10 ~all" ; ours', '@ IN TXT "google-site-verification=abc"'
    )
    (outcome,) = estate.run("acme.example")
    assert outcome.changed
    assert outcome.plan is not None
    assert outcome.plan.before == "v=spf1 mx ip4:192.0.2.10 ~all"
    assert outcome.plan.after == f"v=spf1 mx ip4:192.0.2.10 {AFAS_TERM} ~all"
    assert estate.read("acme.example") == ["google-site-verification=abc", outcome.plan.after]
    assert "; ours" in path.read_text()
    again = estate.ours.contents()
    (outcome,) = estate.run("acme.example")
    assert not outcome.changed
    assert estate.ours.contents() == again


def test_check_mode_writes_nothing_and_says_the_same(estate: Estate) -> None:
    estate.zone("acme.example", '@ IN TXT "v=spf1 mx ~all"')
    before = estate.ours.contents()
    (planned,) = estate.run("acme.example", write=False)
    assert estate.ours.contents() == before
    assert not list(estate.ours.folder.glob(".*"))
    (done,) = estate.run("acme.example")
    assert planned.plan is not None
    assert done.plan is not None
    assert (planned.plan.change, planned.changed) == (done.plan.change, done.changed)


def test_terms_of_several_domains_in_one_zone_are_one_write(estate: Estate) -> None:
    path = estate.zone("acme.example", "mail IN A 192.0.2.1")
    outcomes = estate.run("acme.example", "mail.acme.example", "shop.acme.example")
    assert [outcome.zone for outcome in outcomes] == ["acme.example"] * 3
    assert estate.read("shop.acme.example") == [f"v=spf1 {AFAS_TERM} ~all"]
    assert " 2 7200" in path.read_text()


def test_the_ttl_stays_unless_it_is_named(estate: Estate) -> None:
    estate.zone("acme.example", '@ 77 IN TXT "v=spf1 mx ~all"')
    estate.run("acme.example")
    (outcome,) = estate.run({"domain": "acme.example", "ttl": 60})
    assert outcome.plan is not None
    assert outcome.plan.change is not None
    assert outcome.plan.change.before is not None
    assert outcome.plan.change.after is not None
    assert (outcome.plan.change.before.ttl, outcome.plan.change.after.ttl) == (77, 60)


def test_removal_and_addition_are_one_change(estate: Estate) -> None:
    estate.zone("acme.example", '@ IN TXT "v=spf1 ip4:192.0.2.9 mx ~all"')
    estate.run("acme.example", terms=[AFAS_TERM], absent_terms=["ip4:192.0.2.9"])
    assert estate.read("acme.example") == [f"v=spf1 mx {AFAS_TERM} ~all"]
    (gone,) = estate.run("acme.example", state="absent")
    assert gone.changed
    assert estate.read("acme.example") == []
    assert not estate.run("acme.example", state="absent")[0].changed


def test_duplicates_are_merged_when_told(estate: Estate) -> None:
    estate.zone("acme.example", '@ IN TXT "v=spf1 mx -all"', '@ IN TXT "hello"', '@ IN TXT "v=spf1 a ~all"')
    estate.run("acme.example", terms=[AFAS_TERM], on_duplicate="merge", lookup_limit="ignore")
    (spf,) = [value for value in estate.read("acme.example") if value != "hello"]
    assert sorted(spf.split()) == sorted(["v=spf1", "mx", "a", AFAS_TERM, "~all"])
    assert spf.endswith(f"{AFAS_TERM} ~all")


def test_nothing_wanted_makes_no_record(estate: Estate) -> None:
    estate.zone("acme.example", '@ IN TXT "hello"')
    (outcome,) = estate.run({"domain": "acme.example", "ttl": 5}, terms=[])
    assert not outcome.changed


WRONG_ZONES: list[tuple[list[str], dict[str, Any], list[str]]] = [
    (
        ['@ IN TXT "v=spf1 mx ~all"', '@ IN TXT "v=spf1 a ~all"'],
        {},
        ["2 SPF records", "permerror", "RFC 7208 section 4.5", "on_duplicate: merge"],
    ),
    (['@ IN TXT "v=spf1 mx ~all" ', '@ IN TXT "v=spf1 m" "x ~all"'], {}, ["2 SPF records"]),
    (['@ IN TXT "v=spf1 foo ~all"'], {}, ['"foo"', "'foo' is no mechanism", "RFC 7208 section 5"]),
    (['@ IN TXT "v=spf1 include:x.example" "include:y.example ~all"'], {}, ["include:x.exampleinclude:y.example"]),
    (['@ IN TXT "v=spf1 ip4:192.0.2.0.1 ~all"'], {}, ["ip4:192.0.2.0.1", "one IPv4 address"]),
    (['@ IN TXT "v=spf1 a\\009mx ~all"'], {}, ["no control characters", "a\\tmx"]),
    (['@ IN TXT "v=spf1 caf\\195\\169 ~all"'], {}, ["visible ASCII"]),
    (['@ IN TXT "v=spf1 \\255 ~all"'], {}, ["visible ASCII", "\\xff"]),
    (['@ IN TXT "v=spf1 redirect=a.example redirect=b.example"'], {}, ["at most once", "section 6"]),
    (['@ IN TXT "v=spf1 -include:spf.afas.online ~all"'], {}, ["already holds -include:spf.afas.online", "remove"]),
    (['@ IN TXT "v=spf1 redirect=spf.afas.online"'], {"all": "-all"}, ["switch off", "RFC 7208 section 6.1"]),
    ([], {"create": False}, ["has none yet", "create: true", "RFC 7208 section 8.5"]),
    ([], {"terms": ["include:none.many.example"]}, ["include:none.many.example", "has no SPF record", "cost per term"]),
    ([], {"terms": ["include:nobody.invalid"]}, ["include:nobody.invalid", "cannot be resolved"]),
    ([], {"terms": ["include:loop.many.example"]}, ["loop"]),
    ([], {"terms": ["include:acme.example"]}, ["a loop, acme.example -> acme.example"]),
    ([], {"terms": ["redirect=none.many.example"]}, ["redirect=none.many.example", "has no SPF record"]),
    (
        [],
        {"terms": ["include:six.many.example", "include:four.many.example"]},
        ["costs 12 DNS lookups", "at most 10", "include:six.many.example 7"],
    ),
    (
        [],
        {"terms": ["a:no1.many.example", "a:no2.many.example", "mx:no3.many.example"]},
        ["3 of its DNS lookups find nothing", "at most 2"],
    ),
    (
        [],
        {"terms": [f"ip4:10.{n // 256}.{n % 256}.0/24" for n in range(4000)]},
        ["at most 65535", "RFC 1035 section 3.3.14"],
    ),
]


@pytest.mark.parametrize(("records", "spf", "words"), WRONG_ZONES)
def test_a_wrong_record_is_refused_before_anything_is_written(
    estate: Estate, records: list[str], spf: dict[str, Any], words: list[str]
) -> None:
    estate.zone("acme.example", *records)
    estate.zone("right.example", '@ IN TXT "v=spf1 mx ~all"')
    wish = {"domain": "acme.example", "spf": {"terms": [AFAS_TERM], **spf}}
    message = str(estate.refused(lambda: estate.run(wish, "right.example")))
    assert message.startswith("acme.example: ")
    for word in words:
        assert word in message


def test_a_name_with_an_alias_is_refused(estate: Estate) -> None:
    estate.zone("acme.example", "shop IN CNAME shops.many.example.")
    with pytest.raises(Refused, match="beside a CNAME") as caught:
        estate.run("shop.acme.example")
    assert "shops.many.example" in str(caught.value)


def test_a_domain_in_no_zone_refuses_the_run(estate: Estate) -> None:
    estate.zone("example.com")
    with pytest.raises(Refused, match=r"notexample\.com: zone"):
        estate.run("notexample.com", "example.com")
    with pytest.raises(Refused, match=r"shop\.example\.com: zone"):
        estate.run({"domain": "shop.example.com", "zone": "shop.example.com"}, "example.com")
    assert estate.read("example.com") == []


def test_all_wrong_domains_are_told_together(estate: Estate) -> None:
    estate.zone("a.example", '@ IN TXT "v=spf1 foo"')
    estate.zone("b.example", '@ IN TXT "v=spf1 a"', '@ IN TXT "v=spf1 mx"')
    with pytest.raises(Refused) as caught:
        estate.run("a.example", "b.example")
    assert [problem.subject for problem in caught.value.problems] == ["a.example", "b.example"]


@pytest.mark.parametrize(("limit", "fails"), [("enforce", True), ("warn", False), ("ignore", False)])
def test_the_limit_is_enforced_unless_told_otherwise(estate: Estate, limit: str, fails: bool) -> None:
    estate.zone("acme.example")
    terms = ["include:six.many.example", "include:four.many.example"]
    if fails:
        with pytest.raises(Refused):
            estate.run("acme.example", terms=terms, lookup_limit=limit)
        return
    (outcome,) = estate.run("acme.example", terms=terms, lookup_limit=limit)
    assert outcome.plan is not None
    assert any("12 DNS lookups" in warning for warning in outcome.plan.warnings) is (limit == "warn")


def test_a_costly_record_may_stay_and_may_become_cheaper(estate: Estate) -> None:
    includes = ["include:six.many.example", "include:four.many.example", "include:n1.many.example"]
    estate.zone("acme.example", f'@ IN TXT "v=spf1 {" ".join(includes)} ~all"')
    (same,) = estate.run("acme.example", terms=[includes[0]])
    assert same.plan is not None
    assert not same.changed
    assert any("15 DNS lookups" in warning for warning in same.plan.warnings)
    (cheaper,) = estate.run("acme.example", terms=[includes[2]], state="absent")
    assert cheaper.changed
    with pytest.raises(Refused, match="15 DNS lookups"):
        estate.run("acme.example", terms=[includes[2]])


def test_a_record_that_errs_for_one_address_family_is_warned_of_when_it_changes(estate: Estate) -> None:
    estate.zone("acme.example", "@ IN MX 10 ns1", '@ IN TXT "v=spf1 a:ns1.acme.example a:ns1.many.example ~all"')
    for changed in (True, False):
        (step,) = estate.run("acme.example", terms=["mx"])
        assert step.plan is not None and step.changed is changed and step.plan.details["lookups"]["void"] == 0
        assert any("for IPv6 clients 3 of its DNS lookups" in one for one in step.plan.warnings) is changed


def test_a_record_that_errs_for_every_client_is_refused(estate: Estate) -> None:
    estate.zone("acme.example", "@ IN MX 10 ns1", "@ IN MX 20 gone")
    with pytest.raises(Refused, match="3 of its DNS lookups find nothing"):
        estate.run("acme.example", terms=["mx", "mx/24", "mx/25"])


def test_the_budget_sees_the_other_planned_records_of_the_run(estate: Estate) -> None:
    estate.zone("acme.example")
    estate.zone("spf.example")
    (outcome, _other) = estate.run(
        {"domain": "acme.example", "spf": {"terms": ["include:spf.example"]}},
        {"domain": "spf.example", "spf": {"terms": ["a:ns1.many.example"]}},
    )
    assert outcome.plan is not None
    assert outcome.plan.details["lookups"]["total"] == 2


def test_a_first_record_that_leaves_out_the_mailboxes_is_warned_of(estate: Estate) -> None:
    estate.zone("acme.example", "@ IN MX 0 acme-example.mail.protection.outlook.com.")
    service = {
        "suffix": "mail.protection.outlook.com",
        "service": "microsoft365",
        "terms": ["include:spf.protection.outlook.com"],
    }
    (outcome,) = estate.run("acme.example", terms=[AFAS_TERM], mx_services=[service])
    assert outcome.plan is not None
    assert any("microsoft365" in warning for warning in outcome.plan.warnings)
    (again,) = estate.run("acme.example", terms=[AFAS_TERM], mx_services=[service])
    assert again.plan is not None
    assert again.plan.warnings == []


def test_mx_hosts_that_cannot_be_looked_up_are_not_taken_for_none() -> None:
    service = {"suffix": "mail.protection.outlook.com", "service": "microsoft365", "terms": ["include:x.example"]}
    order = read_order(
        {
            "dns": {"provider": "zonefile", "path": "zones"},
            "domains": [{"domain": "acme.example", "spf": {"terms": ["ip4:192.0.2.1"], "mx_services": [service]}}],
        }
    )
    (recipe,) = order.requests[0].recipes
    plan = recipe.plan(ZoneState("acme.example", {}, None))
    table = Table(failing=["acme.example"])
    recipe.judge(plan, World(table, BudgetCounter(table), lambda _name: True))
    assert any("MX hosts tell of a service that sends cannot be looked up" in warning for warning in plan.warnings)


def test_a_first_record_under_a_wildcard_is_warned_of(estate: Estate) -> None:
    estate.zone("acme.example", "* IN MX 10 ns1", "own IN MX 20 ns1.many.example.")
    outcomes = estate.run("shop.acme.example", "own.acme.example", "a.b.acme.example", terms=["ip4:192.0.2.1"])
    warned = [[warning for warning in outcome.plan.warnings if "wildcard" in warning] for outcome in outcomes]
    assert [len(found) for found in warned] == [1, 0, 1]
    assert "MX come from the wildcard *.acme.example" in warned[0][0]
    again = estate.run("shop.acme.example", terms=["ip4:192.0.2.2"])
    assert again[0].plan.warnings == []


def _serve(world: ZoneFolder, zone: str, server: str) -> None:
    text = f"$TTL 60\n@ IN SOA {server}. hostmaster.{zone}. 1 7200 900 1209600 300\n@ IN NS {server}.\n"
    world.write(zone, text)


@pytest.mark.parametrize("world", ["elsewhere", "nowhere"])
def test_a_zone_that_the_world_sees_elsewhere_is_refused(estate: Estate, world: str) -> None:
    estate.zone("acme.example")
    _serve(estate.world, "acme.example" if world == "elsewhere" else "example", "ns1.other.example")
    dns = estate.ours.dns_option
    params: dict[str, Any] = {"dns": dns, "spf": {"terms": ["ip4:192.0.2.1"]}, "domains": ["acme.example"]}
    resolver = estate.world.resolver_option
    refused = estate.refused(lambda: Run(read_order(params), resolver).execute(write=True))
    where = "delegated to ns1.other.example" if world == "elsewhere" else "not delegated at all"
    for word in (where, "ns1.acme.example", "accept_undelegated", "RFC 1034 section 4.2.2"):
        assert word in str(refused)
    accepted = read_order({**params, "accept_undelegated": ["ACME.example."]})
    (outcome,) = Run(accepted, resolver).execute(write=True)
    assert outcome.changed
    assert any("accepted by name" in warning for warning in outcome.warnings)


def test_a_world_that_cannot_be_asked_is_a_warning(estate: Estate) -> None:
    estate.zone("acme.example")
    params = {"dns": estate.ours.dns_option, "spf": {"terms": ["ip4:192.0.2.1"]}, "domains": ["acme.example"]}
    (outcome,) = Run(read_order(params), estate.world.resolver_option).execute(write=True)
    assert outcome.changed
    assert any("could not be asked" in warning for warning in outcome.warnings)


@pytest.mark.parametrize("zone", ["com", "co.uk"])
def test_a_public_suffix_is_nobodys_zone_unless_the_task_names_it(estate: Estate, zone: str) -> None:
    """A resolver with the zones of the world, or a server that is primary for them, has such a zone."""
    estate.zone(zone)
    refused = estate.refused(lambda: estate.run(f"acme.{zone}"))
    for word in (f"acme.{zone} is {zone}, under which everybody registers names", "Check the domain's spelling"):
        assert word in str(refused)


def test_the_root_is_nobodys_zone(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that is also primary for the root finds it for any name."""
    monkeypatch.setattr(ZonefileProvider, "zone_of", lambda _self, _name: ".")
    refused = estate.refused(lambda: estate.run("acme.example"))
    assert "acme.example is ., under which everybody registers names" in str(refused)


@pytest.mark.parametrize("call", ["read", "apply"])
def test_a_service_that_fails_fails_its_own_zone(estate: Estate, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    for zone in ("a.example", "b.example", "c.example"):
        estate.zone(zone)
    misbehave(monkeypatch, failing(call, "b.example"))
    outcomes = estate.run("a.example", "b.example", "c.example")
    assert [outcome.changed for outcome in outcomes] == [True, False, True]
    assert [outcome.failure for outcome in outcomes] == [None, "zone b.example: the server is on fire", None]
    assert estate.read("b.example") == []
    assert estate.read("c.example") == [f"v=spf1 {AFAS_TERM} ~all"]


def test_a_writer_in_between_is_merged_with(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    path = estate.zone("acme.example", '@ IN TXT "v=spf1 mx ~all"')

    def add_address() -> None:
        path.write_text(path.read_text().replace("v=spf1 mx ~all", "v=spf1 mx ip4:192.0.2.77 ~all"))

    misbehave(monkeypatch, once_before_write("acme.example", add_address))
    (outcome,) = estate.run("acme.example")
    assert outcome.plan is not None
    assert outcome.plan.before == "v=spf1 mx ip4:192.0.2.77 ~all"
    assert estate.read("acme.example") == [f"v=spf1 mx ip4:192.0.2.77 {AFAS_TERM} ~all"]


def test_a_writer_that_makes_the_record_wrong_fails_the_zone_only(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = estate.zone("acme.example", '@ IN TXT "v=spf1 mx ~all"')
    estate.zone("right.example")

    def add_record() -> None:
        path.write_text(path.read_text() + '@ IN TXT "v=spf1 a ~all"\n')

    misbehave(monkeypatch, once_before_write("acme.example", add_record))
    acme, right = estate.run("acme.example", "right.example")
    assert acme.failure is not None
    assert "2 SPF records" in acme.failure
    assert right.changed


def test_a_write_that_never_lands_is_given_up(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    estate.zone("acme.example")
    misbehave(monkeypatch, never_lands)
    (outcome,) = estate.run("acme.example")
    assert outcome.failure == "something stands in the way"
    assert not outcome.changed


def test_writers_without_end_are_given_up(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    path = estate.zone("acme.example", '@ IN TXT "v=spf1 ip4:198.51.100.0 ~all"')
    count = 0

    def fault(call: str, zone: str) -> None:
        nonlocal count
        if call == "apply":
            path.write_text(path.read_text().replace(f"198.51.100.{count} ", f"198.51.100.{count + 1} "))
            count += 1

    misbehave(monkeypatch, fault)
    (outcome,) = estate.run("acme.example")
    assert outcome.failure is not None
    assert "other writers" in outcome.failure
    assert not outcome.changed


def test_a_write_that_is_silently_ignored_is_noticed(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    estate.zone("acme.example")
    monkeypatch.setattr(Misbehaving, "apply", lambda self, zone, changes, token: None)
    misbehave(monkeypatch, lambda call, zone: None)
    (outcome,) = estate.run("acme.example")
    assert outcome.failure is not None
    assert estate.read("acme.example") == []
