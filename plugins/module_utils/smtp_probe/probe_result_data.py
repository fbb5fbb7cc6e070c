# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What the module returns of a server: facts and findings, made harmless, and commands for another place. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls, shown
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.certificate_facts import CertificateFacts
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_expectations import (
    CLEAR,
    IMPLICIT,
    UNSURE,
    ServerExpectations,
    ServerFinding,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_facts import ServerFacts
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_reply import SmtpOffer
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_hello import TLS_VERSIONS

_MOST_NAMES = 50
_LONGEST_TEXT = 500


def shown_finding(finding: ServerFinding, here: bool) -> dict[str, Any]:
    """A finding as the module returns it.

    :param finding: about a server
    :param here: whether the ERP sends from this machine; else what may be otherwise there is told as seen from here
    """
    is_certain = here or not finding.depends_on_place
    return {
        "name": finding.name,
        "level": finding.level,
        "text": _cut(finding.sentence if is_certain else f"seen from here: {finding.sentence}"),
        "lasting": _cut(finding.text),
        "certain": is_certain,
        "next_step": finding.next_step,
        "source": finding.source,
    }


def other_place(place: str | None) -> ServerFinding:
    """The finding that nobody has looked from where the ERP sends.

    :param place: as ``probe_from`` calls it, None where nobody said
    """
    text = "all of this is seen from here, and nobody said where the ERP sends from"
    if place is not None:
        text = f"all of this is seen from here; the ERP sends from {shown(place)}, where nobody has looked"
    step = "Run one of the commands there; set probe_from: here where the ERP sends from this machine."
    return ServerFinding("other_place", UNSURE, text, step, "docs/smtp_probe.md")


def place_commands(host: str, port: int, wanted: ServerExpectations) -> list[dict[str, str]]:
    """What a person runs where the ERP sends from, to see the same.

    :param host: of the server, a checked option without anything that a shell would take apart
    :param port: of the server
    :param wanted: by the ERP
    :returns: ``tool`` (what it needs) and ``command``
    """
    windows = f"Test-NetConnection -ComputerName {host} -Port {port}"
    commands = [{"tool": "PowerShell", "command": windows}]
    if wanted.security != CLEAR:
        commands.append({"tool": "OpenSSL", "command": _openssl(host, port, wanted)})
    return commands


def shown_facts(facts: ServerFacts, now: datetime) -> dict[str, Any]:
    """What was seen of a server, as the module returns it.

    :param facts: of the server
    :param now: aware
    """
    return {
        "address": facts.address,
        "connections": facts.connections,
        "seconds": facts.seconds,
        "banner": facts.banner.words if facts.banner else None,
        "banner_seconds": None if facts.banner_seconds is None else round(facts.banner_seconds, 3),
        "before_tls": _offer(facts.clear),
        "after_tls": _offer(facts.secure),
        "tls": {name: facts.versions[name] for name in TLS_VERSIONS},
        "certificate": _certificate(facts, now),
        "ended": _ended(facts),
    }


def _openssl(host: str, port: int, wanted: ServerExpectations) -> str:
    start = "" if wanted.security == IMPLICIT else " -starttls smtp"
    older = " -no_tls1_3" if wanted.tls is not None and wanted.tls != "1.3" else ""
    place, name = f"{host}:{port}", f"-servername {host} -verify_hostname {host}"
    if _is_ip(host):
        place = f"[{host}]:{port}" if ":" in host else place
        name = f"-noservername -verify_ip {host}"
    return f"openssl s_client{start} -connect {place} {name}{older}"


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _offer(offer: SmtpOffer | None) -> dict[str, Any] | None:
    if offer is None:
        return None
    return {
        "extensions": _texts(offer.keywords),
        "auth": _texts(offer.auth),
        "size": offer.size,
        "starttls": offer.starttls,
    }


def _certificate(facts: ServerFacts, now: datetime) -> dict[str, Any] | None:
    found = facts.certificate
    if found is None:
        return None
    return {
        "subject": _cut(found.subject),
        "issuer": _cut(found.issuer),
        "names": _texts([*found.names, *found.addresses]),
        "common_name": None if found.common_name is None else _cut(found.common_name),
        "matches": found.matches(facts.host),
        "not_before": found.not_before.isoformat(),
        "not_after": found.not_after.isoformat(),
        "days_left": _days_left(found, now),
        "lifetime_days": (found.not_after - found.not_before).days,
        "self_issued": found.self_issued,
        "trusted": None if facts.chain is None else facts.chain.trusted,
        "distrust": _cut(facts.chain.words) if facts.chain is not None and not facts.chain.trusted else None,
        "key": found.key,
        "signature": found.signature,
        "sha256": found.sha256,
    }


def _days_left(found: CertificateFacts, now: datetime) -> int:
    """Whole days; below zero once it has ended."""
    return (found.not_after - now).days


def _ended(facts: ServerFacts) -> dict[str, Any] | None:
    if facts.stop is None:
        return None
    return {"stage": facts.stop.stage, "kind": facts.stop.kind, "code": facts.stop.code, "text": _cut(facts.stop.words)}


def _texts(texts: Iterable[str]) -> list[str]:
    return [_cut(text) for text in list(texts)[:_MOST_NAMES]]


def _cut(text: str) -> str:
    safe = escape_controls(text)
    return safe if len(safe) <= _LONGEST_TEXT else f"{safe[:_LONGEST_TEXT]}..."
