# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of one environment for programs: a versioned shape, fields in the order of the ERP's screen.

docs/catalogue.md describes the shape. No timestamps: the same declaration gives the same bytes.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.libraries import require
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue_facts import Field
from ansible_collections.mailroom.erp.plugins.plugin_utils.environment import Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.field_values import is_shown

FORMAT = "mailroom.erp/settings/1"


def settings_of(environment: Environment) -> dict[str, Any]:
    """The settings of an environment without errors.

    :returns: format, environment, system, title, language, transport, service, menu (str); ``fields``: list of {id,
        label, value}, value None for a field to leave as it is, {secret, where} for one whose value is not here;
        ``senders``: list of {kind, key, address, menu}
    """
    menus = {kind.id: kind.menu for kind in environment.system.senders}
    return {
        "format": FORMAT,
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
    """The settings as the text of ``settings.yml``, keys in their own order, lists indented as yamllint wants them."""
    yaml = require("yaml")

    class Indented(yaml.SafeDumper):  # type: ignore[name-defined, misc]
        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, False)

    text: str = yaml.dump(
        settings, Dumper=Indented, sort_keys=False, allow_unicode=True, width=1000, explicit_start=True
    )
    return text


def _value(field: Field, environment: Environment) -> Any:
    if field.secret is not None:
        secret = environment.password
        if secret is not None and secret.is_given:
            return {"secret": secret.variable, "where": f"Ansible variable {secret.variable}"}
        return "" if field.unset == "empty" else None
    value = environment.values.get(field.id)
    if value is None and field.sender is not None:
        return next((sender.address for sender in environment.senders if sender.kind == field.sender), None)
    return "" if value is None and field.unset == "empty" else value
