# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversations with servers that say anything at any stage: what comes of it is always facts, and never an error."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe import smtp_conversation
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.certificate_facts import certificate_facts
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.probe_findings import (
    probe_result,
    server_findings,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.probe_result_data import (
    shown_facts,
    shown_finding,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_expectations import (
    SECURITIES,
    ServerExpectations,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_probe import probe_server
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_conversation import ProbeTarget
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_stream import TlsContexts
from ansible_collections.mailroom.erp.tests.servers.server_certificates import issued
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NOW = datetime.now(UTC)
REPLIES = [b"220 hi\r\n", b"250-a\r\n", b"250 STARTTLS\r\n", b"250 AUTH X\r\n", b"421 no\r\n", b"220 go\r\n"]
RECORDS = [b"\x16\x03\x03\x00\x04\x02\0\0\0", b"\x15\x03\x03\x00\x02\x02\x28", b"\x15\x03\x03\x00\x02\x01\x00"]
WORDS = st.one_of(st.binary(max_size=40), st.sampled_from(REPLIES), st.sampled_from(RECORDS))
CONTEXTS = TlsContexts(None)


def shows_only_printable(data: object) -> bool:
    if isinstance(data, str):
        return data.isprintable()
    if isinstance(data, dict):
        return all(map(shows_only_printable, data.values()))
    return all(map(shows_only_printable, data)) if isinstance(data, list) else True


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, max_size=8), st.sampled_from(SECURITIES), st.booleans())
def test_whatever_a_server_says_is_facts(
    monkeypatch: pytest.MonkeyPatch, said: list[bytes], security: str, cut: bool
) -> None:
    ends: list[socket.socket] = []

    def connected(host: str, port: int, deadline: float) -> tuple[socket.socket, str]:
        ours, theirs = socket.socketpair()
        theirs.sendall(b"".join(said))
        theirs.shutdown(socket.SHUT_RDWR if cut else socket.SHUT_WR)
        ends.append(theirs)
        return ours, "192.0.2.1"

    monkeypatch.setattr(smtp_conversation, "connected", connected)
    start = time.monotonic()
    facts = probe_server(ProbeTarget("mx.acme.example", 25, security == "implicit", "a"), CONTEXTS, 1.0)
    for one in ends:
        one.close()
    findings = server_findings(facts, ServerExpectations(security, auth="any", min_size=1), NOW)
    assert time.monotonic() - start < 2 and 0 < facts.connections <= 3 and not facts.has_tls
    assert probe_result(facts, findings, True) in ("fail", "unknown")
    assert shows_only_printable(shown_facts(facts, NOW))
    assert shows_only_printable([shown_finding(one, False) for one in findings])


CERTIFICATE = issued(["mx.acme.example", "192.0.2.1"]).der


@given(
    st.lists(st.tuples(st.integers(0, len(CERTIFICATE) - 1), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, len(CERTIFICATE)),
)
def test_a_certificate_of_any_bytes_is_read_or_not(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(CERTIFICATE)
    for place, value in changes:
        data[place] = value
    for der in (bytes(data), bytes(data[:cut])):
        found = certificate_facts(der)
        assert found is None or found.matches("mx.acme.example") in ("san", "cn", None)
