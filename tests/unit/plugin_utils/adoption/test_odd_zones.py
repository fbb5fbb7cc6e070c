# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adopt, then plan as site does: nothing would change and nothing is refused, however odd the zones are."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy import spf
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.unexplained_records import unexplained_items
from ansible_collections.mailroom.erp.tests.servers.odd_zones import odd_zones
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.adoption.adopted import adopted, declared, site_changes


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_site_changes_nothing_of_what_was_adopted(tmp_path: Path, seed: int) -> None:
    zones = odd_zones(80, seed)
    served = ZoneFolder(tmp_path / "zones", zones)
    inventory = tmp_path / "inventory"
    adoption = adopted(inventory, zones, served.dns_option, served.resolver_option)
    assert adoption.unread == {} and sorted(adoption.new) == sorted(zones) == sorted(declared(inventory))
    assert site_changes(inventory, served.dns_option, served.resolver_option) == []
    again = adopted(inventory, zones, served.dns_option, served.resolver_option)
    assert again.files == {}


def test_every_term_of_every_record_is_declared_or_unexplained(tmp_path: Path) -> None:
    zones = odd_zones(80)
    served = ZoneFolder(tmp_path / "zones", zones)
    adopted(tmp_path / "inventory", zones, served.dns_option, served.resolver_option)
    from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider

    provider = open_provider(served.dns_option)
    for domain, one in declared(tmp_path / "inventory").items():
        state = provider.read(domain, [(domain, "TXT")])
        texts = state.rrsets[domain, "TXT"].values if state.rrsets else ()
        terms = [term for text in spf.select_spf(texts) for term in text.split()[1:] if "all" not in term.lower()]
        items = unexplained_items(one)
        explained = [*(one.get("spf") or {}).get("terms", []), *(one.get("services") or [])]
        assert not terms or items or explained, domain
        for term in terms:
            known = f"spf {term}" in items or term in explained or bool(one.get("services"))
            assert known, (domain, term)
