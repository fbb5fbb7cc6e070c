# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""For services that limit the rate of requests: all requests wait as long as the service says, within bounds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError

LONGEST_WAIT = 900.0
"""Seconds that one request waits in all when the service limits the rate."""
_DEFAULT_WAIT = 60.0
"""Seconds to wait when it does not say how long."""
_SHORTEST_WAIT = 1.0
"""Seconds before the second try, whatever it says; twice as many before each further one, so the tries have a bound."""


class RateGate:
    """Keeps the requests of all threads back until the time that the service named."""

    def __init__(self, service: str, tell: Callable[[str], None]) -> None:
        """The gate is open.

        :param service: its name, for messages
        :param tell: called with a line for the user when the gate closes
        """
        self._service, self._tell = service, tell
        self._until = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait until requests may be sent."""
        while (seconds := self._until - time.monotonic()) > 0:
            time.sleep(seconds)

    def hold(self, zone: str, asked: float | None, waits: Sequence[float]) -> float:
        """Keep all requests back for as long as the service says.

        :param zone: what was asked about, for messages
        :param asked: seconds that it says, None when it says nothing
        :param waits: the seconds that the same request was kept back before
        :returns: the seconds
        :raises ProviderError: that would be too long
        """
        seconds = _DEFAULT_WAIT if asked is None else max(asked, _SHORTEST_WAIT * 2 ** len(waits))
        if sum(waits) + seconds > LONGEST_WAIT:
            raise ProviderError(
                f"{self._service}, zone {zone}: it limits the rate of requests and wants us to wait {seconds:.0f} "
                f"seconds; at most {LONGEST_WAIT:.0f} are waited for one request. "
                "Run again later, with fewer domains at once"
            )
        if self._close(seconds):
            self._tell(f"{self._service} limits the rate of requests: waiting {seconds:.0f} seconds, as it asks")
        return seconds

    def _close(self, seconds: float) -> bool:
        """Close for some seconds; False when it is closed for about as long already."""
        with self._lock:
            until = time.monotonic() + seconds
            later = until > self._until + 1
            self._until = max(self._until, until)
            return later
