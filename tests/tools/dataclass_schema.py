# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema of data that is made of dataclasses."""

from __future__ import annotations

import json
import types
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

_PLAIN = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    types.NoneType: {"type": "null"},
}


def dataclass_schema(part: type, name: str, title: str) -> str:
    """Write the schema.

    :param part: the dataclass of the whole
    :param name: what its field ``schema`` says
    :param title: what it is
    """
    parts: dict[str, Any] = {}
    top = _object(part, parts)
    top["properties"]["schema"] = {"const": name}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return json.dumps({**head, **top, "$defs": dict(sorted(parts.items()))}, indent=2) + "\n"


def _object(part: type, parts: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(part)
    names = [one.name for one in fields(part)]
    properties = {name.rstrip("_"): _value(hints[name], parts) for name in names}
    described = " ".join((part.__doc__ or "").replace("``", "").split())
    return {
        "description": described,
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def _value(hint: Any, parts: dict[str, Any]) -> dict[str, Any]:
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is tuple:
        return {"type": "array", "items": _value(inner[0], parts)}
    if origin is None:
        if hint.__name__ not in parts:
            parts[hint.__name__] = {}
            parts[hint.__name__] = _object(hint, parts)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    return {"anyOf": [_value(one, parts) for one in inner]}
