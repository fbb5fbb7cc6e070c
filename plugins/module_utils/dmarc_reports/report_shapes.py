# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Aggregate reports from bytes to typed parts, fast: reports of one reporter differ in a few texts.

What the XML parser has made of a head or a record is remembered by all of its text but the few texts that are each
one's own: id and period, or source and count. Where all other text is the same, letter by letter, those few change
nothing but themselves, since they hold no markup; tests compare the two. Anything else, and what is large, is for the
XML parser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar, Union

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.aggregate_report import aggregate_parts
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import (
    LONGEST_TEXT,
    AggregateHead,
    AggregateRow,
    LeftOut,
    ReportPart,
    UnreadableReport,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_values import (
    report_address,
    report_count,
    report_period,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_xml import (
    WHOLE_DOCUMENT,
    is_utf8,
    parsed_sections,
    streamed_sections,
    whole_sections,
    whole_text,
)

MOST_WHOLE = 1 << 22
"""Bytes up to which a report is held whole: 4 MiB, some thousand records."""
_CHUNK = 1 << 16
_MOST_MEANINGS = 2000
_LONGEST_KNOWN = 4096
"""Characters of a head or record that is remembered; so are at most some MiB."""
_RECORD_END = "</record>"
_SOME_HEAD = (
    "<report_metadata><org_name>o</org_name><report_id>i</report_id><date_range><begin>0</begin><end>0</end></date_range>"
    "</report_metadata><policy_published><domain>acme.example</domain></policy_published>"
)
_HEAD = "<report_id>TEXT</report_id>SPACE<date_range>SPACE<begin>TEXT</begin>SPACE<end>TEXT</end>"
_RECORD = "<source_ip>TEXT</source_ip>SPACE<count>TEXT</count>"
"""As all known reporters write them, and the schema has them (RFC 7489 appendix C)."""
_OTHER = r"[<:](?:report_id|begin|end|source_ip|count)[ \t\r\n/>]"
_OTHER_TEXT, _OTHER_BYTES = re.compile(_OTHER), re.compile(_OTHER.encode())


def _own_texts(pattern: str, no_text: str) -> str:
    """The pattern of texts that hold no markup, nor any other of these characters."""
    return pattern.replace("TEXT", f"([^<>&\x00-\x08\x0b-\x1f{no_text}]*)").replace("SPACE", "[ \t\r\n]*")


_OWN_OF_HEAD, _OWN_OF_RECORD = (re.compile(_own_texts(one, "")) for one in (_HEAD, _RECORD))
_ASCII_OF_HEAD, _ASCII_OF_RECORD = (
    re.compile(_own_texts(one, "\x80-\xff").encode("latin-1")) for one in (_HEAD, _RECORD)
)

_Meaning = TypeVar("_Meaning")
_Around = Union[tuple[str, ...], tuple[bytes, ...]]


class _Meanings(dict[_Around, _Meaning]):
    """What heads, records or whole reports mean, by all of their text but their own texts."""

    def learn(self, around: _Around, meaning: _Meaning) -> None:
        """Keep what the XML parser made of a text, if its own texts can only be those that were found: there is no
        other element of such a name, however it is written, and in a comment they would have had no meaning."""
        if sum(map(len, around)) <= _LONGEST_KNOWN and not any(map(_is_other, around)):
            if len(self) >= _MOST_MEANINGS:
                self.clear()
            self[around] = meaning


class ReportReader:
    """Reads reports, and learns what their texts mean while it does."""

    def __init__(self) -> None:
        self._heads: _Meanings[AggregateHead] = _Meanings()
        self._records: _Meanings[AggregateRow] = _Meanings()
        self._small: _Meanings[tuple[AggregateHead, AggregateRow]] = _Meanings()

    def parts(self, read: Callable[[int], bytes]) -> Iterator[ReportPart]:
        """Read a report.

        :param read: gives the next bytes, at most as many as it is asked for, none at the end
        :returns: see :func:`aggregate_parts`
        :raises UnreadableReport: it is not one whole report
        """
        document = _gathered(read)
        if len(document) > MOST_WHOLE:
            return aggregate_parts(streamed_sections(document, read))
        return self.whole_parts(document)

    def whole_parts(self, document: bytes) -> Iterator[ReportPart]:
        """Read a report that is held whole; see :meth:`parts`."""
        shaped = self.shaped_parts(document)
        if shaped is not None:
            return iter(shaped)
        text = whole_text(document)
        if len(text) > WHOLE_DOCUMENT:
            return aggregate_parts(streamed_sections(document, lambda _size: b""))
        return aggregate_parts(whole_sections(text))

    def shaped_parts(self, document: bytes) -> list[ReportPart] | None:
        """Read a report by what is known of its parts.

        :param document: all of it
        :returns: None when it is not of a kind that can be read so
        """
        try:
            return self._small_parts(document) if len(document) <= _LONGEST_KNOWN else self._each_part(document)
        except UnreadableReport:
            return None  # the XML parser says what is wrong, or mends it

    def _small_parts(self, document: bytes) -> list[ReportPart] | None:
        """Of a report of one record the head and the record are looked for at once, and in its bytes."""
        head = _ASCII_OF_HEAD.search(document)
        record = _ASCII_OF_RECORD.search(document, head.end()) if head else None
        if head is None or record is None:
            return self._each_part(document)
        around = document[: head.start()], document[head.end() : record.start()], document[record.end() :]
        known = self._small.get(around)
        if known is not None:
            report_id, begin, end = head.groups()
            source, count = record.groups()
            return [
                _head_like(known[0], report_id.decode(), begin.decode(), end.decode()),
                _row_like(known[1], source.decode(), count.decode()),
            ]
        parts = self._each_part(document)
        if parts is not None and len(parts) == 2 and is_utf8(document):
            found, row = parts
            if isinstance(found, AggregateHead) and isinstance(row, AggregateRow):
                self._small.learn(around, (found, row))
        return parts

    def _each_part(self, document: bytes) -> list[ReportPart] | None:
        text = whole_text(document)
        if not text.isascii() and ("\ufffe" in text or "\uffff" in text):
            return None  # no characters of XML (XML 1.0 section 2.2); those below the blank are in no own text
        start, end = text.find("<record>"), text.rfind(_RECORD_END)
        if not 0 < start < end or text[end + len(_RECORD_END) :].strip() != "</feedback>":
            return None
        parts: list[ReportPart] = [self._head(text[:start])]
        parts += map(self._row, text[start:end].split(_RECORD_END))
        return parts

    def _head(self, text: str) -> AggregateHead:
        own = _OWN_OF_HEAD.search(text)
        if own is None:
            return _read_head(text)
        around = text[: own.start()], text[own.end() :]
        known = self._heads.get(around)
        if known is not None:
            return _head_like(known, *own.groups())
        head = _read_head(text)
        self._heads.learn(around, head)
        return head

    def _row(self, text: str) -> AggregateRow | LeftOut:
        own = _OWN_OF_RECORD.search(text)
        if own is None:
            return _read_row(text)
        around = text[: own.start()], text[own.end() :]
        known = self._records.get(around)
        if known is not None:
            return _row_like(known, *own.groups())
        row = _read_row(text)
        if isinstance(row, AggregateRow):
            self._records.learn(around, row)
        return row


def _is_other(text: str | bytes) -> bool:
    """Whether there is an element that is named as those of own texts."""
    return bool(_OTHER_TEXT.search(text) if isinstance(text, str) else _OTHER_BYTES.search(text))


def _head_like(known: AggregateHead, report_id: str, begin: str, end: str) -> AggregateHead:
    """A head that differs from a known one in its own texts only.

    :raises UnreadableReport: they cannot be told
    """
    report_id = report_id.strip()[:LONGEST_TEXT]
    if not report_id:
        raise UnreadableReport("it has no report_id")
    since, until = report_period(begin, end)
    return AggregateHead(known.series, report_id, since, until, known.note)


def _row_like(known: AggregateRow, source: str, count: str) -> AggregateRow | LeftOut:
    """A record that differs from a known one in its own texts only."""
    try:
        return AggregateRow(report_address(source.strip()), report_count(count.strip()), known.treatment)
    except ValueError as error:
        return LeftOut(str(error))


def _gathered(read: Callable[[int], bytes]) -> bytes:
    """The whole document, or more than :data:`MOST_WHOLE` of its bytes."""
    first = read(_CHUNK)
    parts, length = [first], len(first)
    while length <= MOST_WHOLE:
        part = read(_CHUNK)
        if not part:
            break
        parts.append(part)
        length += len(part)
    return first if len(parts) == 1 else b"".join(parts)


def _read_head(text: str) -> AggregateHead:
    """By the XML parser.

    :raises UnreadableReport: it is not one whole head
    """
    head = next(aggregate_parts(parsed_sections(f"{text}</feedback>")))
    if not isinstance(head, AggregateHead):
        raise UnreadableReport("it is no head")
    return head


def _read_row(text: str) -> AggregateRow | LeftOut:
    """By the XML parser.

    :raises UnreadableReport: it is not one whole record
    """
    parts = list(aggregate_parts(parsed_sections(f"<feedback>{_SOME_HEAD}{text}{_RECORD_END}</feedback>")))
    if len(parts) != 2 or not isinstance(parts[1], (AggregateRow, LeftOut)):
        raise UnreadableReport("it is no record")
    return parts[1]
