# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Names and shapes of options, checked by their argument spec before a module starts: no message ever shows a value.

A name that no argument spec has makes Ansible print its value in ``invocation``, and a value of a wrong shape goes past
whatever looks into it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.module_utils.common.validation import check_type_bool, check_type_float, check_type_int
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.numbers import is_number

OwnCheck = Callable[[object], "list[str]"]
"""Checks the whole value of one option, in place of the argument spec: gives one sentence per broken rule."""

_NAME = re.compile(r"[\w.-]{1,64}")
_NO_NAME = re.compile(r"""[\s{}\[\]"'=:]""")
_TYPES: dict[str, tuple[str, Callable[[Any], object]]] = {
    "bool": ("boolean: true or false", check_type_bool),
    "float": ("number", check_type_float),
    "int": ("whole number (int)", check_type_int),
}
_CONTAINERS = (Mapping, list, tuple, set, frozenset)


def wrong_options(
    spec: ArgumentSpec, given: Mapping[Any, Any], own: Mapping[str, OwnCheck], place: str = "", values: bool = False
) -> list[str]:
    """Find the options that do not exist and the values of a wrong shape, at every depth.

    :param spec: what may be given, as AnsibleModule takes it
    :param given: what a user gave; None means "not given"
    :param own: the options that have a check of their own, by name, at the top
    :param place: the path of the option that holds ``given``, empty at the top
    :param values: whether texts, numbers and choices are checked too; otherwise that is left to Ansible
    :returns: one sentence per broken rule; none quotes a value
    """
    problems = unknown_options(spec, given, place)
    for name, option in spec.items():
        value = given.get(name)
        if value is None:
            continue
        if name in own:
            problems += own[name](value)
        else:
            problems += _wrong(option, value, f"{place}{name}", values)
    return problems


def unknown_options(spec: ArgumentSpec, names: Iterable[Any], place: str = "") -> list[str]:
    """Find the names that are no options.

    :param spec: what may be given
    :param names: what was given
    :param place: see :func:`wrong_options`
    :returns: one sentence per name
    """
    known = {*spec, *(alias for option in spec.values() for alias in option.get("aliases", []))}
    unknown = sorted({str(name) for name in names} - known)
    return [f"there is no such option: {place}{shown_name(name)}; {_hint(spec, name, place)}" for name in unknown]


def wrong_value(option: Mapping[str, Any], value: object, place: str) -> list[str]:
    """Check the value of one option by its type and its choices, at every depth.

    :param option: its part of an argument spec
    :param value: what was given, not None
    :param place: its path
    :returns: one sentence per broken rule, without the value
    """
    return _wrong(option, value, place, True)


def shown_name(name: object) -> str:
    """A name that a user gave, as a message may show it; what does not look like a name may be a secret.

    :param name: of an option or a domain
    """
    return str(name) if _NAME.fullmatch(str(name)) else "(something that is no name)"


def is_name_text(value: object) -> bool:
    """Tell whether a value is one text that could be a name, not data in the form of a text.

    :param value: anything
    """
    return not isinstance(value, (*_CONTAINERS, bool)) and _NO_NAME.search(str(value).strip()) is None


def _hint(spec: ArgumentSpec, name: str, place: str) -> str:
    owners = [outer for outer, option in spec.items() if name in (option.get("options") or {})]
    if owners:
        return f"it belongs into {owners[0]}: " + " or ".join(f"{place}{outer}.{name}" for outer in owners)
    close = difflib.get_close_matches(name, spec, n=1)
    return f"did you mean {place}{close[0]}?" if close else f"the options are: {', '.join(spec)}"


def _wrong(option: Mapping[str, Any], value: object, place: str, values: bool) -> list[str]:
    kind = option.get("type", "str")
    if kind == "dict":
        if not isinstance(value, Mapping):
            return [f"{place} must be a dictionary, not a {_called(value)}"]
        return wrong_options(option["options"], value, {}, f"{place}.", values) if option.get("options") else []
    if kind == "list":
        return _wrong_list(option, value, place, values)
    if kind != "raw" and isinstance(value, _CONTAINERS):
        return [f"{place} must be one value, not a {_called(value)}"]
    return _wrong_scalar(option, value, place) if values else []


def _wrong_list(option: Mapping[str, Any], value: object, place: str, values: bool) -> list[str]:
    elements = option.get("elements", "str")
    element = {**option, "type": elements}
    if not isinstance(value, (list, tuple)):
        if elements == "dict" or isinstance(value, _CONTAINERS):
            return [f"{place} must be a list, not a {_called(value)}"]
        return _wrong(element, value, place, False)  # Ansible takes a text for a list with commas
    return [
        rule
        for number, inner in enumerate(value)
        if inner is not None or elements == "dict"
        for rule in _wrong(element, inner, f"{place}[{number}]", values)
    ]


def _wrong_scalar(option: Mapping[str, Any], value: object, place: str) -> list[str]:
    kind, choices = option.get("type", "str"), option.get("choices")
    if kind in _TYPES and not _is_of(kind, value):
        return [f"{place} must be a {_TYPES[kind][0]}"]
    if choices and str(value) not in choices:
        return [f"value of {place} must be one of: {', '.join(choices)}"]
    return []


def _is_of(kind: str, value: Any) -> bool:
    """Whether a value is of a type for Ansible, and for a person too: see ``numbers``."""
    if kind != "bool" and not is_number(value):
        return False
    try:
        _TYPES[kind][1](value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _called(value: object) -> str:
    """The type of a value as Python names it, without what Ansible marks it with."""
    kinds: tuple[type, ...] = (bool, str, int, float, list, tuple)
    plain = next((one for one in kinds if isinstance(value, one)), type(value))
    return "dict" if isinstance(value, Mapping) else plain.__name__
