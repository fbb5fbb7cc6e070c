# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What connections to one server have shown, as data, and what is worth another connection. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.bounded_stream import TIMED_OUT, ProbeStop
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.certificate_facts import CertificateFacts
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_reply import SmtpOffer, SmtpReply
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_hello import (
    NO_COMMON_CIPHERS,
    PROTOCOL_VERSION,
    TLS_NAMES,
    TLS_VERSIONS,
    HelloAnswer,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_stream import (
    HELLO,
    MODERN,
    OPEN,
    WIDE,
    HandshakeError,
    TlsPeer,
)

MOST_CONNECTIONS = 3
"""To one server, whatever is asked: more look like an attack, and are answered by 421."""
OFFERED, REFUSED_VERSION, UNKNOWN_VERSION = "offered", "refused", "unknown"
_OLDEST, _NEWEST = TLS_VERSIONS["1.0"], TLS_VERSIONS["1.3"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One connection: how it is made (``MODERN``, ``WIDE``, ``OPEN``, ``HELLO``), and the number of the newest version
    of TLS that it offers."""

    kind: str
    newest: int = _NEWEST

    @property
    def oldest(self) -> int:
        """The number of the oldest version that it offers."""
        return TLS_VERSIONS["1.2"] if self.kind == MODERN else _OLDEST


@dataclass(slots=True)
class ConversationFacts:
    """What one connection showed; filled while it lasts. None is not seen.

    ``banner_seconds`` is how long the banner took; ``clear`` and ``secure`` are the offers before and after TLS;
    ``starttls`` the reply to STARTTLS; ``injected`` tells that something came in clear behind that reply; ``hello`` is
    the server's answer to the hello, ``tls`` what the handshake agreed on, ``error`` why there was none; ``stop`` says
    why the conversation ended early; ``speaks_clear`` that a reply came where TLS was to come.
    """

    attempt: Attempt
    address: str | None = None
    banner: SmtpReply | None = None
    banner_seconds: float | None = None
    clear: SmtpOffer | None = None
    secure: SmtpOffer | None = None
    starttls: SmtpReply | None = None
    injected: bool = False
    hello: HelloAnswer | None = None
    tls: TlsPeer | None = None
    error: HandshakeError | None = None
    speaks_clear: bool = False
    stop: ProbeStop | None = None

    @property
    def is_distrusted(self) -> bool:
        """Whether the handshake ended because of the certificate."""
        return self.error is not None and self.error.verify_code is not None

    @property
    def has_offered_tls(self) -> bool:
        """Whether it came to a handshake."""
        return self.tls is not None or (self.stop is not None and self.stop.stage == "tls")

    @property
    def is_unwilling(self) -> bool:
        """Whether another connection would be a burden: the server is busy or slow, or speaks another language."""
        is_foreign = self.hello is not None and not self.hello.is_tls
        stop = self.stop
        return is_foreign or (stop is not None and (stop.kind == TIMED_OUT or 400 <= (stop.code or 0) < 500))


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """Whether the chain of certificates leads to an authority; ``code`` is OpenSSL's number of what is wrong."""

    trusted: bool
    code: int | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What is known of one server, seen from here. None is not known.

    ``implicit`` tells that TLS was to come first; ``connections`` how many were made; ``seconds`` how long it took.
    ``versions`` is each version of TLS to offered, refused or unknown. ``other_mode`` tells that the server speaks
    TLS first where SMTP was expected, or the other way round. ``tls_version`` is what a client of today gets,
    ``tls_error`` why no TLS could be set up, ``weak`` why a client of today could not where an older one could.
    ``has_certificate`` tells that there was one, even if it cannot be read. The rest is that of
    :class:`ConversationFacts`.
    """

    host: str
    port: int
    implicit: bool
    connections: int = 0
    seconds: float = 0.0
    address: str | None = None
    stop: ProbeStop | None = None
    banner: SmtpReply | None = None
    banner_seconds: float | None = None
    clear: SmtpOffer | None = None
    secure: SmtpOffer | None = None
    starttls: SmtpReply | None = None
    injected: bool = False
    other_mode: bool = False
    versions: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(TLS_VERSIONS, UNKNOWN_VERSION))
    tls_version: str | None = None
    tls_error: str | None = None
    weak: str | None = None
    certificate: CertificateFacts | None = None
    has_certificate: bool = False
    chain: ChainFacts | None = None

    @property
    def is_distrusted(self) -> bool:
        """Whether the chain of certificates leads to no authority."""
        return self.chain is not None and not self.chain.trusted

    @property
    def has_tls(self) -> bool:
        """Whether TLS could be set up."""
        return self.tls_version is not None


def next_attempt(seen: Sequence[ConversationFacts], most: int = MOST_CONNECTIONS) -> Attempt | None:
    """What the next connection is for: TLS first, then the next older versions.

    :param seen: what the connections so far showed, the first at least
    :param most: how many there may be
    :returns: None when no further one is worth it
    """
    last = seen[-1]
    if len(seen) >= most or not last.has_offered_tls or last.is_unwilling:
        return None
    if all(one.tls is None for one in seen):
        return _another_handshake(seen)
    states = tls_versions(seen)
    newest = min((TLS_VERSIONS[name] for name, state in states.items() if state == OFFERED), default=_OLDEST) - 1
    is_new = Attempt(HELLO, newest) not in [one.attempt for one in seen]
    is_open = any(states[name] == UNKNOWN_VERSION for name, number in TLS_VERSIONS.items() if number <= newest)
    return Attempt(HELLO, newest) if is_new and is_open else None


def _another_handshake(seen: Sequence[ConversationFacts]) -> Attempt | None:
    """The first handshakes have failed: without the check where the certificate is to blame, else with all versions."""
    kinds = [one.attempt.kind for one in seen]
    if any(one.is_distrusted for one in seen):
        took_newest = seen[0].hello is not None and seen[0].hello.version == _NEWEST
        # One version less than what is known tells of the older ones, too.
        newest = _NEWEST - 1 if took_newest and OPEN not in kinds else _NEWEST
        return Attempt(OPEN, newest) if Attempt(OPEN, newest) not in [one.attempt for one in seen] else None
    return Attempt(WIDE) if WIDE not in kinds else None


def tls_versions(seen: Sequence[ConversationFacts]) -> dict[str, str]:
    """What is known of each version: a server takes the newest of what it is offered, or says that it takes none.

    :param seen: what the connections showed
    :returns: version (1.0 to 1.3) to offered, refused or unknown
    """
    states = dict.fromkeys(TLS_VERSIONS, UNKNOWN_VERSION)
    for one in seen:
        states.update({name: REFUSED_VERSION for name in _refused(one) if states[name] == UNKNOWN_VERSION})
        if one.hello is not None and one.hello.version in TLS_NAMES:
            states[TLS_NAMES[one.hello.version]] = OFFERED
    return states


def _refused(one: ConversationFacts) -> list[str]:
    answer, attempt = one.hello, one.attempt
    if answer is None or not answer.is_tls:
        return []
    if answer.version is not None:
        return [name for name, number in TLS_VERSIONS.items() if answer.version < number <= attempt.newest]
    # A client of today offers few ciphers, so only its version can be to blame when the server says so.
    plain = (PROTOCOL_VERSION,) if attempt.kind == MODERN else (PROTOCOL_VERSION, *NO_COMMON_CIPHERS)
    is_refusal = answer.alert in plain
    return [name for name, number in TLS_VERSIONS.items() if is_refusal and attempt.oldest <= number <= attempt.newest]
