# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The files of an inventory that a person may have edited: what they declare, and how they are added to.

Nothing of what is there is written anew: lines are put in, and the new text is read again to see that it says what the
old one said, and what was added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import alabels_of
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused, RuleSource

_DOMAINS, _HOSTS = "mail_dns_domains", "hosts"
_SUFFIXES = (".yml", ".yaml")
_RULES = RuleSource("docs/adopt.md")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """A domain that a file declares: its lines there, from 0, the last one included; ``declared`` is what it says."""

    file: Path
    first: int
    last: int
    declared: Any


@dataclass(frozen=True, slots=True)
class HostsPlace:
    """Where the next host of a group would stand."""

    column: int
    end: int


@dataclass(slots=True)
class InventoryFile:
    """One YAML file. ``column`` and ``end`` are where the next domain would stand; None where it declares none in a
    way that could be added to; ``groups`` are those whose hosts stand one per line; ``hosts`` what each host declares
    there."""

    path: Path
    text: str
    entries: dict[str, KnownEntry] = field(default_factory=dict)
    hosts: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, HostsPlace] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    column: int | None = None
    end: int | None = None
    edits: list[tuple[int, int, list[str]]] = field(default_factory=list)

    def add(self, lines: list[str]) -> None:
        """Put in an entry behind the last one.

        :param lines: without indentation
        :raises Refused: the file does not declare domains in a way that can be added to
        """
        if self.column is None or self.end is None:
            rule = f"it has no {_DOMAINS} of one domain per line, so that none can be added"
            way_out = "Write it in block style, or move the file out of the inventory and run again."
            raise Refused(_RULES.problem("adopt", "mail_adopt_dir", str(self.path), rule, way_out))
        self._put(self.column, self.end, lines)

    def add_host(self, group: str, lines: list[str]) -> None:
        """Put in a host behind the last one of a group.

        :param group: one of ``groups``
        :param lines: without indentation
        """
        self._put(self.groups[group].column, self.groups[group].end, lines)

    def _put(self, column: int, end: int, lines: list[str]) -> None:
        place, new = end + 1, [" " * column + line for line in lines]
        there = next((one for one in self.edits if one[:2] == (place, place)), None)
        if there:
            there[2].extend(new)
        else:
            self.edits.append((place, place, new))

    def change(self, entry: KnownEntry, lines: list[str]) -> None:
        """Put in an entry in the place of one that is there.

        :param entry: of this file
        :param lines: without indentation
        """
        margin = " " * (len(self._lines[entry.first]) - len(self._lines[entry.first].lstrip()))
        self.edits.append((entry.first, entry.last + 1, [margin + line for line in lines]))

    def lines_of(self, entry: KnownEntry) -> list[str]:
        """The lines of an entry of this file."""
        return self._lines[entry.first : entry.last + 1]

    def edited(self) -> str:
        """The text with what was put in.

        :raises Refused: it would not say what the old one said beside that
        """
        if not self.edits:
            return self.text
        lines = self._lines
        for first, after, new in sorted(self.edits, key=lambda one: one[0], reverse=True):
            lines[first:after] = new
        text = "\n".join(lines) + "\n"
        changed = {name for name, one in self.entries.items() if any(one.first == edit[0] for edit in self.edits)}
        kept = {name: one.declared for name, one in self.entries.items() if name not in changed}
        new_file = read_inventory_file(self.path, text)
        still = {name: one.declared for name, one in new_file.entries.items() if name in kept}
        if still != kept or {name: new_file.hosts.get(name) for name in self.hosts} != self.hosts:
            rule, way_out = "it cannot be added to without changing what stands there", "Write it in plain block style."
            raise Refused(_RULES.problem("adopt", "mail_adopt_dir", str(self.path), rule, way_out))
        return text

    @property
    def _lines(self) -> list[str]:
        return self.text.splitlines()


def read_inventory(folder: Path) -> dict[Path, InventoryFile]:
    """Read all YAML files of an inventory.

    :param folder: need not exist
    :raises Refused: a file cannot be read, or is no YAML
    """
    files = sorted(one for one in folder.rglob("*") if one.suffix in _SUFFIXES and one.is_file())
    visible = [one for one in files if not any(part.startswith(".") for part in one.relative_to(folder).parts)]
    return {file: _from_disk(file) for file in visible}


def read_inventory_file(path: Path, text: str) -> InventoryFile:
    """Read the text of one file.

    :param path: where it is
    :param text: may be encrypted as a whole; then it declares nothing that can be seen
    :raises Refused: it is no YAML
    """
    found = InventoryFile(path, text)
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        rule, way_out = f"it is no YAML: {getattr(error, 'problem', None) or 'unreadable'}", "Mend the file."
        raise Refused(_RULES.problem("adopt", "mail_adopt_dir", str(path), rule, way_out)) from None
    try:
        for key, value in _pairs(root):
            found.keys.add(str(key.value))
            if key.value == _DOMAINS and isinstance(value, yaml.MappingNode):
                _take_domains(found, value)
            if isinstance(value, yaml.MappingNode):
                _take_hosts(found, str(key.value), value)
    except RecursionError:
        rule, way_out = "an alias stands inside what it names", "Mend the file."
        raise Refused(_RULES.problem("adopt", "mail_adopt_dir", str(path), rule, way_out)) from None
    return found


def _from_disk(file: Path) -> InventoryFile:
    try:
        return read_inventory_file(file, file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        rule, way_out = f"it cannot be read: {error}", "Let this user read it."
        raise Refused(_RULES.problem("adopt", "mail_adopt_dir", str(file), rule, way_out)) from None


def _pairs(node: Any) -> Iterator[tuple[Any, Any]]:
    """All keys of all mappings, with their values."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key, value
            yield from _pairs(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _pairs(item)


def _take_domains(found: InventoryFile, domains: Any) -> None:
    for key, value in domains.value:
        name = alabels_of(key.value)
        last = max(_last_line(key), _last_line(value))
        if name is not None:
            found.entries[name] = KnownEntry(found.path, key.start_mark.line, last, plain_node(value))
        if not domains.flow_style:
            found.column, found.end = key.start_mark.column, last


def _take_hosts(found: InventoryFile, group: str, inner: Any) -> None:
    for key, hosts in inner.value:
        if key.value == _HOSTS and isinstance(hosts, yaml.MappingNode):
            found.hosts |= {str(name.value): plain_node(value) for name, value in hosts.value}
            if hosts.value and not hosts.flow_style:
                found.groups[group] = HostsPlace(hosts.value[0][0].start_mark.column, _last_line(hosts))


def _last_line(node: Any) -> int:
    """The last line that a node has text on: the end of a block collection is that of the next token."""
    flow = getattr(node, "flow_style", None)
    if isinstance(node, yaml.ScalarNode) or flow or not node.value:
        mark = node.end_mark
        return int(mark.line - 1 if mark.column == 0 and mark.line > node.start_mark.line else mark.line)
    inner = [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
    return max(map(_last_line, inner))


def plain_node(node: Any) -> Any:
    """What a node says: dictionaries, lists and texts, whatever its tags are.

    :param node: composed, not constructed
    """
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): plain_node(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [plain_node(item) for item in node.value]
    return node.value
