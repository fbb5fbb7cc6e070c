# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles erp_mail and mail_dns and the playbook site, run as a user runs them."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.tests.integration.estate import (
    BAKERY,
    HOSTS,
    PROFIT,
    RELAY,
    SITE,
    ZONE,
    contents,
    differences,
    inventory,
    spf,
)
from ansible_collections.mailroom.erp.tests.integration.playbook import run_playbook


def test_site_makes_the_records_and_the_files_and_then_changes_nothing(estate: Path) -> None:
    before = contents(estate)
    checked = run_playbook(estate, SITE, inventory(), "--check", "--diff")
    assert checked.rc == 0, checked.output
    assert contents(estate) == before
    first = run_playbook(estate, SITE, inventory(), "--diff")
    assert first.rc == 0, first.output
    assert differences(checked) == differences(first)
    wanted = "v=spf1 mx ip4:192.0.2.1 include:spf.protection.outlook.com include:spf.afas.online ip4:192.0.2.10 ~all"
    assert spf(estate, "acme.example") == [wanted]
    assert "google-site-verification=abc" in (estate / "zones/acme.example.zone").read_text(encoding="utf-8")
    assert spf(estate, "mijnbakkerij.example") == []
    assert "OrderNow sends as is unknown" in first.flat
    after = contents(estate)
    kept = {name for name in after if name.startswith("mailroom/snapshots/")}
    assert {Path(name).suffix for name in kept} == {".yml", ".jsonl"}
    assert {name for name in after if name.startswith("mailroom/")} - kept == {
        f"mailroom/{host}/{file}"
        for host in ("acme_profit", "acme_relay", "jansen_bakery")
        for file in ("settings.yml", "sheet.md", "sheet.html")
    }
    second = run_playbook(estate, SITE, inventory(), "--diff")
    assert (second.rc, second.changed, differences(second)) == (0, 0, [])
    assert contents(estate) == after


def test_the_files_of_an_inventory_folder_are_not_read_as_inventory(estate: Path) -> None:
    (estate / "inventory").mkdir()
    account = {"provider": "zonefile", "path": str(estate / "zones")}
    resolver = {"zonefiles": [str(estate / "zones"), str(estate / "world")]}
    shared = inventory({"acme_profit": PROFIT}, mail_dns_account=account, mail_dns_resolver=resolver)
    (estate / "inventory" / "hosts.json").write_text(json.dumps(shared), encoding="utf-8")
    folder = ["-i", str(estate / "inventory")]
    first = run_playbook(estate, SITE, {"all": {}}, *folder)
    assert first.rc == 0, first.output
    assert (estate / "mailroom" / "acme_profit" / "settings.yml").is_file()
    again = run_playbook(estate, SITE, {"all": {}}, *folder)
    assert (again.rc, again.changed) == (0, 0), again.output


def test_the_files_are_for_their_owner_only(estate: Path) -> None:
    assert run_playbook(estate, SITE, inventory()).rc == 0
    folder = estate / "mailroom" / "acme_relay"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    settings = yaml.safe_load((folder / "settings.yml").read_text(encoding="utf-8"))
    assert settings["format"] == "mailroom.erp/settings/1"
    password = next(field["value"] for field in settings["fields"] if field["id"] == "password")
    assert password == {"secret": "vault_relay_password", "where": "Ansible variable vault_relay_password"}
    assert (folder / "sheet.md").read_text(encoding="utf-8").startswith("# acme_relay: mail settings of AFAS Profit\n")


@pytest.mark.parametrize("wrong", ["acme_profit", "acme_relay", "jansen_bakery"])
def test_one_wrong_environment_stops_all_before_anything_is_written(estate: Path, wrong: str) -> None:
    before = contents(estate)
    senders = {"erp_mail_senders": {"environment": "nobody"}, "erp_mail_state": "gone"}
    result = run_playbook(estate, SITE, inventory({**HOSTS, wrong: {**HOSTS[wrong], **senders}}))
    assert result.rc != 0
    assert f'{wrong}: erp_mail_state "gone"' in result.output.replace('\\"', '"')
    assert f'{wrong}: erp_mail_senders.environment "nobody"' in result.output.replace('\\"', '"')
    assert contents(estate) == before


WRONG: dict[str, dict[str, Any]] = {
    "acme_profit": {**PROFIT, "erp_mail_settings": {"port": 25}},
    "acme_relay": {**RELAY, "erp_mail_settings": {"server": "relay.acme.example", "port": 2525}},
    "acme_king": {
        "erp_mail_system": "king_erp",
        "erp_mail_transport": "graph_oauth2",
        "erp_mail_senders": {"environment": "king@acme.example"},
        "erp_mail_settings": {"username": "king@acme.example", "port": 587},
    },
    "acme_a2000": {
        "erp_mail_system": "a2000erp",
        "erp_mail_service": "gmail",
        "erp_mail_senders": {"environment": "accounts@acme.example"},
        "erp_mail_settings": {"batch_interval": 60},
        "erp_mail_password": "{{ vault_relay_password }}",
    },
    "acme_exalt": {
        "erp_mail_system": "exalt",
        "erp_mail_service": "gmail",
        "erp_mail_senders": {"environment": "alerts@acme.example"},
        "erp_mail_settings": {"server_name": "smtp.gmail.com:587"},
    },
    "jansen_bakery": {**BAKERY, "erp_mail_service": "zigo"},
}
TOLD = [
    "acme_profit: erp_mail_settings.port: AFAS Profit has no such setting for transport afas_online",
    'acme_relay: erp_mail_settings.port "2525"',
    "acme_king: erp_mail_settings.port: KING ERP has no such setting for transport graph_oauth2",
    "acme_a2000: erp_mail_settings.max_mails_per_batch: Maximum Mails per Batch and Batch Interval work together",
    'acme_exalt: erp_mail_settings.server_name "smtp.gmail.com:587"',
    "acme_exalt: erp_mail_settings.notification_mailbox: System Notification Mailbox is required",
    'jansen_bakery: erp_mail_service "zigo": no service of this name is in the catalogue',
    'acme.example: mail_dns_domains.services "gmial"',
]


@pytest.mark.parametrize("arguments", [[], ["--check"]], ids=["run", "check"])
def test_all_problems_of_all_environments_stand_in_one_report(estate: Path, arguments: list[str]) -> None:
    before = contents(estate)
    shared = {"mail_dns_domains": {"acme.example": {"services": ["gmial"]}, "mijnbakkerij.example": {"services": []}}}
    result = run_playbook(estate, SITE, inventory(WRONG, **shared), *arguments)
    assert result.rc != 0
    assert [told for told in TOLD if told not in result.flat] == []
    assert {host for host, numbers in result.stats.items() if numbers["failures"]} == set(WRONG), result.output
    assert contents(estate) == before


def test_another_from_than_the_account_s_is_told_for_every_system(estate: Path) -> None:
    through = {"erp_mail_service": "microsoft365", "erp_mail_password": "{{ vault_relay_password }}"}
    exalt = {name: f"{name}@acme.example" for name in ("username", "notification_mailbox", "bounced_mailbox")}
    hosts = {
        "acme_relay": {**RELAY, **through, "erp_mail_settings": {"username": "office@acme.example"}},
        "acme_exalt": {**WRONG["acme_exalt"], **through, "erp_mail_settings": exalt},
        "jansen_bakery": {**BAKERY, **through, "erp_mail_settings": {"username": "bakery"}},
    }
    result = run_playbook(estate, SITE, inventory(hosts), "--check")
    assert result.rc == 0, result.output
    refused = "Microsoft 365 refuses mail from an address that is not the account's (5.7.60)"
    sender = RELAY["erp_mail_senders"]["environment"]
    for address in (sender, "alerts@acme.example"):
        assert f"this account signs in, and needs the right to send as {address}" in result.flat
    assert f"{refused}, and which address signs in is not declared: it cannot be told" in result.flat


def test_needs_that_contradict_each_other_stop_all_before_anything_is_written(estate: Path) -> None:
    before = contents(estate)
    other = {"mail_dns_account": {"provider": "zonefile", "path": "/nowhere"}}
    result = run_playbook(estate, SITE, inventory({**HOSTS, "acme_relay": {**RELAY, **other}}))
    assert result.rc != 0
    assert "acme_profit and acme_relay have different DNS accounts" in result.output
    assert contents(estate) == before


def test_a_guard_of_the_dns_stops_the_files_too(estate: Path) -> None:
    (estate / "zones" / "acme.example.zone").write_text(
        ZONE.format(zone="acme.example") + '@ IN TXT "v=spf1 mx ~all"\n@ IN TXT "v=spf1 a ~all"\n', encoding="utf-8"
    )
    before = contents(estate)
    result = run_playbook(estate, SITE, inventory())
    assert result.rc != 0 and "acme.example" in result.output
    assert contents(estate) == before


def test_a_decommissioned_environment_loses_its_files_and_its_terms(estate: Path) -> None:
    assert run_playbook(estate, SITE, inventory()).rc == 0
    gone = {**HOSTS, "acme_relay": {**RELAY, "erp_mail_state": "absent"}}
    refused = run_playbook(estate, SITE, inventory(gone))
    assert refused.rc != 0 and "Set mail_dns_complete: true" in refused.output
    limited = run_playbook(estate, SITE, inventory(gone, mail_dns_complete=True), "--limit", "acme_relay")
    assert limited.rc != 0 and "Run without --limit" in limited.output
    sliced = run_playbook(estate, SITE, inventory(gone, mail_dns_complete=True), "-e", "mail_hosts=acme_relay")
    assert sliced.rc != 0 and "not in this play: acme_profit, jansen_bakery" in sliced.output
    incomplete = run_playbook(estate, SITE, inventory(gone), "-e", "mail_dns_complete=false")
    assert incomplete.rc != 0 and "Set mail_dns_complete: true" in incomplete.output
    assert "ip4:192.0.2.10" in spf(estate, "acme.example")[0]
    done = run_playbook(estate, SITE, inventory(gone, mail_dns_complete=True))
    assert done.rc == 0, done.output
    assert spf(estate, "acme.example") == [
        "v=spf1 mx ip4:192.0.2.1 include:spf.protection.outlook.com include:spf.afas.online ~all"
    ]
    assert list((estate / "mailroom" / "acme_relay").iterdir()) == []
    assert run_playbook(estate, SITE, inventory(gone, mail_dns_complete=True)).changed == 0


def test_a_run_for_some_hosts_may_add_terms(estate: Path) -> None:
    result = run_playbook(estate, SITE, inventory(), "--limit", "acme_profit")
    assert result.rc == 0, result.output
    assert "include:spf.afas.online" in spf(estate, "acme.example")[0]


def test_a_stale_address_is_published_only_when_accepted(estate: Path) -> None:
    bakery = {**BAKERY, "erp_mail_senders": {**BAKERY["erp_mail_senders"], "ordernow": "info@mijnbakkerij.example"}}
    held = run_playbook(estate, SITE, inventory({"jansen_bakery": bakery}))
    assert held.rc == 0 and "mail_dns_accept_stale: [ordernow]" in held.output
    assert spf(estate, "mijnbakkerij.example") == []
    sheet = estate / "mailroom" / "jansen_bakery" / "sheet.md"
    assert "`ip4:84.246.4.155` wordt tegengehouden" in sheet.read_text(encoding="utf-8")
    accepted = run_playbook(estate, SITE, inventory({"jansen_bakery": bakery}, mail_dns_accept_stale=["ordernow"]))
    assert accepted.rc == 0, accepted.output
    assert spf(estate, "mijnbakkerij.example") == ["v=spf1 ip4:84.246.4.155 ~all"]
    assert "`ip4:84.246.4.155`. De rol mail_dns publiceert dit." in sheet.read_text(encoding="utf-8")


def test_a_tick_is_for_the_values_that_it_was_given_for(estate: Path) -> None:
    assert run_playbook(estate, SITE, inventory({"acme_relay": RELAY})).rc == 0
    sheet = estate / "mailroom" / "acme_relay" / "sheet.md"
    printed = sheet.read_text(encoding="utf-8").split("erp_mail_confirmed: ")[-1].split("`")[0]
    ticked = {**RELAY, "erp_mail_confirmed": yaml.safe_load(printed)}
    assert run_playbook(estate, SITE, inventory({"acme_relay": ticked})).rc == 0
    assert "- [ ]" not in sheet.read_text(encoding="utf-8")
    assert run_playbook(estate, SITE, inventory({"acme_relay": ticked})).changed == 0
    moved = {**ticked, "erp_mail_settings": {**RELAY["erp_mail_settings"], "server": "mail.acme.example"}}
    assert run_playbook(estate, SITE, inventory({"acme_relay": moved})).rc == 0
    text = sheet.read_text(encoding="utf-8")
    again = [line for line in text.splitlines() if "type it again" in line]
    assert [line.split(" | ")[0] for line in again] == ["| Server for outgoing mail"]
    assert "- [ ] The fields of this sheet are entered in Profit." in text
    assert "- [x] The senders are entered at their administrations" in text
    wrong = {**RELAY, "erp_mail_confirmed": ["fields@?"]}
    refused = run_playbook(estate, SITE, inventory({"acme_relay": wrong}))
    assert refused.rc != 0 and "id@stamp" in refused.output


@pytest.mark.slow
def test_includes_of_a_declared_domain_are_flattened_and_taken_away_with_their_environment(estate: Path) -> None:
    world = ZONE.format(zone="afas.online") + 'spf IN TXT "v=spf1 ip4:198.51.100.0/24 ~all"\n'
    (estate / "world" / "afas.online.zone").write_text(world, encoding="utf-8")
    declared = {"acme.example": {"services": [], "flatten": ["spf.afas.online"], "flatten_refresh": 30}}
    shared = {"mail_dns_domains": declared, "mail_dns_complete": True}
    hosts = {"acme_profit": PROFIT, "acme_relay": RELAY}
    checked = run_playbook(estate, SITE, inventory(hosts, **shared), "--check", "--diff")
    first = run_playbook(estate, SITE, inventory(hosts, **shared), "--diff")
    assert first.rc == 0 and differences(checked) == differences(first), first.output
    (record,) = spf(estate, "acme.example")
    assert re.fullmatch(
        r"v=spf1 mx ip4:192\.0\.2\.1 ip4:198\.51\.100\.0/24 flattened=spf\.afas\.online/[-0-9]+/30/1/[0-9a-f]+ "
        r"ip4:192\.0\.2\.10 ~all",
        record,
    ), record
    assert run_playbook(estate, SITE, inventory(hosts, **shared)).changed == 0
    (estate / "world" / "afas.online.zone").write_text(
        world.replace("198.51.100.0/24", "203.0.113.7"), encoding="utf-8"
    )
    assert run_playbook(estate, SITE, inventory(hosts, **shared)).rc == 0
    assert "ip4:203.0.113.7 flattened=" in spf(estate, "acme.example")[0]
    gone = {**hosts, "acme_profit": {**PROFIT, "erp_mail_state": "absent"}}
    assert run_playbook(estate, SITE, inventory(gone, **shared)).rc == 0
    assert spf(estate, "acme.example") == ["v=spf1 mx ip4:192.0.2.1 ip4:192.0.2.10 ~all"]


def test_the_first_record_waits_for_the_services_to_be_stated(estate: Path) -> None:
    before = contents(estate)
    bakery = {**BAKERY, "erp_mail_senders": {**BAKERY["erp_mail_senders"], "ordernow": "info@mijnbakkerij.example"}}
    shared = {"mail_dns_accept_stale": ["ordernow"], "mail_dns_domains": {"mijnbakkerij.example": {}}}
    result = run_playbook(estate, SITE, inventory({"jansen_bakery": bakery}, **shared))
    assert result.rc != 0 and "mijnbakkerij.example" in result.output
    assert contents(estate) == before


def test_the_role_works_on_its_own(estate: Path) -> None:
    playbook = "- hosts: all\n  gather_facts: false\n  roles: [mailroom.erp.erp_mail]\n"
    out = {"erp_mail_output_dir": str(estate / "elsewhere")}
    result = run_playbook(estate, playbook, inventory(HOSTS, **out))
    assert result.rc == 0, result.output
    assert (estate / "elsewhere" / "jansen_bakery" / "sheet.md").is_file()
    assert run_playbook(estate, playbook, inventory(HOSTS, **out)).changed == 0


def test_a_user_s_own_service_works_in_the_inventory(estate: Path) -> None:
    service = {
        "title": "Mailer",
        "kind": "relay",
        "sources": {"contract": {"title": "Our contract", "date": "2026-10"}},
        "smtp": {"host": {"value": "smtp.mailer.example", "source": "contract"}},
        "spf": {"terms": {"value": ["ip4:198.51.100.7"], "source": "contract"}},
    }
    relay = {**RELAY, "erp_mail_service": "mailer", "erp_mail_settings": {"username": "erp"}}
    del relay["erp_mail_spf_terms"]
    shared = {"erp_mail_catalogue_services": {"mailer": service}}
    result = run_playbook(estate, SITE, inventory({"acme_relay": relay}, **shared))
    assert result.rc == 0, result.output
    assert "ip4:198.51.100.7" in spf(estate, "acme.example")[0]
    assert "smtp.mailer.example" in (estate / "mailroom" / "acme_relay" / "sheet.md").read_text(encoding="utf-8")


def test_the_sheet_says_which_facts_are_to_be_checked_again(estate: Path) -> None:
    page = {"title": "Mailer's page", "date": "2025-01"}
    sources = {"old": {**page, "check_after": "2026-01-31"}, "new": {**page, "check_after": "2999-01-31"}}
    warnings = [{"en": "It is slow.", "source": "old"}, {"en": "It is dear.", "source": "new"}]
    mailer = {"title": "Mailer", "kind": "relay", "sources": sources, "warnings": warnings}
    mailer["spf"] = {"terms": {"value": ["include:spf.protection.outlook.com"], "source": "old"}}
    relay = {**RELAY, "erp_mail_service": "mailer", "erp_mail_catalogue_services": {"mailer": mailer}}
    del relay["erp_mail_spf_terms"]
    hosts = inventory({"acme_relay": relay})
    first = run_playbook(estate, SITE, hosts)
    assert first.rc == 0, first.output
    sheet = (estate / "mailroom/acme_relay/sheet.md").read_text(encoding="utf-8")
    mark = "This is as of 2025-01: check it again."
    told = [line for line in sheet.splitlines() if mark in line]
    assert told == [
        f"- It is slow. (Mailer's page, 2025-01) **{mark}**",
        f"- Of Mailer: SPF terms (Mailer's page, 2025-01). **{mark}**",
    ]
    assert (estate / "mailroom/acme_relay/sheet.html").read_text(encoding="utf-8").count(
        f"<strong>{mark}</strong>"
    ) == 2
    second = run_playbook(estate, SITE, hosts)
    assert (second.rc, second.changed) == (0, 0), second.output


def test_a_user_s_own_system_and_service_work_in_the_inventory(estate: Path) -> None:
    sources = {"manual": {"title": "Ledger manual 4.2", "date": "2026-03"}}
    field = {"source": "manual"}
    system = {
        "title": "Ledger",
        "language": "en",
        "sources": sources,
        "menu": {"value": "Setup / Mail", "source": "manual"},
        "senders": {"environment": {"label": "From", "shape": "address", "required": True, "menu": "Setup", **field}},
        "transports": {
            "smtp": {
                "label": "SMTP",
                "services": ["ledger_cloud"],
                "source": "manual",
                "fields": [
                    {"id": "host", "label": "Host", "setting": {"type": "str"}, "fact": "host", **field},
                    {"id": "from", "label": "From", "sender": "environment", **field},
                ],
            }
        },
        "checklist": [{"id": "typed", "text": "The fields are entered.", **field}],
    }
    service = {
        "title": "Ledger Cloud",
        "kind": "platform",
        "sources": sources,
        "smtp": {"host": {"value": "smtp.ledger.example", "source": "manual"}},
        "spf": {"terms": {"value": ["ip4:198.51.100.9"], "source": "manual"}},
        "envelope": {"value": "sender", "source": "manual"},
    }
    ledger = {
        "erp_mail_system": "ledger",
        "erp_mail_senders": {"environment": "ledger@acme.example"},
        "erp_mail_dkim": {"acme.example": [{"selector": "ledger", "target": "{domain}.keys.ledger.example"}]},
        "erp_mail_confirmed": ["typed"],
    }
    shared = {
        "erp_mail_catalogue_systems": {"ledger": system},
        "erp_mail_catalogue_services": {"ledger_cloud": service},
    }
    result = run_playbook(estate, SITE, inventory({"acme_ledger": ledger}, **shared))
    assert result.rc == 0, result.output
    assert "ip4:198.51.100.9" in spf(estate, "acme.example")[0]
    zone = (estate / "zones" / "acme.example.zone").read_text(encoding="utf-8")
    assert re.search(r"ledger\._domainkey\S*\s+(3600\s+)?IN\s+CNAME\s+acme\.example\.keys\.ledger\.example\.", zone), (
        zone
    )
    sheet = (estate / "mailroom" / "acme_ledger" / "sheet.md").read_text(encoding="utf-8")
    assert "| Host | `smtp.ledger.example` |" in sheet and "- [x] The fields are entered." in sheet
    assert run_playbook(estate, SITE, inventory({"acme_ledger": ledger}, **shared)).changed == 0


def test_dkim_of_afas_and_its_spf_are_published_and_taken_away_together(estate: Path) -> None:
    keys = [{"selector": f"afas{n}", "target": f"acme-example.afas{n}.dkim.example"} for n in (1, 2)]
    hosts = {"acme_profit": {**PROFIT, "erp_mail_dkim": {"acme.example": keys}}}
    zone = estate / "zones" / "acme.example.zone"
    first = run_playbook(estate, SITE, inventory(hosts))
    assert first.rc == 0, first.output
    text = zone.read_text(encoding="utf-8")
    assert text.count("CNAME") == 2 and "acme-example.afas2.dkim.example" in text
    assert run_playbook(estate, SITE, inventory(hosts)).changed == 0
    gone = {"acme_profit": {**hosts["acme_profit"], "erp_mail_state": "absent"}}
    done = run_playbook(estate, SITE, inventory(gone, mail_dns_complete=True))
    assert done.rc == 0, done.output
    assert "CNAME" not in zone.read_text(encoding="utf-8")


def test_the_lookup_gives_an_entry_with_its_sources(tmp_path: Path) -> None:
    playbook = (
        "- hosts: localhost\n  gather_facts: false\n  tasks:\n"
        "    - ansible.builtin.debug:\n"
        '        msg: "{{ s.smtp.host.value }} of {{ s.sources[s.smtp.host.source].date }}"\n'
        "      vars: {s: \"{{ lookup('mailroom.erp.service', 'ziggo') }}\"}\n"
        "    - ansible.builtin.debug: {msg: \"{{ lookup('mailroom.erp.service', 'zigo') }}\"}\n"
    )
    result = run_playbook(tmp_path, playbook, {"all": {}})
    assert "smtp.ziggo.nl of 2015-11-18" in result.output
    assert result.rc != 0 and "Did you mean ziggo?" in result.output
