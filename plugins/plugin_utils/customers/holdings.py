# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What belongs to one host: DNS accounts, a tenant, a file of secrets, folders. Pure.

All is compared as it is written, so the same secret that is encrypted twice is not seen to be the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import secret_options
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import PROVIDERS
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import canonical_json
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.written_inventory import (
    WrittenVariables,
    is_template,
)

ACCOUNT = "DNS account"
TENANT_HOLDING = "tenant"
SECRETS = "file of secrets"
PLACE = "folder"
SHARED_ACCOUNTS = "mail_shared_accounts"
"""More DNS accounts of whoever serves all customers, beside the ``mail_dns_account`` that is declared for all."""

_NAMED_BY = {"rfc2136": ("server", "port", "key_name"), "transip": ("login",), "zonefile": ("path",)}
"""The options that are no secret and by which an account is the same one, whoever wrote the secret down again."""

_PLACES = (
    "erp_mail_output_dir",
    "mail_dns_snapshot_dir",
    "mail_offboard_dir",
    "mail_report_dir",
    "mail_reports_archive",
    "mail_reports_paths",
)
_HIDDEN = ("provider",)


@dataclass(frozen=True, slots=True)
class Holding:
    """One thing that somebody may call his own. ``identity`` is the same for the same thing, and may hold a secret;
    ``where``: the variable; ``shown``: what a message may quote, None for nothing."""

    kind: str
    identity: str = field(repr=False)
    where: str
    shown: str | None = None

    def meets(self, other: Holding) -> bool:
        """Whether both are the same thing, or one lies in the other.

        :param other: of somebody else
        """
        if self.kind != other.kind:
            return False
        if self.kind != PLACE:
            return self.identity == other.identity
        return _is_in(self.identity, other.identity) or _is_in(other.identity, self.identity)


def holdings_of(written: WrittenVariables) -> list[Holding]:
    """What a host names, but for the accounts of single domains.

    :param written: its variables
    """
    tenant = written.value("mail_entra_tenant")
    found = list(account_holdings(written.value("mail_dns_account"), "mail_dns_account"))
    if isinstance(tenant, Mapping) and tenant.get("tenant_id"):
        tenant_id = str(tenant["tenant_id"]).lower()
        found.append(Holding(TENANT_HOLDING, tenant_id, "mail_entra_tenant", tenant_id))
        found.append(_secrets_file(written, tenant_id))
    return [*found, *(Holding(PLACE, path, name, path) for name in _PLACES for path in _paths(written.value(name)))]


def shared_holdings(for_all: WrittenVariables) -> list[Holding]:
    """What is declared for all hosts, so that it is nobody's own; a file of secrets is never shared.

    :param for_all: the variables that a host sees which is in no group
    """
    more = for_all.value(SHARED_ACCOUNTS)
    listed = more if isinstance(more, list) else []
    accounts = [one for account in listed for one in account_holdings(account, SHARED_ACCOUNTS)]
    return [*accounts, *(one for one in holdings_of(for_all) if one.kind != SECRETS)]


def account_holdings(account: Any, where: str) -> Iterator[Holding]:
    """By what a DNS account may be recognised: each of its secrets, and the options that name it.

    :param account: filled in, checked or not; None for none
    :param where: the variable
    """
    provider = account.get("provider") if isinstance(account, Mapping) else None
    if not isinstance(account, Mapping) or not isinstance(provider, str) or provider not in PROVIDERS:
        if account is not None:
            yield Holding(ACCOUNT, canonical_json(account), where)
        return
    secrets = {name: account[name] for name in secret_options(provider) if account.get(name)}
    for name, value in secrets.items():
        yield Holding(ACCOUNT, canonical_json([provider, name, value]), where)
    names = _NAMED_BY.get(provider, () if secrets else tuple(sorted(set(map(str, account)) - set(_HIDDEN))))
    values = [_option(name, account.get(name), PROVIDERS[provider].options) for name in names]
    if any(value is not None for value in values):
        yield Holding(ACCOUNT, canonical_json([provider, values]), where)


def _option(name: str, value: Any, options: Mapping[str, Any]) -> Any:
    option = options.get(name) or {}
    if value is None:
        return option.get("default")
    if option.get("type") == "path":
        return next(iter(_paths(value)), None)
    return value if isinstance(value, (Mapping, list)) else str(value).lower().rstrip(".")


def _secrets_file(written: WrittenVariables, tenant_id: str) -> Holding:
    customer = written.value("mail_entra_customer")
    folder = next(iter(_paths(written.value("mail_entra_secrets_dir"))), "")
    where = "mail_entra_customer" if customer else "mail_entra_tenant"
    return Holding(SECRETS, f"{folder}/{customer or tenant_id}.yml", where, f"{customer or tenant_id}.yml")


def _paths(given: Any) -> list[str]:
    """The paths of a variable; one that is still a template is compared as its text."""
    values = given if isinstance(given, list) else [given]
    texts = [one for one in values if isinstance(one, str) and one]
    return [one if is_template(one) else os.path.normpath(os.path.expanduser(one)) for one in texts]


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
