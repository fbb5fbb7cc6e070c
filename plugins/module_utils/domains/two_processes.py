# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The same pure work for very many items, half of it in a second process: Python's threads share one core."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn, TypeVar

from ansible_collections.mailroom.erp.plugins.module_utils.domains.progress import Progress
from ansible_collections.mailroom.erp.plugins.module_utils.domains.threads import each

_In = TypeVar("_In")
_Out = TypeVar("_Out")

LEAST = 400
"""Items that are worth a fork: below, it gains less than a tenth of a second."""

_ROUND = 1000
"""Items for which one second process is made: it ends before it has a copy of much of what the first one holds."""

_PATIENCE = 30.0
"""Seconds that the second process may take beyond ten times what the first took for its half."""


def each_in_two(
    step: str, work: Callable[[_In], _Out], items: Sequence[_In], threads: int, progress: Progress
) -> list[_Out]:
    """Do some work for every item, the second half of very many in a process of its own where there is a core for it.

    What the second process does not bring, because it was killed or because the work raised there, is done here.

    :param step: what is done, for :class:`Progress`
    :param work: is pure: it changes nothing outside, and may ask the DNS over sockets that it opens itself. What it
        returns can be pickled
    :param threads: how many items are worked on at the same time; two processes share them
    :returns: the results in the order of the items
    :raises Exception: what the work raised first
    """
    add = progress.tally(step, len(items))
    counted = _counted(work, add)
    if not _is_worth_it(len(items)):
        return each(counted, items, threads)
    threads, bound, found = (threads + 1) // 2, _bound_to(os.getpid(), work), list[_Out]()
    while len(found) < len(items):
        start, end = len(found), min(len(found) + _ROUND, len(items))
        half = (start + end + 1) // 2
        with _Second(partial(each, bound, items[half:end], threads)) as second:
            began = time.monotonic()
            found += each(counted, items[start:half], threads)
            rest: list[_Out] | None = second.found(_PATIENCE + 10 * (time.monotonic() - began))
        if rest is None:
            progress.say(f"{step}: the second process ended before it was done, so the first does all that is left")
            return found + each(counted, items[half:], threads)
        found += rest
        add(len(rest))
    return found


def _counted(work: Callable[[_In], _Out], add: Callable[[int], None]) -> Callable[[_In], _Out]:
    def count(item: _In) -> _Out:
        result = work(item)
        add(1)
        return result

    return count


def _bound_to(first: int, work: Callable[[_In], _Out]) -> Callable[[_In], _Out]:
    """Work of the second process, which ends where the first has ended without being able to end it."""

    def do(item: _In) -> _Out:
        if os.getppid() != first:
            os._exit(1)
        return work(item)

    return do


def _is_worth_it(items: int) -> bool:
    """Whether to fork: for many items, on a second core, and while no other thread may hold a lock, which in the second
    process nobody would ever open."""
    return items >= LEAST and _cores() > 1 and threading.active_count() == 1


def _cores() -> int:
    """The cores that this process may use; where the system does not tell, it is not forked."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


class _Second:
    """A process that does one piece of work and hands the result back through a pipe that only the two have.

    :param work: what it does
    """

    def __init__(self, work: Callable[[], Any]) -> None:
        self._reading, writing = os.pipe()
        # What is there by now stays in pages that both share: a collection would write into the head of each object.
        gc.freeze()
        self._id = _fork()
        if self._id == 0:
            _work_and_exit(work, self._reading, writing)
        os.close(writing)

    def __enter__(self) -> _Second:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _at: object) -> None:
        """End the process in any case, also when this one is being cancelled."""
        os.close(self._reading)
        self._kill()
        if self._id is not None:
            with suppress(ChildProcessError):
                os.waitpid(self._id, 0)
        gc.unfreeze()

    def found(self, seconds: float) -> Any:
        """What it found.

        :param seconds: how long to wait for it
        :returns: None when it ended without
        """
        limit = threading.Timer(seconds, self._kill)
        limit.start()
        try:
            with os.fdopen(os.dup(self._reading), "rb") as pipe:
                return pickle.load(pipe)  # by our own process, in a pipe that has no name
        except (EOFError, pickle.UnpicklingError):
            return None
        finally:
            limit.cancel()
            limit.join()

    def _kill(self) -> None:
        if self._id is not None:
            with suppress(ProcessLookupError):
                os.kill(self._id, signal.SIGKILL)


def _fork() -> int | None:
    try:
        return os.fork()
    except OSError:  # no memory for it, or no more processes allowed
        return None


def _work_and_exit(work: Callable[[], Any], reading: int, writing: int) -> NoReturn:
    """What the second process does. It ends here whatever happens, and touches nothing else that the first has open."""
    try:
        os.close(reading)
        gc.disable()
        found = work()
        with os.fdopen(writing, "wb") as pipe:
            pickle.dump(found, pipe, pickle.HIGHEST_PROTOCOL)
    except BaseException:  # the first process finds nothing, does the same itself and tells what is wrong
        os._exit(1)
    os._exit(0)
