# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A zone that is transferred in one message is read as dnspython reads it; a longer one is left to dnspython."""

from __future__ import annotations

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages.answer import answer_of, read_transfer
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import WHOLE_TYPES, ReadsWhole
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
from ansible_collections.mailroom.erp.tests.servers.bind import StartBind
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from hypothesis import given, settings
from hypothesis import strategies as st

ZONE = "acme.example"
SOA = dns.rrset.from_text(f"{ZONE}.", 60, "IN", "SOA", "ns1. hostmaster. 1 2 3 4 5")
LINES = ["@ TXT a", "@ TXT b", "x TXT c", "x MX 1 y.", "z CNAME x.", "@ NS ns1.", "y A 192.0.2.1"]
TEXTS = st.lists(st.sampled_from(LINES))


def transfer(lines: list[str], ends: bool = True, question: str = "AXFR") -> dns.message.Message:
    """The only message of a transfer, or the first one when ``ends`` is False."""
    message = dns.message.make_response(dns.message.make_query(f"{ZONE}.", question))
    message.answer.append(SOA)
    for line in dict.fromkeys(lines):
        owner, rdtype, data = line.split(" ", 2)
        name = f"{ZONE}." if owner == "@" else f"{owner}.{ZONE}."
        message.answer.append(dns.rrset.from_text(name, 300, "IN", rdtype, data))
    if ends:
        message.answer.append(SOA)
    return message


@settings(max_examples=50)
@given(TEXTS)
def test_one_message_is_read_as_dnspython_reads_it(lines: list[str]) -> None:
    wire = transfer(lines).to_wire()
    everything = answer_of(dns.message.from_wire(wire)).rrsets
    wanted = {key: one for key, one in everything.items() if key[1] in WHOLE_TYPES}
    assert read_transfer(ZONE, wire, WHOLE_TYPES) == wanted


@settings(max_examples=50)
@given(TEXTS, st.integers(0, 400))
def test_a_part_is_no_zone(lines: list[str], length: int) -> None:
    assert read_transfer(ZONE, transfer(lines, ends=False).to_wire(), WHOLE_TYPES) is None
    wire = transfer(lines).to_wire()
    if length < len(wire):
        with pytest.raises(dns.exception.DNSException):
            read_transfer(ZONE, wire[:length], WHOLE_TYPES)


def test_a_refusal_is_no_zone_nor_is_an_answer_to_something_else() -> None:
    refused = dns.message.make_response(dns.message.make_query(f"{ZONE}.", "AXFR"))
    refused.set_rcode(dns.rcode.REFUSED)
    assert read_transfer(ZONE, refused.to_wire(), WHOLE_TYPES) is None
    assert read_transfer(ZONE, transfer([], question="SOA").to_wire(), WHOLE_TYPES) is None
    assert read_transfer("other.example", transfer([]).to_wire(), WHOLE_TYPES) is None


def test_a_zone_of_many_messages_is_read_whole(start_bind: StartBind) -> None:
    lines = "\n".join(f'n{number} TXT "{"x" * 200}{number}"' for number in range(1500))
    server = start_bind({ZONE: zone_text(ZONE, lines)})
    provider = open_provider(server.dns_option)
    if not isinstance(provider, ReadsWhole):
        raise TypeError("the provider reads whole zones")
    found = provider.read_whole(ZONE)
    assert len([key for key in found if key[1] == "TXT"]) == 1500
    assert found[f"n1499.{ZONE}", "TXT"].values == (f"{'x' * 200}1499",)
