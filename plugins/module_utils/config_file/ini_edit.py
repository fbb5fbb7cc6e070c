# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Sets and takes away keys in one section of an ini file; whatever else stands there stays byte for byte. Pure.

Above each line that is ours stands a comment that says so. By it, and by nothing else, is known what may be taken away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.module_utils.config_file.ini_lines import (
    IniFault,
    IniKey,
    IniSection,
    find_section,
    indent_of,
    ini_values,
    is_comment,
    lines_of,
)

WRITTEN_MARK = "# The next line is written by mailroom.erp"
"""The comment above each line that is ours."""


@dataclass(frozen=True, slots=True)
class IniEdit:
    """What came of an edit: the new text, the values of the wanted keys before and after (None: no such key), and the
    keys that were to go but stay, because they bear no mark."""

    text: str
    before: dict[str, str | None]
    after: dict[str, str | None]
    kept: list[str]


def edited_ini(text: str, section: str, wanted: Mapping[str, str | None]) -> IniEdit:
    """Bring the keys of a section to what is wanted.

    :param text: of the file
    :param section: its name, without brackets
    :param wanted: the value of each key in lower case, on one line and without white space around it; None: the key is
        to go, if it is ours
    :returns: the edit; its text is the same where nothing is to be done
    :raises IniFault: the file is not one that configparser reads, or could not be changed without changing more
    """
    old = ini_values(text)
    before = {key: old.get(section, {}).get(key) for key in wanted}
    lines, kept = lines_of(text), []
    for key, value in wanted.items():
        found = find_section(lines, section)
        if value is not None and value != before[key]:
            _set(lines, found, section, key, value)
        elif value is None and found is not None and key in found.keys:
            kept += _taken_away(lines, found, key)
    _drop_empty(lines, section, text)
    new = "".join(lines)
    after = {key: value if value is not None or key not in kept else before[key] for key, value in wanted.items()}
    _prove(old, ini_values(new), section, after)
    return IniEdit(new, before, after, kept)


def _set(lines: list[str], section: IniSection | None, name: str, key: str, value: str) -> None:
    if section is None:
        _append_section(lines, name)
        section = IniSection(len(lines) - 1, len(lines), {})
    if key in section.keys:
        _replace(lines, section.keys[key], value)
    else:
        _insert(lines, section, key, value)


def _replace(lines: list[str], key: IniKey, value: str) -> None:
    """Change the value in its line; what the value went on with goes, comments between stay."""
    for number in reversed(key.more):
        del lines[number]
    is_tight = lines[key.line].rstrip() == key.prefix and not key.prefix[-1:].isspace()
    prefix = f"{key.prefix} " if is_tight else key.prefix
    lines[key.line] = f"{prefix}{value}{_line_end(lines, key.line)}"
    if not _is_marked(lines, key.line):
        lines.insert(key.line, f"{WRITTEN_MARK}{_line_end(lines, key.line) or _usual_end(lines)}")


def _insert(lines: list[str], section: IniSection, key: str, value: str) -> None:
    """Put a key behind the last one of its section, as far to the right: so no line around it goes on with another."""
    last = max((found.last for found in section.keys.values()), default=section.header)
    if section.keys:
        indent = max(section.keys.values(), key=lambda found: found.line).indent
    else:
        rest = (line for line in lines[last + 1 :] if line.strip() and not is_comment(line))
        indent = indent_of(next(rest, ""))
    end = _line_end(lines, last) or _usual_end(lines)
    if not _line_end(lines, last):
        lines[last] += end
    lines[last + 1 : last + 1] = [f"{WRITTEN_MARK}{end}", f"{' ' * indent}{key} = {value}{end}"]


def _append_section(lines: list[str], name: str) -> None:
    """A blank line, the mark and the header at the end of the file."""
    end = _usual_end(lines)
    if lines:
        lines[-1] += "" if _line_end(lines, len(lines) - 1) else end
        lines.append(end)
    lines += [f"{WRITTEN_MARK}{end}", f"[{name}]{end}"]


def _taken_away(lines: list[str], section: IniSection, name: str) -> list[str]:
    """Take a key away if it is ours.

    :returns: its name, if it is not
    """
    key = section.keys[name]
    if not _is_marked(lines, key.line):
        return [name]
    for number in (*reversed(key.more), key.line, key.line - 1):
        del lines[number]
    return []


def _drop_empty(lines: list[str], name: str, before: str) -> None:
    """A section that we have made goes with its last line, and with it the blank line that we put before it."""
    section = find_section(lines, name)
    if section is None or "".join(lines) == before or not _is_marked(lines, section.header):
        return
    body = lines[section.header + 1 : section.end]
    if section.end < len(lines) and body and body[-1].strip() == WRITTEN_MARK:
        body.pop()  # it is that of the next header
    if any(line.strip() for line in body):
        return
    first = section.header - 1
    if first > 0 and not lines[first - 1].strip():
        first -= 1
    del lines[first : section.header + 1]


def _prove(
    old: dict[str, dict[str, str]], new: dict[str, dict[str, str]], section: str, after: Mapping[str, str | None]
) -> None:
    """Look at the new file as the program will: nothing but our keys is another than before."""
    rest = {key: value for key, value in old.get(section, {}).items() if key not in after}
    wanted = {**old, section: {**rest, **{key: value for key, value in after.items() if value is not None}}}
    if {**new, section: new.get(section, {})} != wanted:
        raise IniFault("its keys cannot be changed without changing how other lines are read")


def _is_marked(lines: list[str], number: int) -> bool:
    return number > 0 and lines[number - 1].strip() == WRITTEN_MARK


def _line_end(lines: list[str], number: int) -> str:
    line = lines[number]
    return line[len(line.rstrip("\r\n")) :]


def _usual_end(lines: list[str]) -> str:
    return (_line_end(lines, 0) if lines else "") or "\n"
