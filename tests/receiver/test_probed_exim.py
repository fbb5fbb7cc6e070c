# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""smtp_probe against Exim, whose TLS is that of GnuTLS: every finding is what is expected, and what openssl sees."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.probe_findings import server_findings
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_expectations import ServerExpectations
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_probe import probe_server
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_conversation import ProbeTarget
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_stream import TlsContexts
from ansible_collections.mailroom.erp.tests.receiver import namespace
from ansible_collections.mailroom.erp.tests.receiver.exim import (
    EXIM_SETTINGS,
    EXIM_VARIABLE,
    EximSetting,
    ManyExims,
    exim_environment,
)
from ansible_collections.mailroom.erp.tests.receiver.test_probed_servers import check_by_openssl

pytestmark = pytest.mark.skipif(exim_environment() is None, reason=f"no unpacked Exim in {EXIM_VARIABLE}")


@pytest.fixture(scope="module")
def exim() -> Iterator[ManyExims]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (exim_environment() or {}).items():
            patch.setenv(name, value)
        with ManyExims(namespace.folder() / "probed-exim") as started:
            patch.undo()
            yield started


@pytest.mark.parametrize("setting", EXIM_SETTINGS, ids=[one.name for one in EXIM_SETTINGS])
def test_findings_agree_with_openssl(exim: ManyExims, setting: EximSetting) -> None:
    port = exim.port(setting)
    target = ProbeTarget("localhost", port, setting.implicit, "probe.test")
    facts = probe_server(target, TlsContexts(exim.ca_file), 20.0)
    wanted = ServerExpectations(setting.security, **setting.wanted)
    found = [(one.level == "warning", one.name) for one in server_findings(facts, wanted, datetime.now(UTC))]
    bad, warnings = (tuple(name for is_warning, name in found if is_warning == which) for which in (False, True))
    assert (bad, warnings) == (setting.bad, setting.warnings), f"{facts}\n{exim.log()}"
    assert 0 < facts.connections <= 3
    if not facts.other_mode and facts.banner is not None and facts.banner.code == 220:
        check_by_openssl(facts, port, (*bad, *warnings), exim.ca_file)
