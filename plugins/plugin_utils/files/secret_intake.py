# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The controller's end of the pipe through which a module hands over a new secret while it still runs."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

_END = b"\n"


class SecretIntake:
    """Reads a named pipe for as long as the context lasts, and stores what comes.

    :param path: of the pipe, which is made; only this user may enter its folder
    :param store: called from another thread with what has come: environment to ``found`` and ``secret``
    """

    def __init__(self, path: Path, store: Callable[[Mapping[str, Mapping[str, Any]]], object]) -> None:
        self._path, self._store = path, store
        self._thread = threading.Thread(target=self._take_all, name="secrets", daemon=True)

    def __enter__(self) -> SecretIntake:
        os.mkfifo(self._path, mode=0o600)
        # open for both, so that it does not end when the module does: the end comes from here
        self._pipe = os.open(self._path, os.O_RDWR)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Store what is still on its way, and close the pipe."""
        os.write(self._pipe, _END)
        self._thread.join()
        os.close(self._pipe)

    def _take_all(self) -> None:
        rest, ended = b"", False
        while not ended:
            *lines, rest = (rest + os.read(self._pipe, 1 << 16)).split(b"\n")
            ended = b"" in lines
            for line in filter(None, lines):
                # what goes wrong shows when all is stored in the end; a pipe that nobody empties would stop the module
                with contextlib.suppress(Exception):
                    one = json.loads(line)
                    self._store({one["environment"]: one})
