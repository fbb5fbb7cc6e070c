# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures a command: how long its whole process takes, and how much memory it and what it starts need at most."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.integration.playbook import own_program

_LOOK_SECONDS = 0.05
_MODULE = "module_launcher.py"


@dataclass(frozen=True, slots=True)
class Run:
    """One run: wall seconds, the processor's for it and all that it started, and all that it printed."""

    seconds: float
    processor: float
    output: str


@dataclass(slots=True)
class Memory:
    """Peaks in MiB: of the module's process, and of all processes together (pages that they share counted once)."""

    module: float = 0.0
    together: float = 0.0


def playbook_command(folder: Path, tasks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write a playbook of these tasks, for this machine and this Python.

    :returns: the command that runs it
    """
    variables = {"ansible_python_interpreter": sys.executable}
    play = [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": list(tasks)}]
    (folder / "play.yml").write_text(json.dumps(play))
    return [own_program("ansible-playbook"), "-i", "localhost,", "-c", "local", str(folder / "play.yml")]


def timed(command: list[str], environment: dict[str, str], folder: Path, accepted: Collection[int] = (0,)) -> Run:
    """Run a command once.

    :param accepted: the exit codes that are no failure
    :raises SystemExit: it failed
    """
    start, used = time.perf_counter(), _processor()
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    seconds = time.perf_counter() - start
    if done.returncode not in accepted:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}")
    return Run(seconds, _processor() - used, done.stdout)


def _processor() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def memory(command: list[str], environment: dict[str, str], folder: Path) -> Memory:
    """Run a command once more and look at its processes all the while; slower than :func:`timed`, so apart from it."""
    peak, done = Memory(), threading.Event()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    watch = threading.Thread(target=_watch, args=(process.pid, peak, done))
    watch.start()
    process.wait()
    done.set()
    watch.join()
    return peak


def _watch(pid: int, peak: Memory, done: threading.Event) -> None:
    while not done.wait(_LOOK_SECONDS):
        sizes = {one: _mebibytes(one) for one in _family(pid)}
        peak.together = max(peak.together, sum(sizes.values()))
        peak.module = max([peak.module, *(size for one, size in sizes.items() if _is_module(one))])


def _family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{one}/task"):
                found += map(int, Path(f"/proc/{one}/task/{task}/children").read_text().split())
    return found


def _mebibytes(pid: int) -> float:
    """The proportional set size: a page that several processes share counts once among them."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _is_module(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return _MODULE.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False
