# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheet of one environment for the person who types it in: the screen's own order and words, in its language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue_facts import Hint
from ansible_collections.mailroom.erp.plugins.plugin_utils.environment import Environment

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "{environment}: mail settings of {system}",
        "generated": "Made from the inventory by mailroom.erp; change the inventory, not this sheet.",
        "screen": "Menu: **{menu}**",
        "field": "Field",
        "value": "Value",
        "on": "on",
        "off": "off",
        "keep": "(leave as it is)",
        "empty": "(leave empty)",
        "secret": "(secret) Ansible variable {secret}",
        "senders": "Senders",
        "where": "Where",
        "for": "For",
        "sender": "Sender",
        "buttons": "Buttons",
        "outside": "Outside {system}",
        "notes": "Good to know",
        "planned": "DNS of {domain}, SPF: {terms}. The role mail_dns publishes it.",
        "held": "An address from a source older than 12 months is published only when it is accepted by name.",
        "foreign": "DNS of {domain}: not one of our domains, so nothing is published for it.",
        "unknown": "DNS of {domain}: the SPF terms of {service} are not known, so nothing is published for it.",
    },
    "nl": {
        "title": "{environment}: mailinstellingen van {system}",
        "generated": "Gemaakt uit de inventory door mailroom.erp; wijzig de inventory, niet dit blad.",
        "screen": "Menu: **{menu}**",
        "field": "Veld",
        "value": "Waarde",
        "on": "aan",
        "off": "uit",
        "keep": "(laten zoals het is)",
        "empty": "(leeg laten)",
        "secret": "(geheim) Ansible-variabele {secret}",
        "senders": "Afzenders",
        "where": "Waar",
        "for": "Voor",
        "sender": "Afzender",
        "buttons": "Knoppen",
        "outside": "Buiten {system}",
        "notes": "Goed om te weten",
        "planned": "DNS van {domain}, SPF: {terms}. De rol mail_dns publiceert dit.",
        "held": "Een adres uit een bron ouder dan 12 maanden wordt pas gepubliceerd als het bij naam is aanvaard.",
        "foreign": "DNS van {domain}: niet een van onze domeinen, dus hiervoor wordt niets gepubliceerd.",
        "unknown": "DNS van {domain}: de SPF-termen van {service} zijn onbekend; hiervoor wordt niets gepubliceerd.",
    },
}


def sheet_of(environment: Environment, settings: Mapping[str, Any], needs: Mapping[str, Any]) -> str:
    """Write the sheet as Markdown.

    :param environment: an environment without errors
    :param settings: what ``settings.settings_of`` made of it
    :param needs: what ``environment_needs`` made of it
    :returns: the text, ending in one newline; the same declaration gives the same bytes
    """
    words, system = _WORDS[environment.system.language], environment.system
    parts = [
        "# " + words["title"].format(environment=environment.name, system=system.title),
        words["generated"],
        words["screen"].format(menu=system.menu),
        _table([words["field"], words["value"]], _field_rows(settings, words)),
        *_sender_table(environment, words),
        *_section(words["buttons"], _hints(system.buttons, environment)),
        *_section(words["outside"].format(system=system.title), _outside(environment, needs, words)),
        *_section(words["notes"], _good_to_know(environment)),
    ]
    return "\n\n".join(parts) + "\n"


def _field_rows(settings: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[list[str]]:
    for field in settings["fields"]:
        yield [_cell(field["label"]), _shown(field["value"], words)]


def _shown(value: Any, words: Mapping[str, str]) -> str:
    if value is None:
        return words["keep"]
    if value == "":
        return words["empty"]
    if isinstance(value, bool):
        return words["on" if value else "off"]
    if isinstance(value, Mapping):
        return words["secret"].format(secret=_code(value["secret"]))
    return _code(str(value))


def _sender_table(environment: Environment, words: Mapping[str, str]) -> list[str]:
    """The senders beside the one that is a field of the screen itself."""
    kinds = {kind.id: kind for kind in environment.system.senders}
    on_screen = {field.sender for field in environment.transport.fields}
    rows = [
        [_cell(kinds[sender.kind].menu), _cell(_of(kinds[sender.kind].label, sender.key)), _code(sender.address)]
        for sender in environment.senders
        if sender.kind not in on_screen
    ]
    return ["## " + words["senders"], _table([words["where"], words["for"], words["sender"]], rows)] if rows else []


def _of(label: str, key: str | None) -> str:
    return label if key is None else f"{label}: {key}"


def _outside(environment: Environment, needs: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[str]:
    for domain, terms in needs["domains"].items():
        names = ", ".join(_code(term["term"]) for term in terms)
        sentence = words["planned" if terms else "unknown"]
        yield sentence.format(domain=domain, terms=names, service=environment.service.title)
    if any(_is_address(term) for terms in needs["domains"].values() for term in terms):
        yield words["held"]
    for domain in needs["foreign"]:
        yield words["foreign"].format(domain=domain)
    yield from _hints(environment.system.outside, environment)


def _is_address(term: Mapping[str, Any]) -> bool:
    return not term["given"] and str(term["term"]).startswith(("ip4:", "ip6:"))


def _good_to_know(environment: Environment) -> Iterator[str]:
    yield from _hints(environment.system.notes, environment)
    for note in (*environment.service.notes, *environment.service.warnings):
        yield f"{note.text(environment.system.language)} ({note.source})"


def _hints(hints: tuple[Hint, ...], environment: Environment) -> Iterator[str]:
    for hint in hints:
        if _holds(hint.when, environment):
            yield f"**{hint.label}**: {hint.text}" if hint.label else hint.text


def _holds(when: Mapping[str, Any], environment: Environment) -> bool:
    facts = {
        "transport": environment.transport.id,
        "service": environment.service.name,
        "kind": environment.service.kind,
    }
    if any(name in when and fact not in when[name] for name, fact in facts.items()):
        return False
    return all(environment.values.get(name) == value for name, value in when.get("settings", {}).items())


def _section(title: str, items: Iterator[str]) -> list[str]:
    lines = [f"- {item}" for item in items]
    return [f"## {title}", "\n".join(lines)] if lines else []


def _table(head: list[str], rows: Iterator[list[str]] | list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(text: str) -> str:
    """Text as it must be typed, so that no sign of it is taken for Markdown."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    return _cell(f"{fence}{space}{text}{space}{fence}")
