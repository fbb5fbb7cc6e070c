# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The shape of the catalogue's files as argument specs, checked by ansible-core's own validator."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.numbers import wrong_numbers
from ansible_collections.mailroom.erp.plugins.module_utils.plain_options import validated_options
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, RuleSource
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value

CATALOGUE_RULES = RuleSource("mailroom.erp docs/catalogue.md")
SERVICE_KINDS = ["isp", "mailbox", "platform", "relay", "graph", "erp_vendor", "addon"]
FIELD_FORMATS = ["host", "port", "address", "endpoint", "guid", "url", "count", "positive"]
FIELD_FACTS = [
    "transport",
    "host",
    "port",
    "endpoint",
    "security",
    "auth",
    "username",
    "directory_id",
    "application_id",
]
ENVELOPE_KINDS = ["sender", "return_path"]
FROM_RULES = ["refused", "replaced", "verified", "taken"]
PASSWORD_EFFECTS = ["off_by_default", "ended"]
POINT_PARTS = ["fields", "senders", "dkim"]
ENTRA_KINDS = ["application", "consent"]

_Broken = tuple[str, str]
"""Where in an entry a rule is broken, and which."""

_TEXT: dict[str, Any] = {"type": "str", "required": True}
_STRINGS: dict[str, Any] = {"type": "list", "elements": "str", "default": []}
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2})?", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PARTED = ("smtp", "spf", "limits", "password_end")
"""The parts of a service that hold facts of their own."""
_WAY_OUT = "Correct the entry; docs/catalogue.md shows its shape."


def _fact(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "dict", "options": {"value": {"type": kind, "required": True, **more}, "source": _TEXT}}


def _listed(options: ArgumentSpec) -> dict[str, Any]:
    return {"type": "list", "elements": "dict", "default": [], "options": options}


_SOURCE_SPEC: ArgumentSpec = {
    "title": _TEXT,
    "url": {"type": "str"},
    "document": {"type": "str"},
    "date": _TEXT,
    "check_after": {"type": "str"},
}
_PORT: ArgumentSpec = {
    "port": {"type": "int", "required": True},
    "security": {"type": "str", "choices": ["none", "starttls", "implicit", "unknown"], "default": "unknown"},
}
_NOTES = _listed(
    {
        "en": {"type": "str"},
        "nl": {"type": "str"},
        "source": _TEXT,
        "submission": {"type": "bool", "default": False},
        "senders_at": _STRINGS,
    }
)
_SMTP: ArgumentSpec = {
    "host": _fact("str"),
    "ports": _fact("list", elements="dict", options=_PORT),
    "auth": _fact("str", choices=["none", "optional", "required"]),
    "username": _fact("str"),
}
_FROM_RULE: ArgumentSpec = {
    "other": {"type": "str", "required": True, "choices": FROM_RULES},
    "answer": {"type": "str"},
    "right": {"type": "str"},
}
_END_STEP: ArgumentSpec = {
    "date": _TEXT,
    "effect": {"type": "str", "required": True, "choices": PASSWORD_EFFECTS},
}
_PASSWORD_END: ArgumentSpec = {
    "steps": {**_fact("list", elements="dict", options=_END_STEP), "required": True},
    "successors": _fact("list", elements="str"),
    "otherwise": {"type": "dict", "options": {"en": {"type": "str"}, "nl": {"type": "str"}, "source": _TEXT}},
}
_HEAD: ArgumentSpec = {"name": {"type": "str"}, "title": _TEXT, "sources": {"type": "dict", "required": True}}

SERVICE_SHAPE: ArgumentSpec = {
    **_HEAD,
    "kind": {"type": "str", "required": True, "choices": SERVICE_KINDS},
    "smtp": {"type": "dict", "options": _SMTP},
    "spf": {
        "type": "dict",
        "options": {"terms": _fact("list", elements="str"), "known_by": _fact("list", elements="str")},
    },
    "dkim": _fact("dict"),
    "domains": _fact("list", elements="str"),
    "mx": _fact("list", elements="str"),
    "envelope": _fact("str", choices=ENVELOPE_KINDS),
    "from_rule": _fact("dict", options=_FROM_RULE),
    "password_end": {"type": "dict", "options": _PASSWORD_END},
    "limits": {
        "type": "dict",
        "options": {
            "messages_per_day": _fact("int"),
            "messages_per_day_private": _fact("int"),
            "messages_per_minute": _fact("int"),
            "message_bytes": _fact("int"),
            "recipients_per_message": _fact("int"),
        },
    },
    "warnings": _NOTES,
    "notes": _NOTES,
}
"""The shape of ``services/*.yml``; a fact that is left out is unknown."""

_FIELD: ArgumentSpec = {
    "id": _TEXT,
    "label": {"type": "str"},
    "source": _TEXT,
    "setting": {"type": "dict"},
    "fact": {"type": "str", "choices": FIELD_FACTS},
    "sender": {"type": "str"},
    "secret": {"type": "str", "choices": ["erp_mail_password"]},
    "format": {"type": "str", "choices": FIELD_FORMATS},
    "required": {"type": "bool", "default": False},
    "unset": {"type": "str", "choices": ["keep", "empty", "omit"], "default": "keep"},
    "show_if": {"type": "dict", "default": {}},
    "words": {"type": "dict", "default": {}},
}
_WHEN: ArgumentSpec = {
    "transport": {"type": "list", "elements": "str"},
    "service": {"type": "list", "elements": "str"},
    "kind": {"type": "list", "elements": "str", "choices": SERVICE_KINDS},
    "settings": {"type": "dict"},
    "dkim": {"type": "bool"},
}
_HINTS = _listed(
    {
        "label": {"type": "str", "default": ""},
        "text": _TEXT,
        "steps": _STRINGS,
        "source": _TEXT,
        "when": {"type": "dict", "options": _WHEN},
    }
)
_CHECKS = _listed(
    {
        "id": _TEXT,
        "text": _TEXT,
        "source": _TEXT,
        "when": {"type": "dict", "options": _WHEN},
        "about": {"type": "list", "elements": "str"},
    }
)
_PERMISSION: ArgumentSpec = {"resource": _TEXT, "role": _TEXT}
_ENTRA: ArgumentSpec = {
    "kind": {"type": "str", "required": True, "choices": ENTRA_KINDS},
    "permissions": {"type": "list", "elements": "dict", "default": [], "options": _PERMISSION},
    "application": {"type": "str"},
    "publisher": {"type": "str"},
    "user": {"type": "str"},
    "source": _TEXT,
}
_TRANSPORT: ArgumentSpec = {
    "label": _TEXT,
    "source": _TEXT,
    "services": _STRINGS,
    "kinds": {**_STRINGS, "choices": SERVICE_KINDS},
    "entra": {"type": "dict", "options": _ENTRA},
    "signs_in_as": {"type": "str"},
    "fields": {"type": "list", "elements": "dict", "required": True, "options": _FIELD},
}
_SENDER: ArgumentSpec = {
    "label": _TEXT,
    "menu": {"type": "str", "default": ""},
    "source": _TEXT,
    "shape": {"type": "str", "required": True, "choices": ["address", "addresses"]},
    "required": {"type": "bool", "default": False},
}
_RULE: ArgumentSpec = {
    "transport": _TEXT,
    "required_if": {"type": "list", "elements": "raw", "required": True},
    "rule": _TEXT,
    "source": _TEXT,
}
_FILE_KEY: ArgumentSpec = {
    "key": _TEXT,
    "field": {"type": "str"},
    "uri": {"type": "str"},
    "source": _TEXT,
}
_FILE: ArgumentSpec = {
    "path": {**_fact("str"), "required": True},
    "section": _TEXT,
    "keys": {"type": "list", "elements": "dict", "required": True, "options": _FILE_KEY},
}
_SETTING: ArgumentSpec = {"setting": {"type": "dict", "required": True}, "format": _FIELD["format"], "source": _TEXT}

SYSTEM_SHAPE: ArgumentSpec = {
    **_HEAD,
    "language": {"type": "str", "required": True, "choices": ["en", "nl"]},
    "menu": {**_fact("str"), "required": True},
    "senders": {"type": "dict", "required": True},
    "settings": {"type": "dict", "default": {}},
    "transports": {"type": "dict", "required": True},
    "rules": _listed(_RULE),
    "envelope": _fact("str", choices=["sender"]),
    "file": {"type": "dict", "options": _FILE},
    "buttons": _HINTS,
    "outside": _HINTS,
    "never": _HINTS,
    "notes": _HINTS,
    "checklist": _CHECKS,
}
"""The shape of ``systems/*.yml``; ``senders``, ``settings`` and ``transports`` are keyed by names of their own."""

KEYED_PARTS: dict[str, ArgumentSpec] = {
    "sources": _SOURCE_SPEC,
    "senders": _SENDER,
    "settings": _SETTING,
    "transports": _TRANSPORT,
}
"""The parts of an entry that are keyed by names of their own."""


def check_entry(what: str, spec: ArgumentSpec, entry: object) -> tuple[dict[str, Any], list[Problem]]:
    """Check one entry of the catalogue against its shape.

    :param what: how errors name it, e.g. "catalogue service ziggo"
    :param spec: :data:`SERVICE_SHAPE` or :data:`SYSTEM_SHAPE`
    :param entry: the entry as read; a fact given as ``unknown`` counts as left out
    :returns: the entry with types and defaults applied, and its problems (then it is not usable)
    """
    values, broken = _checked_entry(spec, entry)
    return values, [CATALOGUE_RULES.problem(what, where, None, rule, _WAY_OUT) for where, rule in broken]


def _checked_entry(spec: ArgumentSpec, entry: object) -> tuple[dict[str, Any], list[_Broken]]:
    if not isinstance(entry, Mapping):
        return {}, [("the entry", f"is a {type(entry).__name__}, not a dictionary")]
    own = plain_value(entry)  # YAML aliases share one object, and the validator writes into it
    values, broken = _validated("", spec, _without_unknown(own))
    for part in (part for part in KEYED_PARTS if isinstance(values.get(part), Mapping)):
        for name, item in values[part].items():
            values[part][name], more = _named(part, name, item)
            broken += more
    return values, broken or [*_stray_sources("", values, values["sources"]), *_broken_steps(values)]


def _named(part: str, name: str, item: object) -> tuple[object, list[_Broken]]:
    if not _NAME.fullmatch(name):
        return item, [(f"{part}.{name}", "a name is made of a-z, 0-9 and _, and begins with a letter")]
    if not isinstance(item, Mapping):
        return item, [(f"{part}.{name}", f"is a {type(item).__name__}, not a dictionary")]
    values, broken = _validated(f"{part}.{name}", KEYED_PARTS[part], item)
    if part == "sources":
        broken += [(f"sources.{name}.{key}", rule) for key, rule in _broken_dates(values)]
    return values, broken


def _broken_dates(source: Mapping[str, Any]) -> list[_Broken]:
    date, after = str(source.get("date")), source.get("check_after")
    if date != "unknown" and not _is_date(date):
        return [("date", "a date is YYYY-MM-DD, YYYY-MM or unknown")]
    if after is None:
        return []
    if date == "unknown":
        return [("check_after", "what bears no date cannot be checked again after one")]
    if len(after) != len("YYYY-MM-DD") or not _is_date(after):
        return [("check_after", "a day to check again after is YYYY-MM-DD")]
    return [] if after > date else [("check_after", "it is later than the date of the source")]


def _broken_steps(entry: Mapping[str, Any]) -> list[_Broken]:
    """What is wrong with the dates on which a service ends the sign-in with a password."""
    if not entry.get("password_end"):
        return []
    dates = [step["date"] for step in entry["password_end"]["steps"]["value"]]
    where = "password_end.steps"
    if not dates:
        return [(where, "it is empty: name at least one step, or leave password_end out")]
    if wrong := [date for date in dates if date != "unknown" and not _is_date(date)]:
        return [(where, f"{wrong[0]}: a date is YYYY-MM-DD, YYYY-MM or unknown")]
    # "unknown" is greater than every digit, so it comes last here too
    return [] if dates == sorted(dates) else [(where, "the steps stand in the order of their dates, unknown last")]


def _is_date(text: str) -> bool:
    """Whether it is a day or a month of the calendar."""
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.date.fromisoformat(text if len(text) > len("YYYY-MM") else f"{text}-01")
    except ValueError:
        return False
    return True


def _validated(where: str, spec: ArgumentSpec, entry: Mapping[str, Any]) -> tuple[dict[str, Any], list[_Broken]]:
    numbers = [f"{problem.where}: {problem.value} is no number" for problem in wrong_numbers(entry)]
    if numbers:  # the validator would reckon with infinity, and with a billion digits
        return {}, [(where or "the entry", message) for message in numbers]
    try:
        values, wrong = validated_options(spec, entry)
    except TypeError:
        # Ansible's validator goes on into what it has just found to be no dictionary.
        return {}, [(where or "the entry", "a part of it is no dictionary where one is wanted")]
    return values, [(where or "the entry", message) for message in wrong]


def _without_unknown(entry: Mapping[str, Any]) -> dict[str, Any]:
    kept = {}
    for name, value in entry.items():
        if value == "unknown" or (isinstance(value, Mapping) and value.get("value") == "unknown"):
            continue
        kept[name] = _without_unknown(value) if name in _PARTED and isinstance(value, Mapping) else value
    return kept


def _stray_sources(where: str, value: object, sources: Mapping[str, Any]) -> list[_Broken]:
    if isinstance(value, list):
        items = [(f"{where}[{index}]", item) for index, item in enumerate(value)]
    elif isinstance(value, Mapping):
        items = [(f"{where}.{name}" if where else str(name), item) for name, item in value.items() if name != "sources"]
    else:
        return []
    stray = [broken for name, item in items for broken in _stray_sources(name, item, sources)]
    if isinstance(value, Mapping) and isinstance(value.get("source"), str) and value["source"] not in sources:
        stray.append((f"{where}.source", f"{value['source']!r} is not among the entry's sources"))
    return stray
