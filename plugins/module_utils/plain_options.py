# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Options as Ansible's validator makes them. Those that are of their types already are read without it: it would take
most of the time to read thousands of domains. Whatever is not plainly right is left to it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.numbers import wrong_numbers

_KNOWN = frozenset({"type", "default", "choices", "elements", "options", "no_log", "required"})
"""What an option may have; the rest, such as aliases, is the validator's."""
_TYPES: dict[str, type] = {"str": str, "bool": bool, "int": int, "dict": dict, "list": list}


class NeedsValidator(Exception):
    """The validator has to look."""


def validated_options(spec: ArgumentSpec, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The options with their types and defaults.

    :param spec: what may be given, as AnsibleModule takes it
    :param given: the options
    :returns: all options of the spec by name, in a copy; and what is wrong, one sentence each, empty for nothing
    :raises TypeError: a dictionary is wanted where none is, deeper than the validator looks
    """
    try:
        return plain_options(spec, given), []
    except NeedsValidator:
        return _by_validator(spec, given)


def _by_validator(spec: ArgumentSpec, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    try:
        result = ArgumentSpecValidator(spec).validate(dict(given))
    except OverflowError:  # what it makes of infinity
        endless = [f"{problem.where}: {problem.value} is no number" for problem in wrong_numbers(given)]
        return {}, endless or ["a number in it is none"]
    return dict(result.validated_parameters), list(result.error_messages)


def plain_options(spec: ArgumentSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options with their defaults, as ``ArgumentSpecValidator`` gives them.

    :param spec: what may be given, as AnsibleModule takes it
    :param given: the options
    :returns: all options of the spec by name, in a copy
    :raises NeedsValidator: something may have to be changed or be wrong
    """
    if not spec.keys() >= given.keys() or None in given.values():
        raise NeedsValidator
    found: dict[str, Any] = {}
    for name, option in spec.items():
        value = given.get(name)
        if not _KNOWN.issuperset(option) or (value is None and option.get("required")):
            raise NeedsValidator
        found[name] = deepcopy(option.get("default")) if value is None else _plain(option, value)
    return found


def _plain(option: Mapping[str, Any], value: Any) -> Any:
    kind, options = option.get("type", "str"), option.get("options")
    if kind == "raw":
        return deepcopy(value)
    if not _is_of(kind, value):
        raise NeedsValidator
    if kind == "dict":
        return deepcopy(value) if options is None else plain_options(options, value)
    if kind == "list":
        element = {**option, "type": option.get("elements", "raw")}
        return [_plain(element, one) for one in value]
    if option.get("choices") is not None and value not in option["choices"]:
        raise NeedsValidator
    return value


def _is_of(kind: str, value: Any) -> bool:
    """Whether a value is of a type that the validator leaves as it is; a boolean is none of the whole numbers."""
    wanted = _TYPES.get(kind)
    return wanted is not None and isinstance(value, wanted) and (wanted is not int or not isinstance(value, bool))
