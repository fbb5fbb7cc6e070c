# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What provider transip promises beyond the contract: what the world sees after each request, and what stays."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.transip.transip_answer import TransipEntry
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.transip.transip_steps import (
    TransipStep,
    transip_steps,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.transip import Transip
from ansible_collections.mailroom.erp.tests.unit.dns.cloudflare_acts import APEX, NEW, SPF, ZONE, change
from ansible_collections.mailroom.erp.tests.unit.dns.transip_acts import (
    StartTransip,
    entry,
    opened_transip,
    post_entry,
)
from hypothesis import given
from hypothesis import strategies as st

OTHER = "google-site-verification=abc"


def requests_of(server: Transip) -> list[str]:
    return [method for method, path in server.requests if path.endswith("/dns") and method != "GET"]


# --- steps, pure ----------------------------------------------------------------------------------------------------

VALUES = st.lists(st.sampled_from(["a", "b", "c", "v=spf1 mx ~all", "v=spf1 -all"]), max_size=4, unique=True)
TTLS = st.sampled_from([60, 300, 601, 3600, 86399, 86400])


def rrset_of(entries: Sequence[TransipEntry]) -> RRset | None:
    values = tuple(sorted({one.value(ZONE) for one in entries}))
    return RRset(*APEX, min(one.ttl for one in entries), values) if entries else None


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "v=spf1 mx ~all"]), TTLS), max_size=5, unique=True),
    VALUES,
    st.one_of(st.none(), TTLS),
    st.integers(0, 999),
)
def test_steps_end_with_what_is_wanted_and_each_value_is_the_old_or_the_new_one(
    there: list[tuple[str, int]], after: list[str], ttl: int | None, salt: int
) -> None:
    """Entries with any TTLs, copies of a dead run among them; in between, no value is gone before its successor."""
    entries = sorted(TransipEntry("@", seconds, "TXT", text) for text, seconds in there)
    before = rrset_of(entries)
    seconds = ttl or (before.ttl if before else 300)
    wanted = RRset(*APEX, seconds, tuple(sorted(after))) if after else None
    if before is None and wanted is None:
        return
    steps = transip_steps(ZONE, [Change(before, wanted)], {ZONE: entries}, salt)
    now = tuple(entries)
    for step in steps:
        assert step.method == "POST" or (step.old or step.entry) in now
        if step.method == "PATCH":
            assert [one.ttl for one in now].count(step.entry.ttl) == 1, "TransIP changes an entry that is alone"
        if step.method == "POST":
            assert step.entry not in now
        now = step.done(now)
        values = {one.value(ZONE) for one in now}
        if before and wanted:
            assert values >= set(before.values) & set(wanted.values), "what stays is there all the time"
            assert len(values) >= min(len(before.values), len(wanted.values)), "no value goes before the next one comes"
            assert len(values) <= max(len(before.values), len(wanted.values)), "nor comes before the last one goes"
    assert {one.value(ZONE) for one in now} == set(after)
    assert all(60 <= one.ttl <= 86400 for one in now)
    if before and wanted and before.ttl != seconds:
        assert {one.ttl for one in now} == {seconds}


def test_an_entry_that_is_alone_is_patched_in_place() -> None:
    entries = [TransipEntry("@", 300, "TXT", SPF), TransipEntry("@", 600, "TXT", "x")]
    (step,) = transip_steps(
        ZONE, [Change(RRset(*APEX, 300, ("x", SPF)), RRset(*APEX, 300, ("x", NEW)))], {ZONE: entries}, 0
    )
    assert step == TransipStep("PATCH", TransipEntry("@", 300, "TXT", NEW), entries[0])


def test_an_entry_among_others_goes_by_a_ttl_of_its_own() -> None:
    entries = [TransipEntry("@", 300, "TXT", SPF), TransipEntry("@", 300, "TXT", "x")]
    changes = [Change(RRset(*APEX, 300, ("x", SPF)), RRset(*APEX, 300, ("x", NEW)))]
    steps = transip_steps(ZONE, changes, {ZONE: entries}, 4)
    assert [(one.method, one.entry.ttl, one.entry.content) for one in steps] == [
        ("POST", 305, SPF),
        ("DELETE", 300, SPF),
        ("PATCH", 305, NEW),
        ("POST", 300, NEW),
        ("DELETE", 305, NEW),
    ]
    assert steps[1].undo == TransipStep("DELETE", TransipEntry("@", 305, "TXT", SPF))
    other = transip_steps(ZONE, changes, {ZONE: entries}, 5)
    assert other[0].entry.ttl != steps[0].entry.ttl, "two runs at once have copies of their own"


@pytest.mark.parametrize("ttl", [300, 600])
def test_an_alias_stands_alone(ttl: int) -> None:
    old = TransipEntry("s1._domainkey", 300, "CNAME", "a.example.")
    key = (f"s1._domainkey.{ZONE}", "CNAME")
    wish = Change(RRset(*key, 300, ("a.example",)), RRset(*key, ttl, ("b.example",)))
    methods = [one.method for one in transip_steps(ZONE, [wish], {key[0]: [old]}, 0)]
    assert methods == (["PATCH"] if ttl == 300 else ["DELETE", "POST"])


def test_what_refers_to_a_record_comes_after_it_and_goes_before_it() -> None:
    """The parts of a flattened SPF record, as the record that names them sees it."""
    parts = {name: (f"{name}.{ZONE}", "TXT") for name in ("_spf1", "_spf2")}
    known = {
        ZONE: [TransipEntry("@", 300, "TXT", SPF)],
        parts["_spf1"][0]: [TransipEntry("_spf1", 300, "TXT", "v=spf1 -all")],
        parts["_spf2"][0]: [],
    }
    changes = [
        Change(RRset(*parts["_spf1"], 300, ("v=spf1 -all",)), None),
        Change(RRset(*APEX, 300, (SPF,)), RRset(*APEX, 300, (NEW,))),
        Change(None, RRset(*parts["_spf2"], 300, ("v=spf1 -all",))),
    ]
    steps = transip_steps(ZONE, changes, known, 0)
    assert [(one.method, one.entry.owner) for one in steps] == [("POST", "_spf2"), ("PATCH", "@"), ("DELETE", "_spf1")]


@pytest.mark.parametrize("text", ['with "quotes"', "back\\slash", "back`tick", "é", " blank", "blank ", "", "x" * 1025])
def test_a_text_that_is_not_carried_is_refused_before_anything_is_sent(transip: Transip, text: str) -> None:
    provider = opened_transip(transip)
    with pytest.raises(ProviderError, match="does not carry unchanged the text"):
        change(provider, APEX, SPF, OTHER, text)
    assert requests_of(transip) == []


def test_a_text_that_others_made_unreadable_can_be_replaced(transip: Transip) -> None:
    """Other tools write quotation marks, which TransIP serves as a part of the text."""
    quoted = f'"{SPF}"'
    transip.zones[ZONE].entries = [entry(quoted), entry(OTHER)]
    provider = opened_transip(transip)
    assert provider.read(ZONE, [APEX]).rrsets[APEX].values == (quoted, OTHER)
    change(provider, APEX, NEW, OTHER)
    assert transip.values(ZONE, "TXT") == [f'"{OTHER}"', f'"{NEW}"']


# --- what stays -----------------------------------------------------------------------------------------------------


def test_other_entries_of_the_name_are_not_touched(transip: Transip) -> None:
    for ttl in (300, 600, 3600):
        post_entry(transip, f"of others {ttl}", ttl=ttl)
    others = [one for one in transip.zones[ZONE].entries if one["content"] != SPF]
    provider = opened_transip(transip)
    found = provider.read(ZONE, [APEX]).rrsets[APEX]
    assert found.ttl == 300, "the shortest"
    change(provider, APEX, *(NEW if value == SPF else value for value in found.values))
    assert [one for one in transip.zones[ZONE].entries if one["content"] != NEW] == others
    assert entry(NEW) in transip.zones[ZONE].entries, "with the TTL that it had"


def test_one_entry_costs_one_request(start_transip: StartTransip) -> None:
    server = start_transip({ZONE: zone_text(ZONE, f'@ 600 TXT "{SPF}"')})
    change(opened_transip(server), APEX, NEW)
    assert requests_of(server) == ["PATCH"]
    assert [path for method, path in server.requests if method == "GET"] == [f"/domains/{ZONE}/dns"] * 2


def test_a_copy_that_a_dead_run_left_is_cleared_away_by_the_next_change(transip: Transip) -> None:
    post_entry(transip, SPF, ttl=623)
    provider = opened_transip(transip)
    assert provider.read(ZONE, [APEX]).rrsets[APEX].values == (OTHER, SPF)
    change(provider, APEX, NEW, OTHER)
    assert [one["content"] for one in transip.zones[ZONE].entries if one["type"] == "TXT"].count(NEW) == 1
    assert SPF not in [one["content"] for one in transip.zones[ZONE].entries]


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("@", ZONE),
        ("www", f"www.{ZONE}"),
        ("Key.Service.Example.", "key.service.example"),
        ("www.acme.example", f"www.{ZONE}.{ZONE}"),
    ],
)
def test_targets_are_relative_to_the_zone_unless_they_end_with_a_dot(
    transip: Transip, content: str, value: str
) -> None:
    name = f"s1._domainkey.{ZONE}"
    post_entry(transip, content, name="s1._domainkey", rdtype="CNAME")
    post_entry(transip, f"10 {content}", name="mail", rdtype="MX")
    state = opened_transip(transip).read(ZONE, [(name, "CNAME"), (f"mail.{ZONE}", "MX")])
    assert state.rrsets[name, "CNAME"].values == (value,)
    assert state.rrsets[f"mail.{ZONE}", "MX"].values == (f"10 {value}",)


def test_the_name_servers_are_those_of_the_domain(transip: Transip) -> None:
    transip.zones[ZONE].name_servers = ["ns0.transip.net", "NS1.transip.nl"]
    provider = opened_transip(transip)
    state = provider.read(ZONE, [(ZONE, "NS")])
    assert state.rrsets[ZONE, "NS"].values == ("ns0.transip.net.", "ns1.transip.nl.")
    transip.zones[ZONE].name_servers = []
    assert not provider.read(ZONE, [(ZONE, "NS")]).rrsets


def test_domains_are_listed_once(start_transip: StartTransip) -> None:
    server = start_transip({f"customer{n}.example": zone_text(f"customer{n}.example") for n in range(30)})
    provider = opened_transip(server)
    for number in range(30):
        assert provider.zone_of(f"_dmarc.customer{number}.example") == f"customer{number}.example"
    assert server.count("GET") == 1
