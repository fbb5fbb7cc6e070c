# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS accounts that the hosts of a play declare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ansible.errors import AnsibleUndefinedVariable
from ansible_collections.mailroom.erp.plugins.filter.mail_accounts import mail_accounts

ACCOUNT = {"provider": "zonefile", "path": "/zones"}
OTHER = {"provider": "zonefile", "path": "/other"}


class Locked(Mapping[str, Any]):
    """Variables of a host, one of which cannot be templated."""

    def __init__(self, locked: str, **variables: Any) -> None:
        self._locked, self._variables = locked, {locked: None, **variables}

    def __getitem__(self, name: str) -> Any:
        if name == self._locked:
            raise AnsibleUndefinedVariable("hunter2hunter2 is undefined")
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


def test_each_account_is_there_once_whoever_declares_it() -> None:
    domains = {"acme.example": {"dns": OTHER}, "beta.example": {"dns": ACCOUNT}, "gamma.example": None}
    hostvars = {"b": {"mail_dns_account": ACCOUNT}, "a": {"mail_dns_domains": domains}, "c": {}}
    assert mail_accounts(hostvars, ["b", "a", "c"]) == {"accounts": [OTHER, ACCOUNT], "warnings": []}


@pytest.mark.parametrize(
    ("account", "rule"),
    [({**ACCOUNT, "path": "{{ vault_path }}"}, "dns.path refers to a variable"), ("zonefile", "must be a dictionary")],
)
def test_a_wrong_account_is_left_out_and_named(account: Any, rule: str) -> None:
    found = mail_accounts({"a": {"mail_dns_account": account}, "b": {"mail_dns_account": ACCOUNT}}, ["a", "b"])
    assert found["accounts"] == [ACCOUNT]
    (warning,) = found["warnings"]
    assert warning.startswith("a: mail_dns_account: ") and rule in warning


@pytest.mark.parametrize(
    ("hosts", "accounts"),
    [
        ({"a": Locked("mail_dns_account", mail_dns_domains={"acme.example": {"dns": OTHER}})}, [OTHER]),
        ({"a": Locked("mail_dns_domains", mail_dns_account=ACCOUNT)}, [ACCOUNT]),
    ],
)
def test_what_cannot_be_templated_is_named_and_the_rest_is_there(hosts: Any, accounts: list[Any]) -> None:
    found = mail_accounts(hosts, ["a"])
    assert found["accounts"] == accounts
    (warning,) = found["warnings"]
    assert "it cannot be templated" in warning and "hunter2" not in warning
