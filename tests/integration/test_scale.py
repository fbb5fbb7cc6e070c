# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""2,000 domains in one task of a user's playbook: what is done, what is shown meanwhile, and one zone that fails."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, keep, module_task, run_play
from ansible_collections.mailroom.erp.tests.servers.bind import UPDATES_REFUSED, Bind
from ansible_collections.mailroom.erp.tests.servers.sending_service import SERVICE_TERM, SERVICE_ZONES
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

DOMAINS = 2000
NAMES = [f"customer{number}.example" for number in range(DOMAINS)]
BROKEN = NAMES[1000]
ZONE_TEXTS = {**{name: zone_text(name) for name in NAMES}, **SERVICE_ZONES}
WANTED: dict[str, Any] = {"spf": {"terms": [SERVICE_TERM]}, "dmarc": {"policy": "none"}}


def run(folder: Path, options: dict[str, Any], *arguments: str) -> Result:
    """One task, whose result is left in ``result.json``."""
    many = {**module_task("mail_domains", **options), "ignore_errors": True}
    kept = keep("{'summary': done.summary, 'failures': done.failures}", folder / "result.json")
    return run_play(folder, [many, kept], *arguments)


def result_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return found


def shown(output: str) -> list[str]:
    """What the controller showed of the steps while the module ran."""
    return re.findall(r"\d+ of (\d+ (?:names asked for|zones read|zones written))", output)


@pytest.mark.slow
def test_one_zone_that_fails_does_not_stop_the_others_on_a_name_server(tmp_path: Path) -> None:
    with Bind(ZONE_TEXTS, zone_updates={BROKEN: UPDATES_REFUSED}) as server:
        # Names with shared defaults.
        options = {"domains": NAMES, "dns": server.dns_option, "resolver": server.resolver_option, **WANTED}
        done = run(tmp_path, options)
        found = result_of(tmp_path)
        assert found["summary"] == {"domains": DOMAINS, "changed": DOMAINS - 1, "unchanged": 0, "failed": 1}
        (failure,) = found["failures"]
        assert failure["domain"] == BROKEN
        assert "answered our update with REFUSED" in failure["msg"]
        assert f"1 of {DOMAINS} domains failed, the others are done" in done.output
        assert f"{BROKEN}: " in done.output
        progress = shown(done.output)
        assert len(progress) >= 2, done.output[:3000]
        for name in (NAMES[0], NAMES[999], NAMES[1001], NAMES[-1]):
            assert server.values(name, "TXT") == [f'"v=spf1 {SERVICE_TERM} ~all"']
            assert server.serial(name) == 2
        assert (server.values(BROKEN, "TXT"), server.serial(BROKEN)) == ([], 1)


@pytest.mark.slow
def test_a_file_of_domains_over_zone_files(tmp_path: Path) -> None:
    files = ZoneFolder(tmp_path / "zones", ZONE_TEXTS)
    (tmp_path / "estate.json").write_text(json.dumps({"domains": NAMES, **WANTED}))
    services = {"dns": files.dns_option, "resolver": files.resolver_option}
    options = {"src": str(tmp_path / "estate.json"), **services}
    first = run(tmp_path, options)
    assert first.rc == 0, first.output[-3000:]
    assert result_of(tmp_path)["summary"] == {"domains": DOMAINS, "changed": DOMAINS, "unchanged": 0, "failed": 0}
    assert all(SERVICE_TERM in files.file(name).read_text() for name in NAMES)
    before = files.contents()
    run(tmp_path, options)
    assert result_of(tmp_path)["summary"] == {"domains": DOMAINS, "changed": 0, "unchanged": DOMAINS, "failed": 0}
    assert files.contents() == before
