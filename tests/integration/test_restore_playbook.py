# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshot and restore as a user runs them, on a real BIND 9: the playbook restore, check and diff, and undoing it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.tests.integration.playbook import (
    LOCALHOST,
    Result,
    module_task,
    run_play,
    run_playbook,
)
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.sending_service import AFAS_TERM, AFAS_ZONES
from ansible_collections.mailroom.erp.tests.servers.server import KEY_SECRET, OTHER_SECRET, zone_text

SPF, NEW_SPF = "v=spf1 mx ~all", f"v=spf1 mx {AFAS_TERM} ~all"
FOREIGN = '"google-site-verification=abc; \\"quoted\\" \\\\ back \\255"'
ZONES = [f"customer{number}.example" for number in range(20)]
RESTORE = "mailroom.erp.restore"


@pytest.fixture
def server() -> Iterator[Bind]:
    text = f'@ 600 IN TXT "{SPF}"\n@ 600 IN TXT {FOREIGN}\n'
    with Bind({**AFAS_ZONES, **{zone: zone_text(zone, text) for zone in ZONES}}) as bind:
        yield bind


def inventory(server: Bind, **more: Any) -> dict[str, Any]:
    """One host declares the account for all domains but one, which has an account of its own."""
    own = {"services": [], "dns": {**server.dns_option, "server": "localhost"}}
    variables = {
        "ansible_connection": "local",
        "mail_dns_account": server.dns_option,
        "mail_dns_resolver": server.resolver_option,
        "mail_dns_domains": {zone: {"services": ["afas_online"]} for zone in ZONES[:-1]} | {ZONES[-1]: own},
        **more,
    }
    return {"all": {"hosts": {"dns": {}}, "vars": variables}}


def site(tmp_path: Path, server: Bind, *arguments: str) -> Result:
    own = {"domain": ZONES[-1], "dns": f"{{{{ mail_dns_domains['{ZONES[-1]}'].dns }}}}"}
    task = module_task(
        "mail_domains",
        dns="{{ mail_dns_account }}",
        resolver="{{ mail_dns_resolver }}",
        domains=[*ZONES[:-1], own],
        spf={"terms": [AFAS_TERM]},
        snapshot_dir=str(tmp_path / "mailroom" / "snapshots"),
    )
    morning = {**task, "name": "Let AFAS send"}
    return run_play(tmp_path, [morning], *arguments, inventory=inventory(server), hosts="all")


def restore(tmp_path: Path, server: Bind, file: Path, *arguments: str) -> Result:
    relative = file.relative_to(tmp_path)
    extra = ("-e", f"mail_restore_snapshot={relative}")
    return run_playbook(tmp_path, RESTORE, inventory(server), *extra, *arguments)


def snapshots(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "mailroom" / "snapshots").glob("*.yml"))


def spf(server: Bind, zone: str) -> list[str]:
    return [value.strip('"') for value in server.values(zone, "TXT") if value.startswith('"v=spf1')]


def test_a_restore_undoes_a_run_and_can_itself_be_undone(tmp_path: Path, server: Bind) -> None:
    checked = site(tmp_path, server, "--check")
    assert checked.rc == 0, checked.output
    assert not (tmp_path / "mailroom").exists()
    first = site(tmp_path, server)
    assert first.rc == 0, first.output
    (morning,) = snapshots(tmp_path)
    assert morning.stat().st_mode & 0o777 == 0o600
    assert site(tmp_path, server).changed == 0
    assert snapshots(tmp_path) == [morning]
    head = yaml.safe_load(morning.read_text())
    assert head["why"] == "Let AFAS send"
    assert [entry["zone"] for entry in head["zones"]] == ZONES

    hand = f"v=spf1 mx {AFAS_TERM} ip4:192.0.2.77 ~all"
    server.replace_text(ZONES[7], NEW_SPF, hand)
    serials = {zone: server.serial(zone) for zone in ZONES}
    refused = restore(tmp_path, server, morning)
    assert refused.rc != 0
    assert f"{ZONES[7]}: TXT" in refused.output
    assert "neither as the run left it nor as it was before" in refused.output
    assert f"{ZONES[6]}: TXT" not in refused.output
    assert {zone: server.serial(zone) for zone in ZONES} == serials
    assert snapshots(tmp_path) == [morning]

    forced = ("-e", "mail_restore_changed_since=restore", "--diff")
    check = restore(tmp_path, server, morning, *forced, "--check")
    assert check.rc == 0, check.output
    assert {zone: server.serial(zone) for zone in ZONES} == serials
    done = restore(tmp_path, server, morning, *forced)
    assert done.rc == 0, done.output
    assert done.changed == 1
    assert check.diff == done.diff
    assert len(done.diff) > 40
    for zone in ZONES:
        assert server.values(zone, "TXT") == sorted([f'"{SPF}"', FOREIGN])
        assert server.ttl(zone, "TXT") == 600
        assert server.serial(zone) == serials[zone] + 1

    again = restore(tmp_path, server, morning, *forced)
    assert (again.rc, again.changed, again.diff) == (0, 0, [])
    assert len(snapshots(tmp_path)) == 2

    undone = restore(tmp_path, server, snapshots(tmp_path)[1])
    assert undone.rc == 0, undone.output
    assert {zone: spf(server, zone) for zone in ZONES} == {zone: [NEW_SPF] for zone in ZONES} | {ZONES[7]: [hand]}

    lines = [json.loads(line) for line in (morning.parent / "journal.jsonl").read_text().splitlines()]
    assert [line["outcome"] for line in lines] == ["applied"] * 60
    assert {line["why"] for line in lines} >= {"Let AFAS send", f"restore of {morning.name}"}
    for path in morning.parent.iterdir():
        assert KEY_SECRET not in path.read_text()
    for result in (first, refused, check, done, undone):
        assert KEY_SECRET not in result.output


def test_only_the_named_zones_are_restored_and_no_secret_is_shown(tmp_path: Path, server: Bind) -> None:
    assert site(tmp_path, server).rc == 0
    (morning,) = snapshots(tmp_path)
    some = json.dumps({"mail_restore_zones": ZONES[:2]})
    result = restore(tmp_path, server, morning, "-e", some, "-vvvv", "--diff")
    assert result.rc == 0, result.output
    assert [spf(server, zone) for zone in ZONES[:3]] == [[SPF], [SPF], [NEW_SPF]]
    assert KEY_SECRET not in result.output
    nowhere = restore(tmp_path, server, morning, "-e", '{"mail_restore_zones": ["other.example"]}')
    assert nowhere.rc != 0
    assert "this snapshot does not hold this zone" in nowhere.output


def test_an_account_that_cannot_be_read_is_named_and_left_out(tmp_path: Path, server: Bind) -> None:
    assert site(tmp_path, server).rc == 0
    (morning,) = snapshots(tmp_path)
    hosts = inventory(server)
    broken = {"provider": "rfc2136", "server": "192.0.2.1", "key_name": "k", "key_secret": "{{ vault_that_is_shut }}"}
    hosts["all"]["hosts"]["other"] = {"mail_dns_account": broken, "mail_dns_domains": {}}
    hosts["all"]["hosts"]["typo"] = {"mail_dns_account": {"provider": "rfc2136", "key_secrett": OTHER_SECRET}}
    extra = ("-e", f"mail_restore_snapshot={morning}")
    result = run_playbook(tmp_path, RESTORE, hosts, *extra)
    assert result.rc == 0, result.output
    assert "other: mail_dns_account" in result.output
    assert "typo: mail_dns_account" in result.output
    assert OTHER_SECRET not in result.output
    assert [spf(server, zone) for zone in ZONES] == [[SPF]] * 20


@pytest.mark.parametrize(
    "options", [{"dns": {"key_secrett": OTHER_SECRET}}, {"accounts": [{"key_secrett": OTHER_SECRET}]}]
)
def test_a_misspelled_secret_is_never_shown(tmp_path: Path, options: dict[str, Any]) -> None:
    (tmp_path / "vars.yml").write_text(yaml.safe_dump({"given": options}))
    given = {name: f"{{{{ given.{name} }}}}" for name in options}
    task = module_task("mail_records_restore", snapshot="/nowhere", **given)
    result = run_play(tmp_path, [task], "-vvvv", "-e", f"@{tmp_path / 'vars.yml'}", vars={})
    assert result.rc != 0
    assert "dns.provider is missing" in result.output
    assert OTHER_SECRET not in result.output


def test_a_secret_in_the_name_of_a_task_is_not_kept(tmp_path: Path, server: Bind) -> None:
    wish = {"domain": ZONES[0], "terms": ["a"], "dns": "{{ account }}", "resolver": server.resolver_option}
    task = {**module_task("spf_record", **wish), "name": "Change with {{ account.key_secret }}"}
    hosts = {"all": {**LOCALHOST["all"], "vars": {"account": server.dns_option}}}
    result = run_play(tmp_path, [task], inventory=hosts)
    assert result.rc == 0, result.output
    state = tmp_path / ".state" / "mailroom"
    texts = [path.read_text() for path in state.iterdir()]
    assert len(texts) == 2
    assert not any(KEY_SECRET in text for text in texts)
