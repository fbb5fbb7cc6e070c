# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many controllers at once, and somebody who watches the record all the while."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.servers.cloudflare import Cloudflare
from ansible_collections.mailroom.erp.tests.servers.stoppable import Stoppable
from ansible_collections.mailroom.erp.tests.servers.transip import Transip

_WORKER = str(Path(__file__).with_name("worker.py"))

Look = Callable[[], list[str]]
"""Gives the TXT data at the name as the world sees them, in presentation format."""


class Crowd(Stoppable):
    """Processes that wait for each other and then all start at once."""

    def __init__(self, orders: Iterable[dict[str, Any]]) -> None:
        """Start a process for each set of parameters of ``mail_domains``, and wait until all are ready."""
        pipe = subprocess.PIPE
        self._nursery = subprocess.Popen([sys.executable, _WORKER], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        assert self._nursery.stdin is not None and self._nursery.stdout is not None
        self._nursery.stdin.write(json.dumps(list(orders)) + "\n")
        self._nursery.stdin.flush()
        assert self._nursery.stdout.readline() == "ready\n", self._nursery.communicate()[1]

    def go(self, timeout: float) -> list[dict[str, Any]]:
        """Let all start, and wait for the end of all.

        :param timeout: seconds
        :returns: what each of them said
        :raises subprocess.TimeoutExpired: they took longer
        """
        out, err = self._nursery.communicate("go\n", timeout)
        assert not err, err
        results: list[dict[str, Any]] = json.loads(out)
        return results

    def stop(self) -> None:
        """End those that have not ended by themselves."""
        if self._nursery.poll() is None:
            self._nursery.kill()
            self._nursery.communicate()


class TextWatcher(Stoppable):
    """Looks as fast as it can from the start, and keeps what it must never see."""

    def __init__(self, look: Look, foreign: Sequence[str]) -> None:
        """Watch the TXT data at one name.

        :param foreign: the data that nobody may touch
        """
        self.looks = 0
        self.wrong: list[str] = []
        self.versions: list[str] = []
        self._look, self._foreign = look, sorted(foreign)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.is_set():
            try:
                self._judge(self._look())
            except Exception as error:
                self.wrong.append(f"{type(error).__name__}: {error}")
            self.looks += 1

    def _judge(self, texts: list[str]) -> None:
        records = [text for text in texts if text.startswith('"v=spf1')]
        if len(records) != 1 or sorted(set(texts) - set(records)) != self._foreign:
            self.wrong.append(" ".join(texts) or "nothing")
        elif not self.versions or self.versions[-1] != records[0]:
            self.versions.append(records[0])

    def stop(self) -> None:
        """Look no more."""
        self._done.set()
        self._thread.join(30)


def look_in_process(server: Cloudflare | Transip, name: str) -> list[str]:
    """Look at a server that works in this process, and leave it time to."""
    time.sleep(0.002)
    return server.values(name, "TXT")
