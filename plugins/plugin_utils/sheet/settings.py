# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The settings of one environment for programs: a versioned shape, fields in the order of the ERP's screen.

docs/catalogue.md describes the shape. No timestamps: the same declaration gives the same bytes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.libraries import require
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Field
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.confirmed_points import field_value
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.field_values import is_shown
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.block_yaml import block_yaml

SETTINGS_FORMAT = "mailroom.erp/settings/1"


def settings_of(environment: Environment) -> dict[str, Any]:
    """The settings of an environment without errors.

    :param environment: whose settings they are
    :returns: format, environment, system, title, language, transport, service, menu (str); ``fields``: list of {id,
        label, value}, value None for a field to leave as it is, {secret, where} for one whose value is not here, with
        ``valid_until`` (YYYY-MM-DD, None: not made yet) when the role mail_entra keeps it;
        ``senders``: list of {kind, key, address, menu}
    """
    menus = {kind.id: kind.menu for kind in environment.system.senders}
    return {
        "format": SETTINGS_FORMAT,
        "environment": environment.name,
        "system": environment.system.name,
        "title": environment.system.title,
        "language": environment.system.language,
        "transport": environment.transport.id,
        "service": environment.service.name,
        "menu": environment.system.menu,
        "fields": [
            {"id": field.id, "label": field.label, "value": _value(field, environment)}
            for field in environment.transport.fields
            if is_shown(field, environment.values)
        ],
        "senders": [
            {"kind": sender.kind, "key": sender.key, "address": sender.address, "menu": menus[sender.kind]}
            for sender in environment.senders
        ],
    }


def settings_yaml(settings: dict[str, Any]) -> str:
    """The settings as the text of ``settings.yml``.

    :param settings: what :func:`settings_of` gave
    """
    return block_yaml(settings)


def with_secret(text: str, secret: Callable[[], str]) -> str:
    """The text of ``settings.yml`` with the value of its secrets beside their names.

    :param text: what :func:`settings_yaml` gave
    :param secret: reads the secret; called only when a field holds one
    """
    yaml = require("yaml")
    settings = yaml.safe_load(text)
    for field in settings["fields"]:
        if isinstance(field["value"], Mapping):
            field["value"] = {**field["value"], "value": secret()}
    return settings_yaml(settings)


def mask_secrets(text: str, mask: str) -> str:
    """The text of a settings file with a mask for each secret that stands in it; any other text as it is.

    :param text: what stands in the file
    :param mask: what to show instead of a value
    """
    yaml = require("yaml")
    with contextlib.suppress(yaml.YAMLError, KeyError, TypeError):
        settings = yaml.safe_load(text)
        if settings["format"] == SETTINGS_FORMAT:
            held = [one["value"] for one in settings["fields"] if isinstance(one["value"], dict)]
            for value in (value for value in held if "value" in value):
                value["value"] = mask
            return settings_yaml(settings) if any("value" in value for value in held) else text
    return text


def valid_until(environment: Environment) -> str | None:
    """The day on which the secret that the role mail_entra made ends, as YYYY-MM-DD; None while there is none.

    :param environment: an environment that was understood
    """
    end = environment.made.get("end_date_time")
    return str(end)[:10] if end else None


def _value(field: Field, environment: Environment) -> Any:
    if field.secret is not None:
        stored = environment.made.get("stored") if environment.is_managed else None
        if stored:
            return {"secret": stored["variable"], "where": stored["file"], "valid_until": valid_until(environment)}
        secret = environment.password
        if secret is not None and secret.is_given:
            return {"secret": secret.variable, "where": f"Ansible variable {secret.variable}"}
        return "" if field.unset == "empty" else None
    return field_value(field, environment)
