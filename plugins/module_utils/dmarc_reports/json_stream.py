# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""JSON that may be large, read item by item, so that no more than one item is kept."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import UnreadableReport

LONGEST_ITEM = 1 << 24
"""Characters of one item of a list, or of a document that is no list."""
_CHUNK = 1 << 16
_SPACE = " \t\r\n"
_BETWEEN = _SPACE + ","


def json_items(read: Callable[[int], bytes]) -> Iterator[Any]:
    """Read the items of a list, of JSON lines, or the one value of a document that is neither.

    :param read: gives the next bytes, at most as many as it is asked for, none at the end
    :raises UnreadableReport: it is no JSON, or one item is larger than :data:`LONGEST_ITEM`
    """
    return _JsonStream(read).items()


class _JsonStream:
    """Keeps what has been read and not yet been given."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._json = json.JSONDecoder()
        self._text = ""
        self._ended = False

    def items(self) -> Iterator[Any]:
        self._skip(_SPACE)
        is_list = self._text.startswith("[")
        if is_list:
            self._text = self._text[1:]
        if not self._text:
            raise UnreadableReport("it is empty")
        while True:
            self._skip(_BETWEEN)
            if not self._text or (is_list and self._text[0] == "]"):
                break
            yield self._item()
        if is_list:
            self._check_end()

    def _check_end(self) -> None:
        if not self._text:
            raise UnreadableReport("it is no whole JSON: the end of its list is missing")
        self._text = self._text[1:]
        self._skip(_SPACE)
        if self._text:
            raise UnreadableReport("it is no JSON: text follows the end of its list")

    def _item(self) -> Any:
        while True:
            try:
                item, end = self._json.raw_decode(self._text)
            except RecursionError:
                raise UnreadableReport("its JSON is nested too deep") from None
            except ValueError as error:
                # more may be needed; twice as much each time, so that a large item is not read again and again
                if self._ended or len(self._text) > LONGEST_ITEM:
                    reason = "is no JSON" if self._ended else f"has an item of more than {LONGEST_ITEM} characters"
                    raise UnreadableReport(f"it {reason}: {str(error)[:100]}") from None
                self._more(max(_CHUNK, len(self._text)))
                continue
            self._text = self._text[end:]
            return item

    def _skip(self, characters: str) -> None:
        self._text = self._text.lstrip(characters)
        while not self._text and not self._ended:
            self._more(_CHUNK)
            self._text = self._text.lstrip(characters)

    def _more(self, wanted: int) -> None:
        parts, length = [self._text], 0
        while length < wanted and not self._ended:
            data = self._read(_CHUNK)
            self._ended = not data
            parts.append(self._decoder.decode(data, self._ended))
            length += len(data)
        self._text = "".join(parts)
