# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The values of an environment's fields: what the inventory sets, else the service's fact, else the field's default."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import is_guid
from ansible_collections.mailroom.erp.plugins.module_utils.numbers import is_number
from ansible_collections.mailroom.erp.plugins.module_utils.policy.address import BadAddress, domain_of
from ansible_collections.mailroom.erp.plugins.module_utils.secret_rules import looks_secret
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import (
    Field,
    Service,
    System,
    Transport,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY, Findings
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.secret_variables import Secret
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.server_addresses import (
    check_server,
    split_endpoint,
)

_URL = re.compile(r"https?://[^\s/]+(/\S*)?", re.IGNORECASE)


def settable_fields(system: System, transport: Transport) -> dict[str, Field]:
    """The fields that ``erp_mail_settings`` may set for a transport, by id, in screen order.

    :param system: whose screen it is
    :param transport: whose fields come first
    """
    return {field.id: field for field in (*transport.fields, *system.settings) if field.spec is not None}


def checked_settings(
    system: System, transport: Transport, settings: Mapping[str, Any], findings: Findings
) -> dict[str, Any]:
    """Check what the inventory sets, each setting against its own argument spec and format.

    :param system: whose screen it is
    :param transport: whose fields there are
    :param settings: ``erp_mail_settings``, plain
    :param findings: takes an error for each wrong setting
    :returns: the right settings, with the types of their specs
    """
    known = settable_fields(system, transport)
    right: dict[str, Any] = {}
    for name, value in settings.items():
        if name not in known:
            _unknown_setting(system, transport, name, known, findings)
        elif value is not None:
            _check(known[name], value, right, findings)
    return right


def filled_values(
    system: System,
    transport: Transport,
    service: Service,
    given: Mapping[str, Any],
    password: Secret | None,
    made: Mapping[str, Any],
) -> dict[str, Any]:
    """Complete the settings of a transport.

    :param system: whose screen it is
    :param transport: whose fields there are
    :param service: whose facts fill fields that nobody sets
    :param given: what :func:`checked_settings` returned
    :param password: where the secret stands; that there is one decides about signing in
    :param made: what the role mail_entra made: directory_id and app_id
    :returns: a value for each field that has one of its own, by id; None when there is none
    """
    values: dict[str, Any] = {}
    for field in (*transport.fields, *system.settings):
        if field.id in given:
            values[field.id] = given[field.id]
        elif field.secret is None and field.sender is None:
            found = _made(field, made) or _fact(field, transport, service, values, given, password)
            values[field.id] = found if found is not None else (field.spec or {}).get("default")
    return values


def is_shown(field: Field, values: Mapping[str, Any]) -> bool:
    """Tell whether the screen takes a field, given the values of the others.

    :param field: the field
    :param values: the values of all fields by id
    """
    hidden = field.unset == "omit" and values.get(field.id) is None
    return not hidden and all(values.get(name) == wanted for name, wanted in field.show_if.items())


def _made(field: Field, made: Mapping[str, Any]) -> Any:
    """The ids of the application that the role mail_entra made; they count together only."""
    ids = {"directory_id": made.get("directory_id"), "application_id": made.get("app_id")}
    return ids.get(field.fact or "") if made.get("app_id") else None


def _fact(
    field: Field,
    transport: Transport,
    service: Service,
    values: Mapping[str, Any],
    given: Mapping[str, Any],
    password: Secret | None,
) -> Any:
    match field.fact:
        case "transport":
            return transport.label
        case "host":
            return service.host.value
        case "username":
            return service.username.value
        case "port":
            return _port(service, (field.spec or {}).get("choices"))
        case "endpoint":
            return (
                f"{service.host.value},{_port(service, None)}" if service.host.value and _port(service, None) else None
            )
        case "security":
            return field.words.get(service.security(port_of(transport, values) or 0) or "")
        case "auth":
            return _needs_sign_in(service, "username" in given or bool(password and password.is_given))
    return None


def port_of(transport: Transport, values: Mapping[str, Any]) -> int | None:
    """The port that a transport uses: its own field, or the part behind the comma of ``host,port``; None: not said.

    :param transport: whose fields there are
    :param values: their values by id
    """
    combined = _value_of(transport, values, "endpoint")
    return split_endpoint(combined)[1] if combined else _value_of(transport, values, "port")


def host_of(transport: Transport, values: Mapping[str, Any]) -> str | None:
    """The server that a transport uses; None: it has none, or it is not said.

    :param transport: whose fields there are
    :param values: their values by id
    """
    combined = _value_of(transport, values, "endpoint")
    return split_endpoint(combined)[0] if combined else _value_of(transport, values, "host")


def _value_of(transport: Transport, values: Mapping[str, Any], kind: str) -> Any:
    """The value of the field that holds a server's host, port or endpoint, told by its fact or its format."""
    found = (field.id for field in transport.fields if kind in (field.fact, field.format))
    return next((values.get(name) for name in found), None)


def _needs_sign_in(service: Service, has_credentials: bool) -> bool:
    return {"required": True, "none": False}.get(service.auth.value or "", has_credentials)


def _port(service: Service, choices: Iterable[int] | None) -> int | None:
    """The first of the service's ports, in its order of preference, that the ERP can use."""
    ports = [int(entry["port"]) for entry in service.ports.value or ()]
    return next((port for port in ports if choices is None or port in choices), None)


def _unknown_setting(
    system: System, transport: Transport, name: str, known: Mapping[str, Field], findings: Findings
) -> None:
    where = f"erp_mail_settings.{name}"
    if looks_secret(name):
        rule = "a secret does not belong into the settings, which are written to a file; its value is not shown"
        findings.error(
            where, None, rule, INVENTORY, "Put it into the variable erp_mail_password, encrypted with ansible-vault."
        )
        return
    elsewhere = [item.label for item in system.transports if name in settable_fields(system, item)]
    rule = f"{system.title} has no such setting for transport {transport.id}"
    if elsewhere:
        rule += f"; it belongs to {', '.join(elsewhere)} and is not accessible here"
    findings.error(where, None, rule, transport.source if elsewhere else INVENTORY, _closest(name, known))


def _closest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    if close:
        return f"Did you mean {close[0]}?"
    return f"It takes: {', '.join(known)}." if known else "It takes no settings: leave it out."


def _check(field: Field, value: Any, right: dict[str, Any], findings: Findings) -> None:
    """Check one value; a right one goes into ``right`` with its type."""
    converted, rule = _converted(field, value)
    rule = rule or _broken_format(field.format, converted)
    if rule is None:
        right[field.id] = converted
        return
    shown = None if isinstance(value, list | dict) else value
    label = f"{field.label}: " if field.label != field.id else ""
    where = f"erp_mail_settings.{field.id}"
    findings.error(where, shown, label + rule, field.source, "Correct the value in the inventory.")


def _converted(field: Field, value: Any) -> tuple[Any, str | None]:
    spec = {name: item for name, item in (field.spec or {}).items() if name != "default"}
    kind = spec.get("type", "str")
    if kind != "dict" and isinstance(value, list | dict):
        return value, f"one value is wanted, not a {type(value).__name__}"
    if kind in ("int", "str") and isinstance(value, bool):
        return value, f"{'a number' if kind == 'int' else 'text'} is wanted, not yes or no (quote text)"
    if kind == "int" and not is_number(value):
        return value, "a number is wanted"
    result = ArgumentSpecValidator({field.id: spec}).validate({field.id: value})
    if result.error_messages:
        return value, str(result.error_messages[0])
    return result.validated_parameters[field.id], None


def _broken_format(wanted: str | None, value: Any) -> str | None:
    if isinstance(value, str) and not value.isprintable():
        return "a value fits on one line and has no control characters"
    try:
        if wanted == "host":
            check_server(value)
        elif wanted == "address":
            domain_of(value)
        elif wanted == "endpoint":
            split_endpoint(value)
    except BadAddress as error:
        return str(error)
    return _broken_pattern(wanted, value)


def _broken_pattern(wanted: str | None, value: Any) -> str | None:
    if wanted == "port" and not 1 <= value <= 65535:
        return "a port is a number from 1 to 65535 (RFC 9293 section 3.1)"
    if wanted == "count" and value < 0:
        return "it is a number from 0 up"
    if wanted == "positive" and value < 1:
        return "it is a number from 1 up"
    if wanted == "guid" and not is_guid(value):
        return "it is a GUID: 8-4-4-4-12 hexadecimal digits"
    if wanted == "url" and not _URL.fullmatch(value):
        return "it is a web address that begins with https:// or http://"
    return None
