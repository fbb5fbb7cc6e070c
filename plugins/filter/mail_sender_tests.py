# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of the playbook ``mail_test``; ``estate.sender_tests`` has the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_variables import host_variable
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.sender_tests import sender_tests
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value, untemplated
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import UnreadableVariable
from ansible_collections.mailroom.erp.plugins.plugin_utils.template_marks import never_templates

_SECRET = "erp_mail_password"


def mail_sender_tests(
    judged: Mapping[str, Any], results: Iterable[Mapping[str, Any]], verdicts: Iterable[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    """How each sender is tested; ``mail_sender_tests.yml`` documents it."""
    needed = {name: plain_value(judged[name]) for name in ("needs", "variables")}
    return sender_tests(needed, plain_value(list(results)), plain_value(list(verdicts))).tests


def mail_environment_secret(hosts: Mapping[str, Any], environment: str) -> str:
    """The secret of an environment; ``mail_environment_secret.yml`` documents it."""
    try:
        value = host_variable(hosts[environment], _SECRET)
    except UnreadableVariable:
        return ""
    return "" if value is None or untemplated(_SECRET, {"": value}) else str(value)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters, as Ansible asks for them."""
        return {
            "mail_environment_secret": never_templates(mail_environment_secret),
            "mail_sender_tests": never_templates(mail_sender_tests),
        }
