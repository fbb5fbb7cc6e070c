# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is behind a source: declared senders, services of the catalogue, and unknown ones with the reason."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import DkimResult, SpfCheck
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.server_networks import NetworkFinder
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import (
    KnownService,
    MailTraits,
    SourceIdentifier,
    SourceIdentity,
    sender_groups,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.sender_option import read_senders
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import Inform, report_text
from hypothesis import given
from hypothesis import strategies as st

RECORDS = {
    ("spf.mail.example", "TXT"): ("v=spf1 ip4:198.51.100.0/24 ip6:2001:db8:5::/48 -all",),
    ("acme.example", "MX"): ("mx.acme.example",),
    ("mx.acme.example", "A"): ("192.0.2.25",),
    ("mx.acme.example", "AAAA"): (),
    ("25.2.0.192.in-addr.arpa", "PTR"): ("mx.acme.example.",),
}
SHOP = {
    "from": "shop@acme.example",
    "environment": "shop",
    "envelope_domain": "bounce.acme.example",
    "sources": ["192.0.2.10", "include:spf.mail.example"],
    "dkim": {"domain": "acme.example", "selectors": ["s1"]},
}
PAYSLIPS = {"from": "pay@acme.example", "environment": "payslips", "sources": ["mx"]}
RELAY = KnownService("relay", "The Relay", ("ip4:203.0.113.0/24",), ("relay.example",))


def lookup(name: str, rdtype: str) -> tuple[str, ...]:
    """The DNS of these tests."""
    try:
        return RECORDS[name, rdtype]
    except KeyError:
        raise Unresolved(f"{name} {rdtype}: SERVFAIL") from None


def identified(
    *senders: Mapping[str, Any],
    source: str = "192.0.2.99",
    header_from: str = "acme.example",
    dkim: str = "",
    spf: str = "",
) -> SourceIdentity:
    """Who a source is; ``dkim`` is "domain selector result", ``spf`` "domain result"."""
    problems: list[Any] = []
    groups = sender_groups(read_senders(senders or (SHOP, PAYSLIPS), problems))
    assert not problems
    signatures = (DkimResult(*dkim.split(" ")),) if dkim else ()
    checks = (SpfCheck(spf.split(" ")[0], "mfrom", spf.split(" ")[1]),) if spf else ()
    traits = MailTraits(header_from, spf.split(" ")[0], signatures, checks)
    return SourceIdentifier(groups, (RELAY,), lookup).identity(source, traits)


@pytest.mark.parametrize(
    ("traits", "environments", "proof"),
    [
        ({"source": "192.0.2.10"}, ["shop"], ["address"]),
        ({"source": "198.51.100.200"}, ["shop"], ["address"]),
        ({"source": "2001:db8:5::1"}, ["shop"], ["address"]),
        ({"source": "192.0.2.25"}, ["payslips"], ["address"]),
        ({"dkim": "acme.example s1 pass"}, ["shop"], ["dkim"]),
        ({"dkim": "acme.example S1 pass".replace("S1", "s1")}, ["shop"], ["dkim"]),
        ({"dkim": "acme.example  pass"}, ["shop"], ["dkim"]),  # RFC 7489: a report need not tell the selector
        ({"spf": "bounce.acme.example pass"}, ["shop"], ["envelope"]),
        ({"source": "192.0.2.10", "dkim": "acme.example s1 pass"}, ["shop"], ["dkim", "address"]),
        # the signature says more than the server that passed it on
        ({"source": "192.0.2.25", "dkim": "acme.example s1 pass"}, ["shop"], ["dkim"]),
    ],
)
def test_a_declared_sender_is_known_by_its_address_signature_or_envelope(
    traits: dict[str, str], environments: list[str], proof: list[str]
) -> None:
    found = identified(**traits)
    assert (found.kind, list(found.environments), list(found.proof)) == ("declared", environments, proof)


@pytest.mark.parametrize(
    "traits",
    [
        {"dkim": "acme.example s2 pass"},
        {"dkim": "acme.example s1 fail"},
        {"dkim": "evil.example s1 pass"},
        {"spf": "bounce.acme.example fail"},
        {"source": "192.0.2.10", "header_from": "acme-shop.example"},
        {"source": "192.0.2.10", "header_from": "sub.acme.example"},
    ],
)
def test_what_only_claims_to_be_one_is_not(traits: dict[str, str]) -> None:
    assert identified(**traits).kind == "unknown"


def test_mail_that_was_passed_on_says_so() -> None:
    assert "passed on" in identified(dkim="acme.example s1 pass").reason
    assert "passed on" not in identified(source="192.0.2.10", dkim="acme.example s1 pass").reason


def test_senders_that_differ_in_nothing_that_reports_tell_are_one() -> None:
    other = {**SHOP, "from": "other@acme.example", "environment": "warehouse"}
    found = identified(SHOP, other, source="192.0.2.10")
    assert (found.environments, found.groups) == (("shop", "warehouse"), (0,))


def test_two_that_could_be_it_are_both_named() -> None:
    other = {**PAYSLIPS, "sources": ["192.0.2.10"]}
    found = identified({**SHOP, "envelope_domain": None, "dkim": None}, other, source="192.0.2.10")
    assert (found.groups, found.environments) == ((0, 1), ("shop", "payslips"))
    assert "cannot tell which: shop (acme.example); payslips (acme.example)" in found.reason


@pytest.mark.parametrize(
    "traits", [{"source": "203.0.113.5"}, {"dkim": "relay.example x pass"}, {"dkim": "eu.relay.example x pass"}]
)
def test_a_service_that_nobody_declared(traits: dict[str, str]) -> None:
    found = identified(**traits)
    assert (found.kind, found.service, found.environments) == ("service", "relay", ())
    assert "The Relay" in found.reason and "nobody is declared" in found.reason


def test_the_reason_of_an_unknown_one_says_what_was_seen() -> None:
    assert identified(header_from="other.example").reason == "nobody is declared to send as other.example"
    assert "its signature of esp.example passed" in identified(dkim="esp.example x pass").reason
    assert "a declared sender that did not pass" in identified(dkim="acme.example s1 fail").reason


def test_addresses_that_could_not_be_looked_up_are_told() -> None:
    found = identified({**SHOP, "sources": ["include:gone.example"]}, source="192.0.2.10")
    assert found.kind == "unknown"
    assert "could not be looked up: include:gone.example" in found.reason


def test_nothing_is_asked_for_what_is_known_without() -> None:
    problems: list[Any] = []
    groups = sender_groups(read_senders([{**SHOP, "sources": ["192.0.2.10"]}], problems))
    term = KnownService("asks", "Asks", ("include:gone.example",))

    def nobody(name: str, rdtype: str) -> tuple[str, ...]:
        raise AssertionError(f"{name} {rdtype} was asked for")

    identifier = SourceIdentifier(groups, (term,), nobody)
    assert identifier.identity("192.0.2.10", MailTraits("acme.example", "", (), ())).kind == "declared"


Span = tuple[int, int]


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)), max_size=6),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)
def test_networks_hold_what_ipaddress_says_they_hold(networks: list[Span], address: int, bits: int) -> None:
    declared = [ipaddress.IPv4Network((address, bits), strict=False) for address, bits in networks]
    asked = ipaddress.IPv4Network((address, bits), strict=False)
    found = NetworkFinder(lookup).networks([str(one) for one in declared], "acme.example").holds(str(asked))
    inside = list(ipaddress.collapse_addresses(one for one in declared if one.overlaps(asked)))
    whole = any(asked.subnet_of(one) for one in inside)
    assert found is (True if whole else None if inside else False)


@pytest.mark.parametrize(
    ("names", "expected"), [(True, {"192.0.2.25": "mx.acme.example", "192.0.2.26": None}), (False, None)]
)
def test_reverse_names_only_when_asked_for(
    inform: Inform, put: Callable[[str, str], Path], tmp_path: Path, names: bool, expected: dict[str, Any] | None
) -> None:
    zone = "$ORIGIN {0}.\n@ 60 IN SOA ns.{0}. a.{0}. 1 60 60 60 60\n@ 60 IN NS ns.{0}.\n25 60 IN PTR mx.acme.example.\n"
    (tmp_path / "2.0.192.in-addr.arpa.zone").write_text(zone.format("2.0.192.in-addr.arpa"))
    put("a.xml", report_text({"source": "192.0.2.25"}, {"source": "192.0.2.26"}))
    told = inform(reverse_names=names, resolver={"zonefiles": [str(tmp_path)]})
    found = {one["source"]: one["reverse_name"] for one in told["sources"]["acme.example"]}
    assert found == (expected or dict.fromkeys(found))


def test_sources_tell_who_they_are_and_what_passed(inform: Inform, put: Callable[[str, str], Path]) -> None:
    signed = {"dkim": [{"domain": "acme.example", "selector": "s1", "result": "pass"}]}
    put("a.xml", report_text(
        {"source": "192.0.2.10", "count": 2, "passed": (False, True), "envelope_from": "bounce.acme.example"},
        {"source": "192.0.2.10", "count": 5, **signed, "passed": (True, False)},
        {"source": "203.0.113.9", "count": 90, "passed": (False, False)},
        {"source": "192.0.2.10", "count": 1, "header_from": "sub.acme.example"},
    ))  # fmt: skip
    service = {"name": "relay", "title": "The Relay", "spf_terms": ["ip4:203.0.113.0/24"]}
    told = inform(senders=[{**SHOP, "sources": ["192.0.2.10"]}], services=[service])
    first, shop, other, below = told["sources"]["acme.example"]
    assert (first["source"], first["who"]["kind"], first["who"]["service"]) == ("203.0.113.9", "service", "relay")
    assert (first["messages"], first["dmarc"]) == (90, {"pass": 0, "fail": 90})
    assert (shop["messages"], shop["spf"], shop["dkim"]) == (5, {"pass": 0, "fail": 5}, {"pass": 5, "fail": 0})
    assert shop["selectors"] == [{"domain": "acme.example", "selector": "s1", "result": "pass", "messages": 5}]
    assert shop["who"]["proof"] == ["dkim", "address"]
    assert (other["messages"], other["envelope_from"]) == (2, ["bounce.acme.example"])
    assert (below["messages"], below["header_from"], below["who"]["kind"]) == (1, ["sub.acme.example"], "unknown")
