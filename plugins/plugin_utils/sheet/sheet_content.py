# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The sheet of one environment for the person who types it in: the screen's own order and words, in its language.

What it says is made here, once; ``sheet_markdown`` and ``sheet_html`` write it down.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Hint
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.conditions import condition_holds, signs_in
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_words import WORDS
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.system_rules import rules_of


@dataclass(frozen=True, slots=True)
class Code:
    """Text to be typed or copied exactly."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Text that stands out: a button's name, a label."""

    text: str


Inline = tuple[str | Code | Strong, ...]


@dataclass(frozen=True, slots=True)
class ListItem:
    """A point of a list, with steps to take one after the other; ``done`` makes it one of a checklist."""

    text: Inline
    steps: tuple[Inline, ...] = ()
    done: bool | None = None


@dataclass(frozen=True, slots=True)
class SheetSection:
    """A part of the sheet: an introduction, then a table or a list. The first column of a table names its rows."""

    title: str
    intro: Inline = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[Inline, ...], ...] = ()
    items: tuple[ListItem, ...] = ()
    outro: Inline = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole sheet."""

    language: str
    title: str
    about: str
    sections: tuple[SheetSection, ...]


def sheet_of(environment: Environment, settings: Mapping[str, Any], needs: Mapping[str, Any]) -> Sheet:
    """Say what the person who types needs to know.

    :param environment: an environment without errors
    :param settings: what ``settings.settings_of`` made of it
    :param needs: what ``environment_needs`` made of it
    :returns: the sheet; the same declaration gives the same one
    """
    words, system = WORDS[environment.system.language], environment.system
    sections = [
        _fields(environment, settings, words),
        _senders(environment, words),
        _used(needs, words),
        SheetSection(words["buttons"], items=_hints(system.buttons, environment)),
        SheetSection(words["dns"], items=tuple(_dns(environment, needs, words))),
        SheetSection(words["outside"].format(system=system.title), items=_hints(system.outside, environment)),
        SheetSection(words["tenant"], items=tuple(_tenant(environment, words))),
        SheetSection(words["never"], items=_hints(system.never, environment)),
        SheetSection(words["notes"], items=tuple(_good_to_know(environment))),
        _checklist(environment, words),
    ]
    title = words["title"].format(environment=environment.name, system=system.title)
    kept = tuple(section for section in sections if section.rows or section.items)
    return Sheet(system.language, title, words["generated"], kept)


def inline_text(text: str) -> Inline:
    """A sentence of the catalogue; what stands between backticks is code.

    :param text: as it stands in the catalogue
    """
    parts = re.split(r"`([^`]+)`", text)
    return tuple(Code(part) if index % 2 else part for index, part in enumerate(parts) if part)


def write_inline(
    parts: Inline, text: Callable[[str], str], code: Callable[[str], str], strong: Callable[[str], str]
) -> str:
    """Write a piece of text down in some format.

    :param parts: the text
    :param text: writes what is ordinary
    :param code: writes what is to be typed or copied exactly
    :param strong: writes what stands out
    :returns: the parts as they are written, one after the other
    """
    writers = {Code: code, Strong: strong}
    return "".join(text(part) if isinstance(part, str) else writers[type(part)](part.text) for part in parts)


def _fields(environment: Environment, settings: Mapping[str, Any], words: Mapping[str, str]) -> SheetSection:
    rows = tuple(((field["label"],), _shown(field["value"], words)) for field in settings["fields"])
    menu = (f"{words['menu']}: ", Strong(environment.system.menu))
    return SheetSection(words["settings"], menu, (words["field"], words["value"]), rows)


def _shown(value: Any, words: Mapping[str, str]) -> Inline:
    if value is None:
        return (words["keep"],)
    if value == "":
        return (words["empty"],)
    if isinstance(value, bool):
        return (words["on" if value else "off"],)
    if isinstance(value, Mapping):
        return (f"{words['secret']} ", Code(value["secret"]), *_kept(value, words))
    return (Code(str(value)),)


def _kept(value: Mapping[str, Any], words: Mapping[str, str]) -> Inline:
    """Where the role mail_entra keeps a secret, and until when it is valid."""
    if "valid_until" not in value:
        return ()
    until = words["until"].format(day=value["valid_until"]) if value["valid_until"] else words["not_made"]
    return (f" {words['in']} ", Code(value["where"]), f", {until}")


def _tenant(environment: Environment, words: Mapping[str, str]) -> Iterator[ListItem]:
    """What a person still has to do in the tenant."""
    made = environment.made
    for permission in made.get("missing_grants") or []:
        yield ListItem((words["missing_grant"], " ", Code(permission)))
    if made.get("consent_missing"):
        yield ListItem((words["missing_consent"],))
    if made.get("retiring") and made.get("key_id"):
        yield ListItem((words["confirm_key"], " ", Code(f"mail_entra_confirmed_key_id: {made['key_id']}")))
    for sender in made.get("senders") or []:
        if sender["result"] != "pass":
            yield ListItem((Code(sender["address"]), f": {sender['reason']}. {sender['next_step'] or ''}".rstrip()))


def _senders(environment: Environment, words: Mapping[str, str]) -> SheetSection:
    """The senders beside the one that is a field of the screen itself."""
    kinds = {kind.id: kind for kind in environment.system.senders}
    on_screen = {field.sender for field in environment.transport.fields}
    rows: list[tuple[Inline, ...]] = []
    for sender in environment.senders:
        if sender.kind not in on_screen:
            label = kinds[sender.kind].label
            named = label if sender.key is None else f"{label}: {sender.key}"
            rows.append(((named,), (kinds[sender.kind].menu,), (Code(sender.address),)))
    return SheetSection(words["senders"], head=(words["for"], words["where"], words["sender"]), rows=tuple(rows))


def _used(needs: Mapping[str, Any], words: Mapping[str, str]) -> SheetSection:
    """Which sender is taken for which message, when there is more than one."""
    found: list[tuple[Inline, ...]] = []
    for sender in needs["senders"]:
        found += [((message,), (Code(sender["from"]),)) for message in sender["used_for"]]
    rows = tuple(found) if len(needs["senders"]) > 1 else ()
    return SheetSection(words["used"], head=(words["messages"], words["sender"]), rows=rows)


def _dns(environment: Environment, needs: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[ListItem]:
    for domain, terms in needs["domains"].items():
        if terms:
            names = [part for term in terms for part in (" ", Code(term["term"]))]
            yield ListItem((words["spf"].format(domain=domain), *names, ". ", words["planned"]))
        else:
            yield ListItem((words["unknown"].format(domain=domain, service=environment.service.title),))
    if any(_is_address(term) for terms in needs["domains"].values() for term in terms):
        yield ListItem((words["held"],))
    for domain, selectors in needs["dkim"].items():
        names = [part for one in selectors for part in (" ", Code(one["selector"]))]
        yield ListItem((words["dkim"].format(domain=domain), *names, ". ", words["planned"]))
    for cname in needs["cnames"]:
        yield ListItem(
            (f"{words['cname']} ", Code(cname["name"]), " CNAME ", Code(cname["target"]), ". ", words["planned"])
        )
    for domain in needs["foreign"]:
        yield ListItem((words["foreign"].format(domain=domain),))


def _is_address(term: Mapping[str, Any]) -> bool:
    return not term["given"] and str(term["term"]).startswith(("ip4:", "ip6:"))


def _good_to_know(environment: Environment) -> Iterator[ListItem]:
    yield from (ListItem((remark,)) for remark in rules_of(environment.system.name).remarks(environment))
    yield from _hints(environment.system.notes, environment)
    with_password = signs_in(environment)
    for note in (*environment.service.notes, *environment.service.warnings):
        if with_password or not note.submission:
            text = note.text(environment.system.language).rstrip(".")
            yield ListItem((*inline_text(text), f". ({note.source})"))


def _hints(hints: tuple[Hint, ...], environment: Environment) -> tuple[ListItem, ...]:
    return tuple(_hint(hint) for hint in hints if condition_holds(hint.when, environment))


def _hint(hint: Hint) -> ListItem:
    text = (Strong(hint.label), ": ", *inline_text(hint.text)) if hint.label else inline_text(hint.text)
    return ListItem(text, tuple(inline_text(step) for step in hint.steps))


def _checklist(environment: Environment, words: Mapping[str, str]) -> SheetSection:
    checks = [check for check in environment.system.checklist if condition_holds(check.when, environment)]
    items = tuple(
        ListItem((*inline_text(check.text), " (", Code(check.id), ")"), done=check.id in environment.confirmed)
        for check in checks
    )
    example = f"erp_mail_confirmed: [{', '.join(check.id for check in checks)}]"
    return SheetSection(words["checklist"], items=items, outro=(f"{words['confirm']} ", Code(example)))
