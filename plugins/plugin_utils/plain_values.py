# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Values from Ansible's variables as ordinary Python: no tags, no subclasses, text as keys."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def plain_value(value: object) -> Any:
    """Copy a templated value into str, int, float, bool, None, list and dict with str keys.

    ansible-core hands over subclasses of these that carry tags; neither YAML nor a comparison should see them.

    :param value: any templated value
    :returns: an equal value of exact built-in types; anything else becomes its text
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return "".join((value, ""))
    if isinstance(value, int | float):
        return int(value) if isinstance(value, int) else float(value)
    if isinstance(value, Mapping):
        return {plain_value(str(key)): plain_value(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not hasattr(value, "isalnum") and not isinstance(value, bytes):
        return [plain_value(item) for item in value]
    return "".join((str(value), ""))


def whole_result(result: Mapping[str, Any]) -> dict[str, Any]:
    """Put what a module returned as one text (its option ``as_text``) back among what it returned.

    :param result: plain
    :raises ValueError: its text is no JSON
    """
    inside: dict[str, Any] = json.loads(result.get("text", "{}"))
    return {name: value for name, value in result.items() if name != "text"} | inside


def canonical_json(value: object) -> str:
    """One text for equal values, to compare and to sort by.

    :param value: plain; what JSON does not have becomes its text
    """
    return json.dumps(value, sort_keys=True, default=str)


def untemplated(option: str, values: Mapping[str, Any]) -> list[str]:
    """Name the values of an option that are still templates. No value is shown.

    ansible-core 2.18 leaves a template as it stands when a variable in it is not defined.

    :param option: what the dictionary is called in messages, e.g. dns
    :param values: its suboptions by name, plain
    :returns: one sentence each
    """
    names = sorted(name for name, value in values.items() if isinstance(value, str) and "{{" in value)
    return [f"{option}.{name} refers to a variable that is not defined in this run" for name in names]
