# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Findings about the certificate: would a client that checks it, as the ERP may, go on? Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls, shown
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.certificate_facts import (
    BY_CN,
    CertificateFacts,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_expectations import (
    CLEAR,
    FAILS,
    UNSURE,
    WARNS,
    ServerExpectations,
    ServerFinding,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_facts import ChainFacts, ServerFacts

_GUIDE = "docs/smtp_probe.md"
_VALIDITY, _NAMES, _PATH = "RFC 5280 section 4.1.2.5", "RFC 9525 section 6", "RFC 5280 section 6"
_RENEW = "Renew the certificate on the server."
_MOST_NAMES = 5

# X509_V_ERR_* of OpenSSL (x509_vfy.h).
_NOT_YET, _EXPIRED = 9, 10
_SELF_SIGNED, _SELF_SIGNED_ABOVE = 18, 19
_NO_ISSUER = (2, 20, 21)
_WEAK = (66, 67, 68)


def certificate_findings(facts: ServerFacts, wanted: ServerExpectations, now: datetime) -> Iterator[ServerFinding]:
    """Find what is wrong with the certificate: each fault once. What an ERP that does not check it would not notice
    is a warning.

    :param facts: of the server
    :param wanted: by the ERP
    :param now: aware
    """
    if wanted.security == CLEAR or not (facts.has_tls or facts.is_distrusted):
        return
    level = FAILS if wanted.verify else WARNS
    found = facts.certificate
    if found is None and facts.has_tls:
        text = "the certificate cannot be read" if facts.has_certificate else "the server has no certificate"
        step = "Put a certificate of a public authority on the server."
        yield ServerFinding("certificate_unreadable", _doubt(wanted), text, step, _GUIDE)
    if found is not None:
        yield from _validity(found, level, now)
        yield from _name(facts.host, found, level)
    yield from _trust(facts.chain, found, level, now, wanted)


def _doubt(wanted: ServerExpectations) -> str:
    return UNSURE if wanted.verify else WARNS


def _validity(found: CertificateFacts, level: str, now: datetime) -> Iterator[ServerFinding]:
    if now > found.not_after:
        text = f"the certificate has expired on {_day(found.not_after)}"
        yield ServerFinding("certificate_expired", level, text, _RENEW, _VALIDITY)
    elif now < found.not_before:
        text = f"the certificate is not valid before {_day(found.not_before)}"
        step = "Check the clocks of the server and of this machine, or put the former certificate back."
        yield ServerFinding("certificate_not_yet_valid", level, text, step, _VALIDITY)
    elif found.ends_soon(now):
        days, whole = (found.not_after - now).days, (found.not_after - found.not_before).days
        text, left = f"the certificate ends on {_day(found.not_after)}", f": {days} of its {whole} days are left"
        yield ServerFinding("certificate_ends_soon", WARNS, text, _RENEW, _GUIDE, detail=left)


def _name(host: str, found: CertificateFacts, level: str) -> Iterator[ServerFinding]:
    match = found.matches(host)
    if match == BY_CN:
        text = f"the certificate names {host} only as its common name, which newer clients do not look at"
        yield ServerFinding("certificate_name_in_cn", WARNS, text, "Renew it with the name in its SAN.", _NAMES)
    elif match is None:
        text = f"the certificate is not meant for {host}, but for {_named(found)}"
        step = "Use a name of the certificate in the ERP, or a certificate with this name."
        yield ServerFinding("certificate_wrong_name", level, text, step, _NAMES)


def _named(found: CertificateFacts) -> str:
    names = [*found.names, *found.addresses] or ([found.common_name] if found.common_name else [])
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return (", ".join(shown(name) for name in names[:_MOST_NAMES]) or "no server") + more


def _trust(
    chain: ChainFacts | None, found: CertificateFacts | None, level: str, now: datetime, wanted: ServerExpectations
) -> Iterator[ServerFinding]:
    if chain is None:
        text = "whether an authority stands behind the certificate could not be seen from here"
        step = "Install the authorities of the system (package ca-certificates), or give ca_file."
        yield ServerFinding("certificate_trust_unknown", _doubt(wanted), text, step, _PATH)
    elif not chain.trusted and not _is_told(chain, found, now):
        yield _distrusted(chain, level)


def _is_told(chain: ChainFacts, found: CertificateFacts | None, now: datetime) -> bool:
    """Whether the fault of the chain is that of the certificate's own dates."""
    if found is None:
        return False
    return (chain.code == _EXPIRED and now > found.not_after) or (chain.code == _NOT_YET and now < found.not_before)


def _distrusted(chain: ChainFacts, level: str) -> ServerFinding:
    if chain.code == _SELF_SIGNED:
        text = "the certificate is self-signed: no authority stands behind it"
        step = "Use a certificate of an authority, or an ERP that does not check it."
        return ServerFinding("certificate_self_signed", level, text, step, _PATH)
    if chain.code in (_EXPIRED, _NOT_YET):
        words = "has expired" if chain.code == _EXPIRED else "is not valid yet"
        text = f"a certificate of the chain above the server's own {words}"
        return ServerFinding("chain_dates", level, text, "Renew the chain on the server.", _PATH)
    if chain.code in _WEAK:
        text = f"the certificate or one above it is too weak: {escape_controls(chain.words)}"
        return ServerFinding("certificate_weak", level, text, _RENEW, _PATH)
    text = f"no authority that is trusted here stands behind the certificate: {escape_controls(chain.words)}"
    step = "Trust its authority, with ca_file here and in the system that the ERP runs on."
    if chain.code in _NO_ISSUER:
        step = f"Let the server send its whole chain. {step}"
    return ServerFinding("certificate_untrusted", level, text, step, _PATH)


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")
