# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One server, looked at with at most three connections in a bounded time; what they showed becomes facts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.bounded_stream import TIMED_OUT
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.certificate_facts import certificate_facts
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_facts import (
    MOST_CONNECTIONS,
    OFFERED,
    Attempt,
    ChainFacts,
    ConversationFacts,
    ServerFacts,
    next_attempt,
    tls_versions,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_conversation import (
    ProbeTarget,
    SmtpConversation,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_hello import TLS_VERSIONS
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_stream import HELLO, MODERN, WIDE, TlsContexts

_BANNER_PART = 2
"""The banner may take half of the time: what is left shows whether the server waits for TLS instead."""
_MODE_SECONDS = 10.0


def probe_server(
    target: ProbeTarget, contexts: TlsContexts, timeout: float, most: int = MOST_CONNECTIONS
) -> ServerFacts:
    """Look at one server. Nothing is sent but greetings.

    :param target: the server
    :param contexts: the settings of TLS
    :param timeout: seconds for all connections together
    :param most: how many connections there may be
    :returns: whatever could be seen; nothing that a server does is an error
    :raises MissingLibrary: the library cryptography is not installed
    """
    start = time.monotonic()
    seen: list[ConversationFacts] = []
    attempt: Attempt | None = Attempt(MODERN)
    while attempt is not None:
        seen.append(_held(target, attempt, contexts, start + timeout, timeout / _BANNER_PART))
        attempt = next_attempt(seen, most)
    other_mode, more = _other_mode(target, seen, contexts, start + timeout, most)
    connections = sum(one.address is not None for one in seen) + more
    facts = server_facts(target, seen, contexts.has_authorities)
    return replace(facts, connections=connections, seconds=round(time.monotonic() - start, 3), other_mode=other_mode)


def server_facts(target: ProbeTarget, seen: Sequence[ConversationFacts], has_authorities: bool) -> ServerFacts:
    """Put together what the connections to one server showed.

    :param target: the server
    :param seen: the connections in their order, at least one
    :param has_authorities: whether there was anything to check certificates by
    """
    first, talks = seen[0], [one for one in seen if one.attempt.kind != HELLO]
    main = next((one for one in talks if one.tls is not None), talks[-1])
    versions = tls_versions(seen)
    der = main.tls.certificate if main.tls is not None else None
    newest = [name for name, state in versions.items() if state == OFFERED][-1:]
    return ServerFacts(
        host=target.host,
        port=target.port,
        implicit=target.implicit,
        address=main.address,
        stop=main.stop,
        banner=main.banner or first.banner,
        banner_seconds=first.banner_seconds if first.banner_seconds is not None else main.banner_seconds,
        clear=main.clear or first.clear,
        secure=main.secure,
        starttls=main.starttls or first.starttls,
        injected=any(one.injected for one in seen),
        versions=versions,
        tls_version=newest[0] if newest and main.tls is not None else None,
        tls_error=main.error.words if main.error is not None else None,
        weak=_weak(first, main, newest),
        certificate=certificate_facts(der) if der else None,
        has_certificate=der is not None,
        chain=_chain(talks) if has_authorities else None,
    )


def _held(
    target: ProbeTarget, attempt: Attempt, contexts: TlsContexts, deadline: float, banner: float
) -> ConversationFacts:
    banner_deadline = min(deadline, time.monotonic() + banner)
    return SmtpConversation(target, attempt, contexts, deadline, banner_deadline).held()


def _weak(first: ConversationFacts, main: ConversationFacts, newest: Sequence[str]) -> str | None:
    """Why a client of today cannot do it, where neither version nor certificate is to blame and an older one can."""
    is_other = first.is_distrusted or main.attempt.kind != WIDE or main.tls is None
    if is_other or not {"1.2", "1.3"} & set(newest):
        return None
    return first.error.words if first.error is not None else "the server ends the connection"


def _chain(talks: Sequence[ConversationFacts]) -> ChainFacts | None:
    for one in talks:
        if one.error is not None and one.error.verify_code is not None:
            return ChainFacts(False, one.error.verify_code, one.error.words)
    return (
        ChainFacts(True) if any(one.tls is not None and one.attempt.kind in (MODERN, WIDE) for one in talks) else None
    )


def _other_mode(
    target: ProbeTarget, seen: Sequence[ConversationFacts], contexts: TlsContexts, deadline: float, most: int
) -> tuple[bool, int]:
    """Whether the server speaks TLS first where SMTP was expected or the other way round, and how many connections
    that took: a server that says nothing may wait for a hello."""
    stop = seen[-1].stop
    if target.implicit:
        return any(one.speaks_clear for one in seen), 0
    if len(seen) >= most or stop is None or (stop.stage, stop.kind) != ("banner", TIMED_OUT):
        return False, 0
    until = min(deadline, time.monotonic() + _MODE_SECONDS)
    attempt = Attempt(HELLO, TLS_VERSIONS["1.2"])
    one = SmtpConversation(replace(target, implicit=True), attempt, contexts, until, until).held()
    return one.hello is not None and one.hello.is_tls, int(one.address is not None)
