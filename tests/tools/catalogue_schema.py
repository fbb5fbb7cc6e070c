# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schemas of the catalogue's files, made from the argument specs that check them at run time.

``python -m ansible_collections.mailroom.erp.tests.tools.catalogue_schema`` writes them anew; a test compares.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue import catalogue_loader, catalogue_shape

FOLDER = Path(catalogue_loader.__file__).parent / "schema"
_TYPES = {"str": "string", "int": "integer", "bool": "boolean"}
_DATE = {"type": "string", "pattern": r"^(unknown|[0-9]{4}-[0-9]{2}(-[0-9]{2})?)$"}
_DAY = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_UNKNOWN = {"const": "unknown"}


def schemas() -> dict[str, dict[str, Any]]:
    """Both schemas by file name."""
    return {
        "service.schema.json": _schema("A sending service", catalogue_shape.SERVICE_SHAPE),
        "system.schema.json": _schema("An ERP system", catalogue_shape.SYSTEM_SHAPE),
    }


def text(schema: dict[str, Any]) -> str:
    """A schema as it stands in its file."""
    return json.dumps(schema, indent=2) + "\n"


def _schema(title: str, spec: ArgumentSpec) -> dict[str, Any]:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    found = _object(spec)
    for name in (name for name in found["properties"] if name in catalogue_shape.KEYED_PARTS):
        found["properties"][name] = _keyed(catalogue_shape.KEYED_PARTS[name])
    return {**head, "description": "docs/catalogue.md explains it.", **found}


def _keyed(spec: ArgumentSpec) -> dict[str, Any]:
    names = {"^[a-z][a-z0-9_]*$": _object(spec)}
    return {"type": "object", "additionalProperties": False, "patternProperties": names}


def _object(spec: ArgumentSpec) -> dict[str, Any]:
    required = [name for name, option in spec.items() if option.get("required")]
    properties = {name: _property(name, option) for name, option in spec.items()}
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _property(name: str, option: dict[str, Any]) -> dict[str, Any]:
    if name in ("date", "check_after"):
        return _DATE if name == "date" else _DAY
    found = _value(option)
    is_fact = "source" in option.get("options", {}) and "value" in option["options"]
    return {"anyOf": [_UNKNOWN, found]} if is_fact else found


def _value(option: dict[str, Any]) -> dict[str, Any]:
    kind = option["type"]
    if kind == "dict":
        return _fact_or_object(option["options"]) if "options" in option else {"type": "object"}
    if kind == "list":
        return {"type": "array", "items": _value({**option, "type": option["elements"]})}
    if kind == "raw":
        return {}
    return {"type": _TYPES[kind], **({"enum": list(option["choices"])} if "choices" in option else {})}


def _fact_or_object(options: ArgumentSpec) -> dict[str, Any]:
    found = _object(options)
    if "value" in options:  # a value that nobody gave is the word unknown, with the source that leaves it open
        found["properties"]["value"] = {"anyOf": [_UNKNOWN, found["properties"]["value"]]}
    return found


if __name__ == "__main__":
    for name, schema in schemas().items():
        (FOLDER / name).write_text(text(schema), encoding="utf-8")
