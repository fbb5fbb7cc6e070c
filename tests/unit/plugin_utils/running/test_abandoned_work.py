# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task whose run is killed ends with it, and so does its module; one whose run lives is left alone."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_RUN = """
import os, subprocess, sys, time
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.abandoned_work import EndsWithRun
if os.fork() == 0:
    if sys.argv[1] == "detached":
        os.setsid()
    with EndsWithRun():
        module = subprocess.Popen(["sleep", "30"])
        print(os.getpid(), module.pid, flush=True)
        time.sleep(float(sys.argv[2]))
    module.kill()
    module.wait()
    print("ended by itself", flush=True)
    os._exit(0)
os.wait()
"""
"""A run, the process of a task in it, and its module."""


@contextlib.contextmanager
def run_of(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Start a run; gives it with its task and its module."""
    command = [sys.executable, "-c", _RUN, *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, env=environment)
    assert run.stdout is not None
    pids = [int(pid) for pid in run.stdout.readline().split()]
    try:
        yield run, pids
    finally:
        for pid in [*pids, run.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        run.communicate()


def is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_task_and_its_module_end_with_their_run() -> None:
    with run_of("detached", "30") as (run, pids):
        assert all(map(is_alive, pids))
        run.kill()
        deadline = time.monotonic() + 20
        while any(map(is_alive, pids)):
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.parametrize("kind", ["detached", "in the group of its run"])
def test_a_task_whose_run_lives_ends_by_itself(kind: str) -> None:
    with run_of(kind, "0.7") as (run, _pids):
        assert run.stdout is not None
        assert run.stdout.readline() == "ended by itself\n"
