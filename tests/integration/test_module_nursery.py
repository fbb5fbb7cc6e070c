# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module that the tests let run by their nursery does what it does when Ansible starts the launcher."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration import module_client, module_nursery, playbook
from ansible_collections.mailroom.erp.tests.servers.scripted import ScriptedServer
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

CLIENT, LAUNCHER = module_client.__file__, str(module_nursery._LAUNCHER)
SECONDS = 60.0


@pytest.fixture
def environment() -> dict[str, str]:
    """The variables of a process whose modules run in the nursery."""
    place = playbook._module_nursery()
    patience = time.monotonic() + SECONDS
    while not Path(place).exists():
        assert time.monotonic() < patience
        time.sleep(0.01)
    return {**os.environ, "MAILROOM_MODULE_NURSERY": place}


def started(program: str, module: str, environment: dict[str, str], options: dict[str, Any]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-P", program, module]
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
    assert process.stdin is not None
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": options}).encode())
    process.stdin.close()
    process.stdin = None
    return process


def ended(process: subprocess.Popen[bytes]) -> tuple[int, Any, str]:
    """The exit code, the result, and the last line of the standard error."""
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, json.loads(out or "null"), err.decode().strip().rpartition("\n")[2]


@pytest.mark.parametrize("surprise", [{}, {"surprise": 1}], ids=["right", "wrong"])
def test_the_nursery_runs_a_module_as_the_launcher_does(
    environment: dict[str, str], tmp_path: Path, surprise: dict[str, int]
) -> None:
    files = ZoneFolder(tmp_path, {"acme.example": zone_text("acme.example", '@ TXT "v=spf1 ~all"')})
    wanted = {
        "domain": "acme.example",
        "terms": ["mx"],
        "dns": files.dns_option,
        "accept_undelegated": ["acme.example"],
    }
    options = {**wanted, "snapshot_dir": str(tmp_path / "state"), "_ansible_check_mode": True, **surprise}
    # From there it would not find the launcher.
    client = str(shutil.copy(CLIENT, tmp_path))
    by_nursery, by_launcher = (ended(started(one, "spf_record", environment, options)) for one in (client, LAUNCHER))
    assert by_nursery == by_launcher
    assert by_nursery[0] == len(surprise) and by_nursery[1]


def test_a_module_that_does_not_exist_fails(environment: dict[str, str]) -> None:
    code, result, said = ended(started(CLIENT, "no_such_module", environment, {}))
    assert (code, result) == (1, None) and "no_such_module" in said


def test_other_libraries_are_loaded_where_a_task_names_them(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "dns").mkdir()
    (tmp_path / "dns" / "__init__.py").write_text("raise RuntimeError('this dnspython is broken')\n")
    code, _result, said = ended(started(CLIENT, "spf_record", {**environment, "PYTHONPATH": str(tmp_path)}, {}))
    assert code == 1 and "this dnspython is broken" in said


@pytest.mark.parametrize("place", [{}, {"MAILROOM_MODULE_NURSERY": "/nowhere"}], ids=["none", "gone"])
def test_without_a_nursery_the_launcher_runs(tmp_path: Path, place: dict[str, str]) -> None:
    found = ended(started(CLIENT, "smtp_probe", {**os.environ, **place}, {}))
    assert found == ended(started(LAUNCHER, "smtp_probe", dict(os.environ), {}))
    assert found[1]["failed"]


def test_a_module_dies_with_its_client(environment: dict[str, str]) -> None:
    came, gone = threading.Event(), threading.Event()

    def say_nothing(connection: socket.socket) -> None:
        came.set()
        while connection.recv(1000):
            pass
        gone.set()

    with ScriptedServer(say_nothing) as server:
        options = {"host": "localhost", "port": server.port, "security": "none", "timeout": SECONDS}
        client = started(CLIENT, "smtp_probe", environment, options)
        assert came.wait(SECONDS), client.communicate()
        client.kill()
        client.communicate()
        assert gone.wait(SECONDS / 2)


def test_playbooks_use_it(tmp_path: Path) -> None:
    played = playbook.run_play(tmp_path, [playbook.module_task("smtp_probe", host="localhost", port=9)], "-vvv")
    assert f"{CLIENT} smtp_probe" in played.output, played.output
