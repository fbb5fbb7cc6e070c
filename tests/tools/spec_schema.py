# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From argument specs to JSON Schema (draft 7, which editors know best), for values that stand in an inventory.

A template of Jinja is right wherever a value is, because only the run knows what comes of it; so is nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Schema = dict[str, Any]

JINJA_PATTERN = "\\{\\{|\\{%"
JINJA: Schema = {"type": ["string", "null"], "pattern": JINJA_PATTERN}
_SAYS = "patternErrorMessage"
"""What the YAML language server shows in place of a pattern."""
NOTHING: Schema = {"type": "null"}
_NUMBER = "^\\s*[+-]?[0-9]+(\\.[0-9]*)?([eE][+-]?[0-9]+)?\\s*$"
# Ansible's yes and no are texts to an editor that reads YAML 1.2
_YES_NO = "^([yY]es|[nN]o|[oO]n|[oO]ff|[tT]rue|[fF]alse)$"
_PLAIN: dict[str, Schema] = {
    "str": {"type": ["string", "number"]},
    "path": {"type": "string"},
    "bool": {"type": ["boolean", "string"], "pattern": _YES_NO, _SAYS: "It is true or false."},
    "int": {"type": ["integer", "string"], "pattern": "^\\s*[+-]?[0-9]+\\s*$", _SAYS: "It is a whole number."},
    "float": {"type": ["number", "string"], "pattern": _NUMBER, _SAYS: "It is a number."},
    "dict": {"type": "object"},
}


def given(schema: Schema) -> Schema:
    """A value that may be a template, or left out by ``null``. There is no "or" in it, so that an editor marks the very
    place that is wrong: what is said of dictionaries, numbers and texts holds for those only.

    :param schema: what it is else; it has a ``type``
    """
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if "string" not in kinds:
        rule = {_SAYS: f"It is of the type {' or '.join(kinds)}, or a template."}
        return {**schema, "type": [*kinds, "string", "null"], "pattern": JINJA_PATTERN, **rule}
    pattern = {"pattern": f"{schema['pattern']}|{JINJA_PATTERN}"} if "pattern" in schema else {}
    return {**schema, "type": [*kinds, "null"], **pattern}


def named(names: Iterable[str]) -> Schema:
    """One of some names."""
    return {"anyOf": [{"enum": list(names)}, JINJA]}


def matching(pattern: str, rule: str) -> Schema:
    """A text of a form.

    :param pattern: a regular expression of ECMA 262
    :param rule: what an editor says of another text
    """
    return given({"type": "string", "pattern": pattern, _SAYS: rule})


def list_of(element: Schema) -> Schema:
    """A list, each of whose values has a schema."""
    return given({"type": "array", "items": element})


def record(properties: Mapping[str, Any], required: Iterable[str] = ()) -> Schema:
    """A dictionary with these keys and no others."""
    wanted = sorted(required)
    needed: Schema = {"required": wanted} if wanted else {}
    return {"type": "object", "additionalProperties": False, "properties": dict(properties), **needed}


def spec_record(spec: Mapping[str, Mapping[str, Any]]) -> Schema:
    """A dictionary as an argument spec, or the options of a documentation, have it.

    :param spec: options by name
    """
    return record(
        {name: spec_value(option) for name, option in spec.items()},
        [name for name, option in spec.items() if option.get("required")],
    )


def spec_value(option: Mapping[str, Any]) -> Schema:
    """The value of one option; one of an unknown type may be anything.

    :param option: its part of an argument spec or of a documentation
    """
    kind = option.get("type", "str")
    inner = option.get("options") or option.get("suboptions")
    if kind == "raw":
        return {}
    if kind == "list":
        return _spec_list(option, inner)
    if kind == "dict":
        return given(spec_record(inner) if inner else _PLAIN["dict"])
    if option.get("choices"):
        return named(option["choices"])
    return given(_PLAIN[kind])


def _spec_list(option: Mapping[str, Any], inner: Mapping[str, Any] | None) -> Schema:
    elements = option.get("elements", "str")
    element = spec_value({**option, "type": elements, "options": inner})
    # Ansible takes a text for a list with commas
    kind = "array" if elements in ("dict", "list", "raw") else ["array", "string"]
    return given({"type": kind, "items": element})
