# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that names other customers' zones when it cannot list them is told without them, at each service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.other_names import without_other_names
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import with_defaults
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
from ansible_collections.mailroom.erp.tests.servers import cloudflare, transip
from ansible_collections.mailroom.erp.tests.servers.cloudflare_state import Refusal
from ansible_collections.mailroom.erp.tests.servers.transip_state import TransipRefusal
from ansible_collections.mailroom.erp.tests.unit.dns.cloudflare_acts import StartCloudflare, opened
from ansible_collections.mailroom.erp.tests.unit.dns.transip_acts import StartTransip, opened_transip
from hypothesis import given
from hypothesis import strategies as st
from octodns.provider.yaml import YamlProvider

WORDS = "the zones jansen.example, www.bakkerij-jansen.example. and acme.example are locked"
TOLD = "the zones (another name), (another name). and acme.example are locked"
LABELS = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z]", fullmatch=True)
NAMES = st.lists(LABELS, min_size=2, max_size=4).map(".".join)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (WORDS, TOLD),
        ("_dmarc.acme.example, example and 192.0.2.1 (v1.2)", "_dmarc.acme.example, example and 192.0.2.1 (v1.2)"),
        ("zones/jansen.example.yaml: No such file", "zones/(another name): No such file"),
        ("b\u00e4ckerei.example XN--BCKEREI-5WA.EXAMPLE", "(another name) (another name)"),
        ("", ""),
    ],
)
def test_names_beside_the_one_that_was_asked_for_are_taken_out(text: str, told: str) -> None:
    assert without_other_names(text, "acme.example") == told


@given(
    NAMES, st.sampled_from([" ", ", ", ": ", "'", '"', "(", "/", "@", "\n"]), st.sampled_from(["", ".", " ", ")", "'"])
)
def test_no_name_is_left_wherever_it_stands(name: str, before: str, after: str) -> None:
    text = f"it says{before}{name}{after} of all"
    assert name not in without_other_names(text, "acme.invalid")
    assert without_other_names(text, name) == text


class Telling(YamlProvider):  # type: ignore[misc]
    """A class of octoDNS that tells all zones when it cannot list them."""

    def list_zones(self) -> Any:
        raise RuntimeError(WORDS)


class Odd(YamlProvider):  # type: ignore[misc]
    """One that lists what is no domain name, too."""

    def list_zones(self) -> Any:
        return ["acme.example.", "..", "a" * 300 + ".example."]


def octodns_of(name: str, folder: Path) -> dict[str, Any]:
    option = {"provider": "octodns", "class": f"{__name__}.{name}", "options": {"directory": str(folder)}}
    return with_defaults({**option, "accept_whole_zone_writes": ["acme.example"]})


def test_at_cloudflare(start_cloudflare: StartCloudflare, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_given: object) -> None:
        raise Refusal(403, 9109, WORDS)

    monkeypatch.setattr(cloudflare.Cloudflare, "_list_zones", refuse)
    with pytest.raises(ProviderError) as told:
        opened(start_cloudflare()).zone_of("acme.example")
    assert TOLD in str(told.value) and "zone acme.example" in str(told.value)


def test_at_transip(start_transip: StartTransip, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_given: object) -> None:
        raise TransipRefusal(403, WORDS)

    monkeypatch.setattr(transip.Transip, "_route", refuse)
    with pytest.raises(ProviderError) as told:
        opened_transip(start_transip()).zone_of("acme.example")
    assert TOLD in str(told.value)


def test_at_a_class_of_octodns(tmp_path: Path) -> None:
    with pytest.raises(ProviderError) as told:
        open_provider(octodns_of("Telling", tmp_path)).zone_of("acme.example")
    assert f"{__name__}.Telling, zone acme.example: it cannot list its zones: RuntimeError: {TOLD}" in str(told.value)


def test_what_octodns_lists_that_is_no_name_is_nobodys(tmp_path: Path) -> None:
    assert open_provider(octodns_of("Odd", tmp_path)).zone_of("_dmarc.acme.example") == "acme.example"
