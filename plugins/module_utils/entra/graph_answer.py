# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The one door through which Microsoft Graph's answers come in: a property that is missing where it is needed, or of
another type than Graph documents, is an error that names the request and the property, never an exception of Python."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.json_answer import is_whole_text, json_object

_PATH_PART = re.compile(r"(?!\.)[A-Za-z0-9._~-]{1,256}", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})")

_TEXT = frozenset(
    {
        "appId",
        "appRoleId",
        "clientId",
        "consentType",
        "id",
        "keyId",
        "resourceAppId",
        "resourceId",
        "roleDefinitionId",
    }
)
_TEXT_OR_NULL = frozenset(
    {
        "@odata.type",
        "RecipientFilter",
        "appOwnerOrganizationId",
        "appScopeId",
        "description",
        "directoryScopeId",
        "displayName",
        "issuer",
        "mail",
        "maxLifetime",
        "name",
        "notes",
        "principalId",
        "restrictionType",
        "scope",
        "secretText",
        "state",
        "subject",
        "type",
        "uniqueName",
        "usage",
        "userPrincipalName",
        "userPurpose",
        "value",
    }
)
_TIMES = frozenset(
    {"createdDateTime", "deletedDateTime", "endDateTime", "restrictForAppsCreatedAfterDateTime", "startDateTime"}
)
_TRUTHS = frozenset({"Exclusive", "accountEnabled", "isEnabled", "isVerified", "mailEnabled"})
_OBJECTS = frozenset(
    {
        "appRoles",
        "keyCredentials",
        "oauth2PermissionScopes",
        "owners",
        "passwordCredentials",
        "requiredResourceAccess",
        "resourceAccess",
    }
)
_TEXTS = frozenset({"allowedMemberTypes", "audiences", "groupTypes", "proxyAddresses", "tags"})
_OBJECT = frozenset({"applicationRestrictions", "customAttributes", "restrictions", "verifiedPublisher"})
"""Properties by what Graph documents them as, whatever object they stand in; all others pass as they are."""


class GraphError(Exception):
    """Graph refused a request, cannot be reached, or gave an answer that is none.

    ``status`` is the HTTP status (0 when there was no answer), ``code`` and ``message`` are Graph's own,
    ``request_id`` is what Microsoft's support asks for, and ``retry_after`` the seconds that Graph asks to wait.
    """

    def __init__(
        self,
        request: str,
        status: int,
        code: str,
        message: str,
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        self.status, self.code, self.message = status, code, message
        self.request_id, self.retry_after = request_id, retry_after
        told = f" (request-id {request_id})" if request_id else ""
        super().__init__(f"Microsoft Graph, {request}: {status or 'no answer'} {code}: {message}{told}")

    @property
    def exists(self) -> bool:
        """Whether what was to be made is there already."""
        return self.status in (400, 409) and (
            self.code == "Request_MultipleObjectsWithSameKeyValue" or any(said in self.message for said in _EXISTS)
        )

    @property
    def unclear(self) -> bool:
        """Whether the request may have been done all the same."""
        return self.status == 0 or self.status in _TIRED

    @property
    def passing(self) -> bool:
        """Whether the same request may well succeed later."""
        return self.unclear or self.status == _THROTTLED or (self.status, self.code) == _CONCURRENT

    @property
    def lag(self) -> bool:
        """Whether this is what Graph says of an object that it has just made; 403 can be one [azuread #581]."""
        return self.status in (403, 404) or (self.status == 400 and _LAG in self.message)


_THROTTLED = 429
_TIRED = (500, 502, 503, 504)
_CONCURRENT = (409, "Directory_ConcurrencyViolation")
"""Two requests to one tenant at the same time; "please wait briefly and retry"."""
_LAG = "does not reference a valid application object"
_EXISTS = ("already exist", "already in use")


class WrongGraphAnswer(GraphError):
    """Graph said that it did it, in an answer that is not as Graph documents it."""

    def __init__(self, request: str, status: int, what: str) -> None:
        way_out = "Run again later. If it stays so, check tenant.graph_url and what stands between here and there"
        super().__init__(request, status, "WrongAnswer", f"the answer is not Graph's: {what}. {way_out}")


class GraphObject(dict[str, Any]):
    """An object of an answer: to read a property that is not there is an error of the answer.

    :param request: method and path, for the error
    """

    def __init__(self, request: str, properties: dict[str, Any]) -> None:
        super().__init__(properties)
        self._request = request

    def __missing__(self, name: str) -> Any:
        raise WrongGraphAnswer(self._request, 200, f"the property {name} is missing")


def read_graph_answer(request: str, status: int, content: bytes) -> GraphObject:
    """Read the body of an answer that Graph gave to something it did.

    :param request: method and path
    :param status: the HTTP status
    :param content: as it came; no body is an empty object
    :raises WrongGraphAnswer: it is no JSON object, or a property of it has another type than documented
    """
    if not content:
        return GraphObject(request, {})
    body = json_object(content)
    if body is None:
        raise WrongGraphAnswer(request, status, "it is no JSON object")
    reader = _Reader(request, status)
    if isinstance(body.get("value"), list):
        # A page; the same word means the name of a permission inside of objects.
        items = [reader.object(item, "value") for item in body.pop("value")]
        return GraphObject(request, {**body, "value": items})
    return reader.object(body, "the answer")


def page_of(answer: GraphObject, request: str) -> tuple[list[GraphObject], str | None]:
    """The items of a page, and the address of the next one.

    :param answer: as :func:`read_graph_answer` gives it
    :param request: method and path
    :raises WrongGraphAnswer: it is no page
    """
    items, following = answer["value"], answer.get("@odata.nextLink")
    if not isinstance(items, list):
        raise WrongGraphAnswer(request, 200, "value is no list")
    if following is not None and not (isinstance(following, str) and re.fullmatch(r"[!-~]+", following)):
        raise WrongGraphAnswer(request, 200, "@odata.nextLink is no address")
    return items, following


def graph_time(text: object) -> datetime.datetime | None:
    """Read a time; Graph writes up to seven digits of a second.

    :param text: e.g. 2026-01-02T03:04:05.1234567Z
    :returns: the time, with its zone; None when it is no time
    """
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        return None
    try:
        return datetime.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None


def said_by_graph(content: bytes) -> tuple[str | None, str | None]:
    """Code and message of an error; None for what is not there, or no text.

    :param content: the body as it came
    """
    said = (json_object(content) or {}).get("error")
    if not isinstance(said, dict):
        return None, None
    code, message = said.get("code"), said.get("message")
    return code if isinstance(code, str) else None, message if isinstance(message, str) else None


class _Reader:
    """Reads the objects of one answer."""

    def __init__(self, request: str, status: int) -> None:
        self._request, self._status = request, status
        self._ids_in_paths = not request.endswith("/domains")

    def object(self, value: Any, where: str) -> GraphObject:
        if not isinstance(value, dict):
            raise self._wrong(where, "no object")
        return GraphObject(self._request, dict(self._properties(value)))

    def _properties(self, value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, inner in value.items():
            if name in _OBJECTS:
                yield name, [self.object(one, name) for one in self._list(inner, name)]
            elif name in _OBJECT and inner is not None:
                yield name, self.object(inner, name)
            else:
                self._check(name, inner)
                yield name, [] if inner is None and name in _TEXTS else inner

    def _check(self, name: str, value: Any) -> None:
        if name in _TEXT or (name in _TEXT_OR_NULL and value is not None):
            if not isinstance(value, str) or not is_whole_text(value):
                raise self._wrong(name, "no text")
            if name == "id" and self._ids_in_paths and not _PATH_PART.fullmatch(value):
                raise self._wrong(name, "no identifier")
        elif name in _TIMES and value is not None and graph_time(value) is None:
            raise self._wrong(name, "no time")
        elif name in _TRUTHS and not isinstance(value, bool) and value is not None:
            raise self._wrong(name, "neither true nor false")
        elif name in _TEXTS and not all(isinstance(one, str) for one in self._list(value, name)):
            raise self._wrong(name, "no list of texts")

    def _list(self, value: Any, name: str) -> list[Any]:
        if value is not None and not isinstance(value, list):
            raise self._wrong(name, "no list")
        return value or []

    def _wrong(self, name: str, what: str) -> WrongGraphAnswer:
        return WrongGraphAnswer(self._request, self._status, f"{name} is {what}")
