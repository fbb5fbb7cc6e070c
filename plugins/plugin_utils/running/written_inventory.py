# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The variables of any host as they were written: nothing is templated, and nothing is decrypted.

A value that refers to other variables is followed, because an inventory says most things that way; what is left of it
when that comes to an end, such as a lookup, is compared as text.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ansible import context
from ansible.errors import AnsibleError
from ansible.inventory.helpers import sort_groups
from ansible.inventory.host import Host
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.utils.vars import combine_vars
from ansible.vars.manager import VariableManager

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_REFERENCE = re.compile(rf"\{{\{{\s*({_NAME}(?:\.{_NAME}|\[['\"][^'\"]+['\"]\])*)\s*\}}\}}")
_STEP = re.compile(rf"^{_NAME}|\.({_NAME})|\[['\"]([^'\"]+)['\"]\]")
_MARKS = ("{{", "{%", "{#")
_MOST_REFERENCES = 20
_MOST_STEPS = 10_000
"""A value of a few lines may refer to itself in so many ways that nobody sees the end."""

_NOBODY = "no_host_of_any_customer"
_OF_THE_INVENTORY = ("inventory_dir", "inventory_file")
_MISSING = object()


def is_template(value: object) -> bool:
    """Whether some text of a value is still a template, so that nobody can tell what it says.

    :param value: as :meth:`WrittenVariables.value` gives it
    """
    if isinstance(value, str):
        return any(mark in value for mark in _MARKS)
    if isinstance(value, Mapping):
        return any(is_template(one) for pair in value.items() for one in pair)
    return isinstance(value, list) and any(is_template(one) for one in value)


class _Steps:
    """How far references are followed: in no circle, not too deep, and not too many for one value."""

    def __init__(self) -> None:
        self._chain: list[str] = []
        self._all = 0

    def may_follow(self, path: str) -> bool:
        return path not in self._chain and len(self._chain) < _MOST_REFERENCES and self._all < _MOST_STEPS

    @contextlib.contextmanager
    def into(self, path: str) -> Iterator[None]:
        self._chain.append(path)
        self._all += 1
        yield
        self._chain.pop()


class WrittenVariables:
    """What is written for one host.

    :param raw: by name
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw

    def __contains__(self, name: object) -> bool:
        return name in self.raw

    def referred(self, name: str) -> Any:
        """The raw value of a variable, or of the one that it does nothing but refer to; None when there is none."""
        return self._end_of(self.raw.get(name), _Steps())

    def value(self, name: str) -> Any:
        """A variable with all that it refers to put in; None when there is none.

        :returns: plain Python; text that is still a template stays one, and what is encrypted becomes a text, the same
            for the same encrypted text
        """
        return self.filled(self.raw.get(name))

    def filled(self, given: Any) -> Any:
        """Put into a raw value all that it refers to; see :meth:`value`.

        :param given: raw
        """
        return self._filled(given, _Steps())

    def _filled(self, given: Any, steps: _Steps) -> Any:
        if given is None or isinstance(given, (bool, int, float)):
            return given
        encrypted = getattr(given, "_ciphertext", None)
        if encrypted is not None:
            text = encrypted if isinstance(encrypted, bytes) else str(encrypted).encode()
            return f"(encrypted {hashlib.sha256(b''.join(text.split())).hexdigest()})"
        if isinstance(given, str):
            return self._filled_text("".join((given, "")), steps)
        if isinstance(given, Mapping):
            return {str(self._filled(key, steps)): self._filled(one, steps) for key, one in given.items()}
        return [self._filled(one, steps) for one in given] if isinstance(given, Sequence) else "{{ not known }}"

    def _filled_text(self, text: str, steps: _Steps) -> Any:
        whole = _REFERENCE.fullmatch(text.strip())
        return self._put_in(whole, text, steps) if whole else _REFERENCE.sub(lambda one: self._part(one, steps), text)

    def _part(self, match: re.Match[str], steps: _Steps) -> str:
        inner = self._put_in(match, match[0], steps)
        return str(inner) if isinstance(inner, (str, int)) and not isinstance(inner, bool) else match[0]

    def _put_in(self, reference: re.Match[str], text: str, steps: _Steps) -> Any:
        """What a reference names, filled in; the text itself where it names nothing, or leads too far."""
        path = reference[1]
        if not steps.may_follow(path):
            return text
        with steps.into(path):
            found = self._at(path, steps)
            return text if found is _MISSING else self._filled(found, steps)

    def _at(self, path: str, steps: _Steps) -> Any:
        """What a reference such as ``tenants.acme`` or ``tenants['acme']`` names."""
        first, *keys = [next(filter(None, match.groups()), match[0]) for match in _STEP.finditer(path)]
        found = self.raw.get(first, _MISSING)
        for key in keys:
            inner = self._end_of(found, steps)
            found = inner.get(key, _MISSING) if isinstance(inner, Mapping) else _MISSING
        return found

    def _end_of(self, given: Any, steps: _Steps) -> Any:
        whole = _REFERENCE.fullmatch(given.strip()) if isinstance(given, str) else None
        if whole is None or not steps.may_follow(whole[1]):
            return given
        with steps.into(whole[1]):
            found = self._at(whole[1], steps)
            return given if found is _MISSING else self._end_of(found, steps)


class WrittenInventory:
    """What is written for each host of an inventory, and for all of them.

    To gather the variables of all hosts is what costs, so it is done once in a run: before its first play, when hosts
    are chosen. Processes that Ansible starts for tasks inherit that.

    :param hostvars: the variable of that name, which holds Ansible's own keepers of hosts and variables; None before
        the first play of a run, when there is no such variable: then the inventory is read anew
    :param in_play: hosts of which the run may know more by now, so that their variables are gathered again
    """

    _of_this_run: ClassVar[WrittenInventory | None] = None
    """What was read before the first play."""

    def __init__(self, hostvars: Any, in_play: Collection[str] = ()) -> None:
        if hostvars is None:
            self._inventory, self._manager = _read_anew()
            WrittenInventory._of_this_run = self
        else:
            self._inventory, self._manager = hostvars._inventory, hostvars._variable_manager
        self._in_play = frozenset(in_play)
        self._known: dict[str, WrittenVariables] = {}
        self._nobody: dict[str, Any] | None = None
        self.unreadable: set[str] = set()
        """Hosts of which only a part is known, because a file of theirs is encrypted."""

    @property
    def hosts(self) -> list[str]:
        """The names of all hosts, sorted."""
        return sorted(map(str, self._inventory.hosts))

    @property
    def told(self) -> Mapping[str, Any]:
        """What was given on the command line, raw."""
        extra: Mapping[str, Any] = self._manager.extra_vars
        return extra

    def of(self, host: str) -> WrittenVariables:
        """What is written for one host.

        :param host: its name
        """
        if host not in self._known:
            found = self._inventory.get_host(host)
            self._known[host] = self._read_before(found) or WrittenVariables(self._raw(found))
        return self._known[host]

    def for_all(self, host: str) -> WrittenVariables:
        """What is written for all hosts, as a host sees it that is in no group: what a provider shares.

        :param host: whose folder of the inventory such values may refer to
        """
        if self._nobody is None:
            self._nobody = self._raw(Host(_NOBODY))
        place = {name: value for name, value in self.of(host).raw.items() if name in _OF_THE_INVENTORY}
        return WrittenVariables({**self._nobody, **place})

    def matching(self, pattern: Any) -> list[str]:
        """The hosts of a pattern, as a play takes them with ``--limit``.

        :param pattern: a text or a list of them
        """
        return [str(host.name) for host in self._inventory.get_hosts(pattern)]

    def _read_before(self, host: Any) -> WrittenVariables | None:
        """What was read before the first play, if it is still the same host and all of it could be read."""
        before, name = WrittenInventory._of_this_run, str(host.name)
        if before is None or before is self or name in self._in_play or name not in before._known:
            return None
        sources = [tuple(map(str, one._inventory._sources)) for one in (before, self)]
        is_same = sources[0] == sources[1] and before.told == self.told
        same_groups = _groups_of(host) == _groups_of(before._inventory.get_host(name))
        return before._known[name] if is_same and same_groups and name not in before.unreadable else None

    def _raw(self, host: Any) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._manager.get_vars(host=host, include_hostvars=False)
        except AnsibleError:  # a file that is encrypted as a whole
            self.unreadable.add(str(host.name))
            found = {}
            for part in (*sort_groups(host.get_groups()), host):
                found = combine_vars(found, self._without_closed_files(part))
        return found

    def _without_closed_files(self, part: Any) -> dict[str, Any]:
        """What is written for a group or a host, but for files that this run cannot decrypt."""
        found: dict[str, Any] = part.get_vars()
        folder = "host_vars" if isinstance(part, Host) else "group_vars"
        loader = self._inventory._loader
        for source in self._inventory._sources:
            place = os.path.join(source if os.path.isdir(source) else os.path.dirname(source), folder)
            for file in loader.find_vars_files(place, part.name) if os.path.isdir(place) else ():
                with contextlib.suppress(AnsibleError):
                    found = combine_vars(found, loader.load_from_file(file) or {})
        return found


def _groups_of(host: Any) -> list[str]:
    return sorted(str(group.name) for group in host.get_groups())


def _read_anew() -> tuple[InventoryManager, VariableManager]:
    """Read the inventory of this run, as ansible-playbook does before its first play."""
    told, loader = context.CLIARGS, DataLoader()
    inventory = InventoryManager(loader=loader, sources=told["inventory"])
    inventory.subset(told["subset"])
    return inventory, VariableManager(loader=loader, inventory=inventory)
