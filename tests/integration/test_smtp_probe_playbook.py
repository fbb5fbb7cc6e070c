# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook with smtp_probe, as a user writes it: harmless texts, check mode, and wrong options."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.playbook import SHOW, Result, keep, module_task, run_play
from ansible_collections.mailroom.erp.tests.servers.scripted import ScriptedServer
from ansible_collections.mailroom.erp.tests.servers.scripted_smtp import smtp_script
from ansible_collections.mailroom.erp.tests.servers.server_certificates import issued

BANNER = b"220 {{ 7 * 191 }} \x1b[31m ESMTP\r\n"


def run(folder: Path, task: dict[str, Any], *arguments: str, **play: Any) -> tuple[Result, dict[str, Any]]:
    """Run one task and keep its result."""
    file = folder / "result.json"
    done = run_play(folder, [{**task, "ignore_errors": True}, SHOW, keep("done", file)], *arguments, **play)
    return done, json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("packed", [False, True])
def test_a_server_is_looked_at(tmp_path: Path, packed: bool) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    own = issued()
    script = smtp_script(own.context(tmp_path / "server.pem"), banner=BANNER)
    variables = {"ansible_python_interpreter": str(python) if packed else sys.executable}
    with ScriptedServer(script) as server:
        wanted = {"host": "localhost", "port": server.port, "expect": {"auth": "LOGIN"}, "probe_from": "{{ 'here' }}"}
        task = module_task("smtp_probe", servers=[wanted], timeout=10, ca_file=str(tmp_path / "server.pem"))
        played, done = run(tmp_path, task, vars=variables)
    assert (played.rc, played.changed, done["result"]) == (0, 0, "pass"), played.output
    (seen,) = done["seen"].values()
    assert seen["banner"] == r"{{ 7 * 191 }} \x1b[31m ESMTP" and "1337" not in played.output
    assert seen["after_tls"]["auth"] == ["PLAIN", "LOGIN"] and seen["certificate"]["matches"] == "san"
    assert "\x1b[31m ESMTP" not in played.output


def test_check_mode_and_wrong_options(tmp_path: Path) -> None:
    with ScriptedServer(smtp_script()) as server:
        task = module_task("smtp_probe", host="localhost", port=server.port, security="none", probe_from="here")
        played, done = run(tmp_path, task, "--check", "--diff")
        assert (played.rc, done["result"], done["connections"]) == (0, "pass", 1), played.output
        bad = module_task("smtp_probe", servers=[{"host": "localhost", "port": server.port, "secruity": "none"}])
        played, done = run(tmp_path, bad)
    assert done["failed"] and "did you mean servers[0].security?" in done["msg"]
