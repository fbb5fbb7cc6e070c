# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""DNS accounts in an inventory that is written: options as they were given, and a reference for each secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import secret_options
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import PROVIDERS
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import TENANT_SECRETS
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.yaml_values import TemplateText
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value

_PLAIN = (str, int, float, bool)


def referred_account(raw: Any, prefix: str) -> Any:
    """An account as it may stand in an inventory.

    :param raw: as it was given, not templated; a text is a template that gives an account
    :param prefix: of the variables that shall hold its secrets: ``vault_<prefix>_<option>``
    :returns: a secret that was given as a template stays that template; any other becomes a reference
    """
    if isinstance(raw, str):
        return TemplateText(raw)
    if not isinstance(raw, Mapping):
        return None
    provider = str(raw.get("provider"))
    secrets = secret_options(provider) if provider in PROVIDERS else list(map(str, raw))
    return {str(name): _referred(value, f"{prefix}_{name}", str(name) in secrets) for name, value in raw.items()}


def referred_tenant(raw: Any, tenant_id: str) -> Any:
    """A sign-in to Microsoft Entra as it may stand in an inventory.

    :param raw: as it was given, not templated; a text is a template that gives it
    :param tenant_id: for the names of the variables that shall hold its secrets
    :returns: as :func:`referred_account`
    """
    if isinstance(raw, str):
        return TemplateText(raw)
    if not isinstance(raw, Mapping):
        return None
    name = f"tenant_{tenant_id.partition('-')[0]}"
    return {str(key): _referred(value, f"{name}_{key}", str(key) in TENANT_SECRETS) for key, value in raw.items()}


def missing_secrets(account: Any) -> Iterator[str]:
    """The variables that hold the secrets of an account and that a person must define.

    :param account: as :func:`referred_account` gives it
    """
    if isinstance(account, TemplateText):
        yield from re.findall(r"\{\{ (vault_mailroom_\w+) \}\}", account)
    elif isinstance(account, Mapping):
        for value in account.values():
            yield from missing_secrets(value)


def _referred(value: Any, name: str, is_secret: bool) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _referred(inner, f"{name}_{key}", is_secret) for key, inner in value.items()}
    if isinstance(value, str) and "{{" in value:
        return TemplateText(value)
    if is_secret or not _is_plain(value):
        return TemplateText("{{ vault_mailroom_" + re.sub(r"\W", "_", name) + " }}")
    return plain_value(value)


def _is_plain(value: Any) -> bool:
    """Whether a value can be written down; what is encrypted cannot."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, _PLAIN)
