# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The octoDNS accounts that docs/providers.md shows are made, with the newest release of each class; no service is
asked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import check_dns, with_defaults
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.octodns.octodns_class import OctodnsClass
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

PAGE = (Path(__file__).parents[2] / "docs" / "providers.md").read_text(encoding="utf-8")
EXAMPLES = re.search(r"<!-- octodns accounts -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)
ACCOUNTS: dict[str, dict[str, Any]] = {
    one["class"]: one for one in (yaml.safe_load(EXAMPLES[1]) if EXAMPLES else {}).values()
}
SECRET = "0123456789abcdef0123456789abcdef"
ZONE = "acme.example"
SERVICES = 9


def account_of(name: str, folder: Path) -> dict[str, Any]:
    """The account as shown, with secrets that look like such, and a file for the account of Google."""
    shown = ACCOUNTS[name]
    account = {**shown, "secrets": dict.fromkeys(shown["secrets"], SECRET)}
    if "credentials_file" in account["secrets"]:
        key = rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        parts = {"client_email": "mailroom@acme.example", "token_uri": "https://oauth2.example/token"}
        file = folder / "account.json"
        file.write_text(json.dumps({**parts, "type": "service_account", "private_key": key.decode()}))
        account["secrets"]["credentials_file"] = str(file)
    return account


def test_all_services_are_shown() -> None:
    assert len(ACCOUNTS) == SERVICES


@pytest.mark.parametrize("name", ACCOUNTS)
def test_the_newest_class_takes_the_account_that_is_shown(name: str, tmp_path: Path) -> None:
    account = account_of(name, tmp_path)
    assert check_dns(account) == []
    found = OctodnsClass(with_defaults(account))
    assert {"TXT", "CNAME", "MX"} <= set(found.made(ZONE).SUPPORTS)
    assert found.lists_zones is not ("zones" in account), "`zones` is shown where the class cannot list them"


@pytest.mark.parametrize("name", ACCOUNTS)
def test_no_secret_stands_among_the_options_and_none_is_told(name: str, tmp_path: Path) -> None:
    account = account_of(name, tmp_path)
    misplaced = {**account, "options": {**account.get("options", {}), **account["secrets"]}, "secrets": {}}
    told = check_dns(misplaced)
    assert len(told) == len(account["secrets"]) and not any(SECRET in problem for problem in told)
    if name == "octodns_desec.DesecProvider":
        return  # takes any option, and looks at none that it does not know
    unknown = {**account, "secrets": {**account["secrets"], "unknown_secret": SECRET}}
    with pytest.raises(ProviderError, match="cannot be made with these options") as caught:
        OctodnsClass(with_defaults(unknown)).made(ZONE)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("name", [name for name, one in ACCOUNTS.items() if "accept_record_gaps" in one])
def test_a_gap_is_to_be_accepted_for_each_zone(name: str, tmp_path: Path) -> None:
    account = account_of(name, tmp_path)
    OctodnsClass(with_defaults(account)).check_accepted(ZONE)
    with pytest.raises(ProviderError, match=r"Name the zone in dns\.accept_record_gaps"):
        OctodnsClass(with_defaults(account)).check_accepted("other.example")
    del account["accept_record_gaps"]
    with pytest.raises(ProviderError, match=r"deletes records before it creates the new ones.*accept_record_gaps"):
        OctodnsClass(with_defaults(account))
