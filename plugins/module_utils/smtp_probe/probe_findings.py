# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What an ERP would meet at a mail server: all findings, what they come to, and one line for people. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.certificate_findings import certificate_findings
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.connection_findings import (
    connection_findings,
    tls_findings,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_expectations import (
    ANY_MECHANISM,
    CLEAR,
    FAILS,
    OPPORTUNISTIC,
    PASSES,
    UNSURE,
    WARNS,
    ServerExpectations,
    ServerFinding,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_facts import OFFERED, ServerFacts
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_reply import SmtpOffer
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_hello import TLS_VERSIONS

_SIGN_IN, _SIZE = "RFC 4954 section 3", "RFC 1870 section 4"
_MOST_MECHANISMS, _LONGEST_MECHANISM = 20, 20
"""What is told; a name has at most 20 characters (RFC 4422 section 3.1)."""


def server_findings(facts: ServerFacts, wanted: ServerExpectations, now: datetime) -> list[ServerFinding]:
    """Judge a server for one ERP.

    :param facts: what was seen of it
    :param wanted: what the ERP wants
    :param now: aware
    :returns: the worst first; empty when all that is wanted is there
    """
    found = [
        *connection_findings(facts, wanted),
        *tls_findings(facts, wanted),
        *certificate_findings(facts, wanted, now),
        *_sign_in(facts, wanted),
        *_size(facts, wanted),
    ]
    order = (FAILS, UNSURE, WARNS)
    return sorted(found, key=lambda finding: order.index(finding.level))


def probe_result(facts: ServerFacts, findings: Sequence[ServerFinding], here: bool) -> str:
    """What the findings come to, for the ERP: pass, fail or unknown.

    Where the ERP sends from somewhere else, nobody can tell from here that it reaches the server; what does not depend
    on the place fails there, too.

    :param facts: of the server
    :param findings: about it
    :param here: whether the ERP sends from this machine
    """
    if any(one.level == FAILS and (here or not one.depends_on_place) for one in findings):
        return FAILS
    is_open = any(one.level in (FAILS, UNSURE) for one in findings)
    return PASSES if here and not is_open and facts.connections > 0 else UNSURE


def server_summary(facts: ServerFacts, wanted: ServerExpectations) -> str:
    """One line of what was seen, e.g. "port 587: reachable, STARTTLS, TLS 1.3, certificate valid until 2027-03-01".

    :param facts: of the server
    :param wanted: by the ERP; what it does not use is not told
    """
    met = met_server(facts, wanted)
    parts = ["reachable" if met["reached"] else "not reached"]
    parts += [met["tls_start"], f"TLS {met['tls']}"] if met["tls"] else []
    parts += [f"certificate valid until {met['valid_until']}"] if met["valid_until"] else []
    parts += [f"AUTH {' '.join(met['auth'])}"] if met["auth"] else []
    parts += [f"messages up to {met['size']} bytes"] if met["size"] else []
    return escape_controls(f"port {facts.port}: {', '.join(parts)}")


def met_server(facts: ServerFacts, wanted: ServerExpectations) -> dict[str, Any]:
    """What an ERP meets, which stays as it is from one look to the next while the server does.

    :param facts: of the server
    :param wanted: by the ERP; what it does not use is not told
    :returns: ``reached`` (bool); ``tls_start`` (STARTTLS or implicit TLS) and ``tls`` (the version), ``valid_until``
        (YYYY-MM-DD, of the certificate) and ``size`` (bytes), each None when there is none or it was not seen; ``auth``
        (list of mechanisms)
    """
    uses_tls = facts.has_tls and wanted.security != CLEAR
    start = "implicit TLS" if facts.implicit else "STARTTLS"
    until = f"{facts.certificate.not_after:%Y-%m-%d}" if uses_tls and facts.certificate is not None else None
    offer = _used_offer(facts, wanted)
    return {
        "reached": facts.connections > 0,
        "tls_start": start if uses_tls else None,
        "tls": _spoken(facts, wanted) if uses_tls else None,
        "valid_until": until,
        "auth": [one for one in offer.auth if len(one) <= _LONGEST_MECHANISM][:_MOST_MECHANISMS] if offer else [],
        "size": (offer.size or None) if offer else None,
    }


def _spoken(facts: ServerFacts, wanted: ServerExpectations) -> str:
    """The newest version that both take; that of the server where the ERP's are not known, or it takes none of them."""
    limit = TLS_VERSIONS[wanted.tls or "1.3"]
    both = [name for name, number in TLS_VERSIONS.items() if number <= limit and facts.versions[name] == OFFERED]
    return both[-1] if both else str(facts.tls_version)


def _used_offer(facts: ServerFacts, wanted: ServerExpectations) -> SmtpOffer | None:
    """What the server offers where the ERP would sign in; None when it is not known."""
    if wanted.security == CLEAR:
        return facts.clear
    if wanted.security == OPPORTUNISTIC and facts.clear is not None and not facts.clear.starttls:
        return facts.clear
    return facts.secure


def _sign_in(facts: ServerFacts, wanted: ServerExpectations) -> Iterator[ServerFinding]:
    if facts.clear is not None and facts.clear.auth:
        text = f"the server takes passwords in clear: AUTH {' '.join(facts.clear.auth)} is offered before TLS"
        step = "Let the server offer AUTH after TLS only."
        yield ServerFinding("auth_in_clear", WARNS, text, step, "RFC 4954 section 4, RFC 8314", True)
    offer = _used_offer(facts, wanted)
    if wanted.auth is None or offer is None:
        return
    if not offer.auth:
        yield _no_auth(facts, wanted)
    elif wanted.auth not in (ANY_MECHANISM, *offer.auth):
        text = f"the ERP signs in by AUTH {wanted.auth}, and the server offers only {' '.join(offer.auth)}"
        yield ServerFinding("mechanism_missing", FAILS, text, f"Let it offer {wanted.auth}.", _SIGN_IN, True)


def _no_auth(facts: ServerFacts, wanted: ServerExpectations) -> ServerFinding:
    if wanted.security == CLEAR and facts.secure is not None and facts.secure.auth:
        text = "the server offers AUTH after STARTTLS only, and the ERP is set to use no TLS"
        return ServerFinding("auth_only_after_tls", FAILS, text, "Choose TLS in the ERP.", "RFC 4954 section 4", True)
    text = "the ERP signs in, and the server does not offer AUTH"
    step = "Switch it on at the server for this port, or let the ERP send without signing in."
    return ServerFinding("auth_missing", FAILS, text, step, _SIGN_IN, True)


def _size(facts: ServerFacts, wanted: ServerExpectations) -> Iterator[ServerFinding]:
    offer = _used_offer(facts, wanted)
    if wanted.min_size is None or offer is None:
        return
    if offer.size is None:
        text = (
            f"the server does not tell the largest message that it takes; the ERP sends up to {wanted.min_size} bytes"
        )
        step = "Ask who runs it, or send a message of that size."
        yield ServerFinding("size_unknown", UNSURE, text, step, _SIZE)
    elif 0 < offer.size < wanted.min_size:
        text = f"the server takes messages of up to {offer.size} bytes, the ERP sends up to {wanted.min_size}"
        step = "Raise the limit of the server, or lower that of the ERP."
        yield ServerFinding("size_too_small", FAILS, text, step, _SIZE, True)
