# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema of the report of ``verify``, made from its dataclasses.

``python -m ansible_collections.mailroom.erp.tests.tools.report_schema`` writes it anew; a test compares.
"""

from __future__ import annotations

import json
import types
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ansible_collections.mailroom.erp.plugins.plugin_utils.verify import report_model

FILE = Path(__file__).parents[2] / "docs" / "schema" / "report-1.json"
_PLAIN = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    types.NoneType: {"type": "null"},
}


def schema_text() -> str:
    """The schema as it stands in its file."""
    parts: dict[str, Any] = {}
    top = _object(report_model.VerifyReport, parts)
    top["properties"]["schema"] = {"const": report_model.REPORT_SCHEMA}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "The report of mailroom.erp.verify"}
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


if __name__ == "__main__":
    FILE.write_text(schema_text())
