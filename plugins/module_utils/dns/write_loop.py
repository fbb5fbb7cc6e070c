# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One change of one zone, brought in between those of other writers: applied, read back, and planned again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Conflict, Provider, ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused

_ATTEMPTS = 200
_FRUITLESS = 5
"""Conflicts in a row that nobody's change explains."""
_PATIENCE = 60.0
"""Seconds that one zone may take to get its change in between those of other writers."""
_FEWEST = 5
"""Attempts that a zone has all the same: a service that limits the rate may use the seconds up by itself."""


class ZoneToWrite(Protocol):
    """The records of one zone that are to change together."""

    @property
    def provider(self) -> Provider:
        """The service that holds the zone."""

    @property
    def account(self) -> Mapping[str, Any]:
        """The option ``dns`` of that service."""

    @property
    def zone(self) -> str:
        """The apex."""

    @property
    def token(self) -> object:
        """The token of the last read."""

    @property
    def changes(self) -> list[Change]:
        """What is still to be done by the last plan; empty when all is as wanted."""

    def note_written(self) -> None:
        """Remember that the service has just accepted ``changes``."""

    def fail(self, reason: str) -> None:
        """Remember why the zone failed."""


class Recorder(Protocol):
    """Keeps what stood there before each write, and what became of the write; see ``snapshots.snapshot``."""

    def keep(self, account: Mapping[str, Any], zone: str, changes: Sequence[Change]) -> None:
        """Keep what is about to change.

        :raises Refused: it cannot be kept, so nothing may be written
        """

    def drop(self, account: Mapping[str, Any], zone: str) -> None:
        """Forget what was kept and then not written, because someone else was faster."""

    def applied(self, account: Mapping[str, Any], zone: str, changes: Sequence[Change]) -> None:
        """Note a write that was accepted.

        :raises Refused: it cannot be noted
        """

    def failed(self, account: Mapping[str, Any], zone: str, changes: Sequence[Change], reason: str) -> None:
        """Note why a zone failed.

        :raises Refused: it cannot be noted
        """


def write_zone(work: ZoneToWrite, replan: Callable[[], None], recorder: Recorder | None) -> None:
    """Settle a zone; see :func:`writing_zone`."""
    for _written in writing_zone(work, replan, recorder):
        pass


def writing_zone(work: ZoneToWrite, replan: Callable[[], None], recorder: Recorder | None) -> Iterator[None]:
    """Settle a zone; from the first write on, whatever goes wrong fails its own zone only.

    Yields after each write, before it is read back: who settles many zones may let a service look ahead there.

    :param work: the zone, read and planned, with at least one change
    :param replan: reads and plans ``work`` again
    :param recorder: is told before and after each write; None keeps nothing
    """
    try:
        yield from _settle(work, replan, recorder)
    except (ProviderError, Refused) as error:
        work.fail(_noted(work, recorder, str(error)))
    except Exception as error:
        # A fault of ours must not hide, but the journal has to say all the same what became of the zone.
        _noted(work, recorder, f"zone {work.zone}: {type(error).__name__}, a fault of mailroom.erp itself")
        raise


def _noted(work: ZoneToWrite, recorder: Recorder | None, reason: str) -> str:
    """Have a failure noted.

    :returns: the reason, with why it could not be noted, if so
    """
    if recorder is None:
        return reason
    try:
        recorder.failed(work.account, work.zone, work.changes, reason)
    except Refused as unwritable:
        return f"{reason}\n{unwritable}"
    return reason


def _settle(work: ZoneToWrite, replan: Callable[[], None], recorder: Recorder | None) -> Iterator[None]:
    """Apply, read back, and go round again while others write to the same records."""
    deadline = time.monotonic() + _PATIENCE
    fruitless = 0
    for attempt in range(_ATTEMPTS):
        tried, conflict = work.changes, _apply(work, recorder)
        if conflict:
            time.sleep(random.uniform(0, 0.01 * min(attempt + 1, 20)))
        yield
        replan()
        if not work.changes:
            return
        fruitless = fruitless + 1 if work.changes == tried else 0
        if fruitless and not conflict:
            raise ProviderError(
                f"zone {work.zone}: the service accepted the change but shows the old records; look at its log"
            )
        if conflict and fruitless >= _FRUITLESS:
            raise ProviderError(str(conflict))
        if time.monotonic() > deadline and attempt + 1 >= _FEWEST:
            break
    raise ProviderError(
        f"zone {work.zone}: other writers kept changing the same records for {attempt + 1} attempts; "
        "run it again when they are done"
    )


def _apply(work: ZoneToWrite, recorder: Recorder | None) -> Conflict | None:
    """Try once: keep, write, note. A conflict is given back, nothing was written then."""
    changes = work.changes
    if recorder is not None:
        recorder.keep(work.account, work.zone, changes)
    try:
        work.provider.apply(work.zone, changes, work.token)
    except Conflict as conflict:
        if recorder is not None:
            recorder.drop(work.account, work.zone)
        return conflict
    work.note_written()
    if recorder is not None:
        recorder.applied(work.account, work.zone, changes)
    return None
