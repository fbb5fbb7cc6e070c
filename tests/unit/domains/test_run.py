# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole path on real master files: read, plan, guard, apply, read back; and a service that misbehaves."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Conflict, Provider, ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.zonefile.zonefile_provider import (
    ZonefileProvider,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.domains import run
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.zone_records import RecordStep
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused

HEAD = """$TTL 3600
@ IN SOA ns1.{zone}. hostmaster.{zone}. 1 7200 900 1209600 300
@ IN NS ns1.{zone}.
ns1 IN A 192.0.2.53
"""
WORLD = {
    "afas.online": 'spf IN TXT "v=spf1 ip4:192.0.2.0/24 ~all"\n',
    "many.example": "\n".join(
        f'n{number} IN TXT "v=spf1 a:ns1.many.example a:ns1.many.example ~all"' for number in range(3)
    )
    + '\nsix IN TXT "v=spf1 '
    + " ".join(["a:ns1.many.example"] * 6)
    + ' ~all"\nfour IN TXT "v=spf1 '
    + " ".join(["a:ns1.many.example"] * 4)
    + ' ~all"\nloop IN TXT "v=spf1 include:loop.many.example"\n',
    "protection.outlook.com": 'spf IN TXT "v=spf1 ip4:198.51.100.0/24 -all"\n',
}
AFAS = "include:spf.afas.online"


class Estate:
    """Zones of ours in one folder, the rest of the world in another; both are what the resolver sees."""

    def __init__(self, tmp_path: Path) -> None:
        self.ours, self.world = tmp_path / "ours", tmp_path / "world"
        self.ours.mkdir()
        self.world.mkdir()
        for zone, records in WORLD.items():
            self._write(self.world, zone, records)

    def zone(self, zone: str, *records: str) -> Path:
        return self._write(self.ours, zone, "\n".join(records) + "\n")

    @staticmethod
    def _write(folder: Path, zone: str, records: str) -> Path:
        path = folder / f"{zone}.zone"
        path.write_text(HEAD.format(zone=zone) + records)
        return path

    def run(self, *domains: object, write: bool = True, **spf: Any) -> list[RecordStep]:
        dns = {"provider": "zonefile", "path": str(self.ours)}
        order = read_order({"dns": dns, "spf": spf or {"terms": [AFAS]}, "domains": list(domains)})
        outcomes = run.Run(order, {"zonefiles": [str(self.ours), str(self.world)]}).execute(write)
        return [outcome.steps[0] for outcome in outcomes]

    def txt(self, name: str, zone: str | None = None) -> list[str]:
        provider = ZonefileProvider({"path": str(self.ours)})
        state = provider.read(zone or name, [(name, "TXT")])
        rrset = state.rrsets.get((name, "TXT"))
        return sorted(rrset.values) if rrset else []

    def hashes(self) -> dict[str, str]:
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.ours.glob("*.zone")}


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
    assert outcome.plan.after == f"v=spf1 mx ip4:192.0.2.10 {AFAS} ~all"
    assert estate.txt("acme.example") == ["google-site-verification=abc", outcome.plan.after]
    assert "; ours" in path.read_text()
    again = estate.hashes()
    (outcome,) = estate.run("acme.example")
    assert not outcome.changed
    assert estate.hashes() == again


def test_check_mode_writes_nothing_and_says_the_same(estate: Estate) -> None:
    estate.zone("acme.example", '@ IN TXT "v=spf1 mx ~all"')
    before = estate.hashes()
    (planned,) = estate.run("acme.example", write=False)
    assert estate.hashes() == before
    assert not list(estate.ours.glob(".*"))
    (done,) = estate.run("acme.example")
    assert planned.plan is not None
    assert done.plan is not None
    assert (planned.plan.change, planned.changed) == (done.plan.change, done.changed)


def test_terms_of_several_domains_in_one_zone_are_one_write(estate: Estate) -> None:
    path = estate.zone("acme.example", "mail IN A 192.0.2.1")
    outcomes = estate.run("acme.example", "mail.acme.example", "shop.acme.example")
    assert [outcome.zone for outcome in outcomes] == ["acme.example"] * 3
    assert estate.txt("shop.acme.example", "acme.example") == [f"v=spf1 {AFAS} ~all"]
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
    estate.run("acme.example", terms=[AFAS], absent_terms=["ip4:192.0.2.9"])
    assert estate.txt("acme.example") == [f"v=spf1 mx {AFAS} ~all"]
    (gone,) = estate.run("acme.example", state="absent")
    assert gone.changed
    assert estate.txt("acme.example") == []
    assert not estate.run("acme.example", state="absent")[0].changed


def test_duplicates_are_merged_when_told(estate: Estate) -> None:
    estate.zone("acme.example", '@ IN TXT "v=spf1 mx -all"', '@ IN TXT "hello"', '@ IN TXT "v=spf1 a ~all"')
    estate.run("acme.example", terms=[AFAS], on_duplicate="merge", lookup_limit="ignore")
    (spf,) = [value for value in estate.txt("acme.example") if value != "hello"]
    assert sorted(spf.split()) == sorted(["v=spf1", "mx", "a", AFAS, "~all"])
    assert spf.endswith(f"{AFAS} ~all")


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
    ([], {"create": False}, ["has none yet", "services", "RFC 7208 section 8.5"]),
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
    before = estate.hashes()
    with pytest.raises(Refused) as caught:
        estate.run({"domain": "acme.example", "spf": {"terms": [AFAS], **spf}}, "right.example")
    assert estate.hashes() == before
    message = str(caught.value)
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
    assert estate.txt("example.com") == []


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
    (outcome,) = estate.run("acme.example", terms=[AFAS], mx_services=[service])
    assert outcome.plan is not None
    assert any("microsoft365" in warning for warning in outcome.plan.warnings)
    (again,) = estate.run("acme.example", terms=[AFAS], mx_services=[service])
    assert again.plan is not None
    assert again.plan.warnings == []


def test_a_first_record_under_a_wildcard_is_warned_of(estate: Estate) -> None:
    estate.zone("acme.example", "* IN MX 10 ns1", "own IN MX 20 ns1.many.example.")
    outcomes = estate.run("shop.acme.example", "own.acme.example", "a.b.acme.example", terms=["ip4:192.0.2.1"])
    warned = [[warning for warning in outcome.plan.warnings if "wildcard" in warning] for outcome in outcomes]
    assert [len(found) for found in warned] == [1, 0, 1]
    assert "MX come from the wildcard *.acme.example" in warned[0][0]
    again = estate.run("shop.acme.example", terms=["ip4:192.0.2.2"])
    assert again[0].plan.warnings == []


def _serve(folder: Path, zone: str, server: str) -> None:
    text = f"$TTL 60\n@ IN SOA {server}. hostmaster.{zone}. 1 7200 900 1209600 300\n@ IN NS {server}.\n"
    (folder / f"{zone}.zone").write_text(text)


@pytest.mark.parametrize("world", ["elsewhere", "nowhere"])
def test_a_zone_that_the_world_sees_elsewhere_is_refused(estate: Estate, world: str) -> None:
    estate.zone("acme.example")
    _serve(estate.world, "acme.example" if world == "elsewhere" else "example", "ns1.other.example")
    dns = {"provider": "zonefile", "path": str(estate.ours)}
    params: dict[str, Any] = {"dns": dns, "spf": {"terms": ["ip4:192.0.2.1"]}, "domains": ["acme.example"]}
    resolver = {"zonefiles": [str(estate.world)]}
    before = estate.hashes()
    with pytest.raises(Refused) as caught:
        run.Run(read_order(params), resolver).execute(write=True)
    assert estate.hashes() == before
    where = "delegated to ns1.other.example" if world == "elsewhere" else "not delegated at all"
    for word in (where, "ns1.acme.example", "accept_undelegated", "RFC 1034 section 4.2.2"):
        assert word in str(caught.value)
    accepted = read_order({**params, "accept_undelegated": ["ACME.example."]})
    (outcome,) = run.Run(accepted, resolver).execute(write=True)
    assert outcome.changed
    assert any("accepted by name" in warning for warning in outcome.warnings)


def test_a_world_that_cannot_be_asked_is_a_warning(estate: Estate) -> None:
    estate.zone("acme.example")
    dns = {"provider": "zonefile", "path": str(estate.ours)}
    order = read_order({"dns": dns, "spf": {"terms": ["ip4:192.0.2.1"]}, "domains": ["acme.example"]})
    (outcome,) = run.Run(order, {"zonefiles": [str(estate.world)]}).execute(write=True)
    assert outcome.changed
    assert any("could not be asked" in warning for warning in outcome.warnings)


class Misbehaving:
    """A provider that does something else at one of its calls, once or always."""

    def __init__(self, real: Provider, fault: Callable[[str, str], None]) -> None:
        self._real, self._fault = real, fault

    def zone_of(self, name: str) -> str:
        return self._real.zone_of(name)

    def read(self, zone: str, keys: Collection[Key]) -> ZoneState:
        self._fault("read", zone)
        return self._real.read(zone, keys)

    def apply(self, zone: str, changes: Sequence[Change], token: object) -> None:
        self._fault("apply", zone)
        self._real.apply(zone, changes, token)


def misbehave(monkeypatch: pytest.MonkeyPatch, fault: Callable[[str, str], None]) -> None:
    monkeypatch.setattr(run, "open_provider", lambda dns, _tell: Misbehaving(ZonefileProvider(dns), fault))
    monkeypatch.setattr("time.sleep", lambda seconds: None)


@pytest.mark.parametrize("call", ["read", "apply"])
def test_a_service_that_fails_fails_its_own_zone(estate: Estate, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    for zone in ("a.example", "b.example", "c.example"):
        estate.zone(zone)

    def fault(done: str, zone: str) -> None:
        if (done, zone) == (call, "b.example"):
            raise ProviderError(f"zone {zone}: the server is on fire")

    misbehave(monkeypatch, fault)
    outcomes = estate.run("a.example", "b.example", "c.example")
    assert [outcome.changed for outcome in outcomes] == [True, False, True]
    assert [outcome.failure for outcome in outcomes] == [None, "zone b.example: the server is on fire", None]
    assert estate.txt("b.example") == []
    assert estate.txt("c.example") == [f"v=spf1 {AFAS} ~all"]


def test_a_writer_in_between_is_merged_with(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    path = estate.zone("acme.example", '@ IN TXT "v=spf1 mx ~all"')
    done = threading.Event()

    def fault(call: str, zone: str) -> None:
        if call == "apply" and not done.is_set():
            done.set()
            path.write_text(path.read_text().replace("v=spf1 mx ~all", "v=spf1 mx ip4:192.0.2.77 ~all"))

    misbehave(monkeypatch, fault)
    (outcome,) = estate.run("acme.example")
    assert outcome.plan is not None
    assert outcome.plan.before == "v=spf1 mx ip4:192.0.2.77 ~all"
    assert estate.txt("acme.example") == [f"v=spf1 mx ip4:192.0.2.77 {AFAS} ~all"]


def test_a_writer_that_makes_the_record_wrong_fails_the_zone_only(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = estate.zone("acme.example", '@ IN TXT "v=spf1 mx ~all"')
    estate.zone("right.example")
    done = threading.Event()

    def fault(call: str, zone: str) -> None:
        if call == "apply" and zone == "acme.example" and not done.is_set():
            done.set()
            path.write_text(path.read_text() + '@ IN TXT "v=spf1 a ~all"\n')

    misbehave(monkeypatch, fault)
    acme, right = estate.run("acme.example", "right.example")
    assert acme.failure is not None
    assert "2 SPF records" in acme.failure
    assert right.changed


def test_a_write_that_never_lands_is_given_up(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    estate.zone("acme.example")

    def fault(call: str, zone: str) -> None:
        if call == "apply":
            raise Conflict("something stands in the way")

    misbehave(monkeypatch, fault)
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
    assert estate.txt("acme.example") == []
