# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The namespace leaves nothing behind, however it ends: shown on one inside the one that these tests run in."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.receiver import namespace

PROGRAM = [sys.executable, str(Path(namespace.__file__))]
SECONDS = 10.0


def processes(mark: str) -> list[int]:
    """The processes, in our namespace and those inside it, that have an argument."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = line.read_bytes().split(b"\0")
        except OSError:  # it ended meanwhile
            continue
        if mark.encode() in arguments and arguments[0] == b"sleep":
            found.append(int(line.parent.name))
    return found


def wait_for(mark: str, count: int) -> list[int]:
    deadline = time.monotonic() + SECONDS
    while len(processes(mark)) != count and time.monotonic() < deadline:
        time.sleep(0.02)
    return processes(mark)


def test_what_is_done_inside_is_not_seen_outside() -> None:
    mounts, resolver = Path("/proc/self/mounts").read_text(), Path("/etc/resolv.conf").read_text()
    script = f"echo ${namespace.FOLDER_VARIABLE}; echo changed >/etc/resolv.conf; ip -4 -br address show lo"
    inside = subprocess.run([*PROGRAM, "sh", "-c", script], capture_output=True, text=True, check=False)
    place, addresses = inside.stdout.splitlines()
    assert "192.0.2.1/24" in addresses
    assert place.startswith("/tmp/mailroom-receiver-") and not Path(place).exists()
    assert (Path("/proc/self/mounts").read_text(), Path("/etc/resolv.conf").read_text()) == (mounts, resolver)


def test_the_exit_code_is_that_of_the_command() -> None:
    assert subprocess.run([*PROGRAM, "sh", "-c", "exit 7"], check=False).returncode == 7


@pytest.mark.parametrize("parent", ["the program", "its namespace"])
def test_everything_ends_when_it_is_killed(parent: str) -> None:
    mark, there = f"86400.{os.getpid()}{len(parent)}", set(Path("/tmp").glob("mailroom-receiver-*"))
    command = ["sh", "-c", f"sleep {mark} & setsid sleep {mark} & wait"]
    with subprocess.Popen([*PROGRAM, *command]) as program:
        try:
            assert len(wait_for(mark, 2)) == 2
            children = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
            os.kill(program.pid if parent == "the program" else int(children[0]), 9)
            program.wait(SECONDS)
        finally:
            program.kill()
    assert wait_for(mark, 0) == []
    for folder in set(Path("/tmp").glob("mailroom-receiver-*")) - there:
        folder.rmdir()  # an empty one stays when the program cannot take it away


def test_whoever_is_not_root_is_told() -> None:
    refused = subprocess.run(
        ["setpriv", "--reuid", "65534", "--", *PROGRAM, "true"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert "needs root" in refused.stderr
