# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the inventory's JSON Schema that depends on the ERP system and its transport, made from the catalogue.

A file that names no system, as group variables often do, is judged by what any system takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import (
    Field,
    SenderKind,
    System,
    Transport,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.field_values import settable_fields
from ansible_collections.mailroom.erp.tests.tools.spec_schema import (
    NOTHING,
    Schema,
    given,
    list_of,
    matching,
    named,
    record,
    spec_value,
)

# policy/address.py and policy/name.py, as far as a pattern goes: never stricter than the run
_DOT = r"[.\u3002\uff0e\uff61]"
_LABEL = r"[^@\s/:.]{1,63}"
NAME_PATTERN = rf"{_LABEL}({_DOT}{_LABEL})*{_DOT}?"
_AN_ADDRESS = "It is an address: name@domain."
ADDRESS = matching(rf"^[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~.-]{{1,64}}@{_LABEL}({_DOT}{_LABEL})+{_DOT}?$", _AN_ADDRESS)
GUID = matching(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "It is a GUID.")
# a host name, or an address of IPv6, which has two colons or more
_SERVER = r"([^\s/:@,]+|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(%\w+)?)"
_ONE_LINE = {"type": "string", "pattern": "^[^\\u0000-\\u001f\\u007f]*$"}
_OWN_RELAY = "own_relay"
"""The service of which the catalogue knows nothing, so that the inventory says it."""
_UNKNOWN_FACTS = ("host", "port", "endpoint", "security")
_FORMATS: dict[str, Schema] = {
    "host": {"type": "string", "pattern": f"^{_SERVER}$"},
    "endpoint": {"type": "string", "pattern": f"^\\s*{_SERVER}\\s*(,\\s*[0-9]+\\s*)?$"},
    "address": ADDRESS,
    "guid": GUID,
    "url": {"type": "string", "pattern": "^[hH][tT][tT][pP][sS]?://[^\\s/]+(/\\S*)?$"},
    "port": {"minimum": 1, "maximum": 65535},
    "count": {"minimum": 0},
    "positive": {"minimum": 1},
}
"""What ``field_values`` checks a value for."""


def senders_of_all(systems: Iterable[System]) -> Schema:
    """``erp_mail_senders`` where the system is not known: what any system has."""
    kinds: dict[str, list[Schema]] = {}
    for system in systems:
        for kind in system.senders:
            kinds.setdefault(kind.id, []).append(_sender(kind))
    return given(record({name: _either(found) for name, found in sorted(kinds.items())}))


def settings_of_all(systems: Iterable[System]) -> Schema:
    """``erp_mail_settings`` where the system is not known: what any transport of any system has."""
    found: dict[str, list[Schema]] = {}
    for system in systems:
        for name, value in _settings(system, system.transports).items():
            found.setdefault(name, []).append(value)
    return given(record({name: _either(values) for name, values in sorted(found.items())}))


def confirmed_points(points: Iterable[str]) -> Schema:
    """``erp_mail_confirmed``: points of a checklist, each with the stamp that the sheet shows, or without."""
    known = list(points)
    rule = f"The checklist has: {', '.join(known)}."
    return list_of(matching(f"^({'|'.join(known)})(@([a-z2-7]{{4}})+)?$", rule))


def system_rules(catalogue: Catalogue) -> list[Schema]:
    """What holds for each system, once a file names it.

    :param catalogue: the systems and the services that they take
    """
    systems = [catalogue.system(name) for name in catalogue.names("systems")]
    return [_when("erp_mail_system", system.name, _of_system(system, catalogue)) for system in systems]


def _of_system(system: System, catalogue: Catalogue) -> Schema:
    points = [point.id for point in system.checklist]
    required = [kind.id for kind in system.senders if kind.required]
    properties = {
        "erp_mail_transport": named(transport.id for transport in system.transports),
        "erp_mail_senders": given(record({kind.id: _sender(kind) for kind in system.senders}, required)),
        "erp_mail_settings": given(record(_settings(system, system.transports))),
        "erp_mail_confirmed": confirmed_points(points),
    }
    rules = [_of_transport(system, transport, catalogue) for transport in system.transports]
    if len(rules) == 1:
        return {**rules[0], "properties": {**properties, **rules[0]["properties"]}}
    chosen = [
        _when("erp_mail_transport", transport.id, rule)
        for transport, rule in zip(system.transports, rules, strict=True)
    ]
    return {"properties": properties, "allOf": chosen}


def _of_transport(system: System, transport: Transport, catalogue: Catalogue) -> Schema:
    services = [
        name
        for name in catalogue.names("services")
        if name in transport.services or catalogue.service(name).kind in transport.kinds
    ]
    properties: dict[str, Schema] = {
        "erp_mail_service": named(services),
        "erp_mail_settings": given(record(_settings(system, [transport]))),
    }
    if not any(one.entra is not None and one.entra.kind == "consent" for one in system.transports):
        properties["erp_mail_consent"] = {**NOTHING, "description": f"{system.title} needs no consent."}
    if transport.secret is None:
        properties["erp_mail_password"] = {**NOTHING, "description": f"{transport.label} has no field for a password."}
    return {"properties": properties, "allOf": [_completeness(system, transport)]}


def _completeness(system: System, transport: Transport) -> Schema:
    """What ``erp_mail_settings`` must hold, where it stands in the file and the environment is to stay."""
    fields = [field for field in settable_fields(system, transport).values() if _must_be_set(field)]
    always = [field.id for field in fields if field.fact is None]
    needed = [field.id for field in fields if field.fact is None or field.fact in _UNKNOWN_FACTS]
    relay = {"required": sorted(needed), "allOf": [{}, *_required_if(system, transport)]}
    rules = [
        {"properties": {"erp_mail_settings": given({"type": "object", "required": sorted(always)})}},
        _when(
            "erp_mail_service", _OWN_RELAY, {"properties": {"erp_mail_settings": given({"type": "object", **relay})}}
        ),
    ]
    leaves = {"properties": {"erp_mail_state": {"const": "absent"}}, "required": ["erp_mail_state"]}
    return {"if": leaves, "else": {"allOf": rules}}


def _must_be_set(field: Field) -> bool:
    return field.required and not field.show_if and (field.spec or {}).get("default") is None


def _required_if(system: System, transport: Transport) -> Iterable[Schema]:
    """The rules of the catalogue that name settings alone."""
    known = settable_fields(system, transport)
    for rule in system.rules:
        name, value, needed = rule.required_if
        wanted = sorted(one for one in needed if one in known)
        if rule.transport == transport.id and name in known and wanted:
            yield {"if": {"properties": {name: {"const": value}}, "required": [name]}, "then": {"required": wanted}}


def _when(variable: str, value: str, then: Schema) -> Schema:
    return {"if": {"properties": {variable: {"const": value}}, "required": [variable]}, "then": then}


def _settings(system: System, transports: Sequence[Transport]) -> dict[str, Schema]:
    found: dict[str, list[Schema]] = {}
    for transport in transports:
        for name, field in settable_fields(system, transport).items():
            found.setdefault(name, []).append(_setting(field))
    return {name: _either(values) for name, values in found.items()}


def _setting(field: Field) -> Schema:
    """One setting; it is one value, and yes or no is neither a number nor a text."""
    spec: Mapping[str, Any] = field.spec or {}
    form = _FORMATS.get(field.format or "", {})
    if _is_text(spec):
        found = given(form or {**_ONE_LINE, "type": ["string", "number"]}) if form not in (ADDRESS, GUID) else form
    else:
        found = {**spec_value(spec), **form}
    label = {} if field.label == field.id else {"description": field.label}
    return {**label, **found}


def _is_text(spec: Mapping[str, Any]) -> bool:
    return spec.get("type", "str") == "str" and not spec.get("choices")


def _sender(kind: SenderKind) -> Schema:
    one = {"description": kind.label, **ADDRESS}
    return {"description": kind.label, **given({"type": "object", "additionalProperties": one})} if kind.many else one


def _either(schemas: Sequence[Schema]) -> Schema:
    """One of several schemas, each of them once."""
    plain = [{key: value for key, value in schema.items() if key != "description"} for schema in schemas]
    different = [schema for index, schema in enumerate(plain) if schema not in plain[:index]]
    return schemas[0] if len(different) == 1 else {"anyOf": different}
