# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Reads plain data back into the dataclasses that it was made of, by their type hints; a wrong shape is told."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

_Part = TypeVar("_Part")
_DEEPEST = 100
"""Steps from the top to a value; one level of an SPF tree takes four."""
_LARGEST_NUMBER = 10**12
_NAMES: Mapping[Any, str] = {str: "text", int: "a whole number", bool: "true or false", types.NoneType: "null"}


def typed_part(kind: type[_Part], data: object) -> _Part:
    """Make a dataclass of plain data.

    :param kind: a dataclass of texts, whole numbers, booleans, tuples, Literals, other dataclasses, and None
    :param data: as JSON has it; more than the dataclass has is passed over
    :raises ValueError: a part is missing or has another shape; the message says which
    """
    part: _Part = _value(kind, data, ())
    return part


def _value(hint: Any, data: object, place: tuple[str, ...]) -> Any:
    if len(place) > _DEEPEST:
        raise ValueError(f"{'.'.join(place[:8])}...: it is nested too deeply")
    origin, inner = get_origin(hint), get_args(hint)
    if origin is tuple:
        return tuple(_items(inner[0], data, place))
    if origin is Literal:
        return _one_of(inner, data, place)
    if origin is not None:
        return None if data is None else _value(inner[0], data, place)
    if hint in _NAMES:
        return _plain(hint, data, place)
    return _object(hint, data, place)


def _object(kind: type, data: object, place: tuple[str, ...]) -> Any:
    if not isinstance(data, Mapping):
        raise _wrong(place, "an object")
    hints = _hints(kind)
    # report_data takes the underline off a name that is a word of Python
    keys = {one.name: one.name.rstrip("_") for one in fields(kind)}
    missing = [key for key in keys.values() if key not in data]
    if missing:
        raise ValueError(f"{'.'.join((*place, missing[0]))}: it is missing")
    return kind(**{name: _value(hints[name], data[key], (*place, key)) for name, key in keys.items()})


def _items(hint: Any, data: object, place: tuple[str, ...]) -> Iterator[Any]:
    if not isinstance(data, list):
        raise _wrong(place, "a list")
    for number, one in enumerate(data):
        yield _value(hint, one, (*place, str(number)))


def _one_of(choices: tuple[Any, ...], data: object, place: tuple[str, ...]) -> Any:
    if not isinstance(data, str) or data not in choices:
        raise _wrong(place, f"one of {', '.join(choices)}")
    return data


def _plain(hint: Any, data: object, place: tuple[str, ...]) -> Any:
    is_other = isinstance(data, bool) and hint is not bool
    if is_other or not isinstance(data, hint):
        raise _wrong(place, _NAMES[hint])
    if hint is int and isinstance(data, int) and abs(data) > _LARGEST_NUMBER:
        raise _wrong(place, f"a number of at most {_LARGEST_NUMBER}")
    return data


def _wrong(place: tuple[str, ...], wanted: str) -> ValueError:
    return ValueError(f"{'.'.join(place) or 'the whole'}: wanted is {wanted}")


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
