# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of the playbook ``rotate_secrets``; ``estate.secret_rotation`` has the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import made_environments
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.secret_rotation import (
    other_credentials,
    rotated_tenants,
    secret_trials,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value
from ansible_collections.mailroom.erp.plugins.plugin_utils.template_marks import never_templates


def mail_rotated_tenants(judged: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the plan that is about secrets; ``mail_rotated_tenants.yml`` documents it."""
    return {"tenants": rotated_tenants(plain_value(judged["tenants"]))}


def mail_secret_trials(
    results: Iterable[Mapping[str, Any]], tenants: Mapping[str, Any], due: Iterable[str]
) -> list[dict[str, Any]]:
    """How the new secrets are tried; ``mail_secret_trials.yml`` documents it."""
    made = made_environments(plain_value(list(results)))
    return secret_trials(plain_value(tenants), made, [str(name) for name in due])


def mail_other_credentials(declared: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is told of other credentials; ``mail_other_credentials.yml`` documents it."""
    return other_credentials(declared)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters, as Ansible asks for them."""
        return {
            "mail_rotated_tenants": never_templates(mail_rotated_tenants),
            "mail_other_credentials": never_templates(mail_other_credentials),
            "mail_secret_trials": never_templates(mail_secret_trials),
        }
