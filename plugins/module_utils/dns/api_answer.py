# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""For DNS services with an API in JSON: what is of another type than the service documents is an error that names zone,
request and field, never an exception of Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.json_answer import is_whole_text, json_object
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, idna_encoded

REACH_WAY_OUT = "Check dns.base_url, the proxy settings of the environment and the firewalls on the way"
_WAY_OUT = f"Run again later. If it stays so: {REACH_WAY_OUT[0].lower()}{REACH_WAY_OUT[1:]}"
_LARGEST = 2**31 - 1
"""The largest number that a TTL, a page or a count may be (RFC 2181 section 8)."""
_READ_TYPES = ("TXT", "CNAME", "MX", "NS")
"""Types whose content is looked at; that of others may be missing."""

_Answer = TypeVar("_Answer", bound="ApiAnswer")


class WrongAnswer(ProviderError):
    """Something answered, but not as the service's API does."""


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """One answer that was read as JSON, with what it was asked for: ``zone`` and ``request`` (method and path)."""

    SERVICE: ClassVar[str]
    """The name of the service, for messages."""

    zone: str
    request: str
    body: Mapping[str, Any]

    @classmethod
    def read(cls: type[_Answer], zone: str, request: str, content: bytes) -> _Answer:
        """Read an answer's body.

        :param zone: what was asked about
        :param request: method and path
        :param content: as it came
        :raises WrongAnswer: it is no JSON object
        """
        body = json_object(content)
        if body is None:
            raise cls.wrong_about(zone, request, "it is no JSON object")
        return cls(zone, request, body)

    @classmethod
    def wrong_about(cls, zone: str, request: str, what: str) -> WrongAnswer:
        """The error of an answer that is not as its service documents it.

        :param zone: what was asked about
        :param request: method and path
        :param what: what is wrong, without the answer itself
        """
        told = f"{cls.SERVICE}, zone {zone}: {request}: the answer is not {cls.SERVICE}'s: {what}. {_WAY_OUT}"
        return WrongAnswer(told)

    def wrong(self, where: str, what: str) -> WrongAnswer:
        """What is wrong with the answer, without the answer.

        :param where: the field
        :param what: what it is instead of what the service documents
        """
        return self.wrong_about(self.zone, self.request, f"{where} is {what}")

    def text(self, item: Mapping[str, Any], name: str, where: str) -> str:
        """A text that is not empty.

        :param item: an object of the answer
        :param name: its key
        :param where: the field, for messages
        :raises WrongAnswer: it is none
        """
        value = item.get(name)
        if not isinstance(value, str) or not value:
            raise self.wrong(where, "missing, or no text")
        return value

    def number(self, item: Mapping[str, Any], name: str, where: str) -> int:
        """A number that counts; JSON has 5 and 5.0 for the same.

        :param item: an object of the answer
        :param name: its key
        :param where: the field, for messages
        :raises WrongAnswer: it is none
        """
        value = item.get(name)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= _LARGEST or value % 1:
            raise self.wrong(where, f"no whole number from 0 to {_LARGEST}")
        return int(value)

    def content(self, item: Mapping[str, Any], rdtype: str, about: str) -> str:
        """The content of a record, empty for one of a type that nobody looks at.

        :param item: the record
        :param rdtype: its type
        :param about: which record, for messages
        :raises WrongAnswer: it is no text that can be written
        """
        content = item.get("content")
        if isinstance(content, str) and is_whole_text(content) and (content or rdtype == "TXT"):
            return content
        if rdtype in _READ_TYPES:
            raise self.wrong(f"the content {about} ({rdtype})", "missing, or no text")
        return ""


def compared_name(text: str) -> str | None:
    """A name as it is compared; None for one that is no domain name, so that it can be nobody's.

    :param text: as the service writes it
    :returns: lower-case A-labels, without a last dot
    """
    try:
        return idna_encoded(text).lower().removesuffix(".")
    except (BadName, UnicodeError):
        return None
