# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Answers of APIs within bounds: the time-out of an HTTP library is for each piece of an answer, not for all of it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ansible_collections.mailroom.erp.plugins.module_utils.libraries import require

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes; a page of records, or what Graph says at once, is a small part of that."""
TIMES_ONE_WAIT = 10
"""How many times as long as the wait for one piece an answer may take in all."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class WholeAnswer:
    """An answer that was read to its end; names as ``requests.Response`` has them, for msal."""

    status_code: int
    reason: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as text, by UTF-8, which is what JSON is written in (RFC 8259 section 8.1)."""
        return self.content.decode("utf-8", "replace")


def whole_answer(send: Callable[[], Any], wait: float) -> WholeAnswer:
    """Send a request and read its answer to the end.

    :param send: sends it by requests with ``stream=True``, and returns the ``requests.Response``
    :param wait: how long one piece of the answer may take, in seconds
    :raises requests.RequestException: there was no answer, or no end of it
    """
    timeout = require("requests").exceptions.ReadTimeout

    def read() -> WholeAnswer:
        with send() as response:
            content = bytearray()
            for part in response.iter_content(1 << 16):
                content += part
                if len(content) > LARGEST_ANSWER:
                    raise timeout(f"the answer has more than {LARGEST_ANSWER} bytes")
            return WholeAnswer(response.status_code, response.reason, response.headers, bytes(content))

    try:
        return within(wait * TIMES_ONE_WAIT, read)
    except TimeoutError as error:
        raise timeout(str(error)) from None


def bound_httpx_answer(response: Any) -> None:
    """See that an answer is not read beyond :data:`LARGEST_ANSWER`; a hook of httpx, which calls it before it reads.

    :param response: an ``httpx.Response``, which reads its body by its own ``iter_bytes``
    :raises httpx.ReadError: it is packed in a way in which a few bytes can hold gigabytes
    """
    error = require("httpx").ReadError
    packed = response.headers.get("content-encoding", "identity").lower()
    if packed not in ("identity", "gzip", "deflate"):
        raise error("the answer is packed in a way that was not asked for")
    parts = response.iter_bytes

    def bounded(size: int | None = None) -> Iterator[bytes]:
        read = 0
        for part in parts(size):
            read += len(part)
            if read > LARGEST_ANSWER:
                raise error(f"the answer has more than {LARGEST_ANSWER} bytes")
            yield part

    response.iter_bytes = bounded


def within(seconds: float, work: Callable[[], _T]) -> _T:
    """Do something that asks an API, and give it up when it takes too long.

    The library cannot be stopped, so it works in a thread of its own, which is left behind.

    :param seconds: how long it may take
    :param work: what is done; what it raises is raised here
    :raises TimeoutError: it took longer
    """
    outcome: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put((True, work()))
        except BaseException as error:  # also what ends a thread: the one who waits is to know
            outcome.put((False, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        done, found = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"the answer had no end after {seconds:.0f} seconds") from None
    if not done:
        raise found
    result: _T = found
    return result
