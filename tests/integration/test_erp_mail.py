# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles erp_mail and mail_dns and the playbook site, run as a user runs them."""

from __future__ import annotations

import hashlib
import json
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook

SITE = "mailroom.erp.site"
SECRET = "hunter2hunter2"
ZONE = """\
$ORIGIN {zone}.
$TTL 3600
@ IN SOA ns.{zone}. hostmaster.{zone}. 1 7200 3600 1209600 3600
@ IN NS ns.{zone}.
ns IN A 192.0.2.53
"""
OURS = {
    "acme.example": '@ IN TXT "google-site-verification=abc"\n@ IN TXT "v=spf1 mx ip4:192.0.2.1 ~all"\n@ IN MX 10 ns\n',
    "mijnbakkerij.example": "",
}
WORLD = {
    "afas.online": 'spf IN TXT "v=spf1 ip4:198.51.100.0/24 -all"\n',
    "outlook.com": 'spf.protection IN TXT "v=spf1 ip4:203.0.113.0/24 -all"\n',
}
ALL: dict[str, Any] = {
    "ansible_connection": "local",
    "mail_dns_account": {"provider": "zonefile", "path": "{{ inventory_dir }}/zones"},
    "mail_dns_resolver": {"zonefiles": ["{{ inventory_dir }}/zones", "{{ inventory_dir }}/world"]},
    "mail_dns_domains": {
        "acme.example": {
            "services": ["microsoft365"],
            "dmarc": {"policy": "none", "rua": ["dmarc@acme.example"]},
        },
        "mijnbakkerij.example": {"services": []},
    },
}
PROFIT: dict[str, Any] = {
    "erp_mail_system": "afas_profit",
    "erp_mail_transport": "afas_online",
    "erp_mail_senders": {
        "environment": "erp@acme.example",
        "administrations": {"1": "finance@acme.example", "2": "sales@acme.example"},
        "employers": {"100": "payroll@acme.example"},
        "templates": {"reminder": "collections@acme.example"},
    },
}
RELAY: dict[str, Any] = {
    "erp_mail_system": "afas_profit",
    "erp_mail_transport": "smtp",
    "erp_mail_service": "own_relay",
    "erp_mail_senders": {"environment": "erp@acme.example", "administrations": {"1": "finance@acme.example"}},
    "erp_mail_settings": {"server": "relay.acme.example", "username": "erp"},
    "erp_mail_spf_terms": ["ip4:192.0.2.10"],
    "erp_mail_password": "{{ vault_relay_password }}",
}
BAKERY: dict[str, Any] = {
    "erp_mail_system": "compad_bakkerij",
    "erp_mail_service": "ziggo",
    "erp_mail_senders": {"environment": "mijnbakkerij@ziggo.nl"},
    "erp_mail_settings": {"ordernow": True, "cc": "info@mijnbakkerij.example"},
}
HOSTS: dict[str, Any] = {"acme_profit": PROFIT, "acme_relay": RELAY, "jansen_bakery": BAKERY, "printer": {}}
JUDGE = """\
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: mailroom.erp.erp_mail, tasks_from: validate}
    - ansible.builtin.debug:
        msg: "names={{ (judged.fields | selectattr('id', 'eq', 'password') | first).value.secret }}="
      when: judged.service == "own_relay"
      vars: {judged: "{{ __erp_mail_judged.settings }}"}
"""


def inventory(hosts: dict[str, Any] | None = None, **shared: Any) -> dict[str, Any]:
    return {"all": {"vars": {**ALL, **shared}, "hosts": HOSTS if hosts is None else hosts}}


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """A folder with the zones of two companies, and those of the services they use."""
    for folder, zones in (("zones", OURS), ("world", WORLD)):
        (tmp_path / folder).mkdir()
        for zone, records in zones.items():
            (tmp_path / folder / f"{zone}.zone").write_text(ZONE.format(zone=zone) + records, encoding="utf-8")
    return tmp_path


def contents(folder: Path) -> dict[str, str]:
    """All that a run may have written: each file with its hash."""
    files = [file for part in ("zones", "mailroom") for file in (folder / part).rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def spf(folder: Path, domain: str) -> list[str]:
    text = (folder / "zones" / f"{domain}.zone").read_text(encoding="utf-8")
    return [line.split('"')[1] for line in text.splitlines() if "v=spf1" in line]


def differences(result: Result) -> list[str]:
    """The lines of the diffs, in any order: hosts of one task end in any order."""
    lines = (line.rstrip() for line in result.output.splitlines())
    return sorted(line for line in lines if line.startswith(("+", "-", "@@")))


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
    assert "OrderNow sends as is unknown" in first.output.replace("\n", " ")
    after = contents(estate)
    kept = {name for name in after if name.startswith("mailroom/snapshots/")}
    assert {Path(name).suffix for name in kept} == {".yml", ".jsonl"}
    assert {name for name in after if name.startswith("mailroom/")} - kept == {
        f"mailroom/{host}/{file}"
        for host in ("acme_profit", "acme_relay", "jansen_bakery")
        for file in ("settings.yml", "sheet.md")
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


def test_adding_is_safe_from_a_slice(estate: Path) -> None:
    result = run_playbook(estate, SITE, inventory(), "--limit", "acme_profit")
    assert result.rc == 0, result.output
    assert "include:spf.afas.online" in spf(estate, "acme.example")[0]


def test_a_stale_address_is_published_only_when_accepted(estate: Path) -> None:
    bakery = {**BAKERY, "erp_mail_senders": {**BAKERY["erp_mail_senders"], "ordernow": "info@mijnbakkerij.example"}}
    held = run_playbook(estate, SITE, inventory({"jansen_bakery": bakery}))
    assert held.rc == 0 and "mail_dns_accept_stale: [ordernow]" in held.output
    assert spf(estate, "mijnbakkerij.example") == []
    accepted = run_playbook(estate, SITE, inventory({"jansen_bakery": bakery}, mail_dns_accept_stale=["ordernow"]))
    assert accepted.rc == 0, accepted.output
    assert spf(estate, "mijnbakkerij.example") == ["v=spf1 ip4:84.246.4.155 ~all"]


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


def vaulted(folder: Path, *arguments: str) -> str:
    (folder / "vault_password").write_text("opensesame\n", encoding="utf-8")
    command = [
        str(Path(sys.executable).parent / "ansible-vault"),
        *arguments,
        "--vault-password-file",
        "vault_password",
    ]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def judge_password(folder: Path, files: dict[str, str], *arguments: str) -> Result:
    """Judge one environment with a password, its variables in several files; most verbose."""
    relay = {key: value for key, value in RELAY.items() if key != "erp_mail_password"}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    if not (folder / "vault_password").exists():
        (folder / "vault_password").write_text("opensesame\n", encoding="utf-8")
    options = ["--vault-password-file", "vault_password", "-vvvv", *arguments]
    return run_playbook(folder, JUDGE, inventory({"acme_relay": relay}), *options)


WARNING = "acme_relay: erp_mail_password: this secret stands as readable text in the inventory"


def named(result: Result) -> str:
    """The variable that the settings name."""
    found = re.findall(r'"names=(.*)="', result.output)
    assert len(set(found)) == 1, result.output
    return str(found[0])


def test_a_readable_password_is_warned_about_and_not_shown(tmp_path: Path) -> None:
    result = judge_password(tmp_path, {"host_vars/acme_relay.yml": f"erp_mail_password: {SECRET}\n"})
    assert result.rc == 0, result.output
    assert WARNING in result.output.replace("\n", " ")
    assert "host_vars/acme_relay.yml:1" in result.output.replace("\n", "")
    assert SECRET not in result.output
    assert named(result) == "erp_mail_password"


def test_a_readable_number_is_warned_about_too(tmp_path: Path) -> None:
    result = judge_password(tmp_path, {"host_vars/acme_relay.yml": "erp_mail_password: 8675309042\n"})
    assert WARNING in result.output.replace("\n", " ") and "8675309042" not in result.output


def test_an_encrypted_string_is_not_warned_about(tmp_path: Path) -> None:
    text = vaulted(tmp_path, "encrypt_string", SECRET, "--name", "erp_mail_password")
    result = judge_password(tmp_path, {"host_vars/acme_relay.yml": text})
    assert result.rc == 0, result.output
    assert "readable text" not in result.output and SECRET not in result.output
    assert named(result) == "erp_mail_password"


def test_a_reference_into_an_encrypted_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "host_vars" / "acme_relay").mkdir(parents=True)
    vault = tmp_path / "host_vars" / "acme_relay" / "vault.yml"
    vault.write_text(f"vault_mail: {{relay: {SECRET}}}\n", encoding="utf-8")
    vaulted(tmp_path, "encrypt", str(vault))
    result = judge_password(
        tmp_path, {"host_vars/acme_relay/vars.yml": "erp_mail_password: '{{ vault_mail.relay }}'\n"}
    )
    assert result.rc == 0, result.output
    assert "readable text" not in result.output and SECRET not in result.output
    assert named(result) == "vault_mail.relay"


def test_a_reference_to_readable_text_is_warned_about(tmp_path: Path) -> None:
    text = f"erp_mail_password: '{{{{ middle }}}}'\nmiddle: '{{{{ plain_pw }}}}'\nplain_pw: {SECRET}\n"
    result = judge_password(tmp_path, {"host_vars/acme_relay.yml": text})
    assert f"{WARNING} through plain_pw" in result.output.replace("\n", " ")
    assert SECRET not in result.output and named(result) == "plain_pw"


def test_a_password_from_a_lookup_is_not_read_and_not_warned_about(tmp_path: Path) -> None:
    text = "erp_mail_password: \"{{ lookup('ansible.builtin.file', '/nonexistent') }}\"\n"
    result = judge_password(tmp_path, {"host_vars/acme_relay.yml": text})
    assert result.rc == 0, result.output
    assert "readable text" not in result.output and named(result) == "erp_mail_password"


def test_a_reference_to_nothing_is_warned_about(tmp_path: Path) -> None:
    result = judge_password(tmp_path, {"host_vars/acme_relay.yml": "erp_mail_password: '{{ vault_missing }}'\n"})
    assert result.rc == 0, result.output
    assert 'erp_mail_password "vault_missing": it refers to a variable that is not defined' in result.output.replace(
        "\n", " "
    )
    assert named(result) == "vault_missing"


def test_a_vault_that_is_not_open_does_not_hinder_the_judgement(tmp_path: Path) -> None:
    text = vaulted(tmp_path, "encrypt_string", SECRET, "--name", "erp_mail_password")
    (tmp_path / "vault_password").write_text("wrong\n", encoding="utf-8")
    result = judge_password(tmp_path, {"host_vars/acme_relay.yml": text})
    assert result.rc == 0, result.output


def test_a_readable_secret_of_a_dns_account_is_warned_about_and_not_shown(tmp_path: Path) -> None:
    account = {"provider": "rfc2136", "server": "192.0.2.1", "key_name": "k", "key_secret": SECRET}
    shared = {"mail_dns_domains": {"acme.example": {"services": [], "dns": dict(account)}}, "mail_dns_account": account}
    result = run_playbook(tmp_path, JUDGE, inventory({"acme_profit": PROFIT}, **shared), "-vvvv")
    assert result.rc == 0, result.output
    flat = result.output.replace("\n", " ")
    assert "acme_profit: mail_dns_account.key_secret: this secret stands as readable text" in flat
    assert "acme_profit: mail_dns_domains.acme.example.dns.key_secret: this secret stands as readable text" in flat
    assert SECRET not in result.output


@pytest.mark.parametrize("arguments", [[], ["--check", "--diff"]], ids=["run", "check"])
def test_no_secret_is_shown_by_a_run_that_fails_at_the_dns(tmp_path: Path, arguments: list[str]) -> None:
    account = {"provider": "rfc2136", "server": "127.0.0.1", "port": 1, "timeout": 1, "key_name": "k"}
    account["key_secret"] = "aHVudGVyMmh1bnRlcjI="
    own = {"acme.example": {"services": [], "dns": {**account, "key_secret": "aHVudGVyM2h1bnRlcjM="}}}
    bakery = {
        **BAKERY,
        "erp_mail_senders": {"environment": "a@mijnbakkerij.example"},
        "erp_mail_service": "microsoft365",
    }
    bakery |= {"erp_mail_settings": {"username": "a"}, "erp_mail_password": SECRET}
    domains = {**own, "mijnbakkerij.example": {"services": []}}
    hosts = inventory(
        {"acme_profit": PROFIT, "jansen_bakery": bakery}, mail_dns_account=account, mail_dns_domains=domains
    )
    result = run_playbook(tmp_path, SITE, hosts, "-vvvv", *arguments)
    assert result.rc != 0
    for secret in (SECRET, "aHVudGVyMmh1bnRlcjI=", "aHVudGVyM2h1bnRlcjM="):
        assert secret not in result.output


MISPLACED: list[tuple[str, dict[str, Any], str]] = [
    ("in the settings", {"erp_mail_settings": {"password": SECRET}}, "erp_mail_settings.password: a secret"),
    ("in a misspelled setting", {"erp_mail_settings": {"usrname": SECRET}}, "erp_mail_settings.usrname: "),
    ("in a misspelled variable", {"erp_mail_pasword": SECRET}, "erp_mail_pasword: no variable of this name"),
    (
        "in a misspelled option of the account",
        {"mail_dns_account": {"provider": "zonefile", "path": "/z", "tokn": SECRET}},
        "dns.tokn",
    ),
    ("in an unknown provider", {"mail_dns_account": {"provider": SECRET}}, "dns.provider"),
    ("as the account", {"mail_dns_account": SECRET}, "dns must be a dictionary"),
    (
        "in a domain's misspelled key",
        {"mail_dns_domains": {"acme.example": {"dns_tokn": SECRET}}},
        "mail_dns_domains.dns_tokn",
    ),
    ("as the domains", {"mail_dns_domains": SECRET}, "mail_dns_domains: "),
    ("as the settings", {"erp_mail_settings": SECRET}, "erp_mail_settings: "),
    ("as the senders", {"erp_mail_senders": [SECRET]}, "erp_mail_senders: "),
]


@pytest.mark.parametrize(("variables", "said"), [row[1:] for row in MISPLACED], ids=[row[0] for row in MISPLACED])
def test_a_misplaced_secret_is_refused_and_not_shown(estate: Path, variables: dict[str, Any], said: str) -> None:
    before = contents(estate)
    result = run_playbook(estate, SITE, inventory({"acme_profit": {**PROFIT, **variables}}), "-vvvv")
    assert result.rc != 0
    assert said in result.output.replace("\n", " ")
    assert SECRET not in result.output
    assert contents(estate) == before


def test_an_account_whose_variable_is_undefined_is_refused(estate: Path) -> None:
    account = {"provider": "zonefile", "path": "{{ vault_nowhere }}"}
    result = run_playbook(estate, SITE, inventory({"acme_profit": PROFIT}, mail_dns_account=account))
    assert result.rc != 0 and "acme_profit: mail_dns_account" in result.output
