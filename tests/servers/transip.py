# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TransIP API that keeps what it is told, over real HTTP, with faults on demand.

It is held against a client that nobody here wrote in ``tests/unit/dns/providers/test_transip_server.py``.
"""

from __future__ import annotations

import base64
import functools
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dns.rdata
from ansible_collections.mailroom.erp.tests.servers.faulty_api import Answer, FaultyApi, Query
from ansible_collections.mailroom.erp.tests.servers.transip_state import (
    Entry,
    TransipRefusal,
    TransipZone,
    presented,
    transip_zone,
)
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

LOGIN = "acme"
ACCESS = "test-token-of-the-transip-server-0123"
"""May read and write; as made in the control panel."""
READING = "test-token-that-reads-transip-0123456"

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2_592_000}
_WINDOW = (1000, 900)
"""Requests in so many seconds."""
_WRITES = {"POST": "post", "PATCH": "patch", "DELETE": "delete"}


@dataclass(slots=True)
class TransipToken:
    """What a token may do, until when, and from where."""

    read_only: bool = False
    expires: float = float("inf")
    anywhere: bool = True
    label: str = ""


@functools.cache
def transip_key() -> rsa.RSAPrivateKey:
    """The key pair of the account; made once, for that takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.cache
def private_key_pem() -> str:
    """The private key, as the control panel shows it."""
    encryption = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    return transip_key().private_bytes(serialization.Encoding.PEM, form, encryption).decode()


class Transip(FaultyApi):
    """The running server; a context manager that stops it."""

    ROOT = "/v6"

    def __init__(self, zones: Mapping[str, str]) -> None:
        """Start it.

        :param zones: apex to master file
        """
        self.zones = {name: transip_zone(name, text) for name, text in zones.items()}
        self.tokens = {ACCESS: TransipToken(), READING: TransipToken(read_only=True)}
        self.listed = True
        """Whether the address of the client is on the account's list of addresses."""
        self.bound = False
        """Whether the key pair is bound to that list."""
        self.busy: dict[str, int] = {}
        """How many requests to a zone's entries are answered with 409, because it is being saved."""
        self.saves = 0
        """How many requests after each write are answered so."""
        self.sign_ins: list[dict[str, Any]] = []
        self.shift = 0.0
        """Seconds that the server's clock is ahead."""
        super().__init__()

    @property
    def dns_option(self) -> dict[str, Any]:
        """The option ``dns`` for this server, with the defaults that a module fills in."""
        secret = {"login": LOGIN, "private_key": private_key_pem()}
        return {"provider": "transip", **secret, "base_url": self.base_url, "timeout": 10.0}

    def zone(self, name: str) -> TransipZone:
        """The zone that holds a name."""
        return next(self.zones[zone] for zone in sorted(self.zones, key=len)[::-1] if f".{name}".endswith(f".{zone}"))

    def records(self, name: str, rdtype: str) -> list[Entry]:
        """The entries of one name and type, as the API shows them."""
        zone = self.zone(name)
        owner = "@" if name == zone.name else name.removesuffix(f".{zone.name}")
        return [one for one in list(zone.entries) if (one["name"], one["type"]) == (owner, rdtype)]

    def values(self, name: str, rdtype: str) -> list[str]:
        """What the world gets, in presentation format, sorted: equal records are one (RFC 2181 section 5)."""
        texts = [presented(one, self.zone(name).name) for one in self.records(name, rdtype)]
        return sorted(
            {
                dns.rdata.from_text("IN", rdtype, text, origin=dns.name.root, relativize=False).to_text()
                for text in texts
            }
        )

    def ttl(self, name: str, rdtype: str) -> int:
        """The one TTL of an RRset, in seconds."""
        (ttl,) = {int(one["expire"]) for one in self.records(name, rdtype)}
        return ttl

    def serial(self, zone: str) -> int:
        """How often the zone was written."""
        return self.zones[zone].serial

    def limited(self, seconds: float) -> Answer:
        return _refused(429, "Rate limit exceeded", {"x-rate-limit-reset": str(int(-(-(time.time() + seconds) // 1)))})

    def broken(self) -> Answer:
        return _refused(500, "Internal error occurred, please contact our support")

    def handle(self, method: str, path: str, query: Query, headers: Mapping[str, str], data: bytes) -> Answer:
        """Do a request."""
        self.before(method, path, query)
        try:
            with self._lock:
                answer = self._auth(data, headers) if path == "/auth" else self._route(method, path, headers, data)
        except TransipRefusal as refusal:
            answer = _refused(refusal.status, refusal.message)
        most, seconds = _WINDOW
        limits = {"limit": most, "remaining": max(most - len(self.requests), 0), "reset": int(time.time()) + seconds}
        rates = {f"x-rate-limit-{name}": str(number) for name, number in limits.items()}
        return Answer(answer.status, answer.body, {**rates, **answer.headers})

    def _auth(self, data: bytes, headers: Mapping[str, str]) -> Answer:
        """The API's sign-in: the signature is of the body, byte for byte."""
        wish = _object(data)
        try:
            signature = base64.b64decode(headers.get("signature", ""), validate=True)
            transip_key().public_key().verify(signature, data, padding.PKCS1v15(), hashes.SHA512())
        except (ValueError, InvalidSignature):
            raise TransipRefusal(401, "Invalid API key signature") from None
        if wish.get("login") != LOGIN:
            raise TransipRefusal(401, "Invalid login")
        self._check_sign_in(wish)
        self.sign_ins.append(wish)
        token = f"token-{len(self.sign_ins)}-of-the-transip-test-server"
        expires = self._now() + _seconds(wish.get("expiration_time", "1 day"))
        anywhere, label = bool(wish.get("global_key")) and not self.bound, str(wish.get("label", ""))
        self.tokens[token] = TransipToken(bool(wish.get("read_only")), expires, anywhere, label)
        return Answer(201, {"token": token}, {})

    def _check_sign_in(self, wish: Mapping[str, Any]) -> None:
        nonce, label = wish.get("nonce"), wish.get("label")
        if not isinstance(nonce, str) or not 6 <= len(nonce) <= 32:
            raise TransipRefusal(406, "The nonce must be between 6 and 32 characters")
        if nonce in [one["nonce"] for one in self.sign_ins]:
            raise TransipRefusal(406, "The nonce is already used")
        if label and label in [one.label for one in self.tokens.values() if one.expires > self._now()]:
            raise TransipRefusal(406, f"The label '{label}' is already used in another active access token.")

    def _route(self, method: str, path: str, headers: Mapping[str, str], data: bytes) -> Answer:
        token = self._token(headers.get("authorization", ""))
        if method != "GET" and token.read_only:
            raise TransipRefusal(403, "This access token may only read")
        parts = path.strip("/").split("/")
        if parts == ["domains"] and method == "GET":
            return _done(domains=[one.answer() for one in self.zones.values()])
        if parts[0] != "domains" or len(parts) not in (2, 3):
            raise TransipRefusal(404, "Endpoint not found")
        zone = self.zones.get(parts[1])
        if zone is None:
            raise TransipRefusal(404, f"Domain with name '{parts[1]}' not found")
        if len(parts) == 2:
            return _done(domain=zone.answer())
        if parts[2] == "nameservers":
            return _done(nameservers=zone.servers())
        if parts[2] != "dns":
            raise TransipRefusal(404, "Endpoint not found")
        return self._entries(method, zone, data)

    def _entries(self, method: str, zone: TransipZone, data: bytes) -> Answer:
        if self.busy.get(zone.name, 0) > 0:
            self.busy[zone.name] -= 1
            raise TransipRefusal(409, "Error fetching Dns Entries: DNS Entries are currently being saved")
        if method == "GET":
            return _done(dnsEntries=list(zone.entries))
        body = _object(data)
        if method == "PUT":
            zone.put(body.get("dnsEntries"))
        elif method in _WRITES:
            getattr(zone, _WRITES[method])(body.get("dnsEntry"))
        else:
            raise TransipRefusal(405, "Method not allowed")
        self.busy[zone.name] = self.saves
        return Answer(201 if method == "POST" else 204, b"", {})

    def _token(self, header: str) -> TransipToken:
        scheme, _blank, text = header.partition(" ")
        token = self.tokens.get(text)
        if scheme != "Bearer" or token is None:
            raise TransipRefusal(401, "Your access token is invalid")
        if token.expires <= self._now():
            raise TransipRefusal(401, "Your access token has expired")
        if not self.listed and not token.anywhere:
            raise TransipRefusal(401, "Remote IP is not authorized for this request; called from IP 127.0.0.1")
        return token

    def _now(self) -> float:
        return time.time() + self.shift


def _seconds(text: str) -> int:
    found = re.fullmatch(r"([0-9]+) (second|minute|hour|day|week|month)s?", text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < seconds <= _UNITS["month"]:
        raise TransipRefusal(406, "The expiration time is not valid; it is at most one month")
    return seconds


def _object(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise TransipRefusal(400, "The request body is no JSON object")
    return body


def _refused(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, {"error": message}, headers or {})


def _done(**parts: Any) -> Answer:
    return Answer(200, parts, {})
