# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a file may be: a report, an archive with reports, or a message with either; told by content, never by name."""

from __future__ import annotations

import codecs
import email
import io
import re
from collections.abc import Callable, Iterator
from email.message import Message
from email.utils import parseaddr
from typing import IO, cast

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.json_report import json_reports
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.json_stream import json_items
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_archives import (
    Gunzip,
    ReadBytes,
    bounded_reader,
    gzip_size,
    refuse_size,
    small_gunzipped,
    unzipped,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import (
    AggregateHead,
    ReportPart,
    UnprovenReport,
    UnreadableReport,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_shapes import ReportReader
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_values import report_name
from ansible_collections.mailroom.erp.plugins.module_utils.policy.authentication_results import trusted_results
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls, shown

LARGEST_MESSAGE = 1 << 26
"""Bytes of one message with its attachments: 64 MiB."""

LabelledReport = tuple[str, Iterator[ReportPart]]
"""Where a report stands, for people, and its parts, which may raise ``UnreadableReport`` while they are read."""

MOST_PLAIN = 1 << 14
"""Bytes of a document that is read together with others."""

_HEAD = 1 << 16
_MOST_MIME_PARTS = 500
_READER = ReportReader()
"""One for all, because it learns."""
_MAIL_HEADER = re.compile(rb"[!-9;-~]{1,70}:[ \t\r\n]")
_REPORT_TYPES = (
    "application/xml",
    "text/xml",
    "application/json",
    "application/tlsrpt+json",
    "application/tlsrpt+gzip",
)
_REPORT_NAMES = (".xml", ".json", ".gz", ".gzip", ".zip")


def content_kind(head: bytes) -> str:
    """Tell what some bytes are the beginning of.

    :returns: gzip, zip, mbox, xml, json, mail, empty or other
    """
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return "zip"
    if head.startswith(b"<"):
        return "xml"
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith((b"<", b"\xff\xfe<", b"\xfe\xff\0<", b"\0<")):
        return "xml"
    if text.startswith((b"{", b"[")):
        return "json"
    if text.startswith(b"From "):
        return "mbox"
    return "mail" if _MAIL_HEADER.match(text) else "other" if text else "empty"


def plain_document(kind: str, data: bytes) -> bytes | None:
    """Unpack a small file that is XML and nothing else: most files are like that.

    :param kind: as :func:`content_kind` tells it
    :returns: None when it is anything else, which is for :func:`reports_in`
    """
    document = data if kind == "xml" else small_gunzipped(data, MOST_PLAIN) if kind == "gzip" else None
    if document is None or len(document) > MOST_PLAIN:
        return None
    return document if document.startswith(b"<") or content_kind(document) == "xml" else None


def plain_parts(document: bytes) -> list[ReportPart] | None:
    """Read an aggregate report as reporters always write them; None when it is anything else.

    :param document: as :func:`plain_document` gives it
    """
    return _READER.shaped_parts(document)


def reports_in(
    label: str, kind: str, open_file: Callable[[], IO[bytes]], authserv_id: str | None = None
) -> Iterator[LabelledReport]:
    """Find the reports in one file or message.

    :param label: where it stands, for people
    :param kind: as :func:`content_kind` tells it
    :param open_file: opens it
    :param authserv_id: the server that must have found that DMARC passed for a message with reports; None to take all
    :raises UnprovenReport: it did not find that
    :raises UnreadableReport: it holds no report, or is broken where no single report can be named
    """
    with open_file() as file:
        if kind == "mail":
            yield from _in_message(label, file, authserv_id)
        else:
            yield from _in_archive(label, kind, file)


def _in_archive(label: str, kind: str, file: IO[bytes]) -> Iterator[LabelledReport]:
    if kind == "gzip":
        refuse_size(gzip_size(file))
        yield from _in_document(label, Gunzip(file.read).read)
    elif kind == "zip":
        found = False
        for name, read in unzipped(file):
            found = True
            yield from _each_in_document(f"{label}: {escape_controls(name)[:200]}", read)
        if not found:
            raise UnreadableReport("it is a zip archive without members")
    else:
        yield from _in_document(label, bounded_reader(file.read))


def _in_document(label: str, read: ReadBytes) -> Iterator[LabelledReport]:
    head = read(_HEAD)
    kind = content_kind(head)
    again = _with_head(head, read)
    if kind == "xml":
        yield label, _READER.parts(again)
    elif kind == "json":
        for item in json_items(again):
            for report in json_reports(item):
                yield label, report
    elif kind in ("gzip", "zip"):
        raise UnreadableReport("it is an archive in an archive, which no reporter sends")
    else:
        raise UnreadableReport("it is empty" if kind == "empty" else "it is neither XML nor JSON")


def _each_in_document(label: str, read: ReadBytes) -> Iterator[LabelledReport]:
    """The same, where other documents follow: what is wrong is this one's own."""
    try:
        yield from _in_document(label, read)
    except UnreadableReport as error:
        yield label, _broken(error)


def _broken(error: UnreadableReport) -> Iterator[ReportPart]:
    raise error
    yield  # pylint: disable=unreachable


def _with_head(head: bytes, read: ReadBytes) -> ReadBytes:
    first = [head]
    return lambda size: first.pop() if first else read(size)


# --- messages --------------------------------------------------------------------------------------------------------


def _in_message(label: str, file: IO[bytes], authserv_id: str | None) -> Iterator[LabelledReport]:
    data = file.read(LARGEST_MESSAGE + 1)
    if len(data) > LARGEST_MESSAGE:
        raise UnreadableReport(f"it is a message of more than {LARGEST_MESSAGE} bytes")
    types: set[str] = set()
    found = False
    proven = unproven = ""
    for part, author in _mime_parts(data):
        if authserv_id is not None and not types:  # the message itself; those in it bear what their senders wrote
            proven, unproven = author, _unproven(part, authserv_id)
        types.add(part.get_content_type())
        content = b"" if part.is_multipart() else _content(part)
        if _is_report(part, content):
            if unproven:
                raise UnprovenReport(unproven)
            found = True
            for name, parts in _in_attachment(f"{label}: {_file_name(part) or part.get_content_type()}", content):
                yield name, _mailed_by(proven or author, parts)
    if not found:
        failure = "message/feedback-report" in types
        raise UnreadableReport(
            "it is a report of one message that failed (RFC 9991), which is not counted"
            if failure
            else "it is a message without a report"
        )


def _in_attachment(label: str, content: bytes) -> Iterator[LabelledReport]:
    try:
        yield from _in_archive(label, content_kind(content[:_HEAD]), io.BytesIO(content))
    except UnreadableReport as error:
        yield label, _broken(error)


def _unproven(message: Message, authserv_id: str) -> str:
    """Why nobody knows that a message is of its author, by the server that took it; empty where DMARC passed, as it is
    to do for reports (RFC 7489 section 7.2.1.1)."""
    headers = [str(value) for name, value in message.raw_items() if name.lower() == "authentication-results"]
    found = next((one.result for one in trusted_results(headers, authserv_id) if one.method == "dmarc"), None)
    if found == "pass":
        return ""
    told = "no result of DMARC" if found is None else f"dmarc={found[:20]}"
    return f"its message has {told} by {shown(authserv_id)} (Authentication-Results), so anybody may have written it"


def _mailed_by(author: str, parts: Iterator[ReportPart]) -> Iterator[ReportPart]:
    for part in parts:
        if isinstance(part, AggregateHead):
            part = part._replace(series=part.series._replace(mailed_by=author))
        yield part


def _mime_parts(data: bytes) -> Iterator[tuple[Message, str]]:
    """The parts of a message, those of forwarded messages included, each with the domain in its message's From."""
    try:
        for number, found in enumerate(_walked(email.message_from_bytes(data), "")):
            if number > _MOST_MIME_PARTS:
                raise UnreadableReport(f"it is a message of more than {_MOST_MIME_PARTS} parts")
            yield found
    except (RecursionError, LookupError, TypeError, ValueError) as error:
        # the parser takes nearly everything; what is too strange for it is no message
        raise UnreadableReport(f"it is no message that can be read: {str(error)[:100]}") from None


def _walked(part: Message, author: str) -> Iterator[tuple[Message, str]]:
    author = author if part["From"] is None else _author_domain(part)
    yield part, author
    if part.is_multipart():
        for inner in cast(list[Message], part.get_payload()):
            yield from _walked(inner, author)


def _author_domain(message: Message) -> str:
    try:
        return report_name(parseaddr(str(message["From"]))[1].partition("@")[2])
    except (LookupError, TypeError, ValueError):
        return ""  # in an encoding that does not exist


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _is_report(part: Message, content: bytes) -> bool:
    """Whether a part is meant to be a report; a signature, a logo or a text for people is not."""
    if part.is_multipart():
        return False
    kind, head = content_kind(content[:_HEAD]), content[:_HEAD]
    if kind in ("gzip", "zip") or (kind == "xml" and b"<feedback" in head):
        return True
    return part.get_content_type() in _REPORT_TYPES or _file_name(part).lower().endswith(_REPORT_NAMES)


def _file_name(part: Message) -> str:
    try:
        return escape_controls(part.get_filename() or "")[:200]
    except (LookupError, TypeError, ValueError):
        return ""  # a name in an encoding that does not exist
