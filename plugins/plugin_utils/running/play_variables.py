# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The variables of all hosts of a play, in one task: as that task would see them on each host, each templated once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ansible.errors import AnsibleError
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import (
    canonical_json,
    plain_value,
    whole_result,
)
from jinja2 import Environment, TemplateError, nodes

_TEMPLATES = ("{{", "{%", "{#")
_PURE_FILTERS = ("default", "d", "mailroom.erp.beside_inventory")
"""Those of the defaults of our roles, which all hosts share; others might give each host its own value."""
_OF_ALL = {"hostvars", "groups", "vars"}


class UnreadableVariable(Exception):
    """A variable cannot be templated. The message is the rule that is broken, and quotes no value."""

    def __init__(self) -> None:
        super().__init__(
            "it cannot be templated: a variable that it refers to is not defined, or the vault is not open"
        )


def kept_result(variables: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The result of an earlier task, as it is kept: to pass it as an option would template all of it again.

    :param variables: of the task's host, raw
    :param name: what the task registered
    :returns: the result as ordinary Python, with what its ``text`` says in JSON; empty for a task that was skipped or
        never ran
    """
    result = variables.get(name) or {}
    return {} if result.get("skipped") else whole_result(plain_value(result))


class PlayVariables:
    """Gives the variables of one host after the other.

    :param task: the task of the action plugin
    :param variables: those of the host that it runs for, raw
    :param templar: of the action plugin
    """

    def __init__(self, task: Any, variables: Mapping[str, Any], templar: Any) -> None:
        self._hostvars = variables["hostvars"]
        self._task = task
        # one for all hosts: it remembers the templates that it has compiled
        self._templar = templar.copy_with_new_env(available_variables=dict(variables))
        self._hosts = {"_hosts": variables["ansible_play_hosts"], "_hosts_all": variables["ansible_play_hosts_all"]}
        self._shared: dict[Any, tuple[object, Any]] = {}
        """The plain forms of values that hosts share: by identity, those of templates also by what they are made of."""

    def of(self, host: str) -> HostView:
        """Read the variables of one host.

        :param host: a host of the play
        """
        # as the strategy does for each host of a task; hostvars leave out what plays and roles define
        manager = self._hostvars._variable_manager
        found = manager.get_vars(
            play=_play_of(self._task),
            host=self._hostvars._inventory.get_host(host),
            task=self._task,
            include_hostvars=False,
            **self._hosts,
        )
        return HostView({**found, "hostvars": self._hostvars}, self._templar, self._shared)


class HostView:
    """The variables of one host.

    :param raw: untemplated, by name
    :param templar: takes the variables of one host after the other
    :param shared: plain forms that other hosts may have, too
    """

    def __init__(self, raw: Mapping[str, Any], templar: Any, shared: dict[Any, tuple[object, Any]]) -> None:
        self.raw = raw
        self._templar = templar
        self._shared = shared

    def with_raw(self, name: str, raw: Any) -> HostView:
        """The same variables, but for one.

        :param name: the variable
        :param raw: its value, not templated yet
        """
        return HostView({**self.raw, name: raw}, self._templar, self._shared)

    @property
    def templar(self) -> Any:
        """A templar that knows this host's variables, until another host's is asked for."""
        self._templar.available_variables = self.raw
        return self._templar

    def value(self, name: str) -> Any:
        """Template a variable.

        :param name: the variable
        :returns: its value as ordinary Python; None when there is none, or it is omitted
        :raises UnreadableVariable: a variable that it refers to is not defined, or the vault is not open
        """
        given = self.raw.get(name)
        known = self._shared.get(id(given))
        if known is not None:
            return known[1]
        if is_constant(given):
            plain = plain_value(given)
            self._shared[id(given)] = (given, plain)
            return plain
        key = self._decisive(given)
        known = self._shared.get(key) if key else None
        plain = known[1] if known else self._templated(given)
        if key:
            self._shared[key] = (given, plain)
        return None if plain == plain_value(self.raw.get("omit")) else plain

    def _decisive(self, given: Any) -> tuple[int, str] | None:
        """What decides the value of a template that reads constants only: its identity, and those."""
        names = names_read(str(given)) if isinstance(given, str) else None
        if names is None or names & _OF_ALL or not all(is_constant(self.raw.get(name)) for name in names):
            return None
        return id(given), canonical_json({name: plain_value(self.raw[name]) for name in names if name in self.raw})

    def _templated(self, given: Any) -> Any:
        try:
            return plain_value(self.templar.template(given))
        except (AnsibleError, TemplateError):
            # the error's own text may quote the value
            raise UnreadableVariable from None


@lru_cache(maxsize=256)
def names_read(template: str) -> frozenset[str] | None:
    """The variables of which alone a template is made; None for one that calls, includes, filters in other ways, or
    says how it is to be read (``#jinja2:``).

    :param template: its text
    """
    if template.startswith("#jinja2:"):
        return None
    try:
        tree = Environment().parse(template)
    except TemplateError:
        return None
    parts = tree.find_all((nodes.Call, nodes.Include, nodes.Import, nodes.FromImport, nodes.Filter))
    if any(not isinstance(part, nodes.Filter) or part.name not in _PURE_FILTERS for part in parts):
        return None
    return frozenset(name.name for name in tree.find_all(nodes.Name))


def is_constant(value: object) -> bool:
    """Tell whether a raw value is the same for every host: nothing in it is a template or encrypted.

    :param value: raw, as a variables file holds it
    """
    if value is None or isinstance(value, bool | int | float):
        return True
    if isinstance(value, str):
        return not any(sign in value for sign in _TEMPLATES)
    if isinstance(value, Mapping):
        return all(is_constant(key) and is_constant(item) for key, item in value.items())
    return isinstance(value, list | tuple) and all(is_constant(item) for item in value)


def _play_of(task: Any) -> Any:
    """The play of a task, which may stand in blocks and included files."""
    parent = task
    while getattr(parent, "_play", None) is None:
        parent = parent._parent
    return parent._play
