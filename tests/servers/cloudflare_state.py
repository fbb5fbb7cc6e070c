# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Cloudflare test server keeps: zones and records, by the rules of developers.cloudflare.com/api (2026)."""

from __future__ import annotations

import hashlib
import ipaddress
import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import dns.rdatatype
import dns.zone

Record = dict[str, Any]

PARTS = ("deletes", "patches", "puts", "posts")
"""The parts of a batch, in the order in which they are done."""
MOST_CHANGES = 200
"""Of one batch, on the free plan."""

_TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT")
_PROXIABLE = ("A", "AAAA", "CNAME")
_ADDRESSES = ("A", "AAAA")
_GIVEN = ("name", "type", "content", "ttl", "proxied", "comment", "tags", "settings", "priority", "data")


class Refusal(Exception):
    """What the API answers instead of doing it."""

    def __init__(self, status: int, code: int, message: str, chain: tuple[tuple[int, str], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.errors: list[dict[str, Any]] = [{"code": code, "message": message}]
        if chain:
            self.errors[0]["error_chain"] = [{"code": inner, "message": text} for inner, text in chain]


class Zone:
    """One zone and its records by identifier. ``serial`` counts the writes that changed something."""

    def __init__(self, name: str, name_servers: list[str], tag_quota: int = 0, least_ttl: int = 60) -> None:
        self.name, self.name_servers = name, name_servers
        self.id = hashlib.sha256(name.encode()).hexdigest()[:32]
        self.status = "active"
        self.records: dict[str, Record] = {}
        self.serial = 1
        self._tag_quota, self._least_ttl = tag_quota, least_ttl
        self._numbers = itertools.count(1)

    def do(self, **parts: list[Record]) -> dict[str, list[Record]]:
        """Do a batch: all of it, or nothing.

        :raises Refusal: one of the changes cannot be made
        """
        if sum(len(part) for part in parts.values()) > MOST_CHANGES:
            raise Refusal(400, 9213, f"A batch has at most {MOST_CHANGES} changes.")
        records = dict(self.records)
        done: dict[str, list[Record]] = {}
        for part in PARTS:
            step: Callable[[dict[str, Record], Record], Record] = getattr(self, f"_{part}")
            done[part] = [step(records, change) for change in parts.get(part) or ()]
        self.records = records
        self.serial += 1
        return done

    def answer(self) -> dict[str, Any]:
        """The zone as the API shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "paused": False,
            "type": "full",
            "development_mode": 0,
            "name_servers": self.name_servers,
            "original_name_servers": None,
            "original_registrar": None,
            "original_dnshost": None,
            "modified_on": _STAMP,
            "created_on": _STAMP,
            "activated_on": _STAMP,
            "meta": {"step": 2, "custom_certificate_quota": 0, "page_rule_quota": 3, "phishing_detected": False},
            "owner": {"id": "e" * 32, "type": "user", "name": "A customer"},
            "account": {"id": "a" * 32, "name": "A customer"},
            "permissions": ["#dns_records:edit", "#dns_records:read", "#zone:read"],
            "plan": {"id": "f" * 32, "name": "Free Website", "price": 0, "currency": "USD", "legacy_id": "free"},
        }

    def _deletes(self, records: dict[str, Record], change: Record) -> Record:
        return records.pop(self._existing(records, change)["id"])

    def _patches(self, records: dict[str, Record], change: Record) -> Record:
        old = self._existing(records, change)
        return self._put(records, {**{key: old[key] for key in _GIVEN if key in old}, **_given(change)}, old)

    def _puts(self, records: dict[str, Record], change: Record) -> Record:
        return self._put(records, _given(change), self._existing(records, change))

    def _posts(self, records: dict[str, Record], change: Record) -> Record:
        return self._put(records, _given(change), None)

    def _existing(self, records: dict[str, Record], change: Record) -> Record:
        if change.get("id") not in records:
            raise Refusal(404, 81044, "Record does not exist.")
        return records[change["id"]]

    def _put(self, records: dict[str, Record], wish: Record, old: Record | None) -> Record:
        record = self._checked(wish)
        identifier = (
            old["id"] if old else hashlib.sha256(f"{self.name} {next(self._numbers)}".encode()).hexdigest()[:32]
        )
        name = record["name"]
        beside = [one for one in records.values() if one["name"] == name and one["id"] != identifier]
        _check_neighbours(record, beside)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        record |= {"id": identifier, "created_on": old["created_on"] if old else now, "modified_on": now}
        records[identifier] = record
        return record

    def _checked(self, wish: Record) -> Record:
        """A valid record, with the defaults of what was not given."""
        rdtype, ttl, content = wish.get("type"), wish.get("ttl", 1), wish.get("content")
        if rdtype not in _TYPES:
            raise Refusal(400, 9000, f"DNS record type {rdtype} is invalid.")
        proxied = bool(wish.get("proxied"))
        if proxied and rdtype not in _PROXIABLE:
            raise Refusal(400, 9004, "This record type cannot be proxied.")
        if ttl != 1 and not self._least_ttl <= ttl <= 86400:
            text = f"Invalid TTL. Must be between {self._least_ttl} and 86400 seconds, or 1 for Automatic."
            raise Refusal(400, 1004, "DNS Validation Error", ((9021, text),))
        if len(tags := list(wish.get("tags") or ())) > self._tag_quota:
            raise Refusal(400, 9300, f"DNS record has {len(tags)} tags, exceeding the quota of {self._tag_quota}.")
        record: Record = {
            "name": self._owner(wish.get("name")),
            "type": rdtype,
            "content": _content(rdtype, content),
            "proxiable": rdtype in _PROXIABLE,
            "proxied": proxied,
            "ttl": 1 if proxied else ttl,
            "settings": {} if proxied else dict(wish.get("settings") or {}),
            "meta": {},
            "comment": wish.get("comment"),
            "tags": tags,
        }
        record |= {key: wish[key] for key in ("priority", "data") if key in wish}
        return record

    def _owner(self, name: object) -> str:
        if not isinstance(name, str) or not name:
            raise Refusal(400, 9000, "DNS name is invalid.")
        owner = self.name if name == "@" else name.lower().removesuffix(".")
        return owner if f".{owner}".endswith(f".{self.name}") else f"{owner}.{self.name}"


def zone_of(name: str, text: str, **options: int) -> Zone:
    """Make a zone from a master file; its NS records at the apex are the name servers that Cloudflare assigned."""
    parsed = dns.zone.from_text(text, name, relativize=False)
    apex = dns.name.from_text(name)
    servers = sorted(rdata.target.to_text(omit_final_dot=True) for rdata in parsed.get_rdataset(apex, "NS") or ())
    zone, records = Zone(name, servers, **options), []
    for owner, rdataset in parsed.iterate_rdatasets():
        rdtype = dns.rdatatype.to_text(rdataset.rdtype)
        if rdtype != "SOA" and (owner, rdtype) != (apex, "NS"):
            head = {"name": owner.to_text(omit_final_dot=True), "type": rdtype, "ttl": rdataset.ttl}
            records += [{**head, **_rdata(rdtype, rdata)} for rdata in rdataset]
    for record in records:
        zone.do(posts=[record])
    zone.serial = 1
    return zone


def matches(record: Record, query: Mapping[str, str]) -> bool:
    """Whether a listing with these filters shows a record; text is compared without letter case."""
    results = []
    for key, wanted in query.items():
        field, _dot, how = key.partition(".")
        if field in ("name", "content", "comment", "type"):
            results.append(_COMPARE[how](str(record[field] or "").lower(), wanted.lower()))
        elif field == "proxied":
            results.append(record["proxied"] == (wanted == "true"))
    return (any if query.get("match") == "any" and results else all)(results)


_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "": str.__eq__,
    "exact": str.__eq__,
    "contains": str.__contains__,
    "startswith": str.startswith,
    "endswith": str.endswith,
}
_STAMP = "2026-01-02T03:04:05.678901Z"


def _given(change: Record) -> Record:
    return {key: change[key] for key in _GIVEN if key in change}


def _rdata(rdtype: str, rdata: Any) -> Record:
    if rdtype == "MX":
        return {"content": rdata.exchange.to_text(), "priority": rdata.preference}
    return {"content": rdata.to_text()}


def _content(rdtype: str, content: object) -> str:
    """TXT is kept as it was given, quoted or not, as the real service keeps it; a name loses its last dot."""
    if not isinstance(content, str) or not content:
        raise Refusal(400, 9101, "content is a required data field.")
    if rdtype == "A" and not _is_address(content, 4):
        raise Refusal(400, 9005, "Content for A record must be a valid IPv4 address.")
    if rdtype == "AAAA" and not _is_address(content, 6):
        raise Refusal(400, 9006, "Content for AAAA record must be a valid IPv6 address.")
    if rdtype == "CNAME" and (" " in content or "." not in content):
        raise Refusal(400, 9007, "Content for CNAME record is invalid.")
    return content.removesuffix(".") or "." if rdtype in ("CNAME", "MX", "NS") else content


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def _check_neighbours(record: Record, beside: list[Record]) -> None:
    """What may not stand beside what at one name. TXT beside a CNAME is allowed, though nobody in the world sees it."""
    types = {one["type"] for one in beside}
    if any((one["type"], one["content"]) == (record["type"], record["content"]) for one in beside):
        raise Refusal(400, 81058, "An identical record already exists.")
    if record["type"] == "CNAME" and types & {*_ADDRESSES, "CNAME"}:
        raise Refusal(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
    if record["type"] in _ADDRESSES and "CNAME" in types:
        raise Refusal(400, 81054, "A CNAME record with that host already exists.")
