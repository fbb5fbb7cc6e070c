# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The XML of aggregate reports, as a stream of the parts of ``feedback``; nothing is believed of what is in them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Union, cast
from xml.etree import ElementTree

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import UnreadableReport
from ansible_collections.mailroom.erp.plugins.module_utils.problem import shown

Fields = list[tuple[str, Union[str, "Fields"]]]
"""What an element holds, in its order: names without namespace, each with its text or, again, what it holds."""

Section = tuple[str, Union[str, Fields]]
"""One direct child of ``feedback``."""

WHOLE_DOCUMENT = 1 << 20
"""Bytes up to which a document is taken whole, and mended where it is nearly XML."""
_CHUNK = 1 << 16
_DEEPEST = 50
_LONGEST_DECLARATION = 200

_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_ENCODING_NAMES = (
    "big5 cp1252 euc-jp euc-kr gb18030 gb2312 gbk iso-2022-jp iso-8859-1 iso-8859-2 iso-8859-9 iso-8859-15 koi8-r "
    "latin1 shift_jis windows-1250 windows-1251 windows-1252"
)
_ENCODINGS = frozenset(_ENCODING_NAMES.split())
"""What a document may say that it is written in; anything else is read as UTF-8."""

_NO_CHARACTERS = "\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff"
_DECLARATION = re.compile(r"<!(?:DOCTYPE|ENTITY)")

_NAMES = (
    "feedback version report_metadata org_name email extra_contact_info report_id date_range begin end error generator "
    "policy_published domain adkim aspf p sp np pct fo testing discovery_method record row source_ip count "
    "policy_evaluated disposition dkim spf reason type comment identifiers identities header_from envelope_from "
    "envelope_to auth_results selector result human_result scope"
)
ELEMENT_NAMES = frozenset(_NAMES.split())
_NO_MARKUP = re.compile(rf"<(?!/?(?:{'|'.join(sorted(ELEMENT_NAMES))})[\s/>]|!--|!\[CDATA\[)")
_NO_REFERENCE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")
_AROUND = re.compile(r"^\s*<\?xml[^<>]*>|</?(?:xsd?:)?schema\b[^<>]*>")


class _NoXml(UnreadableReport):
    """A document breaks the rules of XML; it may be mended."""


def streamed_sections(head: bytes, read: Callable[[int], bytes]) -> Iterator[Section]:
    """Read a large report.

    :param head: its beginning
    :param read: gives the next bytes, at most as many as it is asked for, none at the end
    :returns: the parts of ``feedback`` in their order
    :raises UnreadableReport: it is no XML, declares a document type or entities, or has no ``feedback``
    """
    decoder = codecs.getincrementaldecoder(_encoding(head))("replace")
    return _Reader().sections(_texts(decoder, head, read))


def whole_text(document: bytes) -> str:
    """The text of a document, without spaces around it, lines ended as XML ends them (XML 1.0 section 2.11); bytes that
    are none of its encoding become U+FFFD."""
    text = document.decode(_encoding(document), "replace").strip()
    return text.replace("\r\n", "\n") if "\r" in text else text


def is_utf8(document: bytes) -> bool:
    """Whether a document is read as UTF-8, in which ASCII is never a part of another character."""
    return _encoding(document).startswith("utf-8")


def whole_sections(text: str) -> Fields:
    """Read a report that is held whole; where it is nearly XML, it is mended.

    :raises UnreadableReport: see :func:`streamed_sections`
    """
    try:
        return parsed_sections(text)
    except _NoXml as error:
        try:
            return parsed_sections(mended(text))
        except _NoXml:
            raise error from None


def parsed_sections(text: str) -> Fields:
    """Read a report with the XML parser.

    :raises UnreadableReport: see :func:`streamed_sections`
    """
    return list(_Reader().sections(text[at : at + _CHUNK] for at in range(0, len(text), _CHUNK)))


def mended(text: str) -> str:
    """Mend what careless reporters get wrong: characters that are no markup, control characters, a schema around all.

    :param text: a document that is no XML
    """
    body = _AROUND.sub("", re.sub(f"[{_NO_CHARACTERS}]", "", text))
    return _NO_REFERENCE.sub("&amp;", _NO_MARKUP.sub("&lt;", body)).strip()


def _encoding(head: bytes) -> str:
    end = head.find(b">", 0, _LONGEST_DECLARATION)
    return _encoding_of(head[: end + 1]) if end >= 0 else _encoding_of.__wrapped__(head)


@lru_cache(maxsize=64)
def _encoding_of(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if head[:4] in (b"<\0?\0", b"<\0f\0"):
        return "utf-16-le"
    if head[:4] in (b"\0<\0?", b"\0<\0f"):
        return "utf-16-be"
    said = _ENCODING.match(head)
    name = said[1].decode().lower() if said else ""
    return name if name in _ENCODINGS else "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"


def _texts(decoder: codecs.IncrementalDecoder, head: bytes, read: Callable[[int], bytes]) -> Iterator[str]:
    text = decoder.decode(head).lstrip()
    yield from (text[at : at + _CHUNK] for at in range(0, len(text), _CHUNK))
    while part := read(_CHUNK):
        yield decoder.decode(part)
    yield decoder.decode(b"", True)


class _Reader:
    """Reads one document with the XML parser, and keeps no more of it than one section."""

    def __init__(self) -> None:
        self._parser: ElementTree.XMLPullParser[ElementTree.Element] = ElementTree.XMLPullParser(("start", "end"))
        self._root: ElementTree.Element | None = None
        self._outside: str | None = None
        self._depth = self._feedback_at = self._pending = 0
        self._seam = ""

    def sections(self, texts: Iterable[str]) -> Iterator[Section]:
        try:
            for text in texts:
                self._refuse_declarations(text)
                self._parser.feed(text)
                yield from self._found()
                self._pending += len(text)
                if self._pending > WHOLE_DOCUMENT + 2 * _CHUNK:
                    raise UnreadableReport(f"one part of it has more than {WHOLE_DOCUMENT} characters")
            self._parser.close()
            yield from self._found()
        except ElementTree.ParseError as error:
            raise _NoXml(f"it is no XML: {error}") from None
        if self._root is None:
            raise UnreadableReport(f"it is another XML, with {shown(self._outside or '')} instead of feedback")

    def _refuse_declarations(self, text: str) -> None:
        """Entities can make a small document a huge one, or name files; a report has no use for them."""
        if _DECLARATION.search(self._seam + text):
            raise UnreadableReport("it declares a document type or entities, which no report needs")
        self._seam = text[-10:]

    def _found(self) -> Iterator[Section]:
        for event, element in cast(Iterator[tuple[str, ElementTree.Element]], self._parser.read_events()):
            if event == "start":
                self._opened(element)
                continue
            if self._root is not None and self._depth == self._feedback_at + 1:
                yield _local(element.tag), _content(element)
                self._root.clear()
                self._pending = 0
            self._depth -= 1

    def _opened(self, element: ElementTree.Element) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UnreadableReport(f"its elements are nested more than {_DEEPEST} deep")
        if self._root is None and _local(element.tag) == "feedback":
            self._root, self._feedback_at = element, self._depth
        self._outside = self._outside or _local(element.tag)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _content(element: ElementTree.Element) -> str | Fields:
    """What an element holds: its elements or, without any, its text."""
    if not len(element):
        return (element.text or "").strip()
    return [(_local(child.tag), _content(child)) for child in element]
