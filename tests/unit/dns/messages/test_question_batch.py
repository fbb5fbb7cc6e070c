# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions and answers as bytes, and their signatures, compared with what dnspython makes of the same bytes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rrset
import dns.tsig
import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages.answer import (
    Answer,
    answer_of,
    question_bytes,
    read_answer,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages.message_signer import Signer
from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages.question_batch import QuestionBatch
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.name_server import NameServer
from ansible_collections.mailroom.erp.plugins.module_utils.dns.values import text_of
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS
from ansible_collections.mailroom.erp.tests.servers.server import KEY_NAME, KEY_SECRET, zone_text
from hypothesis import given
from hypothesis import strategies as st

NAME = "s1._domainkey.acme.example"
QUESTION = (NAME, "TXT")
NUMBER = 4711
KEY = dns.tsig.Key(KEY_NAME, KEY_SECRET, dns.tsig.HMAC_SHA256)
ALGORITHMS = [dns.tsig.HMAC_MD5, dns.tsig.HMAC_SHA1, dns.tsig.HMAC_SHA256_128, dns.tsig.HMAC_SHA512]
RECORDS = [
    ("s1._domainkey.acme.example.", "TXT", ['"v=DKIM1; p=" "abc"', '"\\255"']),
    ("s1._domainkey.acme.example.", "CNAME", ["key.service.example."]),
    ("acme.example.", "NS", ["ns1.acme.example.", "ns2.acme.example."]),
    ("acme.example.", "SOA", ["ns1.acme.example. hostmaster.acme.example. 1 2 3 4 5"]),
    ("ns1.acme.example.", "A", ["192.0.2.1"]),
    ("acme.example.", "DNAME", ["other.example."]),
]
SETS = st.lists(st.sampled_from(RECORDS), unique_by=lambda record: record[:2], max_size=4)


def response(*sections: list[tuple[str, str, list[str]]], ttl: int = 60) -> dns.message.Message:
    """What a server answers, unsigned."""
    request = dns.message.from_wire(question_bytes(QUESTION, NUMBER, False))
    found = dns.message.make_response(request, our_payload=1232)
    found.flags |= dns.flags.AA
    for section, records in zip((found.answer, found.authority, found.additional), sections, strict=False):
        section += [dns.rrset.from_text(name, ttl, "IN", rdtype, *data) for name, rdtype, data in records]
    return found


@pytest.mark.parametrize("recursion", [False, True])
def test_dnspython_reads_a_question_as_it_is_meant(recursion: bool) -> None:
    message = dns.message.from_wire(question_bytes(QUESTION, NUMBER, recursion))
    assert (message.id, message.flags) == (NUMBER, dns.flags.RD if recursion else 0)
    assert (message.edns, message.payload) == (0, 1232)
    assert message.question == [dns.rrset.RRset(dns.name.from_text(NAME), dns.rdataclass.IN, dns.rdatatype.TXT)]


@given(SETS, SETS, SETS)
def test_an_answer_says_what_dnspython_reads_in_it(first: list[Any], second: list[Any], third: list[Any]) -> None:
    wire = response(first, second, third).to_wire()
    assert read_answer(QUESTION, wire) == answer_of(dns.message.from_wire(wire))


@given(st.binary(max_size=80), st.integers(min_value=12, max_value=200))
def test_broken_bytes_are_malformed_and_nothing_else(junk: bytes, position: int) -> None:
    """Data that nobody asks for are passed over, so that this is not stricter than dnspython, but may be laxer."""
    wire = response(RECORDS[:1], RECORDS[2:3], RECORDS[4:5]).to_wire()
    end = position + len(junk)
    broken = wire[:position] + junk + wire[end:]
    try:
        read_answer(QUESTION, broken)
    except dns.exception.DNSException:
        with pytest.raises(dns.exception.DNSException):
            dns.message.from_wire(broken)


@pytest.mark.parametrize("length", [0, 11, 20, 60, 100])
def test_an_answer_that_ends_too_early_is_malformed(length: int) -> None:
    wire = response(RECORDS[:1], RECORDS[2:3]).to_wire()
    with pytest.raises(dns.exception.FormError):
        read_answer(QUESTION, wire[:length])


def spoil_question(message: dns.message.Message) -> None:
    other = dns.name.from_text("_domainkey.acme.example")
    message.question = [dns.rrset.RRset(other, dns.rdataclass.IN, dns.rdatatype.TXT)]


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_question,
        lambda message: message.question.clear(),
        lambda message: setattr(message, "flags", message.flags & ~dns.flags.QR),
        lambda message: setattr(message, "flags", message.flags | dns.flags.TC),
        lambda message: message.set_opcode(dns.opcode.NOTIFY),
        lambda message: message.set_rcode(dns.rcode.BADVERS),
    ],
    ids=["another question", "no question", "a question", "cut off", "another opcode", "extended code"],
)
def test_what_is_no_common_answer_to_the_question_is_left_to_dnspython(
    spoil: Callable[[dns.message.Message], None],
) -> None:
    message = response(RECORDS[:1])
    assert read_answer(QUESTION, message.to_wire()) is not None
    spoil(message)
    assert read_answer(QUESTION, message.to_wire()) is None


def test_a_name_in_other_letters_is_the_same_name() -> None:
    wire = response(RECORDS[:1]).to_wire().replace(b"acme", b"aCME")
    answer = read_answer(QUESTION, wire)
    assert answer is not None
    assert answer.rdataset(NAME, "TXT") is not None


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=6))
def test_names_of_any_bytes_are_asked_for_and_told_apart(labels: list[bytes]) -> None:
    """Dots, letters in both cases, and bytes that are no letters, within a label."""
    name = dns.name.Name([*labels, b""])
    question = (text_of(name), "TXT")
    asked = dns.message.from_wire(question_bytes(question, NUMBER, False))
    assert asked.question[0].name == name
    message = dns.message.make_response(asked)
    message.question = [dns.rrset.RRset(name, dns.rdataclass.IN, dns.rdatatype.TXT)]
    message.answer = [dns.rrset.from_text(one, 60, "IN", "TXT", "x") for one in (name, dns.name.Name([b"a.b", b""]))]
    answer = read_answer(question, message.to_wire())
    assert answer == answer_of(message)
    assert answer.rdataset(*question) is not None
    assert answer.rdataset("a\\.b", "TXT") is not None


def test_a_ttl_with_its_highest_bit_set_is_zero() -> None:
    """RFC 2181 section 8."""
    wire = response(RECORDS[:1], ttl=0x7FFFFFFF).to_wire().replace(b"\x7f\xff\xff\xff", b"\x80\0\0\0")
    answer = read_answer(QUESTION, wire)
    assert answer is not None
    found = answer.rdataset(NAME, "TXT")
    assert found is not None
    assert found.ttl == 0


def signed_exchange(key: dns.tsig.Key) -> tuple[bytes, bytes]:
    """The MAC of a signed question, which dnspython has accepted, and dnspython's signed answer to it."""
    question, mac = Signer(key).signed(question_bytes(QUESTION, NUMBER, False))
    request = dns.message.from_wire(question, keyring=key)
    assert request.had_tsig
    answer = dns.message.make_response(request, our_payload=1232)
    answer.answer += response(RECORDS[:1]).answer
    return mac, answer.to_wire()


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=str)
def test_dnspython_and_we_accept_each_others_signatures(algorithm: dns.name.Name) -> None:
    key = dns.tsig.Key(KEY.name, KEY.secret, algorithm)
    mac, wire = signed_exchange(key)
    bare = Signer(key).unsigned(wire, mac)
    assert bare is not None
    found = dns.message.from_wire(wire, keyring=key, request_mac=mac)
    assert read_answer(QUESTION, bare) == answer_of(found)


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_no_byte_of_a_signed_answer_can_be_changed(position: int, change: int) -> None:
    mac, wire = signed_exchange(KEY)
    spoilt = bytearray(wire)
    spoilt[position % len(wire)] ^= change
    assert Signer(KEY).unsigned(bytes(spoilt), mac) is None


def test_an_answer_to_another_question_is_not_signed_for_this_one() -> None:
    mac, wire = signed_exchange(KEY)
    assert Signer(KEY).unsigned(wire, bytes(len(mac))) is None


@pytest.mark.parametrize("seconds", [-301, 301])
def test_the_clock_is_looked_at(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    mac, wire = signed_exchange(KEY)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + seconds)
    assert Signer(KEY).unsigned(wire, mac) is None


@pytest.mark.parametrize("length", [0, 12, 60, 150])
def test_an_unsigned_or_short_answer_is_not_believed(length: int) -> None:
    mac, wire = signed_exchange(KEY)
    assert Signer(KEY).unsigned(wire[:length], mac) is None
    assert Signer(KEY).unsigned(response(RECORDS[:1]).to_wire(), mac) is None


class Silent:
    """Takes questions and answers some of them as the test says, with nonsense before each answer."""

    def __init__(self, answer: Callable[[int, bytes], bytes | None]) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((ADDRESS, 0))
        self.port = self.socket.getsockname()[1]
        self.asked = 0
        self._answer = answer
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            wire, sender = self.socket.recvfrom(65535)
            self.asked += 1
            answer = self._answer(self.asked, wire)
            if answer is not None:
                self.socket.sendto(b"nonsense", sender)
                self.socket.sendto(answer, sender)


def reply(wire: bytes) -> bytes:
    return dns.message.make_response(dns.message.from_wire(wire)).to_wire()


QUESTIONS = [(f"n{number}.example", "TXT") for number in range(20)]


def test_lost_answers_are_left_out_and_the_others_are_there() -> None:
    server = Silent(lambda number, wire: reply(wire) if number % 5 else None)
    batch = QuestionBatch(None, 0.2, most=8)
    batch.ask(QUESTIONS, ADDRESS, server.port)
    assert list(batch.answers) == [one for number, one in enumerate(QUESTIONS, 1) if number % 5]


def test_a_silent_server_is_given_up_after_the_questions_that_may_be_under_way() -> None:
    server = Silent(lambda _number, _wire: None)
    batch = QuestionBatch(None, 0.1, most=8)
    begun = time.monotonic()
    batch.ask(QUESTIONS, ADDRESS, server.port)
    assert (batch.answers, server.asked) == ({}, 8)
    assert time.monotonic() - begun < 2


def test_no_more_are_under_way_than_a_socket_holds() -> None:
    server = Silent(lambda _number, _wire: None)
    QuestionBatch(None, 0.1, most=5000).ask(
        [(f"n{number}.example", "TXT") for number in range(300)], ADDRESS, server.port
    )
    assert server.asked == 64


def test_many_names_of_one_zone_are_read_without_a_loss(bind: Bind) -> None:
    """A loss would be waited for, a quarter of the timeout long."""
    names = [f"n{number}.acme.example" for number in range(900)]
    server = NameServer({**bind.dns_option, "timeout": 240.0})
    begun = time.monotonic()
    assert len(server.ask_all([(name, "TXT") for name in names], "acme.example")) == 900
    assert time.monotonic() - begun < 60


def test_an_answer_that_is_not_signed_does_not_count() -> None:
    def unsigned(_number: int, wire: bytes) -> bytes:
        request = dns.message.from_wire(wire, keyring=KEY)
        return reply(question_bytes((text_of(request.question[0].name), "TXT"), request.id, False))

    server = Silent(unsigned)
    batch = QuestionBatch(Signer(KEY), 0.2, most=8)
    batch.ask(QUESTIONS, ADDRESS, server.port)
    assert batch.answers == {}


@pytest.fixture
def bind() -> Iterator[Bind]:
    with Bind({"acme.example": zone_text("acme.example", 'long TXT "' + '" "'.join(["x" * 250] * 8) + '"')}) as server:
        yield server


def test_what_does_not_fit_is_asked_for_over_tcp(bind: Bind) -> None:
    server = NameServer({**bind.dns_option, "timeout": 5.0})
    long, short = ("long.acme.example", "TXT"), ("acme.example", "SOA")
    assert set(server.ask_ahead([long, short], 8)) == {short}
    found = server.ask_all([long, short], "acme.example")
    assert {question: bool(answer.owners(question[1])) for question, answer in found.items()} == {
        long: True,
        short: True,
    }


def test_a_question_is_asked_once_and_all_get_their_own_answer(bind: Bind) -> None:
    names = [f"n{number}.acme.example" for number in range(2500)]
    server = NameServer({**bind.dns_option, "timeout": 5.0})
    found = server.ask_ahead([(name, "TXT") for name in [*names, *names[:100]]], 64)
    assert set(found) == {(name, "TXT") for name in names}
    assert {answer.rcode for answer in found.values()} == {"NXDOMAIN"}


def test_answers_know_whose_they_are() -> None:
    answer = Answer("NOERROR", True, {}, (("acme.example", "SOA"),))
    assert answer.owners("NS", "SOA") == ["acme.example"]
    assert not answer.has("SOA")
