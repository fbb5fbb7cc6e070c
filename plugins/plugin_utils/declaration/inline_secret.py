# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Reads the secret of an environment, only when ``erp_mail_secrets: inline`` asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value
from jinja2 import TemplateError

_VARIABLE = "erp_mail_password"


def read_secret(templar: Any, variables: Mapping[str, Any]) -> str:
    """Read the secret in the process of Ansible itself, so that it is among no task's arguments and in no result.

    :param templar: the templar of an action plugin
    :param variables: the raw variables of the host
    :raises Refused: it cannot be read; the error's own text may quote it, and is left out
    """
    try:
        return str(plain_value(templar.template(variables[_VARIABLE])))
    except (AnsibleError, TemplateError, KeyError):
        subject = str(variables.get("inventory_hostname", "task"))
        rule = "its value cannot be read, and erp_mail_secrets: inline wants it in settings.yml"
        way_out = "Open the vault in this run, or use erp_mail_secrets: reference."
        raise Refused(INVENTORY_RULES.problem(subject, _VARIABLE, None, rule, way_out)) from None
