# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The same work for many items, done by a bounded number of threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

_In = TypeVar("_In")
_Out = TypeVar("_Out")


def each(work: Callable[[_In], _Out], items: Sequence[_In], threads: int) -> list[_Out]:
    """Do some work for every item.

    The threads take items from one queue; an executor's own map makes a future of every item, which for thousands of
    small items takes longer than the work.

    :param threads: how many items are worked on at the same time; a single one is this thread
    :returns: the results in the order of the items
    :raises Exception: what the work raised first; items that nobody has begun are left out then
    """
    if threads == 1:
        return [work(item) for item in items]
    results: dict[int, _Out] = {}
    waiting: SimpleQueue[int] = SimpleQueue()
    for number in range(len(items)):
        waiting.put(number)

    def take() -> None:
        while (number := _next(waiting)) is not None:
            results[number] = work(items[number])

    with ThreadPoolExecutor(threads, thread_name_prefix="item") as pool:
        futures = [pool.submit(take) for _thread in range(min(threads, len(items)))]
        try:
            for future in futures:
                future.result()
        finally:
            while _next(waiting) is not None:
                pass
    return [results[number] for number in range(len(items))]


def _next(waiting: SimpleQueue[int]) -> int | None:
    try:
        return waiting.get_nowait()
    except Empty:
        return None
