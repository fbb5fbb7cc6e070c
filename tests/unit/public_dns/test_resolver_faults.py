# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name server that gives no usable answer, in every way: the resolver says so, and never that there is nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import dns.flags
import dns.message
import dns.rcode
import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver import ResolveError, Resolver


def _with_rcode(rcode: dns.rcode.Rcode) -> Callable[[bytes], bytes | None]:
    def answer(query: bytes) -> bytes:
        response = dns.message.make_response(dns.message.from_wire(query))
        response.set_rcode(rcode)
        return bytes(response.to_wire())

    return answer


def _truncated(query: bytes) -> bytes:
    response = dns.message.make_response(dns.message.from_wire(query))
    response.flags |= dns.flags.TC
    return bytes(response.to_wire())


WAYS: dict[str, Callable[[bytes], bytes | None]] = {
    "time-out": lambda _query: None,
    "SERVFAIL": _with_rcode(dns.rcode.SERVFAIL),
    "REFUSED": _with_rcode(dns.rcode.REFUSED),
    "truncated, without TCP": _truncated,
    "garbage": lambda query: query[:2] + b"\x81\x80\xff\xff" * 4,
    "cut off": lambda query: query[:7],
}


TOLD = {
    "time-out": "127.0.0.1 port {} does not answer",
    "SERVFAIL": "127.0.0.1 port {} answered SERVFAIL",
    "REFUSED": "127.0.0.1 port {} answered REFUSED",
}
"""These words stand in plans, and cautions have their stamps by them: no seconds, and no attempts."""


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("rdtype", ["TXT", "MX", "A", "CNAME", "NS"])
@pytest.mark.parametrize("way", WAYS)
def test_no_usable_answer_is_never_nothing(way: str, rdtype: str, ahead: bool) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]

        def serve() -> None:
            while True:
                query, client = server.recvfrom(4096)
                if query == b"end":
                    return
                answer = WAYS[way](query)
                if answer is not None:
                    server.sendto(answer, client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        resolver = Resolver({"nameservers": ["127.0.0.1"], "port": port, "timeout": 0.4})
        if ahead:
            resolver.look_ahead([("acme.example", rdtype)], 4)
        with pytest.raises(ResolveError) as told:
            resolver.lookup("acme.example", rdtype)
        assert str(told.value) == f"acme.example {rdtype}: {TOLD[way].format(port)}" if way in TOLD else told
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"end", ("127.0.0.1", port))
        thread.join(2)
