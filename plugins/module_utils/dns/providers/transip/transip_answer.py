# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The one door through which TransIP's answers come in: what is of another type than TransIP documents is an error that
names zone, request and field, never an exception of Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.api_answer import ApiAnswer, compared_name
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import mx_parts, mx_value
from ansible_collections.mailroom.erp.plugins.module_utils.json_answer import is_whole_text, json_object
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls

_APEX = ("@", "")


@dataclass(frozen=True, slots=True, order=True)
class TransipEntry:
    """A DNS entry. TransIP gives it no identifier: it is known by these four.

    ``owner`` is relative to the zone as TransIP has it ("@" is the apex), ``ttl`` is in seconds, ``content`` as TransIP
    keeps it: TXT without quotes and escapes, names with a last dot or relative to the zone.
    """

    owner: str
    ttl: int
    type: str
    content: str

    def body(self) -> dict[str, Any]:
        """The entry as requests carry it."""
        return {"dnsEntry": {"name": self.owner, "expire": self.ttl, "type": self.type, "content": self.content}}

    def name(self, zone: str) -> str | None:
        """The absolute name in lower-case A-labels; None for what is no domain name, so that it can be nobody's."""
        return _absolute(self.owner, zone)

    def value(self, zone: str) -> str:
        """The value that an RRset shows: names absolute, and a target that is no domain name as it stands."""
        if self.type == "CNAME":
            return _target(self.content, zone)
        if self.type == "MX":
            preference, host = mx_parts(self.content)
            return mx_value(preference, _target(host, zone))
        return self.content


@dataclass(frozen=True, slots=True)
class TransipAnswer(ApiAnswer):
    """One answer of TransIP."""

    SERVICE = "TransIP"

    def token(self) -> str:
        """The access token of a sign-in.

        :raises WrongAnswer: there is none that a header could carry
        """
        token = self.body.get("token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token or not token:
            raise self.wrong("token", "missing, or no token")
        return token

    def domains(self) -> list[str]:
        """The names of the listed domains as lower-case A-labels; what is no domain name is nobody's, and left out.

        :raises WrongAnswer: a part of one is of another type than documented
        """
        names = [compared_name(self._whole_text(item, "name", "a domain's name")) for item in self._items("domains")]
        return [name for name in names if name is not None]

    def name_servers(self) -> list[str]:
        """The host names of the listed name servers, in order.

        :raises WrongAnswer: a part of one is of another type than documented
        """
        items = self._items("nameservers")
        names = [compared_name(self._whole_text(item, "hostname", "a name server's hostname")) for item in items]
        return [name for name in names if name is not None]

    def entries(self) -> list[TransipEntry]:
        """The listed DNS entries.

        :raises WrongAnswer: a part of one is of another type than documented
        """
        return [self._entry(item) for item in self._items("dnsEntries")]

    def _entry(self, item: Mapping[str, Any]) -> TransipEntry:
        owner = item.get("name")
        if not isinstance(owner, str) or not is_whole_text(owner):
            raise self.wrong("an entry's name", "missing, or no text")
        about = f"of entry {escape_controls(owner)[:100]}"
        rdtype = self._whole_text(item, "type", f"the type {about}")
        ttl = self.number(item, "expire", f"the expire {about}")
        return TransipEntry(owner, ttl, rdtype, self._value(item, rdtype, about))

    def _value(self, item: Mapping[str, Any], rdtype: str, about: str) -> str:
        content = self.content(item, rdtype, about)
        try:
            if rdtype == "MX":
                mx_parts(content)
        except ValueError:
            raise self.wrong(f"entry {about[9:]} (MX)", "no preference from 0 to 65535 with a host") from None
        return content

    def _items(self, name: str) -> list[Mapping[str, Any]]:
        items = self.body.get(name)
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            raise self.wrong(name, "missing, or no list of objects")
        return items

    def _whole_text(self, item: Mapping[str, Any], name: str, where: str) -> str:
        value = self.text(item, name, where)
        if not is_whole_text(value):
            raise self.wrong(where, "missing, or no text")
        return value


def said_by_transip(content: bytes) -> str:
    """The reason of a refusal, in TransIP's words; printable and short.

    :param content: the body of the answer, whatever it is
    """
    said = (json_object(content) or {}).get("error")
    return escape_controls(said).strip().rstrip(".")[:500] if isinstance(said, str) and said.strip() else "no reason"


def _absolute(name: str, zone: str) -> str | None:
    """A name as TransIP writes it ("@", relative, or with a last dot) as it is compared."""
    if name in _APEX:
        return zone
    return compared_name(name if name.endswith(".") else f"{name}.{zone}")


def _target(content: str, zone: str) -> str:
    if content == ".":
        return content
    return _absolute(content, zone) or content
