# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our UPDATE says what dnspython's would say, whatever names and data; and a wrong answer to it is not believed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import dns.message
import dns.name
import dns.rdata
import dns.rdataset
import dns.rrset
import dns.tsig
import dns.update
import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns import values
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import with_defaults
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.name_server import (
    NameServer,
    Unreachable,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.update import Update
from ansible_collections.mailroom.erp.tests.servers.dns_sockets import framed, read_message
from hypothesis import given
from hypothesis import strategies as st

ZONE = "acme.example"
KEY = {"key_name": "k.example", "key_secret": "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHM="}

LABELS = st.binary(min_size=1, max_size=20).filter(lambda label: label.lower() == label)
NAMES = st.lists(LABELS, max_size=3).map(
    lambda labels: values.text_of(dns.name.Name((*labels, b"acme", b"example", b"")))
)
TEXTS = st.lists(st.binary(max_size=255), min_size=1, max_size=3)
DATA = st.one_of(
    TEXTS.map(lambda strings: ("TXT", dns.rdata.from_text("IN", "TXT", " ".join(map(_quoted, strings))))),
    NAMES.map(lambda name: ("CNAME", values.rdata_of("CNAME", name))),
    NAMES.map(lambda name: ("MX", values.rdata_of("MX", f"10 {name}"))),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["require", "require_none", "unused", "delete", "delete_all", "add"]),
        NAMES,
        DATA,
        st.integers(0, 9999),
    )
)


def _quoted(data: bytes) -> str:
    return '"' + "".join(f"\\{byte:03d}" for byte in data) + '"'


@given(STEPS)
def test_dnspython_reads_what_it_would_write(steps: list[tuple[str, str, tuple[str, Any], int]]) -> None:
    ours, theirs = Update(ZONE), dns.update.UpdateMessage(values.name_of(ZONE), id=7)
    for step, name, (rdtype, rdata), ttl in steps:
        owner, key = values.name_of(name), (name, rdtype)
        if step == "require":
            ours.require(key, [rdata])
            theirs.present(owner, dns.rdataset.from_rdata(0, rdata))
        elif step == "require_none":
            ours.require_none(name, rdtype)
            theirs.absent(owner, rdtype)
        elif step == "unused":
            ours.require_none(name)
            theirs.absent(owner)
        elif step == "delete":
            ours.delete(key, rdata)
            theirs.delete(owner, rdata)
        elif step == "delete_all":
            ours.delete_all(key)
            theirs.delete(owner, rdtype)
        else:
            ours.add(key, ttl, [rdata])
            theirs.add(owner, dns.rdataset.from_rdata(ttl, rdata))
    assert _records(dns.message.from_wire(ours.wire(7))) == _records(dns.message.from_wire(theirs.to_wire()))


def _records(message: dns.message.Message) -> tuple[int, list[list[str]]]:
    assert isinstance(message, dns.update.UpdateMessage)
    return message.id, [
        [line for one in section for line in one.to_text().splitlines()] for section in message.sections
    ]


Answer = Callable[[bytes], bytes | None]


def name_server(port: int) -> NameServer:
    return NameServer(with_defaults({"provider": "rfc2136", "server": "127.0.0.1", "port": port, "timeout": 2, **KEY}))


@contextmanager
def server(answer: Answer) -> Iterator[NameServer]:
    """One connection is taken, and its message answered; None closes it without."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _address = listener.accept()
            with connection:
                said = answer(read_message(connection))
                if said is not None:
                    connection.sendall(framed(said))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield name_server(listener.getsockname()[1])
        thread.join(5)


def update() -> Update:
    one = Update(ZONE)
    one.add((ZONE, "TXT"), 60, [values.rdata_of("TXT", "v=spf1 ~all")])
    return one


def signed(request: bytes, change: Callable[[dns.message.Message], None], name: str = "k.example") -> bytes:
    """dnspython's answer, signed, with something about it changed."""
    key = dns.tsig.Key(KEY["key_name"], KEY["key_secret"], dns.tsig.HMAC_SHA256)
    asked = dns.message.from_wire(request, keyring=key)
    answer = dns.message.make_response(asked)
    change(answer)
    answer.use_tsig(dns.tsig.Key(name, KEY["key_secret"], dns.tsig.HMAC_SHA256))
    return answer.to_wire()


@pytest.mark.parametrize("code", ["NOERROR", "YXRRSET", "REFUSED", "SERVFAIL"])
def test_the_code_of_a_signed_answer_is_told(code: str) -> None:
    with server(lambda request: signed(request, lambda answer: answer.set_rcode(dns.rcode.from_text(code)))) as one:
        assert one.send(update()) == code


def test_an_answer_of_another_number_is_not_believed() -> None:
    def other(request: bytes) -> bytes:
        return signed(request, lambda answer: setattr(answer, "id", answer.id ^ 1))

    with server(other) as one, pytest.raises(ProviderError):
        one.send(update())


def test_a_question_that_comes_back_is_no_answer() -> None:
    with server(lambda request: request) as one, pytest.raises(ProviderError):
        one.send(update())


def test_a_success_that_is_not_signed_is_not_believed() -> None:
    def bare(request: bytes) -> bytes:
        key = dns.tsig.Key(KEY["key_name"], KEY["key_secret"], dns.tsig.HMAC_SHA256)
        answer = dns.message.make_response(dns.message.from_wire(request, keyring=key))
        answer.tsig = None
        return answer.to_wire()

    with server(bare) as one, pytest.raises(ProviderError, match="is not signed"):
        one.send(update())


def test_a_connection_that_closes_leaves_it_open_what_was_done() -> None:
    with server(lambda _request: None) as one, pytest.raises(Unreachable, match="the connection was closed"):
        one.send(update())


def test_more_than_a_message_holds_is_refused_before_it_is_sent() -> None:
    one = Update(ZONE)
    for number in range(400):
        one.add((f"n{number}.{ZONE}", "TXT"), 60, [values.rdata_of("TXT", "x" * 200)])
    with pytest.raises(ProviderError, match=r"zone acme\.example: the change takes \d+ bytes"):
        name_server(port=1).send(one)


def test_no_more_connections_are_open_than_the_queue_of_a_bind_holds() -> None:
    """What overflows tcp-listen-queue is tried again a second later."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        one = name_server(listener.getsockname()[1])
        senders = [threading.Thread(target=_lost, args=(one,)) for _sender in range(16)]
        for sender in senders:
            sender.start()
        listener.settimeout(0.5)
        connections = []
        with suppress(TimeoutError):
            while True:
                connections.append(listener.accept()[0])
        assert len(connections) == 10
        for connection in connections:
            connection.close()
        listener.settimeout(5)
        for _other in range(6):
            listener.accept()[0].close()
        for sender in senders:
            sender.join(5)
            assert not sender.is_alive()


def _lost(one: NameServer) -> None:
    with pytest.raises(Unreachable):
        one.send(update())
