# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The lines of an ini file as Python's configparser reads them: which of them are a section's, and a key's. Pure."""

from __future__ import annotations

import configparser
import io
import re
from dataclasses import dataclass, field

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")
_COMMENT = ("#", ";")
_NO_SECTION = "\n"
"""A name that no header can have."""


class IniFault(Exception):
    """A file that configparser refuses. The message names the line and the fault, and quotes nothing of the file."""


@dataclass(frozen=True, slots=True)
class IniKey:
    """A key of a section. ``line`` is its first line, ``more`` those that go on with its value; ``prefix`` is the text
    before the value, ``indent`` the white space before the key, in characters."""

    line: int
    prefix: str
    indent: int
    more: list[int] = field(default_factory=list)

    @property
    def last(self) -> int:
        """The last line of its value."""
        return self.more[-1] if self.more else self.line


@dataclass(frozen=True, slots=True)
class IniSection:
    """A section: the line of its header, its keys by name in lower case, and the line behind it (of the next header, or
    the number of lines)."""

    header: int
    end: int
    keys: dict[str, IniKey]


def lines_of(text: str) -> list[str]:
    """The lines with their ends, as a file that is opened as text has them: LF, CRLF or CR."""
    return _LINES.findall(text)


def ini_values(text: str) -> dict[str, dict[str, str]]:
    """What configparser reads: sections, their keys and values. ``DEFAULT`` is a section as any other here.

    :param text: of the file
    :raises IniFault: it reads nothing, because the file is none of its kind
    """
    parser = configparser.RawConfigParser(default_section=_NO_SECTION)
    try:
        parser.read_file(io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))
    except configparser.MissingSectionHeaderError as error:
        raise IniFault(f"line {error.lineno} stands before any [section]") from None
    except configparser.DuplicateSectionError as error:
        raise IniFault(f"line {error.lineno} begins a section that was there before") from None
    except configparser.DuplicateOptionError as error:
        raise IniFault(f"line {error.lineno} sets a key that this section has already") from None
    except configparser.ParsingError as error:
        number = error.errors[0][0] if error.errors else 0
        raise IniFault(f"line {number} is neither a [section] nor key = value") from None
    return {name: dict(parser.items(name)) for name in parser.sections()}


def is_comment(line: str) -> bool:
    """Tell whether a line is a comment."""
    return line.strip().startswith(_COMMENT)


def indent_of(line: str) -> int:
    """How many characters of white space a line begins with."""
    return len(line) - len(line.lstrip())


def find_section(lines: list[str], name: str) -> IniSection | None:
    """Find a section and the lines of its keys.

    :param lines: of a file that :func:`ini_values` reads, with their ends
    :param name: of the section, in its own spelling
    :returns: None when there is none
    """
    found: IniSection | None = None
    key: IniKey | None = None
    for number, line in enumerate(lines):
        text = line.strip()
        if not text or is_comment(line):
            continue
        if key is not None and indent_of(line) > key.indent:
            key.more.append(number)
            continue
        header = configparser.RawConfigParser.SECTCRE.match(text)
        if header and found is not None:
            return IniSection(found.header, number, found.keys)
        if header:
            found, key = IniSection(number, len(lines), {}) if header["header"] == name else None, None
            continue
        key_name, key = _key(number, line)
        if found is not None:
            found.keys[key_name] = key
    return found


def _key(number: int, line: str) -> tuple[str, IniKey]:
    text = line.strip()
    parts = configparser.RawConfigParser.OPTCRE.match(text)
    if parts is None:
        raise IniFault(f"line {number + 1} is neither a [section] nor key = value")
    indent = indent_of(line)
    return parts["option"].rstrip().lower(), IniKey(number, line[: indent + parts.start("value")], indent)
