# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""From an environment's settings to the keys of the file of an ERP that is configured by one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import (
    FileKey,
    SettingsFile,
    Transport,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES


def file_entries(file: SettingsFile, transports: tuple[Transport, ...]) -> list[dict[str, str]]:
    """The option ``entries`` of ``erp_config_file``: each key, and how much of its value may be shown.

    :param file: of the system
    :param transports: of the system; a key with the secret of any of them is not shown
    """
    secrets = {transport.secret.id for transport in transports if transport.secret is not None}
    return [
        {"name": key.key, "kind": "uri" if key.uri else "secret" if secrets & {*key.fields} else "plain"}
        for key in file.keys
    ]


def file_values(
    file: SettingsFile, settings: Mapping[str, Any], secret: Callable[[], str]
) -> tuple[dict[str, str], dict[str, str]]:
    """What the keys are to hold; one that has no value is left out.

    :param file: of the system
    :param settings: of the environment, as ``settings_of`` gives them
    :param secret: reads the secret; called only when a field holds one
    :returns: the option ``values`` of ``erp_config_file``, and ``secret_values``: what holds the secret
    :raises Refused: the secret cannot be read, or not be written so that the ERP signs in with it
    """
    fields = {field["id"]: field["value"] for field in settings["fields"]}
    held = {name for name, value in fields.items() if isinstance(value, Mapping)}
    if held & {name for key in file.keys for name in key.fields}:
        password = _checked(secret(), str(settings["environment"]))
        fields.update(dict.fromkeys(held, password))
    texts = {key.key: _text(key, fields) for key in file.keys}
    secret_keys = {key.key for key in file.keys if held & {*key.fields}}
    values = {key: text for key, text in texts.items() if text is not None and key not in secret_keys}
    return values, {key: text for key, text in texts.items() if text is not None and key in secret_keys}


def _text(key: FileKey, fields: Mapping[str, Any]) -> str | None:
    if key.uri is not None:
        return _uri({part: fields.get(name) for part, name in key.uri.items()})
    value = fields.get(key.field or "")
    return None if value is None else str(value)


def _uri(parts: Mapping[str, Any]) -> str | None:
    """A URI; user and password stand in it only together. Each is percent-encoded as a whole (RFC 3986 section 2.1)."""
    if not parts["scheme"] or not parts["host"]:
        return None
    host = f"[{parts['host']}]" if ":" in str(parts["host"]) else parts["host"]
    user, password = (quote(str(parts[name] or ""), safe="") for name in ("user", "password"))
    account = f"{user}:{password}@" if user and password else ""
    port = "" if parts["port"] is None else f":{parts['port']}"
    return f"{parts['scheme']}://{account}{host}{port}"


def _checked(password: str, environment: str) -> str:
    rule = None
    if not password:
        rule = "it is empty, and the ERP would not sign in"
    elif not password.isascii() or not password.isprintable():
        rule = "the ERP signs in through Python's smtplib, which takes printable ASCII only; its value is not shown"
    if rule:
        way_out = "Give the account another password."
        raise Refused(INVENTORY_RULES.problem(environment, "erp_mail_password", None, rule, way_out))
    return password
