# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The options of ``erp_config_file`` as an argument spec, and their checks; no message quotes a value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.option_check import shown_name, wrong_options

ENTRY_KINDS = ("plain", "uri", "secret")
"""What a value is: shown, shown without its password, or not shown."""

ERP_CONFIG_FILE_OPTIONS: ArgumentSpec = {
    "path": {"type": "path", "required": True},
    "section": {"type": "str", "required": True},
    "entries": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "kind": {"type": "str", "choices": list(ENTRY_KINDS), "default": "plain"},
        },
    },
    "values": {"type": "dict", "default": {}},
    "secret_values": {"type": "dict", "default": {}, "no_log": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

_ENTRY_NAME = re.compile(r"[a-z_][a-z0-9_.-]*", re.ASCII)
_SECTION_NAME = re.compile(r"[^\[\]\s](?:[^\[\]\r\n]*[^\[\]\s])?")


def wrong_config_file_arguments(arguments: Mapping[str, Any]) -> list[str]:
    """Find what is wrong with the arguments of a task.

    :param arguments: as the user gave them
    :returns: one sentence per broken rule, without a value
    """
    problems = wrong_options(ERP_CONFIG_FILE_OPTIONS, arguments, {}, values=True)
    return problems or list(_wrong_entries(arguments))


def _wrong_entries(arguments: Mapping[str, Any]) -> Iterator[str]:
    names = [entry.get("name") for entry in arguments.get("entries") or []]
    if not _SECTION_NAME.fullmatch(str(arguments.get("section", "email"))):
        yield "section must be the name of a section without its brackets"
    for name in names:
        if not isinstance(name, str) or not _ENTRY_NAME.fullmatch(name):
            yield f"name of entries must be a key in lower case, not {shown_name(name)}"
    given = [(option, key) for option in ("values", "secret_values") for key in arguments.get(option) or {}]
    for option, key in given:
        if key not in names:
            yield f"{option}.{shown_name(key)} is none of entries"
        elif [found for _option, found in given].count(key) > 1:
            yield f"{shown_name(key)} stands in values and in secret_values"
        elif rule := _wrong_text(arguments[option][key]):
            yield f"{option}.{key} {rule}"


def _wrong_text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, (Mapping, list, tuple, bool)):
        return "must be one text or number"
    text = str(value)
    if not text.isprintable() or text != text.strip():
        return "must stand on one line, without control characters and without white space at its ends"
    return None
