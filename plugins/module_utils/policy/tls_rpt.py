# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""TLSRPT records (RFC 8460), which say where senders report on TLS: read without loss, merged, and judged."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

from ansible_collections.mailroom.erp.plugins.module_utils.policy.address import BadAddress, domain_of
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, to_alabels
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tags import Tag, TagError, TagList
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tls_fields import RecordForm
from ansible_collections.mailroom.erp.plugins.module_utils.problem import shown

_SOURCE = "RFC 8460 section 3"
_FORM = RecordForm("TLSRPTv1", "rua", True, _SOURCE)
_SPACES = " \t"
_SAFE = "$'*+"
"""What a mailto: URI holds unencoded of a local part, beside letters, digits and -._~ (RFC 6068 section 2)."""

_CHARACTERS = r"(?:[A-Za-z0-9\-._~$&'()*+=:@/?]|%[0-9A-Fa-f]{2})"
_ATOM = r"(?:[A-Za-z0-9\-_~$&'*+=]|%[0-9A-Fa-f]{2})+"
_DOMAIN = r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
_HOST = r"(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])"
_PATH = rf"(?:[/?]{_CHARACTERS}*)?(?:#{_CHARACTERS}*)?"
_HTTPS = re.compile(rf"https://(?P<host>[^/?#:@\[\]]+)(?P<port>:[0-9]{{1,5}})?(?P<path>{_PATH})", re.I | re.A)
_USABLE = re.compile(
    rf"mailto:{_ATOM}(?:\.{_ATOM})*@{_DOMAIN}(?:\?{_CHARACTERS}*)?|https://{_HOST}(?::[0-9]{{1,5}})?{_PATH}",
    re.IGNORECASE | re.ASCII,
)
_MUST_ENCODE = re.compile(r"[,!;]")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class TlsRptError(ValueError):
    """A record or an address breaks a rule; the message is the rule with its source, ``value`` what broke it."""

    def __init__(self, value: str, rule: str) -> None:
        self.value = value
        super().__init__(rule)


@dataclass(frozen=True, slots=True)
class TlsRptWish:
    """What a user wants of a domain's TLSRPT record.

    ``rua`` are report URIs to have, as :func:`tls_report_uri` makes them. ``exclusive`` says that nothing else may
    stand in the record.
    """

    rua: tuple[str, ...] = ()
    exclusive: bool = False


def tls_rpt_name(domain: str) -> str:
    """Where a domain's TLSRPT record stands (RFC 8460 section 3).

    :param domain: as A-labels
    """
    return f"_smtp._tls.{domain}"


def is_tls_rpt(text: str) -> bool:
    """Tell whether a TXT value is meant as a TLSRPT record: its first field is v=TLSRPTv1, exactly so."""
    return _FORM.fits(text)


def tls_rpt_records(values: Iterable[str]) -> list[str]:
    """Pick the TLSRPT records among decoded TXT values, in their order.

    With any number of them but one, senders act as if there were none (RFC 8460 section 3).
    """
    return [value for value in values if is_tls_rpt(value)]


def parse_tls_rpt(text: str) -> TagList:
    """Parse a TLSRPT record. ``str(parse_tls_rpt(text)) == text`` for every text that it accepts.

    :raises TlsRptError: it has another version, or a part is no field; senders then act as if there were no record
    """
    try:
        return _FORM.parse_versioned(text)
    except TagError as error:
        raise TlsRptError(error.part, str(error)) from None


def merge_tls_rpt(record: TagList | None, wish: TlsRptWish) -> TagList:
    """Make a record as wished. Merging twice gives what merging once gives.

    Report URIs are added to those that are there; fields of extensions, order and spacing stay.

    :param record: the live record, None when there is none
    :param wish: what is wanted
    """
    result = TagList((Tag("v", "TLSRPTv1", before=""),)) if record is None else record
    if wish.exclusive:
        result = _only(result, wish.rua)
    known = {_uri_key(uri) for uri in tls_report_uris(result)}
    new: dict[str, str] = {}
    for uri in wish.rua:
        if _uri_key(uri) not in known:
            new.setdefault(_uri_key(uri), uri)
    return _with_uris(result, list(new.values())) if new else result


def tls_report_uris(record: TagList) -> list[str]:
    """The report URIs of a record as they stand there, of all its rua fields, empty ones included."""
    return [uri.strip(_SPACES) for tag in record if tag.name == "rua" for uri in tag.value.split(",")]


def tls_report_uri(address: str) -> str:
    """Make a report URI of an address.

    :param address: a mail address, a ``mailto:`` URI of one, or an ``https:`` URI
    :returns: the URI, its domain as A-labels, what a record or a URI gives a meaning percent-encoded
    :raises TlsRptError: it is none of the three
    :raises MissingLibrary: its domain is internationalised and the library idna is not installed
    """
    scheme, colon, rest = address.partition(":")
    if not colon:
        return _mailto(address, address)
    if scheme.lower() == "mailto":
        return _mailto(address, _decoded(address, rest))
    if scheme.lower() == "https":
        return _https(address)
    raise TlsRptError(address, f"reports go to a mail address or to an https: URI, nowhere else ({_SOURCE})")


def tls_rpt_faults(record: TagList) -> list[str]:
    """Why senders may ignore a record, or send a report nowhere; one sentence each, with its source."""
    return [*_FORM.syntax_faults(record), *(fault for fault in map(_uri_fault, tls_report_uris(record)) if fault)]


def tls_rpt_concerns(record: TagList) -> list[str]:
    """What is allowed but should be looked at; one sentence each, with its source."""
    found = _FORM.syntax_concerns(record)
    values = [tag.value for tag in record if tag.name == "rua"]
    # So reads tlsrpt-reporter, which reports for Postfix: the second field, cut at the commas and nothing else.
    if values and record.tags[1].name != "rua":
        found.append(f"rua= is not right behind the version, where some senders look for it only ({_SOURCE})")
    if any(re.search(r"[ \t],|,[ \t]", value) for value in values):
        found.append(
            f"spaces stand beside a comma of rua=, and some senders take them for a part of the URI ({_SOURCE})"
        )
    return found


def _decoded(given: str, rest: str) -> str:
    if _BARE_PERCENT.search(rest):
        raise TlsRptError(given, "in a URI, two hexadecimal digits stand behind each % (RFC 3986 section 2.1)")
    return unquote(rest)


def _mailto(given: str, address: str) -> str:
    try:
        domain = domain_of(address)
    except BadAddress as error:
        raise TlsRptError(given, str(error)) from None
    return f"mailto:{quote(address.rpartition('@')[0], safe=_SAFE)}@{domain}"


def _https(given: str) -> str:
    match = _HTTPS.fullmatch(_MUST_ENCODE.sub(lambda found: f"%{ord(found[0]):02X}", given))
    if match is None:
        rule = "it is written https://host/path, in ASCII, all but -._~$&'()*+=:@/?# percent-encoded"
        raise TlsRptError(given, f"{rule} (RFC 3986 section 3)")
    try:
        return f"https://{to_alabels(match['host'])}{match['port'] or ''}{match['path']}"
    except BadName as error:
        raise TlsRptError(given, str(error)) from None


def _uri_fault(uri: str) -> str | None:
    if not uri:
        return f"an entry of rua= is empty ({_SOURCE})"
    if uri.partition(":")[0].lower() not in ("mailto", "https"):
        return f"{shown(uri)} is neither a mailto: nor an https: URI, and no report is sent there ({_SOURCE})"
    if "!" in uri:
        return f"{shown(uri)}: an exclamation mark must be percent-encoded in rua= ({_SOURCE})"
    return None if _USABLE.fullmatch(uri) else f"{shown(uri)} names no mailbox or web server as a URI does ({_SOURCE})"


def _only(record: TagList, wanted: Iterable[str]) -> TagList:
    """Only the version, and of the report URIs those that are wanted."""
    keys = {_uri_key(uri) for uri in wanted}
    tags = [record.tags[0]]
    for tag in record.tags[1:]:
        uris = [uri.strip(_SPACES) for uri in tag.value.split(",")] if tag.name == "rua" else []
        there = [uri for uri in uris if _uri_key(uri) in keys]
        if there:
            tags.append(tag if there == uris else replace(tag, value=",".join(there)))
    return replace(record, tags=tuple(tags))


def _with_uris(record: TagList, new: list[str]) -> TagList:
    """More URIs in the first rua field; a new field stands right behind the version, where every sender finds it."""
    for place, tag in enumerate(record.tags):
        if tag.name == "rua":
            changed = replace(tag, value=",".join([*([tag.value] if tag.value else []), *new]))
            return replace(record, tags=(*record.tags[:place], changed, *record.tags[place + 1 :]))
    return replace(record, tags=(record.tags[0], Tag("rua", ",".join(new)), *record.tags[1:]))


def _uri_key(uri: str) -> str:
    """What is equal for equal URIs: the path of a web server counts by case, the name of a mailbox does not."""
    if _uri_fault(uri) is None:
        with suppress(TlsRptError):
            uri = tls_report_uri(uri)
    return uri.lower() if uri.startswith("mailto:") else uri
