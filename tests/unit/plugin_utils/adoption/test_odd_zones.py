# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adopt, then plan as site does: nothing would change and nothing is refused, however odd the zones are."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
from ansible_collections.mailroom.erp.plugins.module_utils.policy import spf
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.unexplained_records import unexplained_items
from ansible_collections.mailroom.erp.tests.servers import octodns_backends
from ansible_collections.mailroom.erp.tests.servers.bind import Bind, StartBind
from ansible_collections.mailroom.erp.tests.servers.odd_zones import odd_zones
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.adoption.adopted import adopted, declared, site_changes

GOLDEN = Path(__file__).parent / "golden"


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


@pytest.mark.parametrize("route", ["bind", "octodns"])
def test_site_changes_nothing_on_a_server(tmp_path: Path, start_bind: StartBind, route: str) -> None:
    zones = odd_zones(50)
    server: Bind = start_bind(zones)
    account = octodns_backends.on_bind(server) if route == "octodns" else server.dns_option
    adoption = adopted(tmp_path / "inventory", zones, account, server.resolver_option)
    found = declared(tmp_path / "inventory")
    assert sorted(found) == sorted(set(zones) - set(adoption.unread))
    assert site_changes(tmp_path / "inventory", account, server.resolver_option) == []
    # no class of octoDNS carries every odd record
    assert len(found) == 50 if route == "bind" else len(found) > 30, adoption.unread


def test_where_the_zone_is_not_transferred_the_names_that_are_known_are_asked_for(
    tmp_path: Path, start_bind: StartBind
) -> None:
    zones = odd_zones(30)
    server = start_bind(zones)
    account = {key: value for key, value in server.dns_option.items() if not key.startswith("key_")}
    adoption = adopted(tmp_path / "inventory", zones, account, server.resolver_option)
    assert adoption.unread == {} and "does not list its names" in (tmp_path / "inventory" / "domains.yml").read_text()
    assert site_changes(tmp_path / "inventory", account, server.resolver_option) == []


def test_every_term_of_every_record_is_declared_or_unexplained(tmp_path: Path) -> None:
    zones = odd_zones(80)
    served = ZoneFolder(tmp_path / "zones", zones)
    adopted(tmp_path / "inventory", zones, served.dns_option, served.resolver_option)
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


def test_every_value_has_a_comment_that_says_where_it_came_from(tmp_path: Path) -> None:
    zones = odd_zones(80)
    served = ZoneFolder(tmp_path / "zones", zones)
    adopted(tmp_path / "inventory", zones, served.dns_option, served.resolver_option)
    lines = (tmp_path / "inventory" / "domains.yml").read_text().splitlines()
    entries = lines[lines.index("    mail_dns_domains:") + 1 :]
    bare = [
        f"{one} after {before}"
        for before, one in pairwise(entries)
        if one.startswith(" " * 8)
        and one[8] not in " #"
        and not before.startswith(" " * 8 + "#")
        # an item of these has a comment or evidence of its own
        and one.strip() not in ("unexplained:", "dkim:")
    ]
    assert bare == []


@pytest.mark.parametrize("name", ["domains.yml", "questions.yml"])
def test_the_files_are_those_that_a_person_has_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """To the byte, whatever is made faster; UPDATE_GOLDEN=1 writes them anew."""
    monkeypatch.chdir(tmp_path)
    zones = odd_zones(40)
    served = ZoneFolder(Path("zones"), zones)
    adopted(Path("inventory"), zones, served.dns_option, served.resolver_option)
    text, golden = Path("inventory", name).read_text(encoding="utf-8"), GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
