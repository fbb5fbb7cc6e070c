# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The sheet of one environment for the person who types it in: the screen's own order and words, in its language.

What it says is made here, once; ``sheet_markdown`` and ``sheet_html`` write it down.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Hint, Source
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.stale_terms import Ageing
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.conditions import condition_holds, note_holds
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.confirmed_points import (
    PointState,
    field_key,
    point_states,
    sender_key,
    senders_beside_the_screen,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.password_text import needs_checking, step_time
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.aged_facts import aged_facts
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


def sheet_of(
    environment: Environment,
    settings: Mapping[str, Any],
    needs: Mapping[str, Any],
    ageing: Ageing,
) -> Sheet:
    """Say what the person who types needs to know.

    :param environment: an environment without errors
    :param settings: what ``settings.settings_of`` made of it
    :param needs: what ``environment_needs`` made of it
    :param ageing: tells what is too old: addresses that the role mail_dns does not publish, and facts to check again
    :returns: the sheet; the same declaration gives the same one, until the day on which one of these grows too old
    """
    words, system = WORDS[environment.system.language], environment.system
    states = point_states(environment)
    changed = frozenset(key for state in states.values() for key in state.changed)
    sections = [
        _fields(environment, settings, changed, words),
        _senders(environment, changed, words),
        _used(environment, needs, words),
        SheetSection(words["buttons"], items=_hints(system.buttons, environment, ageing)),
        SheetSection(words["dns"], items=tuple(_dns(environment, needs, ageing, words))),
        SheetSection(words["outside"].format(system=system.title), items=_hints(system.outside, environment, ageing)),
        SheetSection(words["tenant"], items=tuple(_tenant(environment, words))),
        SheetSection(words["password"], items=tuple(_password(needs["password_end"], ageing, system.language))),
        SheetSection(words["never"], items=_hints(system.never, environment, ageing)),
        SheetSection(words["notes"], items=tuple(_good_to_know(environment, ageing))),
        _checklist(environment, states, words),
    ]
    title = escape_controls(words["title"].format(environment=environment.name, system=system.title))
    kept = tuple(section for section in sections if section.rows or section.items)
    return Sheet(system.language, title, words["generated"], kept)


def left_out_sheet(language: str, title: str, reasons: Iterable[str]) -> Sheet:
    """The sheet of an environment that a run left out.

    :param language: a key of ``WORDS``
    :param title: the environment's name
    :param reasons: why, one sentence each
    """
    words = WORDS[language]
    items = tuple(ListItem((Code(reason),)) for reason in reasons)
    notice = SheetSection(words["left_out"], intro=(words["left_out_intro"],), items=items)
    return Sheet(language, escape_controls(title), words["generated"], (notice,))


def inline_text(text: str) -> Inline:
    """A sentence of the catalogue; what stands between backticks is code.

    :param text: as it stands in the catalogue
    """
    parts = re.split(r"`([^`]+)`", text)
    return tuple(Code(part) if index % 2 else part for index, part in enumerate(parts) if part)


def write_inline(
    parts: Inline, text: Callable[[str], str], code: Callable[[str], str], strong: Callable[[str], str]
) -> str:
    """Write a piece of text down in some format; what may have come from outside is one printable line in any.

    :param parts: the text
    :param text: writes what is ordinary
    :param code: writes what is to be typed or copied exactly
    :param strong: writes what stands out
    :returns: the parts as they are written, one after the other
    """
    writers = {Code: code, Strong: strong}
    return "".join(
        text(escape_controls(part)) if isinstance(part, str) else writers[type(part)](escape_controls(part.text))
        for part in parts
    )


def _fields(
    environment: Environment, settings: Mapping[str, Any], changed: Set[str], words: Mapping[str, str]
) -> SheetSection:
    rows = tuple(
        ((field["label"],), (*_shown(field["value"], words), *_again(field_key(field["id"]), changed, words)))
        for field in settings["fields"]
    )
    menu = (f"{words['menu']}: ", Strong(environment.system.menu))
    return SheetSection(words["settings"], menu, (words["field"], words["value"]), rows)


def _again(key: str, changed: Set[str], words: Mapping[str, str]) -> Inline:
    """The mark of a value that is not the one which was confirmed."""
    return (" ", Strong(words["again"])) if key in changed else ()


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


def _password(end: Mapping[str, Any] | None, ageing: Ageing, language: str) -> Iterator[ListItem]:
    """When the password stops working, by date, and what comes after it."""
    if end is None:
        return
    words = WORDS[language]
    again: Inline = (" ", Strong(words["aged"].format(date=end["date"]))) if needs_checking(end, ageing.today) else ()
    for step in end["steps"]:
        when = words[step_time(step["date"], ageing.today)].format(**step)
        effect = words[step["effect"]].format(service=end["title"])
        yield ListItem((f"{when}: {effect} ({end['source']})", *again))
    yield from (_way(way, words) for way in end["ways"])
    if not end["ways"]:
        yield from _without_way(end, language)


def _way(way: Mapping[str, Any], words: Mapping[str, str]) -> ListItem:
    """A transport that takes over, and what it needs, one step each."""
    named = (f"{words['move']} ", Strong(way["label"]), ": ", Code(f"erp_mail_transport: {way['transport']}"))
    return ListItem(named, (*_wanted_of_tenant(way, words), *(inline_text(hint) for hint in way["hints"])))


def _wanted_of_tenant(way: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[Inline]:
    entra = way["entra"]
    if entra is None:
        return
    if entra["kind"] == "application":
        yield words["move_application"], *_listed_code(one["role"] for one in entra["permissions"])
    else:
        yield (words["move_consent"].format(application=entra["application"], publisher=entra["publisher"]),)
    missing = _listed_code(way["missing"])
    yield (words["prepared_once"], *missing) if missing else (words["prepared"],)


def _listed_code(texts: Iterable[str]) -> Inline:
    """Texts to copy, one after the other."""
    return tuple(part for index, text in enumerate(texts) for part in (", " if index else " ", Code(text)))


def _without_way(end: Mapping[str, Any], language: str) -> Iterator[ListItem]:
    words = WORDS[language]
    told = [words["no_way"].format(system=end["system"], service=end["title"])]
    texts = end["otherwise"]
    if texts:
        text = texts.get(language) or texts.get("en") or texts["nl"]
        told.append(f"{text} ({texts['source']})")
    yield ListItem((" ".join(told),))
    if end["relay"] is not None:
        hints = tuple(inline_text(hint) for hint in end["relay"]["hints"])
        names = _listed_code(["erp_mail_settings", "erp_mail_spf_terms", "erp_mail_service: own_relay"])
        yield ListItem((words["own_relay"], *names), hints)


def _senders(environment: Environment, changed: Set[str], words: Mapping[str, str]) -> SheetSection:
    """The senders beside the one that is a field of the screen itself."""
    kinds = {kind.id: kind for kind in environment.system.senders}
    rows: list[tuple[Inline, ...]] = []
    for sender in senders_beside_the_screen(environment):
        key: Inline = () if sender.key is None else (": ", Code(sender.key))
        again = _again(sender_key(sender), changed, words)
        rows.append(((kinds[sender.kind].label, *key), (kinds[sender.kind].menu,), (Code(sender.address), *again)))
    return SheetSection(words["senders"], head=(words["for"], words["where"], words["sender"]), rows=tuple(rows))


def _used(environment: Environment, needs: Mapping[str, Any], words: Mapping[str, str]) -> SheetSection:
    """Which sender is taken for which message, when there is more than one.

    Nobody said what a service that sends beside the environment's own sends as, unless it has a sender of its own.
    """
    own = {sender.where for sender in environment.senders if sender.kind != "environment"}
    known = [one for one in needs["senders"] if one["service"] == environment.service.name or one["origin"] in own]
    found = [((message,), (Code(one["from"]),)) for one in known for message in one["used_for"]]
    rows = tuple(found) if len(known) > 1 else ()
    return SheetSection(words["used"], head=(words["messages"], words["sender"]), rows=rows)


def _dns(
    environment: Environment,
    needs: Mapping[str, Any],
    ageing: Ageing,
    words: Mapping[str, str],
) -> Iterator[ListItem]:
    for domain, terms in needs["domains"].items():
        names = [part for term in terms if not ageing.is_held_back(term) for part in (" ", Code(term["term"]))]
        if names:
            yield ListItem((words["spf"].format(domain=domain), *names, ". ", words["planned"]))
        yield from (_held(domain, term, words) for term in terms if ageing.is_held_back(term))
        if not terms:
            yield ListItem((words["unknown"].format(domain=domain, service=environment.service.title),))
    for domain, selectors in needs["dkim"].items():
        names = [part for one in selectors for part in (" ", Code(one["selector"]))]
        yield ListItem((words["dkim"].format(domain=domain), *names, ". ", words["planned"]))
    for cname in needs["cnames"]:
        yield ListItem(
            (f"{words['cname']} ", Code(cname["name"]), " CNAME ", Code(cname["target"]), ". ", words["planned"])
        )
    for domain in needs["foreign"]:
        yield ListItem((words["foreign"].format(domain=domain),))


def _held(domain: str, term: Mapping[str, Any], words: Mapping[str, str]) -> ListItem:
    """An address that is not published, why not, and what to do."""
    accept = Code(f"mail_dns_accept_stale: [{term['service']}]")
    why = words["held"].format(source=term["source"])
    return ListItem((words["spf"].format(domain=domain), " ", Code(term["term"]), f" {why} ", accept))


def _good_to_know(environment: Environment, ageing: Ageing) -> Iterator[ListItem]:
    yield from (ListItem((remark,)) for remark in rules_of(environment.system.name).remarks(environment))
    yield from _hints(environment.system.notes, environment, ageing)
    language = environment.system.language
    for note in (*environment.service.notes, *environment.service.warnings):
        if note_holds(note, environment):
            text = note.text(language).rstrip(".")
            yield ListItem((*inline_text(text), f". ({note.source})", *_aged(note.source, ageing, language)))
    for source, names in aged_facts(environment, ageing):
        facts = ", ".join(WORDS[language][f"fact_{name}"] for name in names)
        told = WORDS[language]["facts"].format(facts=facts, service=environment.service.title, source=source)
        yield ListItem((told, *_aged(source, ageing, language)))


def _aged(source: Source, ageing: Ageing, language: str) -> Inline:
    """That what a source says is to be checked again."""
    return (" ", Strong(WORDS[language]["aged"].format(date=source.date))) if ageing.is_due(source) else ()


def _hints(hints: tuple[Hint, ...], environment: Environment, ageing: Ageing) -> tuple[ListItem, ...]:
    language = environment.system.language
    return tuple(_hint(hint, ageing, language) for hint in hints if condition_holds(hint.when, environment))


def _hint(hint: Hint, ageing: Ageing, language: str) -> ListItem:
    text = (Strong(hint.label), ": ", *inline_text(hint.text)) if hint.label else inline_text(hint.text)
    return ListItem((*text, *_aged(hint.source, ageing, language)), tuple(inline_text(step) for step in hint.steps))


def _checklist(environment: Environment, states: Mapping[str, PointState], words: Mapping[str, str]) -> SheetSection:
    points = {check.id: check for check in environment.system.checklist}
    items = tuple(
        ListItem((*inline_text(points[name].text), " (", Code(name), ")", *_doubt(state, words)), done=state.is_done)
        for name, state in states.items()
    )
    example = f"erp_mail_confirmed: [{', '.join(state.name for state in states.values())}]"
    return SheetSection(words["checklist"], items=items, outro=(f"{words['confirm']} ", Code(example)))


def _doubt(state: PointState, words: Mapping[str, str]) -> Inline:
    """Why the tick of a confirmed point is open again, or how to make it certain."""
    if state.is_outdated:
        return (" ", Strong(words["outdated"]), *((f" {words['lost']}",) if state.has_lost else ()))
    return () if state.is_certain else (f" {words['uncertain']} ", Code(state.name))
