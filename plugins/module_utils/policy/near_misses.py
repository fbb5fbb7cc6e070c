# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""TXT values that are meant as a mail record and are none: receivers ignore them, and so they seem not to be there.

Each function takes a decoded TXT value and says why receivers ignore it, in one sentence with its source; None when it
is a record, or is not meant as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ansible_collections.mailroom.erp.plugins.module_utils.policy.dkim import is_key, judge_key
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dmarc import is_dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.policy.mta_sts import is_mta_sts
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import is_spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tls_rpt import is_tls_rpt
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls, shown

_QUOTES = "\"'`\u2018\u2019\u201c\u201d\u201e"
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
_AROUND = re.compile(rf"[\s\\{_QUOTES}{_INVISIBLE}]*")
_KEY = re.compile(r"v\W{0,3}dkim|(?:^|\W)k\s*=\s*(?:rsa|ed25519)\b|(?:^|\W)p\s*=\s*[a-z0-9+/]{16}", re.IGNORECASE)
_KEY_SOURCE = "RFC 6376 section 3.6.1"


@dataclass(frozen=True, slots=True)
class _Look:
    """How a kind of record that begins with a version looks.

    ``meant`` matches what is meant as one, blanks and quotes before it left out; ``version`` is how it begins, and
    ``end`` what belongs behind that.
    """

    label: str
    meant: re.Pattern[str]
    version: str
    end: str
    source: str

    def sentence(self, text: str) -> str | None:
        """Why receivers ignore a value that is no record; None when it is not meant as one."""
        around = _AROUND.match(text)
        start = around.end() if around else 0
        core = text[start:]
        if not self.meant.match(core):
            return None
        return _sentence(self.label, _before(text[:start]) or self._beginning(core), self.source)

    def _beginning(self, core: str) -> str:
        """What is wrong with the version, or right behind it."""
        written = f"v={self.version}"
        spaced = re.match(rf"v\s*=\s*{self.version}", core, re.IGNORECASE)
        if spaced is None:
            return f"it does not begin with {written}"
        end = spaced.end()
        found, behind = core[:end], core[end : end + 1]
        if found.lower() != written.lower():
            return f"it does not begin with {written}, but with {found}"
        if behind in ("", *self.end) or found != written:
            return f"the version is {found}, not {written}"
        return self._behind(written, behind)

    def _behind(self, written: str, behind: str) -> str:
        wanted = "a space" if self.end == " " else "a semicolon"
        if self.end == " " and re.match(r"[\w+~?-]", behind):
            return f"no space stands behind {written}: its words are joined, as strings of one record are"
        if behind == "\\":
            return f"a backslash stands behind {written}: master files want it before a semicolon, the record does not"
        return f"no {wanted.removeprefix('a ')} stands behind {written}, but {_named(behind)}"


def _look(label: str, meant: str, version: str, end: str, source: str) -> _Look:
    return _Look(label, re.compile(meant, re.IGNORECASE), version, end, source)


_SPF = _look("SPF", r"v\W{0,3}spf|spf1\b", "spf1", " ", "RFC 7208 section 4.5")
_DMARC = _look(
    "DMARC",
    r"v\W{0,3}d-?marc|dmarc1\b|p\s*=\s*(?:none|quarantine|reject)\s*(?:;|$)|[^;]+;\s*v\s*=\s*DMARC1\b",
    "DMARC1",
    ";",
    "RFC 9989 section 4.7",
)
_TLS_RPT = _look("TLSRPT", r"v\W{0,3}tls-?rpt", "TLSRPTv1", ";", "RFC 8460 section 3")
_MTA_STS = _look("MTA-STS", r"v\W{0,3}sts", "STSv1", ";", "RFC 8461 section 3.1")


def near_spf(text: str) -> str | None:
    """Why receivers ignore what is meant as an SPF record: ``v=spf1;``, joined words, quotes in it (RFC 7208)."""
    return None if is_spf(text) else _SPF.sentence(text)


def near_dmarc(text: str) -> str | None:
    """Why receivers ignore what is meant as a policy record: ``v=DMARC1 p=reject``, a blank before it (RFC 9989)."""
    return None if is_dmarc(text) else _DMARC.sentence(text)


def near_tls_rpt(text: str) -> str | None:
    """Why senders ignore what is meant as a TLSRPT record (RFC 8460)."""
    return None if is_tls_rpt(text) else _TLS_RPT.sentence(text)


def near_mta_sts(text: str) -> str | None:
    """Why senders ignore what is meant as an MTA-STS record (RFC 8461)."""
    return None if is_mta_sts(text) else _MTA_STS.sentence(text)


def near_dkim(text: str) -> str | None:
    """Why receivers ignore what is meant as a DKIM key: quotes in it, no semicolons, a tag twice (RFC 6376)."""
    if is_key(text) or not _KEY.search(text):
        return None
    around = _AROUND.match(text)
    quotes = _before(text[: around.end()].strip()) if around else None
    fault = judge_key(text).faults[0]
    return _sentence("a DKIM key", quotes, _KEY_SOURCE) if quotes else f"looks meant as a DKIM key, but {fault}"


def no_spf_record(name: str, values: Iterable[str]) -> str:
    """Why a name has no SPF record, in one sentence with its source; what is nearly one is named.

    :param name: for a person
    :param values: the TXT values at the name, none of which is an SPF record
    """
    near = (f"{shown(value)} {sentence}" for value in values if (sentence := near_spf(value)))
    told = next(near, None)
    return f"{name} has no SPF record: {told}" if told else f"{name} has no SPF record (RFC 7208 section 4.5)"


class NearMiss(Protocol):
    """One of the functions above."""

    def __call__(self, text: str, /) -> str | None:
        """Why receivers ignore a TXT value that is meant as a record."""


def _sentence(label: str, why: str, source: str) -> str:
    return f"looks meant as {label}, but receivers ignore it because {why} ({source})"


def _before(text: str) -> str | None:
    """What stands in front of a record; None when nothing does."""
    if any(quote in text for quote in _QUOTES):
        return "quotes are a part of it"
    return f"{_named(text[0])} stands before it" if text else None


def _named(character: str) -> str:
    """A character in words, for a sentence."""
    if character == " ":
        return "a blank"
    if character.isspace() or character in _INVISIBLE:
        return f"a character that cannot be seen (U+{ord(character):04X})"
    return f"the character {escape_controls(character)}"
