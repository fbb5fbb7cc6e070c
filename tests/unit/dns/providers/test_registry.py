# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of DNS providers: what does not fit together is told by name, before any module runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Provider, ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider_registration import ProviderRegistration
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import check_dns, dns_spec, ttl_rule
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import (
    PROVIDERS,
    RegistryError,
    open_provider,
    registered,
)


def opened(_dns: Mapping[str, Any], _tell: Callable[[str], None]) -> Provider:
    raise AssertionError("nothing is opened here")


def other(options: ArgumentSpec, name: str = "other") -> ProviderRegistration:
    return ProviderRegistration(name, options, opened)


@pytest.mark.parametrize(
    ("option", "spec", "told"),
    [
        ("key_secret", {"type": "int", "no_log": True}, "dns.key_secret with another type"),
        ("key_secret", {"type": "str"}, "dns.key_secret with another no_log"),
        ("key_secret", {"type": "int"}, "dns.key_secret with another no_log, type"),
        ("port", {"type": "int", "default": 5353}, "dns.port with another default"),
        ("port", {"type": "int"}, "dns.port with another default"),
        ("zones", {"type": "list", "elements": "path", "default": []}, "dns.zones with another elements"),
        ("key_algorithm", {"type": "str", "default": "hmac-sha256"}, "dns.key_algorithm with another choices"),
    ],
)
def test_an_option_of_two_providers_is_the_same_for_both(option: str, spec: dict[str, Any], told: str) -> None:
    owner = next(one.name for one in PROVIDERS.values() if option in one.options)
    with pytest.raises(RegistryError, match=f"providers {owner} and other have an option {told}"):
        registered([*PROVIDERS.values(), other({option: spec})])


def test_an_equal_option_of_two_providers_is_shared_and_stays_masked() -> None:
    shared = {"key_secret": {"type": "str", "no_log": True, "required": True}}
    both = registered([*PROVIDERS.values(), other(shared)])
    assert list(both) == [*PROVIDERS, "other"]
    assert dns_spec()["options"]["key_secret"] == {"type": "str", "no_log": True}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (other({}, "zonefile"), "two providers are called zonefile"),
        (other({}, ""), r"provider \(without a name\) is registered in part: it lacks name"),
        (replace(other({}), open=cast(Any, None)), "provider other is registered in part: it lacks open"),
        (replace(other({}), problems=cast(Any, None)), "provider other is registered in part: it lacks problems"),
        (replace(other({}), options=cast(Any, None)), "provider other is registered in part: it lacks options"),
        (other({"provider": {"type": "str"}}), "provider other: its option dns.provider belongs to all of them"),
        (other({"url": {"required": True}}), "provider other: its option dns.url has no type"),
    ],
)
def test_a_provider_that_is_not_whole_is_refused_by_name(wrong: ProviderRegistration, told: str) -> None:
    with pytest.raises(RegistryError, match=told):
        registered([*PROVIDERS.values(), wrong])


@pytest.mark.parametrize("provider", ["route53", None, "zonefiles"])
def test_an_unknown_provider_is_refused_by_name(provider: str | None) -> None:
    with pytest.raises(ProviderError, match=f"no DNS provider {provider}; choose one of: {', '.join(PROVIDERS)}"):
        open_provider({"provider": provider, "path": "/nowhere"})


@pytest.mark.parametrize("provider", list(PROVIDERS))
def test_every_provider_tells_what_it_requires(provider: str) -> None:
    required = [name for name, option in PROVIDERS[provider].options.items() if option.get("required")]
    told = [f"dns.{name} is required by provider {provider}" for name in required]
    assert check_dns({"provider": provider}) == [*told, *PROVIDERS[provider].problems({"provider": provider})]


def test_a_rule_on_ttls_is_the_provider_s_own() -> None:
    assert ttl_rule("cloudflare", 5) == "Cloudflare takes a TTL of 30 to 86400 seconds, or 1 for automatic"
    assert ttl_rule("cloudflare", 1) is None
    assert [ttl_rule(name, 5) for name in ("rfc2136", "zonefile", "octodns")] == [None] * 3


def test_all_that_is_wrong_with_an_account_is_told_at_once_and_no_value() -> None:
    account = {"provider": "rfc2136", "key_name": "k", "sever": "192.0.2.1", "zones": "x", "path": "/secret-place"}
    assert check_dns(account) == [
        "dns.path belongs to provider zonefile, not to rfc2136: leave it out",
        "dns.sever is no option of provider rfc2136; did you mean dns.server?",
        "dns.zones belongs to provider octodns, not to rfc2136: leave it out",
        "dns.server is required by provider rfc2136",
        "dns.key_name and dns.key_secret belong together: give both (TSIG) or neither",
    ]


def test_the_registry_loads_no_library() -> None:
    """The controller checks accounts, whatever the Python that runs it has."""
    code = (
        "import ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account, sys; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry" in loaded
    assert not {"dns", "cloudflare", "octodns", "msal", "requests", "yaml"} & {
        name.partition(".")[0] for name in loaded
    }
