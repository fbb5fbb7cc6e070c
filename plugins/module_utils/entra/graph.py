# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A small client of Microsoft Graph: typed errors, patience with throttling and with writes that take their time."""

from __future__ import annotations

import time
import urllib.parse
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import (
    GraphError,
    GraphObject,
    WrongGraphAnswer,
    page_of,
    read_graph_answer,
    said_by_graph,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.http import Http
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import require
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.retry_after import read_retry_after

Json = dict[str, Any]
Seen = TypeVar("Seen")

SEEN_IN_A_ROW = 5
"""How often a write must be seen before it counts as seen everywhere, as Terraform's azuread does it."""

_LONGEST_PAUSE, _LONGEST_LOOK = 16, 4
"""In poll intervals: between tries of a service that is tired, and of one that does not know yet what it has made."""
_MOST_TRIES = 1000
_MOST_PAGES = 10_000
"""Of one collection; a million objects."""
_BETA_ONLY = "roleManagement/exchange/"
"""The one part of Graph that is used although it is in beta alone: Microsoft may change it, and does not support it in
production [Microsoft Graph beta, Create unifiedRoleAssignment, read on 2026-11-29]."""


class AnswerLost(Exception):
    """A request that must not be sent twice got no answer; it may have been done or not."""


class NotSeen(Exception):
    """What was written is not seen yet; the message says what and for how long was waited."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How to wait, in seconds; ``sleep`` and ``clock`` are exchanged by tests."""

    timeout: float
    poll_interval: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


class Graph:
    """Microsoft Graph of one tenant, with one token: v1.0, and beta for the paths that are nowhere else."""

    def __init__(self, http: Http, url: str, token: str, pace: Pace) -> None:
        """Prepare; nothing is sent yet.

        :param url: without version, e.g. ``https://graph.microsoft.com``
        :raises MissingLibrary: requests is not installed
        """
        self._http, self._address, self._token, self.pace = http, url, token, pace
        self._no_answer: type[Exception] = require("requests").RequestException
        self.requests = 0
        """How many requests have been sent."""

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        """Read one object.

        :param path: below the version, keys quoted with :func:`odata_key`
        :param query: e.g. ``{"$select": "id"}``
        :raises GraphError: there is no such object, or it cannot be read
        """
        return self._json("GET", self._url(path, query))

    def find(self, path: str, query: Mapping[str, str] | None = None) -> Json | None:
        """Read one object, or None when there is none.

        :param path: below the version, keys quoted with :func:`odata_key`
        :param query: e.g. ``{"$select": "id"}``
        :raises GraphError: it cannot be read
        """
        try:
            return self.get(path, query)
        except GraphError as error:
            if error.status != 404:
                raise
            return None

    def get_all(self, path: str, query: Mapping[str, str] | None = None) -> list[Json]:
        """Read a whole collection, page by page.

        :param path: below the version, keys quoted with :func:`odata_key`
        :param query: e.g. a filter; all values are percent-encoded here
        :returns: the items of all pages
        :raises GraphError: a page cannot be read, or is said to be at another address than Graph's
        """
        items: list[Json] = []
        url, seen, request = self._url(path, query), set[str](), f"GET {path}"
        while url not in seen and len(seen) < _MOST_PAGES:
            seen.add(url)
            found, following = page_of(self._json("GET", url), request)
            items += found
            if following is None:
                return items
            if not following.startswith(self._root(path)):
                raise GraphError(request, 0, "ForeignAddress", "the next page is said to be at another address")
            url = following
        what = "a page is said to follow that was read before" if url in seen else f"more than {_MOST_PAGES} pages"
        raise WrongGraphAnswer(request, 200, what)

    def change(self, path: str, body: Json, *, fresh: bool = False, headers: Mapping[str, str] | None = None) -> Json:
        """PATCH an object.

        :param path: below the version, keys quoted with :func:`odata_key`
        :param body: the properties to set
        :param fresh: the object was made in this run, so that Graph may not know it everywhere yet
        :param headers: more headers of the request
        :returns: what Graph answers; empty for 204
        :raises GraphError: Graph refuses
        """
        return self._json("PATCH", self._url(path), body, fresh=fresh, headers=headers)

    def create(self, path: str, body: Json, *, fresh: bool = False) -> Json | None:
        """POST something that Graph allows only once, so that it can be sent again when the answer is lost.

        :param path: below the version, keys quoted with :func:`odata_key`
        :param body: the object
        :param fresh: what it refers to was made in this run, so that Graph may not know it everywhere yet
        :returns: the object, or None when it is there already
        :raises GraphError: Graph refuses
        """
        try:
            return self._json("POST", self._url(path), body, fresh=fresh)
        except GraphError as error:
            if not error.exists:
                raise
            return None

    def post(self, path: str, body: Json) -> Json:
        """POST something that does no harm when it is sent twice.

        :param path: below the version, keys quoted with :func:`odata_key`
        :param body: what the action takes
        :returns: what Graph answers; empty for 204
        :raises GraphError: Graph refuses
        """
        return self._json("POST", self._url(path), body)

    def post_once(self, path: str, body: Json, *, fresh: bool = False, needs: Sequence[str] = ()) -> Json:
        """POST something that would be done twice if it were sent twice.

        :param path: below the version, keys quoted with :func:`odata_key`
        :param body: what the action takes
        :param fresh: the object was made in this run, so that Graph may not know it everywhere yet
        :param needs: properties without which the answer is as good as none
        :returns: what Graph answers
        :raises AnswerLost: there was no answer, or none that can be used
        :raises GraphError: Graph refuses
        """
        try:
            answer = self._json("POST", self._url(path), body, fresh=fresh, once=True)
            for name in needs:
                if not isinstance(answer[name], str) or not answer[name]:
                    raise WrongGraphAnswer(f"POST {path}", 200, f"{name} is no text")
        except WrongGraphAnswer as wrong:
            raise AnswerLost(str(wrong)) from None
        return answer

    def remove(self, path: str) -> None:
        """DELETE an object; one that is gone already is no error.

        :param path: below the version, keys quoted with :func:`odata_key`
        :raises GraphError: Graph refuses
        """
        try:
            self._json("DELETE", self._url(path))
        except GraphError as error:
            if error.status != 404:
                raise

    def restore(self, object_id: str) -> None:
        """Bring a deleted object back; one that is back already is no error.

        :param object_id: of the deleted object
        :raises GraphError: Graph refuses
        """
        try:
            self.post(f"directory/deletedItems/{object_id}/restore", {})
        except GraphError as error:
            if error.status != 404:
                raise

    def address(self, path: str) -> str:
        """The whole address of an object, as references to it are written.

        :param path: below the version, keys quoted with :func:`odata_key`
        """
        return f"{self._root(path)}{path}"

    def until(self, what: str, look: Callable[[], Seen | None]) -> Seen:
        """Wait until something is seen once.

        :param what: for the message, e.g. ``the application erp``
        :param look: asks Graph once; gives None when it is not there
        :returns: what was seen
        :raises NotSeen: not within the timeout
        """
        deadline = self.pace.clock() + self.pace.timeout
        while (seen := look()) is None:
            self._pause(what, deadline)
        return seen

    def wait_for(self, what: str, look: Callable[[], bool]) -> None:
        """Wait until something is seen ``SEEN_IN_A_ROW`` times in a row.

        :param what: for the message, e.g. ``the application erp``
        :param look: asks Graph once
        :raises NotSeen: not within the timeout
        """
        seen = 0

        def look_again() -> bool | None:
            nonlocal seen
            seen = seen + 1 if look() else 0
            return True if seen == SEEN_IN_A_ROW else None

        self.until(what, look_again)

    def _pause(self, what: str, deadline: float) -> None:
        if self.pace.clock() >= deadline:
            raise NotSeen(f"{what}: written, but not seen everywhere after {self.pace.timeout:g} seconds. Run again.")
        self.pace.sleep(self.pace.poll_interval)

    def _json(
        self,
        method: str,
        url: str,
        body: Json | None = None,
        *,
        fresh: bool = False,
        once: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> GraphObject:
        deadline = self.pace.clock() + self.pace.timeout
        for attempt in range(_MOST_TRIES):
            try:
                answer = self._send(method, url, body, headers or {})
                if answer.status_code < 300:
                    return read_graph_answer(f"{method} {_path(url)}", answer.status_code, answer.content)
                error = _error(method, url, answer)
            except self._no_answer as reason:
                # Without its message, which may quote what was sent.
                error = GraphError(f"{method} {_path(url)}", 0, type(reason).__name__, "the connection failed")
            if once and error.unclear:
                raise AnswerLost(str(error)) from None
            pause = self._pause_after(error, attempt)
            last = attempt + 1 == _MOST_TRIES or self.pace.clock() + pause > deadline
            if last or not (error.passing or (fresh and error.lag)):
                raise error from None
            # What a request without an answer may have made is not known everywhere yet.
            fresh = fresh or (error.unclear and method != "GET")
            self.pace.sleep(pause)
        raise AssertionError("unreachable")

    def _pause_after(self, error: GraphError, attempt: int) -> float:
        """Seconds until the next try: what Graph asks for, else longer each time."""
        longest = _LONGEST_PAUSE if error.passing else _LONGEST_LOOK
        if error.retry_after is not None:
            return max(error.retry_after, self.pace.poll_interval)
        return float(self.pace.poll_interval * min(1 << min(attempt, 10), longest))

    def _send(self, method: str, url: str, body: Json | None, headers: Mapping[str, str]) -> Any:
        self.requests += 1
        # A cached or replayed request must never be taken for another one by the one who reads the logs.
        common = {"Authorization": f"Bearer {self._token}", "client-request-id": str(uuid.uuid4())}
        return self._http.request(method, url, json=body, headers={**common, **headers})

    def _url(self, path: str, query: Mapping[str, str] | None = None) -> str:
        text = urllib.parse.urlencode(query or {}, quote_via=urllib.parse.quote, safe="$,()/':")
        return f"{self._root(path)}{path}{'?' if text else ''}{text}"

    def _root(self, path: str) -> str:
        return f"{self._address}/{'beta' if path.startswith(_BETA_ONLY) else 'v1.0'}/"


def odata_key(value: str) -> str:
    """Quote a value for a path or a filter: apostrophes are doubled (OData 4.01, section 5.1.1.6.1).

    :param value: e.g. a unique name
    :returns: the value with its apostrophes, percent-encoded for a path
    """
    return urllib.parse.quote(odata_literal(value), safe="'")


def odata_literal(value: str) -> str:
    """Quote a value for a filter, which is encoded later, as part of the query.

    :param value: e.g. a display name
    :returns: the value between apostrophes, those in it doubled
    """
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def _error(method: str, url: str, answer: Any) -> GraphError:
    code, message = said_by_graph(answer.content)
    return GraphError(
        f"{method} {_path(url)}",
        answer.status_code,
        escape_controls(code or str(answer.reason))[:100],
        escape_controls(message or "no reason given")[:1000],
        escape_controls(str(answer.headers.get("request-id", "")))[:100],
        read_retry_after(answer.headers.get("Retry-After")),
    )


def _path(url: str) -> str:
    return urllib.parse.urlsplit(url).path
