# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The one door through which Cloudflare's answers come in: what is of another type than Cloudflare documents is an
error that names zone, request and field, never an exception of Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.api_answer import ApiAnswer, compared_name
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import mx_parts
from ansible_collections.mailroom.erp.plugins.module_utils.policy import txt
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_MOST_ERRORS = 5
"""Errors of one answer that are told."""


@dataclass(frozen=True, slots=True)
class CloudflareZone:
    """A zone as Cloudflare lists it; ``name`` as lower-case A-labels."""

    id: str
    name: str
    active: bool
    name_servers: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class CloudflareRecord:
    """A record as Cloudflare keeps it, with what decides about a DNS answer; comment, tags and the rest are left out.

    ``ttl`` is in seconds, 1 means automatic. ``flattened``: the addresses of the target are answered. ``locked``:
    Cloudflare lets nobody change it, because a service such as Email Routing needs it.
    """

    id: str
    name: str
    type: str
    content: str
    ttl: int
    proxied: bool
    flattened: bool
    locked: bool = False

    @property
    def text(self) -> str:
        """TXT data, decoded. What a client wrote without quotes is kept, and served, without them."""
        if not self.content.startswith('"'):
            return self.content
        try:
            return txt.decode(self.content, longest=len(self.content))
        except ValueError:
            return self.content


@dataclass(frozen=True, slots=True)
class CloudflareError:
    """One error of an answer: the code as a number (0 when it is none) and as it is shown, and the message."""

    code: int
    shown: str
    message: str


@dataclass(frozen=True, slots=True)
class CloudflareAnswer(ApiAnswer):
    """One answer of Cloudflare."""

    SERVICE = "Cloudflare"

    @property
    def succeeded(self) -> bool:
        """Whether Cloudflare did what it was asked for.

        :raises WrongAnswer: it does not say
        """
        said = self.body.get("success")
        if not isinstance(said, bool):
            raise self.wrong("success", "neither true nor false")
        return said

    @property
    def items(self) -> list[Mapping[str, Any]]:
        """The result of a listing; null is an empty one, as Cloudflare's description has it.

        :raises WrongAnswer: it is no list of objects
        """
        result = self.body.get("result")
        if result is None:
            return []
        if not isinstance(result, list) or not all(isinstance(item, Mapping) for item in result):
            raise self.wrong("result", "no list of objects")
        return result

    def zones(self) -> list[CloudflareZone]:
        """The listed zones; one whose name is no domain name is nobody's declared zone, and is left out.

        :raises WrongAnswer: a part of one is of another type than documented
        """
        found = [self._zone(item) for item in self.items]
        return [zone for zone in found if zone is not None]

    def records(self) -> list[CloudflareRecord]:
        """The listed records; one whose name is no domain name is nobody's declared record, and is left out.

        :raises WrongAnswer: a part of one is of another type than documented
        """
        found = [self._record(item) for item in self.items]
        return [record for record in found if record is not None]

    def count(self, name: str) -> int | None:
        """A number of ``result_info``, None when it is not there.

        :param name: per_page or total_count
        :raises WrongAnswer: it is no whole number, or too large for one
        """
        info = self.body.get("result_info")
        if info is None:
            return None
        if not isinstance(info, Mapping):
            raise self.wrong("result_info", "no object")
        return None if info.get(name) is None else self.number(info, name, f"result_info.{name}")

    def _zone(self, item: Mapping[str, Any]) -> CloudflareZone | None:
        name = compared_name(self.text(item, "name", "a zone's name"))
        servers = item.get("name_servers") or []
        if not isinstance(servers, list) or not all(isinstance(host, str) for host in servers):
            raise self.wrong("a zone's name_servers", "no list of names")
        zone_id = self._identifier(item, "a zone's id")
        if name is None:
            return None
        known = tuple(host for host in map(compared_name, servers) if host is not None)
        return CloudflareZone(zone_id, name, item.get("status") == "active", known)

    def _record(self, item: Mapping[str, Any]) -> CloudflareRecord | None:
        given = self.text(item, "name", "a record's name")
        about = f"of record {escape_controls(given)[:100]}"
        settings = self._object(item, "settings", f"the settings {about}")
        meta = self._object(item, "meta", f"the meta {about}")
        rdtype = self.text(item, "type", f"the type {about}")
        record_id = self._identifier(item, f"the id {about}")
        content, ttl = self._value(item, rdtype, about), self.number(item, "ttl", f"the ttl {about}")
        name = compared_name(given)
        if name is None:
            return None
        flags = (item.get("proxied") is True, settings.get("flatten_cname") is True, meta.get("read_only") is True)
        return CloudflareRecord(record_id, name, rdtype, content, ttl, *flags)

    def _value(self, item: Mapping[str, Any], rdtype: str, about: str) -> str:
        content = self.content(item, rdtype, about)
        if rdtype != "MX":
            return content
        value = f"{self.number(item, 'priority', f'the priority {about}')} {content}"
        try:
            mx_parts(value)
        except ValueError:
            raise self.wrong(f"record {about[10:]} (MX)", "no preference from 0 to 65535 with a host") from None
        return value

    def _object(self, item: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
        """A part that may be missing."""
        value = item.get(name)
        if value is not None and not isinstance(value, Mapping):
            raise self.wrong(where, "no object")
        return value or {}

    def _identifier(self, item: Mapping[str, Any], where: str) -> str:
        """It goes into the paths of requests."""
        value = self.text(item, "id", where)
        if not _IDENTIFIER.fullmatch(value):
            raise self.wrong(where, "no identifier")
        return value


def cloudflare_errors(body: object) -> list[CloudflareError]:
    """The errors of an answer, those behind them included; what is none is left out.

    :param body: the answer as the SDK read it: anything
    """
    listed = _objects(body.get("errors")) if isinstance(body, Mapping) else []
    behind = [inner for error in listed for inner in _objects(error.get("error_chain"))]
    return [_error(error) for error in (*listed, *behind)][:_MOST_ERRORS]


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _error(error: Mapping[str, Any]) -> CloudflareError:
    given, message = error.get("code"), error.get("message")
    text = str(given) if isinstance(given, (int, str)) and not isinstance(given, bool) else "no code"
    code = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    said = message if isinstance(message, str) else "no message"
    return CloudflareError(code, escape_controls(text)[:40], escape_controls(said)[:500])
