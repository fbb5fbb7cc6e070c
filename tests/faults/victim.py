# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the real engine that end at a chosen I/O step, each in a process of its own.

For each line of JSON, ``{"params": ..., "kill_at": number}``, a process does what the parameters of ``mail_domains``
ask for, counts each thing that it asks of the operating system, and kills itself (SIGKILL) just before that number.
Prints ``{"outcome": ..., "steps": [...], "signal": ...}``: the outcome is null when it was killed, the steps are what
it did or was about to do.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import IO, Any

import dns.query
from ansible_collections.mailroom.erp.plugins.module_utils import atomic_file
from ansible_collections.mailroom.erp.plugins.module_utils.dns import zone_lock
from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages import question_batch
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136 import name_server
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.transip import transip_provider
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot import Snapshot
from httpcore._backends.sync import SyncStream

_AUDITED = ("open", "os.", "fcntl.", "socket.connect", "socket.sendto", "tempfile.")
"""Events of ``sys.audit``, which come before the call. Writing, syncing and the network's rest are wrapped below."""

_WRAPPED = ("fsync", "write", "close", "fstat", "stat")


class Counter:
    """Counts the steps of this process, tells each on a pipe, and ends the process before the last one."""

    def __init__(self, kill_at: int, pipe: int) -> None:
        self._numbers = itertools.count(1)
        self._kill_at = kill_at
        self._tell = os.write
        self._pipe = pipe

    def step(self, name: str) -> None:
        self._tell(self._pipe, f"{name}\n".encode())
        if next(self._numbers) == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """Count from now on."""
        for name in _WRAPPED:
            setattr(os, name, self._counted(f"os.{name}", getattr(os, name)))
        counter = self

        class Socket(socket.socket):
            def send(self, *args: Any) -> int:
                counter.step("send")
                return super().send(*args)

            def sendall(self, *args: Any) -> None:
                counter.step("sendall")
                super().sendall(*args)

            def recv(self, *args: Any) -> bytes:
                counter.step("recv")
                return super().recv(*args)

            def recvfrom(self, *args: Any) -> Any:
                counter.step("recvfrom")
                return super().recvfrom(*args)

            def close(self) -> None:
                counter.step("close")
                super().close()

        for place in (question_batch, name_server):
            vars(place)["socket"] = SimpleNamespace(**{**vars(socket), "socket": Socket})
        dns.query.socket_factory = Socket
        for name in ("read", "write"):
            setattr(SyncStream, name, self._counted(f"http.{name}", getattr(SyncStream, name)))
        for name in ("send", "getresponse"):
            setattr(HTTPConnection, name, self._counted(f"requests.{name}", getattr(HTTPConnection, name)))
        atomic_file.open = self._open  # type: ignore[attr-defined]
        sys.addaudithook(self._audit)

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if event.startswith(_AUDITED) and event != "os.kill":
            self.step(event)

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.step(name)
            return real(*args, **kwargs)

        return call

    def _open(self, file: Any, mode: str = "r", **kwargs: Any) -> IO[Any]:
        opened = open(file, mode, **kwargs)  # noqa: SIM115
        return opened if mode != "wb" else Halting(opened, self)  # type: ignore[return-value]


class Halting:
    """A file whose writes may end half-way."""

    def __init__(self, file: IO[Any], counter: Counter) -> None:
        self._file, self._counter = file, counter

    def write(self, data: bytes) -> int:
        half = len(data) // 2
        for part in (data[:half], data[half:]):
            self._counter.step("write")
            self._file.write(part)
            self._file.flush()
        return len(data)

    def flush(self) -> None:
        self._counter.step("flush")
        self._file.flush()

    def __enter__(self) -> Halting:
        return self

    def __exit__(self, *_error: object) -> None:
        self._counter.step("file.close")
        self._file.close()


def work(params: dict[str, Any]) -> dict[str, Any]:
    """Do what the parameters ask for, one zone at a time so that the steps come in the same order each time.

    :returns: ``changed`` and ``failure``, the first or null
    """
    os.environ["XDG_STATE_HOME"] = params["snapshot_dir"]
    snapshot = Snapshot(params["snapshot_dir"], "a test")
    try:
        outcomes = Run(read_order(params), params.get("resolver"), concurrency=1, snapshot=snapshot).execute(write=True)
    except (Refused, ProviderError) as error:
        return {"changed": False, "failure": str(error)}
    failures = [outcome.failure for outcome in outcomes if outcome.failure]
    return {"changed": any(outcome.changed for outcome in outcomes), "failure": failures[0] if failures else None}


def victim(params: dict[str, Any], kill_at: int) -> dict[str, Any]:
    """Let a process do it, and see what becomes of it."""
    (steps, told), (result, give) = os.pipe(), os.pipe()
    if child := os.fork():
        os.close(told)
        os.close(give)
        with open(steps) as said, open(result) as given:
            report = {"steps": said.read().splitlines(), "outcome": json.loads(given.read() or "null")}
        _pid, status = os.waitpid(child, 0)
        return {**report, "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0}
    real_write = os.write
    try:
        Counter(kill_at, told).install()
        real_write(give, json.dumps(work(params)).encode())
    except BaseException:
        traceback.print_exc()
    os._exit(0)


def main() -> None:
    # What a run would load only when it is at work.
    open_provider({"provider": "rfc2136", "server": "localhost", "port": 53, "timeout": 1})
    open_provider({"provider": "transip", "login": "nobody", "token": "of-nobody"})
    for module in ("cloudflare.resources.dns", "cloudflare.resources.zones", "octodns_bind", "octodns_powerdns"):
        importlib.import_module(module)
    # There is no other controller, whose writes could be on their way.
    zone_lock.OTHERS_SECONDS = 0.0
    setattr(transip_provider, "TRANSIP_PAUSE", 0.0)  # noqa: B010
    for line in sys.stdin:
        print(json.dumps(victim(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
