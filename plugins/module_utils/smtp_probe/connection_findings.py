# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Findings about the connection: is the server reached, does it speak SMTP, is TLS set up as the ERP wants? Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.bounded_stream import (
    CLOSED,
    ENDLESS,
    NAME_UNKNOWN,
    NO_NAME,
    NO_TLS,
    NOT_SMTP,
    REFUSED_TCP,
    TIMED_OUT,
    UNREACHABLE,
    ProbeStop,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_expectations import (
    CLEAR,
    FAILS,
    OPPORTUNISTIC,
    STARTTLS,
    UNSURE,
    WARNS,
    ServerExpectations,
    ServerFinding,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_facts import (
    OFFERED,
    REFUSED_VERSION,
    UNKNOWN_VERSION,
    ServerFacts,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_hello import TLS_VERSIONS

_GUIDE = "docs/smtp_probe.md"
_SLOW = 10.0
_OLD = ("1.0", "1.1")
_STAGES = {
    "connect": "connecting",
    "banner": "waiting for the banner",
    "ehlo": "EHLO",
    "starttls": "STARTTLS",
    "tls": "the TLS handshake",
    "ehlo_tls": "EHLO after TLS",
}
_NOT_ESMTP = (500, 502)
_WAIT = "Run it again later, and look at the server's log."

_Row = tuple[str, str, str, str]
"""Name, level, sentence, next step."""

# By the kind of stop, whatever the stage; what the system says is told behind it.
_STOPS: dict[str, _Row] = {
    NO_NAME: (
        "no_address",
        FAILS,
        "the name has no address",
        "Correct the name, or publish its address.",
    ),
    NAME_UNKNOWN: ("address_unknown", UNSURE, "the resolver did not tell the address", _WAIT),
    REFUSED_TCP: (
        "connection_refused",
        FAILS,
        "the connection is refused: nothing listens on this port, or a firewall says so",
        "Check the port, the service on the server, and the firewalls between.",
    ),
    UNREACHABLE: (
        "unreachable",
        UNSURE,
        "there is no way to the server",
        "Check network and firewalls.",
    ),
    NOT_SMTP: (
        "not_smtp",
        FAILS,
        "the server answers, but not as an SMTP server does",
        "Check the port: another service listens there.",
    ),
    ENDLESS: (
        "endless_answer",
        FAILS,
        "the server's answer does not end: it was cut off",
        "Check the port, and what stands between here and the server.",
    ),
}


def connection_findings(facts: ServerFacts, wanted: ServerExpectations) -> Iterator[ServerFinding]:
    """Find what is wrong with the way to the server, and with its greeting.

    :param facts: of the server
    :param wanted: by the ERP
    """
    if facts.other_mode:
        yield _other_mode(facts)
    elif facts.stop is not None and facts.stop.stage != "tls" and _concerns(facts.stop, wanted):
        found = _stopped(facts, facts.stop, wanted)
        if found is not None:
            yield found
    if facts.banner_seconds is not None and facts.banner_seconds >= _SLOW:
        text, after = (
            "the banner comes late, and an ERP may give up before",
            f"after {facts.banner_seconds:.0f} seconds",
        )
        step = "See in the server's log what it waits for, such as the name of the client's address."
        yield ServerFinding("slow_banner", WARNS, text, step, "RFC 5321 section 4.5.3.2.1", True, f": {after}")


def tls_findings(facts: ServerFacts, wanted: ServerExpectations) -> Iterator[ServerFinding]:
    """Find what is wrong with STARTTLS, the handshake and the versions of TLS.

    :param facts: of the server
    :param wanted: by the ERP
    """
    yield from _starttls(facts, wanted)
    if facts.injected:
        level = WARNS if wanted.security == CLEAR else FAILS
        text = "bytes came in clear behind the answer to STARTTLS: somebody in between may put words into the mail"
        step = "Find out what stands between here and the server; until then, do not send over it."
        yield ServerFinding("bytes_before_tls", level, text, step, "RFC 3207 section 6")
    has_failed = not (facts.has_tls or facts.other_mode or facts.is_distrusted)
    if facts.stop is not None and facts.stop.stage == "tls" and has_failed and _concerns(facts.stop, wanted):
        yield _no_handshake(facts, facts.stop, wanted)
    if facts.has_tls and wanted.security != CLEAR:
        yield from _versions(facts, wanted)


def _concerns(stop: ProbeStop, wanted: ServerExpectations) -> bool:
    """An ERP without TLS never comes to where TLS begins."""
    return wanted.security != CLEAR or stop.stage not in ("starttls", "tls", "ehlo_tls")


def _finding(row: _Row, source: str, place: bool = True, words: str = "") -> ServerFinding:
    name, level, text, step = row
    return ServerFinding(name, level, text.replace("", words), step, source, place)


def _other_mode(facts: ServerFacts) -> ServerFinding:
    text, step = "this port speaks SMTP in clear first, not TLS", "Choose STARTTLS (explicit TLS), or the port 465."
    if not facts.implicit:
        text, step = "this port speaks TLS first (implicit TLS)", "Choose implicit TLS (SSL), or the port 587."
    return ServerFinding("other_security", FAILS, text, step, "RFC 8314 section 3")


def _stopped(facts: ServerFacts, stop: ProbeStop, wanted: ServerExpectations) -> ServerFinding | None:
    if stop.kind in _STOPS:
        return _finding(_STOPS[stop.kind], stop.words)
    if stop.kind == TIMED_OUT:
        return _silent(stop)
    if stop.kind in (CLOSED, NO_TLS):
        text = f"the server ended the connection at {_STAGES[stop.stage]}"
        return ServerFinding("dropped", UNSURE, text, _WAIT, _GUIDE, True)
    return _answered(stop, wanted) if stop.code is not None else None


def _silent(stop: ProbeStop) -> ServerFinding:
    name = {"connect": "no_connection", "banner": "no_banner"}.get(stop.stage, "no_answer")
    text = f"there was no answer in time at {_STAGES[stop.stage]}"
    step = "Check the firewalls between here and the server, or give it more time (timeout)."
    return ServerFinding(name, UNSURE, text, step, _GUIDE, True)


def _answered(stop: ProbeStop, wanted: ServerExpectations) -> ServerFinding:
    """An answer with another code than the one for "go on"."""
    told = f': {stop.code} "{stop.words}"'
    if stop.code is not None and 400 <= stop.code < 500:
        text = "the server is busy or wants no more connections now"
        return ServerFinding("busy", UNSURE, text, _WAIT, "RFC 5321 section 4.2.1", True, told)
    if stop.stage == "banner":
        step = "Ask who runs the server which addresses it serves."
        return ServerFinding("client_refused", FAILS, "the server serves no client", step, _GUIDE, True, told)
    if stop.stage == "starttls":
        level = FAILS if wanted.security == STARTTLS else WARNS
        text = "the server offers STARTTLS and refuses it"
        step = "Its certificate or key may be missing: look at the server's log."
        return ServerFinding("starttls_refused", level, text, step, "RFC 3207 section 4", detail=told)
    if stop.code in _NOT_ESMTP:
        needs = wanted.security == STARTTLS or wanted.auth is not None
        text = "the server does not know EHLO, so it has neither STARTTLS nor AUTH"
        step = "Use a server that speaks ESMTP, or let no firewall change what it says."
        return ServerFinding("no_esmtp", FAILS if needs else WARNS, text, step, "RFC 5321 section 3.2", True, told)
    text, step = "the server refuses EHLO", "Set ehlo_name to a name that it takes."
    return ServerFinding("ehlo_refused", UNSURE, text, step, _GUIDE, True, told)


def _starttls(facts: ServerFacts, wanted: ServerExpectations) -> Iterator[ServerFinding]:
    offer = facts.clear
    if offer is None:
        return
    if offer.starttls:
        if wanted.security == CLEAR:
            text = "the server offers STARTTLS, and the ERP is set to send in clear: everybody on the way can read it"
            yield ServerFinding("tls_not_used", WARNS, text, "Choose TLS in the ERP.", "RFC 8314 section 3")
        return
    if offer.stripped and wanted.security != CLEAR:
        text = "something between here and the server writes over STARTTLS, so that no client can use it"
        step = "Switch the inspection of SMTP off in the firewall."
        yield ServerFinding("starttls_stripped", _need(wanted), text, step, "RFC 3207 section 6", True)
    elif wanted.security in (STARTTLS, OPPORTUNISTIC):
        text = "the server does not offer STARTTLS"
        if wanted.security == OPPORTUNISTIC:
            text += ", so the mail and any password travel in clear"
        step = "Switch it on at the server, or use its port for implicit TLS."
        yield ServerFinding("starttls_missing", _need(wanted), text, step, "RFC 3207 section 4", True)


def _need(wanted: ServerExpectations) -> str:
    return FAILS if wanted.security == STARTTLS else WARNS


def _no_handshake(facts: ServerFacts, stop: ProbeStop, wanted: ServerExpectations) -> ServerFinding:
    """It has come to a handshake, which failed with all that this machine can offer."""
    if stop.kind == TIMED_OUT:
        return _silent(stop)
    # Nobody knows whether an ERP that takes what it gets goes on in clear then.
    level = UNSURE if wanted.security == OPPORTUNISTIC else FAILS
    step = "Look at the server's log: its certificate, key, versions or ciphers are wrong."
    if stop.kind == CLOSED:
        text = "the server ends the connection in the TLS handshake, whatever is offered"
        return ServerFinding("tls_dropped", level, text, step, _GUIDE)
    if stop.kind == ENDLESS:
        return ServerFinding("tls_endless", level, "the handshake does not end: it was cut off", step, _GUIDE)
    why = f": {escape_controls(facts.tls_error)}" if facts.tls_error else ""
    return ServerFinding("tls_failed", level, "TLS cannot be set up", step, _GUIDE, detail=why)


def _versions(facts: ServerFacts, wanted: ServerExpectations) -> Iterator[ServerFinding]:
    states = facts.versions
    limit = TLS_VERSIONS[wanted.tls] if wanted.tls else TLS_VERSIONS["1.3"]
    usable = {name: states[name] for name, number in TLS_VERSIONS.items() if number <= limit}
    best = next((name for name in reversed(usable) if usable[name] == OFFERED), None)
    if best is None:
        yield _too_new(usable, wanted)
    elif best in _OLD:
        yield _outdated(best, usable, wanted)
    elif any(states[name] == OFFERED for name in _OLD):
        also = " and ".join(name for name in _OLD if states[name] == OFFERED)
        text = f"the server also takes TLS {also}, which is not to be used any more"
        yield ServerFinding("tls_also_old", WARNS, text, "Switch it off at the server.", "RFC 8996")
    if facts.weak is not None:
        text = f"a client of today cannot set up TLS, an older one can: {escape_controls(facts.weak)}"
        step = "Give the server a stronger key and today's ciphers."
        yield ServerFinding("tls_weak", UNSURE, text, step, _GUIDE)


def _too_new(usable: dict[str, str], wanted: ServerExpectations) -> ServerFinding:
    if UNKNOWN_VERSION in usable.values():
        text = f"whether the server takes TLS {wanted.tls} or older, as the ERP speaks it, could not be seen"
        return ServerFinding("tls_reach_unknown", UNSURE, text, _WAIT, _GUIDE)
    text = f"the server takes only newer TLS than {wanted.tls}, the newest that the ERP speaks"
    return ServerFinding("tls_too_new", FAILS, text, f"Let the server take TLS {wanted.tls}, too.", _GUIDE)


def _outdated(best: str, usable: dict[str, str], wanted: ServerExpectations) -> ServerFinding:
    """Only old versions: an ERP of which the versions are known may use them, another one may refuse."""
    refused = all(usable[name] == REFUSED_VERSION for name in ("1.2", "1.3") if name in usable)
    level = WARNS if wanted.tls is not None and refused else UNSURE
    text = f"TLS {best} is the newest that the server takes, which is not to be used any more"
    return ServerFinding("tls_outdated", level, text, "Let the server take TLS 1.2 and 1.3.", "RFC 8996")
