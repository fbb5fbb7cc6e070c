# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A zone that the world may see elsewhere, or otherwise: told, and changed only when it is accepted by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from ansible_collections.mailroom.erp.plugins.module_utils.domains.delegation import check_delegation, zone_servers
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.plugins.module_utils.domains.world import world_of
from ansible_collections.mailroom.erp.plugins.module_utils.domains.zone_records import DomainOutcome
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver import Resolver
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.cloudflare import Cloudflare
from ansible_collections.mailroom.erp.tests.servers.octodns_backends import on_yaml
from ansible_collections.mailroom.erp.tests.servers.server import KEY_NAME, zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

ZONE = "acme.example"
OLD = '@ IN TXT "v=spf1 ip4:192.0.2.1 ~all"'
OTHER = '@ IN TXT "v=spf1 mx ~all"'


class TwoViews(Bind):
    """Who has the key sees the zone that can be changed, everybody else sees another one."""

    outside = ""

    def configure(self) -> None:
        super().configure()
        file = self.folder / "outside.zone"
        file.write_text(zone_text(ZONE, self.outside))
        config = self.folder / "named.conf"
        head, zones = config.read_text().split('zone "', 1)
        inside = f'view "inside" {{ match-clients {{ key "{KEY_NAME}"; }};\nzone "{zones}}};\n'
        everybody = (
            f'view "outside" {{ match-clients {{ any; }};\nzone "{ZONE}" {{ type primary; file "{file}"; }}; }};\n'
        )
        config.write_text(head + inside + everybody)


@pytest.fixture
def viewed(request: pytest.FixtureRequest) -> Iterator[TwoViews]:
    inside, TwoViews.outside = request.param
    with TwoViews({ZONE: zone_text(ZONE, inside)}) as server:
        yield server


def run(dns: Mapping[str, Any], resolver: Mapping[str, Any], **more: Any) -> DomainOutcome:
    params = {"dns": dns, "domains": [ZONE], "spf": {"terms": ["ip4:192.0.2.9"]}, **more}
    (outcome,) = Run(read_order(params), resolver).execute(write=True)
    return outcome


@pytest.mark.parametrize(
    "viewed",
    [pytest.param((OLD, OTHER), id="another record"), pytest.param(("", OTHER), id="none here")],
    indirect=True,
)
def test_a_view_that_only_our_key_sees_is_refused_unless_accepted(viewed: TwoViews) -> None:
    serial = viewed.serial(ZONE)
    with pytest.raises(Refused) as caught:
        run(viewed.dns_option, viewed.resolver_option)
    for word in (f'for {ZONE} TXT the world answers "v=spf1 mx ~all"', "another view", f"accept_undelegated: [{ZONE}]"):
        assert word in str(caught.value)
    assert viewed.serial(ZONE) == serial
    accepted = run(viewed.dns_option, viewed.resolver_option, accept_undelegated=[ZONE])
    assert accepted.changed
    assert any("accepted by name" in warning for warning in accepted.warnings)


@pytest.mark.parametrize("viewed", [(OLD, OLD)], indirect=True)
def test_a_view_with_the_same_record_is_changed(viewed: TwoViews) -> None:
    assert run(viewed.dns_option, viewed.resolver_option).changed


@pytest.mark.parametrize("wildcard", ['* IN TXT "v=spf1 -all"', ""])
def test_a_wildcard_that_answers_for_a_record_that_is_to_come_is_no_other_view(wildcard: str) -> None:
    with Bind({ZONE: zone_text(ZONE, wildcard)}) as server:
        outcome = run(server.dns_option, server.resolver_option, spf=None, dmarc={"policy": "none"})
    assert outcome.changed


def without_name_servers(kind: str, folder: Path, records: str) -> tuple[Any, Mapping[str, Any]]:
    """A DNS account that does not tell where its zone is: its server, if any, and the option ``dns``."""
    if kind == "octodns":
        dns = on_yaml(folder, {ZONE: zone_text(ZONE, records)})
        file = folder / f"{ZONE}.yaml"
        lines = file.read_text()
        assert "NS" in lines
        file.write_text(
            lines.replace("type: NS", "type: CAA").replace("- ns1.acme.example.", "- {flags: 0, tag: issue, value: x}")
        )
        return None, dns
    server = Cloudflare({ZONE: zone_text(ZONE, records)})
    server.zones[ZONE].name_servers = []
    return server, server.dns_option


@pytest.mark.parametrize("kind", ["cloudflare", "octodns"])
@pytest.mark.parametrize(
    ("world", "told"),
    [
        pytest.param("", "the world answers nothing, this DNS account has", id="not there"),
        pytest.param(OTHER, 'the world answers "v=spf1 mx ~all", this DNS account has', id="another"),
        pytest.param(OLD, None, id="the same"),
    ],
)
def test_an_account_that_does_not_tell_its_name_servers_is_known_by_its_records(
    kind: str, world: str, told: str | None, tmp_path: Path
) -> None:
    seen = ZoneFolder(tmp_path / "world", {ZONE: zone_text(ZONE, world)})
    server, dns = without_name_servers(kind, tmp_path, OLD)
    try:
        if told is None:
            assert run(dns, seen.resolver_option).changed
            return
        with pytest.raises(Refused) as caught:
            run(dns, seen.resolver_option)
        for word in (told, "does not say which name servers", "is not known", f"accept_undelegated: [{ZONE}]"):
            assert word in str(caught.value)
        assert run(dns, seen.resolver_option, accept_undelegated=[ZONE]).changed
    finally:
        if server is not None:
            server.stop()


def test_an_account_without_name_servers_and_without_records_is_not_known_either(tmp_path: Path) -> None:
    seen = ZoneFolder(tmp_path / "world", {ZONE: zone_text(ZONE)})
    server, dns = without_name_servers("cloudflare", tmp_path, "")
    try:
        with pytest.raises(Refused, match="no record tells"):
            run(dns, seen.resolver_option)
    finally:
        server.stop()


def test_an_older_answer_of_a_resolver_is_a_warning(tmp_path: Path) -> None:
    """A file stands for a memory: nobody says that it is what the zone's name servers answer now."""
    seen = ZoneFolder(tmp_path / "world", {ZONE: zone_text(ZONE, OTHER)})
    with Bind({ZONE: zone_text(ZONE, OLD)}) as server:
        outcome = run(server.dns_option, seen.resolver_option)
    assert outcome.changed
    assert any("a resolver may still have the record of before" in warning for warning in outcome.warnings)


def test_what_the_world_answers_is_told_in_printable_characters(tmp_path: Path) -> None:
    seen = ZoneFolder(tmp_path / "world", {ZONE: zone_text(ZONE, '@ IN TXT "v=spf1 mx ~all" "\\027[2J\\010fatal:"')})
    with Bind({ZONE: zone_text(ZONE, OLD)}) as server:
        outcome = run(server.dns_option, seen.resolver_option)
    assert any(r"~all\x1b[2J\nfatal:" in warning for warning in outcome.warnings), outcome.warnings
    assert all(warning.isprintable() for warning in outcome.warnings)


def test_somebody_who_writes_meanwhile_is_no_other_view() -> None:
    """What was read is older than what the world answers: both are asked once more."""
    with Bind({ZONE: zone_text(ZONE, OLD)}) as server:
        change = Change(RRset(ZONE, "TXT", 60, ("v=spf1 -all",)), None)
        provider = open_provider(server.dns_option)

        def anew() -> Any:
            return world_of(Resolver(server.resolver_option))

        (doubt,) = check_delegation(provider, ZONE, [change], anew(), anew, [])
    assert "may still have" in doubt


def test_the_name_servers_of_a_zone_are_told_though_nothing_changes_in_it(tmp_path: Path) -> None:
    text = zone_text("acme.example")
    ours = ZoneFolder(tmp_path / "ours", {"acme.example": text})
    theirs = ZoneFolder(tmp_path / "theirs", {"acme.example": text.replace("ns1", "ns.moved")})
    provider = open_provider({"provider": "zonefile", "path": str(tmp_path / "ours")})
    found = {
        name: zone_servers(provider, "acme.example", world_of(Resolver(option)))
        for name, option in (("same", ours.resolver_option), ("moved", theirs.resolver_option))
    }
    assert found["same"]["account"] == found["same"]["world"] == ["ns1.acme.example"]
    assert found["moved"]["world"] == ["ns.moved.acme.example"] and found["moved"]["problem"] is None
    silent = zone_servers(provider, "acme.example", world_of(Resolver({"zonefiles": [str(tmp_path / "nothing")]})))
    assert silent["world"] is None and silent["problem"]
