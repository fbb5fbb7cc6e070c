# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail servers that smtp_probe has looked at, from facts: the module's own report without a connection."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.certificate_facts import CertificateFacts
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_facts import ChainFacts, ServerFacts
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_probe_options import read_smtp_probe
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_probe_run import probe_report
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_reply import SmtpOffer, SmtpReply
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_probe import probed_servers, server_sights
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.environment_needs import environment_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.server_sight import ServerSight

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOST = "relay.acme.example"
_DEFAULTS = {"security": "starttls", "verify": True}
_TASK = {"timeout": 60.0, "concurrency": 20}


def certificate(until: datetime = NOW + timedelta(days=60), name: str = HOST) -> CertificateFacts:
    """A certificate of 90 days."""
    return CertificateFacts(
        subject=f"CN={name}",
        issuer="CN=authority",
        common_name=name,
        names=(name,),
        addresses=(),
        not_before=until - timedelta(days=90),
        not_after=until,
        self_issued=False,
        key="RSA 2048",
        signature="sha256",
        sha256="00",
    )


def server(port: int = 587, **changes: Any) -> ServerFacts:
    """A server that is as every ERP wants it, with some of it changed."""
    implicit = port == 465
    offer = SmtpOffer(("SIZE", "AUTH"), ("PLAIN", "LOGIN"), 50_000_000)
    facts: dict[str, Any] = {
        "host": HOST,
        "port": port,
        "implicit": implicit,
        "connections": 3,
        "banner": SmtpReply(220, ("hi",)),
        "banner_seconds": 0.1,
        "clear": None if implicit else SmtpOffer(("SIZE", "STARTTLS"), (), 50_000_000),
        "secure": offer,
        "versions": {"1.0": "refused", "1.1": "refused", "1.2": "offered", "1.3": "offered"},
        "tls_version": "1.3",
        "certificate": certificate(),
        "has_certificate": True,
        "chain": ChainFacts(True),
    }
    return ServerFacts(**{**facts, **changes})


def clear_server(port: int = 587) -> ServerFacts:
    """A server without TLS."""
    offer = SmtpOffer(("SIZE", "AUTH"), ("PLAIN", "LOGIN"), 50_000_000)
    none = {"tls_version": None, "certificate": None, "has_certificate": False, "chain": None, "secure": None}
    return server(
        port, implicit=False, clear=offer, versions=dict.fromkeys(("1.0", "1.1", "1.2", "1.3"), "unknown"), **none
    )


def estate_needs(environments: Mapping[str, Environment]) -> dict[str, dict[str, Any]]:
    """The needs of environments, by host."""
    return {host: environment_needs(one, Catalogue()) for host, one in environments.items()}


def looked_at(needs: Mapping[str, Mapping[str, Any]], facts: ServerFacts, now: datetime = NOW) -> dict[str, Any]:
    """What the module returns for these needs, all of which are about one server."""
    params = {**_TASK, "servers": [{**_DEFAULTS, **item} for item in probed_servers(needs)]}
    probe = read_smtp_probe(params, "controller")
    return probe_report(probe, {(facts.host, facts.port, facts.implicit): facts}, now)


def sight_of(environment: Environment, facts: ServerFacts, now: datetime = NOW) -> ServerSight:
    """What was seen for one environment."""
    needs = estate_needs({"env_1": environment})
    return server_sights(needs, looked_at(needs, facts, now))["env_1"]
