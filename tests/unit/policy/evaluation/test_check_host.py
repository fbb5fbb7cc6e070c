# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What check_host says beside its result: why, which term, at what cost."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check_host import SpfEvaluator
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.spf_worlds import World, mail_hosts

Zone = dict[tuple[str, str], tuple[str, ...]]

DOMAIN = "acme.example"
ZONE = {
    (DOMAIN, "TXT"): ("other", "v=spf1 mx include:x.example ~include:y.example redirect=z.example exp=unused.example"),
    (DOMAIN, "MX"): ("mail.acme.example",),
    ("mail.acme.example", "A"): ("192.0.2.1",),
    ("x.example", "TXT"): ("v=spf1 include:y.example ip4:192.0.2.2 -all",),
    ("y.example", "TXT"): ("v=spf1 ip4:192.0.2.3 -ip4:192.0.2.4 ?all",),
    ("z.example", "TXT"): ("v=spf1 a:gone.example -all exp=why.%{d}",),
    ("why.z.example", "TXT"): ("%{c} %{i} %{v} %{r} %{t} %{s} %{o} %{h} %{d}%%%_%-",),
    ("soft.example", "TXT"): ("v=spf1",),
}


def evaluator() -> SpfEvaluator:
    return SpfEvaluator(World(dict(ZONE)), receiver="mx.receiver.example", now=lambda: 1234.9)


@pytest.mark.parametrize(
    ("ip", "result", "term", "lookups", "void", "why"),
    [
        ("192.0.2.1", "pass", "mx", 1, 0, "section 5.4"),
        ("192.0.2.2", "pass", "include:x.example > ip4:192.0.2.2", 3, 0, "section 5.2"),
        ("192.0.2.3", "pass", "include:x.example > include:y.example > ip4:192.0.2.3", 3, 0, "matches 192.0.2.3"),
        ("192.0.2.4", "fail", "redirect=z.example > -all", 6, 1, "because no other term matches 192.0.2.4"),
        ("::ffff:192.0.2.1", "pass", "mx", 1, 0, "section 5.4"),
        ("2001:db8::1", "fail", "redirect=z.example > -all", 6, 2, "section 5.1"),
    ],
)
def test_the_term_that_decided_is_named(ip: str, result: str, term: str, lookups: int, void: int, why: str) -> None:
    found = evaluator().check_host(ip, DOMAIN, f"invoice@{DOMAIN}")
    assert (found.result, found.term, found.lookups, found.void) == (result, term, lookups, void)
    assert why in found.reason and found.address == ip.removeprefix("::ffff:")


FOUR_HOSTS: Zone = {
    (DOMAIN, "TXT"): ("v=spf1 mx ip6:2001:db8::/32 -all",),
    **mail_hosts(DOMAIN, 4),
}


@pytest.mark.parametrize(
    ("ip", "result", "void", "cautioned"),
    [("192.0.2.3", "pass", 0, False), ("2001:db8::1", "pass", 1, True), ("2001:db9::1", "fail", 1, True)],
)
def test_a_term_is_one_void_lookup_whatever_number_of_its_questions_finds_nothing(
    ip: str, result: str, void: int, cautioned: bool
) -> None:
    found = SpfEvaluator(World(dict(FOUR_HOSTS))).check_host(ip, DOMAIN, "")
    assert (found.result, found.void, found.caution is not None) == (result, void, cautioned)
    assert not cautioned or "section 4.6.4" in str(found.caution)


def test_the_third_term_that_finds_nothing_is_one_too_many() -> None:
    zone = {**FOUR_HOSTS, (DOMAIN, "TXT"): ("v=spf1 mx a:m1.example a:m2.example ip6:2001:db8::/32 -all",)}
    found = SpfEvaluator(World(zone)).check_host("2001:db8::1", DOMAIN, "")
    assert (found.result, found.term, found.void) == ("permerror", "a:m2.example", 3)
    assert found.reason == (
        "more than 2 terms find nothing, AAAA of m2.example is one too many (RFC 7208 section 4.6.4)"
    )


def test_a_record_that_says_nothing_is_neutral() -> None:
    found = evaluator().check_host("192.0.2.1", "SOFT.example.", "")
    assert (found.result, found.term) == ("neutral", None)
    assert "section 4.7" in found.reason


def test_the_explanation_knows_the_macros_of_explanations() -> None:
    found = evaluator().check_host(ipaddress.ip_address("192.0.2.9"), DOMAIN, f"in voice@{DOMAIN}", "mail.example")
    words = "192.0.2.9 192.0.2.9 in-addr mx.receiver.example 1234 in voice@acme.example acme.example mail.example"
    assert found.explanation == f"{words} z.example% %20"


def test_only_a_fail_is_explained() -> None:
    zone: Zone = {("d.example", "TXT"): ("v=spf1 ~all exp=why.example",), ("why.example", "TXT"): ("because",)}
    assert SpfEvaluator(World(zone)).check_host("192.0.2.9", "d.example", "").explanation is None


def test_a_parsed_record_is_kept_but_an_answer_is_not() -> None:
    world = World({(DOMAIN, "TXT"): ("v=spf1 -all",)})
    judge = SpfEvaluator(world)
    assert judge.check_host("192.0.2.1", DOMAIN, "").result == "fail"
    world.zone[DOMAIN, "TXT"] = ("v=spf1 +all",)
    assert judge.check_host("192.0.2.1", DOMAIN, "").result == "pass"


def test_the_limit_of_lookups_names_the_term_that_is_one_too_many() -> None:
    zone: Zone = {(DOMAIN, "TXT"): (" ".join(["v=spf1", *(f"a:h{n}.example" for n in range(11)), "-all"]),)}
    zone |= {(f"h{n}.example", "A"): ("192.0.2.1",) for n in range(11)}
    found = SpfEvaluator(World(zone)).check_host("192.0.2.9", DOMAIN, "")
    assert (found.result, found.term, found.lookups) == ("permerror", "a:h10.example", 11)
    assert (
        found.reason == "more than 10 terms look something up, a:h10.example is one too many (RFC 7208 section 4.6.4)"
    )


def test_hosts_of_mx_are_all_asked_so_that_their_order_decides_nothing() -> None:
    zone: Zone = {(DOMAIN, "TXT"): ("v=spf1 mx -all",), (DOMAIN, "MX"): ("mail.acme.example", "down.example")}
    zone["mail.acme.example", "A"] = ("192.0.2.1",)
    assert SpfEvaluator(World(zone)).check_host("192.0.2.1", DOMAIN, "").result == "temperror"
