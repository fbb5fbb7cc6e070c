# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What was seen of the mail server, on the sheet: beside the field that it concerns, and as commands to run elsewhere.

Nothing of it is another on the next day while the server stays as it is: dates stand there, and no days that are left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.server_sight import ServerSight
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_content import (
    Code,
    Inline,
    ListItem,
    Sheet,
    SheetSection,
    Strong,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_words import WORDS
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sight_words import SIGHT_WORDS, finding_words

_ANY = ("port", "endpoint", "host")
"""Beside which field of the screen something is told, by what a field is for; the first that there is."""
_OF_FINDINGS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("certificate_", "chain_", "no_address", "address_"), ("host", "endpoint")),
    (
        ("starttls_", "tls_", "other_security", "auth_only_after_tls", "bytes_before_tls"),
        ("security", "enforce_secure_communication"),
    ),
    (("auth_", "mechanism_"), ("auth", "username")),
    (("size_",), ("max_size",)),
)
"""The same for findings, by how their names begin; what is none of these goes to one of ``_ANY``, too."""


def with_sight(sheet: Sheet, environment: Environment, settings: Mapping[str, Any], sight: ServerSight | None) -> Sheet:
    """Put what was seen of the mail server on a sheet.

    :param sheet: what ``sheet_of`` made of the environment
    :param environment: an environment without errors
    :param settings: what ``settings_of`` made of it
    :param sight: what was seen, None when nobody looked: then the sheet stays as it is
    """
    if sight is None:
        return sheet
    beside: dict[str, Inline] = {}
    for field, text in _told(environment, settings, sight):
        beside[field] = (*beside.get(field, ()), " ", *text)
    sections: list[SheetSection] = []
    for section in sheet.sections:
        if section.title == WORDS[sheet.language]["settings"]:
            names = [field["id"] for field in settings["fields"]]
            rows = [
                (label, (*value, *beside.get(name, ())))
                for name, (label, value) in zip(names, section.rows, strict=True)
            ]
            sections += [replace(section, rows=tuple(rows)), *_elsewhere(environment, sight)]
        else:
            sections.append(section)
    return replace(sheet, sections=tuple(sections))


def _told(environment: Environment, settings: Mapping[str, Any], sight: ServerSight) -> Iterator[tuple[str, Inline]]:
    """What is told, each with the id of the field that it stands beside."""
    language = environment.system.language
    fields = _fields(environment, settings)
    place = _first(fields, _ANY)
    if place is None:
        return
    if sight.met is not None:
        yield place, (f"({_line(sight, SIGHT_WORDS[language])})",)
    for finding in sight.told:
        wanted = next((kinds for names, kinds in _OF_FINDINGS if finding["name"].startswith(names)), ())
        yield _first(fields, wanted) or place, _finding(finding, language)


def _fields(environment: Environment, settings: Mapping[str, Any]) -> dict[str, str]:
    """The fields on the sheet by what each is for."""
    shown = {field["id"] for field in settings["fields"]}
    found: dict[str, str] = {}
    for field in environment.transport.fields:
        for kind in (field.fact, field.format, field.id):
            if field.id in shown and kind is not None:
                found.setdefault(kind, field.id)
    return found


def _first(fields: Mapping[str, str], kinds: tuple[str, ...]) -> str | None:
    return next((fields[kind] for kind in kinds if kind in fields), None)


def _line(sight: ServerSight, words: Mapping[str, str]) -> str:
    """The whole in one line, e.g. "port 587: reachable from this controller, STARTTLS, TLS 1.3"."""
    met = sight.met or {}
    parts = [words["reached" if met["reached"] else "not_reached"]]
    if met["tls"]:
        parts += [words["implicit"] if met["tls_start"] == "implicit TLS" else met["tls_start"], f"TLS {met['tls']}"]
    parts += [words["until"].format(day=met["valid_until"])] if met["valid_until"] else []
    parts += [f"AUTH {' '.join(met['auth'])}"] if met["auth"] else []
    parts += [words["size"].format(size=met["size"])] if met["size"] else []
    return f"{words['port'].format(port=sight.port)}: {', '.join(parts)}"


def _finding(finding: Mapping[str, Any], language: str) -> Inline:
    level = finding["level"] if finding["certain"] or finding["level"] == "warning" else "unknown"
    return (Strong(SIGHT_WORDS[language][level]), f" {finding_words(finding, language)}")


def _elsewhere(environment: Environment, sight: ServerSight) -> Iterator[SheetSection]:
    """What a person runs where the ERP sends from, because nobody has looked from there."""
    if sight.is_here or not sight.commands:
        return
    words, system = SIGHT_WORDS[environment.system.language], environment.system.title
    place = f" ({environment.probe_from})" if environment.probe_from else ""
    items = tuple(ListItem((f"{one['tool']}: ", Code(one["command"]))) for one in sight.commands)
    intro = words["elsewhere"].format(system=system, place=place)
    yield SheetSection(words["elsewhere_title"].format(system=system), intro=(intro,), items=items)
