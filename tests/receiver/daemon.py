# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program of the receiver: started in the foreground, its log kept, ready when its port takes connections."""

from __future__ import annotations

import abc
import contextlib
import socket
import subprocess
import time
from pathlib import Path
from typing import ClassVar

from ansible_collections.mailroom.erp.tests.servers.server import program
from ansible_collections.mailroom.erp.tests.servers.stoppable import Stoppable

_START_SECONDS = 15.0
LOG_CHARACTERS = 3000


class Daemon(Stoppable):
    """A running program; a context manager that stops it."""

    PROGRAM: ClassVar[str]
    PACKAGE: ClassVar[str]
    """Of Debian."""
    ADDRESS: ClassVar[tuple[str, int]]
    """Where it listens: address and port."""

    def __init__(self, folder: Path) -> None:
        """Configure and start the program, and wait until it listens.

        :param folder: made here; holds what the program reads and writes
        :raises RuntimeError: the program is not installed, or does not start; the message holds its log
        """
        self.folder = folder
        folder.mkdir(mode=0o755)
        path = program(self.PROGRAM, self.PACKAGE)
        self.configure()
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen([path, *self.command()], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._wait()

    @abc.abstractmethod
    def configure(self) -> None:
        """Write the configuration into the folder."""

    @abc.abstractmethod
    def command(self) -> list[str]:
        """The arguments that keep the program in the foreground, without its name."""

    def log(self) -> str:
        """The last that the program has written."""
        return (self.folder / "log").read_text(errors="replace")[-LOG_CHARACTERS:]

    def stop(self) -> None:
        """End the program at once; it has nothing to keep."""
        self._process.kill()
        self._process.wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not _listens(self.ADDRESS):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.PROGRAM} did not start:\n{self.log()}")
            time.sleep(0.05)


def _listens(address: tuple[str, int]) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(address, timeout=1):
        return True
    return False
