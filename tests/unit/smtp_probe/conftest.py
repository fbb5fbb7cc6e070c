# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at servers of a few lines, in this process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.probe_findings import server_findings
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_expectations import (
    ServerExpectations,
    ServerFinding,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_facts import ServerFacts
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_probe import probe_server
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_conversation import ProbeTarget
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_stream import TlsContexts
from ansible_collections.mailroom.erp.tests.servers.scripted import Script, ScriptedServer
from ansible_collections.mailroom.erp.tests.servers.server_certificates import Issued, issued

SECONDS = 3.0

LookAt = Callable[..., tuple[ServerFacts, list[ServerFinding]]]


@pytest.fixture(scope="session")
def authority() -> Issued:
    """Whom the probes of the tests trust."""
    return issued(common_name="test authority", authority=True, days=(-400, 400))


@pytest.fixture
def ca_file(authority: Issued, tmp_path: Path) -> str:
    return authority.write(tmp_path / "authority.pem")


@pytest.fixture
def look_at(ca_file: str) -> LookAt:
    """Look at a server that does what a script says; gives the facts, and the findings for what is wanted."""

    def looked(
        script: Script, security: str = "starttls", host: str = "localhost", timeout: float = SECONDS, **wanted: object
    ) -> tuple[ServerFacts, list[ServerFinding]]:
        expectations = ServerExpectations(security, **wanted)  # type: ignore[arg-type]
        with ScriptedServer(script) as server:
            target = ProbeTarget(host, server.port, security == "implicit", "probe.test")
            facts = probe_server(target, TlsContexts(ca_file), timeout)
        return facts, server_findings(facts, expectations, datetime.now(UTC))

    return looked


def names(findings: list[ServerFinding], *levels: str) -> list[str]:
    """The names of findings, of some levels or all of them."""
    return [one.name for one in findings if not levels or one.level in levels]
