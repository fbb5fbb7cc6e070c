# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of OData that the test tenant speaks: filters, chosen properties, pages, and errors in Graph's form."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailroom.erp.tests.servers.entra.directory import folded, now
from ansible_collections.mailroom.erp.tests.servers.entra.shapes import Json

MOST_CLAUSES = 15
"""Graph refuses a filter with more clauses joined by ``or``."""

_TEXT = r"'((?:[^']|'')*)'"
_EQ = re.compile(rf"(\w+) eq {_TEXT}")
_IN = re.compile(rf"(\w+) in \(({_TEXT}(?:, ?{_TEXT})*)\)")
_ANY = re.compile(rf"(\w+)/any\((\w):\2 eq {_TEXT}\)")


class GraphFault(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


def bad(message: str) -> GraphFault:
    return GraphFault(400, "Request_BadRequest", message)


def taken(message: str) -> GraphFault:
    return GraphFault(409, "Request_MultipleObjectsWithSameKeyValue", message)


def absent(name: str) -> GraphFault:
    message = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return GraphFault(404, "Request_ResourceNotFound", message)


def forbidden() -> GraphFault:
    return GraphFault(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def fault_body(fault: GraphFault, request_id: str, client_id: str) -> Json:
    inner = {"date": now()[:-1], "request-id": request_id, "client-request-id": client_id or str(uuid.uuid4())}
    return {"error": {"code": fault.code, "message": fault.message, "innerError": inner}}


def matches(text: str, one: Mapping[str, Any]) -> bool:
    """Whether an object fits a ``$filter``.

    :raises GraphFault: the filter is not one that the server understands, or has too many clauses
    """
    clauses = text.split(" or ")
    if len(clauses) > MOST_CLAUSES:
        message = (
            f"Too many child clauses specified in search filter expression containing 'OR' operators: {len(clauses)}."
        )
        raise bad(f"{message} Max allowed: {MOST_CLAUSES}.")
    return any(_clause(clause, one) for clause in clauses)


def _clause(text: str, one: Mapping[str, Any]) -> bool:
    if found := _EQ.fullmatch(text):
        return folded(one.get(found[1])) == _plain(found[2])
    if found := _ANY.fullmatch(text):
        return any(folded(value) == _plain(found[3]) for value in one.get(found[1]) or [])
    if found := _IN.fullmatch(text):
        values = re.findall(_TEXT, found[2])
        if len(values) > MOST_CLAUSES:
            raise bad(f"Too many child clauses specified in search filter expression: {len(values)}.")
        return folded(one.get(found[1])) in [_plain(value) for value in values]
    raise bad("Invalid filter clause")


def _plain(text: str) -> str:
    return text.replace("''", "'").casefold()


def chosen(one: Mapping[str, Any], query: Mapping[str, str], default: Sequence[str] = ()) -> Json:
    """The properties that were asked for with ``$select``; the id always.

    :param default: what is given without ``$select``; everything when empty
    """
    names = query["$select"].split(",") if "$select" in query else list(default)
    visible = {name: value for name, value in one.items() if not name.startswith("_")}
    if not names:
        return visible
    unknown = [name for name in names if name not in visible]
    if unknown:
        raise bad(f"Could not find a property named '{unknown[0]}'.")
    return {name: value for name, value in visible.items() if name in {"id", *names}}


def page(items: Sequence[Json], query: Mapping[str, str], size: int, url: str) -> Json:
    """One page of a collection, and the address of the next.

    :param url: the address that was asked for, without ``$skiptoken``
    """
    start = int(query.get("$skiptoken", "0"))
    end = start + size
    answer: Json = {"value": list(items[start:end])}
    if end < len(items):
        answer["@odata.nextLink"] = f"{url}{'&' if '?' in url else '?'}$skiptoken={end}"
    return answer
