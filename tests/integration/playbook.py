# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a playbook as a user does: ansible-playbook in a process of its own, on files in a folder of the test."""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_STATS = "MAILROOM-STATS "
_STATS_CALLBACK = f'''
import json
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: test_stats
type: aggregate
short_description: The numbers of the recap as JSON
description: Prints one line.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "test_stats"

    def v2_playbook_on_stats(self, stats):
        numbers = {{host: stats.summarize(host) for host in stats.processed}}
        print("\\n" + {_STATS!r} + json.dumps(numbers, sort_keys=True), flush=True)
'''


_TIMEOUT = 600.0
"""Seconds that a run may take."""
_END_SECONDS = 30.0
LOCALHOST: dict[str, Any] = {"all": {"hosts": {"localhost": {"ansible_connection": "local"}}}}
"""An inventory of this machine alone."""
OUR_PYTHON = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
"""Variables: modules run with the Python that runs Ansible, which has the libraries."""
SHOW = {"name": "Show", "ansible.builtin.debug": {"var": "done"}}
"""A task that prints what :func:`module_task` registers."""


_NURSERY_IS_FREE = threading.Lock()


@dataclass(frozen=True, slots=True)
class Result:
    """One run: the exit code, all output (stdout and stderr), and the recap as {host: {changed, failures, ...}}."""

    rc: int
    output: str
    stats: dict[str, dict[str, int]]

    @property
    def changed(self) -> int:
        """How many tasks changed something, on all hosts together."""
        return sum(numbers["changed"] for numbers in self.stats.values())

    @property
    def diff(self) -> list[str]:
        """The lines of the differences that were printed."""
        return [line for line in self.output.splitlines() if line.startswith(("+", "-"))]

    @property
    def flat(self) -> str:
        """All output in one line, for words that Ansible may have wrapped."""
        return " ".join(self.output.split())

    @property
    def unbroken(self) -> str:
        """All output without blanks and ends of lines, for a secret that may stand there across lines."""
        return "".join(self.output.split())


def run_playbook(
    tmp_path: Path,
    playbook: str,
    inventory: Mapping[str, Any] | str,
    *args: str,
    environment: Mapping[str, str] | None = None,
) -> Result:
    """Run a playbook against an inventory.

    :param tmp_path: the folder of the test; the files are written into it, the run starts in it
    :param playbook: the text of a playbook, or the name of one of the collection, e.g. ``mailroom.erp.site``
    :param inventory: the text of an inventory in YAML, or the same as a dictionary
    :param args: more arguments of ansible-playbook, e.g. ``--check``
    :param environment: more environment variables
    :returns: what came of it; a failed run is a result too
    """
    text = inventory if isinstance(inventory, str) else json.dumps(inventory, indent=2)
    (tmp_path / "inventory.yml").write_text(text, encoding="utf-8")
    if "\n" in playbook:
        (tmp_path / "playbook.yml").write_text(playbook, encoding="utf-8")
        playbook = "playbook.yml"
    arguments = ["-i", "inventory.yml", playbook, *args]
    variables = _environment(tmp_path, environment or {})
    # Its own variables, those of Python and its file Ansible reads while it is loaded; a nursery has one run at a time.
    loads_anew = any(name != "PATH" for name in environment or {}) or (tmp_path / "ansible.cfg").exists()
    if loads_anew or not _NURSERY_IS_FREE.acquire(blocking=False):
        rc, output = _in_own_process(tmp_path, arguments, variables)
    else:
        with _released(_NURSERY_IS_FREE):
            rc, output = _in_copy(tmp_path, arguments, variables)
    lines = [line for line in output.splitlines() if line.startswith(_STATS)]
    stats = json.loads(lines[-1].removeprefix(_STATS)) if lines else {}
    return Result(rc, output, stats)


@contextmanager
def _released(lock: threading.Lock) -> Iterator[None]:
    try:
        yield
    finally:
        lock.release()


def _in_own_process(folder: Path, arguments: list[str], variables: dict[str, str]) -> tuple[int, str]:
    """Run the program itself; returns its exit code and its output."""
    done = subprocess.run(
        [own_program("ansible-playbook"), *arguments],
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=_TIMEOUT,
    )
    return done.returncode, done.stdout


def _in_copy(folder: Path, arguments: list[str], variables: dict[str, str]) -> tuple[int, str]:
    """The same by a copy of the process that has loaded the program, see ``playbook_nursery``."""
    nursery, output = _nursery(), folder / ".output"
    assert nursery.stdin is not None and nursery.stdout is not None
    order = {"arguments": arguments, "folder": str(folder), "home": variables["ANSIBLE_HOME"]}
    environment = {**variables, "MAILROOM_MODULE_NURSERY": _module_nursery()}
    nursery.stdin.write(json.dumps({**order, "environment": environment, "output": str(output)}) + "\n")
    nursery.stdin.flush()
    if not select.select([nursery.stdout], [], [], _TIMEOUT)[0]:
        os.killpg(nursery.pid, signal.SIGKILL)
        _nursery.cache_clear()
        raise subprocess.TimeoutExpired("ansible-playbook", _TIMEOUT, output.read_text(encoding="utf-8"))
    line = nursery.stdout.readline()
    if not line:
        # A test that kills the run may kill all that this process has started.
        _nursery.cache_clear()
        _module_nursery.cache_clear()
    rc = int(line) if line else nursery.wait()
    text = output.read_text(encoding="utf-8")
    output.unlink()
    return rc, text


@functools.cache
def _nursery() -> subprocess.Popen[str]:
    """Start the process that makes the copies; it ends with this one."""
    return _started("playbook_nursery.py")


@functools.cache
def _module_nursery() -> str:
    """Start the process that runs the modules of the copies, and return its socket, see ``module_nursery``."""
    folder = tempfile.mkdtemp(prefix="mailroom-modules-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    nursery = f"{folder}/socket"
    _started("module_nursery.py", nursery)
    return nursery


def _started(program: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a program of this folder in a folder of its own; it ends with this process, when its input does."""
    home = tempfile.mkdtemp(prefix="mailroom-nursery-")
    started = subprocess.Popen(
        [sys.executable, "-P", str(Path(__file__).with_name(program)), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=_environment(Path(home), {}),
        cwd=home,
        start_new_session=True,
    )
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    atexit.register(_end, started)
    return started


def _end(nursery: subprocess.Popen[str]) -> None:
    """End a program of ours, which does so when its input ends; nothing of it may hold up the end of the tests."""
    try:
        nursery.communicate(timeout=_END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(nursery.pid, signal.SIGKILL)


def run_play(
    tmp_path: Path,
    tasks: Sequence[Mapping[str, Any]],
    *args: str,
    inventory: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    **keywords: Any,
) -> Result:
    """Run a play of these tasks; unless told otherwise on this machine, with the Python that runs Ansible.

    :param keywords: more of the play, e.g. ``module_defaults``, or others in place of its own, e.g. ``hosts``
    :returns: as :func:`run_playbook`, which takes the other parameters
    """
    play = {"name": "Test", "hosts": "localhost", "gather_facts": False, "vars": OUR_PYTHON, "tasks": list(tasks)}
    text = yaml.safe_dump([{**play, **keywords}], sort_keys=False)
    return run_playbook(tmp_path, text, inventory or LOCALHOST, *args, environment=environment)


def module_task(module: str, register: str = "done", /, **options: Any) -> dict[str, Any]:
    """A task with a module of the collection.

    :param register: the variable that gets the result
    """
    return {"name": f"Do {module}", f"mailroom.erp.{module}": options, "register": register}


def keep(expression: str, file: Path) -> dict[str, Any]:
    """A task that writes a value into a file as JSON, in check mode too, and shows nothing of it."""
    kept = {"content": "{{ " + expression + " | to_json }}", "dest": str(file)}
    return {"name": "Keep the result", "keep_text": kept, "no_log": True}


def own_program(name: str) -> str:
    """A program of the virtual environment that runs the tests, e.g. ansible-playbook."""
    return str(Path(sys.executable).with_name(name))


def collections_path() -> str:
    """The folder that holds ``ansible_collections``: MAILROOM_COLLECTIONS, else the first of sys.path that has it."""
    named = os.environ.get("MAILROOM_COLLECTIONS")
    if named:
        return named
    part = Path("ansible_collections/mailroom/erp")
    return next(folder for folder in sys.path if (Path(folder) / part).is_dir())


def _environment(tmp_path: Path, more: Mapping[str, str]) -> dict[str, str]:
    plugins = tmp_path / ".callbacks"
    plugins.mkdir(exist_ok=True)
    (plugins / "test_stats.py").write_text(_STATS_CALLBACK, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return {
        **kept,
        "ANSIBLE_COLLECTIONS_PATH": collections_path(),
        "ANSIBLE_ACTION_PLUGINS": str(Path(__file__).with_name("action_plugins")),
        "ANSIBLE_CALLBACK_PLUGINS": str(plugins),
        "ANSIBLE_CALLBACKS_ENABLED": "test_stats",
        "ANSIBLE_HOME": str(tmp_path / ".ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_RETRY_FILES_ENABLED": "false",
        "XDG_STATE_HOME": str(tmp_path / ".state"),
        **more,
    }
