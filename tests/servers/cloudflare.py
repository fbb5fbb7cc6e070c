# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Cloudflare API that keeps what it is told, over real HTTP, with faults on demand.

It is held against clients that nobody here wrote in ``tests/unit/dns/providers/test_cloudflare_server.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import dns.rdata
from ansible_collections.mailroom.erp.tests.servers.cloudflare_state import PARTS, Refusal, Zone, matches, zone_of
from ansible_collections.mailroom.erp.tests.servers.faulty_api import Answer, FaultyApi, Query

TOKEN = "test-token-of-the-cloudflare-server-0123"
"""May read and edit every zone."""

_MOST_ZONES = 50
"""On one page."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a token may do: see and edit some zones, or all (None)."""

    zones: Collection[str] | None = None
    write: bool = True


class Cloudflare(FaultyApi):
    """The running server; a context manager that stops it."""

    ROOT = "/client/v4"

    def __init__(self, zones: Mapping[str, str], *, most_records: int = 5_000_000, **options: int) -> None:
        """Start it.

        :param zones: apex to master file
        :param most_records: on one page, whatever is asked for
        :param options: of :class:`Zone`
        """
        self.zones = {name: zone_of(name, text, **options) for name, text in zones.items()}
        self.tokens: dict[str, Access] = {TOKEN: Access()}
        self._most_records = most_records
        super().__init__()

    @property
    def dns_option(self) -> dict[str, Any]:
        """The option ``dns`` for this server, with the defaults that a module fills in."""
        return {"provider": "cloudflare", "api_token": TOKEN, "base_url": self.base_url, "timeout": 10.0}

    def zone(self, name: str) -> Zone:
        """The zone that holds a name."""
        return next(self.zones[zone] for zone in sorted(self.zones, key=len)[::-1] if f".{name}".endswith(f".{zone}"))

    def records(self, name: str, rdtype: str) -> list[dict[str, Any]]:
        """The records of one name and type, as the API shows them."""
        found = list(self.zone(name).records.values())
        return [one for one in found if (one["name"], one["type"]) == (name, rdtype)]

    def values(self, name: str, rdtype: str) -> list[str]:
        """What the world gets, in presentation format, sorted."""
        texts = [_presented(one) for one in self.records(name, rdtype)]
        return sorted(
            dns.rdata.from_text("IN", rdtype, text, origin=dns.name.root, relativize=False).to_text() for text in texts
        )

    def ttl(self, name: str, rdtype: str) -> int:
        """The one TTL of an RRset, in seconds."""
        (ttl,) = {int(one["ttl"]) for one in self.records(name, rdtype)}
        return ttl

    def serial(self, zone: str) -> int:
        """How often the zone was written."""
        return self.zones[zone].serial

    def write(self, zone: str, **parts: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
        """Change a zone as somebody else would, by the parts of a batch."""
        with self._lock:
            return self.zones[zone].do(**parts)

    def shown(self, path: str) -> str:
        """Without the zone's identifier."""
        return re.sub("[0-9a-f]{32}", "*", path)

    def limited(self, seconds: float) -> Answer:
        text = "More than 1200 requests per 300 seconds reached. Please wait and consider throttling your request speed"
        return refused(Refusal(429, 10100, text), {"retry-after": str(int(-(-seconds // 1)))})

    def broken(self) -> Answer:
        return refused(Refusal(500, 10013, "An unknown error occurred"))

    def handle(self, method: str, path: str, query: Query, headers: Mapping[str, str], data: bytes) -> Answer:
        return self.answer(method, path, query, headers.get("authorization", ""), json.loads(data or b"{}"))

    def answer(self, method: str, path: str, query: Query, header: str, body: Mapping[str, Any]) -> Answer:
        """Do a request."""
        self.before(method, path, query)
        try:
            access = self._access(header)
            with self._lock:
                return self._route(method, path, query, access, body)
        except Refusal as refusal:
            return refused(refusal)

    def _access(self, header: str) -> Access:
        scheme, _blank, token = header.partition(" ")
        if scheme != "Bearer" or len(token) < 20:
            chain = ((6111, "Invalid format for Authorization header"),)
            raise Refusal(400, 6003, "Invalid request headers", chain)
        if token not in self.tokens:
            raise Refusal(403, 9109, "Invalid access token")
        return self.tokens[token]

    def _route(self, method: str, path: str, query: Query, access: Access, body: Mapping[str, Any]) -> Answer:
        visible = [one for one in self.zones.values() if access.zones is None or one.name in access.zones]
        if (method, path) == ("GET", "/zones"):
            return self._list_zones(visible, query)
        parts = path.split("/")[1:]
        zone = next((one for one in self.zones.values() if len(parts) > 2 and one.id == parts[1]), None)
        if zone is None or parts[0] != "zones" or parts[2] not in ("dns_records", "pagerules"):
            text = f"Could not route to {path}, perhaps your object identifier is invalid?"
            raise Refusal(404, 7003, text)
        if zone not in visible or (method != "GET" and not access.write):
            raise Refusal(403, 10000, "Authentication error")
        if parts[2] == "pagerules":
            return _done([])
        return self._records(method, zone, parts[3:], query, body)

    def _list_zones(self, visible: list[Zone], query: Query) -> Answer:
        found = sorted((one for one in visible if query.get("name", one.name) == one.name), key=lambda one: one.name)
        if not 5 <= int(query.get("per_page", 20)) <= _MOST_ZONES:
            raise Refusal(400, 1068, "Invalid per_page")
        return _page([one.answer() for one in found], query, 20, _MOST_ZONES, len(visible))

    def _records(self, method: str, zone: Zone, rest: list[str], query: Query, body: Mapping[str, Any]) -> Answer:
        if method == "GET" and not rest:
            found = [one for one in zone.records.values() if matches(one, query)]
            found.sort(key=lambda one: str(one[query.get("order", "type")]), reverse=query.get("direction") == "desc")
            return _page(found, query, 100, self._most_records, len(zone.records))
        if method == "GET" and rest[0] in zone.records:
            return _done(zone.records[rest[0]])
        if (method, rest) == ("POST", ["batch"]):
            return _done(zone.do(**{part: list(body.get(part) or ()) for part in PARTS}))
        part = {"POST": "posts", "PUT": "puts", "PATCH": "patches", "DELETE": "deletes"}.get(method)
        if part is None or (method == "POST") == bool(rest):
            raise Refusal(405, 10405, "Method not allowed for this endpoint.")
        (record,) = zone.do(**{part: [{**body, "id": rest[0]} if rest else dict(body)]})[part]
        return _done({"id": record["id"]} if method == "DELETE" else record)


def refused(refusal: Refusal, headers: Mapping[str, str] | None = None) -> Answer:
    body = {"success": False, "errors": refusal.errors, "messages": [], "result": None}
    return Answer(refusal.status, body, headers or {})


def _done(result: object) -> Answer:
    return Answer(200, {"success": True, "errors": [], "messages": [], "result": result}, {})


def _page(found: list[dict[str, Any]], query: Query, default: int, most: int, total: int) -> Answer:
    """One page. ``total_count`` does not heed the filters, as the API's description has it."""
    size = min(int(query.get("per_page", default)), most)
    number = int(query.get("page", 1))
    start, end = (number - 1) * size, number * size
    part = found[start:end]
    info = {"page": number, "per_page": size, "count": len(part), "total_count": total}
    answer = _done(part)
    answer.body["result_info"] = {**info, "total_pages": -(-len(found) // size)}
    return answer


def _presented(record: Mapping[str, Any]) -> str:
    if record["type"] == "MX":
        return f"{record['priority']} {record['content']}"
    return _quoted(record["content"]) if record["type"] == "TXT" else str(record["content"])


def _quoted(content: str) -> str:
    """TXT that a client wrote without quotes is served as one string."""
    if content.startswith('"'):
        return content
    return '"' + content.replace("\\", "\\\\").replace('"', '\\"') + '"'
