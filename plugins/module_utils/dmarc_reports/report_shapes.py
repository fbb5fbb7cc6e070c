# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Aggregate reports from bytes to typed parts, fast: a reporter's reports differ in their texts, not in their elements.

The elements of a report that the XML parser has read are its shape, for its head and for each of its records: one
regular expression, in which only the texts between the tags are free. What a shape matches is XML because that report
was, and its parts are what the parser would have made of them; tests compare the two. Most texts of a record come again
and again, so what they mean is remembered with the shape. Anything else, and what is large, is for the XML parser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

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
    check_period,
    report_address,
    report_count,
    report_time,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_xml import (
    WHOLE_DOCUMENT,
    parsed_sections,
    streamed_sections,
    whole_sections,
    whole_text,
)

MOST_WHOLE = 1 << 22
"""Bytes up to which a report is held whole: 4 MiB, some thousand records."""
_CHUNK = 1 << 16
_MOST_SHAPES = 64
_MOST_MEANINGS = 2000
_RECORD_END = "</record>"
_SOME_HEAD = (
    "<report_metadata><org_name>o</org_name><report_id>i</report_id><date_range><begin>0</begin><end>0</end></date_range>"
    "</report_metadata><policy_published><domain>acme.example</domain></policy_published>"
)
_TAG = re.compile(r"(/?)([A-Za-z_][A-Za-z0-9_.-]*)>", re.ASCII)
_START = re.compile(
    r"(?:<\?xml[ \t\r\n][^<>?&]*\?>[ \t\r\n]*)?"
    r'<feedback(?:[ \t\r\n]+xmlns(?::[a-z]+)?="[^"<>&]*"){0,3}[ \t\r\n]*>[ \t\n]*'
)
_FREE_TEXT = "([^<>&\x00-\x08\x0b-\x1f]*)"
_SPACE = "[ \t\n]*"
_OWN_OF_HEAD = ("report_metadata/report_id", "report_metadata/date_range/begin", "report_metadata/date_range/end")
_OWN_OF_RECORD = ("record/row/source_ip", "record/row/count")

_Meaning = TypeVar("_Meaning")


class _Shape(Generic[_Meaning]):
    """The elements of a head or a record. ``own`` are the texts that are each report's or record's own, by number;
    ``meanings`` is what all others together mean."""

    def __init__(self, pattern: re.Pattern[str], paths: list[str], own: tuple[str, ...]) -> None:
        self.match = pattern.fullmatch
        self._own = [paths.index(path) for path in own]
        self._first, self._last = min(self._own), max(self._own)
        self._between = [number for number in range(self._first, self._last) if number not in self._own]
        self.meanings: dict[tuple[str, ...], _Meaning] = {}

    def split(self, texts: tuple[str, ...]) -> tuple[list[str], tuple[str, ...]]:
        """The own texts, and all others."""
        others = texts[: self._first] + texts[self._last + 1 :]
        if self._between:
            others += tuple([texts[number] for number in self._between])
        return [texts[number].strip() for number in self._own], others

    def remember(self, others: tuple[str, ...], meaning: _Meaning) -> None:
        """Keep what texts mean."""
        if len(self.meanings) >= _MOST_MEANINGS:
            self.meanings.clear()
        self.meanings[others] = meaning


class ReportReader:
    """Reads reports, and learns their shapes while it does."""

    def __init__(self) -> None:
        self._has_read = False
        self._heads: list[_Shape[AggregateHead]] = []
        self._records: list[_Shape[AggregateRow | LeftOut]] = []

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
        text = whole_text(document)
        shaped = self.shaped_parts(text)
        if shaped is not None:
            return iter(shaped)
        if len(text) > WHOLE_DOCUMENT:
            return aggregate_parts(streamed_sections(document, lambda _size: b""))
        return aggregate_parts(whole_sections(text))

    def shaped_parts(self, text: str) -> list[ReportPart] | None:
        """Read a report by the shapes of its parts.

        :param text: all of it, without spaces around it
        :returns: None when it is not of a kind that can be read so
        """
        start, end = text.find("<record>"), text.rfind(_RECORD_END)
        if not 0 < start < end or text[end + len(_RECORD_END) :].strip() != "</feedback>":
            return None
        if not text.isascii() and ("\ufffe" in text or "\uffff" in text):
            return None  # no characters of XML (XML 1.0 section 2.2); those below the blank are in no shape
        try:
            parts: list[ReportPart] = [self._head(text[:start])]
            parts += map(self._row, text[start:end].split(_RECORD_END))
        except UnreadableReport:
            return None  # the XML parser says what is wrong, or mends it
        return parts

    def _head(self, text: str) -> AggregateHead:
        shape, texts = _known(self._heads, text)
        if shape is None:
            return self._learn_head(text)
        (report_id, begin, end), others = shape.split(texts)
        meaning = shape.meanings.get(others)
        if meaning is None or not report_id:
            meaning = _read_head(text)
            shape.remember(others, meaning)
            return meaning
        org, contact, _id, domain, _begin, _end, policy, note = meaning
        since, until = report_time(begin, "begin"), report_time(end, "end")
        check_period(since, until)
        return AggregateHead(org, contact, report_id[:LONGEST_TEXT], domain, since, until, policy, note)

    def _learn_head(self, text: str) -> AggregateHead:
        start = _START.match(text)
        if start is None:
            raise UnreadableReport("it begins in another way")
        head = _read_head(text)
        if self._has_read:  # to learn of the only report would be in vain
            shape: _Shape[AggregateHead] | None = _learnt(text[start.end() :], _OWN_OF_HEAD, _START.pattern)
            _keep(self._heads, shape, text, head)
        self._has_read = True
        return head

    def _row(self, text: str) -> AggregateRow | LeftOut:
        shape, texts = _known(self._records, text)
        if shape is None:
            row = _read_row(text)
            found: _Shape[AggregateRow | LeftOut] | None = _learnt(text, _OWN_OF_RECORD)
            if isinstance(row, AggregateRow):
                _keep(self._records, found, text, row)
            return row
        (source, count), others = shape.split(texts)
        meaning = shape.meanings.get(others)
        if meaning is None:
            meaning = _read_row(text)
            if isinstance(meaning, AggregateRow):
                shape.remember(others, meaning)
            return meaning
        try:
            return AggregateRow(report_address(source), report_count(count), *meaning[2:])
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


def _known(shapes: list[_Shape[_Meaning]], text: str) -> tuple[_Shape[_Meaning] | None, tuple[str, ...]]:
    """The shape of a text, and its free texts; the shape that was found last is tried first."""
    for number, shape in enumerate(shapes):
        match = shape.match(text)
        if match is not None:
            if number:
                shapes.insert(0, shapes.pop(number))
            return shape, match.groups()
    return None, ()


def _learnt(text: str, own: tuple[str, ...], before: str = _SPACE) -> _Shape[_Meaning] | None:
    """The shape of a text that the XML parser has read; None if it holds anything but elements and texts.

    :param text: a head, or a record without its end
    :param own: the paths of what is each one's own; they must be there once
    :param before: matches what stands before the text
    """
    found = _pattern(text)
    if found is None or any(found[1].count(path) != 1 for path in own):
        return None
    return _Shape(re.compile(before + found[0]), found[1], own)


def _keep(shapes: list[_Shape[_Meaning]], shape: _Shape[_Meaning] | None, text: str, meaning: _Meaning) -> None:
    """Keep a shape, and what the text that it was learnt from means."""
    match = shape.match(text) if shape is not None and len(shapes) < _MOST_SHAPES else None
    if shape is not None and match is not None:
        shape.remember(shape.split(match.groups())[1], meaning)
        shapes.append(shape)


def _pattern(text: str) -> tuple[str, list[str]] | None:
    """The regular expression of a shape, and the paths of its free texts; None when it has other than elements."""
    pattern: list[str] = []
    paths: list[str] = []
    opened: list[str] = []
    pieces = text.split("<")[1:]
    for number, piece in enumerate(pieces):
        tag = _TAG.match(piece)
        if tag is None:
            return None
        is_end, name = tag.groups()
        following = pieces[number + 1] if number + 1 < len(pieces) else ""
        pattern.append(f"<{re.escape(tag[0])}")
        if is_end:
            opened.pop()
        elif following.startswith(f"/{name}>"):
            paths.append("/".join([*opened, name]))
            opened.append(name)
            pattern.append(_FREE_TEXT)
            continue
        else:
            opened.append(name)
        if piece[tag.end() :].strip():
            return None  # text between elements
        pattern.append(_SPACE)
    return "".join(pattern), paths
