# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Loads the catalogue: one YAML file per ERP system and per sending service, and the entries a user adds."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.libraries import require
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import SpfError, parse_term
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue import catalogue_shape as shape
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import (
    UNKNOWN,
    ChecklistPoint,
    Entra,
    Fact,
    Field,
    FileKey,
    Hint,
    Note,
    PasswordEnd,
    Rule,
    SenderKind,
    Service,
    SettingsFile,
    Source,
    System,
    Transport,
)

_FOLDER = Path(__file__).parent
_URI = re.compile(
    r"\{(?P<scheme>\w+)\}://\{(?P<user>\w+)\}:\{(?P<password>\w+)\}@\{(?P<host>\w+)\}:\{(?P<port>\w+)\}", re.ASCII
)
_KEY = re.compile(r"[a-z][a-z0-9_-]*")
_SHAPES = {"systems": shape.SYSTEM_SHAPE, "services": shape.SERVICE_SHAPE}


class Catalogue:
    """The systems and services of this collection, with the user's own entries on top of them.

    :param systems: the user's entries by name (``erp_mail_catalogue_systems``), shaped as the files are
    :param services: the user's entries by name (``erp_mail_catalogue_services``)
    """

    def __init__(self, systems: Mapping[str, Any] | None = None, services: Mapping[str, Any] | None = None) -> None:
        self._own = {"systems": dict(systems or {}), "services": dict(services or {})}

    def names(self, part: str) -> list[str]:
        """All names of a part (``systems`` or ``services``), sorted.

        :param part: one of the two
        """
        return sorted(_file_names(part) | set(self._own[part]))

    def entry(self, part: str, name: str) -> dict[str, Any]:
        """One entry as it is written, its shape checked.

        :param part: ``systems`` or ``services``
        :param name: the entry's name
        :returns: the entry with types and defaults applied; facts that nobody gave are left out
        :raises KeyError: the catalogue has no such entry
        :raises Refused: the entry does not have the shape that docs/catalogue.md describes
        """
        what = f"catalogue {part.removesuffix('s')} {name}"
        if name in self._own[part]:
            own = self._own[part][name]
            return _checked(part, what, {"name": name, **own} if isinstance(own, Mapping) else own)
        if name not in self.names(part):
            raise KeyError(name)
        return _from_file(part, name)

    def service(self, name: str) -> Service:
        """One sending service.

        :param name: of its file, or in the user's entries
        :raises KeyError: the catalogue has no such service
        :raises Refused: its entry is malformed
        """
        service = _service(self.entry("services", name))
        problems = self._bad_successors(service)
        if problems:
            raise Refused(problems)
        return service

    def system(self, name: str) -> System:
        """One ERP system.

        :param name: of its file, or in the user's entries
        :raises KeyError: the catalogue has no such system
        :raises Refused: its entry is malformed
        """
        return _system(self.entry("systems", name))

    def by_host(self, host: str) -> Service | None:
        """The service whose server has this name, told by the catalogue; None when there is none.

        :param host: the server's name, in upper or lower case
        """
        for name in self.names("services"):
            try:
                service = self.service(name)
            except Refused:
                continue
            if service.host.value is not None and str(service.host.value).lower() == host.lower():
                return service
        return None

    def _bad_successors(self, service: Service) -> list[Problem]:
        """The services that should take over, but that the catalogue does not have."""
        named = (service.password_end.successors.value or ()) if service.password_end else ()
        what, where = f"catalogue service {service.name}", "password_end.successors"
        return [
            shape.CATALOGUE_RULES.problem(
                what, where, name, "no service has this name", self.closest("services", str(name))
            )
            for name in named
            if name not in self.names("services")
        ]

    def closest(self, part: str, name: str) -> str:
        """A hint for a name that the catalogue does not have.

        :param part: ``systems`` or ``services``
        :param name: the name that was given
        :returns: a sentence that names the closest one, or all
        """
        close = difflib.get_close_matches(name, self.names(part), n=1)
        return f"Did you mean {close[0]}?" if close else f"Choose one of: {', '.join(self.names(part))}."


@functools.cache
def _file_names(part: str) -> frozenset[str]:
    return frozenset(path.stem for path in (_FOLDER / part).glob("*.yml"))


@functools.cache
def _from_file(part: str, name: str) -> dict[str, Any]:
    yaml = require("yaml")
    text = (_FOLDER / part / f"{name}.yml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return _checked(part, f"catalogue {part.removesuffix('s')} {name}", yaml.load(text, Loader=loader))


def _checked(part: str, what: str, entry: object) -> dict[str, Any]:
    values, problems = shape.check_entry(what, _SHAPES[part], entry)
    if not problems:
        problems = _bad_terms(what, values) if part == "services" else _bad_names(what, values)
    if problems:
        raise Refused(problems)
    return values


def _bad_terms(what: str, entry: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for term in ((entry.get("spf") or {}).get("terms") or {}).get("value", []):
        try:
            parse_term(term)
        except SpfError as error:
            way_out = "Correct the term."
            problems.append(shape.CATALOGUE_RULES.problem(what, "spf.terms", term, str(error), way_out))
    return problems


def _bad_names(what: str, entry: Mapping[str, Any]) -> list[Problem]:
    """What names something that the system does not have: points of the checklist, accounts, keys of a file."""
    return [*_bad_points(what, entry), *_bad_accounts(what, entry), *_bad_file_keys(what, entry)]


def _bad_accounts(what: str, entry: Mapping[str, Any]) -> list[Problem]:
    way_out = "Write the id of the field with the account that signs in, or leave it out."
    return [
        shape.CATALOGUE_RULES.problem(what, f"transports.{name}.signs_in_as", account, "no field has this id", way_out)
        for name, transport in entry["transports"].items()
        if (account := transport["signs_in_as"]) and account not in {field["id"] for field in transport["fields"]}
    ]


def _bad_file_keys(what: str, entry: Mapping[str, Any]) -> list[Problem]:
    """Each key has a field or a URI, and fields of some transport; a key stands once, in lower case."""
    every = [field for transport in entry["transports"].values() for field in transport["fields"]]
    fields, hidden = (
        {one["id"] for one in every},
        {one["id"] for one in every if one["secret"] and one["unset"] == "omit"},
    )
    seen: set[str] = set()
    problems = []
    for item in (entry["file"] or {"keys": []})["keys"]:
        uri = _URI.fullmatch(item["uri"] or "")
        used = {item["field"], *(uri.groups() if uri else ())} - {None}
        rules = {
            "it has either a field or a uri": (item["field"] is None) == (item["uri"] is None),
            "a uri is {scheme}://{user}:{password}@{host}:{port}, with ids of fields": bool(item["uri"]) and not uri,
            "a key is made of a-z, 0-9, _ and -, and begins with a letter": not _KEY.fullmatch(item["key"]),
            "a key stands once": item["key"] in seen,
            "no field has this id": not used <= fields,
            "a secret with unset: omit is never written": bool(used & hidden),
        }
        seen.add(item["key"])
        broken = [rule for rule, is_broken in rules.items() if is_broken]
        where = f"file.keys.{item['key']}"
        problems += [shape.CATALOGUE_RULES.problem(what, where, None, rule, "Correct the key.") for rule in broken]
    return problems


def _bad_points(what: str, entry: Mapping[str, Any]) -> list[Problem]:
    fields = {field["id"] for transport in entry["transports"].values() for field in transport["fields"]}
    known = {*shape.POINT_PARTS, *fields}
    way_out = f"Write {', '.join(shape.POINT_PARTS)}, or ids of fields of the transports."
    return [
        shape.CATALOGUE_RULES.problem(what, f"checklist.{check['id']}.about", name, "no field has this id", way_out)
        for check in entry["checklist"]
        for name in check["about"] or ()
        if name not in known
    ]


def _sources(entry: Mapping[str, Any]) -> dict[str, Source]:
    return {
        name: Source(
            item["title"],
            item["document"],
            item["url"],
            None if item["date"] == "unknown" else item["date"],
            item["check_after"],
        )
        for name, item in entry["sources"].items()
    }


def _service(entry: Mapping[str, Any]) -> Service:
    sources = _sources(entry)

    def fact(holder: str | None, name: str) -> Fact:
        found = ((entry.get(holder) or {}) if holder else entry).get(name)
        return Fact(found["value"], sources[found["source"]]) if found else UNKNOWN

    return Service(
        name=entry["name"],
        title=entry["title"],
        kind=entry["kind"],
        host=fact("smtp", "host"),
        ports=fact("smtp", "ports"),
        auth=fact("smtp", "auth"),
        username=fact("smtp", "username"),
        spf_terms=fact("spf", "terms"),
        dkim=fact(None, "dkim"),
        domains=fact(None, "domains"),
        mx=fact(None, "mx"),
        envelope=fact(None, "envelope"),
        from_rule=fact(None, "from_rule"),
        password_end=_password_end(entry, sources),
        limits={name: fact("limits", name) for name, item in (entry.get("limits") or {}).items() if item},
        warnings=_notes(entry["warnings"], sources),
        notes=_notes(entry["notes"], sources),
    )


def _password_end(entry: Mapping[str, Any], sources: Mapping[str, Source]) -> PasswordEnd | None:
    found = entry.get("password_end")
    if not found:
        return None
    facts = {
        name: Fact(found[name]["value"], sources[found[name]["source"]]) if found[name] else UNKNOWN
        for name in ("steps", "successors")
    }
    texts = found["otherwise"]
    return PasswordEnd(**facts, otherwise=_note(texts, sources) if texts else None)


def _notes(items: list[dict[str, Any]], sources: Mapping[str, Source]) -> tuple[Note, ...]:
    return tuple(_note(item, sources) for item in items)


def _note(item: Mapping[str, Any], sources: Mapping[str, Source]) -> Note:
    texts = {lang: item[lang] for lang in ("en", "nl") if item[lang]}
    submission, senders_at = item.get("submission", False), tuple(item.get("senders_at", ()))
    return Note(texts, sources[item["source"]], submission, senders_at)


def _system(entry: Mapping[str, Any]) -> System:
    sources = _sources(entry)
    envelope = entry["envelope"]
    return System(
        name=entry["name"],
        title=entry["title"],
        language=entry["language"],
        menu=entry["menu"]["value"],
        senders=tuple(_sender_kind(name, item, sources) for name, item in entry["senders"].items()),
        settings=tuple(_field({"id": name, **item}, sources) for name, item in entry["settings"].items()),
        transports=tuple(_transport(name, item, sources) for name, item in entry["transports"].items()),
        rules=tuple(_rule(item, sources) for item in entry["rules"]),
        buttons=_hints(entry["buttons"], sources),
        outside=_hints(entry["outside"], sources),
        never=_hints(entry["never"], sources),
        notes=_hints(entry["notes"], sources),
        checklist=_checks(entry["checklist"], sources),
        envelope=Fact(envelope["value"], sources[envelope["source"]]) if envelope else UNKNOWN,
        file=_settings_file(entry["file"], sources),
    )


def _settings_file(item: Mapping[str, Any] | None, sources: Mapping[str, Source]) -> SettingsFile | None:
    if item is None:
        return None
    keys = tuple(
        FileKey(
            key["key"],
            key["field"],
            found.groupdict() if (found := _URI.fullmatch(key["uri"] or "")) else None,
            sources[key["source"]],
        )
        for key in item["keys"]
    )
    return SettingsFile(item["path"]["value"], item["section"], keys, sources[item["path"]["source"]])


def _rule(item: Mapping[str, Any], sources: Mapping[str, Source]) -> Rule:
    return Rule(item["transport"], tuple(item["required_if"]), item["rule"], sources[item["source"]])


def _sender_kind(name: str, item: Mapping[str, Any], sources: Mapping[str, Source]) -> SenderKind:
    many = item["shape"] == "addresses"
    return SenderKind(name, item["label"], item["menu"], many, item["required"], sources[item["source"]])


def _transport(name: str, item: Mapping[str, Any], sources: Mapping[str, Source]) -> Transport:
    return Transport(
        name,
        item["label"],
        sources[item["source"]],
        tuple(item["services"]),
        tuple(item["kinds"]),
        tuple(_field(field, sources) for field in item["fields"]),
        _entra(item["entra"], sources),
        item["signs_in_as"],
    )


def _entra(item: Mapping[str, Any] | None, sources: Mapping[str, Source]) -> Entra | None:
    if item is None:
        return None
    return Entra(**{**item, "permissions": tuple(item["permissions"]), "source": sources[item["source"]]})


def _field(item: Mapping[str, Any], sources: Mapping[str, Source]) -> Field:
    given = {key: value for key, value in item.items() if value is not None}
    spec = given.pop("setting", None)
    label = given.pop("label", given["id"])
    return Field(**{**given, "label": label, "source": sources[given["source"]], "spec": spec})


def _hints(items: list[dict[str, Any]], sources: Mapping[str, Source]) -> tuple[Hint, ...]:
    return tuple(
        Hint(item["text"], sources[item["source"]], _given(item["when"]), item["label"], tuple(item["steps"]))
        for item in items
    )


def _checks(items: list[dict[str, Any]], sources: Mapping[str, Source]) -> tuple[ChecklistPoint, ...]:
    return tuple(_check(item, sources) for item in items)


def _check(item: Mapping[str, Any], sources: Mapping[str, Source]) -> ChecklistPoint:
    about = None if item["about"] is None else tuple(item["about"])
    return ChecklistPoint(item["id"], item["text"], sources[item["source"]], _given(item["when"]), about)


def _given(when: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (when or {}).items() if value is not None}
