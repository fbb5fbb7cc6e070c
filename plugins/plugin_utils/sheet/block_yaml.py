# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""YAML as PyYAML writes it, a quarter of the time: most values of hundreds of settings are the same, and PyYAML, which
decides how a value is quoted, is asked once for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.libraries import require

_HEAD = "---\nkey: "
_REMEMBERED = (str, int, type(None))
"""Not floats: 0.0 and -0.0 are equal."""


class _NeedsDumper(Exception):
    """A value takes several lines, whose indentation PyYAML knows."""


def block_yaml(content: Mapping[str, Any]) -> str:
    """Write a document: keys in their own order, lists indented as yamllint wants them.

    :param content: keys are plain words; values are scalars, such mappings, and lists of such mappings
    :returns: what PyYAML would write
    """
    try:
        return "\n".join(["---", *_lines(content, ""), ""])
    except _NeedsDumper:
        return _dumped(content)


def _lines(content: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{key}:"
            yield from _lines(value, f"{indent}  ")
        elif isinstance(value, list) and value:
            yield f"{indent}{key}:"
            for one in value:
                first, *others = _lines(one, f"{indent}    ")
                yield from (f"{indent}  - {first.lstrip()}", *others)
        else:
            yield f"{indent}{key}: {_scalar(value) if isinstance(value, _REMEMBERED) else _dumped_value(value)}"


@lru_cache(maxsize=4096, typed=True)
def _scalar(value: object) -> str:
    return _dumped_value(value)


def _dumped_value(value: object) -> str:
    text = _dumped({"key": value}).removeprefix(_HEAD).removesuffix("\n")
    if "\n" in text:
        raise _NeedsDumper
    return text


def _dumped(content: Mapping[str, Any]) -> str:
    yaml, dumper = _dumper()
    text: str = yaml.dump(content, Dumper=dumper, sort_keys=False, allow_unicode=True, width=1000, explicit_start=True)
    return text


@cache
def _dumper() -> tuple[Any, Any]:
    yaml = require("yaml")

    class Indented(yaml.SafeDumper):  # type: ignore[name-defined, misc]
        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, False)

    return yaml, Indented
