# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that has loaded what the modules import, and makes a copy of itself for each module that a task runs.

Loading takes more processor time than most modules. ``local_module`` starts ``module_client`` where it would start
``module_launcher``; the copy gets its files, variables and folder, and runs the launcher. Nothing of Ansible's
controller is loaded here, as it is not where a module runs. A task that changes where Python looks for libraries gets
the launcher itself. Its only argument is the path of the socket that clients connect to.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import marshal
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from types import ModuleType

_COLLECTION = Path(__file__).parents[2]
_LAUNCHER = _COLLECTION / "plugins" / "plugin_utils" / "running" / "module_launcher.py"
_PLUGINS = "ansible_collections.mailroom.erp.plugins"
_USED = (
    f"{_PLUGINS}.module_utils.dns.providers.rfc2136.rfc2136_provider",
    f"{_PLUGINS}.module_utils.dns.providers.zonefile.zonefile_provider",
    f"{_PLUGINS}.module_utils.mail_test.graph_submission",
    f"{_PLUGINS}.module_utils.mail_test.smtp_submission",
    "dns.resolver",
    "msal",
)
"""What modules import when they are at work; the rest is loaded in each copy that needs it."""


def load() -> ModuleType:
    """Load what modules import; returns the launcher."""
    spec = importlib.util.spec_from_file_location("module_launcher", _LAUNCHER)
    assert spec is not None and spec.loader is not None
    launcher = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(launcher)
    launcher._bind_collection(_COLLECTION)
    for file in sorted((_COLLECTION / "plugins" / "modules").glob("*.py")):
        name = f"{_PLUGINS}.modules.{file.stem}"
        importlib.import_module(name)
        # Each copy runs it as the program.
        del sys.modules[name]
    for name in _USED:
        importlib.import_module(name)
    return launcher


def take(client: socket.socket) -> tuple[str, str, dict[str, str]]:
    """Take the client's files for this process's own; returns the module's name, its folder and its variables."""
    size, files, _flags, _address = socket.recv_fds(client, 4, 3)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    order = b""
    while len(order) < int.from_bytes(size, "big"):
        order += client.recv(1 << 20)
    taken: tuple[str, str, dict[str, str]] = marshal.loads(order)
    return taken


def become(launcher: ModuleType, name: str, folder: str, environment: dict[str, str]) -> None:
    """Be the program that runs a module; ends as it does."""
    os.chdir(folder)
    if environment.get("PYTHONPATH") != os.environ.get("PYTHONPATH"):
        os.execve(sys.executable, [sys.executable, "-P", str(_LAUNCHER), name], environment)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = [str(_LAUNCHER), name]
    launcher.main()


def keep(client: socket.socket, module: int) -> None:
    """Wait for the end of a module and tell its client; a client that is gone takes the module with it."""
    for number in range(3):
        os.close(number)
    ready = select.select([os.pidfd_open(module), client.fileno()], [], [])[0]
    if client.fileno() in ready:
        with contextlib.suppress(ProcessLookupError):
            os.kill(module, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(module, 0)[1])
    with contextlib.suppress(OSError):
        # As a shell says it of a program that a signal has ended.
        client.send(bytes([code if code >= 0 else 128 - code]))
    os._exit(0)


def main() -> None:
    """Serve clients, several at a time, for as long as the standard input is open."""
    launcher = load()
    gc.freeze()
    server = socket.socket(socket.AF_UNIX)
    server.bind(sys.argv[1])
    server.listen(64)
    while True:
        ready = select.select([server.fileno(), 0], [], [])[0]
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if 0 in ready:
            return
        client, _address = server.accept()
        if os.fork() == 0:
            server.close()
            order = take(client)
            if module := os.fork():
                keep(client, module)
            client.close()
            become(launcher, *order)
        client.close()


if __name__ == "__main__":
    main()
