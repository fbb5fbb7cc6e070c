# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A zone that its server signs (DNSSEC) is still valid after a change, and one run may serve several servers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import dns.dnssec
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.plugins.module_utils.domains.zone_records import DomainOutcome
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.servers import bind
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.knot import Knot
from ansible_collections.mailroom.erp.tests.servers.powerdns import PowerDns
from ansible_collections.mailroom.erp.tests.servers.server import Server, zone_text
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import ED25519_RECORD
from dns.exception import ValidationFailure

ZONE = "acme.example"
APEX = dns.name.from_text(ZONE)
TEXT = zone_text(ZONE, '@ TXT "v=spf1 ip4:198.51.100.1 ~all"\n@ TXT "foreign"\n_dmarc TXT "v=DMARC1; p=none"')

SIGNED: dict[str, tuple[type[Server], str]] = {
    "bind-inline": (Bind, bind.SIGNED % "yes"),
    "bind-in-place": (Bind, bind.SIGNED % "no"),
    "knot": (Knot, Knot.SIGNED),
    "powerdns": (PowerDns, PowerDns.SIGNED),
}


@pytest.fixture(params=SIGNED)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    kind, updates = SIGNED[request.param]
    with kind({ZONE: TEXT}, updates=updates) as started:
        wait_until_valid(started, ZONE, "TXT")
        yield started


def validate(server: Server, name: str, rdtype: str) -> list[str]:
    """Check the signature of an RRset with the zone's keys, and those of the keys with themselves.

    :returns: the data
    :raises StopIteration: there is no such data, or no signature of it
    :raises ValidationFailure: a signature is wrong
    """
    answer = server.query(ZONE, "DNSKEY", dnssec=True)
    keys = of(answer, ZONE, "DNSKEY")
    dns.dnssec.validate(keys, of(answer, ZONE, "RRSIG"), {APEX: keys})
    answer = server.query(name, rdtype, dnssec=True)
    rrset = of(answer, name, rdtype)
    dns.dnssec.validate(rrset, of(answer, name, "RRSIG"), {APEX: keys})
    return sorted(rdata.to_text() for rdata in rrset)


def of(answer: dns.message.Message, name: str, rdtype: str) -> dns.rrset.RRset:
    owner, wanted = dns.name.from_text(name), dns.rdatatype.from_text(rdtype)
    return next(rrset for rrset in answer.answer if (rrset.name, rrset.rdtype) == (owner, wanted))


def wait_until_valid(server: Server, name: str, rdtype: str) -> None:
    """A server makes its keys and signs after it has begun to answer."""
    deadline = time.monotonic() + 20
    while True:
        try:
            validate(server, name, rdtype)
        except (StopIteration, ValidationFailure):
            assert time.monotonic() < deadline, server.log()
            time.sleep(0.05)
        else:
            return


def run(server: Server, **wish: Any) -> DomainOutcome:
    order = {"dns": server.dns_option, "domains": [ZONE], **wish}
    (outcome,) = Run(read_order(order), server.resolver_option).execute(write=True)
    assert outcome.failure is None
    return outcome


def test_a_signed_zone_is_still_valid(server: Server) -> None:
    serial = server.serial(ZONE)
    selector = {"selector": "s1", "public_key": ED25519_RECORD}
    policy = {"policy": "reject", "accept_unseen_senders": True}
    wish: dict[str, Any] = {"spf": {"terms": ["ip4:192.0.2.1"]}, "dmarc": policy, "dkim": [selector]}
    assert run(server, **wish).changed
    assert not run(server, **wish).changed
    assert server.serial(ZONE) > serial
    spf = validate(server, ZONE, "TXT")
    assert spf == ['"foreign"', '"v=spf1 ip4:198.51.100.1 ip4:192.0.2.1 ~all"']
    assert validate(server, f"_dmarc.{ZONE}", "TXT") == ['"v=DMARC1; p=reject"']
    (key,) = validate(server, f"s1._domainkey.{ZONE}", "TXT")
    assert "ed25519" in key
    selector["state"] = "absent"
    assert run(server, spf={"state": "absent"}, dkim=[selector]).changed
    assert validate(server, ZONE, "TXT") == ['"foreign"']
    assert server.values(f"s1._domainkey.{ZONE}", "TXT") == []


def test_one_run_serves_several_servers_and_each_gets_its_own_zones() -> None:
    text = {zone: zone_text(zone) for zone in ("a.example", "b.example", "c.example")}
    with (
        Bind({"a.example": text["a.example"]}) as one,
        Knot({"b.example": text["b.example"]}) as two,
        PowerDns({zone: text[zone] for zone in ("c.example", "a.example")}) as three,
    ):
        domains = [
            {"domain": "a.example", "dns": one.dns_option},
            {"domain": "b.example", "dns": two.dns_option},
            {"domain": "shop.b.example", "dns": two.dns_option},
            {"domain": "c.example", "dns": three.dns_option},
        ]
        order = {"domains": domains, "spf": {"terms": ["ip4:192.0.2.1"]}}
        undelegated = {"accept_undelegated": [f"{letter}.example" for letter in "abc"]}
        outcomes = Run(read_order({**order, **undelegated}), one.resolver_option).execute(write=True)
        assert [(outcome.changed, outcome.failure) for outcome in outcomes] == [(True, None)] * 4
        record = ['"v=spf1 ip4:192.0.2.1 ~all"']
        assert one.values("a.example", "TXT") == record
        assert two.values("b.example", "TXT") == two.values("shop.b.example", "TXT") == record
        assert three.values("c.example", "TXT") == record
        assert three.values("a.example", "TXT") == [], "another account's zone of the same name"


def test_a_subzone_goes_to_the_account_that_holds_it() -> None:
    parent = zone_text("acme.example", "shop NS ns1.shop\nns1.shop A 192.0.2.53")
    with Bind({"acme.example": parent}) as above, Knot({"shop.acme.example": zone_text("shop.acme.example")}) as below:
        wish = {"dns": above.dns_option, "spf": {"terms": ["ip4:192.0.2.1"]}}
        with pytest.raises(Refused, match=r"delegated away at shop\.acme\.example"):
            Run(read_order({**wish, "domains": ["acme.example", "shop.acme.example"]}), above.resolver_option).execute(
                write=True
            )
        assert above.values("acme.example", "TXT") == [], "one wrong domain changes nothing anywhere"
        own = {"domain": "shop.acme.example", "dns": below.dns_option}
        outcomes = Run(read_order({**wish, "domains": ["acme.example", own]}), above.resolver_option).execute(
            write=True
        )
        assert [outcome.steps[0].zone for outcome in outcomes] == ["acme.example", "shop.acme.example"]
        assert [outcome.failure for outcome in outcomes] == [None, None]
        record = ['"v=spf1 ip4:192.0.2.1 ~all"']
        assert above.values("acme.example", "TXT") == below.values("shop.acme.example", "TXT") == record
