# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings from facts, and what is worth another connection: pure, a table each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.bounded_stream import (
    CLOSED,
    NO_TLS,
    TIMED_OUT,
    ProbeStop,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.certificate_facts import CertificateFacts
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.probe_findings import (
    probe_result,
    server_findings,
    server_summary,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.probe_result_data import shown_finding
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_expectations import ServerExpectations
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_facts import (
    Attempt,
    ChainFacts,
    ConversationFacts,
    ServerFacts,
    next_attempt,
    tls_versions,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_probe import server_facts
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_conversation import ProbeTarget
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_reply import SmtpOffer, SmtpReply
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_hello import TLS_VERSIONS, HelloAnswer
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_stream import (
    HELLO,
    MODERN,
    OPEN,
    WIDE,
    HandshakeError,
    TlsPeer,
)
from ansible_collections.mailroom.erp.tests.unit.smtp_probe.conftest import names
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOST = "mx.acme.example"
CERTIFICATE = CertificateFacts(
    subject=f"CN={HOST}",
    issuer="CN=authority",
    common_name=HOST,
    names=(HOST,),
    addresses=(),
    not_before=NOW - timedelta(days=30),
    not_after=NOW + timedelta(days=60),
    self_issued=False,
    key="RSA 2048",
    signature="sha256",
    sha256="00",
)
CLEAR = SmtpOffer(("SIZE", "STARTTLS"), (), 1_000_000)
SECURE = SmtpOffer(("SIZE", "AUTH"), ("PLAIN", "LOGIN"), 1_000_000)
VERSIONS = {"1.0": "refused", "1.1": "refused", "1.2": "offered", "1.3": "offered"}
GOOD = ServerFacts(
    host=HOST,
    port=587,
    implicit=False,
    connections=3,
    address="192.0.2.1",
    banner=SmtpReply(220, ("hi",)),
    banner_seconds=0.1,
    clear=CLEAR,
    secure=SECURE,
    starttls=SmtpReply(220, ("go",)),
    versions=VERSIONS,
    tls_version="1.3",
    certificate=CERTIFICATE,
    has_certificate=True,
    chain=ChainFacts(True),
)
PLAIN = replace(
    GOOD,
    clear=SmtpOffer(("SIZE",), ("LOGIN",), 0),
    secure=None,
    starttls=None,
    tls_version=None,
    certificate=None,
    has_certificate=False,
    chain=None,
    versions=dict.fromkeys(TLS_VERSIONS, "unknown"),
)
NO_HANDSHAKE = replace(
    GOOD,
    secure=None,
    tls_version=None,
    certificate=None,
    has_certificate=False,
    chain=None,
    versions=PLAIN.versions,
    tls_error="no shared cipher",
    stop=ProbeStop("tls", NO_TLS),
)
ALL: dict[str, Any] = {"auth": "LOGIN", "min_size": 1_000_000, "tls": "1.2"}


def found(facts: ServerFacts, security: str = "starttls", **wanted: Any) -> list[tuple[str, str]]:
    findings = server_findings(facts, ServerExpectations(security, **wanted), NOW)
    return [(one.name, one.level) for one in findings]


def certified(**changes: Any) -> ServerFacts:
    return replace(GOOD, certificate=replace(CERTIFICATE, **changes))


def offering(**changes: str) -> ServerFacts:
    states = {**VERSIONS, **{name.removeprefix("v").replace("_", "."): state for name, state in changes.items()}}
    return replace(GOOD, versions=states)


FINDINGS: list[tuple[str, ServerFacts, str, dict[str, Any], list[tuple[str, str]]]] = [
    ("all as wanted", GOOD, "starttls", ALL, []),
    ("opportunistic gets TLS", GOOD, "opportunistic", ALL, []),
    (
        "LOGIN is missing",
        replace(GOOD, secure=replace(SECURE, auth=("PLAIN",))),
        "starttls",
        ALL,
        [("mechanism_missing", "fail")],
    ),
    ("any mechanism will do", replace(GOOD, secure=replace(SECURE, auth=("PLAIN",))), "starttls", {"auth": "any"}, []),
    ("no AUTH", replace(GOOD, secure=replace(SECURE, auth=())), "starttls", ALL, [("auth_missing", "fail")]),
    ("no AUTH, and none wanted", replace(GOOD, secure=replace(SECURE, auth=())), "starttls", {}, []),
    (
        "AUTH in clear",
        replace(GOOD, clear=replace(CLEAR, auth=("PLAIN",))),
        "starttls",
        ALL,
        [("auth_in_clear", "warning")],
    ),
    ("too small", GOOD, "starttls", {"min_size": 1_000_001}, [("size_too_small", "fail")]),
    ("as large as wanted", GOOD, "starttls", {"min_size": 1_000_000}, []),
    ("no fixed limit", replace(GOOD, secure=replace(SECURE, size=0)), "starttls", ALL, []),
    ("no SIZE", replace(GOOD, secure=replace(SECURE, size=None)), "starttls", ALL, [("size_unknown", "unknown")]),
    ("in clear, TLS offered", GOOD, "none", {}, [("tls_not_used", "warning")]),
    (
        "in clear, AUTH after TLS only",
        GOOD,
        "none",
        {"auth": "any"},
        [("auth_only_after_tls", "fail"), ("tls_not_used", "warning")],
    ),
    ("in clear, no TLS", PLAIN, "none", {"auth": "LOGIN", "min_size": 5}, [("auth_in_clear", "warning")]),
    (
        "opportunistic, no TLS",
        PLAIN,
        "opportunistic",
        {"auth": "LOGIN"},
        [("starttls_missing", "warning"), ("auth_in_clear", "warning")],
    ),
    ("no TLS", PLAIN, "starttls", {"auth": "LOGIN"}, [("starttls_missing", "fail"), ("auth_in_clear", "warning")]),
    ("only 1.3 for one with 1.2", offering(v1_2="refused"), "starttls", {"tls": "1.2"}, [("tls_too_new", "fail")]),
    ("only 1.3 for anybody", offering(v1_2="refused"), "starttls", {}, []),
    ("1.2 is not known", offering(v1_2="unknown"), "starttls", {"tls": "1.2"}, [("tls_reach_unknown", "unknown")]),
    ("old versions, too", offering(v1_0="offered", v1_1="offered"), "starttls", {}, [("tls_also_old", "warning")]),
    (
        "old versions only, for one that takes them",
        offering(v1_3="refused", v1_2="refused", v1_1="offered"),
        "starttls",
        {"tls": "1.2"},
        [("tls_outdated", "warning")],
    ),
    (
        "old versions only, for one of whom nobody knows",
        offering(v1_3="refused", v1_2="refused", v1_0="offered"),
        "starttls",
        {},
        [("tls_outdated", "unknown")],
    ),
    ("weak", replace(GOOD, weak="dh key too small"), "starttls", {}, [("tls_weak", "unknown")]),
    ("expired", certified(not_after=NOW - timedelta(seconds=1)), "starttls", {}, [("certificate_expired", "fail")]),
    ("the last second", certified(not_after=NOW), "starttls", {}, [("certificate_ends_soon", "warning")]),
    (
        "not yet",
        certified(not_before=NOW + timedelta(hours=1)),
        "starttls",
        {},
        [("certificate_not_yet_valid", "fail")],
    ),
    (
        "90 days, 19 left",
        certified(not_before=NOW - timedelta(days=71), not_after=NOW + timedelta(days=19)),
        "starttls",
        {},
        [],
    ),
    (
        "90 days, 17 left",
        certified(not_before=NOW - timedelta(days=73), not_after=NOW + timedelta(days=17)),
        "starttls",
        {},
        [("certificate_ends_soon", "warning")],
    ),
    (
        "6 days, 2 left",
        certified(not_before=NOW - timedelta(days=4), not_after=NOW + timedelta(days=2)),
        "starttls",
        {},
        [],
    ),
    (
        "10 years, 29 days left",
        certified(not_before=NOW - timedelta(days=3620), not_after=NOW + timedelta(days=29)),
        "starttls",
        {},
        [("certificate_ends_soon", "warning")],
    ),
    (
        "10 years, 31 days left",
        certified(not_before=NOW - timedelta(days=3620), not_after=NOW + timedelta(days=31)),
        "starttls",
        {},
        [],
    ),
    ("another name", certified(names=("mx.other.example",)), "starttls", {}, [("certificate_wrong_name", "fail")]),
    (
        "another name, not checked",
        certified(names=("mx.other.example",)),
        "starttls",
        {"verify": False},
        [("certificate_wrong_name", "warning")],
    ),
    ("only the common name", certified(names=()), "starttls", {}, [("certificate_name_in_cn", "warning")]),
    (
        "self-signed",
        replace(GOOD, chain=ChainFacts(False, 18, "x")),
        "starttls",
        {},
        [("certificate_self_signed", "fail")],
    ),
    (
        "nobody known",
        replace(GOOD, chain=ChainFacts(False, 20, "x")),
        "starttls",
        {},
        [("certificate_untrusted", "fail")],
    ),
    ("weak key", replace(GOOD, chain=ChainFacts(False, 66, "x")), "starttls", {}, [("certificate_weak", "fail")]),
    ("expired above", replace(GOOD, chain=ChainFacts(False, 10, "x")), "starttls", {}, [("chain_dates", "fail")]),
    ("no authorities here", replace(GOOD, chain=None), "starttls", {}, [("certificate_trust_unknown", "unknown")]),
    (
        "no authorities, not checked",
        replace(GOOD, chain=None),
        "starttls",
        {"verify": False},
        [("certificate_trust_unknown", "warning")],
    ),
    ("unreadable", replace(GOOD, certificate=None), "starttls", {}, [("certificate_unreadable", "unknown")]),
    (
        "untrusted and then busy",
        replace(
            GOOD,
            certificate=None,
            has_certificate=False,
            tls_version=None,
            secure=None,
            chain=ChainFacts(False, 18, "x"),
            stop=ProbeStop("banner", "answered", "later", 421),
        ),
        "starttls",
        ALL,
        [("certificate_self_signed", "fail"), ("busy", "unknown")],
    ),
    (
        "busy after TLS",
        replace(GOOD, secure=None, stop=ProbeStop("ehlo_tls", "answered", "later", 421)),
        "starttls",
        ALL,
        [("busy", "unknown")],
    ),
    (
        "in clear, and busy where TLS begins",
        replace(GOOD, tls_version=None, secure=None, stop=ProbeStop("starttls", "answered", "later", 454)),
        "none",
        {},
        [("tls_not_used", "warning")],
    ),
    (
        "in clear, and no handshake",
        replace(NO_HANDSHAKE, stop=ProbeStop("tls", CLOSED)),
        "none",
        {},
        [("tls_not_used", "warning")],
    ),
    ("opportunistic, and no handshake", NO_HANDSHAKE, "opportunistic", {}, [("tls_failed", "unknown")]),
    ("no handshake", NO_HANDSHAKE, "starttls", {}, [("tls_failed", "fail")]),
    (
        "no handshake in time",
        replace(NO_HANDSHAKE, stop=ProbeStop("tls", TIMED_OUT)),
        "starttls",
        {},
        [("no_answer", "unknown")],
    ),
    (
        "words before TLS",
        replace(NO_HANDSHAKE, injected=True, stop=ProbeStop("starttls", "answered")),
        "starttls",
        {},
        [("bytes_before_tls", "fail")],
    ),
    ("slow", replace(GOOD, banner_seconds=15.0), "starttls", {}, [("slow_banner", "warning")]),
]


@pytest.mark.parametrize(
    ("facts", "security", "wanted", "expected"), [row[1:] for row in FINDINGS], ids=[row[0] for row in FINDINGS]
)
def test_findings(facts: ServerFacts, security: str, wanted: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(facts, security, **wanted) == expected


def test_where_the_erp_sends_from_decides_about_a_pass() -> None:
    missing = replace(GOOD, secure=replace(SECURE, auth=()))
    expired = certified(not_after=NOW - timedelta(days=1))
    unknown = replace(GOOD, secure=replace(SECURE, size=None))
    for facts, here, elsewhere in (
        (GOOD, "pass", "unknown"),
        (missing, "fail", "unknown"),
        (expired, "fail", "fail"),
        (unknown, "unknown", "unknown"),
        (ServerFacts(HOST, 587, False), "unknown", "unknown"),
    ):
        findings = server_findings(facts, ServerExpectations("starttls", **ALL), NOW)
        results = [probe_result(facts, findings, place) for place in (True, False)]
        assert results == [here, elsewhere], findings


def test_one_line_of_a_server() -> None:
    line = "port 587: reachable, STARTTLS, TLS 1.3, certificate valid until 2027-01-28, AUTH PLAIN LOGIN, "
    assert server_summary(GOOD, ServerExpectations("starttls")) == line + "messages up to 1000000 bytes"
    assert ", TLS 1.2, " in server_summary(GOOD, ServerExpectations("starttls", tls="1.2"))
    assert server_summary(PLAIN, ServerExpectations("none")) == "port 587: reachable, AUTH LOGIN"
    assert server_summary(ServerFacts(HOST, 587, False), ServerExpectations("none")) == "port 587: not reached"


CHANGING: list[tuple[str, ServerFacts, ServerFacts]] = [
    (
        "certificate_ends_soon",
        certified(not_before=NOW - timedelta(days=73), not_after=NOW + timedelta(days=17)),
        certified(not_before=NOW - timedelta(days=74), not_after=NOW + timedelta(days=17)),
    ),
    ("slow_banner", replace(GOOD, banner_seconds=15.0), replace(GOOD, banner_seconds=16.0)),
    *(
        (
            name,
            replace(NO_HANDSHAKE, stop=ProbeStop(stage, "answered", "first id=1", code)),
            replace(NO_HANDSHAKE, stop=ProbeStop(stage, "answered", "then id=2", code)),
        )
        for name, stage, code in (
            ("busy", "banner", 421),
            ("client_refused", "banner", 554),
            ("starttls_refused", "starttls", 554),
            ("no_esmtp", "ehlo", 502),
            ("ehlo_refused", "ehlo", 554),
        )
    ),
]


@pytest.mark.parametrize(("name", "first", "then"), CHANGING, ids=[row[0] for row in CHANGING])
def test_what_changes_from_day_to_day_is_no_part_of_the_lasting_text(
    name: str, first: ServerFacts, then: ServerFacts
) -> None:
    found = [
        next(one for one in server_findings(facts, ServerExpectations("starttls"), NOW) if one.name == name)
        for facts in (first, then)
    ]
    shown = [shown_finding(one, here=True) for one in found]
    assert shown[0]["lasting"] == shown[1]["lasting"] and shown[0]["text"] != shown[1]["text"]
    assert all(one["text"].startswith(one["lasting"]) and one["certain"] for one in shown)


NAMES: list[tuple[str, tuple[str, ...], str | None, str, str | None]] = [
    ("its name", (HOST,), None, HOST, "san"),
    ("upper case", (HOST,), None, HOST.upper(), "san"),
    ("a trailing dot", (HOST,), None, f"{HOST}.", "san"),
    ("a wildcard", ("*.acme.example",), None, HOST, "san"),
    ("a wildcard for one label only", ("*.example",), None, HOST, None),
    ("a wildcard is not the domain itself", ("*.acme.example",), None, "acme.example", None),
    ("a wildcard of a top level", ("*.example",), None, "acme.example", None),
    ("a part of a label", ("m*.acme.example",), None, HOST, None),
    ("the common name", (), HOST, HOST, "cn"),
    ("the common name beside others", ("mx.other.example",), HOST, HOST, None),
    ("a wildcard as common name", (), "*.acme.example", HOST, "cn"),
    ("an address", ("192.0.2.1",), None, "192.0.2.1", None),
]


@pytest.mark.parametrize(
    ("alternatives", "common", "host", "match"), [row[1:] for row in NAMES], ids=[row[0] for row in NAMES]
)
def test_names(alternatives: tuple[str, ...], common: str | None, host: str, match: str | None) -> None:
    assert replace(CERTIFICATE, names=alternatives, common_name=common).matches(host) == match


def test_an_address_is_compared_as_one() -> None:
    one = replace(CERTIFICATE, names=(), addresses=("192.0.2.1", "2001:db8::1"), common_name="192.0.2.9")
    assert [one.matches(host) for host in ("192.0.2.1", "2001:db8:0::1", "192.0.2.9")] == ["san", "san", None]


def tried(kind: str, newest: str = "1.3", version: str | None = None, **more: Any) -> ConversationFacts:
    """A connection that was made; without a version the server closed it in the handshake."""
    hello = HelloAnswer(version=TLS_VERSIONS[version]) if version else None
    facts = ConversationFacts(Attempt(kind, TLS_VERSIONS[newest]), hello=hello, stop=ProbeStop("tls", CLOSED))
    for name, value in more.items():
        setattr(facts, name, value)
    return facts


def agreed(kind: str, version: str, newest: str = "1.3") -> ConversationFacts:
    return tried(kind, newest, version, tls=TlsPeer(version, "x", b""), stop=None)


def refused(kind: str, alert: int, newest: str = "1.3") -> ConversationFacts:
    return tried(kind, newest, hello=HelloAnswer(alert=alert), stop=ProbeStop("tls", NO_TLS))


DISTRUSTED: dict[str, Any] = {"error": HandshakeError("self-signed certificate", 18), "stop": ProbeStop("tls", NO_TLS)}
NEXT: list[tuple[str, list[ConversationFacts], Attempt | None, str]] = [
    ("1.3, then 1.2 is asked for", [agreed(MODERN, "1.3")], Attempt(HELLO, 0x0303), "???o"),
    ("then 1.1", [agreed(MODERN, "1.3"), tried(HELLO, "1.2", "1.2")], Attempt(HELLO, 0x0302), "??oo"),
    (
        "no more than three",
        [agreed(MODERN, "1.3"), tried(HELLO, "1.2", "1.2"), tried(HELLO, "1.1", "1.0")],
        None,
        "oroo",
    ),
    ("1.2 and nothing newer", [agreed(MODERN, "1.2")], Attempt(HELLO, 0x0302), "??or"),
    ("nothing older", [agreed(MODERN, "1.2"), refused(HELLO, 70, "1.1")], None, "rror"),
    ("no common cipher with a wide offer", [agreed(MODERN, "1.2"), refused(HELLO, 40, "1.1")], None, "rror"),
    ("another alert tells nothing", [agreed(MODERN, "1.2"), refused(HELLO, 80, "1.1")], None, "??or"),
    ("closed tells nothing", [agreed(MODERN, "1.2"), tried(HELLO, "1.1")], None, "??or"),
    ("the version is to blame", [refused(MODERN, 70)], Attempt(WIDE), "??rr"),
    ("the ciphers may be to blame", [refused(MODERN, 40)], Attempt(WIDE), "????"),
    ("dropped once", [tried(MODERN)], Attempt(WIDE), "????"),
    ("dropped twice", [tried(MODERN), tried(WIDE)], None, "????"),
    ("an old server", [tried(MODERN, version="1.1"), agreed(WIDE, "1.1")], Attempt(HELLO, 0x0301), "?orr"),
    ("distrusted with 1.3", [tried(MODERN, version="1.3", **DISTRUSTED)], Attempt(OPEN, 0x0303), "???o"),
    ("distrusted with 1.2", [tried(MODERN, version="1.2", **DISTRUSTED)], Attempt(OPEN, 0x0304), "??or"),
    (
        "distrusted with 1.3 only",
        [tried(MODERN, version="1.3", **DISTRUSTED), refused(OPEN, 70, "1.2")],
        Attempt(OPEN, 0x0304),
        "rrro",
    ),
    (
        "an old server that is distrusted",
        [tried(MODERN, version="1.0"), tried(WIDE, version="1.0", **DISTRUSTED)],
        Attempt(OPEN, 0x0304),
        "orrr",
    ),
    ("busy", [tried(MODERN, stop=ProbeStop("banner", "answered", "", 421))], None, "????"),
    ("a time-out", [tried(MODERN, stop=ProbeStop("tls", TIMED_OUT))], None, "????"),
    (
        "busy after TLS",
        [tried(MODERN, version="1.3", tls=TlsPeer("1.3", "x", b""), stop=ProbeStop("ehlo_tls", "answered", "", 421))],
        None,
        "???o",
    ),
    ("no TLS at all", [tried(MODERN, hello=HelloAnswer(), stop=ProbeStop("tls", NO_TLS))], None, "????"),
    ("not offered", [tried(MODERN, stop=None)], None, "????"),
]


@pytest.mark.parametrize(("seen", "attempt", "states"), [row[1:] for row in NEXT], ids=[row[0] for row in NEXT])
def test_what_is_worth_a_connection(seen: list[ConversationFacts], attempt: Attempt | None, states: str) -> None:
    assert next_attempt(seen) == attempt
    assert "".join({"unknown": "?"}.get(state, state[0]) for state in tls_versions(seen).values()) == states


WEAK: list[tuple[list[ConversationFacts], str | None]] = [
    ([tried(MODERN), agreed(WIDE, "1.2")], "the server ends the connection"),
    ([tried(MODERN, version="1.2", error=HandshakeError("dh key too small")), agreed(WIDE, "1.2")], "dh key too small"),
    ([tried(MODERN, version="1.1", error=HandshakeError("unsupported protocol")), agreed(WIDE, "1.1")], None),
    ([agreed(MODERN, "1.2")], None),
    ([tried(MODERN, version="1.3", **DISTRUSTED), agreed(OPEN, "1.2", "1.2")], None),
    ([tried(MODERN), tried(WIDE)], None),
]


@pytest.mark.parametrize(("seen", "weak"), WEAK)
def test_what_a_client_of_today_cannot_do(seen: list[ConversationFacts], weak: str | None) -> None:
    facts = server_facts(ProbeTarget(HOST, 587, False, "a"), seen, True)
    assert facts.weak == weak
    assert ("tls_weak", "unknown") in found(facts) if weak else ("tls_weak", "unknown") not in found(facts)


ANSWERS = st.one_of(
    st.none(),
    st.sampled_from([70, 40, 71, 80]).map(lambda alert: HelloAnswer(alert=alert)),
    st.sampled_from([0x0300, *TLS_VERSIONS.values()]).map(lambda version: HelloAnswer(version=version)),
    st.just(HelloAnswer()),
)


@given(st.lists(st.tuples(ANSWERS, st.booleans(), st.booleans()), min_size=3, max_size=3))
def test_three_connections_are_enough_whatever_comes(answers: list[tuple[HelloAnswer | None, bool, bool]]) -> None:
    seen: list[ConversationFacts] = []
    attempt: Attempt | None = Attempt(MODERN)
    for answer, agrees, distrusts in answers:
        if attempt is None:
            break
        assert attempt not in [one.attempt for one in seen]
        one = ConversationFacts(attempt, hello=answer, stop=ProbeStop("tls", CLOSED))
        if agrees and answer is not None and answer.version and attempt.kind != HELLO:
            one.tls, one.stop = TlsPeer("1.2", "x", None), None
        elif distrusts and attempt.kind in (MODERN, WIDE):
            one.error = HandshakeError("no", 20)
        seen.append(one)
        attempt = next_attempt(seen)
    assert attempt is None and len(seen) <= 3


@given(st.sampled_from([row[1] for row in FINDINGS]), st.booleans(), st.sampled_from([None, "any", "LOGIN"]))
def test_an_unknown_is_never_a_pass(facts: ServerFacts, verify: bool, auth: str | None) -> None:
    findings = server_findings(facts, ServerExpectations("starttls", verify, auth), NOW)
    if names(findings, "unknown", "fail"):
        assert probe_result(facts, findings, True) != "pass"
    assert probe_result(facts, findings, False) != "pass"
