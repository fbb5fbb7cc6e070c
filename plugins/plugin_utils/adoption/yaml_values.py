# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Values of an inventory as YAML on one line. What comes from the DNS is never taken for a template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.problem import encodable, escape_controls

_TEMPLATES = ("{{", "{%", "{#")


_PLAIN = re.compile(r"[A-Za-z](?:(?:[A-Za-z0-9 _./,;@+*()~=-]|:(?! ))*[A-Za-z0-9)])?")
"""A text that YAML takes for nothing else, unless it is one of its words; most are such, and this is much faster."""
_QUOTED = re.compile(r"[A-Za-z][ -~]*: [ -~]*")
"""A text that YAML would take for a key with a value, so that it stands in quotation marks, as most evidence does."""
_WORDS = ("y", "n", "yes", "no", "true", "false", "on", "off", "null")


class TemplateText(str):
    """A text that Ansible shall template, such as a reference to a secret."""

    __slots__ = ()


class _Untouched(str):
    """A text that looks like a template and is none."""

    __slots__ = ()


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(TemplateText, lambda dumper, text: dumper.represent_str(str(text)))
_Dumper.add_representer(_Untouched, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style="'"))


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Plain values; a text that Ansible is not to template is a text."""


_Loader.add_constructor("!unsafe", lambda _loader, node: str(node.value))


def load_written(text: str) -> Any:
    """Read what was written here, and perhaps edited since.

    :param text: YAML
    :raises yaml.YAMLError: it is none
    """
    return yaml.load(text, Loader=_Loader)


def yaml_flow(value: Any) -> str:
    """Write a value on one line.

    :param value: of dictionaries, lists, texts, numbers and booleans
    """
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
            return str(value)
        if _QUOTED.fullmatch(value) and not _is_template(value):
            return "'{}'".format(value.replace("'", "''"))
    text: str = yaml.dump(
        _guarded(value), Dumper=_Dumper, default_flow_style=True, width=1 << 20, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...")


def yaml_comment(text: str) -> str:
    """A comment of one line.

    :param text: may hold anything
    """
    return f"# {encodable(escape_controls(text))}"


def _is_template(text: str) -> bool:
    return any(sign in text for sign in _TEMPLATES)


def _guarded(value: Any) -> Any:
    if isinstance(value, TemplateText):
        return value
    if isinstance(value, str):
        plain = encodable(value)
        return _Untouched(plain) if _is_template(plain) else plain
    if isinstance(value, Mapping):
        return {str(key): _guarded(inner) for key, inner in value.items()}
    return [_guarded(inner) for inner in value] if isinstance(value, (list, tuple)) else value
