# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A flattened record gives every client what it gave before, and says which addresses came from where."""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy import spf, spf_slots
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check_host import SpfEvaluator
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import Network, SpfError
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_flatten import included_networks
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_slots import (
    Laid,
    WantedInclude,
    chain_name,
    chained_for,
    chained_networks,
    fold,
    included,
    lay_out,
)
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation import spf_worlds
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

DOMAIN = "acme.example"
TODAY = date(2026, 11, 21)
ERRORS = ("permerror", "temperror")
STYLE = spf_worlds.Style(macros=False, broken=False, ptr=False)
NUMBERS = range(1, spf_slots.MOST_CHAINED + 1)
CLIENTS = (*spf_worlds.INSIDE, *spf_worlds.OUTSIDE)


def world_of(**texts: str) -> Lookup:
    """A world of SPF records by their first label below ``example``; hosts have addresses."""
    found: dict[tuple[str, str], tuple[str, ...]] = {
        ("h.example", "A"): ("192.0.2.7",),
        ("h.example", "AAAA"): ("2001:db8::7",),
        ("v4.example", "A"): ("192.0.2.9",),
        ("m.example", "MX"): ("h.example", "v4.example"),
        **{(f"{label}.example", "TXT"): (text,) for label, text in texts.items()},
    }
    return lambda name, rdtype: found.get((name, rdtype), ())


def networks(lookup: Lookup, domain: str = "x.example") -> list[str]:
    return [str(one) for one in included_networks(domain, lookup)]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("ip4:192.0.2.1 ip4:198.51.100.0/24 -all", ["192.0.2.1/32", "198.51.100.0/24"]),
        ("ip4:192.0.2.0/25 ip4:192.0.2.128/25 ip6:2001:db8::/48 ~all", ["192.0.2.0/24", "2001:db8::/48"]),
        ("-ip4:192.0.2.0/25 ip4:192.0.2.0/24 -all", ["192.0.2.128/25"]),
        ("ip4:192.0.2.0/30 -ip4:192.0.2.0/24", ["192.0.2.0/30"]),
        ("?ip4:192.0.2.1 ~ip4:192.0.2.2 ip4:192.0.2.0/30", ["192.0.2.0/32", "192.0.2.3/32"]),
        ("a:h.example/30 -all", ["192.0.2.4/30", "2001:db8::7/128"]),
        ("a:h.example//126 -all", ["192.0.2.7/32", "2001:db8::4/126"]),
        ("mx:m.example -all", ["192.0.2.7/32", "192.0.2.9/32", "2001:db8::7/128"]),
        ("include:y.example -all", ["192.0.2.16/28"]),
        ("?include:y.example ip4:192.0.2.0/27 -all", ["192.0.2.0/28"]),
        ("ip4:192.0.2.1 redirect=y.example", ["192.0.2.1/32", "192.0.2.16/28"]),
        ("ip4:192.0.2.1 -all redirect=y.example", ["192.0.2.1/32"]),
        ("include:%{d1}.%{d1}.test ip4:192.0.2.1 exp=%{i}.example moo=%{i} -all", None),
        ("include:y.%{d1} -all", ["192.0.2.16/28"]),
    ],
)
def test_the_addresses_that_an_include_passes(record: str, expected: list[str] | None) -> None:
    lookup = world_of(x=f"v=spf1 {record}", y="v=spf1 ip4:192.0.2.16/28 ~all")
    if expected is None:
        with pytest.raises(SpfError, match="no SPF record"):
            networks(lookup)
    else:
        assert networks(lookup) == expected


@pytest.mark.parametrize(
    ("record", "term", "rule"),
    [
        ("exists:%{i}.example -all", "include:x.example > exists:%{i}.example", "exists depends on the message"),
        ("ip4:192.0.2.1 exists:h.example -all", "include:x.example > exists:h.example", "exists depends"),
        ("ptr -all", "include:x.example > ptr", "ptr depends on the message"),
        ("include:%{i}.example -all", "include:x.example > include:%{i}.example", "its macros depend on the message"),
        ("include:z.example -all", "include:x.example > include:z.example > a:%{l}.example", "its macros depend"),
        ("a:void.example ip4:192.0.2.1 -all", "include:x.example > a:void.example", "it gives no addresses"),
        ("mx:void.example -all", "include:x.example > mx:void.example", "it gives no addresses"),
        ("include:none.example -all", "include:x.example > include:none.example", "none.example has no SPF record"),
        ("-all", "include:x.example", "it gives no addresses"),
        ("include:x.example -all", "include:x.example > include:x.example", "it leads back to itself"),
        ("ip4:300.1.1.1 -all", "include:x.example > ip4:300.1.1.1", "the record of x.example is invalid"),
        ("ip4:192.0.2.1 +all", "include:x.example > +all", "it lets everybody send"),
        ("redirect=none.example", "include:x.example > redirect=none.example", "none.example has no SPF record"),
    ],
)
def test_what_no_addresses_stand_for_is_named(record: str, term: str, rule: str) -> None:
    with pytest.raises(SpfError, match=rule) as caught:
        networks(world_of(x=f"v=spf1 {record}", z="v=spf1 a:%{l}.example -all"))
    assert caught.value.term == term


def test_what_cannot_be_resolved_is_no_empty_answer() -> None:
    world = spf_worlds.World({("x.example", "TXT"): (f"v=spf1 include:{spf_worlds.FAILING} -all",)})
    with pytest.raises(SpfError, match=r"down\.example cannot be resolved: no answer within 5 s"):
        networks(world)


def test_a_tree_without_end_is_given_up() -> None:
    wide = {f"w{number}": f"v=spf1 {' '.join(['a:h.example'] * 90)} -all" for number in range(5)}
    with pytest.raises(SpfError, match="asks more than"):
        networks(world_of(x=f"v=spf1 {' '.join(f'include:{label}.example' for label in wide)} -all", **wide))


# --- the same answer for every client -------------------------------------------------------------------------------


def holds(found: tuple[Network, ...], client: str) -> bool:
    address = ipaddress.ip_address(client)
    return any(address.version == one.version and address in one for one in found)


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_an_address_is_in_it_when_the_include_passes_it(seed: int) -> None:
    made = spf_worlds.world(random.Random(seed), replace(STYLE, macros=seed % 5 == 0))
    evaluator = SpfEvaluator(made)
    for domain in spf_worlds.DOMAINS:
        try:
            found = included_networks(domain, made)
        except SpfError:
            continue
        for client in CLIENTS:
            result = evaluator.check_host(client, domain, "user@d9.example").result
            if result not in ERRORS:
                note(f"{seed}: {domain} {client} {result} {found}")
                assert holds(found, client) == (result == "pass")


def flat(record: spf.SpfRecord, lookup: Lookup, includes: set[str], when: date = TODAY, **more: Any) -> Laid:
    folded = fold(record, DOMAIN)
    wanted = [
        WantedInclude(term, domain, included_networks(domain, lookup), when, 7)
        for term in folded.record.terms
        if isinstance(term, spf.Directive) and (domain := included(term)) in includes and domain
    ]
    renewed = {id(one.include) for one in wanted}
    kept = {key: slot for key, slot in folded.slots.items() if key not in renewed}
    return lay_out(folded.record, wanted, kept, DOMAIN, more.get("free", [*NUMBERS]))


def answers(record: str, chained: Mapping[int, str], made: spf_worlds.World) -> list[str]:
    zone = {**made.zone, (DOMAIN, "TXT"): (record,)}
    zone |= {(chain_name(number, DOMAIN), "TXT"): (text,) for number, text in chained.items()}
    evaluator = SpfEvaluator(spf_worlds.World(zone))
    return [evaluator.check_host(client, DOMAIN, f"user@{DOMAIN}").result for client in CLIENTS]


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32), st.integers(60, 450))
def test_every_client_gets_what_it_got_before(seed: int, longest: int) -> None:
    rng = random.Random(seed)
    made = spf_worlds.world(rng, STYLE)
    terms = [rng.choice(("", "", "?", "~", "-")) + spf_worlds.term(rng, STYLE) for _number in range(rng.randrange(5))]
    terms.insert(
        rng.randrange(len(terms) + 1), f"{rng.choice(('', '?', '~', '-', '+'))}include:{spf_worlds.DOMAINS[0]}"
    )
    before = spf.parse_spf(" ".join(["v=spf1", *terms, rng.choice(("-all", "~all", "redirect=d1.example"))]))
    includes = {found for term in before.terms if (found := included(term)) and rng.random() < 0.8}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spf_slots, "LONGEST", longest)
        try:
            laid = flat(before, made, includes)
            again = flat(spf.parse_spf(str(laid.record)), made, includes)
        except SpfError:
            return
    after = str(laid.record)
    note(f"{seed}: {before} -> {after} {laid.chained}")
    assert (str(again.record), again.chained) == (after, laid.chained), "flattening it again changes nothing"
    assert all(chained_for(text) in includes for text in laid.chained.values())
    pairs = zip(answers(str(before), {}, made), answers(after, laid.chained, made), strict=True)
    assert [pair for pair in pairs if pair[0] != pair[1] and pair[0] not in ERRORS and pair[1] not in ERRORS] == []
    folded = fold(spf.parse_spf(after), DOMAIN)
    assert (len(folded.slots), folded.broken) == (len(laid.markers), ())
    assert [included(term) for term in folded.record.terms] == [included(term) for term in before.terms]


# --- what a record says about itself --------------------------------------------------------------------------------

SERVICE = world_of(
    x="v=spf1 ip4:192.0.2.1 ip4:198.51.100.0/24 ~all", y=f"v=spf1 {' '.join(f'ip4:10.{n}.0.1' for n in range(60))} -all"
)


def test_qualifiers_order_and_spelling_of_the_rest_stay() -> None:
    record = spf.parse_spf("V=spf1  MX ?include:X.example.   ip4:203.0.113.9 op=1  ~all ")
    laid = str(flat(record, SERVICE, {"x.example"}).record)
    assert laid.startswith("V=spf1  MX ?ip4:192.0.2.1 ?ip4:198.51.100.0/24 flattened=x.example/2026-11-21/7/2/")
    assert laid.endswith("   ip4:203.0.113.9 op=1  ~all ")
    assert (
        str(fold(spf.parse_spf(laid), DOMAIN).record) == "V=spf1  MX ?include:x.example   ip4:203.0.113.9 op=1  ~all "
    )


def test_the_largest_go_into_records_of_their_own() -> None:
    laid = flat(
        spf.parse_spf("v=spf1 include:y.example include:x.example mx ~all"), SERVICE, {"x.example", "y.example"}
    )
    text = str(laid.record)
    assert text.startswith(f"v=spf1 include:_spf1.{DOMAIN} flattened=y.example/2026-11-21/7/1,2,3 ip4:192.0.2.1 ip4:1")
    assert sorted(laid.chained) == [1, 2, 3]
    assert [len(one) <= spf_slots.LONGEST for one in (text, *laid.chained.values())] == [True] * 4
    assert laid.chained[1].endswith(f" include:_spf2.{DOMAIN} flattened=y.example -all")
    assert laid.chained[3].endswith(" flattened=y.example -all") and "include:" not in laid.chained[3]
    assert chained_networks(laid.chained.values()) == set(included_networks("y.example", SERVICE))
    assert {chained_for(one) for one in laid.chained.values()} == {"y.example"}


def test_numbers_that_are_taken_are_passed_over() -> None:
    laid = flat(spf.parse_spf("v=spf1 include:y.example ~all"), SERVICE, {"y.example"}, free=[2, 5, 6, 8])
    assert sorted(laid.chained) == [2, 5, 6]
    assert str(laid.record).startswith(f"v=spf1 include:_spf2.{DOMAIN} flattened=y.example/2026-11-21/7/2,5,6 ~all")


def test_too_few_names_are_told() -> None:
    with pytest.raises(SpfError, match=r"its 60 networks need 3 records .* and 2 of _spf1\.acme\.example to _spf8"):
        flat(spf.parse_spf("v=spf1 include:y.example ~all"), SERVICE, {"y.example"}, free=[1, 2])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("ip4:192.0.2.1 ", ""),
        lambda text: text.replace("ip4:192.0.2.1", "ip4:192.0.2.2"),
        lambda text: text.replace("ip4:192.0.2.1", "?ip4:192.0.2.1"),
        lambda text: text.replace(" flattened=", " mx flattened="),
    ],
)
def test_addresses_that_somebody_changed_are_not_taken_for_ours(spoil: Any) -> None:
    laid = spoil(str(flat(spf.parse_spf("v=spf1 a include:x.example ~all"), SERVICE, {"x.example"}).record))
    folded = fold(spf.parse_spf(laid), DOMAIN)
    assert (folded.slots, folded.broken, str(folded.record)) == ({}, ("x.example",), laid)


def test_another_spelling_of_the_same_addresses_is_no_change() -> None:
    laid = str(flat(spf.parse_spf("v=spf1 include:x.example ~all"), SERVICE, {"x.example"}).record)
    assert fold(spf.parse_spf(laid.replace("ip4:192.0.2.1 ", "+IP4:192.0.2.1/32  ")), DOMAIN).broken == ()


@pytest.mark.parametrize(
    "text",
    [
        "v=spf1 flattened=x.example/2026-11-21/7/2/12345678 ~all",
        "v=spf1 ip4:192.0.2.1 flattened=x.example/2026-11-21/7/9/12345678 ~all",
        "v=spf1 include:_spf2.acme.example flattened=x.example/2026-11-21/7/1 ~all",
        "v=spf1 include:_spf1.other.example flattened=x.example/2026-11-21/7/1 ~all",
    ],
)
def test_a_modifier_that_fits_nothing_is_broken(text: str) -> None:
    assert fold(spf.parse_spf(text), DOMAIN).broken == ("x.example",)


@pytest.mark.parametrize("value", ["", "x.example", "x.example/2026-13-01/7/1", "x.example/2026-11-21/0/1", "a/b/c/d"])
def test_other_modifiers_of_that_name_are_left_alone(value: str) -> None:
    record = spf.parse_spf(f"v=spf1 ip4:192.0.2.1 flattened={value} ~all")
    folded = fold(record, DOMAIN)
    assert (folded.record, folded.slots, folded.broken) == (record, {}, ())


@pytest.mark.parametrize(
    ("day", "stale"), [(20, True), (21, False), (28, False), (29, True)], ids=["future", "same", "last", "over"]
)
def test_addresses_become_stale(day: int, stale: bool) -> None:
    (marker,) = flat(spf.parse_spf("v=spf1 include:x.example ~all"), SERVICE, {"x.example"}).markers
    assert marker.is_stale(date(2026, 11, day)) == stale


@settings(max_examples=200)
@given(st.text(alphabet="flatend=x.mpl/2026-1,78 ip4:_sc", max_size=80))
def test_no_text_breaks_the_reading(text: str) -> None:
    try:
        record = spf.parse_spf(f"v=spf1 {text}")
    except SpfError:
        return
    folded = fold(record, DOMAIN)
    if not folded.slots:
        assert folded.record == record
