# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad servers: each is one named finding, within the bounds of time and memory; nothing of it is ever "no TLS"."""

from __future__ import annotations

import socket
import ssl
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.bounded_stream import MOST_BYTES
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_probe import probe_server
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_conversation import ProbeTarget
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_probe_options import SMTP_PROBE_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_stream import TlsContexts
from ansible_collections.mailroom.erp.tests.servers.scripted import Script, ScriptedServer
from ansible_collections.mailroom.erp.tests.servers.scripted_smtp import GREETING, smtp_script
from ansible_collections.mailroom.erp.tests.servers.server_certificates import Issued, issued
from ansible_collections.mailroom.erp.tests.unit.smtp_probe.conftest import LookAt, names

SECONDS = 1.0
OFFER = b"250-mx.test\r\n250 STARTTLS\r\n"


def says(*replies: bytes, wait: float = 0.0) -> Script:
    """Say one thing after each line of the client, the first at once, then go or wait."""

    def script(connection: socket.socket) -> None:
        reader = connection.makefile("rb")
        for number, reply in enumerate(replies):
            if number:
                reader.readline()
            connection.sendall(reply)
        if wait:
            time.sleep(wait)
        else:
            reader.readline()

    return script


def waits(connection: socket.socket) -> None:
    connection.recv(1)
    time.sleep(4 * SECONDS)


def drips(connection: socket.socket) -> None:
    for letter in b"220 this is a banner of a byte a second" * 20:
        connection.sendall(bytes([letter]))
        time.sleep(0.05)


def shouts(connection: socket.socket) -> None:
    """100 MB of banner on one line."""
    for _number in range(1600):
        connection.sendall(b"2" * 65_536)


def floods(connection: socket.socket) -> None:
    """100 MB of banner on lines."""
    for _number in range(1600):
        connection.sendall(b"220-hello\r\n" * 6000)


def cuts(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def goes_after_ehlo(connection: socket.socket) -> None:
    connection.sendall(GREETING)
    connection.recv(1000)


def goes_after_a_line(connection: socket.socket) -> None:
    connection.recv(10_000)


def floods_in_tls(connection: socket.socket) -> None:
    """Records of a handshake that never ends."""
    says(GREETING, OFFER, b"220 go\r\n")(connection)
    for _number in range(1600):
        connection.sendall(b"\x16\x03\x03\x40\x00" + b"\x02" * 0x4000)


def drips_records(connection: socket.socket) -> None:
    """A ServerHello of 256 bytes, each in a record of its own."""
    for byte in b"\x02\x00\x01\x00" + bytes(256):
        connection.sendall(b"\x16\x03\x03\x00\x01" + bytes([byte]))
        time.sleep(0.05)


BAD: list[tuple[str, Script, str, str]] = [
    ("hangs", says(wait=4), "no_banner", "unknown"),
    ("hangs after the banner", says(GREETING, wait=4), "no_answer", "unknown"),
    ("hangs after EHLO", says(GREETING, b"", wait=4), "no_answer", "unknown"),
    ("hangs after STARTTLS", says(GREETING, OFFER, b"", wait=4), "no_answer", "unknown"),
    ("hangs in the handshake", says(GREETING, OFFER, b"220 go\r\n", wait=4), "no_answer", "unknown"),
    ("drips", drips, "no_banner", "unknown"),
    ("100 MB on one line", shouts, "endless_answer", "fail"),
    ("100 MB on lines", floods, "endless_answer", "fail"),
    ("garbage", says(b"HTTP/1.1 400 Bad Request\r\n"), "not_smtp", "fail"),
    ("bytes", says(bytes(range(256)) * 4), "not_smtp", "fail"),
    ("a code of two digits", says(b"22 hi\r\n"), "not_smtp", "fail"),
    ("a code that is none", says(b"999 hi\r\n"), "not_smtp", "fail"),
    ("garbage for EHLO", says(GREETING, b"oh hello there\r\n"), "not_smtp", "fail"),
    ("goes at once", lambda connection: None, "dropped", "unknown"),
    ("cuts the connection", cuts, "dropped", "unknown"),
    ("goes after EHLO", goes_after_ehlo, "dropped", "unknown"),
    ("421 as banner", says(b"421 4.7.0 too many connections\r\n"), "busy", "unknown"),
    ("421 to EHLO", says(GREETING, b"421 4.3.2 shutting down\r\n"), "busy", "unknown"),
    ("454 to STARTTLS", says(GREETING, OFFER, b"454 4.7.0 TLS not available\r\n"), "busy", "unknown"),
    ("554 as banner", says(b"554 5.7.1 no service for you\r\n"), "client_refused", "fail"),
    ("550 to EHLO", says(GREETING, b"550 who are you\r\n"), "ehlo_refused", "unknown"),
    ("no ESMTP", says(GREETING, b"502 5.5.2 command not recognized\r\n"), "no_esmtp", "fail"),
    ("refuses STARTTLS", says(GREETING, OFFER, b"501 5.5.4 no\r\n"), "starttls_refused", "fail"),
    ("drops after STARTTLS", says(GREETING, OFFER, b"220 go\r\n"), "tls_dropped", "fail"),
    ("goes on in clear", says(GREETING, OFFER, b"220 go\r\n", b"250 hi\r\n" * 9), "tls_failed", "fail"),
    ("words behind 220", says(GREETING, OFFER, b"220 go\r\n250 injected\r\n"), "bytes_before_tls", "fail"),
    ("strips STARTTLS", says(GREETING, b"250-mx.test\r\n250-XXXXXXXA\r\n250 SIZE\r\n"), "starttls_stripped", "fail"),
    ("no STARTTLS", says(GREETING, b"250-mx.test\r\n250 SIZE\r\n"), "starttls_missing", "fail"),
    ("a handshake without end", floods_in_tls, "tls_failed", "fail"),
]


@pytest.mark.parametrize(("script", "name", "level"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_server_is_one_finding(look_at: LookAt, script: Script, name: str, level: str) -> None:
    start = time.monotonic()
    facts, findings = look_at(script, timeout=SECONDS)
    assert time.monotonic() - start < 2 * SECONDS
    assert [(one.name, one.level) for one in findings] == [(name, level)], facts
    assert facts.connections <= 3
    assert all(one.sentence.isprintable() and len(one.sentence) < 600 for one in findings)
    if level == "unknown":
        assert set(facts.versions.values()) == {"unknown"}


BAD_IMPLICIT: list[tuple[str, Script, str, str]] = [
    ("hangs", waits, "no_answer", "unknown"),
    ("hangs before the hello is read", says(wait=4), "no_answer", "unknown"),
    ("drips records", drips_records, "no_answer", "unknown"),
    ("garbage", says(b"\x00" * 1000), "tls_failed", "fail"),
    ("a banner in clear", says(GREETING), "other_security", "fail"),
    ("100 MB on one line", shouts, "tls_failed", "fail"),
    ("goes at once", lambda connection: None, "tls_dropped", "fail"),
    ("goes after the hello", goes_after_a_line, "tls_dropped", "fail"),
    ("an alert", says(b"\x15\x03\x03\x00\x02\x02\x50"), "tls_failed", "fail"),
]


@pytest.mark.parametrize(
    ("script", "name", "level"), [row[1:] for row in BAD_IMPLICIT], ids=[row[0] for row in BAD_IMPLICIT]
)
def test_a_bad_server_where_tls_comes_first(look_at: LookAt, script: Script, name: str, level: str) -> None:
    start = time.monotonic()
    facts, findings = look_at(script, "implicit", timeout=SECONDS)
    assert time.monotonic() - start < 2 * SECONDS
    assert [(one.name, one.level) for one in findings] == [(name, level)], facts
    assert facts.connections <= 3 and set(facts.versions.values()) == {"unknown"}


def test_a_certificate_without_measure(look_at: LookAt, authority: Issued, tmp_path: Path) -> None:
    large = issued([f"host{number}.a-name-that-is-not-short.acme.example" for number in range(4000)], issuer=authority)
    assert len(large.der) > 150_000
    facts, findings = look_at(smtp_script(large.context(tmp_path / "server.pem")))
    assert names(findings) == ["tls_failed"] and facts.connections <= 3 and facts.certificate is None


def test_a_server_that_is_busy_the_second_time(look_at: LookAt, tmp_path: Path) -> None:
    """What the first connection showed stays, and the rest is unknown."""
    context, seen = issued().context(tmp_path / "server.pem"), 0
    good, busy = smtp_script(context), says(b"421 4.7.0 too many connections\r\n")

    def script(connection: socket.socket) -> None:
        nonlocal seen
        seen += 1
        (good if seen == 1 else busy)(connection)

    facts, findings = look_at(script)
    assert facts.connections == 2
    assert [(one.name, one.level) for one in findings] == [("certificate_self_signed", "fail"), ("busy", "unknown")]


def test_the_words_of_a_server_are_made_harmless(look_at: LookAt) -> None:
    _facts, findings = look_at(says(b"554 No \x1b[31mservice\x00 \xff {{ 7 * 7 }}\r\n"))
    assert r"No \x1b[31mservice\x00 \xff {{ 7 * 7 }}" in findings[0].sentence


@pytest.mark.parametrize("script", [shouts, floods, floods_in_tls])
def test_memory_is_bounded(look_at: LookAt, script: Script) -> None:
    tracemalloc.start()
    look_at(script, timeout=SECONDS)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The server runs in this process, too.
    assert most < 12 * MOST_BYTES


def test_nobody_listens(look_at: LookAt, ca_file: str) -> None:
    with ScriptedServer(waits) as server:
        port = server.port
    target = ProbeTarget("127.0.0.1", port, False, "probe.test")
    facts = probe_server(target, TlsContexts(ca_file), SECONDS)
    assert facts.stop is not None and facts.stop.kind == "refused" and facts.connections == 0


def test_a_name_without_address(ca_file: str) -> None:
    target = ProbeTarget("nobody.invalid", 25, False, "probe.test")
    facts = probe_server(target, TlsContexts(ca_file), SECONDS)
    assert facts.stop is not None and facts.stop.kind in ("no_name", "name_unknown") and facts.connections == 0


def test_a_resolver_that_hangs_is_not_waited_for(ca_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: time.sleep(3))
    start = time.monotonic()
    target = ProbeTarget("mx.acme.example", 25, False, "probe.test")
    facts = probe_server(target, TlsContexts(ca_file), SECONDS)
    assert time.monotonic() - start < 2 * SECONDS
    assert facts.stop is not None and facts.stop.kind == "name_unknown"


def test_a_slow_banner_is_waited_for(look_at: LookAt, monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe import connection_findings

    monkeypatch.setattr(connection_findings, "_SLOW", 0.2)

    def slow(connection: socket.socket) -> None:
        time.sleep(0.4)
        smtp_script()(connection)

    facts, findings = look_at(slow, "none")
    assert facts.banner_seconds is not None and facts.banner_seconds >= 0.4
    assert names(findings) == ["slow_banner"]


@pytest.mark.slow
def test_a_banner_after_more_than_15_seconds_is_waited_for(look_at: LookAt) -> None:
    def slow(connection: socket.socket) -> None:
        time.sleep(15.5)
        smtp_script()(connection)

    facts, findings = look_at(slow, "none", timeout=SMTP_PROBE_OPTIONS["timeout"]["default"], min_size=1000)
    assert names(findings) == ["slow_banner"] and facts.clear is not None and facts.clear.size == 1_000_000


CERTIFICATES: list[tuple[str, Callable[[Issued], Issued], str]] = [
    ("right", lambda authority: issued(issuer=authority), ""),
    ("expired", lambda authority: issued(issuer=authority, days=(-100, -1)), "certificate_expired"),
    ("not yet valid", lambda authority: issued(issuer=authority, days=(1, 90)), "certificate_not_yet_valid"),
    ("of another name", lambda authority: issued(["mx.other.example"], issuer=authority), "certificate_wrong_name"),
    ("self-signed", lambda authority: issued(), "certificate_self_signed"),
    (
        "of nobody known",
        lambda authority: issued(issuer=issued(authority=True, common_name="nobody")),
        "certificate_untrusted",
    ),
    (
        "of a chain that is not sent",
        lambda authority: issued(issuer=issued(authority=True, common_name="middle", issuer=authority)),
        "certificate_untrusted",
    ),
    (
        "of an authority that has expired",
        lambda authority: issued(
            issuer=issued(authority=True, common_name="middle", issuer=authority, days=(-9, -1)), send_chain=True
        ),
        "chain_dates",
    ),
]


@pytest.mark.parametrize("security", ["starttls", "implicit"])
@pytest.mark.parametrize(("make", "name"), [row[1:] for row in CERTIFICATES], ids=[row[0] for row in CERTIFICATES])
def test_a_bad_certificate_is_one_finding(
    look_at: LookAt, authority: Issued, tmp_path: Path, make: Callable[[Issued], Issued], name: str, security: str
) -> None:
    context = make(authority).context(tmp_path / "server.pem")
    script = smtp_script(context, implicit=security == "implicit")
    facts, findings = look_at(script, security, auth="LOGIN", min_size=1000)
    assert names(findings, "fail", "unknown") == ([name] if name else []), findings
    assert facts.connections <= 3 and facts.versions["1.3"] == facts.versions["1.2"] == "offered"
    assert facts.secure is not None and facts.secure.auth == ("PLAIN", "LOGIN") and facts.secure.size == 1_000_000
    _facts, unchecked = look_at(script, security, verify=False)
    assert names(unchecked, "fail", "unknown") == []
    assert (name in names(unchecked, "warning")) == bool(name)


@pytest.mark.parametrize("security", ["starttls", "implicit"])
def test_a_server_of_the_newest_tls_only(look_at: LookAt, authority: Issued, tmp_path: Path, security: str) -> None:
    for number, one in enumerate([issued(issuer=authority), issued()]):
        context = one.context(tmp_path / f"{number}.pem")
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        facts, findings = look_at(smtp_script(context, implicit=security == "implicit"), security, tls="1.2")
        assert facts.versions == {"1.0": "refused", "1.1": "refused", "1.2": "refused", "1.3": "offered"}
        assert "tls_too_new" in names(findings, "fail") and facts.connections <= 3
        assert ("certificate_self_signed" in names(findings, "fail")) == bool(number)


@pytest.mark.parametrize("newest", ["1.0", "1.1"])
def test_a_server_of_old_tls_only(look_at: LookAt, authority: Issued, tmp_path: Path, newest: str) -> None:
    context = issued(issuer=authority).context(tmp_path / "server.pem")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.options |= ssl.OP_NO_TLSv1_3 | ssl.OP_NO_TLSv1_2 | (ssl.OP_NO_TLSv1_1 if newest == "1.0" else 0)
    facts, findings = look_at(smtp_script(context), tls="1.2")
    assert facts.versions["1.3"] == facts.versions["1.2"] == "refused" and facts.versions[newest] == "offered"
    assert names(findings) == ["tls_outdated"] and findings[0].level == "warning"
    assert facts.chain is not None and facts.chain.trusted
    assert names(look_at(smtp_script(context))[1], "unknown") == ["tls_outdated"]


def test_the_wrong_kind_of_start(look_at: LookAt, authority: Issued, tmp_path: Path) -> None:
    context = issued(issuer=authority).context(tmp_path / "server.pem")
    facts, findings = look_at(smtp_script(context), "implicit")
    assert (names(findings), facts.connections) == (["other_security"], 1) and "in clear first" in findings[0].text
    facts, findings = look_at(smtp_script(context, implicit=True), "starttls", timeout=SECONDS)
    assert (names(findings), facts.connections) == (["other_security"], 2) and "TLS first" in findings[0].text


def test_a_downgrade_in_between_is_seen(look_at: LookAt, authority: Issued, tmp_path: Path) -> None:
    """Somebody takes STARTTLS out of the offer: with a client that needs it a failure, else told as clear text."""
    del authority, tmp_path
    _facts, findings = look_at(smtp_script(clear=["AUTH PLAIN"]), "opportunistic", auth="any")
    assert names(findings) == ["starttls_missing", "auth_in_clear"] and "travel in clear" in findings[0].text
