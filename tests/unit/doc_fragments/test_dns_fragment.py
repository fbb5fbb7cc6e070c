# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation says of DNS accounts is what the registry has, and the other way round."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.doc_fragments.dns import ModuleDocFragment
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import dns_spec
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare.cloudflare_api import (
    CLOUDFLARE_URL,
    REQUEST_SECONDS,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import PROVIDERS
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.name_server import ANSWER_SECONDS
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.transip.transip_api import (
    TRANSIP_SECONDS,
    TRANSIP_URL,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module_options import shared_spec

FRAGMENT = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
DNS = FRAGMENT["dns"]["suboptions"]
ACCOUNTS = yaml.safe_load(ModuleDocFragment.ACCOUNTS)["options"]["accounts"]["suboptions"]
SECONDS = {"rfc2136": ANSWER_SECONDS, "cloudflare": REQUEST_SECONDS, "transip": TRANSIP_SECONDS}
"""What stands in the code, because the two differ and an option is the same for all who have it."""


def text_of(option: dict[str, Any]) -> str:
    description = option["description"]
    return " ".join(description) if isinstance(description, list) else str(description)


def shape(option: dict[str, Any]) -> dict[str, Any]:
    found = {key: option[key] for key in ("type", "elements", "choices", "required", "default") if option.get(key)}
    return {**found, "choices": sorted(found["choices"])} if "choices" in found else found


@pytest.mark.parametrize("documented", [DNS, ACCOUNTS], ids=["dns", "accounts"])
def test_the_documented_options_are_those_of_the_providers(documented: dict[str, Any]) -> None:
    spec = dns_spec()["options"]
    assert {name: shape(option) for name, option in documented.items()} == {
        name: shape(option) for name, option in spec.items()
    }


@pytest.mark.parametrize("name", [name for name in DNS if name != "provider"])
def test_an_option_names_its_providers_and_what_they_require(name: str) -> None:
    owners = {provider.name for provider in PROVIDERS.values() if name in provider.options}
    text = text_of(DNS[name])
    assert set(re.findall(rf"V\(({'|'.join(PROVIDERS)})\)", text)) == owners
    required = {owner for owner in owners if PROVIDERS[owner].options[name].get("required")}
    assert set(re.findall(r"Required by provider V\((\w+)\)", text)) == required
    for owner in owners:
        default = PROVIDERS[owner].options[name].get("default")
        if default not in (None, [], {}):
            assert f"V({default})" in text


@pytest.mark.parametrize(("provider", "seconds"), SECONDS.items())
def test_how_long_a_provider_waits_is_documented(provider: str, seconds: float) -> None:
    assert re.search(rf"V\({provider}\), V\({seconds:g}\)", text_of(DNS["timeout"]))


@pytest.mark.parametrize(("provider", "url"), {"cloudflare": CLOUDFLARE_URL, "transip": TRANSIP_URL}.items())
def test_where_an_api_is_is_documented(provider: str, url: str) -> None:
    assert re.search(rf"V\({provider}\), V\({re.escape(url)}\)", text_of(DNS["base_url"]))


def test_the_other_shared_options_are_documented() -> None:
    resolver = yaml.safe_load(ModuleDocFragment.RESOLVER)["options"]
    documented = {**FRAGMENT, **resolver}
    assert sorted(documented) == sorted(name for name in shared_spec() if name != "zone")
    spec = shared_spec()["resolver"]["options"]
    assert {name: option.get("default") for name, option in resolver["resolver"]["suboptions"].items()} == {
        name: option["default"] for name, option in spec.items()
    }
